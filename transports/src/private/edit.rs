//! Edits on their way through a struct.

use crate::edit::{Author, Edit, EditError, Payload, Reason};
use crate::path::Segment;
use crate::schema::Type;
use crate::synced::{self, Synced};
use crate::value::Value;
use crate::views::is_limited;

/// The edits that end at a struct or enum itself.
pub fn edit_whole<T: Synced>(this: &mut T, edit: Edit, author: Author) -> Result<Edit, EditError> {
    synced::edit_whole(this, edit, author, Reason::NotAList)
}

/// The edits that end at a tuple struct itself.
pub fn edit_tuple<T: Synced>(
    this: &mut T,
    edit: Edit,
    author: Author,
    len: usize,
) -> Result<Edit, EditError> {
    synced::edit_whole(this, edit, author, Reason::FixedLength { len })
}

/// The same error seen from one level further up.
pub fn below<T>(result: Result<T, EditError>, segment: impl Into<Segment>) -> Result<T, EditError> {
    result.map_err(|error| error.below(segment))
}

/// The edit to make of a field: `Remove` sets an optional one to `Null`, and any other cannot be removed.
pub fn put_back(
    edit: Edit,
    deeper: &[Segment],
    author: Author,
    read_only: bool,
    ty: fn() -> Type,
) -> Result<Edit, EditError> {
    match (editable(edit, author, read_only)?, deeper) {
        (Edit::Remove, []) => match ty() {
            Type::Optional(_) => Ok(Edit::Set(Payload::wire(Value::Null))),
            _ => Err(EditError::new(Reason::NotRemovable)),
        },
        (edit, _) => Ok(edit),
    }
}

/// As [`put_back`], for a field with a default.
pub fn put_default<T: Send + 'static>(
    edit: Edit,
    deeper: &[Segment],
    author: Author,
    read_only: bool,
    default: fn() -> T,
) -> Result<Edit, EditError> {
    match (editable(edit, author, read_only)?, deeper) {
        (Edit::Remove, []) => Ok(Edit::Set(Payload::taken(default()))),
        (edit, _) => Ok(edit),
    }
}

/// As [`put_back`], for a field without a name.
pub fn put_item(
    edit: Edit,
    deeper: &[Segment],
    author: Author,
    read_only: bool,
) -> Result<Edit, EditError> {
    match (editable(edit, author, read_only)?, deeper) {
        (Edit::Remove, []) => Err(EditError::new(Reason::RemoveIndex)),
        (edit, _) => Ok(edit),
    }
}

/// As [`put_back`], for all there is of a variant.
pub fn put_content(
    edit: Edit,
    deeper: &[Segment],
    author: Author,
    read_only: bool,
) -> Result<Edit, EditError> {
    match (editable(edit, author, read_only)?, deeper) {
        (Edit::Remove, []) => Err(EditError::new(Reason::NotRemovable)),
        (edit, _) => Ok(edit),
    }
}

fn editable(edit: Edit, author: Author, read_only: bool) -> Result<Edit, EditError> {
    match author {
        Author::Client if read_only => Err(EditError::new(Reason::ReadOnly)),
        _ => Ok(edit),
    }
}

/// A computed field follows from the others, on this side, too: the host's word changes nothing, and a client has none.
pub fn edit_computed(author: Author, name: &str) -> Result<Edit, EditError> {
    match author {
        Author::Host => Ok(Edit::Nothing),
        Author::Client => Err(EditError::new(Reason::ReadOnly).below(name)),
    }
}

/// A name that is no field's.
pub fn unknown_field(type_name: &'static str, name: &str) -> Result<Edit, EditError> {
    Err(EditError::new(Reason::UnknownField { type_name }).below(name))
}

/// The answer of a flattened field to an edit of one of its names. If it has no such field after all, who has another view
/// may see one there, and this says no more than that its holder has none.
pub fn edited_flat(
    edited: Result<Edit, EditError>,
    type_name: &'static str,
    name: &str,
) -> Result<Edit, EditError> {
    match edited {
        Err(error) if is_limited() && error.is_unknown_field() => unknown_field(type_name, name),
        edited => edited,
    }
}

/// A path that does not lead on with the name of a field.
pub fn no_list(path: &[Segment]) -> Result<Edit, EditError> {
    let error = EditError::new(Reason::NotAList);
    Err(match path {
        [Segment::Index(index), ..] => error.below(*index),
        _ => error,
    })
}

/// A path that does not lead on with a position.
pub fn no_map() -> Result<Edit, EditError> {
    Err(EditError::new(Reason::NotAMap))
}

/// A position beyond the fields.
pub fn no_item(index: usize, len: usize) -> Result<Edit, EditError> {
    Err(EditError::new(Reason::IndexOutOfBounds { index, len }))
}

/// Whether a client may bring a field that it may not change: it has to be what it was, or what a new one starts as.
pub fn admit_read_only<T, S>(
    field: &T,
    old: Option<&T>,
    default: Option<fn() -> T>,
    shadow: fn(&T) -> S,
    same: fn(&T, &S) -> bool,
) -> Result<(), EditError> {
    let expected = match (old, default) {
        (Some(old), _) => Some(shadow(old)),
        (None, Some(default)) => Some(shadow(&default())),
        (None, None) => None,
    };
    if expected.is_some_and(|expected| same(field, &expected)) {
        Ok(())
    } else {
        Err(EditError::new(Reason::ReadOnly))
    }
}
