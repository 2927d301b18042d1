//! How each codec writes a `Set`.

use ciborium_ll::Header;

use super::set::Leaf;
use super::{Form, INFALLIBLE, cbor, cbor_text, integer, json_text, length};
use crate::path::{At, Block, FieldStep};

/// A codec, for a `Set` of a leaf.
pub(crate) trait Notation {
    const FORM: Form;

    /// All that stands before the steps of the path.
    fn open(out: &mut Vec<u8>, at: &At<'_>);

    /// A step that was prepared, unless it is too long for that.
    fn prepared(field: &'static FieldStep) -> Option<&'static Block>;

    fn key(out: &mut Vec<u8>, key: &str);

    fn index(out: &mut Vec<u8>, index: usize);

    /// All that stands behind the steps of the path.
    fn value(out: &mut Vec<u8>, at: &At<'_>, leaf: Leaf<'_>);
}

/// Each step has a comma behind it; the last one is taken back.
pub(crate) struct Json;

impl Notation for Json {
    const FORM: Form = Form::Json;

    #[inline(always)]
    fn open(out: &mut Vec<u8>, _: &At<'_>) {
        // Only ops stand in this buffer.
        if out.is_empty() {
            out.extend_from_slice(b"{\"Set\":{\"path\":[");
        } else {
            out.extend_from_slice(b",{\"Set\":{\"path\":[");
        }
    }

    #[inline(always)]
    fn prepared(field: &'static FieldStep) -> Option<&'static Block> {
        field.json.as_ref()
    }

    #[inline(always)]
    fn key(out: &mut Vec<u8>, key: &str) {
        out.extend_from_slice(b"{\"Key\":");
        json_text(&mut *out, key);
        out.extend_from_slice(b"},");
    }

    #[inline(always)]
    fn index(out: &mut Vec<u8>, index: usize) {
        out.extend_from_slice(b"{\"Index\":");
        digits(out, index);
        out.extend_from_slice(b"},");
    }

    #[inline(always)]
    fn value(out: &mut Vec<u8>, at: &At<'_>, leaf: Leaf<'_>) {
        if !at.is_root() {
            out.truncate(out.len() - 1);
        }
        match leaf {
            Leaf::Int(value) => {
                out.extend_from_slice(b"],\"value\":{\"Int\":");
                digits(out, value);
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
                json_text(&mut *out, value);
                out.extend_from_slice(b"}}}");
            }
        }
    }
}

pub(crate) struct MessagePack;

impl Notation for MessagePack {
    const FORM: Form = Form::MessagePack;

    #[inline(always)]
    fn open(out: &mut Vec<u8>, at: &At<'_>) {
        out.extend_from_slice(b"\x81\xa3Set\x82\xa4path");
        rmp::encode::write_array_len(out, length(at.len())).expect(INFALLIBLE);
    }

    #[inline(always)]
    fn prepared(field: &'static FieldStep) -> Option<&'static Block> {
        field.msgpack.as_ref()
    }

    #[inline(always)]
    fn key(out: &mut Vec<u8>, key: &str) {
        out.extend_from_slice(b"\x81\xa3Key");
        rmp::encode::write_str(out, key).expect(INFALLIBLE);
    }

    #[inline(always)]
    fn index(out: &mut Vec<u8>, index: usize) {
        out.extend_from_slice(b"\x81\xa5Index");
        rmp::encode::write_uint(out, index as u64).expect(INFALLIBLE);
    }

    #[inline(always)]
    fn value(out: &mut Vec<u8>, _: &At<'_>, leaf: Leaf<'_>) {
        match leaf {
            Leaf::Int(value) => {
                out.extend_from_slice(b"\xa5value\x81\xa3Int");
                rmp::encode::write_sint(out, value).expect(INFALLIBLE);
            }
            Leaf::Float(value) if value.is_finite() => {
                out.extend_from_slice(b"\xa5value\x81\xa5Float");
                rmp::encode::write_f64(out, value).expect(INFALLIBLE);
            }
            Leaf::Float(_) => out.extend_from_slice(b"\xa5value\xa4Null"),
            Leaf::Bool(true) => out.extend_from_slice(b"\xa5value\x81\xa4Bool\xc3"),
            Leaf::Bool(false) => out.extend_from_slice(b"\xa5value\x81\xa4Bool\xc2"),
            Leaf::Str(value) => {
                out.extend_from_slice(b"\xa5value\x81\xa3Str");
                rmp::encode::write_str(out, value).expect(INFALLIBLE);
            }
        }
    }
}

pub(crate) struct Cbor;

impl Notation for Cbor {
    const FORM: Form = Form::Cbor;

    #[inline(always)]
    fn open(out: &mut Vec<u8>, at: &At<'_>) {
        out.extend_from_slice(b"\xa1\x63Set\xa2\x64path");
        cbor(&mut *out, Header::Array(Some(at.len())));
    }

    #[inline(always)]
    fn prepared(field: &'static FieldStep) -> Option<&'static Block> {
        field.cbor.as_ref()
    }

    #[inline(always)]
    fn key(out: &mut Vec<u8>, key: &str) {
        out.extend_from_slice(b"\xa1\x63Key");
        cbor_text(&mut *out, key);
    }

    #[inline(always)]
    fn index(out: &mut Vec<u8>, index: usize) {
        out.extend_from_slice(b"\xa1\x65Index");
        cbor(&mut *out, Header::Positive(index as u64));
    }

    #[inline(always)]
    fn value(out: &mut Vec<u8>, _: &At<'_>, leaf: Leaf<'_>) {
        match leaf {
            Leaf::Int(value) => {
                out.extend_from_slice(b"\x65value\xa1\x63Int");
                cbor(&mut *out, integer(value));
            }
            Leaf::Float(value) if value.is_finite() => {
                out.extend_from_slice(b"\x65value\xa1\x65Float");
                cbor(&mut *out, Header::Float(value));
            }
            Leaf::Float(_) => out.extend_from_slice(b"\x65value\x64Null"),
            Leaf::Bool(true) => out.extend_from_slice(b"\x65value\xa1\x64Bool\xf5"),
            Leaf::Bool(false) => out.extend_from_slice(b"\x65value\xa1\x64Bool\xf4"),
            Leaf::Str(value) => {
                out.extend_from_slice(b"\x65value\xa1\x63Str");
                cbor_text(&mut *out, value);
            }
        }
    }
}

/// A prepared step: all of its memory is copied, which is a few moves, and cut to its length.
#[inline(always)]
pub(super) fn block(out: &mut Vec<u8>, block: &Block) {
    let end = out.len() + block.len();
    out.extend_from_slice(block.memory());
    out.truncate(end);
}

#[inline(always)]
fn digits(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}
