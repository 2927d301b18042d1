//! Bytes of the three built-in codecs, written without a tree in between.

mod json;
pub(crate) mod notation;
mod ops;
mod raw;
mod set;
mod tree;

use std::io::Write;

use ciborium_ll::{Encoder, Header};

pub(crate) use self::ops::Head;
pub(crate) use self::set::Leaf;
use self::tree::{Open, Tree};
use crate::value::{Value, ValueMap};
use crate::views::Seen;

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
    /// Lists and maps need not be finished beyond these bytes.
    limit: usize,
    seen: Seen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
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
            limit: usize::MAX,
            seen: Seen::EVERYTHING,
        }
    }

    /// Collects what `write` writes as a [`Value`].
    ///
    /// # Panics
    /// If `write` does not write exactly one value.
    pub fn to_value(write: impl FnOnce(&mut Self)) -> Value {
        Self::to_value_of(Seen::EVERYTHING, write)
    }

    /// As [`to_value`](Self::to_value), of what is seen.
    pub(crate) fn to_value_of(seen: Seen, write: impl FnOnce(&mut Self)) -> Value {
        let mut writer = Self {
            form: Form::Tree,
            buffer: Vec::new(),
            tree: Tree::new(),
            clamped: 0,
            limit: usize::MAX,
            seen,
        };
        write(&mut writer);
        writer.tree.done.expect("`write` writes one value")
    }

    /// Leaves out, from now on, what is not seen.
    pub(crate) fn show(&mut self, seen: Seen) {
        self.seen = seen;
    }

    pub(crate) fn showing(mut self, seen: Seen) -> Self {
        self.seen = seen;
        self
    }

    pub(crate) const fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Whether fields with this view are to be written. If not, they are left out, names and all.
    #[must_use]
    pub fn sees(&self, view: &str) -> bool {
        self.seen.has(view)
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

    /// How many bytes `write` writes, if they are fewer than `limit`; they are not kept.
    pub(crate) fn measure(&mut self, limit: usize, write: impl FnOnce(&mut Self)) -> Option<usize> {
        let start = self.buffer.len();
        self.limit = start + limit;
        write(self);
        self.limit = usize::MAX;
        let len = self.buffer.len() - start;
        self.buffer.truncate(start);
        (len < limit).then_some(len)
    }

    /// Whether there is no use in writing the rest of a list or map.
    #[inline]
    pub(crate) const fn is_full(&self) -> bool {
        self.buffer.len() >= self.limit
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
                cbor(&mut *out, integer(value));
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
                cbor(&mut *out, Header::Float(value));
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
                json_text(&mut *out, value);
                out.push(b'}');
            }
            Form::MessagePack => {
                out.extend_from_slice(b"\x81\xa3Str");
                rmp::encode::write_str(out, value).expect(INFALLIBLE);
            }
            Form::Cbor => {
                out.extend_from_slice(b"\xa1\x63Str");
                cbor_text(&mut *out, value);
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
                cbor(&mut *out, Header::Array(Some(len)));
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
                cbor(&mut *out, Header::Map(Some(len)));
            }
            Form::Tree => self
                .tree
                .open
                .push(Open::Map(ValueMap::new(), String::new())),
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
                    if self.is_full() {
                        break;
                    }
                    self.value(item);
                }
                self.end_list();
            }
            Value::Map(entries) => self.entries(entries),
        }
    }

    pub(crate) fn entries(&mut self, entries: &ValueMap) {
        self.map(entries.len());
        for (key, value) in entries {
            if self.is_full() {
                break;
            }
            self.key(key);
            self.value(value);
        }
        self.end_map();
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
fn json_text(out: impl Write, text: &str) {
    serde_json::to_writer(out, text).expect(INFALLIBLE);
}

fn cbor(out: impl Write, header: Header) {
    Encoder::from(out).push(header).expect(INFALLIBLE);
}

fn cbor_text(out: impl Write, text: &str) {
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
