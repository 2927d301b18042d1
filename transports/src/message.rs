//! What a server and its clients say to each other. `docs/protocol.md` shows each message as JSON.

mod read;
mod write;

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub(crate) use self::read::{Kind, Look};
use crate::patch::Patch;
use crate::value::Value;

/// Plain JSON, as it stands in awareness states and CRDT operations: not the tagged form of [`Value`].
pub type Json = serde_json::Value;

/// The id of a model, unique within a session.
pub type ModelId = u64;

/// One life of a session. Revisions of different epochs cannot be compared.
///
/// Random when a session starts, and kept when its state is restored. Written as 16 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Epoch(u64);

impl Epoch {
    /// A new one that no other session has.
    ///
    /// # Panics
    /// If the operating system has no random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self(getrandom::u64().expect("the operating system has random numbers"))
    }

    /// The same where there is no mark, another one for each mark.
    pub(crate) const fn marked(self, mark: u64) -> Self {
        Self(self.0 ^ mark)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Epoch {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl TryFrom<String> for Epoch {
    type Error = ParseIntError;

    fn try_from(text: String) -> Result<Self, ParseIntError> {
        text.parse()
    }
}

impl From<Epoch> for String {
    fn from(epoch: Epoch) -> Self {
        epoch.to_string()
    }
}

/// One message of the protocol.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// A model as a whole: the opening, a resume from too far back, or the state that a refused edit goes back to.
    Snapshot {
        /// The model.
        id: ModelId,
        /// The name of its type.
        type_name: String,
        /// Its revision.
        rev: u64,
        /// What it holds.
        value: Value,
        /// The server's epoch; only sent to a connection that gave one.
        epoch: Option<Epoch>,
    },
    /// From a server the next step of a model; from a client a proposal, whose revision means nothing.
    Patch {
        /// The model.
        id: ModelId,
        /// The changes.
        patch: Patch,
        /// The name that the client gave to the edit; a server sends it to that client only.
        proposal: Option<String>,
        /// The revision that the ops lead on from, where it is not the one before: several patches in one.
        base: Option<u64>,
    },
    /// A named proposal was taken and changed nothing.
    Ack {
        /// The model.
        id: ModelId,
        /// Its revision.
        rev: u64,
        /// The name of the edit.
        proposal: String,
    },
    /// An edit was refused.
    Reject {
        /// The model.
        id: ModelId,
        /// Its revision; 0 if there is no such model.
        rev: u64,
        /// Why.
        error: String,
        /// The name of the edit, if it had one.
        proposal: Option<String>,
        /// The operations that were refused, for CRDT models.
        crdt_ops: Option<Vec<Json>>,
    },
    /// What models of a type are made of, before the first of them; only for a connection that asked for it. It counts
    /// until another of the same name comes.
    Schema {
        /// The name of the type.
        type_name: String,
        /// As `docs/protocol.md` shows it; [`Bindings::learn`](crate::schema::Bindings::learn) reads it.
        schema: Json,
    },
    /// Several messages in one frame; only for a connection that asked for it.
    Batch {
        /// The messages, in order.
        msgs: Vec<Self>,
    },
    /// A passing state of one peer.
    Awareness {
        /// The shared model it is about.
        id: ModelId,
        /// The state; null: gone.
        state: Json,
        /// Whose it is; set by the server.
        peer: Option<String>,
    },
    /// Opening of a CRDT model.
    CrdtSnapshot {
        /// The model.
        id: ModelId,
        /// The name of its type.
        type_name: String,
        /// Its revision.
        rev: u64,
        /// What it holds.
        value: Value,
        /// The CRDT's schema.
        spec: Json,
        /// The CRDT's state.
        state: Json,
    },
    /// Operations on a CRDT model.
    Crdt {
        /// The model.
        id: ModelId,
        /// The revision reached; 0 from clients.
        rev: u64,
        /// The operations.
        ops: Vec<Json>,
        /// What they did.
        effect: Option<Json>,
        /// The name of the edit, if it had one.
        proposal: Option<String>,
    },
    /// The receiver sees a model no longer: it is not hosted or shared any more, or the right to see it was taken back.
    /// Only for a connection that [asked for it](crate::server::Opening::gone).
    Gone {
        /// The model.
        id: ModelId,
    },
    /// A kind that this version does not know, or no kind at all. Ignored by everybody.
    Unknown,
}
