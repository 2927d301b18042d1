//! Values on their way into a model.

use std::iter::Enumerate;
use std::vec::IntoIter;

use super::Keys;
use crate::edit::{EditError, Reason};
use crate::schema::Type;
use crate::value::{Value, ValueMap};
use crate::views::is_hidden;

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
pub fn entries(type_name: &'static str, value: Value) -> Result<Entries, EditError> {
    match value {
        Value::Map(entries) => Ok(Entries {
            type_name,
            entries,
            error: None,
        }),
        other => Err(EditError::expected(
            format!("a Map for `{type_name}`"),
            &other,
        )),
    }
}

/// [`Flat::read_flat`](super::Flat::read_flat).
type ReadFlat<T> = fn(&mut ValueMap, &[&Keys]) -> Result<T, EditError>;

/// The entries that become the fields of a struct. The first error ends it: a function that could return after every
/// field would have to drop the ones before it in as many ways, and a wide struct would take the compiler long.
#[derive(Debug)]
pub struct Entries {
    type_name: &'static str,
    entries: ValueMap,
    error: Option<EditError>,
}

impl Entries {
    /// A field read from the entry of its name.
    #[inline]
    pub fn field<T>(
        &mut self,
        field: &'static str,
        read: fn(Value) -> Result<T, EditError>,
        ty: fn() -> Type,
    ) -> Option<T> {
        self.field_or(field, &[], read, ty, None)
    }

    /// A field read from the entry of its name or, if that is missing, of another one; `default` makes one for a field
    /// that is missing.
    pub fn field_or<T>(
        &mut self,
        field: &'static str,
        alias: &[&'static str],
        read: fn(Value) -> Result<T, EditError>,
        ty: fn() -> Type,
        default: Option<fn() -> T>,
    ) -> Option<T> {
        if self.error.is_some() {
            return None;
        }
        let (name, value) = match (self.find(field, alias), default) {
            (Some(found), _) => found,
            (None, Some(default)) => return Some(default()),
            (None, None) => (field, self.missing(field, ty)?),
        };
        match read(value) {
            Ok(value) => Some(value),
            Err(error) => self.fail(error.below(name)),
        }
    }

    /// As [`field_or`](Self::field_or), for a field with a view: who does not see it cannot bring it either.
    pub fn viewed<T>(
        &mut self,
        view: &str,
        field: &'static str,
        alias: &[&'static str],
        read: fn(Value) -> Result<T, EditError>,
        default: fn() -> T,
    ) -> Option<T> {
        if is_hidden(view) {
            for name in std::iter::once(&field).chain(alias) {
                self.take(name);
            }
            return self.error.is_none().then(default);
        }
        self.field_or(field, alias, read, || Type::Any, Some(default))
    }

    fn find(
        &mut self,
        field: &'static str,
        alias: &[&'static str],
    ) -> Option<(&'static str, Value)> {
        let mut names = std::iter::once(&field).chain(alias);
        names.find_map(|name| Some((*name, self.take(name)?)))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.entries.remove(name)
    }

    /// The name of an enum's variant, which stands at `tag`.
    pub(super) fn take_tag(&mut self, tag: &'static str) -> Result<String, EditError> {
        match self.take(tag) {
            Some(Value::Str(name)) => Ok(name),
            Some(other) => {
                Err(EditError::expected("a Str, the name of a variant", &other).below(tag))
            }
            None => Err(EditError::new(Reason::MissingField {
                type_name: self.type_name,
                field: tag,
            })),
        }
    }

    /// An optional field may be left out: that is `Null`. Any other may not.
    fn missing(&mut self, field: &'static str, ty: fn() -> Type) -> Option<Value> {
        match ty() {
            Type::Optional(_) => Some(Value::Null),
            _ => self.fail(EditError::new(Reason::MissingField {
                type_name: self.type_name,
                field,
            })),
        }
    }

    /// A field that takes several entries.
    pub fn flat<T>(&mut self, read: ReadFlat<T>, taken: &[&Keys]) -> Option<T> {
        if self.error.is_some() {
            return None;
        }
        match read(&mut self.entries, taken) {
            Ok(value) => Some(value),
            Err(error) => self.fail(error),
        }
    }

    fn fail<T>(&mut self, error: EditError) -> Option<T> {
        self.error = Some(error);
        None
    }

    /// What a field failed with.
    pub fn error<T>(self) -> Result<T, EditError> {
        Err(self.error.expect("a field is missing because of an error"))
    }
}

/// The items of a value that is to become `len` fields without names.
pub fn items(len: usize, value: Value) -> Result<Items, EditError> {
    match value {
        Value::List(items) if items.len() == len => Ok(Items {
            items: items.into_iter().enumerate(),
            error: None,
        }),
        Value::List(_) => Err(EditError::new(Reason::FixedLength { len })),
        other => Err(EditError::expected("a List", &other)),
    }
}

/// As [`Entries`], for fields without names.
#[derive(Debug)]
pub struct Items {
    items: Enumerate<IntoIter<Value>>,
    error: Option<EditError>,
}

impl Items {
    /// The next field.
    pub fn field<T>(&mut self, read: fn(Value) -> Result<T, EditError>) -> Option<T> {
        if self.error.is_some() {
            return None;
        }
        let (index, item) = self.items.next()?;
        match read(item) {
            Ok(value) => Some(value),
            Err(error) => {
                self.error = Some(error.below(index));
                None
            }
        }
    }

    /// What a field failed with.
    pub fn error<T>(self) -> Result<T, EditError> {
        Err(self.error.expect("there are as many items as fields"))
    }
}
