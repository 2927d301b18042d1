//! The models that the scripts are about, under the names they have there.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use transports::edit::EditError;
use transports::message::ModelId;
use transports::schema::Type;
use transports::session::Hosted;
use transports::{Schema, Session, Synced, Value, ValueMap};

use super::wire;

#[derive(Synced)]
struct Device {
    name: String,
    on: bool,
    #[synced(range = 0..=100)]
    brightness: i64,
    tags: Vec<String>,
    meta: BTreeMap<String, i64>,
    children: Vec<Child>,
}

#[derive(Synced, Default)]
struct Child {
    id: i64,
    label: String,
}

#[derive(Synced)]
struct Counter {
    n: i64,
    label: String,
}

#[derive(Synced)]
struct Gauge {
    value: f64,
    unit: String,
    limits: Limits,
}

#[derive(Synced, Default)]
struct Limits {
    lo: f64,
    hi: f64,
}

#[derive(Synced)]
struct Profile {
    nick: Option<String>,
    score: Option<i64>,
    flags: BTreeMap<String, bool>,
    matrix: Vec<Vec<i64>>,
}

#[derive(Synced, Default)]
struct Point {
    x: f64,
    y: f64,
    name: String,
}

#[derive(Synced, Default)]
struct Packed {
    n: i64,
    tags: Vec<String>,
}

#[derive(Synced, Default)]
struct Empty {}

impl Default for Device {
    fn default() -> Self {
        let child = |id, label: &str| Child {
            id,
            label: label.to_owned(),
        };
        Self {
            name: "lamp".to_owned(),
            on: false,
            brightness: 50,
            tags: vec!["a".to_owned(), "b".to_owned()],
            meta: BTreeMap::from([("x".to_owned(), 1)]),
            children: vec![child(1, "one"), child(2, "two")],
        }
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self {
            n: 0,
            label: "c".to_owned(),
        }
    }
}

impl Default for Gauge {
    fn default() -> Self {
        Self {
            value: 0.5,
            unit: "C".to_owned(),
            limits: Limits { lo: 0.0, hi: 10.5 },
        }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            nick: None,
            score: Some(3),
            flags: BTreeMap::new(),
            matrix: vec![vec![1, 2], vec![3]],
        }
    }
}

/// A model whose fields a script assigns.
trait Model: Synced + Default {
    fn assign(&mut self, field: &str, value: Value) -> Result<(), EditError>;
}

macro_rules! model {
    ($model:ty: $($field:ident)*) => {
        impl Model for $model {
            fn assign(&mut self, field: &str, value: Value) -> Result<(), EditError> {
                match field {
                    $(stringify!($field) => {
                        self.$field = Synced::read(value)?;
                        Ok(())
                    })*
                    other => panic!("{} has no field `{other}`: {value:?}", stringify!($model)),
                }
            }
        }
    };
}

model!(Device: name on brightness tags meta children);
model!(Child: id label);
model!(Counter: n label);
model!(Gauge: value unit limits);
model!(Limits: lo hi);
model!(Profile: nick score flags matrix);
model!(Point: x y name);
model!(Packed: n tags);
model!(Empty:);

/// A model whose shape only the script knows.
impl Model for Value {
    fn assign(&mut self, field: &str, value: Value) -> Result<(), EditError> {
        if !matches!(self, Self::Map(_)) {
            *self = Self::Map(ValueMap::new());
        }
        let Self::Map(entries) = self else {
            unreachable!("it was made one");
        };
        entries.insert(field.to_owned(), value);
        Ok(())
    }
}

/// The host's hand on a model, whatever its type.
pub(super) trait Host {
    fn id(&self) -> ModelId;

    /// Assigns fields, given as plain JSON.
    fn assign(&self, fields: &Json);
}

impl<T: Model> Host for Hosted<T> {
    fn id(&self) -> ModelId {
        Self::id(self)
    }

    fn assign(&self, fields: &Json) {
        assign(&mut *self.write(), fields);
    }
}

fn assign(model: &mut impl Model, fields: &Json) {
    for (field, json) in fields.as_object().unwrap() {
        model.assign(field, wire::plain(json)).unwrap();
    }
}

/// Does something with the type of a name; `None` if the scripts have no such type.
macro_rules! with_type {
    ($name:expr, $T:ident => $then:expr) => {
        with_type!(@ $name, $T => $then, Device Child Counter Gauge Limits Profile Point Packed Empty)
    };
    (@ $name:expr, $T:ident => $then:expr, $($model:ident)*) => {
        match $name {
            $(stringify!($model) => {
                type $T = $model;
                Some($then)
            })*
            _ => None,
        }
    };
}

/// Hosts a model of a type by its name.
pub(super) fn host(session: &Session, type_name: &str, fields: &Json) -> Option<Box<dyn Host>> {
    with_type!(type_name, T => {
        let mut model = T::default();
        assign(&mut model, fields);
        Box::new(session.host(model))
    })
}

/// Hosts what such a model holds as a value without a type of its own.
pub(super) fn host_dynamic(session: &Session, type_name: &str, fields: &Json) -> Box<dyn Host> {
    let mut model = Value::Null;
    assign(&mut model, fields);
    Box::new(session.host_named(type_name, model))
}

/// Whether a type takes nothing from a client but what it then holds: it has no floats, for which an `Int` will do.
pub(super) fn is_literal(type_name: &str) -> bool {
    fn has_floats(schema: &Schema) -> bool {
        schema.fields.iter().any(|field| floats(&field.ty))
    }

    fn floats(ty: &Type) -> bool {
        match ty {
            Type::Float => true,
            Type::List(inner)
            | Type::Array(inner, _)
            | Type::Set(inner)
            | Type::Map(inner)
            | Type::Optional(inner) => floats(inner),
            Type::Tuple(items) => items.iter().any(floats),
            Type::Model(_, schema) => has_floats(&schema()),
            _ => false,
        }
    }

    schema(type_name).is_some_and(|schema| !has_floats(&schema))
}

/// The schema of a type by its name.
pub(super) fn schema(type_name: &str) -> Option<Schema> {
    with_type!(type_name, T => Schema::of::<T>().expect("a struct has one"))
}

/// What a value is after having been read as a type by its name and shown to a client again.
pub(super) fn reread(type_name: &str, value: Value) -> Option<Result<Value, String>> {
    with_type!(type_name, T => T::read(value).map(|model| {
        let session = Session::new();
        let id = session.host(model).id();
        let (_, value) = session.snapshot(id).expect("it was just hosted");
        value
    }).map_err(|error| format!("{error:?}")))
}
