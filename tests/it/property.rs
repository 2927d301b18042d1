//! Whatever the host and the clients do, in whatever order: in the end all hold the same.

mod collections;
mod entropy;
mod house;
mod published;
mod schedule;
mod tracking;
mod world;

use transports::{Synced, Value, Writer};

/// What the wire sees of a model.
fn value_of<T: Synced>(model: &T) -> Value {
    Writer::to_value(|out| model.write(None, out))
}
