//! Tests over all crates, a file per behaviour.
#![cfg(test)]

mod conformance;
mod property;
mod server;
mod ui;
