//! What does a sync cost when many wait for it, and what does it cost to serve them?
//!
//! `cargo bench -p transports --bench publish` prints nanoseconds, medians of rounds.
#![expect(clippy::print_stdout, reason = "a program for people")]

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use transports::server::{Connection, Opening};
use transports::{Server, Session, Synced};

#[derive(Synced)]
struct Counter {
    tick: i64,
}

/// Lets the connection wait, as the task of an adapter does.
fn wait(connection: &mut Connection) {
    let mut next = pin!(connection.next());
    let polled = next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending));
}

/// The median time of a round, in nanoseconds.
fn median(mut round: impl FnMut()) -> u128 {
    const ROUNDS: usize = 301;
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            round();
            started.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    times.get(ROUNDS / 2).copied().unwrap_or_default()
}

fn main() {
    println!("| waiting | sync | sync and serve all | per connection |\n|--:|--:|--:|--:|");
    for listeners in [0_u32, 1000, 10_000] {
        let session = Session::new();
        let counter = session.host(Counter { tick: 0 });
        let server = Server::new(session.clone());
        let mut connections: Vec<_> = (0..listeners)
            .map(|_| server.open(&Opening::default()).expect("it is open"))
            .collect();
        for connection in &mut connections {
            while connection.try_next().is_some() {}
            wait(connection);
        }
        let sync = || {
            counter.write().tick += 1;
            let _ = black_box(session.sync());
        };
        let all = median(|| {
            sync();
            for connection in &mut connections {
                while let Some(frame) = connection.try_next() {
                    black_box(frame);
                }
                wait(connection);
            }
        });
        // Nobody reads from here on, so each is woken once; the wake-up itself is the runtime's.
        let alone = median(sync);
        let each = all.saturating_sub(alone) / u128::from(listeners.max(1));
        println!("| {listeners} | {alone} | {all} | {each} |");
    }
}
