//! How writes of several tenants to one model become one.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::message::Json;
use crate::patch::Op;
use crate::path::Segment;
use crate::value::Value;

/// What decides which of several writes to one place counts: the revision, then the origin as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp(
    /// The revision of the patch: what the writer had seen. Published clients always send 0.
    pub u64,
    /// The origin: the tenant's key, or [`HOST`](super::HOST).
    pub String,
);

/// A write to a shared model, on its way to it.
#[non_exhaustive]
pub struct Write<'a> {
    /// What is to be done.
    pub ops: Vec<Op>,
    /// When, and by whom.
    pub stamp: Stamp,
    current: &'a dyn Fn() -> Value,
}

impl<'a> Write<'a> {
    /// A write to a model of which `current` makes a copy.
    pub fn new(ops: Vec<Op>, stamp: Stamp, current: &'a dyn Fn() -> Value) -> Self {
        Self {
            ops,
            stamp,
            current,
        }
    }

    /// The model as peers know it: a copy of all of it.
    #[must_use]
    pub fn current(&self) -> Value {
        (self.current)()
    }
}

impl fmt::Debug for Write<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write")
            .field("ops", &self.ops)
            .field("stamp", &self.stamp)
            .finish_non_exhaustive()
    }
}

/// Decides what of each write to a shared model counts. Writes come one after the other, in the order in which the hub
/// receives them.
///
/// ```
/// use transports::Op;
/// use transports::hub::{Merge, Write};
///
/// /// What is there stays: only new entries are taken.
/// struct FirstWriteWins;
///
/// impl Merge for FirstWriteWins {
///     fn merge(&mut self, mut write: Write<'_>) -> Result<Vec<Op>, String> {
///         let current = write.current();
///         write.ops.retain(|op| match op {
///             Op::Set { path, .. } => match &path[..] {
///                 [transports::Segment::Key(key)] => current.get(key).is_none(),
///                 _ => false,
///             },
///             _ => false,
///         });
///         Ok(write.ops)
///     }
/// }
/// # let _: Box<dyn Merge> = Box::new(FirstWriteWins);
/// ```
pub trait Merge: Send + 'static {
    /// The ops that are made in place of those of the write: fewer, others, none.
    ///
    /// # Errors
    /// Why the write is refused; the client is told.
    fn merge(&mut self, write: Write<'_>) -> Result<Vec<Op>, String>;

    /// Whether the model took what [`merge`](Self::merge) returned last. If not, the write never was.
    fn settle(&mut self, taken: bool) {
        let _ = taken;
    }

    /// What has to be kept beside the model's value.
    fn state(&self) -> Json {
        Json::Object(serde_json::Map::new())
    }

    /// Takes back what [`state`](Self::state) gave in an earlier life of the program.
    ///
    /// # Errors
    /// What is wrong with it. Nothing has changed then.
    fn restore(&mut self, state: &Json) -> Result<(), String> {
        let _ = state;
        Ok(())
    }
}

/// The last write wins: all ops are made in the order in which they come.
#[derive(Clone, Copy, Debug, Default)]
pub struct LastWriteWins;

impl Merge for LastWriteWins {
    fn merge(&mut self, write: Write<'_>) -> Result<Vec<Op>, String> {
        Ok(write.ops)
    }
}

/// For each entry of a map, or field of a struct, at the top of the model, the write with the greatest [`Stamp`] wins;
/// whatever is below counts as the entry. A write of the whole model, and one to a list at the top, is made as it is.
#[derive(Debug, Default)]
pub struct StampedMap {
    clock: Clock<String>,
}

impl Merge for StampedMap {
    fn merge(&mut self, write: Write<'_>) -> Result<Vec<Op>, String> {
        self.clock.filter(write, |op| match op.path().first() {
            Some(Segment::Key(key)) => Some(key.clone()),
            _ => None,
        })
    }

    fn settle(&mut self, taken: bool) {
        self.clock.settle(taken);
    }

    fn state(&self) -> Json {
        serde_json::json!({ "clock": self.clock.stamps })
    }

    fn restore(&mut self, state: &Json) -> Result<(), String> {
        self.clock.stamps = clock(state)?;
        Ok(())
    }
}

/// For each place in the model, named by its keys, the write with the greatest [`Stamp`] wins. Ops on lists and within
/// them are made in the order in which they come.
#[derive(Debug, Default)]
pub struct StampedFields {
    clock: Clock<Vec<String>>,
}

impl Merge for StampedFields {
    fn merge(&mut self, write: Write<'_>) -> Result<Vec<Op>, String> {
        self.clock.filter(write, |op| match op {
            Op::Set { path, .. } | Op::Remove { path } => path
                .iter()
                .map(|segment| match segment {
                    Segment::Key(key) => Some(key.clone()),
                    Segment::Index(_) => None,
                })
                .collect::<Option<Vec<_>>>(),
            _ => None,
        })
    }

    fn settle(&mut self, taken: bool) {
        self.clock.settle(taken);
    }

    fn state(&self) -> Json {
        let pairs: Vec<_> = self.clock.stamps.iter().collect();
        serde_json::json!({ "clock": pairs })
    }

    fn restore(&mut self, state: &Json) -> Result<(), String> {
        let pairs: Vec<(Vec<String>, Stamp)> = clock(state)?;
        self.clock.stamps = pairs.into_iter().collect();
        Ok(())
    }
}

fn clock<T: DeserializeOwned>(state: &Json) -> Result<T, String> {
    let clock = state.get("clock").ok_or("there is no `clock`")?;
    T::deserialize(clock).map_err(|error| format!("`clock`: {error}"))
}

/// The places with a stamp: 65,536 at most. A write to further ones is refused, as stamps stay when what they were for
/// is removed, and a writer could go on for ever.
const PLACES: usize = 1 << 16;

/// The stamp of the last write to each place.
#[derive(Debug)]
struct Clock<K> {
    stamps: BTreeMap<K, Stamp>,
    /// What the last write changed.
    undo: Vec<(K, Option<Stamp>)>,
}

impl<K> Default for Clock<K> {
    fn default() -> Self {
        Self {
            stamps: BTreeMap::new(),
            undo: Vec::new(),
        }
    }
}

impl<K: Ord + Clone> Clock<K> {
    /// The ops that are not older than what is there. Those without a place pass.
    fn filter(
        &mut self,
        write: Write<'_>,
        place: impl Fn(&Op) -> Option<K>,
    ) -> Result<Vec<Op>, String> {
        let Write { mut ops, stamp, .. } = write;
        self.undo.clear();
        ops.retain(|op| place(op).is_none_or(|place| self.pass(place, &stamp)));
        if self.stamps.len() > PLACES {
            self.settle(false);
            return Err(format!("more than {PLACES} places have been written"));
        }
        Ok(ops)
    }

    fn pass(&mut self, place: K, stamp: &Stamp) -> bool {
        let last = self.stamps.get(&place);
        if last.is_some_and(|last| stamp < last) {
            return false;
        }
        self.undo.push((place.clone(), last.cloned()));
        self.stamps.insert(place, stamp.clone());
        true
    }

    fn settle(&mut self, taken: bool) {
        for (place, before) in self.undo.drain(..).rev() {
            match before {
                _ if taken => {}
                Some(stamp) => drop(self.stamps.insert(place, stamp)),
                None => drop(self.stamps.remove(&place)),
            }
        }
    }
}
