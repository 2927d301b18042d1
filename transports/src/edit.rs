//! Ops on their way into a model, and back out again when one of them is refused.

mod budget;

use std::any::Any;
use std::fmt;

pub(crate) use self::budget::{Budget, moves};

use crate::patch::{Op, Patch};
use crate::path::{Path, Segment};
use crate::synced::Synced;
use crate::value::Value;

/// Who proposes a change. It decides which rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The side that owns the model, as seen by a mirror: its word is final.
    Host,
    /// A peer that asks: fields that are `read_only` stay as they are.
    Client,
}

/// One op without its path: what to do at the place it names.
///
/// [`Synced::edit`] takes one and returns the edit that undoes it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Edit {
    /// Replaces what is here, or adds the entry.
    Set(Payload),
    /// Drops the entry named by the last segment of the path.
    Remove,
    /// Puts an item into the list here.
    Insert(usize, Payload),
    /// Takes an item out of the list here.
    RemoveAt(usize),
    /// Moves an item of the list here.
    Move(usize, usize),
    /// Rearranges the list here: the new item `i` is the old item `order[i]`.
    Reorder(Vec<usize>),
    /// Puts another text in the place of so many characters of the text here, from a position on.
    Splice(usize, usize, String),
    /// Changes nothing: the answer of an edit that changed nothing. There is no need to make it.
    Nothing,
}

/// The value that an [`Edit`] brings: from the wire, or one that an earlier edit took out of this very model.
#[derive(Debug)]
pub struct Payload(Source);

enum Source {
    Wire(Value),
    Taken(Box<dyn Any + Send>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wire(value) => value.fmt(f),
            Self::Taken(_) => f.write_str("(taken)"),
        }
    }
}

impl Payload {
    /// Wraps a value that came from a peer.
    #[must_use]
    pub fn wire(value: Value) -> Self {
        Self(Source::Wire(value))
    }

    /// Keeps what an edit takes out of a model, so that undoing can put the very same thing back.
    #[must_use]
    pub fn taken<T: Send + 'static>(value: T) -> Self {
        Self(Source::Taken(Box::new(value)))
    }

    /// What an earlier edit took out, if it is a `T`; for types that undo in their own way.
    ///
    /// # Errors
    /// The payload, unchanged, if it is something else.
    pub fn into_taken<T: 'static>(self) -> Result<T, Self> {
        match self.0 {
            Source::Taken(any) => match any.downcast::<T>() {
                Ok(value) => Ok(*value),
                Err(any) => Err(Self(Source::Taken(any))),
            },
            wire @ Source::Wire(_) => Err(Self(wire)),
        }
    }

    /// The value as a `T`, ready to take the place of `old` (`None`: a place that is new).
    ///
    /// # Errors
    /// The value from the wire is no `T`, or `author` may not bring it.
    ///
    /// # Panics
    /// If the payload was taken out of a place of another type: an [`Edit`] that undoes belongs to the model and path
    /// it came from.
    pub fn take<T: Synced>(self, old: Option<&mut T>, author: Author) -> Result<T, EditError> {
        match self.0 {
            Source::Wire(value) => {
                let mut new = T::read(value)?;
                if author == Author::Client {
                    new.admit(old.as_deref())?;
                }
                if let Some(old) = old {
                    new.inherit(old);
                }
                Ok(new)
            }
            Source::Taken(any) => {
                let mut new = *any
                    .downcast::<T>()
                    .expect("an undo step goes back to the place it was taken from");
                // What is never on the wire was moved along when the value was replaced.
                if let Some(old) = old {
                    new.inherit(old);
                }
                Ok(new)
            }
        }
    }
}

/// Why a value or an edit does not fit, and where below the place it was meant for.
#[derive(Clone, Debug, PartialEq)]
pub struct EditError {
    path: Path,
    reason: Reason,
}

impl EditError {
    /// An error at this very place.
    #[must_use]
    pub const fn new(reason: Reason) -> Self {
        Self {
            path: Path::root(),
            reason,
        }
    }

    /// A value of kind `expected` was wanted.
    #[must_use]
    pub fn expected(expected: impl Into<String>, found: &Value) -> Self {
        Self::new(Reason::Type {
            expected: expected.into(),
            found: shown(found),
        })
    }

    /// Whether the path names a field that is not there with its first step.
    pub(crate) fn is_unknown_field(&self) -> bool {
        matches!(self.reason, Reason::UnknownField { .. }) && self.path.len() == 1
    }

    /// The same error seen from one level further up.
    #[must_use]
    pub fn below(mut self, segment: impl Into<Segment>) -> Self {
        self.path = self.path.below(segment.into());
        self
    }
}

/// A short text for a value in a message: scalars whole, the rest by kind.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 40;
    match value {
        Value::Null => "Null".to_owned(),
        Value::Bool(value) => format!("the Bool {value}"),
        Value::Int(value) => format!("the Int {value}"),
        Value::Float(value) => format!("the Float {value:?}"),
        Value::Str(text) if text.chars().count() <= LONGEST => format!("the Str {text:?}"),
        Value::Str(text) => {
            let start: String = text.chars().take(LONGEST).collect();
            format!("the Str {start:?}...")
        }
        Value::List(_) => "a List".to_owned(),
        Value::Map(_) => "a Map".to_owned(),
        Value::Submodel(_) => "a Submodel".to_owned(),
    }
}

/// What is wrong with an op or a value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The path leads through an entry that is not there.
    #[error("there is no entry of this name")]
    MissingKey,
    /// A struct has no field of this name.
    #[error("`{type_name}` has no field of this name")]
    UnknownField {
        /// The struct.
        type_name: &'static str,
    },
    /// A value lacks a field that has no default.
    #[error("`{type_name}` needs the field `{field}`")]
    MissingField {
        /// The struct.
        type_name: &'static str,
        /// The field's name on the wire.
        field: &'static str,
    },
    /// A key was given for something that is no map.
    #[error("a key leads into a map, and this is none")]
    NotAMap,
    /// An index or a list op was given for something that is no list.
    #[error("this is no list")]
    NotAList,
    /// A part of a text was to be replaced in something that is none.
    #[error("this is no text")]
    NotAText,
    /// The text is too short.
    #[error("the characters {at}..{end} are out of bounds, the text has {len}")]
    TextOutOfBounds {
        /// Where the part begins.
        at: usize,
        /// Where it ends.
        end: usize,
        /// The characters there are.
        len: usize,
    },
    /// The list is too short.
    #[error("the index {index} is out of bounds, the length is {len}")]
    IndexOutOfBounds {
        /// What was asked for.
        index: usize,
        /// What there is.
        len: usize,
    },
    /// The whole model cannot be removed.
    #[error("the whole model cannot be removed")]
    EmptyPath,
    /// Only entries of a map can be removed by `Remove`.
    #[error("`Remove` takes entries out of maps; `RemoveAt` takes items out of lists")]
    RemoveIndex,
    /// A field of a struct has nothing to fall back to.
    #[error("this field cannot be removed: it has no default")]
    NotRemovable,
    /// The order given is not a permutation of the list's positions.
    #[error("the order is not a permutation of the {len} positions")]
    BadOrder {
        /// The length of the list.
        len: usize,
    },
    /// The number of items is part of the type.
    #[error("the length is fixed at {len}")]
    FixedLength {
        /// The only length possible.
        len: usize,
    },
    /// A value of another kind was wanted.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What the place takes.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A client may not change this.
    #[error("this is read-only for clients")]
    ReadOnly,
    /// The ops of the edit move more items of lists than one edit may.
    #[error("the edit moves more than {limit} items of lists")]
    TooManyMoved {
        /// The items that may be moved.
        limit: usize,
    },
    /// A rule of the model does not hold.
    #[error("{0}")]
    Rule(String),
}

/// Why a patch was refused, where, and by which of its ops. Nothing of the patch was kept.
///
/// Shown as `path: reason`, for instance ``brightness: 101 is not in 0..=100``.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct PatchError {
    /// Position of the op within its patch; `None` when a rule refused the result of all of them.
    pub op: Option<usize>,
    /// The place that is to blame.
    pub path: Path,
    /// What is wrong there.
    pub reason: Reason,
}

impl PatchError {
    fn at_op(op: usize, error: EditError) -> Self {
        Self {
            op: Some(op),
            ..Self::from(error)
        }
    }
}

impl From<EditError> for PatchError {
    fn from(error: EditError) -> Self {
        Self {
            op: None,
            path: error.path,
            reason: error.reason,
        }
    }
}

/// What brings a model back to where it was before an edit.
#[derive(Debug, Default)]
pub struct Undo(Vec<(Path, Edit)>);

impl Undo {
    /// Applies ops to `model` until one cannot be, and notes what takes back those that were.
    pub(crate) fn make<T: Synced>(
        &mut self,
        model: &mut T,
        ops: impl IntoIterator<Item = Op>,
        author: Author,
    ) -> Result<(), PatchError> {
        for (position, op) in ops.into_iter().enumerate() {
            let (path, edit) = match op {
                Op::Set { path, value } => (path, Edit::Set(Payload::wire(value))),
                Op::Remove { path } => (path, Edit::Remove),
                Op::Insert { path, index, value } => {
                    (path, Edit::Insert(index, Payload::wire(value)))
                }
                Op::RemoveAt { path, index } => (path, Edit::RemoveAt(index)),
                Op::Move { path, from, to } => (path, Edit::Move(from, to)),
                Op::Reorder { path, order } => (path, Edit::Reorder(order)),
                Op::Splice {
                    path,
                    at,
                    delete,
                    insert,
                } => (path, Edit::Splice(at, delete, insert)),
            };
            match model.edit(&path, edit, author) {
                // The path may lead nowhere, as that of an entry does that was to go and was not there.
                Ok(Edit::Nothing) => {}
                Ok(inverse) => self.0.push((path, inverse)),
                Err(error) => return Err(PatchError::at_op(position, error)),
            }
        }
        Ok(())
    }

    /// Takes the edit back, last op first.
    ///
    /// # Panics
    /// If `model` is not in the state in which the edit left it.
    pub fn revert<T: Synced>(self, model: &mut T) {
        for (path, edit) in self.0.into_iter().rev() {
            model
                .edit(&path, edit, Author::Host)
                .expect("an edit that was made can be taken back");
        }
    }
}

/// Applies all ops to `model`, or none.
///
/// # Errors
/// The first op that cannot be applied; everything before it has been taken back.
pub fn apply<T: Synced>(
    model: &mut T,
    ops: impl IntoIterator<Item = Op>,
    author: Author,
) -> Result<Undo, PatchError> {
    let mut undo = Undo::default();
    match undo.make(model, ops, author) {
        Ok(()) => Ok(undo),
        Err(error) => {
            undo.revert(model);
            Err(error)
        }
    }
}

impl Patch {
    /// Applies all ops to `value`, or none.
    ///
    /// # Errors
    /// The first op that cannot be applied; `value` is then as it was before the call.
    pub fn apply(&self, value: &mut Value) -> Result<(), PatchError> {
        apply(value, self.ops.iter().cloned(), Author::Host).map(drop)
    }
}
