//! Types with parameters that lead back to themselves, and bounds of the user's that are enough.
#![expect(clippy::use_self, reason = "a type may be named in either way")]
use std::collections::BTreeMap;
use std::hash::Hash;

use transports::synced::Key;
use transports::{Session, Synced};

#[derive(Synced)]
struct Tree<T> {
    value: T,
    kids: Vec<Tree<T>>,
    more: Option<Box<Self>>,
}

#[derive(Synced)]
struct A<T> {
    value: Vec<T>,
    b: Vec<B<T>>,
}

#[derive(Synced)]
struct B<T> {
    value: [T; 3],
    a: Option<Box<A<T>>>,
}

#[derive(Synced)]
#[synced(bound = "K: Key + Ord + Hash + Clone, V: Synced")]
struct Index<K, V> {
    entries: BTreeMap<K, V>,
}

#[derive(Synced)]
#[synced(bound = "")]
struct Skipping<T> {
    items: Vec<i64>,
    #[synced(skip)]
    more: Option<T>,
}

fn main() {
    let session = Session::new();
    session.host(A::<i64> {
        value: Vec::new(),
        b: Vec::new(),
    });
    session.host(Tree {
        value: 1,
        kids: Vec::new(),
        more: None,
    });
    session.host(Index {
        entries: BTreeMap::from([("a".to_owned(), 1)]),
    });
    session.host(Skipping {
        items: Vec::new(),
        more: Some(std::num::Wrapping(1)),
    });
}
