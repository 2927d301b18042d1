//! WebSocket: both ways, in any codec.

use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use transports::Server;
use transports::server::{Connection, ConnectionError, Opening};
use transports::session::Frame;

/// A route that clients connect to by WebSocket.
///
/// The query of the URL says what a client wants (`docs/protocol.md`, "WebSocket"): `codec`, `since`, `batch`, `epoch`.
/// One that cannot be had is answered with 400 before the upgrade. Text frames carry JSON, binary frames the other
/// codecs.
///
/// A client that sends what is no message is told so in the close frame: code 1007 for a malformed frame, 1009 for one
/// that is too large, 1002 for what is no WebSocket.
///
/// ```
/// use axum::Router;
/// use transports::{Server, Session};
/// use transports_adapters::ws;
///
/// let server = Server::new(Session::new());
/// let app: Router = Router::new().route("/ws", ws(server));
/// # drop(app);
/// ```
pub fn ws<S>(server: Server) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    crate::mount(&server);
    // HTTP/1.1 upgrades by GET, HTTP/2 by CONNECT.
    any(
        move |RawQuery(query): RawQuery, upgrade: WebSocketUpgrade| {
            let server = server.clone();
            async move { accept(&server, query.as_deref().unwrap_or_default(), upgrade) }
        },
    )
}

/// A connection's buffer for reading. Frames of clients are small; the default would be 128 KiB a connection.
const READ_BUFFER: usize = 4 << 10;

fn accept(server: &Server, query: &str, upgrade: WebSocketUpgrade) -> Response {
    let opened = Opening::parse(query).and_then(|opening| server.open(&opening));
    let connection = match opened {
        Ok(connection) => connection,
        Err(error) => return crate::refusal(&error),
    };
    let limit = server.limits().frame_bytes;
    upgrade
        // One byte more than allowed, so that it is the connection that refuses, with a reason.
        .max_message_size(limit + 1)
        .max_frame_size(limit + 1)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .on_upgrade(move |socket| serve(connection, socket))
}

/// Serves one client until either side has enough.
async fn serve(mut connection: Connection, mut socket: WebSocket) {
    loop {
        tokio::select! {
            // What is ready goes out before anything more is read: a client that does not listen is not heard.
            biased;
            frame = connection.next() => match frame {
                Some(frame) => if socket.send(message(frame)).await.is_err() { return },
                None => return close(socket, close_code::ERROR, "a message cannot be encoded").await,
            },
            received = socket.recv() => {
                let frame = match received {
                    Some(Ok(Message::Text(text))) => Frame { bytes: Bytes::from(text), is_text: true },
                    Some(Ok(Message::Binary(bytes))) => Frame { bytes, is_text: false },
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_))) | None => return,
                    Some(Err(error)) => {
                        let reason = error.to_string();
                        return close(socket, code_of(error), &reason).await;
                    }
                };
                if let Err(error) = connection.receive(&frame) {
                    let code = match error {
                        ConnectionError::Malformed(_) => close_code::INVALID,
                        ConnectionError::TooLarge { .. } => close_code::SIZE,
                        _ => close_code::ERROR,
                    };
                    return close(socket, code, &error.to_string()).await;
                }
            }
        }
    }
}

/// The close code for what the WebSocket library refuses by itself.
fn code_of(error: axum::Error) -> u16 {
    match error.into_inner().downcast_ref() {
        Some(tungstenite::Error::Capacity(_)) => close_code::SIZE,
        _ => close_code::PROTOCOL,
    }
}

fn message(frame: Frame) -> Message {
    if !frame.is_text {
        return Message::Binary(frame.bytes);
    }
    match Utf8Bytes::try_from(frame.bytes) {
        Ok(text) => Message::Text(text),
        Err(_) => unreachable!("text frames are UTF-8, which custom codecs promise"),
    }
}

/// A close frame has room for a reason of 123 bytes (RFC 6455, 5.5).
const REASON: usize = 123;

async fn close(mut socket: WebSocket, code: u16, reason: &str) {
    tracing::debug!(code, reason, "closing a connection");
    let mut end = reason.len().min(REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let reason = Utf8Bytes::from(reason.get(..end).unwrap_or_default());
    // The other side may be gone already.
    let _ = socket
        .send(Message::Close(Some(CloseFrame { code, reason })))
        .await;
}
