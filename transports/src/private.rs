//! What generated code may name. No promise is made for anything in here.

#[path = "private/edit.rs"]
mod edit;
#[path = "private/enums.rs"]
mod enums;
#[path = "private/flat.rs"]
mod flat;
#[path = "private/keyed.rs"]
mod keyed;
#[path = "private/read.rs"]
mod read;
#[path = "private/rules.rs"]
mod rules;
#[path = "private/schema.rs"]
mod schema;
#[path = "private/serde.rs"]
mod serde;
#[path = "private/unseen.rs"]
mod unseen;

pub use core::option::Option::{self, None, Some};
pub use core::result::Result::{self, Err, Ok};
pub use core::unreachable;
pub use std::borrow::Cow;
pub use std::boxed::Box;
pub use std::default::Default;
pub use std::string::String;
pub use std::vec::Vec;

pub use self::edit::{
    admit_read_only, below, edit_computed, edit_tuple, edit_whole, edited_flat, no_item, no_list,
    no_map, put_back, put_content, put_default, put_item, unknown_field,
};
pub use self::enums::{
    adjacent, edit_content, edit_tag, entry, external, internal, no_content, no_entry,
    read_content, tagged, unknown_variant,
};
pub use self::flat::{CheckFlat, Flat, Keys, Sorted, assert_apart};
pub use self::keyed::{KeyOf, Keyed, KeyedShadow, ListKey};
pub use self::read::{Entries, Items, entries, items, read_named};
pub use self::rules::{Length, RangeOf, check_length, check_valid};
pub use self::schema::{
    ContentInfo, FieldInfo, FieldsInfo, VariantInfo, length_limits, limits, names, schema,
    tuple_struct, variants,
};
pub use self::serde::{Opaque, Serde, Whole};
pub use self::unseen::Unseen;
pub use crate::changes::Changes;
pub use crate::edit::{Author, Edit, EditError, Payload, Reason};
pub use crate::path::{At, FieldStep, Segment};
pub use crate::schema::Type;
pub use crate::synced::{Key, Synced, edit_leaf};
pub use crate::value::Value;
pub use crate::views::is_hidden;
pub use crate::writer::Writer;

/// Carries a constant in whose value all types of fields are checked. If one of them cannot be synced, the constant is
/// in error, and so is every type that this is a part of: the compiler reports the first error and keeps silent about
/// the ones that follow from it.
#[derive(Debug)]
pub struct Checked<const SYNCED: bool>;

/// Any type that can be synced, by way of a [`Checked`].
pub trait Check<C> {
    /// The type itself.
    type This: Synced;
}

impl<T: Synced, C> Check<C> for T {
    type This = T;
}

/// How a field travels whose type does not do it by itself: the functions of [`Synced`] with `this` for `self`.
pub trait With<T> {
    /// See [`Synced::Shadow`].
    type Shadow: Send + Sync + 'static;

    /// See [`Synced::shadow`].
    fn shadow(this: &T) -> Self::Shadow;

    /// See [`Synced::update`].
    fn update(this: &T, shadow: &mut Self::Shadow) {
        *shadow = Self::shadow(this);
    }

    /// See [`Synced::same`].
    fn same(this: &T, shadow: &Self::Shadow) -> bool;

    /// See [`Synced::diff`].
    fn diff(this: &mut T, shadow: &mut Self::Shadow, at: &At<'_>, out: &mut Changes);

    /// See [`Synced::write`].
    fn write(this: &T, settled: Option<&Self::Shadow>, out: &mut Writer);

    /// See [`Synced::read`].
    fn read(value: Value) -> Result<T, EditError>;

    /// See [`Synced::edit`].
    fn edit(this: &mut T, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError>;

    /// See [`Synced::admit`].
    fn admit(this: &T, old: Option<&T>) -> Result<(), EditError> {
        let _ = (this, old);
        Ok(())
    }

    /// See [`Synced::inherit`].
    fn inherit(this: &mut T, old: &mut T) {
        let _ = (this, old);
    }

    /// See [`Synced::check`].
    fn check(this: &T, at: &At<'_>, out: &mut Changes) {
        let _ = (this, at, out);
    }

    /// See [`Synced::reveal`].
    fn reveal(this: &T, settled: Option<&Self::Shadow>, at: &At<'_>, out: &mut Changes) {
        let _ = (this, settled, at, out);
    }

    /// See [`Synced::ty`].
    fn ty() -> Type;
}

/// As [`Check`], for who carries a `T`.
pub trait CheckWith<T, C> {
    /// The carrier itself.
    type This: With<T>;
}

impl<W: With<T>, T, C> CheckWith<T, C> for W {
    type This = W;
}

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
