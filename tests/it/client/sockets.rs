//! What a user of the client does, over real sockets and over a network in memory.

use std::time::Duration;

use axum::{Router, serve};
use futures_util::StreamExt;
use tokio::net::TcpListener;
use transports::session::Hosted;
use transports::{Codec, Path, Server, Session, Synced, Value};
use transports_adapters::client::{
    Authority, Change, Client, ClientError, EditError, Offline, Remote, RemoteError, State,
};
use transports_adapters::{EventStream, autosync, sse, ws};

use super::network::Network;

#[derive(Synced, Debug, PartialEq)]
struct Lamp {
    name: String,
    #[synced(range = 0..=100)]
    level: i64,
    tags: Vec<String>,
}

fn lamp() -> Lamp {
    Lamp {
        name: "desk".into(),
        level: 10,
        tags: vec!["a".into(), "b".into()],
    }
}

fn application() -> (Router, Session, Hosted<Lamp>) {
    let session = Session::builder().first_revision(0).build();
    let lamp = session.host(lamp());
    let server = Server::new(session.clone());
    tokio::spawn(autosync(server.clone()));
    let app = Router::new()
        .route("/ws", ws(server.clone()))
        .route("/sse", sse(server));
    (app, session, lamp)
}

async fn over_sockets() -> (String, Hosted<Lamp>) {
    let (app, _, lamp) = application();
    (listen(app).await, lamp)
}

/// Serves an application; its address.
async fn listen(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { serve(listener, app).await });
    address.to_string()
}

async fn until(remote: &mut Remote<Lamp>, done: impl Fn(&Lamp) -> bool) {
    while !done(&remote.read()) {
        remote.changed().await.unwrap();
    }
}

#[tokio::test]
async fn a_typed_model_both_ways_in_each_codec() {
    let (address, lamp) = over_sockets().await;
    for codec in [Codec::Json, Codec::MessagePack, Codec::Cbor] {
        let client = Client::builder(format!("ws://{address}/ws"))
            .codec(codec)
            .connect()
            .await
            .unwrap();
        let mut mirror = client.model::<Lamp>().await.unwrap();
        assert_eq!(*mirror.read(), *lamp.read());

        let level = mirror.read().level + 1;
        lamp.write().level = level;
        until(&mut mirror, |lamp| lamp.level == level).await;

        let rev = mirror
            .edit(|lamp| lamp.tags.push("c".into()))
            .await
            .unwrap();
        assert_eq!(rev, lamp.revision());
        assert_eq!(
            *mirror.read(),
            *lamp.read(),
            "the answer comes after the change"
        );
    }
}

#[tokio::test]
async fn a_refused_edit_names_the_path_and_the_rule() {
    let (address, lamp) = over_sockets().await;
    let client = Client::connect(format!("ws://{address}/ws")).await.unwrap();
    let mirror = client.model::<Lamp>().await.unwrap();
    let error = mirror.edit(|lamp| lamp.level = 101).await.unwrap_err();
    assert_eq!(error.to_string(), "level: 101 is not in 0..=100");
    assert_eq!(error.path(), Some("level"));
    assert_eq!((mirror.read().level, lamp.read().level), (10, 10));
    assert_eq!(
        mirror.edit(|_| {}).await,
        Ok(0),
        "nothing changed, nothing asked"
    );
}

#[tokio::test]
async fn changes_come_with_their_places() {
    let (address, lamp) = over_sockets().await;
    let client = Client::connect(format!("ws://{address}/ws")).await.unwrap();
    let mirror = client.model_by_id::<Value>(1).await.unwrap();
    let mut changes = mirror.changes();
    lamp.write().tags.push("c".into());
    let Some(Change::Patched { id: 1, rev: 1, ops }) = changes.next().await else {
        panic!()
    };
    assert_eq!(ops[0].path(), &Path::from_iter(["tags".into()]));
    assert_eq!(
        mirror.read().get("tags"),
        client.value(1).unwrap().get("tags")
    );
}

#[tokio::test]
async fn over_events_edits_go_by_post() {
    let (address, lamp) = over_sockets().await;
    let client = Client::connect(format!("http://{address}/sse"))
        .await
        .unwrap();
    let mut mirror = client.model::<Lamp>().await.unwrap();
    lamp.write().name = "floor".into();
    until(&mut mirror, |lamp| lamp.name == "floor").await;
    let rev = mirror.edit(|lamp| lamp.level = 1).await.unwrap();
    assert_eq!((rev, lamp.read().level), (lamp.revision(), 1));
    let error = mirror.edit(|lamp| lamp.level = 101).await.unwrap_err();
    assert_eq!(error.to_string(), "level: 101 is not in 0..=100");
    assert_eq!(mirror.read().level, 1);
}

#[tokio::test]
async fn events_without_an_uplink_are_received_only() {
    let session = Session::new();
    session.host(Lamp {
        name: "desk".into(),
        level: 5,
        tags: vec![],
    });
    let live = EventStream::new(Server::new(session)).settings(|settings| settings.uplink = false);
    let address = listen(Router::new().route("/sse", live.route())).await;
    let client = Client::connect(format!("http://{address}/sse"))
        .await
        .unwrap();
    let mirror = client.model::<Lamp>().await.unwrap();
    assert_eq!(
        mirror.edit(|lamp| lamp.level = 1).await,
        Err(EditError::ReceiveOnly)
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_or_refuses_says_so() {
    let (address, _lamp) = over_sockets().await;
    let refused = Client::connect(format!("ws://{address}/nowhere"))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ClientError::Refused { status: 404, .. }),
        "{refused}"
    );
    let refused = Client::connect(format!("http://{address}/nowhere"))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ClientError::Refused { status: 404, .. }),
        "{refused}"
    );

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let error = Client::connect(format!("ws://{nobody}/ws"))
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");

    for (url, said) in [
        ("localhost", "it has to begin with `ws://` or `wss://`"),
        (
            "ftp://localhost",
            "it has to begin with `ws://` or `wss://`",
        ),
        (
            "ws:///ws?token=secret",
            "`ws:///ws` is no URL to connect to",
        ),
    ] {
        let error = Client::connect(url).await.unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("secret"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_type_that_does_not_fit_is_told_with_the_place() {
    #[derive(Synced, Debug)]
    #[synced(rename = "Lamp")]
    struct Other {
        name: i64,
    }

    let (app, ..) = application();
    let client = Network::new(app).client().connect().await.unwrap();
    let error = client.model::<Other>().await.unwrap_err();
    let RemoteError::Type(error) = error else {
        panic!("{error}")
    };
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().starts_with("name: "), "{source}");
}

#[tokio::test(start_paused = true)]
async fn a_type_with_fewer_fields_follows_all_the_same() {
    #[derive(Synced, Debug)]
    #[synced(rename = "Lamp")]
    struct Less {
        level: i64,
    }

    let (app, _, lamp) = application();
    let client = Network::new(app).client().connect().await.unwrap();
    let mut less = client.model::<Less>().await.unwrap();
    {
        let mut lamp = lamp.write();
        lamp.name = "floor".into();
        lamp.level = 11;
    }
    less.changed().await.unwrap();
    assert_eq!(less.read().level, 11);
}

#[tokio::test(start_paused = true)]
async fn edits_made_offline_are_sent_once_when_the_server_is_back() {
    let (app, _, lamp) = application();
    let network = Network::new(app.clone());
    let client = network.client().connect().await.unwrap();
    let mirror = client.model::<Lamp>().await.unwrap();
    let mut states = client.states();
    network.serve(None);
    network.cut();
    states
        .wait_for(|state| matches!(state, State::Offline { .. }))
        .await
        .unwrap();

    let edit = tokio::spawn({
        let mirror = mirror.clone();
        async move { mirror.edit(|lamp| lamp.tags.push("c".into())).await }
    });
    lamp.write().name = "floor".into();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!edit.is_finished());
    network.serve(Some(app));
    assert_eq!(edit.await.unwrap(), Ok(2));
    assert_eq!(lamp.read().tags, ["a", "b", "c"]);
    assert_eq!(*mirror.read(), *lamp.read());
}

#[tokio::test(start_paused = true)]
async fn edits_made_offline_fail_if_they_are_not_to_wait() {
    let (app, ..) = application();
    let network = Network::new(app);
    let client = network
        .client()
        .offline(Offline::Refuse)
        .connect()
        .await
        .unwrap();
    let mirror = client.model::<Lamp>().await.unwrap();
    network.serve(None);
    network.cut();
    client
        .states()
        .wait_for(|state| matches!(state, State::Offline { .. }))
        .await
        .unwrap();
    assert_eq!(
        mirror.edit(|lamp| lamp.level = 1).await,
        Err(EditError::Offline)
    );
}

#[tokio::test(start_paused = true)]
async fn with_its_own_authority_a_client_brings_its_state_back() {
    for (authority, rev, level) in [(Authority::Server, 1, 70), (Authority::Client, 2, 10)] {
        let (app, _, lamp) = application();
        let network = Network::new(app.clone());
        let client = network
            .client()
            .authority(authority)
            .connect()
            .await
            .unwrap();
        let mut mirror = client.model::<Lamp>().await.unwrap();
        network.serve(None);
        network.cut();
        client
            .states()
            .wait_for(|state| matches!(state, State::Offline { .. }))
            .await
            .unwrap();
        lamp.write().level = 70;
        network.serve(Some(app));
        while mirror.revision() < rev {
            mirror.changed().await.unwrap();
        }
        assert_eq!(mirror.read().level, level);
        assert_eq!(lamp.read().level, level);
    }
}

#[tokio::test(start_paused = true)]
async fn the_connection_ends_with_the_last_handle_and_not_before() {
    let (app, session, _) = application();
    let server = Server::new(session);
    drop(app);
    let app = Router::new().route("/ws", ws(server.clone()));
    let mut connections = server.connections();
    let client = Network::new(app).client().connect().await.unwrap();
    let mirror = client.model::<Lamp>().await.unwrap();
    drop(client);
    assert_eq!(mirror.edit(|lamp| lamp.level = 11).await, Ok(1));
    drop(mirror);
    connections.wait_for(|open| *open == 0).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_closed_client_tells_everybody_who_waits() {
    let (app, ..) = application();
    let client = Network::new(app).client().connect().await.unwrap();
    let mut mirror = client.model::<Lamp>().await.unwrap();
    let waiting = tokio::spawn(async move {
        let changed = mirror.changed().await;
        (changed, mirror.edit(|lamp| lamp.level = 1).await)
    });
    tokio::task::yield_now().await;
    client.close().await;
    let (changed, edited) = waiting.await.unwrap();
    assert_eq!(changed, Err(RemoteError::Closed(ClientError::Stopped)));
    assert_eq!(edited, Err(EditError::Closed));
    assert!(client.model_by_id::<Value>(7).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_is_left() {
    let (app, ..) = application();
    let network = Network::new(app);
    let client = network.client().connect().await.unwrap();
    client.model::<Lamp>().await.unwrap();
    // Far more than the client's patience: its questions are answered.
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!((client.state(), network.opened()), (State::Online, 1));
}
