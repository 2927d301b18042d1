//! Whatever the host and the clients do, in whatever order: in the end all hold the same.

mod entropy;
mod house;
mod laws;
mod leaves;
mod long;
mod published;
mod refusals;
mod schedule;
mod shapes;
mod tracking;
mod world;

use proptest::prelude::ProptestConfig;
use transports::{Synced, Value, Writer};

/// What the wire sees of a model.
fn value_of<T: Synced>(model: &T) -> Value {
    Writer::to_value(|out| model.write(None, out))
}

/// So many cases, unless `PROPTEST_CASES` says otherwise.
fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => default,
        None => ProptestConfig { cases, ..default },
    }
}
