//! Steps from one state of a model to the next.

use serde::{Deserialize, Serialize};

use crate::path::Path;
use crate::value::Value;

/// One change at one place. `docs/protocol.md`, "Patches", tells when each fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Puts `value` at `path`, replacing what is there. A map gains the entry if it has none of that key.
    Set {
        /// The place that gets the value.
        path: Path,
        /// What it gets.
        value: Value,
    },
    /// Drops an entry of a map. One that is not there is fine.
    Remove {
        /// The entry; its last segment is a key.
        path: Path,
    },
    /// Puts `value` into a list, before the item now at `index`; at the end if `index` is the length.
    Insert {
        /// The list.
        path: Path,
        /// Where the new item will be.
        index: usize,
        /// The new item.
        value: Value,
    },
    /// Takes the item at `index` out of a list.
    RemoveAt {
        /// The list.
        path: Path,
        /// The item that goes.
        index: usize,
    },
    /// Takes the item at `from` out of a list and puts it in again at `to`.
    Move {
        /// The list.
        path: Path,
        /// Where the item is.
        from: usize,
        /// Where it is afterwards.
        to: usize,
    },
    /// Rearranges a list: the new item `i` is the old item `order[i]`.
    Reorder {
        /// The list.
        path: Path,
        /// A permutation of `0..len`.
        order: Vec<usize>,
    },
    /// Puts a text in the place of a part of a text. Only between peers that agreed on it: published ones have no such
    /// op.
    ///
    /// Positions count characters (Unicode scalar values), so that none can lie within one, whatever the encoding.
    Splice {
        /// The text.
        path: Path,
        /// Where the part begins.
        at: usize,
        /// The length of the part.
        delete: usize,
        /// What takes its place.
        insert: String,
    },
}

impl Op {
    /// The path the op names: of the place for `Set` and `Remove`, of the list for the others.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Set { path, .. }
            | Self::Remove { path }
            | Self::Insert { path, .. }
            | Self::RemoveAt { path, .. }
            | Self::Move { path, .. }
            | Self::Reorder { path, .. }
            | Self::Splice { path, .. } => path,
        }
    }

    /// The value the op brings, if it brings one.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Set { value, .. } | Self::Insert { value, .. } => Some(value),
            _ => None,
        }
    }
}

/// Ops that together lead to revision `rev`. Each op applies to the result of the one before.
///
/// ```
/// use transports::{Op, Patch, Path, Value};
///
/// let mut value = Value::from_iter([("on", Value::from(false))]);
/// let patch = Patch {
///     rev: 1,
///     ops: vec![Op::Set { path: Path::from_iter(["on".into()]), value: Value::from(true) }],
/// };
/// patch.apply(&mut value)?;
/// assert_eq!(value.get("on"), Some(&Value::Bool(true)));
/// # Ok::<(), transports::PatchError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Patch {
    /// The revision that is reached. Means nothing in a proposal, where clients send 0.
    pub rev: u64,
    /// The changes, in order.
    pub ops: Vec<Op>,
}
