//! What everybody sees: outputs, comm messages, busy and idle.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use zeromq::{PubSocket, SocketSend};

use super::wire::{Outgoing, Signer};

/// Texts of one stream that come within this time go out together: 20 ms. A Jupyter server drops what comes too often.
const TOGETHER: Duration = Duration::from_millis(20);

/// The way out. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Iopub(mpsc::UnboundedSender<Outgoing>);

impl Iopub {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Outgoing>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    pub(super) fn send(&self, message: Outgoing) {
        // After a shutdown there is nobody to hear it.
        let _ = self.0.send(message);
    }

    pub(super) fn status(&self, state: &str, parent: &Json) {
        let content = json!({ "execution_state": state });
        self.send(Outgoing::new("status", parent, content));
    }

    pub(super) fn stream(&self, name: &str, text: &str, parent: &Json) {
        let content = json!({ "name": name, "text": text });
        self.send(Outgoing::new("stream", parent, content));
    }
}

/// Sends all there is until every [`Iopub`] is gone.
pub(super) async fn publish(
    mut queue: mpsc::UnboundedReceiver<Outgoing>,
    mut socket: PubSocket,
    session: String,
    signer: Signer,
) {
    let mut held: Option<(Outgoing, Instant)> = None;
    loop {
        let next = match &held {
            None => queue.recv().await,
            Some((_, until)) => tokio::select! {
                next = queue.recv() => next,
                () = sleep_until(*until) => {
                    let (text, _) = held.take().expect("it was held");
                    send(&mut socket, text, &session, &signer).await;
                    continue;
                }
            },
        };
        if let (Some(next), Some((text, _))) = (&next, &mut held)
            && joined(text, next)
        {
            continue;
        }
        if let Some((text, _)) = held.take() {
            send(&mut socket, text, &session, &signer).await;
        }
        match next {
            None => return,
            Some(text) if text.kind == "stream" => held = Some((text, Instant::now() + TOGETHER)),
            Some(other) => send(&mut socket, other, &session, &signer).await,
        }
    }
}

/// Adds a text to the one that is held, if they are of the same stream and cell.
fn joined(held: &mut Outgoing, next: &Outgoing) -> bool {
    let fits = next.kind == "stream"
        && next.parent == held.parent
        && next.content.get("name") == held.content.get("name");
    if fits
        && let Some(Json::String(text)) = held.content.get_mut("text")
        && let Some(Json::String(more)) = next.content.get("text")
    {
        text.push_str(more);
    }
    fits
}

async fn send(socket: &mut PubSocket, message: Outgoing, session: &str, signer: &Signer) {
    let topic = Bytes::from_static(message.kind.as_bytes());
    let frames = message.frames(vec![topic], session, signer);
    if let Err(error) = socket.send(frames).await {
        tracing::warn!(%error, "an output is lost");
    }
}
