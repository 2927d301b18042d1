//! What is generated passes the strictest lints.
#![deny(
    missing_docs,
    unreachable_pub,
    unused,
    missing_debug_implementations,
    nonstandard_style
)]

use transports::Synced;

/// A lamp.
#[derive(Debug, Synced)]
#[synced(rename_all = "camelCase", validate = Lamp::check)]
pub struct Lamp {
    /// Its name.
    pub name: String,
    #[synced(range = 0..=100)]
    brightness: Option<i64>,
    r#type: Kind,
    #[synced(skip)]
    _skipped: u8,
}

impl Lamp {
    fn check(&self) -> Result<(), &'static str> {
        if self.name.is_empty() {
            Err("a lamp needs a name")
        } else {
            Ok(())
        }
    }
}

/// A kind of lamp.
#[derive(Clone, Copy, Debug, Synced)]
pub enum Kind {
    /// Stands.
    Floor,
    /// Hangs.
    Ceiling,
}

/// Nothing at all.
#[derive(Debug, Synced)]
pub struct Empty {}

/// Even less.
#[derive(Debug, Synced)]
pub struct Unit;

/// Some of anything.
#[derive(Debug, Synced)]
pub struct Page<T, const N: usize> {
    items: Vec<T>,
    corners: [T; N],
}

fn main() {
    let _ = (Kind::Floor, Kind::Ceiling);
}
