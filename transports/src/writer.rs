//! Bytes of the three built-in codecs, written without a tree in between.

use std::collections::BTreeMap;

use ciborium_ll::{Encoder, Header};

use crate::patch::Op;
use crate::path::{At, Step, WritePath};
use crate::value::Value;

/// The built-in wire formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    Json,
    MessagePack,
    Cbor,
}

impl Format {
    pub(crate) const ALL: [Self; 3] = [Self::Json, Self::MessagePack, Self::Cbor];

    /// Position in tables with one entry a format.
    pub(crate) const fn slot(self) -> usize {
        self as usize
    }
}

/// Takes a model apart into the wire's values, in whichever codec is wanted.
///
/// A [`Synced`](crate::Synced) type gets one to describe itself: exactly one value per call of `write`, where a list
/// or map is opened with its length, filled, and closed.
///
/// ```
/// use transports::{Value, Writer};
///
/// let value = Writer::to_value(|out| {
///     out.map(1);
///     out.key("tags");
///     out.list(2);
///     out.str("a");
///     out.null();
///     out.end_list();
///     out.end_map();
/// });
/// assert_eq!(value.get("tags"), Some(&Value::List(vec!["a".into(), Value::Null])));
/// ```
#[derive(Debug)]
pub struct Writer {
    sink: Sink,
    /// How many numbers did not fit and went out as the nearest that does.
    pub(crate) clamped: usize,
}

#[derive(Debug)]
enum Sink {
    Json(Vec<u8>),
    MessagePack(Vec<u8>),
    Cbor(Vec<u8>),
    Tree(Tree),
}

const INFALLIBLE: &str = "writing to memory does not fail";

impl Writer {
    pub(crate) const fn new(format: Format, buffer: Vec<u8>) -> Self {
        let sink = match format {
            Format::Json => Sink::Json(buffer),
            Format::MessagePack => Sink::MessagePack(buffer),
            Format::Cbor => Sink::Cbor(buffer),
        };
        Self { sink, clamped: 0 }
    }

    /// Collects what `write` writes as a [`Value`].
    ///
    /// # Panics
    /// If `write` does not write exactly one value.
    pub fn to_value(write: impl FnOnce(&mut Self)) -> Value {
        let mut writer = Self {
            sink: Sink::Tree(Tree::default()),
            clamped: 0,
        };
        write(&mut writer);
        match writer.sink {
            Sink::Tree(tree) => tree.done.expect("`write` writes one value"),
            _ => unreachable!("the sink was made a tree above"),
        }
    }

    pub(crate) fn format(&self) -> Format {
        match self.sink {
            Sink::Json(_) | Sink::Tree(_) => Format::Json,
            Sink::MessagePack(_) => Format::MessagePack,
            Sink::Cbor(_) => Format::Cbor,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.sink {
            Sink::Json(buffer) | Sink::MessagePack(buffer) | Sink::Cbor(buffer) => buffer,
            Sink::Tree(_) => &[],
        }
    }

    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        match &mut self.sink {
            Sink::Json(buffer) | Sink::MessagePack(buffer) | Sink::Cbor(buffer) => buffer,
            Sink::Tree(_) => unreachable!("trees have no bytes"),
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self.sink {
            Sink::Json(buffer) | Sink::MessagePack(buffer) | Sink::Cbor(buffer) => buffer,
            Sink::Tree(_) => Vec::new(),
        }
    }

    /// Nothing.
    #[inline]
    pub fn null(&mut self) {
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                out.extend_from_slice(b"\"Null\"");
            }
            Sink::MessagePack(out) => out.extend_from_slice(b"\xa4Null"),
            Sink::Cbor(out) => out.extend_from_slice(b"\x64Null"),
            Sink::Tree(tree) => tree.leaf(Value::Null),
        }
    }

    /// True or false.
    #[inline]
    pub fn bool(&mut self, value: bool) {
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                out.extend_from_slice(if value {
                    b"{\"Bool\":true}"
                } else {
                    b"{\"Bool\":false}"
                });
            }
            Sink::MessagePack(out) => {
                out.extend_from_slice(b"\x81\xa4Bool");
                out.push(if value { 0xc3 } else { 0xc2 });
            }
            Sink::Cbor(out) => {
                out.extend_from_slice(b"\xa1\x64Bool");
                out.push(if value { 0xf5 } else { 0xf4 });
            }
            Sink::Tree(tree) => tree.leaf(Value::Bool(value)),
        }
    }

    /// A whole number.
    #[inline]
    pub fn int(&mut self, value: i64) {
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                out.extend_from_slice(b"{\"Int\":");
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                out.push(b'}');
            }
            Sink::MessagePack(out) => {
                out.extend_from_slice(b"\x81\xa3Int");
                rmp::encode::write_sint(out, value).expect(INFALLIBLE);
            }
            Sink::Cbor(out) => {
                out.extend_from_slice(b"\xa1\x63Int");
                cbor(out, integer(value));
            }
            Sink::Tree(tree) => tree.leaf(Value::Int(value)),
        }
    }

    /// A whole number that may be too large for the wire, which carries -2^63 to 2^63-1. The nearest number goes out
    /// instead, and the sync that asked reports the place.
    pub fn wide(&mut self, value: i128) {
        let fits = i64::try_from(value);
        if fits.is_err() {
            self.clamped += 1;
        }
        self.int(fits.unwrap_or(if value < 0 { i64::MIN } else { i64::MAX }));
    }

    /// A number with a point; `Null` if it is not finite.
    #[inline]
    pub fn float(&mut self, value: f64) {
        if !value.is_finite() {
            return self.null();
        }
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                out.extend_from_slice(b"{\"Float\":");
                serde_json::to_writer(&mut *out, &value).expect(INFALLIBLE);
                out.push(b'}');
            }
            Sink::MessagePack(out) => {
                out.extend_from_slice(b"\x81\xa5Float");
                rmp::encode::write_f64(out, value).expect(INFALLIBLE);
            }
            Sink::Cbor(out) => {
                out.extend_from_slice(b"\xa1\x65Float");
                cbor(out, Header::Float(value));
            }
            Sink::Tree(tree) => tree.leaf(Value::Float(value)),
        }
    }

    /// Text.
    #[inline]
    pub fn str(&mut self, value: &str) {
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                out.extend_from_slice(b"{\"Str\":");
                json_text(out, value);
                out.push(b'}');
            }
            Sink::MessagePack(out) => {
                out.extend_from_slice(b"\x81\xa3Str");
                rmp::encode::write_str(out, value).expect(INFALLIBLE);
            }
            Sink::Cbor(out) => {
                out.extend_from_slice(b"\xa1\x63Str");
                cbor_text(out, value);
            }
            Sink::Tree(tree) => tree.leaf(Value::Str(value.to_owned())),
        }
    }

    /// The id of another model.
    pub fn submodel(&mut self, id: u64) {
        match &mut self.sink {
            Sink::Tree(tree) => tree.leaf(Value::Submodel(id)),
            _ => {
                self.raw_map(1);
                self.raw_key("Submodel");
                self.raw_uint(id);
                self.raw_end(b'}');
            }
        }
    }

    /// Opens a list of exactly `len` items.
    #[inline]
    pub fn list(&mut self, len: usize) {
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                out.extend_from_slice(b"{\"List\":[");
            }
            Sink::MessagePack(out) => {
                out.extend_from_slice(b"\x81\xa4List");
                rmp::encode::write_array_len(out, length(len)).expect(INFALLIBLE);
            }
            Sink::Cbor(out) => {
                out.extend_from_slice(b"\xa1\x64List");
                cbor(out, Header::Array(Some(len)));
            }
            Sink::Tree(tree) => tree.open.push(Open::List(Vec::with_capacity(len))),
        }
    }

    /// Closes the list opened last.
    #[inline]
    pub fn end_list(&mut self) {
        match &mut self.sink {
            Sink::Json(out) => out.extend_from_slice(b"]}"),
            Sink::MessagePack(_) | Sink::Cbor(_) => {}
            Sink::Tree(tree) => tree.close(),
        }
    }

    /// Opens a map of exactly `len` entries. Each is a [`key`](Self::key) (or [`field`](Self::field)) and a value, in
    /// byte order of the keys.
    #[inline]
    pub fn map(&mut self, len: usize) {
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                out.extend_from_slice(b"{\"Map\":{");
            }
            Sink::MessagePack(out) => {
                out.extend_from_slice(b"\x81\xa3Map");
                rmp::encode::write_map_len(out, length(len)).expect(INFALLIBLE);
            }
            Sink::Cbor(out) => {
                out.extend_from_slice(b"\xa1\x63Map");
                cbor(out, Header::Map(Some(len)));
            }
            Sink::Tree(tree) => tree.open.push(Open::Map(BTreeMap::new(), String::new())),
        }
    }

    /// The key of the entry that comes next.
    #[inline]
    pub fn key(&mut self, key: &str) {
        match &mut self.sink {
            Sink::Tree(tree) => tree.key(key),
            _ => self.raw_key(key),
        }
    }

    /// As [`key`](Self::key), for a name that is printable ASCII without `"` and `\`.
    #[inline]
    pub fn field(&mut self, name: &'static str) {
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                out.push(b'"');
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"\":");
            }
            _ => self.key(name),
        }
    }

    /// Closes the map opened last.
    #[inline]
    pub fn end_map(&mut self) {
        match &mut self.sink {
            Sink::Json(out) => out.extend_from_slice(b"}}"),
            Sink::MessagePack(_) | Sink::Cbor(_) => {}
            Sink::Tree(tree) => tree.close(),
        }
    }

    /// A value that is a tree already.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.null(),
            Value::Bool(value) => self.bool(*value),
            Value::Int(value) => self.int(*value),
            Value::Float(value) => self.float(*value),
            Value::Str(value) => self.str(value),
            Value::Submodel(id) => self.submodel(*id),
            Value::List(items) => {
                self.list(items.len());
                for item in items {
                    self.value(item);
                }
                self.end_list();
            }
            Value::Map(entries) => {
                self.map(entries.len());
                for (key, value) in entries {
                    self.key(key);
                    self.value(value);
                }
                self.end_map();
            }
        }
    }
}

/// What messages are made of: the plain data model below the tagged values. Trees never see it.
impl Writer {
    pub(crate) fn raw_map(&mut self, len: usize) {
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                out.push(b'{');
            }
            Sink::MessagePack(out) => {
                rmp::encode::write_map_len(out, length(len)).expect(INFALLIBLE);
            }
            Sink::Cbor(out) => cbor(out, Header::Map(Some(len))),
            Sink::Tree(_) => {}
        }
    }

    pub(crate) fn raw_list(&mut self, len: usize) {
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                out.push(b'[');
            }
            Sink::MessagePack(out) => {
                rmp::encode::write_array_len(out, length(len)).expect(INFALLIBLE);
            }
            Sink::Cbor(out) => cbor(out, Header::Array(Some(len))),
            Sink::Tree(_) => {}
        }
    }

    /// Closes a raw map (`}`) or list (`]`).
    pub(crate) fn raw_end(&mut self, bracket: u8) {
        if let Sink::Json(out) = &mut self.sink {
            out.push(bracket);
        }
    }

    #[inline]
    pub(crate) fn raw_key(&mut self, key: &str) {
        self.raw_str(key);
        if let Sink::Json(out) = &mut self.sink {
            out.push(b':');
        }
    }

    #[inline]
    pub(crate) fn raw_str(&mut self, text: &str) {
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                json_text(out, text);
            }
            Sink::MessagePack(out) => rmp::encode::write_str(out, text).expect(INFALLIBLE),
            Sink::Cbor(out) => cbor_text(out, text),
            Sink::Tree(_) => {}
        }
    }

    pub(crate) fn raw_uint(&mut self, value: u64) {
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            }
            Sink::MessagePack(out) => {
                rmp::encode::write_uint(out, value).expect(INFALLIBLE);
            }
            Sink::Cbor(out) => cbor(out, Header::Positive(value)),
            Sink::Tree(_) => {}
        }
    }

    /// Plain JSON, as awareness states and CRDT operations are.
    pub(crate) fn raw_json(&mut self, json: &serde_json::Value) {
        use serde_json::Value as Json;

        match json {
            Json::Object(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_unstable_by_key(|(key, _)| *key);
                self.raw_map(sorted.len());
                for (key, value) in sorted {
                    self.raw_key(key);
                    self.raw_json(value);
                }
                self.raw_end(b'}');
            }
            Json::Array(items) => {
                self.raw_list(items.len());
                for item in items {
                    self.raw_json(item);
                }
                self.raw_end(b']');
            }
            Json::String(text) => self.raw_str(text),
            scalar => match &mut self.sink {
                Sink::Json(out) => {
                    separate(out);
                    serde_json::to_writer(out, scalar).expect(INFALLIBLE);
                }
                Sink::MessagePack(out) => rmp_serde::encode::write(out, scalar).expect(INFALLIBLE),
                Sink::Cbor(out) => ciborium::into_writer(scalar, out).expect(INFALLIBLE),
                Sink::Tree(_) => {}
            },
        }
    }
}

/// What an op does, without its path and value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Head<'a> {
    Set,
    Remove,
    Insert(usize),
    RemoveAt(usize),
    Move(usize, usize),
    Reorder(&'a [usize]),
}

impl Writer {
    /// One op; `value` writes the value of a `Set` or `Insert` and is not called otherwise. Members stand in the order
    /// of the published core in JSON, in byte order in the binary codecs.
    #[inline]
    pub(crate) fn op(
        &mut self,
        head: Head<'_>,
        path: &impl WritePath,
        value: impl FnOnce(&mut Self),
    ) {
        match &mut self.sink {
            Sink::Json(out) => {
                separate(out);
                let open: &[u8] = match head {
                    Head::Set => b"{\"Set\":{\"path\":[",
                    Head::Remove => b"{\"Remove\":{\"path\":[",
                    Head::Insert(_) => b"{\"Insert\":{\"path\":[",
                    Head::RemoveAt(_) => b"{\"RemoveAt\":{\"path\":[",
                    Head::Move(..) => b"{\"Move\":{\"path\":[",
                    Head::Reorder(_) => b"{\"Reorder\":{\"path\":[",
                };
                out.extend_from_slice(open);
                path.each(&mut |step| json_step(out, step));
                out.push(b']');
                match head {
                    Head::Set => out.extend_from_slice(b",\"value\":"),
                    Head::Remove => {}
                    Head::Insert(index) => {
                        json_member(out, b",\"index\":", index);
                        out.extend_from_slice(b",\"value\":");
                    }
                    Head::RemoveAt(index) => json_member(out, b",\"index\":", index),
                    Head::Move(from, to) => {
                        json_member(out, b",\"from\":", from);
                        json_member(out, b",\"to\":", to);
                    }
                    Head::Reorder(order) => {
                        out.extend_from_slice(b",\"order\":[");
                        for (position, index) in order.iter().enumerate() {
                            json_member(out, if position == 0 { b"" } else { b"," }, *index);
                        }
                        out.push(b']');
                    }
                }
                if matches!(head, Head::Set | Head::Insert(_)) {
                    value(self);
                }
                self.buffer().extend_from_slice(b"}}");
            }
            Sink::MessagePack(_) | Sink::Cbor(_) => {
                self.raw_map(1);
                match head {
                    Head::Set => {
                        self.raw_str("Set");
                        self.raw_map(2);
                    }
                    Head::Remove => {
                        self.raw_str("Remove");
                        self.raw_map(1);
                    }
                    Head::Insert(index) => {
                        self.raw_str("Insert");
                        self.raw_map(3);
                        self.raw_member("index", index);
                    }
                    Head::RemoveAt(index) => {
                        self.raw_str("RemoveAt");
                        self.raw_map(2);
                        self.raw_member("index", index);
                    }
                    Head::Move(from, to) => {
                        self.raw_str("Move");
                        self.raw_map(3);
                        self.raw_member("from", from);
                        self.raw_path(path);
                        self.raw_member("to", to);
                        return;
                    }
                    Head::Reorder(order) => {
                        self.raw_str("Reorder");
                        self.raw_map(2);
                        self.raw_str("order");
                        self.raw_list(order.len());
                        for index in order {
                            self.raw_uint(*index as u64);
                        }
                    }
                }
                self.raw_path(path);
                if matches!(head, Head::Set | Head::Insert(_)) {
                    self.raw_str("value");
                    value(self);
                }
            }
            Sink::Tree(_) => unreachable!("ops are not part of values"),
        }
    }

    /// An op that exists already.
    pub(crate) fn owned_op(&mut self, op: &Op) {
        let head = match op {
            Op::Set { .. } => Head::Set,
            Op::Remove { .. } => Head::Remove,
            Op::Insert { index, .. } => Head::Insert(*index),
            Op::RemoveAt { index, .. } => Head::RemoveAt(*index),
            Op::Move { from, to, .. } => Head::Move(*from, *to),
            Op::Reorder { order, .. } => Head::Reorder(order),
        };
        self.op(head, op.path(), |out| {
            if let Some(value) = op.value() {
                out.value(value);
            }
        });
    }

    fn raw_member(&mut self, key: &str, index: usize) {
        self.raw_str(key);
        self.raw_uint(index as u64);
    }

    fn raw_path(&mut self, path: &impl WritePath) {
        self.raw_str("path");
        self.raw_list(path.steps());
        path.each(&mut |step| match step {
            Step::Root => {}
            Step::Field(key) | Step::Key(key) => {
                self.raw_map(1);
                self.raw_str("Key");
                self.raw_str(key);
            }
            Step::Index(index) => {
                self.raw_map(1);
                self.raw_member("Index", index);
            }
        });
    }
}

fn json_member(out: &mut Vec<u8>, name: &[u8], index: usize) {
    out.extend_from_slice(name);
    out.extend_from_slice(itoa::Buffer::new().format(index).as_bytes());
}

#[inline]
fn json_step(out: &mut Vec<u8>, step: Step<'_>) {
    match step {
        Step::Root => {}
        Step::Field(name) => {
            separate(out);
            out.extend_from_slice(b"{\"Key\":\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\"}");
        }
        Step::Key(key) => {
            separate(out);
            out.extend_from_slice(b"{\"Key\":");
            json_text(out, key);
            out.push(b'}');
        }
        Step::Index(index) => {
            separate(out);
            json_member(out, b"{\"Index\":", index);
            out.push(b'}');
        }
    }
}

/// Puts a comma where one JSON item follows another. No item ends with one of the bytes that open something, as texts
/// end with a quote.
#[inline]
fn separate(out: &mut Vec<u8>) {
    match out.last() {
        None | Some(b'[' | b'{' | b':') => {}
        Some(_) => out.push(b','),
    }
}

#[inline]
fn json_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect(INFALLIBLE);
}

fn cbor(out: &mut Vec<u8>, header: Header) {
    Encoder::from(out).push(header).expect(INFALLIBLE);
}

fn cbor_text(out: &mut Vec<u8>, text: &str) {
    Encoder::from(out).text(text, None).expect(INFALLIBLE);
}

const fn integer(value: i64) -> Header {
    match value {
        0.. => Header::Positive(value.unsigned_abs()),
        // CBOR writes the negative number n as -1 - n.
        _ => Header::Negative(!value as u64),
    }
}

/// Lengths beyond 2^32 items would be more than the memory of a machine.
fn length(len: usize) -> u32 {
    u32::try_from(len).expect("a list or map has less than 2^32 items")
}

/// A value being put together.
#[derive(Debug, Default)]
struct Tree {
    open: Vec<Open>,
    done: Option<Value>,
}

#[derive(Debug)]
enum Open {
    List(Vec<Value>),
    /// The entries, and the key of the next one.
    Map(BTreeMap<String, Value>, String),
}

impl Tree {
    fn leaf(&mut self, value: Value) {
        match self.open.last_mut() {
            None => self.done = Some(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map(entries, key)) => {
                entries.insert(std::mem::take(key), value);
            }
        }
    }

    fn key(&mut self, next: &str) {
        if let Some(Open::Map(_, key)) = self.open.last_mut() {
            next.clone_into(key);
        }
    }

    fn close(&mut self) {
        match self.open.pop() {
            None => {}
            Some(Open::List(items)) => self.leaf(Value::List(items)),
            Some(Open::Map(entries, _)) => self.leaf(Value::Map(entries)),
        }
    }
}

/// The path of `at` as it would go out, for messages.
impl std::fmt::Display for At<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_path().fmt(f)
    }
}
