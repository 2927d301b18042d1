//! What generated code may name. No promise is made for anything in here.

pub use core::option::Option::{self, None, Some};
pub use core::result::Result::{self, Err, Ok};
pub use core::{debug_assert, unreachable};
pub use std::borrow::Cow;
pub use std::boxed::Box;
pub use std::default::Default;
pub use std::string::String;
pub use std::vec::Vec;

pub use crate::changes::Changes;
pub use crate::edit::{Author, Edit, EditError, Payload, Reason};
pub use crate::path::{At, Segment};
pub use crate::schema::{Field, Schema, Type};
pub use crate::synced::{Key, Synced, edit_leaf};
pub use crate::value::Value;
pub use crate::writer::Writer;

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::ops::RangeBounds;

/// Underlines a field's type, and nothing else, when it cannot be synced.
pub const fn assert_synced<T: Synced>() {}

/// Compares a leaf and sends it whole if it changed.
pub fn diff_leaf<T: Synced>(this: &T, shadow: &mut T::Shadow, at: &At<'_>, out: &mut Changes) {
    crate::synced::diff_leaf(this, shadow, at, out);
}

/// Whether two names of variants of one enum are the same.
#[inline]
#[must_use]
pub fn same_name(name: &str, other: &str) -> bool {
    name == other
}

/// A variant read from its name.
pub fn read_named<T>(
    value: &Value,
    named: fn(&str) -> Option<T>,
    expected: &str,
) -> Result<T, EditError> {
    match value {
        Value::Str(name) => named(name),
        _ => None,
    }
    .ok_or_else(|| EditError::expected(expected, value))
}

/// The name of a field as a step of a path.
#[inline]
#[must_use]
pub const fn at_field<'a>(at: &'a At<'a>, name: &'static str, _plain: bool) -> At<'a> {
    at.key(name)
}

/// As [`at_field`], for a step that was prepared: `{"Key":"name"}`.
#[inline]
#[must_use]
pub const fn at_step<'a>(at: &'a At<'a>, step: &'static str) -> At<'a> {
    at.field(step)
}

/// A field of a struct being written.
#[inline]
pub fn write_field<T: Synced>(
    name: &'static str,
    plain: bool,
    field: &T,
    settled: Option<&T::Shadow>,
    out: &mut Writer,
) {
    if plain {
        out.field(name);
    } else {
        out.key(name);
    }
    field.write(settled, out);
}

/// The entries of a value that is to become the struct `type_name`.
pub fn entries(
    type_name: &'static str,
    value: Value,
) -> Result<BTreeMap<String, Value>, EditError> {
    match value {
        Value::Map(entries) => Ok(entries),
        other => Err(EditError::expected(
            format!("a Map for `{type_name}`"),
            &other,
        )),
    }
}

/// A field read from the entries; `default` makes one for a field that is missing.
pub fn read_field<T: Synced>(
    entries: &mut BTreeMap<String, Value>,
    type_name: &'static str,
    field: &'static str,
    default: Option<fn() -> T>,
) -> Result<T, EditError> {
    match (entries.remove(field), default) {
        (Some(value), _) => T::read(value).map_err(|error| error.below(field)),
        (None, Some(default)) => Ok(default()),
        (None, None) => missing(type_name, field),
    }
}

/// An optional field may be left out: that is `Null`. Any other may not.
fn missing<T: Synced>(type_name: &'static str, field: &'static str) -> Result<T, EditError> {
    match T::ty() {
        Type::Optional(_) => T::read(Value::Null),
        _ => Err(EditError::new(Reason::MissingField { type_name, field })),
    }
}

/// An edit on its way into a field. `Remove` of the field itself falls back to `default`.
pub fn edit_field<T: Synced>(
    field: &mut T,
    name: &'static str,
    deeper: &[Segment],
    edit: Edit,
    author: Author,
    default: Option<fn() -> T>,
) -> Result<Edit, EditError> {
    let edited = match (deeper, &edit) {
        ([], Edit::Remove) => {
            let new = match default {
                Some(default) => Ok(default()),
                None => missing::<T>("", name).map_err(|_| EditError::new(Reason::NotRemovable)),
            };
            new.map(|mut new| {
                new.inherit(field);
                Edit::Set(Payload::taken(std::mem::replace(field, new)))
            })
        }
        _ => field.edit(deeper, edit, author),
    };
    edited.map_err(|error| error.below(name))
}

/// A field that clients may not touch.
pub fn edit_read_only<T: Synced>(
    field: &mut T,
    name: &'static str,
    deeper: &[Segment],
    edit: Edit,
    author: Author,
    default: Option<fn() -> T>,
) -> Result<Edit, EditError> {
    match author {
        Author::Host => edit_field(field, name, deeper, edit, author, default),
        Author::Client => Err(EditError::new(Reason::ReadOnly).below(name)),
    }
}

/// The edits that end at a struct itself or name a field that it does not have.
pub fn edit_struct<T: Synced>(
    this: &mut T,
    type_name: &'static str,
    path: &[Segment],
    edit: Edit,
    author: Author,
) -> Result<Edit, EditError> {
    match path.first() {
        None => crate::synced::edit_whole(this, edit, author, Reason::NotAList),
        Some(Segment::Key(key)) => {
            Err(EditError::new(Reason::UnknownField { type_name }).below(key.as_str()))
        }
        Some(Segment::Index(index)) => Err(EditError::new(Reason::NotAList).below(*index)),
    }
}

/// Whether a client may bring this field as part of something larger.
pub fn admit_field<T: Synced>(
    field: &T,
    old: Option<&T>,
    name: &'static str,
) -> Result<(), EditError> {
    field.admit(old).map_err(|error| error.below(name))
}

/// As [`admit_field`], for a field that clients may not change: it has to be what it was, or what a new one starts as.
pub fn admit_read_only<T: Synced>(
    field: &T,
    old: Option<&T>,
    default: Option<fn() -> T>,
    name: &'static str,
) -> Result<(), EditError> {
    let expected = match (old, default) {
        (Some(old), _) => Some(old.shadow()),
        (None, Some(default)) => Some(default().shadow()),
        (None, None) => None,
    };
    if expected.is_some_and(|expected| field.same(&expected)) {
        Ok(())
    } else {
        Err(EditError::new(Reason::ReadOnly).below(name))
    }
}

/// A number that may have a range: itself, or the one in an `Option`.
pub trait Ranged<N: ?Sized> {
    /// The number, if there is one.
    fn number(&self) -> Option<&N>;
}

impl<N> Ranged<N> for N {
    fn number(&self) -> Option<&N> {
        Some(self)
    }
}

impl<N> Ranged<N> for Option<N> {
    fn number(&self) -> Option<&N> {
        self.as_ref()
    }
}

/// `#[synced(range = ...)]`
pub fn check_range<N: PartialOrd + Debug>(
    field: &impl Ranged<N>,
    range: &impl RangeBounds<N>,
    shown: &str,
    at: &At<'_>,
    out: &mut Changes,
) {
    if let Some(number) = field.number()
        && !range.contains(number)
    {
        out.refuse(at, format_args!("{number:?} is not in {shown}"));
    }
}

/// `#[synced(validate = ...)]`
pub fn check_valid<E: Display>(result: Result<(), E>, at: &At<'_>, out: &mut Changes) {
    if let Err(reason) = result {
        out.refuse(at, reason);
    }
}
