//! Values as plain JSON, as people write it, and back.

use serde_json::{Number, json};
use transports::Value;

/// The value without the tags of the wire.
pub(crate) fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(bool) => (*bool).into(),
        Value::Int(int) => (*int).into(),
        Value::Float(float) => Number::from_f64(*float).map_or(serde_json::Value::Null, Into::into),
        Value::Str(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), plain(value)))
            .collect(),
        Value::Submodel(id) => json!({ "submodel": id }),
    }
}

/// What was written, as a value. A whole number becomes a float where there was one.
pub(crate) fn value(json: serde_json::Value, old: Option<&Value>) -> Result<Value, String> {
    Ok(match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(bool) => Value::Bool(bool),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64(), old) {
            (Some(_), Some(float), Some(Value::Float(_))) => Value::Float(float),
            (Some(int), ..) => Value::Int(int),
            (None, Some(float), _) if !number.is_u64() => Value::Float(float),
            _ => return Err(format!("{number} does not fit in 64 bits with sign")),
        },
        serde_json::Value::String(text) => Value::Str(text),
        serde_json::Value::Array(items) => {
            let old = |index: usize| match old {
                Some(Value::List(items)) => items.get(index),
                _ => None,
            };
            let items = items.into_iter().enumerate();
            Value::List(
                items
                    .map(|(index, item)| value(item, old(index)))
                    .collect::<Result<_, _>>()?,
            )
        }
        serde_json::Value::Object(entries) => {
            let old = |key: &str| match old {
                Some(Value::Map(entries)) => entries.get(key),
                _ => None,
            };
            let entries = entries.into_iter().map(|(key, entry)| {
                let entry = value(entry, old(&key))?;
                Ok((key, entry))
            });
            Value::Map(entries.collect::<Result<_, String>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_stay_floats_where_there_were_floats() {
        let old = Value::from_iter([("f", Value::Float(0.5)), ("i", Value::Int(1))]);
        let new = value(json!({"f": 2, "i": 2, "new": 2.5}), Some(&old)).unwrap();
        let wanted = [
            ("f", Value::Float(2.0)),
            ("i", Value::Int(2)),
            ("new", Value::Float(2.5)),
        ];
        assert_eq!(new, Value::from_iter(wanted));
        assert_eq!(plain(&new), json!({"f": 2.0, "i": 2, "new": 2.5}));
        assert!(value(json!(u64::MAX), None).is_err());
    }
}
