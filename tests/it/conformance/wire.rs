//! Between the vectors' JSON and the crate's types. Values are read and written here without the crate's own codecs,
//! which are what is tested.

use serde_json::{Value as Json, json};
use transports::session::Frame;
use transports::{Codec, CodecError, Message, Op, Patch, Value};

/// The value that a tagged one stands for.
pub(super) fn value(tagged: &Json) -> Value {
    let Some((kind, content)) = tagged.as_object().and_then(|object| object.iter().next()) else {
        assert_eq!(tagged, "Null", "no tagged value");
        return Value::Null;
    };
    match kind.as_str() {
        "Bool" => Value::Bool(content.as_bool().unwrap()),
        "Int" => Value::Int(content.as_i64().unwrap()),
        "Float" => Value::Float(content.as_f64().unwrap()),
        "Str" => Value::Str(content.as_str().unwrap().to_owned()),
        "List" => content.as_array().unwrap().iter().map(value).collect(),
        "Map" => entries(content, value),
        "Submodel" => Value::Submodel(content.as_u64().unwrap()),
        other => panic!("`{other}` is no kind of value"),
    }
}

/// The value that plain JSON becomes in a model.
pub(super) fn plain(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number
            .as_i64()
            .map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int),
        Json::String(text) => Value::Str(text.clone()),
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(_) => entries(json, plain),
    }
}

fn entries(object: &Json, read: fn(&Json) -> Value) -> Value {
    let entries = object.as_object().unwrap();
    let entries = entries.iter().map(|(key, json)| (key.clone(), read(json)));
    Value::Map(entries.collect())
}

/// A value in its tagged form.
pub(super) fn tagged(value: &Value) -> Json {
    match value {
        Value::Null => json!("Null"),
        Value::Bool(value) => json!({ "Bool": value }),
        Value::Int(value) => json!({ "Int": value }),
        Value::Float(value) => json!({ "Float": value }),
        Value::Str(text) => json!({ "Str": text }),
        Value::List(items) => json!({ "List": items.iter().map(tagged).collect::<Vec<_>>() }),
        Value::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (key.clone(), tagged(value)));
            json!({ "Map": entries.collect::<serde_json::Map<_, _>>() })
        }
        Value::Submodel(id) => json!({ "Submodel": id }),
    }
}

/// A message as data.
pub(super) fn data(message: &Message) -> Json {
    let text = Codec::Json.encode(message).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// The patch, if a frame that holds it is well-formed.
pub(super) fn patch(json: &Json) -> Result<Patch, CodecError> {
    let frame = json!({ "t": "patch", "id": 1, "patch": json }).to_string();
    match Codec::Json.decode(frame.as_bytes())? {
        Message::Patch { patch, .. } => Ok(patch),
        other => panic!("a patch was read as {other:?}"),
    }
}

/// Ops as data.
pub(super) fn ops(ops: &[Op]) -> Json {
    serde_json::to_value(ops).unwrap()
}

/// A built-in codec.
pub(super) fn codec(name: &str) -> Codec {
    Codec::named(name).unwrap_or_else(|| panic!("no codec `{name}`"))
}

/// A frame, from `text` or `hex`.
pub(super) fn frame(case: &Json) -> Frame {
    match case["text"].as_str() {
        Some(text) => Frame::text(text),
        None => Frame::binary(unhex(
            case["hex"].as_str().expect("a frame is `text` or `hex`"),
        )),
    }
}

/// Bytes from their digits.
pub(super) fn unhex(digits: &str) -> Vec<u8> {
    let pairs = (0..digits.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

/// Bytes as digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a client asks for when it connects: `codec`, `since` and `batch` of a step, by way of a query.
pub(super) fn query(step: &Json) -> String {
    let mut query = Vec::new();
    if let Some(codec) = step["codec"].as_str() {
        query.push(format!("codec={}", escaped(codec)));
    }
    if step["since"].is_object() {
        query.push(format!("since={}", escaped(&step["since"].to_string())));
    }
    if step["batch"] == true {
        query.push("batch=1".to_owned());
    }
    query.join("&")
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The query as a published client would make it: without the parameters that servers of theirs ignore.
pub(super) fn published(query: &str) -> &str {
    query
        .strip_suffix("&epoch=&ops=splice%2Cstamp&gone=1")
        .unwrap_or(query)
}
