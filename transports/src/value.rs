//! The data tree that travels.

mod map;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

pub use self::map::{IntoIter, Iter, IterMut, ValueMap};

/// A tree of plain data: what a model looks like on the wire.
///
/// A typed model never becomes a `Value` on its way out. Values are what dynamic models and mirrors hold, and what
/// an edit proposed by a client arrives as.
///
/// `Int` and `Float` are different kinds: going from `Int(1)` to `Float(1.0)` is a change. `0.0` and `-0.0` are
/// equal.
///
/// The serde form is the tagged one of the wire (`docs/protocol.md`, "Values"): `"Null"`, `{"Int":3}`,
/// `{"Map":{"k":{"Str":"v"}}}`.
///
/// ```
/// use transports::Value;
///
/// let value = Value::from_iter([("on", Value::from(true)), ("level", Value::from(3))]);
/// assert_eq!(serde_json::to_string(&value)?, r#"{"Map":{"level":{"Int":3},"on":{"Bool":true}}}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing: an absent optional, or a number that the wire cannot carry (NaN, the infinities).
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a point. Only finite ones can travel; others go out as `Null`.
    Float(f64),
    /// Unicode text.
    Str(String),
    /// Items in order.
    List(Vec<Self>),
    /// Entries by text key, in byte order of the keys.
    Map(ValueMap),
    /// The id of another model. No published bridge makes one; it is carried as it is.
    Submodel(u64),
}

impl Value {
    /// The kind's name as the wire writes it: `"Int"`, `"Map"`, ...
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::Bool(_) => "Bool",
            Self::Int(_) => "Int",
            Self::Float(_) => "Float",
            Self::Str(_) => "Str",
            Self::List(_) => "List",
            Self::Map(_) => "Map",
            Self::Submodel(_) => "Submodel",
        }
    }

    /// How many lists and maps enclose the deepest leaf, this value included: 0 for a scalar, 1 for `[]`.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Map(entries) => 1 + entries.values().map(Self::depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// The entry under `key`, if this is a map that has one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.get(key),
            _ => None,
        }
    }

    /// The item at `index`, if this is a list that is long enough.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<&Self> {
        match self {
            Self::List(items) => items.get(index),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($from:ty => |$value:ident| $into:expr;)+) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $into
            }
        }
    )+};
}

from! {
    bool => |value| Self::Bool(value);
    i64 => |value| Self::Int(value);
    i32 => |value| Self::Int(value.into());
    u32 => |value| Self::Int(value.into());
    f64 => |value| Self::Float(value);
    &str => |value| Self::Str(value.to_owned());
    String => |value| Self::Str(value);
    Vec<Self> => |value| Self::List(value);
    BTreeMap<String, Self> => |value| Self::Map(value.into());
    ValueMap => |value| Self::Map(value);
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<K: Into<String>> FromIterator<(K, Self)> for Value {
    fn from_iter<I: IntoIterator<Item = (K, Self)>>(entries: I) -> Self {
        Self::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
    }
}

impl FromIterator<Self> for Value {
    fn from_iter<I: IntoIterator<Item = Self>>(items: I) -> Self {
        Self::List(items.into_iter().collect())
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;

        fn tagged<S: Serializer, T: Serialize + ?Sized>(
            serializer: S,
            kind: &str,
            content: &T,
        ) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(kind, content)?;
            map.end()
        }

        let kind = self.kind();
        match self {
            Self::Float(value) if value.is_finite() => tagged(serializer, kind, value),
            Self::Null | Self::Float(_) => serializer.serialize_str("Null"),
            Self::Bool(value) => tagged(serializer, kind, value),
            Self::Int(value) => tagged(serializer, kind, value),
            Self::Str(value) => tagged(serializer, kind, value),
            Self::List(items) => tagged(serializer, kind, items),
            Self::Map(entries) => tagged(serializer, kind, entries),
            Self::Submodel(id) => tagged(serializer, kind, id),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tagged)
    }
}

const KINDS: &[&str] = &[
    "Null", "Bool", "Int", "Float", "Str", "List", "Map", "Submodel",
];

/// Reads `"Null"` or a map with exactly one member, named after the kind.
struct Tagged;

impl<'de> Visitor<'de> for Tagged {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"Null\" or an object with one member named after a kind of value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        match text {
            "Null" => Ok(Value::Null),
            other => Err(E::unknown_variant(other, KINDS)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Some(kind) = map.next_key::<String>()? else {
            return Err(de::Error::custom("a value needs a kind, found {}"));
        };
        let value = match kind.as_str() {
            "Null" => map.next_value::<()>().map(|()| Value::Null),
            "Bool" => map.next_value().map(Value::Bool),
            "Int" => map.next_value().map(Value::Int),
            "Float" => map.next_value::<Finite>().map(|f| Value::Float(f.0)),
            "Str" => map.next_value().map(Value::Str),
            "List" => map.next_value().map(Value::List),
            "Map" => map.next_value().map(Value::Map),
            "Submodel" => map.next_value().map(Value::Submodel),
            other => Err(de::Error::unknown_variant(other, KINDS)),
        }?;
        match map.next_key::<de::IgnoredAny>()? {
            None => Ok(value),
            Some(_) => Err(de::Error::custom("a value has exactly one kind, found two")),
        }
    }
}

/// A float that may be written as an integer: browsers do not know `1.0` and write `{"Float":1}`.
struct Finite(f64);

impl<'de> Deserialize<'de> for Finite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Finite;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a finite number")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Finite, E> {
                if value.is_finite() {
                    Ok(Finite(value))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(value), &self))
                }
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "beyond 2^53 the nearest float is what is meant"
            )]
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Finite, E> {
                Ok(Finite(value as f64))
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "beyond 2^53 the nearest float is what is meant"
            )]
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Finite, E> {
                Ok(Finite(value as f64))
            }
        }

        deserializer.deserialize_any(Number)
    }
}
