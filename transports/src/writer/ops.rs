//! Ops in the three codecs.

use super::{Form, Writer, json_text, separate};
use crate::patch::Op;
use crate::path::{FieldStep, Step, WritePath};

/// What an op does, without its path and value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Head<'a> {
    Set,
    Remove,
    Insert(usize),
    RemoveAt(usize),
    Move(usize, usize),
    Reorder(&'a [usize]),
    /// Position, number of characters that go, text that comes.
    Splice(usize, usize, &'a str),
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
            Head::Splice(at, delete, insert) => {
                self.raw_str("Splice");
                self.raw_map(4);
                self.raw_member("at", at);
                self.raw_member("delete", delete);
                self.raw_str("insert");
                self.raw_str(insert);
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
            Op::Splice {
                at, delete, insert, ..
            } => Head::Splice(*at, *delete, insert),
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
                Step::Field(&FieldStep { name: key, .. }) | Step::Key(key) => key,
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
        Head::Splice(..) => b"{\"Splice\":{\"path\":[",
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
        Head::Splice(at, delete, insert) => {
            json_member(out, b",\"at\":", at);
            json_member(out, b",\"delete\":", delete);
            out.extend_from_slice(b",\"insert\":");
            json_text(out, insert);
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

fn json_step(out: &mut Vec<u8>, step: Step<'_>) {
    match step {
        Step::Root => {}
        Step::Field(field) => {
            // It needs no escaping.
            out.extend_from_slice(b"{\"Key\":\"");
            out.extend_from_slice(field.name.as_bytes());
            out.extend_from_slice(b"\"}");
        }
        Step::Key(key) => {
            out.extend_from_slice(b"{\"Key\":");
            json_text(&mut *out, key);
            out.push(b'}');
        }
        Step::Index(index) => {
            out.extend_from_slice(b"{\"Index\":");
            out.extend_from_slice(itoa::Buffer::new().format(index).as_bytes());
            out.push(b'}');
        }
    }
}
