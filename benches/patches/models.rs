//! The models of all contestants.

use std::collections::BTreeMap;

use serde::Serialize;
use transports::Synced;

#[derive(Clone, Serialize, Synced)]
pub(crate) struct Small {
    pub(crate) name: String,
    pub(crate) on: bool,
    pub(crate) level: i64,
    pub(crate) ratio: f64,
    pub(crate) count: u32,
    pub(crate) unit: String,
    pub(crate) low: i64,
    pub(crate) high: i64,
}

pub(crate) fn small() -> Small {
    Small {
        name: "lamp".into(),
        on: false,
        level: 50,
        ratio: 0.5,
        count: 3,
        unit: "lx".into(),
        low: 0,
        high: 100,
    }
}

#[derive(Clone, Serialize, Synced)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) price: f64,
    pub(crate) qty: i64,
}

pub(crate) fn row(id: usize) -> Row {
    Row {
        id: id as i64,
        name: format!("row {id}"),
        price: 1.5,
        qty: 1,
    }
}

pub(crate) fn rows(len: usize) -> Vec<Row> {
    (0..len).map(row).collect()
}

/// Positions all over a list, one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Positions {
    next: usize,
    len: usize,
}

impl Positions {
    pub(crate) fn of(len: usize) -> Self {
        Self { next: 0, len }
    }

    pub(crate) fn next(&mut self) -> usize {
        self.next = (self.next + 7919) % self.len;
        self.next
    }
}

pub(crate) fn key(position: usize) -> String {
    format!("key {position:05}")
}

pub(crate) fn entries() -> BTreeMap<String, i64> {
    (0..10_000).map(|position| (key(position), 1)).collect()
}

/// The length of a text to begin with.
pub(crate) const LETTERS: usize = 10_000;
