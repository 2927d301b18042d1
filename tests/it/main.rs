//! Tests over all crates, a file per behaviour.
#![cfg(test)]

mod adapters;
mod bindings;
mod board;
mod client;
mod conformance;
mod derive;
mod faults;
mod hub;
mod jupyter;
mod property;
mod server;
mod views;
