//! Edits on their way to the server, and their answers.

use std::collections::HashMap;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use transports::Op;
use transports::message::ModelId;
use transports::mirror::MirrorEvent;

use super::error::EditError;

/// An edit that waits to be sent.
pub(crate) struct Command {
    pub(super) id: ModelId,
    pub(super) ops: Vec<Op>,
    pub(super) answer: oneshot::Sender<Result<u64, EditError>>,
}

/// Hands an edit to the task and waits for the answer.
pub(super) async fn propose(
    commands: &mpsc::Sender<Command>,
    id: ModelId,
    ops: Vec<Op>,
) -> Result<u64, EditError> {
    let (answer, answered) = oneshot::channel();
    commands
        .try_send(Command { id, ops, answer })
        .map_err(|error| match error {
            TrySendError::Full(_) => EditError::QueueFull,
            TrySendError::Closed(_) => EditError::Closed,
        })?;
    // The task answers each edit that it sent, so silence is the end of the runtime or of the client.
    answered.await.unwrap_or(Err(EditError::Closed))
}

/// The edits that were sent on the present connection and not answered yet, by the names of their proposals.
#[derive(Default)]
pub(super) struct Pending(HashMap<String, oneshot::Sender<Result<u64, EditError>>>);

impl Pending {
    pub(super) fn sent(&mut self, name: String, answer: oneshot::Sender<Result<u64, EditError>>) {
        self.0.insert(name, answer);
    }

    /// Looks for answers among what a frame brought.
    pub(super) fn settle(&mut self, events: Vec<MirrorEvent>) {
        for event in events {
            match event {
                MirrorEvent::Acknowledged { rev, proposal, .. } => self.answer(&proposal, Ok(rev)),
                MirrorEvent::Rejected {
                    rev,
                    error: reason,
                    proposal: Some(name),
                    ..
                } => {
                    self.answer(&name, Err(EditError::Rejected { reason, rev }));
                }
                MirrorEvent::Abandoned { proposals } => {
                    for name in proposals {
                        self.answer(&name, Err(EditError::Unknown));
                    }
                }
                _ => {}
            }
        }
    }

    fn answer(&mut self, name: &str, answer: Result<u64, EditError>) {
        if let Some(sender) = self.0.remove(name) {
            // Whoever asked may have stopped waiting.
            let _ = sender.send(answer);
        }
    }

    /// The connection is gone, and with it the answers.
    pub(super) fn lost(&mut self) {
        for (_, sender) in self.0.drain() {
            let _ = sender.send(Err(EditError::Unknown));
        }
    }
}
