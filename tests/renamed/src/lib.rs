//! Derives where the crate `transports` goes by another name, and where lints are as strict as they can be: what is
//! generated has to pass all of them.

#![deny(
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    missing_docs,
    missing_debug_implementations,
    nonstandard_style,
    rust_2018_idioms,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unnameable_types,
    unreachable_pub,
    unused,
    unused_qualifications,
    unused_results
)]

pub mod shapes;

/// A struct with every attribute that names something of the crate.
#[derive(Debug, live::Synced)]
#[synced(crate = "live", rename_all = "camelCase", validate = Lamp::check)]
pub struct Lamp {
    /// A field with a rule.
    #[synced(range = 0..=100, default)]
    pub bright_ness: i64,
    /// A nested enum.
    pub kind: Kind,
    /// A newtype.
    #[synced(read_only)]
    pub id: Id,
}

impl Lamp {
    const fn check(&self) -> Result<(), &'static str> {
        match self.bright_ness {
            0 => Err("a lamp that is dark is none"),
            _ => Ok(()),
        }
    }
}

/// An enum without data.
#[derive(Clone, Copy, Debug, live::Synced)]
#[synced(crate = live)]
pub enum Kind {
    /// One.
    Floor,
    /// Two.
    Ceiling,
}

/// A newtype.
#[derive(Debug, live::Synced)]
#[synced(crate = "live")]
pub struct Id(pub u32);

/// An enum with data, in a struct with fields that travel in special ways.
#[derive(Debug, live::Synced)]
#[synced(crate = "live", tag = "type")]
pub enum Event {
    /// Nothing.
    Idle,
    /// All of it.
    Held(Held),
}

/// What an event holds.
#[derive(Debug, live::Synced)]
#[synced(crate = "live", computed(count: usize = Held::count))]
pub struct Held {
    /// A list whose items have ids.
    #[synced(key = "id")]
    pub rows: Vec<Row>,
    /// A type that serde knows.
    #[synced(with = "serde")]
    pub span: std::ops::Range<i64>,
    /// Its fields stand beside these.
    #[synced(flatten)]
    pub row: Row,
}

/// An item.
#[derive(Debug, live::Synced)]
#[synced(crate = "live")]
pub struct Row {
    /// Its id.
    #[synced(alias = "key")]
    pub id: String,
}

impl Held {
    const fn count(&self) -> usize {
        self.rows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, Kind, Lamp};

    #[test]
    fn it_works_as_under_its_own_name() {
        let session = live::Session::new();
        let lamp = session.host(Lamp {
            bright_ness: 5,
            kind: Kind::Floor,
            id: Id(7),
        });
        lamp.write().kind = Kind::Ceiling;
        assert_eq!(session.sync().patches, 1);
        let (_, value) = session.snapshot(lamp.id()).unwrap();
        assert_eq!(value.get("kind"), Some(&"Ceiling".into()));
        assert_eq!(value.get("brightNess"), Some(&5.into()));
    }
}
