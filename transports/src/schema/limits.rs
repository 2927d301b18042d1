//! What clients have to keep to, as the schema tells it.

use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};

use serde::{Deserialize, Serialize};
use serde_json::Number;

/// `range` and `length` of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The numbers it may be.
    pub range: Range,
    /// The characters, items or entries it may have: whole numbers, both included.
    pub length: Range,
}

/// Bounds of a number, as JSON has numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Range {
    /// The smallest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// The largest, or the first that is too large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// Whether `max` itself is too large.
    #[serde(
        default,
        rename = "exclusive",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub is_exclusive: bool,
}

impl Range {
    /// Bounds that are no numbers of JSON are left out.
    pub(crate) fn of<N: Debug>(range: &impl RangeBounds<N>) -> Self {
        let (max, is_exclusive) = match range.end_bound() {
            Bound::Included(max) => (number(max), false),
            Bound::Excluded(max) => (number(max), true),
            Bound::Unbounded => (None, false),
        };
        Self {
            min: match range.start_bound() {
                Bound::Included(min) | Bound::Excluded(min) => number(min),
                Bound::Unbounded => None,
            },
            is_exclusive: is_exclusive && max.is_some(),
            max,
        }
    }

    pub(crate) fn of_length(range: &impl RangeBounds<usize>) -> Self {
        let min = match range.start_bound() {
            Bound::Included(min) => *min,
            Bound::Excluded(min) => min.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let max = match range.end_bound() {
            Bound::Included(max) => Some(*max),
            Bound::Excluded(max) => Some(max.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        Self {
            min: (min > 0).then(|| Number::from(min)),
            max: max.map(Number::from),
            is_exclusive: false,
        }
    }
}

/// A number as its `Debug` writes it, which for the numbers of the language is what JSON writes.
fn number(number: &impl Debug) -> Option<Number> {
    serde_json::from_str(&format!("{number:?}")).ok()
}
