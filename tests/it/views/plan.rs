//! A model that has views in all places where a field can be.

use std::collections::BTreeMap;
use std::sync::Arc;

use transports::collections::{List, Map, Text};
use transports::{Synced, Value};

#[derive(Synced, Clone, Debug, Default)]
#[synced(computed(rows_in_all: u64 = Plan::rows_in_all))]
#[synced(computed(margin: String = Plan::margin, view = "staff"))]
pub(super) struct Plan {
    #[synced(length = ..=200)]
    pub(super) title: String,
    #[synced(view = "staff")]
    pub(super) cost: String,
    #[synced(view = "staff")]
    pub(super) notes: List<Note>,
    #[synced(view = "admin")]
    pub(super) text: Text,
    pub(super) rows: List<Row>,
    #[synced(key = "id")]
    pub(super) keyed: Vec<Row>,
    pub(super) looked_ahead: Vec<Row>,
    pub(super) by_name: Map<String, Row>,
    pub(super) in_order: BTreeMap<u8, Row>,
    pub(super) pair: (Row, i64),
    pub(super) shared: Arc<Row>,
    pub(super) maybe: Option<Row>,
    pub(super) state: State,
    pub(super) tagged: Tagged,
    #[synced(flatten)]
    pub(super) extra: Extra,
}

/// Seen by the staff, and some of it by nobody who is not an admin, too.
#[derive(Synced, Clone, Debug, Default)]
pub(super) struct Note {
    pub(super) says: String,
    #[synced(view = "admin")]
    pub(super) about: String,
}

#[derive(Synced, Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) open: String,
    #[synced(view = "staff")]
    pub(super) secret: String,
    #[synced(view = "admin", alias = "abyss")]
    pub(super) deep: Option<Box<Self>>,
}

#[derive(Synced, Clone, Debug, Default)]
pub(super) enum State {
    #[default]
    Idle,
    Busy {
        with: i64,
        #[synced(view = "staff")]
        worker: String,
    },
}

#[derive(Synced, Clone, Debug, Default)]
#[synced(tag = "kind", content = "content")]
pub(super) enum Tagged {
    #[default]
    Nothing,
    Rows(Vec<Row>),
}

#[derive(Synced, Clone, Debug, Default)]
pub(super) struct Extra {
    pub(super) colour: i64,
    #[synced(view = "admin")]
    pub(super) supplier: String,
}

impl Plan {
    fn rows_in_all(&self) -> u64 {
        (self.rows.len() + self.keyed.len() + self.looked_ahead.len()) as u64
    }

    fn margin(&self) -> String {
        format!("STAFF {} {}", self.title.len(), self.cost)
    }
}

impl Row {
    pub(super) fn new(id: i64, secret: &str) -> Self {
        Self {
            id,
            open: format!("row {id}"),
            secret: secret.to_owned(),
            deep: None,
        }
    }
}

/// What somebody sees of a plan, told by the names of its fields alone.
pub(super) fn seen(value: &Value, views: &[&str]) -> Value {
    let hidden = |name: &str| match name {
        "cost" | "notes" | "secret" | "worker" | "margin" => !views.contains(&"staff"),
        "text" | "about" | "deep" | "supplier" => !views.contains(&"admin"),
        _ => false,
    };
    match value {
        Value::List(items) => items.iter().map(|item| seen(item, views)).collect(),
        Value::Map(entries) => entries
            .iter()
            .filter(|(name, _)| !hidden(name))
            .map(|(name, value)| (name.clone(), seen(value, views)))
            .collect(),
        other => other.clone(),
    }
}
