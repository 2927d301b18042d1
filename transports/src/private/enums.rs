//! Enums with data, in serde's representations.

use super::Entries;
use crate::edit::{Author, Edit, EditError, Payload, Reason};
use crate::path::Segment;
use crate::synced::{self, Synced};
use crate::value::Value;

/// The variant's name and what is in it: `"Name"` or `{"Name": content}`.
pub fn external(value: Value, expected: &str) -> Result<(String, Option<Value>), EditError> {
    match value {
        Value::Str(name) => Ok((name, None)),
        Value::Map(mut entries) => match (entries.pop_first(), entries.is_empty()) {
            (Some((name, content)), true) => Ok((name, Some(content))),
            _ => Err(EditError::new(Reason::Rule(format!(
                "expected a Map with one entry, named after {expected}"
            )))),
        },
        other => Err(EditError::expected(expected, &other)),
    }
}

/// The variant's name and its fields, between which the name stands.
pub fn internal(
    value: Value,
    type_name: &'static str,
    tag: &'static str,
) -> Result<(String, Entries), EditError> {
    let mut entries = super::entries(type_name, value)?;
    let name = entries.take_tag(tag)?;
    Ok((name, entries))
}

/// The variant's name and what is in it, side by side.
pub fn adjacent(
    value: Value,
    type_name: &'static str,
    tag: &'static str,
    content: &'static str,
) -> Result<(String, Option<Value>), EditError> {
    let mut entries = super::entries(type_name, value)?;
    let name = entries.take_tag(tag)?;
    Ok((name, entries.take(content)))
}

/// A variant without data.
pub fn no_content<T>(
    content: Option<Value>,
    expected: &str,
    unit: fn() -> T,
) -> Result<T, EditError> {
    match content {
        // Some write a variant without data as one with nothing in it.
        None | Some(Value::Null) => Ok(unit()),
        Some(other) => Err(EditError::expected(
            format!("nothing besides the name, as {expected} asks for"),
            &other,
        )),
    }
}

/// A variant with data, which stands at `name`.
pub fn read_content<T>(
    content: Option<Value>,
    expected: &str,
    name: &'static str,
    read: fn(Value) -> Result<T, EditError>,
) -> Result<T, EditError> {
    let content = content.ok_or_else(|| {
        EditError::new(Reason::Rule(format!(
            "expected {expected} with what belongs to it, found the name alone"
        )))
    })?;
    read(content).map_err(|error| error.below(name))
}

/// A name that is no variant's.
pub fn unknown_variant<T>(
    name: &str,
    tag: Option<&'static str>,
    expected: &str,
) -> Result<T, EditError> {
    let error = EditError::expected(expected, &Value::from(name));
    Err(match tag {
        Some(tag) => error.below(tag),
        None => error,
    })
}

/// A key below an enum that its present variant does not have.
pub fn no_entry(name: &str) -> Result<Edit, EditError> {
    Err(EditError::new(Reason::MissingKey).below(name))
}

/// The tag changes with the whole enum, or the rest would not fit it.
pub fn edit_tag(
    deeper: &[Segment],
    edit: Edit,
    tag: &str,
    present: &'static str,
) -> Result<Edit, EditError> {
    if !deeper.is_empty() {
        return Err(EditError::new(Reason::NotAMap).below(tag));
    }
    if let Edit::Set(payload) = edit
        && let Value::Str(name) = payload.take::<Value>(None, Author::Host)?
        && name == present
    {
        return Ok(Edit::Nothing);
    }
    let message = "another variant is set as a whole".to_owned();
    Err(EditError::new(Reason::Rule(message)).below(tag))
}

/// An edit that brings all that is in the present variant, which stands at `name`: `wrap` makes it a value of the enum.
pub fn edit_content<T: Synced>(
    this: &mut T,
    edit: Edit,
    author: Author,
    name: &'static str,
    wrap: fn(Value) -> Value,
) -> Result<Edit, EditError> {
    let payload = match edit {
        Edit::Set(payload) => payload,
        Edit::Remove => return Err(EditError::new(Reason::NotRemovable).below(name)),
        Edit::Nothing => return Ok(Edit::Nothing),
        _ => return Err(EditError::new(Reason::NotAList).below(name)),
    };
    let whole = match payload.into_taken::<T>() {
        Ok(taken) => Payload::taken(taken),
        Err(wire) => Payload::wire(wrap(wire.take::<Value>(None, Author::Host)?)),
    };
    synced::edit_whole(this, Edit::Set(whole), author, Reason::NotAList)
}

/// `{name: content}`
#[must_use]
pub fn entry(name: &'static str, content: Value) -> Value {
    Value::from_iter([(name, content)])
}

/// `{tag: name, at: content}`
#[must_use]
pub fn tagged(tag: &'static str, name: &'static str, at: &'static str, content: Value) -> Value {
    Value::from_iter([(tag, Value::from(name)), (at, content)])
}
