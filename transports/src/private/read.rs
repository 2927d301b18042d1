//! Values on their way into a model.

use std::collections::BTreeMap;

use crate::edit::{EditError, Reason};
use crate::schema::Type;
use crate::value::Value;

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

/// A field read from the entries by its name or, if that is missing, another one; `default` makes one for a field that
/// is missing.
pub fn read_field<T>(
    entries: &mut BTreeMap<String, Value>,
    type_name: &'static str,
    field: &'static str,
    alias: &[&'static str],
    read: fn(Value) -> Result<T, EditError>,
    ty: fn() -> Type,
    default: Option<fn() -> T>,
) -> Result<T, EditError> {
    let found = std::iter::once(&field)
        .chain(alias)
        .find_map(|name| Some((*name, entries.remove(*name)?)));
    match (found, default) {
        (Some((name, value)), _) => read(value).map_err(|error| error.below(name)),
        (None, Some(default)) => Ok(default()),
        // An optional field may be left out: that is `Null`. Any other may not.
        (None, None) => match ty() {
            Type::Optional(_) => read(Value::Null),
            _ => Err(EditError::new(Reason::MissingField { type_name, field })),
        },
    }
}

/// The items of a value that is to become `len` fields without names.
pub fn items(len: usize, value: Value) -> Result<std::vec::IntoIter<Value>, EditError> {
    match value {
        Value::List(items) if items.len() == len => Ok(items.into_iter()),
        Value::List(_) => Err(EditError::new(Reason::FixedLength { len })),
        other => Err(EditError::expected("a List", &other)),
    }
}

/// The next of the [`items`].
pub fn read_item<T>(
    items: &mut std::vec::IntoIter<Value>,
    index: usize,
    read: fn(Value) -> Result<T, EditError>,
) -> Result<T, EditError> {
    let item = items.next().expect("there are as many items as fields");
    read(item).map_err(|error| error.below(index))
}
