//! The receiving half: models as a peer holds them.

mod mirrors;

pub use self::mirrors::{MirrorEvent, Mirrors};
use crate::changes::Changes;
use crate::codec::CodecError;
use crate::edit::{self, Author, PatchError};
use crate::message::{Epoch, Message, ModelId};
use crate::patch::{Op, Patch};
use crate::path::At;
use crate::synced::Synced;
use crate::value::Value;

/// A copy of one model of a server: typed, or a [`Value`].
///
/// It changes only when the server says so. Without I/O: messages go in, the model comes out. A program that talks to
/// a whole server uses [`Mirrors`].
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use transports::{Codec, Mirror, Synced};
///
/// #[derive(Synced)]
/// struct Counter {
///     tick: u64,
/// }
///
/// let snapshot = br#"{"t":"snapshot","id":1,"type":"Counter","rev":0,"value":{"Map":{"tick":{"Int":0}}}}"#;
/// let patch = br#"{"t":"patch","id":1,"patch":{"rev":1,"ops":[{"Set":{"path":[{"Key":"tick"}],"value":{"Int":7}}}]}}"#;
///
/// let mut counter = Mirror::<Counter>::new(1);
/// counter.receive(Codec::Json.decode(snapshot)?)?;
/// counter.receive(Codec::Json.decode(patch)?)?;
/// assert_eq!(counter.get().map(|counter| counter.tick), Some(7));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mirror<T: Synced = Value> {
    id: ModelId,
    held: Option<Held<T>>,
}

#[derive(Clone, Debug)]
struct Held<T> {
    type_name: String,
    rev: u64,
    /// The server's epoch, if it told one. Then revisions without gaps can be counted on.
    epoch: Option<Epoch>,
    value: T,
}

/// What a message did to a mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The mirror was replaced.
    Replaced,
    /// The mirror went on by a patch.
    Patched,
    /// The patch was older than the mirror and was dropped.
    Stale,
    /// The server shows the model no longer, and the mirror is empty.
    Gone,
    /// The message was not about this model or not for mirrors.
    Ignored,
}

/// Why a message could not be taken in. The mirror is as it was.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// The frame is no message.
    #[error(transparent)]
    Malformed(#[from] CodecError),
    /// There was no snapshot of the model yet.
    #[error("a patch for model {id}, of which there was no snapshot")]
    Unknown {
        /// The model.
        id: ModelId,
    },
    /// The patch does not fit the mirror.
    #[error("model {id} cannot take the patch to revision {rev}")]
    Patch {
        /// The model.
        id: ModelId,
        /// The revision the patch leads to.
        rev: u64,
        /// What is wrong.
        source: PatchError,
    },
    /// The snapshot is of another type than the mirror.
    #[error("model {id} of type `{type_name}` does not fit the mirror's type")]
    Type {
        /// The model.
        id: ModelId,
        /// The type it has at the server.
        type_name: String,
        /// What is wrong.
        source: PatchError,
    },
    /// Revisions were lost on the way: connect again with what the mirror has.
    #[error("model {id} is at revision {have}, and the patch leads on from {base}")]
    Gap {
        /// The model.
        id: ModelId,
        /// The mirror's revision.
        have: u64,
        /// The revision the patch starts from.
        base: u64,
    },
    /// A batch within a batch.
    #[error("a batch within a batch")]
    NestedBatch,
    /// A proposal's name is of the form kept for names made here.
    #[error("names like `{name}` are made here")]
    ReservedName {
        /// The name.
        name: String,
    },
}

impl<T: Synced> Mirror<T> {
    /// A mirror of the model `id`, empty until the first snapshot.
    #[must_use]
    pub const fn new(id: ModelId) -> Self {
        Self { id, held: None }
    }

    /// The model's id.
    #[must_use]
    pub const fn id(&self) -> ModelId {
        self.id
    }

    /// The model, once there was a snapshot.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.held.as_ref().map(|held| &held.value)
    }

    /// The revision reached.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.held.as_ref().map(|held| held.rev)
    }

    /// The name of the model's type at the server.
    #[must_use]
    pub fn type_name(&self) -> Option<&str> {
        self.held.as_ref().map(|held| held.type_name.as_str())
    }

    /// The server's epoch, if it told one.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        self.held.as_ref().and_then(|held| held.epoch)
    }

    /// Takes in a message.
    ///
    /// # Errors
    /// The message does not fit; the mirror is as it was. After any of these the way on is a new connection with
    /// [`revision`](Self::revision) as `since`, or without it for a fresh snapshot.
    pub fn receive(&mut self, message: Message) -> Result<Outcome, MirrorError> {
        match message {
            Message::Snapshot {
                id,
                type_name,
                rev,
                value,
                epoch,
            } if id == self.id => {
                let value = T::read(value).map_err(|error| MirrorError::Type {
                    id,
                    type_name: type_name.clone(),
                    source: error.into(),
                })?;
                self.held = Some(Held {
                    type_name,
                    rev,
                    epoch,
                    value,
                });
                Ok(Outcome::Replaced)
            }
            Message::Patch {
                id, patch, base, ..
            } if id == self.id => self.patch(patch, base),
            Message::Gone { id } if id == self.id => {
                self.held = None;
                Ok(Outcome::Gone)
            }
            _ => Ok(Outcome::Ignored),
        }
    }

    fn patch(&mut self, patch: Patch, base: Option<u64>) -> Result<Outcome, MirrorError> {
        let (id, rev) = (self.id, patch.rev);
        let held = self.held.as_mut().ok_or(MirrorError::Unknown { id })?;
        if rev <= held.rev {
            return Ok(Outcome::Stale);
        }
        let base = base.unwrap_or(rev - 1);
        if held.epoch.is_some() && base != held.rev {
            return Err(MirrorError::Gap {
                id,
                have: held.rev,
                base,
            });
        }
        edit::apply(&mut held.value, patch.ops, Author::Host)
            .map_err(|source| MirrorError::Patch { id, rev, source })?;
        held.rev = rev;
        Ok(Outcome::Patched)
    }
}

/// The ops that turn `old` into `new`: at the deepest places, with items of lists moved rather than rewritten.
/// They can be [proposed](Changes::as_proposal).
///
/// ```
/// use transports::{Op, Path, Value, diff};
///
/// let old = Value::from_iter([Value::from(1), Value::from(2), Value::from(3)]);
/// let new = Value::from_iter([Value::from(3), Value::from(1), Value::from(2)]);
/// assert_eq!(diff(&old, new), [Op::Move { path: Path::root(), from: 2, to: 0 }]);
/// ```
#[must_use]
pub fn diff(old: &Value, mut new: Value) -> Vec<Op> {
    let mut changes = Changes::as_proposal();
    new.diff(&mut old.clone(), &At::root(), &mut changes);
    changes.into_ops()
}
