//! What each fuzz target does with its input, and what has to hold whatever the input is.
//!
//! `scripts/fuzz` runs them. The models are those of the property tests.
#![forbid(unsafe_code)]

mod connection;
mod decode;
mod diff;
mod edit;
mod mirror;
mod ops;
mod query;
mod script;
mod socket;

#[path = "../../tests/it/property/entropy.rs"]
mod entropy;
#[path = "../../tests/it/property/house.rs"]
mod house;
#[path = "../../tests/it/property/world.rs"]
mod world;

use transports::{Codec, Message, Synced, Value, Writer};

pub use crate::connection::connection;
pub use crate::decode::decode;
pub use crate::diff::diff;
pub use crate::edit::edit;
pub use crate::mirror::mirror;
pub use crate::query::query;
pub use crate::socket::socket;

use crate::entropy::Entropy;

const CODECS: [Codec; 3] = [Codec::Json, Codec::MessagePack, Codec::Cbor];

/// The codec of a number, whatever the number.
fn codec(number: u8) -> Codec {
    CODECS[usize::from(number) % CODECS.len()].clone()
}

/// The messages of a frame, those of a batch one by one; none if it is malformed.
fn messages(codec: &Codec, frame: &[u8]) -> Vec<Message> {
    match codec.decode(frame) {
        Ok(Message::Batch { msgs }) => msgs,
        Ok(message) => vec![message],
        Err(_) => vec![],
    }
}

/// Decisions made from bytes.
fn entropy(bytes: &[u8]) -> Entropy {
    Entropy::new(bytes.iter().copied().map(u32::from).collect())
}

/// What the wire sees of a model.
fn value_of<T: Synced>(model: &T) -> Value {
    Writer::to_value(|out| model.write(None, out))
}

/// Whether a script is to end here. Copies of copies double with each step, and nothing is to be learnt from that.
fn is_huge(value: &Value) -> bool {
    fn size(value: &Value) -> usize {
        match value {
            Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
            Value::Map(entries) => 1 + entries.values().map(size).sum::<usize>(),
            _ => 1,
        }
    }
    size(value) > 2000 || value.depth() > 50
}
