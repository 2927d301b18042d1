//! Many users on one server.

mod merge;

pub use self::merge::{LastWriteWins, Merge, Stamp, StampedFields, StampedMap, Write};

/// The origin of what the program itself writes.
pub const HOST: &str = "<host>";
