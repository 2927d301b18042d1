//! A client as the published ones are: it knows revisions and no epochs, takes any patch that is newer than what it has,
//! and sends an edit once. Revisions, patches and messages are those of the crate on the registry.

use std::collections::BTreeMap;

use published::{ClientEffect, ClientState, Message, Value};
use serde_json::json;

use super::stage::{Answer, Stage};

#[derive(Default)]
pub(super) struct Follower {
    state: ClientState,
    values: BTreeMap<u64, Value>,
}

impl Follower {
    /// What it says that it has when it connects again.
    pub(super) fn since(&self) -> String {
        if self.values.is_empty() {
            return String::new();
        }
        let revisions = self.state.revisions_json().expect("revisions are JSON");
        let revisions = revisions.replace('{', "%7B").replace('}', "%7D");
        format!("&since={}", revisions.replace('"', "%22"))
    }

    /// Takes in a frame.
    ///
    /// # Panics
    /// It cannot go on: a frame comes whole or not at all, so the server is to blame.
    pub(super) fn receive(&mut self, frame: &[u8], codec: &str, stage: &Stage) {
        let message = Message::decode(frame, codec).expect("it can be read");
        let effect = self
            .state
            .prepare(&message)
            .expect("it comes after a snapshot");
        match message {
            Message::Snapshot { id, value, .. } => {
                self.values.insert(id, value);
            }
            Message::Patch { id, patch, .. } if matches!(effect, ClientEffect::Patch { .. }) => {
                let value = self
                    .values
                    .get_mut(&id)
                    .expect("there is a value with a revision");
                published::apply(value, &patch)
                    .unwrap_or_else(|error| panic!("{error}: {patch:?}"));
            }
            _ => {}
        }
        self.state.commit(&effect);
        match effect {
            ClientEffect::Patch { proposal, .. } | ClientEffect::StalePatch { proposal, .. } => {
                if let Some(name) = proposal {
                    stage.answered(name, Answer::Made);
                }
            }
            ClientEffect::Acknowledgement { proposal, .. } => {
                stage.answered(proposal, Answer::Made);
            }
            ClientEffect::Rejection {
                proposal, error, ..
            } => stage.answered(proposal.expect("edits have names"), Answer::Rejected(error)),
            _ => {}
        }
    }

    /// An edit to be sent, if there is something to be edited.
    pub(super) fn edit(&self, stage: &Stage) -> Option<String> {
        if self.values.is_empty() {
            return None;
        }
        let (name, id, level) = stage.next_edit();
        let edit = json!({
            "t": "patch",
            "id": id,
            "proposal": name,
            "patch": { "rev": 0, "ops": [
                { "Insert": { "path": [{ "Key": "made" }], "index": 0, "value": { "Str": name } } },
                { "Set": { "path": [{ "Key": "level" }], "value": { "Int": level } } },
            ] },
        });
        Some(edit.to_string())
    }

    /// The revision and the value of a model.
    pub(super) fn shows(&self, id: u64) -> Option<(u64, serde_json::Value)> {
        let revisions = self.state.revisions_json().expect("revisions are JSON");
        let revisions: BTreeMap<u64, u64> =
            serde_json::from_str(&revisions).expect("revisions are JSON");
        let value = serde_json::to_value(self.values.get(&id)?).expect("values are JSON");
        Some((*revisions.get(&id)?, value))
    }
}
