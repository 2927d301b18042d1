//! Models and places in them by the names that people type: `Device.children[0].label`, `1.name`.

use transports::message::ModelId;
use transports::mirror::{MirrorEvent, Mirrors};
use transports::server::{Connection, Opening};
use transports::session::Frame;
use transports::{Codec, Mirror, Op, Path, Server, Value};

use serde_json::{Map, Value as Json};

use super::CellError;

/// All models as a client of the server sees them.
pub(super) struct Places {
    connection: Connection,
    mirrors: Mirrors,
}

/// A model, or a place in one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) id: ModelId,
    pub(super) path: Path,
}

impl Places {
    pub(super) fn open(server: &Server) -> Result<Self, CellError> {
        let mut opening = Opening::default();
        opening.codec = Some(Codec::Json.name().to_owned());
        let mut places = Self {
            connection: server.open(&opening)?,
            mirrors: Mirrors::default(),
        };
        places.refresh()?;
        Ok(places)
    }

    /// Takes in what is new.
    fn refresh(&mut self) -> Result<Vec<MirrorEvent>, CellError> {
        let mut events = Vec::new();
        while let Some(frame) = self.connection.try_next() {
            events.extend(self.mirrors.receive(&frame.bytes)?);
        }
        Ok(events)
    }

    /// Waits for something new.
    pub(super) async fn changed(&mut self) -> Result<(), CellError> {
        let ended = || CellError::new("ConnectionError", "the server ended the connection");
        let frame = self.connection.next().await.ok_or_else(ended)?;
        self.mirrors.receive(&frame.bytes)?;
        self.refresh()?;
        Ok(())
    }

    pub(super) fn models(&self) -> impl Iterator<Item = &Mirror> {
        self.mirrors.iter()
    }

    /// The place of this name.
    pub(super) fn find(&self, text: &str) -> Result<Place, CellError> {
        let end = text.find(['.', '[']).unwrap_or(text.len());
        let (model, rest) = text.split_at(end);
        let id = self.model(model)?;
        let path = parse(rest).ok_or_else(|| {
            CellError::new(
                "PathError",
                format!("`{text}` is not written as `Model.field[0][\"key\"]`"),
            )
        })?;
        Ok(Place { id, path })
    }

    fn model(&self, name: &str) -> Result<ModelId, CellError> {
        let named: Vec<_> = self
            .models()
            .filter(|model| model.type_name() == Some(name) || model.id().to_string() == name)
            .map(Mirror::id)
            .collect();
        match named.as_slice() {
            [id] => Ok(*id),
            [] => {
                let known: Vec<_> = self.models().map(name_of).collect();
                let message = format!("there is no model `{name}`, only: {}", known.join(", "));
                Err(CellError::new("PathError", message))
            }
            several => {
                let message = format!("`{name}` may be one of {several:?}: use the number");
                Err(CellError::new("PathError", message))
            }
        }
    }

    pub(super) fn revision(&self, id: ModelId) -> u64 {
        self.mirrors.get(id).and_then(Mirror::revision).unwrap_or(0)
    }

    pub(super) fn value(&self, place: &Place) -> Result<&Value, CellError> {
        let model = self.mirrors.get(place.id).and_then(Mirror::get);
        let model = model.ok_or_else(|| CellError::new("PathError", "the model has no value"))?;
        let mut value = model;
        let mut here = Path::root();
        for segment in place.path.iter() {
            let deeper = match segment {
                transports::Segment::Key(key) => value.get(key),
                transports::Segment::Index(index) => value.at(*index),
            };
            here.push(segment.clone());
            value =
                deeper.ok_or_else(|| CellError::new("PathError", format!("there is no {here}")))?;
        }
        Ok(value)
    }

    /// Edits as any client does. The error says path and reason.
    pub(super) fn set(&mut self, place: &Place, json: &Json) -> Result<(), CellError> {
        let old = self.value(place).ok().cloned();
        let set = Op::Set {
            path: place.path.clone(),
            value: tagged(json, old.as_ref()),
        };
        let message = self.mirrors.propose(place.id, vec![set], None)?;
        let frame = Codec::Json.encode(&message)?;
        let text = String::from_utf8(frame.to_vec())?;
        self.connection.receive(&Frame::text(text))?;
        for event in self.refresh()? {
            if let MirrorEvent::Rejected { error, .. } = event {
                return Err(CellError::new("Rejected", error));
            }
        }
        Ok(())
    }

    /// The names that begin with what was typed.
    pub(super) fn complete(&self, typed: &str) -> Vec<String> {
        let Some(end) = typed.rfind(['.', '[']) else {
            let names = self.models().filter_map(Mirror::type_name);
            return starting(names.map(str::to_owned), typed);
        };
        let above = typed.get(..end).unwrap_or_default();
        let Ok(Value::Map(_) | Value::List(_)) = self
            .find(above)
            .and_then(|place| self.value(&place).cloned())
        else {
            return Vec::new();
        };
        let place = self.find(above);
        let Ok(value) = place.and_then(|place| self.value(&place)) else {
            return Vec::new();
        };
        match value {
            Value::Map(entries) => {
                let names =
                    entries
                        .keys()
                        .map(|key| match Path::from_iter([key.as_str().into()]) {
                            path if path.to_string() == *key => format!("{above}.{key}"),
                            path => format!("{above}{path}"),
                        });
                starting(names, typed)
            }
            Value::List(items) => starting(
                (0..items.len()).map(|index| format!("{above}[{index}]")),
                typed,
            ),
            _ => Vec::new(),
        }
    }
}

fn starting(names: impl Iterator<Item = String>, typed: &str) -> Vec<String> {
    names.filter(|name| name.starts_with(typed)).collect()
}

pub(super) fn name_of(model: &Mirror) -> String {
    format!("{} ({})", model.type_name().unwrap_or("?"), model.id())
}

/// What follows a model's name: `.field`, `[0]`, `["key"]`.
fn parse(mut text: &str) -> Option<Path> {
    let mut path = Path::root();
    while !text.is_empty() {
        if let Some(rest) = text.strip_prefix('.') {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, rest) = rest.split_at(end);
            if key.is_empty() {
                return None;
            }
            path.push(key);
            text = rest;
        } else {
            let mut segments =
                serde_json::Deserializer::from_str(text.strip_prefix('[')?).into_iter();
            match segments.next()?.ok()? {
                Json::String(key) => path.push(key.as_str()),
                Json::Number(index) => path.push(usize::try_from(index.as_u64()?).ok()?),
                _ => return None,
            }
            text = text.get(1 + segments.byte_offset()..)?.strip_prefix(']')?;
        }
    }
    Some(path)
}

/// A value as people write it. Numbers that cannot be told apart are of the kind that is there.
fn tagged(json: &Json, old: Option<&Value>) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), old) {
            (Some(int), None | Some(Value::Int(_) | Value::Null)) => Value::Int(int),
            (Some(int), Some(old)) if !matches!(old, Value::Float(_)) => Value::Int(int),
            _ => Value::Float(number.as_f64().unwrap_or(f64::MAX)),
        },
        Json::String(text) => Value::Str(text.clone()),
        Json::Array(items) => Value::List(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| tagged(item, old.and_then(|old| old.at(index))))
                .collect(),
        ),
        Json::Object(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, item)| (key.clone(), tagged(item, old.and_then(|old| old.get(key)))))
                .collect(),
        ),
    }
}

/// A value as people read it.
pub(super) fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Str(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, item)| (key.clone(), plain(item)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Submodel(id) => (*id).into(),
        _ => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use transports::Session;

    use super::*;

    fn places() -> Places {
        let session = Session::new();
        let child = Value::from_iter([("label", Value::from("one"))]);
        let lamp = Value::from_iter([
            ("level", Value::Float(1.0)),
            ("odd key", 3.into()),
            ("children", Value::List(vec![child])),
        ]);
        let _lamp = session.host_named("Lamp", lamp);
        let _first = session.host_named("Twin", Value::Int(1));
        let _second = session.host_named("Twin", Value::Int(2));
        Places::open(&Server::new(session)).unwrap()
    }

    #[test]
    fn places_are_found_by_name_and_number() {
        let places = places();
        for (text, expected) in [
            ("Lamp.children[0].label", json!("one")),
            ("1.children[0][\"label\"]", json!("one")),
            ("Lamp[\"odd key\"]", json!(3)),
            ("3", json!(2)),
        ] {
            let place = places.find(text).unwrap();
            assert_eq!(plain(places.value(&place).unwrap()), expected, "{text}");
        }
        for text in [
            "",
            "Lump",
            "Twin",
            "Lamp.",
            "Lamp..x",
            "Lamp[",
            "Lamp[0",
            "Lamp[-1]",
            "Lamp[0]x",
            "Lamp[null]",
        ] {
            assert!(places.find(text).is_err(), "{text}");
        }
        let missing = places.find("Lamp.children[1].label").unwrap();
        let error = places.value(&missing).unwrap_err();
        assert_eq!(error.message, "there is no children[1]");
    }

    #[test]
    fn a_whole_number_in_a_floats_place_is_a_float() {
        let mut places = places();
        let place = places.find("Lamp.level").unwrap();
        places.set(&place, &json!(2)).unwrap();
        assert_eq!(places.value(&place).unwrap(), &Value::Float(2.0));
    }

    #[test]
    fn names_are_completed() {
        let places = places();
        assert_eq!(places.complete("L"), ["Lamp"]);
        assert_eq!(
            places.complete("Lamp."),
            ["Lamp.children", "Lamp.level"],
            "a key that needs quotes is not typed like this"
        );
        assert_eq!(places.complete("Lamp["), ["Lamp[\"odd key\"]"]);
        assert_eq!(places.complete("Lamp.children["), ["Lamp.children[0]"]);
        assert_eq!(
            places.complete("Lamp.children[0].l"),
            ["Lamp.children[0].label"]
        );
        assert!(places.complete("Nope.").is_empty());
    }
}
