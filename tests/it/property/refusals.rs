//! Edits that are refused, as the whole server sees them.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use transports::server::{Connection, Opening};
use transports::{Codec, Message, Op, Patch, Path, Segment, Server, Session, Synced, Value};

use super::config;
use super::entropy::Entropy;

#[derive(Synced)]
#[synced(validate = Shelf::sorted)]
struct Shelf {
    #[synced(range = 0..=9)]
    level: i64,
    books: Vec<Book>,
    tags: std::collections::BTreeSet<String>,
    #[synced(read_only)]
    serial: i64,
    log: transports::collections::List<i64>,
}

#[derive(Synced, PartialEq, PartialOrd)]
struct Book {
    title: String,
    #[synced(length = 0..=3)]
    marks: Vec<i64>,
}

impl Shelf {
    fn sorted(&self) -> Result<(), String> {
        if self.books.is_sorted() {
            Ok(())
        } else {
            Err("the books are in disorder".to_owned())
        }
    }
}

fn path(entropy: &mut Entropy) -> Path {
    let fields = ["level", "books", "tags", "serial", "log", "x"];
    let mut path = vec![Segment::from(fields[entropy.below(fields.len())])];
    while entropy.below(2) > 0 {
        path.push(match entropy.below(4) {
            0 => Segment::from(["title", "marks"][entropy.below(2)]),
            _ => Segment::from(entropy.below(4)),
        });
    }
    path.into_iter().collect()
}

fn value(entropy: &mut Entropy) -> Value {
    let title = |entropy: &mut Entropy| Value::from(entropy.text());
    let marks = |entropy: &mut Entropy| (0..entropy.below(5)).map(|_| Value::from(1)).collect();
    match entropy.below(6) {
        0 => Value::Int(entropy.int()),
        1 => title(entropy),
        2 => marks(entropy),
        3 | 4 => Value::from_iter([("title", title(entropy)), ("marks", marks(entropy))]),
        _ => entropy.value(2),
    }
}

fn op(entropy: &mut Entropy) -> Op {
    let path = path(entropy);
    let index = entropy.below(4);
    match entropy.below(8) {
        0 | 1 => Op::Set {
            path,
            value: value(entropy),
        },
        2 => Op::Remove { path },
        3 | 4 => Op::Insert {
            path,
            index,
            value: value(entropy),
        },
        5 => Op::RemoveAt { path, index },
        6 => Op::Move {
            path,
            from: index,
            to: entropy.below(4),
        },
        _ => Op::Reorder {
            path,
            order: (0..entropy.below(4)).rev().collect(),
        },
    }
}

/// Proposes an edit and returns whether it was refused.
fn refused(connection: &mut Connection, ops: Vec<Op>) -> bool {
    let patch = Patch { rev: 0, ops };
    let message = Message::Patch {
        id: 1,
        patch,
        proposal: Some("p".into()),
        base: None,
    };
    let bytes = Codec::MessagePack.encode(&message).unwrap();
    let frame = transports::session::Frame::binary(bytes);
    connection.receive(&frame).unwrap();
    let last = std::iter::from_fn(|| connection.try_next()).last().unwrap();
    let answer = Codec::MessagePack.decode(&last.bytes).unwrap();
    matches!(answer, Message::Reject { .. })
}

/// Fifty edits; returns how many of them were refused.
fn edit_at_random(numbers: Vec<u32>) -> Result<u64, TestCaseError> {
    let mut refusals = 0;
    let mut entropy = Entropy::new(numbers);
    let session = Session::new();
    let shelf = session.host(Shelf {
        level: 1,
        books: Vec::new(),
        tags: ["a".to_owned()].into(),
        serial: 7,
        log: vec![1, 2, 3].into(),
    });
    let server = Server::builder(session.clone())
        .limits(|limits| limits.moved_items = 12)
        .build();
    let opening = Opening::parse("codec=msgpack").unwrap();
    let mut connection = server.open(&opening).unwrap();
    let mut witness = server.open(&opening).unwrap();
    let mut told: Vec<_> = std::iter::from_fn(|| witness.try_next()).skip(1).collect();
    let mut before = session.snapshot(1);
    for _ in 0..50 {
        let many = 1 + entropy.below(4);
        let ops = (0..many).map(|_| op(&mut entropy)).collect();
        if refused(&mut connection, ops) {
            refusals += 1;
            // A shadow that followed would show as a change that nobody made.
            shelf.write().log.truncate(1000);
            prop_assert_eq!(session.sync().patches, 0);
            prop_assert_eq!(&session.snapshot(1), &before, "the model and its revision");
            prop_assert_eq!(witness.try_next(), None);
        } else {
            before = session.snapshot(1);
            told.extend(std::iter::from_fn(|| witness.try_next()));
        }
    }
    let all = Opening::parse("codec=msgpack&since=%7B%221%22%3A0%7D").unwrap();
    let mut late = server.open(&all).unwrap();
    let history: Vec<_> = std::iter::from_fn(|| late.try_next()).collect();
    prop_assert_eq!(
        history,
        told,
        "the history has what was told, and nothing else"
    );
    Ok(refusals)
}

/// `PROPTEST_CASES=40000` refuses two million.
#[test]
fn a_refused_edit_leaves_model_revision_shadow_and_history() {
    let refusals = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig {
        source_file: Some(file!()),
        ..config(1000)
    });
    let result = runner.run(&prop::collection::vec(any::<u32>(), 1500), |numbers| {
        refusals.set(refusals.get() + edit_at_random(numbers)?);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    eprintln!("{} edits were refused", refusals.get());
    assert!(refusals.get() > u64::from(runner.config().cases) * 10);
}
