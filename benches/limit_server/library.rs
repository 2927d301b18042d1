//! Served by axum's own WebSocket and SSE.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use futures_util::stream;
use tokio::net::TcpListener;
use tokio::sync::broadcast::{Receiver, Sender, channel};

use super::{Sink, Source};

/// A patch in the forms that are sent.
#[derive(Clone)]
struct Rendered {
    text: Utf8Bytes,
    event: Event,
}

struct Everybody(Sender<Rendered>);

impl Sink for Everybody {
    fn send(&self, patch: Bytes) {
        // Fails when there is nobody.
        let _ = self.0.send(render(patch));
    }
}

fn render(message: Bytes) -> Rendered {
    let text = Utf8Bytes::try_from(message).expect("JSON is UTF-8");
    Rendered {
        event: Event::default().data(text.as_str()),
        text,
    }
}

/// How many patches a slow client may be behind.
const BEHIND: usize = 1024;

pub(crate) async fn serve(listener: TcpListener, rows: usize, tuned: bool) -> io::Result<()> {
    let source = Source::new(rows, Everybody(channel(BEHIND).0));
    let join = |source: &Arc<Source<Everybody>>| {
        source.join(|everybody, snapshot| (snapshot, everybody.0.subscribe()))
    };
    let (ws_source, sse_source) = (Arc::clone(&source), Arc::clone(&source));
    let ws = move |upgrade: WebSocketUpgrade| async move {
        let upgrade = if tuned {
            upgrade.read_buffer_size(4 << 10).write_buffer_size(0)
        } else {
            upgrade
        };
        upgrade.on_upgrade(move |socket| async move {
            let (snapshot, patches) = join(&ws_source);
            talk(socket, snapshot, patches).await;
        })
    };
    let sse = move || async move {
        let (snapshot, patches) = join(&sse_source);
        let events = stream::unfold((Some(snapshot), patches), |(snapshot, mut patches)| async {
            let event = match snapshot {
                Some(snapshot) => render(snapshot).event,
                None => patches.recv().await.ok()?.event,
            };
            Some((Ok::<_, Infallible>(event), (None, patches)))
        });
        Sse::new(events).keep_alive(KeepAlive::default())
    };
    let app: Router = source
        .control()
        .routes()
        .route("/ws", get(ws))
        .route("/sse", get(sse));
    let listener = listener.tap_io(|socket| {
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, app.into_make_service()).await
}

async fn talk(mut socket: WebSocket, snapshot: Bytes, mut patches: Receiver<Rendered>) {
    let snapshot = Utf8Bytes::try_from(snapshot).expect("JSON is UTF-8");
    if socket.send(Message::Text(snapshot)).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            patch = patches.recv() => {
                let Ok(patch) = patch else { return };
                if socket.send(Message::Text(patch.text)).await.is_err() { return }
            }
            received = socket.recv() => if !matches!(received, Some(Ok(_))) { return },
        }
    }
}
