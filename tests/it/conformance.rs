//! The vectors of `tests/conformance`: what the published clients and server do, replayed against this server and
//! these mirrors. `tests/conformance/README.md` explains the files.
//!
//! Another set of the same shape is run with `TRANSPORTS_VECTORS=<folder> cargo test -p tests conformance`. How many
//! cases ran shows with `-- --nocapture`.

// Helpers of tests are tests, too: lints that spare these spare all of this.
#![cfg(test)]

mod client;
mod findings;
mod hub;
mod jupyter;
mod merge;
mod messages;
mod models;
mod patches;
mod schema;
mod server;
mod sse;
mod urls;
mod values;
mod vectors;
mod wire;
