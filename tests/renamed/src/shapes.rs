//! Every shape and every attribute, with raw names, under the strictest lints.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::marker::PhantomData;

/// A struct with a field of every kind.
#[derive(Debug, live::Synced)]
#[synced(
    crate = "live",
    rename = "Lamp",
    rename_all = "camelCase",
    validate = Lamp::check,
    computed(count: usize = Lamp::count, r#loop: bool = Lamp::on, total: f64 = Lamp::total)
)]
pub struct Lamp {
    /// A text.
    #[synced(length = 1..=20, alias = "label", default)]
    pub name: String,
    /// A number that may be missing.
    #[synced(range = 0..=100, read_only)]
    pub brightness: Option<i64>,
    /// A float.
    #[synced(range = 0.0..=1.0, validate = is_finite)]
    pub colour: f64,
    /// A number with a rule, and a default of its own.
    #[synced(range = 1.., default = one)]
    pub step: u16,
    /// An enum.
    pub r#type: Shape,
    /// Rows with ids.
    #[synced(key = "r#fn")]
    pub rows: Vec<Row>,
    /// Fields that stand beside these.
    #[synced(flatten)]
    pub base: Base,
    /// Entries that stand beside the fields.
    #[synced(flatten)]
    pub more: BTreeMap<String, i64>,
    /// An enum tagged inside.
    pub event: Event,
    /// An enum tagged beside, with a parameter.
    pub job: Job<i64>,
    /// Something that serde knows.
    #[synced(with = "serde")]
    pub span: std::ops::Range<i64>,
    /// Something that never travels.
    #[synced(skip)]
    pub socket: Option<std::net::TcpStream>,
    /// Positions.
    pub pair: Pair,
    /// A boxed one of its own kind.
    pub next: Option<Box<Self>>,
}

impl Lamp {
    const fn count(&self) -> usize {
        self.rows.len()
    }

    const fn on(&self) -> bool {
        self.brightness.is_some()
    }

    fn total(&self) -> f64 {
        self.colour * f64::from(self.step)
    }

    fn check(&self) -> Result<(), String> {
        match self.name.as_str() {
            "" => Err("a lamp needs a name".to_owned()),
            _ => Ok(()),
        }
    }
}

const fn one() -> u16 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "rules take references, whatever the field is"
)]
fn is_finite(number: &f64) -> Result<(), impl Display + use<>> {
    if number.is_finite() {
        Ok(())
    } else {
        Err("not a number to show")
    }
}

/// A row.
#[derive(Debug, live::Synced)]
#[synced(crate = "live")]
pub struct Row {
    /// Its id.
    pub r#fn: i64,
}

/// Fields that are flattened, with a default of the whole.
#[derive(Debug, Default, live::Synced)]
#[synced(crate = "live", default)]
pub struct Base {
    /// A raw name.
    pub r#if: i64,
    /// A float.
    pub level: f32,
}

/// An enum without data.
#[derive(Clone, Copy, Debug, live::Synced)]
#[synced(crate = "live", rename_all = "snake_case")]
pub enum Mode {
    /// One.
    #[synced(alias = "off")]
    Idle,
    /// Two.
    Running,
}

/// An enum with data, tagged outside.
#[derive(Debug, live::Synced)]
#[synced(crate = "live", rename_all_fields = "camelCase")]
pub enum Shape {
    /// Nothing.
    None,
    /// Fields with names.
    Some {
        /// With a rule.
        #[synced(range = 0.0..)]
        half_width: f64,
        /// Not for clients.
        #[synced(read_only)]
        serial: u32,
        /// Nested.
        mode: Mode,
    },
    /// Positions.
    Ok(i64, String),
    /// One value.
    #[synced(rename = "error")]
    Err(String),
    /// One of its own kind.
    Deeper(Box<Self>),
}

/// An enum tagged inside.
#[derive(Debug, live::Synced)]
#[synced(crate = "live", tag = "kind")]
pub enum Event {
    /// Nothing.
    Idle,
    /// A struct's fields.
    Base(Base),
    /// Fields of its own.
    Moved {
        /// How far.
        steps: i64,
    },
}

/// An enum tagged beside.
#[derive(Debug, live::Synced)]
#[synced(crate = "live", tag = "t", content = "c")]
pub enum Job<T> {
    /// One value.
    Run(T),
    /// Nothing.
    Wait,
    /// Positions.
    Both(T, u8),
}

/// Positions.
#[derive(Debug, live::Synced)]
#[synced(crate = "live")]
pub struct Pair(pub i64, #[synced(range = 0..=9)] pub i64);

/// A newtype.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, live::Synced)]
#[synced(crate = "live")]
pub struct Id(pub String);

/// A newtype around many.
#[derive(Debug, live::Synced)]
#[synced(crate = "live")]
pub struct All<T>(pub Vec<T>);

/// Nothing at all.
#[derive(Clone, Copy, Debug, live::Synced)]
#[synced(crate = "live")]
pub struct Empty {}

/// Even less.
#[derive(Clone, Copy, Debug, live::Synced)]
#[synced(crate = "live")]
pub struct Unit;

/// Some of anything.
#[derive(Debug, live::Synced)]
#[synced(crate = "live", bound = "T: live::Synced + Clone")]
pub struct Page<T, const N: usize>
where
    T: Clone,
{
    /// A list of them.
    pub items: Vec<T>,
    /// A fixed number of them.
    pub corners: [T; N],
    /// Nothing.
    pub marker: PhantomData<fn() -> T>,
}
