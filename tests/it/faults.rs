//! The real adapters, served by `serve`, and three kinds of clients on hosts and a network that turmoil simulates: what
//! is broken are the links between hosts, single connections at any byte, readers, and the server as a whole. A seed says
//! what is broken and when; not all that follows, as `tokio::select!` has randomness of its own.
//!
//! `FAULT_RECONNECTS` sets how often clients connect again in all: 1,000 times unless given.

mod follower;
mod line;
mod peers;
mod stage;
mod storm;

use self::storm::{Seen, Storm};

/// In each simulation; then another begins.
const RECONNECTS: u64 = 100;

#[test]
fn everybody_shows_the_model_after_any_faults() {
    let reconnects: u64 = std::env::var("FAULT_RECONNECTS").map_or(1000, |reconnects| {
        reconnects.parse().expect("it is a number")
    });
    let mut seen = Seen::default();
    for seed in 0.. {
        let left = reconnects.saturating_sub(seen.reconnects);
        if left == 0 {
            break;
        }
        seen.add(&Storm::new(seed).run(left.min(RECONNECTS)));
    }
    eprintln!("{seen:#?}");
    // What was broken was felt, and each way out of it was taken.
    let Seen {
        partitions,
        holds,
        restored,
        anew,
        ..
    } = seen;
    assert!(partitions > 0 && holds > 0 && restored > 0 && anew > 0);
    assert!(seen.by_delta > 0 && seen.by_snapshot > 0 && seen.by_epoch > 0 && seen.catch_ups > 0);
    assert!(seen.lost > 0 && seen.silent > 0 && seen.slow > 0);
    assert!(seen.made > 0 && seen.rejected > 0);
}
