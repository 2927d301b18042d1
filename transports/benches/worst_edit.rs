//! How long the most laborious edits take that a server accepts, from the frame to its answer. The aim is 20 ms.
//!
//! `cargo bench -p transports --bench worst_edit` prints milliseconds, the best of five rounds, in half a minute; `-- any
//! moves` does so of what has these words in its line.
#![expect(clippy::print_stdout, reason = "a program for people")]

use std::collections::HashSet;
use std::time::{Duration, Instant};

use transports::collections::List;
use transports::server::{Limits, Opening};
use transports::session::Frame;
use transports::{Codec, Message, Op, Patch, Path, Server, Session, Synced, Value};

const ITEMS: usize = 100_000;

#[derive(Synced)]
struct Large {
    list: List<i64>,
    vec: Vec<i64>,
    set: HashSet<i64>,
    any: Value,
}

fn large() -> Large {
    let items = || 0..ITEMS as i64;
    Large {
        list: items().collect(),
        vec: items().collect(),
        set: items().collect(),
        any: items().map(Value::Int).collect(),
    }
}

fn path(field: &str) -> Path {
    Path::from_iter([field.into()])
}

/// As many ops as the budget of moved items allows.
fn edits(field: &str) -> Vec<(&'static str, Vec<Op>)> {
    let insert = |index| Op::Insert {
        path: path(field),
        index,
        value: Value::Int(-1 - index as i64),
    };
    let shift = |n| Op::Move {
        path: path(field),
        from: n,
        to: ITEMS - 1 - n,
    };
    let swap = |n: usize| Op::Move {
        path: path(field),
        from: (n * 7919) % (ITEMS - 1000),
        to: (n * 7919) % (ITEMS - 1000) + 1000,
    };
    let remove = |index| Op::RemoveAt {
        path: path(field),
        index,
    };
    let reverse = Op::Reorder {
        path: path(field),
        order: (0..ITEMS).rev().collect(),
    };
    let moved = Limits::default().moved_items;
    let (far, near) = (moved / (ITEMS + 100), moved / 1000);
    vec![
        ("inserts in front", (0..far).map(insert).collect()),
        (
            "inserts at the end",
            (0..4096).map(|n| insert(ITEMS + n)).collect(),
        ),
        ("long moves", (0..far).map(shift).collect()),
        ("short moves", (0..near).map(swap).collect()),
        ("removals in front", (0..far).map(remove).collect()),
        ("a reversal", vec![reverse]),
    ]
}

/// The time that the server takes for the frame and its answer.
fn time(frame: &Frame) -> Duration {
    let session = Session::new();
    let _ = session.host(large());
    let server = Server::new(session);
    let opening = Opening::parse("codec=msgpack").expect("it is a query");
    let mut connection = server.open(&opening).expect("it is open");
    while connection.try_next().is_some() {}
    let started = Instant::now();
    connection.receive(frame).expect("it is a frame");
    while connection.try_next().is_some() {}
    let took = started.elapsed();
    assert_eq!(server.stats().edits_made, 1, "it is accepted");
    took
}

fn main() {
    let remove = Op::RemoveAt {
        path: path("set"),
        index: 5,
    };
    let lists = ["list", "vec", "any"].into_iter().flat_map(|field| {
        let edits = edits(field).into_iter();
        edits.map(move |(name, ops)| (field, name, ops))
    });
    let words: Vec<_> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    println!("| field | edit | frame | ms |\n|---|---|--:|--:|");
    for (field, name, ops) in lists.chain([("set", "a removal", vec![remove])]) {
        if !words
            .iter()
            .all(|word| field == word || name.contains(word))
        {
            continue;
        }
        let patch = Patch { rev: 0, ops };
        let message = Message::Patch {
            id: 1,
            patch,
            proposal: None,
            base: None,
        };
        let bytes = Codec::MessagePack.encode(&message).expect("it encodes");
        let frame = Frame::binary(bytes);
        let best = (0..5).map(|_| time(&frame)).min().unwrap_or_default();
        let millis = best.as_secs_f64() * 1e3;
        println!("| {field} | {name} | {} | {millis:.2} |", frame.bytes.len());
    }
}
