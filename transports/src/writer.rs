//! Bytes of the three built-in codecs, written without a tree in between.

use std::collections::BTreeMap;

use ciborium_ll::{Encoder, Header};

use crate::patch::Op;
use crate::path::{At, Step, WritePath, field_name};
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
    form: Form,
    buffer: Vec<u8>,
    tree: Tree,
    /// How many numbers did not fit and went out as the nearest that does.
    pub(crate) clamped: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    MessagePack,
    Cbor,
    Tree,
}

const INFALLIBLE: &str = "writing to memory does not fail";

impl Writer {
    pub(crate) const fn new(format: Format, buffer: Vec<u8>) -> Self {
        let form = match format {
            Format::Json => Form::Json,
            Format::MessagePack => Form::MessagePack,
            Format::Cbor => Form::Cbor,
        };
        Self {
            form,
            buffer,
            tree: Tree::new(),
            clamped: 0,
        }
    }

    /// Collects what `write` writes as a [`Value`].
    ///
    /// # Panics
    /// If `write` does not write exactly one value.
    pub fn to_value(write: impl FnOnce(&mut Self)) -> Value {
        let mut writer = Self {
            form: Form::Tree,
            buffer: Vec::new(),
            tree: Tree::new(),
            clamped: 0,
        };
        write(&mut writer);
        writer.tree.done.expect("`write` writes one value")
    }

    pub(crate) const fn format(&self) -> Format {
        match self.form {
            Form::Json | Form::Tree => Format::Json,
            Form::MessagePack => Format::MessagePack,
            Form::Cbor => Format::Cbor,
        }
    }

    /// Forgets what was written and keeps the memory.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.clamped = 0;
        self.buffer.clear();
    }

    /// Whether a number that `write` writes does not fit.
    #[inline]
    pub(crate) fn clamps(&mut self, write: impl FnOnce(&mut Self)) -> bool {
        let before = self.clamped;
        write(self);
        self.clamped > before
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    pub(crate) const fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.buffer
    }

    /// Nothing.
    #[inline]
    pub fn null(&mut self) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.extend_from_slice(b"\"Null\"");
            }
            Form::MessagePack => out.extend_from_slice(b"\xa4Null"),
            Form::Cbor => out.extend_from_slice(b"\x64Null"),
            Form::Tree => self.tree.leaf(Value::Null),
        }
    }

    /// True or false.
    #[inline]
    pub fn bool(&mut self, value: bool) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.extend_from_slice(if value {
                    b"{\"Bool\":true}"
                } else {
                    b"{\"Bool\":false}"
                });
            }
            Form::MessagePack => {
                out.extend_from_slice(b"\x81\xa4Bool");
                out.push(if value { 0xc3 } else { 0xc2 });
            }
            Form::Cbor => {
                out.extend_from_slice(b"\xa1\x64Bool");
                out.push(if value { 0xf5 } else { 0xf4 });
            }
            Form::Tree => self.tree.leaf(Value::Bool(value)),
        }
    }

    /// A whole number.
    #[inline]
    pub fn int(&mut self, value: i64) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.extend_from_slice(b"{\"Int\":");
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                out.push(b'}');
            }
            Form::MessagePack => {
                out.extend_from_slice(b"\x81\xa3Int");
                rmp::encode::write_sint(out, value).expect(INFALLIBLE);
            }
            Form::Cbor => {
                out.extend_from_slice(b"\xa1\x63Int");
                cbor(out, integer(value));
            }
            Form::Tree => self.tree.leaf(Value::Int(value)),
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
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.extend_from_slice(b"{\"Float\":");
                serde_json::to_writer(&mut *out, &value).expect(INFALLIBLE);
                out.push(b'}');
            }
            Form::MessagePack => {
                out.extend_from_slice(b"\x81\xa5Float");
                rmp::encode::write_f64(out, value).expect(INFALLIBLE);
            }
            Form::Cbor => {
                out.extend_from_slice(b"\xa1\x65Float");
                cbor(out, Header::Float(value));
            }
            Form::Tree => self.tree.leaf(Value::Float(value)),
        }
    }

    /// Text.
    #[inline]
    pub fn str(&mut self, value: &str) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.extend_from_slice(b"{\"Str\":");
                json_text(out, value);
                out.push(b'}');
            }
            Form::MessagePack => {
                out.extend_from_slice(b"\x81\xa3Str");
                rmp::encode::write_str(out, value).expect(INFALLIBLE);
            }
            Form::Cbor => {
                out.extend_from_slice(b"\xa1\x63Str");
                cbor_text(out, value);
            }
            Form::Tree => self.tree.leaf(Value::Str(value.to_owned())),
        }
    }

    /// The id of another model.
    pub fn submodel(&mut self, id: u64) {
        match self.form {
            Form::Tree => self.tree.leaf(Value::Submodel(id)),
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
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.extend_from_slice(b"{\"List\":[");
            }
            Form::MessagePack => {
                out.extend_from_slice(b"\x81\xa4List");
                rmp::encode::write_array_len(out, length(len)).expect(INFALLIBLE);
            }
            Form::Cbor => {
                out.extend_from_slice(b"\xa1\x64List");
                cbor(out, Header::Array(Some(len)));
            }
            Form::Tree => self.tree.open.push(Open::List(Vec::with_capacity(len))),
        }
    }

    /// Closes the list opened last.
    #[inline]
    pub fn end_list(&mut self) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => out.extend_from_slice(b"]}"),
            Form::MessagePack | Form::Cbor => {}
            Form::Tree => self.tree.close(),
        }
    }

    /// Opens a map of exactly `len` entries. Each is a [`key`](Self::key) (or [`field`](Self::field)) and a value, in
    /// byte order of the keys.
    #[inline]
    pub fn map(&mut self, len: usize) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.extend_from_slice(b"{\"Map\":{");
            }
            Form::MessagePack => {
                out.extend_from_slice(b"\x81\xa3Map");
                rmp::encode::write_map_len(out, length(len)).expect(INFALLIBLE);
            }
            Form::Cbor => {
                out.extend_from_slice(b"\xa1\x63Map");
                cbor(out, Header::Map(Some(len)));
            }
            Form::Tree => self
                .tree
                .open
                .push(Open::Map(BTreeMap::new(), String::new())),
        }
    }

    /// The key of the entry that comes next.
    #[inline]
    pub fn key(&mut self, key: &str) {
        match self.form {
            Form::Tree => self.tree.key(key),
            _ => self.raw_key(key),
        }
    }

    /// As [`key`](Self::key), for a name that is printable ASCII without `"` and `\`.
    #[inline]
    pub fn field(&mut self, name: &'static str) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
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
        let out = &mut self.buffer;
        match self.form {
            Form::Json => out.extend_from_slice(b"}}"),
            Form::MessagePack | Form::Cbor => {}
            Form::Tree => self.tree.close(),
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
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.push(b'{');
            }
            Form::MessagePack => {
                rmp::encode::write_map_len(out, length(len)).expect(INFALLIBLE);
            }
            Form::Cbor => cbor(out, Header::Map(Some(len))),
            Form::Tree => {}
        }
    }

    pub(crate) fn raw_list(&mut self, len: usize) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.push(b'[');
            }
            Form::MessagePack => {
                rmp::encode::write_array_len(out, length(len)).expect(INFALLIBLE);
            }
            Form::Cbor => cbor(out, Header::Array(Some(len))),
            Form::Tree => {}
        }
    }

    /// Closes a raw map (`}`) or list (`]`).
    pub(crate) fn raw_end(&mut self, bracket: u8) {
        if self.form == Form::Json {
            self.buffer.push(bracket);
        }
    }

    #[inline]
    pub(crate) fn raw_key(&mut self, key: &str) {
        self.raw_str(key);
        if self.form == Form::Json {
            self.buffer.push(b':');
        }
    }

    #[inline]
    pub(crate) fn raw_str(&mut self, text: &str) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                json_text(out, text);
            }
            Form::MessagePack => rmp::encode::write_str(out, text).expect(INFALLIBLE),
            Form::Cbor => cbor_text(out, text),
            Form::Tree => {}
        }
    }

    pub(crate) fn raw_uint(&mut self, value: u64) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            }
            Form::MessagePack => {
                rmp::encode::write_uint(out, value).expect(INFALLIBLE);
            }
            Form::Cbor => cbor(out, Header::Positive(value)),
            Form::Tree => {}
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
            scalar => {
                let out = &mut self.buffer;
                match self.form {
                    Form::Json => {
                        separate(out);
                        serde_json::to_writer(out, scalar).expect(INFALLIBLE);
                    }
                    Form::MessagePack => rmp_serde::encode::write(out, scalar).expect(INFALLIBLE),
                    Form::Cbor => ciborium::into_writer(scalar, out).expect(INFALLIBLE),
                    Form::Tree => {}
                }
            }
        }
    }
}

/// A value without anything below it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaf<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(&'a str),
}

impl Writer {
    pub(crate) fn leaf(&mut self, leaf: Leaf<'_>) {
        match leaf {
            Leaf::Bool(value) => self.bool(value),
            Leaf::Int(value) => self.int(value),
            Leaf::Float(value) => self.float(value),
            Leaf::Str(value) => self.str(value),
        }
    }

    /// A `Set` of a leaf in JSON: by far the most frequent op, so it goes out in as few pieces as possible.
    #[inline(always)]
    pub(crate) fn json_set(&mut self, at: &At<'_>, leaf: Leaf<'_>) {
        debug_assert_eq!(self.form, Form::Json);
        let out = &mut self.buffer;
        // Only ops stand in this buffer.
        if !out.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"Set\":{\"path\":[");
        json_at(out, at);
        match leaf {
            Leaf::Int(value) => {
                out.extend_from_slice(b"],\"value\":{\"Int\":");
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                out.extend_from_slice(b"}}}");
            }
            Leaf::Float(value) if value.is_finite() => {
                out.extend_from_slice(b"],\"value\":{\"Float\":");
                serde_json::to_writer(&mut *out, &value).expect(INFALLIBLE);
                out.extend_from_slice(b"}}}");
            }
            Leaf::Float(_) => out.extend_from_slice(b"],\"value\":\"Null\"}}"),
            Leaf::Bool(true) => out.extend_from_slice(b"],\"value\":{\"Bool\":true}}}"),
            Leaf::Bool(false) => out.extend_from_slice(b"],\"value\":{\"Bool\":false}}}"),
            Leaf::Str(value) => {
                out.extend_from_slice(b"],\"value\":{\"Str\":");
                json_text(out, value);
                out.extend_from_slice(b"}}}");
            }
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
    pub(crate) fn op(
        &mut self,
        head: Head<'_>,
        path: &impl WritePath,
        value: impl FnOnce(&mut Self),
    ) {
        match self.form {
            Form::Json => self.json_op(head, path, value),
            Form::MessagePack | Form::Cbor => self.binary_op(head, path, value),
            Form::Tree => unreachable!("ops are not part of values"),
        }
    }

    #[inline]
    pub(crate) fn json_op(
        &mut self,
        head: Head<'_>,
        path: &impl WritePath,
        value: impl FnOnce(&mut Self),
    ) {
        debug_assert_eq!(self.form, Form::Json);
        let out = &mut self.buffer;
        separate(out);
        if matches!(head, Head::Set) {
            out.extend_from_slice(b"{\"Set\":{\"path\":[");
            json_path(out, path);
            out.extend_from_slice(b"],\"value\":");
        } else {
            json_head(out, head, path);
        }
        if matches!(head, Head::Set | Head::Insert(_)) {
            value(self);
        }
        self.buffer.extend_from_slice(b"}}");
    }

    fn binary_op(&mut self, head: Head<'_>, path: &impl WritePath, value: impl FnOnce(&mut Self)) {
        if matches!(head, Head::Set) {
            self.fixed(b"\x81\xa3Set\x82", b"\xa1\x63Set\xa2");
            self.raw_path(path);
            self.fixed(b"\xa5value", b"\x65value");
            return value(self);
        }
        self.raw_map(1);
        match head {
            Head::Set => {}
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
        if matches!(head, Head::Insert(_)) {
            self.raw_str("value");
            value(self);
        }
    }

    /// Bytes that are always the same in the two binary codecs.
    #[inline]
    fn fixed(&mut self, msgpack: &[u8], cbor: &[u8]) {
        self.buffer
            .extend_from_slice(if self.form == Form::MessagePack {
                msgpack
            } else {
                cbor
            });
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
        self.fixed(b"\xa4path", b"\x64path");
        self.raw_list(path.steps());
        path.each(&mut |step| {
            let key = match step {
                Step::Root => return,
                Step::Field(step) => field_name(step),
                Step::Key(key) => key,
                Step::Index(index) => {
                    self.fixed(b"\x81\xa5Index", b"\xa1\x65Index");
                    return self.raw_uint(index as u64);
                }
            };
            self.fixed(b"\x81\xa3Key", b"\xa1\x63Key");
            self.raw_str(key);
        });
    }
}

/// An op other than `Set` up to its value, or up to its end if it has none.
fn json_head(out: &mut Vec<u8>, head: Head<'_>, path: &impl WritePath) {
    let open: &[u8] = match head {
        Head::Set => b"{\"Set\":{\"path\":[",
        Head::Remove => b"{\"Remove\":{\"path\":[",
        Head::Insert(_) => b"{\"Insert\":{\"path\":[",
        Head::RemoveAt(_) => b"{\"RemoveAt\":{\"path\":[",
        Head::Move(..) => b"{\"Move\":{\"path\":[",
        Head::Reorder(_) => b"{\"Reorder\":{\"path\":[",
    };
    out.extend_from_slice(open);
    json_path(out, path);
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
}

fn json_member(out: &mut Vec<u8>, name: &[u8], index: usize) {
    out.extend_from_slice(name);
    out.extend_from_slice(itoa::Buffer::new().format(index).as_bytes());
}

/// The steps of a path without the brackets around them.
fn json_path(out: &mut Vec<u8>, path: &impl WritePath) {
    let mut first = true;
    path.each(&mut |step| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        json_step(out, step);
    });
}

/// As [`json_path`], on the shortest way: most places are at most three steps deep.
#[inline]
fn json_at(out: &mut Vec<u8>, at: &At<'_>) {
    let Some((above, last)) = at.split() else {
        return;
    };
    if let Some((top, middle)) = above.split() {
        if let Some((root, first)) = top.split() {
            if !root.is_root() {
                json_far(out, root);
            }
            json_step(out, first);
            out.push(b',');
        }
        json_step(out, middle);
        out.push(b',');
    }
    json_step(out, last);
}

/// The steps above the last three, with the comma behind them.
#[cold]
fn json_far(out: &mut Vec<u8>, at: &At<'_>) {
    json_at(out, at);
    out.push(b',');
}

#[inline(always)]
fn json_step(out: &mut Vec<u8>, step: Step<'_>) {
    match step {
        Step::Root => {}
        Step::Field(step) => out.extend_from_slice(step.as_bytes()),
        Step::Key(key) => {
            out.extend_from_slice(b"{\"Key\":");
            json_text(out, key);
            out.push(b'}');
        }
        Step::Index(index) => {
            out.extend_from_slice(b"{\"Index\":");
            out.extend_from_slice(itoa::Buffer::new().format(index).as_bytes());
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
#[derive(Debug)]
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
    const fn new() -> Self {
        Self {
            open: Vec::new(),
            done: None,
        }
    }

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
