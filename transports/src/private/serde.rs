//! `#[synced(with = "serde")]`: what serde makes of a type, as one leaf.

use std::mem;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::With;
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::Value;
use crate::writer::Writer;

/// What a type needs to be carried by serde.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be synced by way of serde",
    label = "`with = \"serde\"` needs serde's traits, `PartialEq` and `Clone`",
    note = "add `#[derive(Serialize, Deserialize, PartialEq, Clone)]` to `{Self}` if it is yours"
)]
pub trait Opaque {
    /// Something to mention.
    const HERE: bool = true;
}

#[diagnostic::do_not_recommend]
impl<T: Whole> Opaque for T {}

/// The same as bounds.
pub trait Whole: Serialize + DeserializeOwned + PartialEq + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + PartialEq + Clone + Send + Sync + 'static> Whole for T {}

/// Carries types that serde knows.
#[derive(Debug)]
pub struct Serde;

impl<T: Whole> With<T> for Serde {
    /// What the wire has; nothing if there never was anything that it could carry.
    type Shadow = Option<T>;

    fn shadow(this: &T) -> Option<T> {
        to_value(this).is_ok().then(|| this.clone())
    }

    fn same(this: &T, shadow: &Option<T>) -> bool {
        shadow.as_ref() == Some(this)
    }

    fn diff(this: &mut T, shadow: &mut Option<T>, at: &At<'_>, out: &mut Changes) {
        if Self::same(this, shadow) {
            return;
        }
        match to_value(this) {
            Err(reason) => out.fault(at, reason),
            Ok(value) => {
                // A value may differ from itself, as NaN does, and still be the same on the wire.
                let known = shadow.as_ref().and_then(|shadow| to_value(shadow).ok());
                if known.as_ref() != Some(&value) {
                    out.set(at, &value);
                }
                *shadow = Some(this.clone());
            }
        }
    }

    fn write(this: &T, settled: Option<&Option<T>>, out: &mut Writer) {
        let value = to_value(this).or_else(|_| match settled {
            Some(Some(settled)) => to_value(settled),
            _ => Ok(Value::Null),
        });
        out.value(&value.unwrap_or_default());
    }

    fn read(value: Value) -> Result<T, EditError> {
        serde_json::from_value(to_json(value))
            .map_err(|error| EditError::new(Reason::Rule(error.to_string())))
    }

    fn edit(this: &mut T, path: &[Segment], edit: Edit, _: Author) -> Result<Edit, EditError> {
        match (path, edit) {
            ([], Edit::Set(payload)) => {
                let new = match payload.into_taken::<T>() {
                    Ok(taken) => taken,
                    Err(wire) => <Self as With<T>>::read(wire.take::<Value>(None, Author::Host)?)?,
                };
                let old = mem::replace(this, new);
                Ok(Edit::Set(crate::edit::Payload::taken(old)))
            }
            ([], Edit::Nothing) => Ok(Edit::Nothing),
            ([], Edit::Remove) => Err(EditError::new(Reason::EmptyPath)),
            _ => Err(EditError::new(Reason::Rule(
                "this is replaced as a whole".to_owned(),
            ))),
        }
    }

    fn ty() -> Type {
        Type::Any
    }
}

/// Plain data of serde as a value of the wire.
fn to_value<T: Serialize>(this: &T) -> Result<Value, String> {
    let json = serde_json::to_value(this).map_err(|error| error.to_string())?;
    from_json(json)
}

fn from_json(json: Json) -> Result<Value, String> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Value::Int(int),
            (None, Some(wide)) => {
                return Err(format!(
                    "{wide} is not in {}..={}, which is what the wire carries",
                    i64::MIN,
                    i64::MAX
                ));
            }
            (None, None) => number.as_f64().map_or(Value::Null, Value::Float),
        },
        Json::String(text) => Value::Str(text),
        Json::Array(items) => {
            Value::List(items.into_iter().map(from_json).collect::<Result<_, _>>()?)
        }
        Json::Object(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| Ok((key, from_json(value)?)))
                .collect::<Result<_, String>>()?,
        ),
    })
}

fn to_json(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => value.into(),
        Value::Int(value) => value.into(),
        // `None` of a number that is not finite, which is what `Null` says.
        Value::Float(value) => serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number),
        Value::Str(text) => text.into(),
        Value::Submodel(id) => id.into(),
        Value::List(items) => items.into_iter().map(to_json).collect(),
        Value::Map(entries) => entries
            .into_iter()
            .map(|(key, value)| (key, to_json(value)))
            .collect(),
    }
}
