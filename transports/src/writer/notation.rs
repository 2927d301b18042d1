//! How the binary codecs write a `Set`.

use ciborium_ll::Header;

use super::set::Leaf;
use super::{Form, INFALLIBLE, cbor, cbor_text, integer, length};
use crate::path::{At, Block, FieldStep};

/// A binary codec, for a `Set` of a leaf.
pub(crate) trait Notation {
    const FORM: Form;

    /// All that stands before the steps of the path.
    fn open(out: &mut Vec<u8>, at: &At<'_>);

    /// A step that was prepared, unless it is too long for that.
    fn prepared(field: &'static FieldStep) -> Option<&'static Block<32>>;

    fn key(out: &mut Vec<u8>, key: &str);

    fn index(out: &mut Vec<u8>, index: usize);

    /// All that stands behind the steps of the path.
    fn value(out: &mut Vec<u8>, at: &At<'_>, leaf: Leaf<'_>);
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
    fn prepared(field: &'static FieldStep) -> Option<&'static Block<32>> {
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
    fn prepared(field: &'static FieldStep) -> Option<&'static Block<32>> {
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
pub(super) fn block(out: &mut Vec<u8>, block: &Block<32>) {
    let end = out.len() + block.len();
    out.extend_from_slice(block.memory());
    out.truncate(end);
}
