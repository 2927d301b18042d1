//! The trait that the derive implements: how a type is compared, sent, received and edited.

mod list;
mod map;
mod scalar;
mod set;
mod shared;
mod std_types;
mod text;
mod tuple;
mod value;
mod wrapper;

pub(crate) use self::list::{
    admit_items, check_items, diff_items, diff_paired, permutation, reorder, reveal_items,
};
pub use self::map::Key;
pub(crate) use self::map::{parse as parse_key, write_entries};
pub use self::shared::ArcShadow;
pub use self::text::TextShadow;
pub(crate) use self::text::edit_text;
pub(crate) use self::value::edit_items;
// Compile errors show the shortest path of a trait, and this is one to show.
#[doc(hidden)]
pub use crate::__private::{Flat, Length, ListKey, Opaque, RangeOf};

use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Payload, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::Value;
use crate::writer::Writer;

/// A type whose values stay the same on every peer.
///
/// `#[derive(Synced)]` implements it for structs and enums. The std types that may be fields implement it here:
/// booleans, numbers, `char`, texts, `Option`, `Box`, `Arc`, `Vec`, `VecDeque`, arrays, tuples, maps and sets; so does
/// [`Value`] for models whose shape is only known at run time.
///
/// # How changes are found
/// Beside every model lives its [`Shadow`](Self::Shadow): what the wire last saw, in the types of the model. A sync
/// walks both and reports differences. Nothing has to be announced, so nothing can be missed: assignment,
/// `mem::swap`, a helper function three calls down are all the same.
///
/// # Writing it by hand
/// Rarely needed. The rules an implementation keeps:
/// - after [`diff`](Self::diff), [`same`](Self::same) holds (unless a fault was reported);
/// - the ops reported turn what was written before into what [`write`](Self::write) writes now;
/// - [`read`](Self::read) of what was written gives an equal value;
/// - [`edit`](Self::edit) changes nothing when it fails, and what it returns undoes what it did.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be synced",
    label = "this type does not implement `Synced`",
    note = "add `#[derive(Synced)]` to `{Self}` if it is yours; if it is a parameter, `{Self}: Synced` to its `bound`",
    note = "`#[synced(with = \"serde\")]` sends what serde knows; `#[synced(skip)]` leaves a field out; for `Rc` use `Arc`"
)]
pub trait Synced: Sized + Send + Sync + 'static {
    /// What the wire last saw of a value.
    type Shadow: Send + Sync + 'static;

    /// The shadow of the value as it is now.
    fn shadow(&self) -> Self::Shadow;

    /// Makes an old shadow the shadow of the value as it is now, reusing its memory where that is possible.
    fn update(&self, shadow: &mut Self::Shadow) {
        *shadow = self.shadow();
    }

    /// Whether nothing changed since the shadow was made.
    fn same(&self, shadow: &Self::Shadow) -> bool;

    /// Reports to `out` what changed, at the deepest places possible, and brings the shadow up to date.
    fn diff(&mut self, shadow: &mut Self::Shadow, at: &At<'_>, out: &mut Changes);

    /// Writes the value: exactly one.
    ///
    /// Where `settled` is given, fields whose present value cannot travel are written as the shadow has them.
    fn write(&self, settled: Option<&Self::Shadow>, out: &mut Writer);

    /// Makes a value of this type from what came over the wire.
    ///
    /// # Errors
    /// The value has another shape.
    fn read(value: Value) -> Result<Self, EditError>;

    /// Makes one change at `path` below this value and returns the edit that undoes it at the same path.
    ///
    /// # Errors
    /// The path or the edit does not fit, or `author` may not make it. Nothing has changed then.
    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError>;

    /// Whether a client may put this value where `old` is (`None`: where nothing is yet).
    ///
    /// # Errors
    /// A read-only field differs.
    fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
        let _ = old;
        Ok(())
    }

    /// Swaps with `old`, the value about to be replaced by this one, what never travels.
    fn inherit(&mut self, old: &mut Self) {
        let _ = old;
    }

    /// Checks the model's rules for this value and all below it, for an edit that brought it as a whole.
    fn check(&self, at: &At<'_>, out: &mut Changes) {
        let _ = (at, out);
    }

    /// Tells `out` of the fields below that have a [view](crate::Views): the value was told as a whole just now, without
    /// them. `settled` is that of [`write`](Self::write).
    fn reveal(&self, settled: Option<&Self::Shadow>, at: &At<'_>, out: &mut Changes) {
        let _ = (settled, at, out);
    }

    /// The type as the wire and other languages see it. A field with a view that this does not tell of is seen by nobody.
    fn ty() -> Type;
}

/// What [`Synced::edit`] does for a type that has nothing below it.
///
/// # Errors
/// As [`Synced::edit`].
pub fn edit_leaf<T: Synced>(
    this: &mut T,
    path: &[Segment],
    edit: Edit,
    author: Author,
) -> Result<Edit, EditError> {
    match (path.first(), edit) {
        (None, edit) => edit_whole(this, edit, author, Reason::NotAList),
        (Some(Segment::Key(_)), _) => Err(EditError::new(Reason::NotAMap)),
        (Some(Segment::Index(_)), _) => Err(EditError::new(Reason::NotAList)),
    }
}

/// The edits that end at a value itself: `Set` replaces it; the ops on lists are refused with `otherwise`.
pub(crate) fn edit_whole<T: Synced>(
    this: &mut T,
    edit: Edit,
    author: Author,
    otherwise: Reason,
) -> Result<Edit, EditError> {
    match edit {
        Edit::Set(payload) => {
            let new = payload.take(Some(this), author)?;
            Ok(Edit::Set(Payload::taken(std::mem::replace(this, new))))
        }
        Edit::Nothing => Ok(Edit::Nothing),
        Edit::Remove => Err(EditError::new(Reason::EmptyPath)),
        Edit::Splice(..) => Err(EditError::new(Reason::NotAText)),
        Edit::Insert(..) | Edit::RemoveAt(..) | Edit::Move(..) | Edit::Reorder(..) => {
            Err(EditError::new(otherwise))
        }
    }
}

/// Compares a leaf and sends it whole if it changed.
#[inline]
pub(crate) fn diff_leaf<T: Synced>(
    this: &T,
    shadow: &mut T::Shadow,
    at: &At<'_>,
    out: &mut Changes,
) {
    if !this.same(shadow) {
        out.set(at, this);
        this.update(shadow);
    }
}
