//! Values put together piece by piece.

use crate::value::{Value, ValueMap};

/// A value being put together.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) open: Vec<Open>,
    pub(super) done: Option<Value>,
}

#[derive(Debug)]
pub(super) enum Open {
    List(Vec<Value>),
    /// The entries, and the key of the next one.
    Map(ValueMap, String),
}

impl Tree {
    pub(super) const fn new() -> Self {
        Self {
            open: Vec::new(),
            done: None,
        }
    }

    pub(super) fn leaf(&mut self, value: Value) {
        match self.open.last_mut() {
            None => self.done = Some(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map(entries, key)) => {
                entries.insert(std::mem::take(key), value);
            }
        }
    }

    pub(super) fn key(&mut self, next: &str) {
        if let Some(Open::Map(_, key)) = self.open.last_mut() {
            next.clone_into(key);
        }
    }

    pub(super) fn close(&mut self) {
        match self.open.pop() {
            None => {}
            Some(Open::List(items)) => self.leaf(Value::List(items)),
            Some(Open::Map(entries, _)) => self.leaf(Value::Map(entries)),
        }
    }
}
