//! Clients that mean no good, or are many, on real sockets: what they cost, and that others do not notice.
//!
//! The numbers are small, as all of it runs with every test; with `ABUSE_FULL=1` they are those of `docs/benchmarks.md`,
//! and need `ulimit -n 8192`. Figures are printed: `cargo test --release -p tests --test abuse -- --nocapture`.
#![cfg(test)]

mod churn;
mod flood;
mod garbage;
mod half_open;
mod openings;
mod restart;
mod stuck;
mod support;
