//! Collections that know what was done to them, so that a sync costs as much as what changed, however large they are.
//!
//! [`List`] stands in for `Vec`, [`Map`] for `BTreeMap`, [`Text`] for `String`. They deref to what they stand in for and
//! have its methods; what changes them is noted on the way.

mod list;
mod map;
mod runs;
mod text;
mod touched;

pub use self::list::{Drain, IterMut, List, ListShadow};
pub use self::map::{Entry, Map, MapKey, MapShadow};
pub use self::text::{Text, TextShadow};

use std::sync::atomic::{AtomicU64, Ordering};

/// Tells collections apart, so that one that was swapped, taken or assigned is noticed: the shadow knows which one the
/// wire has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Instance(u64);

impl Instance {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}
