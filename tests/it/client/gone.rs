//! Models that go while a client looks at them.

use axum::{Router, serve};
use futures_util::StreamExt;
use tokio::net::TcpListener;
use transports::hub::{Mode, Shared, Sharing, Tenant};
use transports::server::Peer;
use transports::{Hub, Session, Value};
use transports_adapters::client::{Change, Client, EditError, RemoteError};
use transports_adapters::{autosync, sse, ws};

fn board(hub: &Hub, text: &str) -> Shared<Value> {
    let board = hub.share_with(Value::from(text), Sharing::named("Board"));
    board.unwrap()
}

/// A hub in which everybody is Ann, and its address.
async fn hub() -> (Hub, String) {
    let hub = Hub::new(|_: &Peer| Ok(Tenant::new("ann")));
    tokio::spawn(autosync(hub.clone()));
    let app = Router::new()
        .route("/ws", ws(hub.clone()))
        .route("/sse", sse(hub.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { serve(listener, app).await });
    (hub, address.to_string())
}

#[tokio::test]
async fn a_model_that_goes_is_told_of_and_may_come_again() {
    let (hub, address) = hub().await;
    let board = board(&hub, "first");
    for url in [
        format!("ws://{address}/ws"),
        format!("http://{address}/sse"),
    ] {
        let id = board.id();
        hub.subscribe("ann", id, Mode::Write);
        let client = Client::connect(url.clone()).await.unwrap();
        let mut remote = client.model_by_id::<Value>(id).await.unwrap();
        let mut changes = client.changes();
        let seen = remote.read().clone();
        hub.unsubscribe("ann", id);
        assert_eq!(
            remote.changed().await,
            Err(RemoteError::Gone { id }),
            "{url}"
        );
        assert!(remote.is_gone() && *remote.read() == seen);
        let rev = remote.revision();
        assert_eq!(changes.next().await, Some(Change::Gone { id, rev }));
        assert_eq!(client.models(), []);
        if url.starts_with("ws") {
            let edit = remote.edit(|value| *value = "mine".into()).await;
            assert_eq!(edit, Err(EditError::NoModel { id }));
        }
        *board.write() = Value::from(url.as_str());
        hub.subscribe("ann", id, Mode::Read);
        assert_eq!(remote.changed().await, Ok(()));
        assert!(!remote.is_gone());
        assert_eq!(*remote.read(), Value::from(url.as_str()));
        client.close().await;
    }
}

#[tokio::test]
async fn a_relay_passes_it_on() {
    let (hub, address) = hub().await;
    let (stays, goes) = (board(&hub, "stays"), board(&hub, "goes"));
    for board in [&stays, &goes] {
        hub.subscribe("ann", board.id(), Mode::Read);
    }
    let upstream = Client::connect(format!("ws://{address}/ws")).await.unwrap();
    let session = Session::new();
    let remote = upstream.model_by_id::<Value>(goes.id()).await.unwrap();
    let relay = remote.relay(&session).unwrap();
    assert_eq!(session.types().len(), 1);
    hub.unshare(goes.id());
    let gone = RemoteError::Gone { id: goes.id() };
    assert_eq!(relay.closed().await, gone);
    assert_eq!(session.types().len(), 0, "passed on");
    let ids: Vec<_> = upstream.models().iter().map(|model| model.id).collect();
    assert_eq!(ids, [stays.id()]);
}
