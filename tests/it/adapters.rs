//! The adapters on real sockets, in the middle of somebody else's application.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use axum::{Router, serve};
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::{self, Message as WsMessage};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use transports::session::Hosted;
use transports::{Codec, Mirror, Mirrors, Server, Session, Synced};
use transports_adapters::{autosync, sse, ws};

#[derive(Synced, Debug)]
struct Counter {
    n: i64,
    label: String,
}

/// State of the application's own routes.
#[derive(Clone)]
struct Greeting(&'static str);

async fn guard(request: Request, next: Next) -> Result<Response, StatusCode> {
    if request
        .uri()
        .query()
        .is_some_and(|query| query.contains("token=wrong"))
    {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert("x-guarded", "yes".parse().unwrap());
    Ok(response)
}

/// An application with routes, state and layers of its own, and a counter in the middle.
async fn application() -> (SocketAddr, Hosted<Counter>) {
    let session = Session::new();
    let counter = session.host(Counter {
        n: 0,
        label: "up".into(),
    });
    let server = Server::new(session);
    tokio::spawn(autosync(server.clone()));
    let live = Router::new()
        .route("/ws", ws(server.clone()))
        .route("/sse", sse(server));
    let app = Router::new()
        .route(
            "/hello",
            get(async |State(greeting): State<Greeting>| greeting.0),
        )
        .nest("/live", live)
        .layer(from_fn(guard))
        .with_state(Greeting("hello"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { serve(listener, app).await });
    (address, counter)
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(address: SocketAddr, query: &str) -> Socket {
    let (socket, response) = connect_async(format!("ws://{address}/live/ws?{query}"))
        .await
        .unwrap();
    assert_eq!(
        response.headers()["x-guarded"],
        "yes",
        "layers see the upgrade"
    );
    socket
}

#[tokio::test]
async fn a_typed_mirror_and_an_edit_over_a_socket_in_each_codec() {
    let (address, counter) = application().await;
    for codec in [Codec::Json, Codec::MessagePack, Codec::Cbor] {
        let mut socket = connect(address, &format!("codec={}", codec.name())).await;
        let mut typed = Mirror::<Counter>::new(counter.id());
        let mut mirrors = Mirrors::new(codec.clone());
        let wanted = counter.read().n + 5;
        let mut proposed = false;
        while typed.get().is_none_or(|counter| counter.n != wanted) {
            let frame = match socket.next().await.unwrap().unwrap() {
                WsMessage::Text(text) => text.into(),
                WsMessage::Binary(bytes) => bytes,
                other => panic!("{other:?}"),
            };
            typed.receive(codec.decode(&frame).unwrap()).unwrap();
            mirrors.receive(&frame).unwrap();
            if !proposed {
                let mut value = mirrors.get(1).unwrap().get().unwrap().clone();
                if let transports::Value::Map(fields) = &mut value {
                    fields.insert("n".into(), wanted.into());
                }
                let bytes = codec
                    .encode(&mirrors.edit(1, value, None).unwrap())
                    .unwrap();
                let message = if codec.is_text() {
                    WsMessage::text(String::from_utf8(bytes.to_vec()).unwrap())
                } else {
                    WsMessage::binary(bytes)
                };
                socket.send(message).await.unwrap();
                proposed = true;
            }
        }
        assert_eq!(counter.read().n, wanted);
        assert_eq!(mirrors.pending().count(), 0);
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_answered_before_the_upgrade() {
    let (address, _counter) = application().await;
    for (query, status, said) in [
        (
            "codec=morse",
            400,
            "unknown codec `morse`: this server speaks json, msgpack, cbor",
        ),
        (
            "since=yesterday",
            400,
            "`since` has to be a JSON object of revisions by id",
        ),
        (
            "epoch=now",
            400,
            "`epoch` has to be the hex digits that the server sent",
        ),
        ("token=wrong", 401, ""),
    ] {
        let error = connect_async(format!("ws://{address}/live/ws?{query}"))
            .await
            .unwrap_err();
        let tungstenite::Error::Http(response) = error else {
            panic!("{error}")
        };
        assert_eq!(response.status(), status, "{query}");
        let body = String::from_utf8(response.into_body().unwrap_or_default()).unwrap();
        assert!(body.starts_with(said), "{query}: {body}");
    }
}

#[tokio::test]
async fn nobody_notices_a_client_that_talks_nonsense() {
    let (address, counter) = application().await;
    let mut honest = connect(address, "").await;
    assert!(honest.next().await.unwrap().unwrap().is_text());
    let mut other = connect(address, "").await;
    assert!(other.next().await.unwrap().unwrap().is_text());
    other.send(WsMessage::text("[1]")).await.unwrap();
    let closed = other.next().await.unwrap().unwrap();
    let WsMessage::Close(Some(frame)) = closed else {
        panic!("{closed:?}")
    };
    assert_eq!(u16::from(frame.code), 1007);
    assert!(
        frame.reason.starts_with("malformed frame: json: "),
        "{}",
        frame.reason
    );

    counter.write().n = 7;
    let patch = honest.next().await.unwrap().unwrap();
    assert!(patch.to_text().unwrap().contains(r#"{"Int":7}"#));
}

#[tokio::test(start_paused = true)]
async fn a_change_after_quiet_goes_out_at_once_and_a_storm_is_gathered() {
    let session = Session::new();
    let counter = session.host(Counter {
        n: 0,
        label: "up".into(),
    });
    let server = Server::new(session);
    tokio::spawn(autosync(server.clone()));
    let mut connection = server
        .open(&transports::server::Opening::default())
        .unwrap();
    assert!(connection.next().await.is_some());

    let started = tokio::time::Instant::now();
    counter.write().n = 1;
    assert!(connection.next().await.is_some());
    assert_eq!(
        started.elapsed().as_millis(),
        0,
        "nothing waits for a tick of a clock"
    );

    // A thousand changes in a row: this task never waits, so they fall into one interval.
    for _ in 0..1000 {
        counter.write().n += 1;
        tokio::task::yield_now().await;
    }
    assert!(connection.next().await.is_some());
    assert_eq!(started.elapsed().as_millis(), 10);
    assert_eq!(counter.revision(), 2);
}
