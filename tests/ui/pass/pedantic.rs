//! Every attribute and shape passes the strictest lints, with raw names and names of the prelude that mean something
//! else.
#![no_implicit_prelude]
#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    unused,
    missing_debug_implementations,
    nonstandard_style
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]

use ::std::collections::BTreeMap;
use ::std::option::Option;
use ::std::prelude::rust_2024::derive;
use ::std::string::String;
use ::std::vec::Vec;

/// A lamp.
#[derive(Debug, ::transports::Synced)]
#[synced(rename_all = "camelCase", computed(count: usize = Lamp::count, r#loop: bool = Lamp::on))]
pub struct Lamp {
    /// Its name.
    #[synced(length = 1..=20, alias = "label", default)]
    pub name: String,
    #[synced(range = 0..=100, read_only)]
    brightness: Option<i64>,
    r#type: Shape,
    #[synced(key = "r#fn")]
    rows: Vec<Row>,
    #[synced(flatten)]
    base: Base,
    #[synced(flatten)]
    more: BTreeMap<String, i64>,
    event: Event,
    job: Job<i64>,
}

impl Lamp {
    const fn count(&self) -> usize {
        self.rows.len()
    }

    const fn on(&self) -> bool {
        self.brightness.is_some()
    }
}

/// A row.
#[derive(Debug, ::transports::Synced)]
pub struct Row {
    r#fn: i64,
}

/// Some fields.
#[derive(Debug, ::transports::Synced)]
pub struct Base {
    r#if: i64,
}

/// One of several.
#[derive(Debug, ::transports::Synced)]
pub enum Shape {
    /// Nothing.
    r#None,
    /// Round.
    Some {
        /// Half as wide.
        r#for: f64,
    },
    /// Not round.
    Ok(i64, String),
    /// One.
    Err(String),
}

/// One of several, tagged inside.
#[derive(Debug, ::transports::Synced)]
#[synced(tag = "type")]
pub enum Event {
    /// Nothing.
    Idle,
    /// All of it.
    Base(Base),
}

/// One of several, tagged beside.
#[derive(Debug, ::transports::Synced)]
#[synced(tag = "type", content = "value")]
pub enum Job<T> {
    /// The only one.
    Run(T),
}

/// Two.
#[derive(Debug, ::transports::Synced)]
pub struct Pair(i64, #[synced(range = 0..=9)] pub i64);

fn main() {}
