//! What does it cost to change a field and have the patch as JSON?
//!
//! `cargo bench -p transports --bench patch_emit` prints nanoseconds per change, next to code written by hand for
//! exactly that change, which knows the field and writes one op. Medians of rounds that take turns.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a program for people, which may panic"
)]

use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use transports::{Changes, Synced, Tracked};

#[derive(Synced)]
struct Small {
    name: String,
    on: bool,
    level: i64,
    ratio: f64,
    count: u32,
    unit: String,
    low: i64,
    high: i64,
}

#[derive(Synced)]
struct Table {
    rows: Vec<Row>,
}

#[derive(Synced)]
struct Row {
    id: i64,
    name: String,
    price: f64,
    qty: i64,
}

fn main() {
    println!(
        "{:<28} {:>12} {:>12} {:>8}",
        "ns per change", "transports", "by hand", "ratio"
    );
    small_struct();
    one_row_of(1_000);
    one_row_of(100_000);
}

fn small_struct() {
    let small = || Small {
        name: "lamp".into(),
        on: false,
        level: 50,
        ratio: 0.5,
        count: 3,
        unit: "lx".into(),
        low: 0,
        high: 100,
    };
    let mut tracked = Tracked::new(small());
    let mut changes = Changes::as_json();
    let mut plain = small();
    let mut buffer = Vec::new();
    compare(
        "8 fields, one changed",
        || {
            tracked.level += 1;
            changes.clear();
            Tracked::collect(&mut tracked, &mut changes);
            black_box(changes.json().len())
        },
        || {
            plain.level += 1;
            buffer.clear();
            write!(
                buffer,
                r#"{{"Set":{{"path":[{{"Key":"level"}}],"value":{{"Int":{}}}}}}}"#,
                plain.level
            )
            .expect("memory");
            black_box(buffer.len())
        },
    );
}

fn one_row_of(len: usize) {
    let table = || Table {
        rows: (0..len)
            .map(|id| Row {
                id: id as i64,
                name: format!("row {id}"),
                price: 1.5,
                qty: 1,
            })
            .collect(),
    };
    let mut tracked = Tracked::new(table());
    let mut changes = Changes::as_json();
    let mut plain = table();
    let mut buffer = Vec::new();
    let (mut here, mut there) = (0, 0);
    compare(
        &format!("one of {len} rows"),
        || {
            here = (here + 7919) % len;
            tracked.rows[here].qty += 1;
            changes.clear();
            Tracked::collect(&mut tracked, &mut changes);
            black_box(changes.json().len())
        },
        || {
            there = (there + 7919) % len;
            plain.rows[there].qty += 1;
            buffer.clear();
            write!(
                buffer,
                r#"{{"Set":{{"path":[{{"Key":"rows"}},{{"Index":{there}}},{{"Key":"qty"}}],"value":{{"Int":{}}}}}}}"#,
                plain.rows[there].qty,
            )
            .expect("memory");
            black_box(buffer.len())
        },
    );
}

/// Times both in turns and prints a line.
fn compare(what: &str, mut ours: impl FnMut() -> usize, mut by_hand: impl FnMut() -> usize) {
    const ROUNDS: usize = 15;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let times = calibrate(&mut ours);
    let times_by_hand = calibrate(&mut by_hand);
    for _ in 0..ROUNDS {
        a.push(time(times, &mut ours));
        b.push(time(times_by_hand, &mut by_hand));
    }
    let (ours, by_hand) = (median(a), median(b));
    println!(
        "{what:<28} {ours:>12.1} {by_hand:>12.1} {:>7.1}x",
        ours / by_hand
    );
}

/// How often to repeat so that a round takes some 20 ms.
fn calibrate(run: &mut impl FnMut() -> usize) -> u32 {
    let mut times = 1;
    loop {
        let started = Instant::now();
        for _ in 0..times {
            run();
        }
        if started.elapsed().as_millis() >= 20 {
            return times;
        }
        times *= 2;
    }
}

fn time(times: u32, run: &mut impl FnMut() -> usize) -> f64 {
    let started = Instant::now();
    for _ in 0..times {
        run();
    }
    started.elapsed().as_nanos() as f64 / f64::from(times)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
