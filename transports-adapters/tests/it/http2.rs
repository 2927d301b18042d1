//! WebSocket over HTTP/2 (RFC 8441).

use axum::body::Body;
use axum::http::{Method, Request};
use futures_util::{SinkExt, StreamExt};
use hyper::client::conn::http2;
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use transports_adapters::{WebSocket, serve, ws};

use crate::door::{LET_IN, TURNED_AWAY, with_friends};
use crate::support::{counter, edit, wire};

fn connect(origin: &str) -> Request<Body> {
    connect_to("app.example", origin)
}

fn connect_to(host: &str, origin: &str) -> Request<Body> {
    Request::builder()
        .method(Method::CONNECT)
        .uri(format!("https://{host}/ws?codec=json"))
        .header("origin", origin.as_bytes())
        .header("sec-websocket-version", "13")
        .extension(Protocol::from_static("websocket"))
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn two_sockets_and_a_stranger_over_one_connection() {
    let (server, counter) = counter();
    let (dial, wire) = wire();
    let app = axum::Router::new().route("/ws", ws(server.clone()));
    tokio::spawn(async move { serve(wire, app).await });
    let (mut client, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(dial.connect()))
            .await
            .unwrap();
    tokio::spawn(connection);

    let stranger = client
        .send_request(connect("https://evil.example"))
        .await
        .unwrap();
    assert_eq!(stranger.status(), 403);
    assert_eq!(*server.connections().borrow(), 0);

    let mut sockets = Vec::new();
    for _ in 0..2 {
        let response = client
            .send_request(connect("https://app.example"))
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let io = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
        let mut socket = WebSocketStream::from_raw_socket(io, Role::Client, None).await;
        let snapshot = socket.next().await.unwrap().unwrap();
        assert!(snapshot.to_text().unwrap().contains("snapshot"));
        sockets.push(socket);
    }
    sockets[0].send(Message::text(edit(5))).await.unwrap();
    for socket in &mut sockets {
        let patch = socket.next().await.unwrap().unwrap();
        assert!(patch.to_text().unwrap().contains(r#"{"Int":5}"#));
    }
    assert_eq!(counter.read().n, 5);

    sockets[0].send(Message::text("[1]")).await.unwrap();
    let closed = sockets[0].next().await.unwrap().unwrap();
    assert!(matches!(closed, Message::Close(Some(frame)) if u16::from(frame.code) == 1007));
}

#[tokio::test]
async fn origins() {
    let (server, _counter) = counter();
    let (dial, wire) = wire();
    let live = with_friends(WebSocket::new(server.clone()));
    let app = axum::Router::new().route("/ws", live.route());
    tokio::spawn(async move { serve(wire, app).await });
    let (mut client, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(dial.connect()))
            .await
            .unwrap();
    tokio::spawn(connection);

    for (host, origin) in TURNED_AWAY {
        let response = client.send_request(connect_to(host, origin)).await.unwrap();
        assert_eq!(response.status(), 403, "{host} {origin}");
    }
    let mut twice = connect("https://app.example");
    twice
        .headers_mut()
        .append("origin", "https://evil.example".parse().unwrap());
    assert_eq!(client.send_request(twice).await.unwrap().status(), 403);
    // The authority is what counts: no other header is believed.
    for header in ["host", "x-forwarded-host"] {
        let mut request = connect("https://evil.example");
        let headers = request.headers_mut();
        headers.insert(header, "evil.example".parse().unwrap());
        let response = client.send_request(request).await.unwrap();
        assert!(matches!(response.status().as_u16(), 400 | 403), "{header}");
    }
    let stats = server.stats();
    assert_eq!((stats.opened, stats.snapshots_encoded), (0, 0));

    for (host, origin) in LET_IN {
        let response = client.send_request(connect_to(host, origin)).await.unwrap();
        assert_eq!(response.status(), 200, "{host} {origin}");
    }
    let mut program = connect("");
    program.headers_mut().remove("origin");
    assert_eq!(client.send_request(program).await.unwrap().status(), 200);
}
