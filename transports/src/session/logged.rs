//! Patches that have been made, as the bytes that go out.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::changes::Changes;
use crate::codec::{Codec, CodecError};
use crate::message::{Message, ModelId};
use crate::patch::Patch;
use crate::writer::{Format, Writer};

/// One message as it goes over a connection, or comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The encoded message. Clones share the memory.
    pub bytes: Bytes,
    /// Whether it is text (UTF-8), which decides the type of a WebSocket frame.
    pub is_text: bool,
}

impl Frame {
    /// A text frame.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            bytes: Bytes::from(text.into()),
            is_text: true,
        }
    }

    /// A binary frame.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            is_text: false,
        }
    }

    pub(crate) fn of(codec: &Codec, bytes: Bytes) -> Self {
        Self {
            bytes,
            is_text: codec.is_text(),
        }
    }
}

/// Who asked for a patch.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) connection: u64,
    pub(crate) proposal: Option<Arc<str>>,
}

/// A patch in a model's history. Its ops are kept encoded; frames differ in what stands around them.
pub(crate) struct Logged {
    pub(crate) id: ModelId,
    pub(crate) rev: u64,
    /// Its position in the feed.
    pub(crate) position: u64,
    pub(crate) origin: Option<Origin>,
    /// The bytes it was made with; formats asked for later are not counted.
    pub(crate) size: usize,
    ops: usize,
    encoded: [OnceLock<Encoded>; Format::ALL.len()],
    custom: Mutex<Vec<(String, Bytes)>>,
}

/// A whole frame, and where in it the ops are.
struct Encoded {
    frame: Bytes,
    body: Range<usize>,
}

impl Logged {
    pub(crate) fn new(
        id: ModelId,
        rev: u64,
        position: u64,
        changes: &Changes,
        origin: Option<Origin>,
    ) -> Self {
        let ops = changes.len();
        let encoded = Format::ALL.map(|format| {
            let head = Head {
                id,
                rev,
                ops,
                proposal: None,
                base: None,
            };
            changes
                .body(format)
                .map_or_else(OnceLock::new, |body| head.frame(format, [body]).into())
        });
        let size = encoded
            .iter()
            .filter_map(OnceLock::get)
            .map(|encoded| encoded.frame.len())
            .sum();
        Self {
            id,
            rev,
            position,
            origin,
            size,
            ops,
            encoded,
            custom: Mutex::default(),
        }
    }

    /// The plain patch message.
    pub(crate) fn frame(&self, codec: &Codec) -> Result<Bytes, CodecError> {
        let Some(format) = codec.format() else {
            let mut custom = self.custom.lock();
            if let Some((_, frame)) = custom.iter().find(|(name, _)| name == codec.name()) {
                return Ok(frame.clone());
            }
            let frame = codec.encode(&self.message())?;
            custom.push((codec.name().to_owned(), frame.clone()));
            return Ok(frame);
        };
        Ok(self.encoded(format).frame.clone())
    }

    /// The message with the name of the proposal it answers.
    pub(crate) fn echo(&self, codec: &Codec, proposal: &str) -> Result<Bytes, CodecError> {
        let Some(format) = codec.format() else {
            let mut message = self.message();
            if let Message::Patch {
                proposal: named, ..
            } = &mut message
            {
                *named = Some(proposal.to_owned());
            }
            return codec.encode(&message);
        };
        let head = Head {
            id: self.id,
            rev: self.rev,
            ops: self.ops,
            proposal: Some(proposal),
            base: None,
        };
        Ok(head.frame(format, [self.body(format)]).frame)
    }

    /// Several patches of one model as one, older ops first.
    pub(crate) fn composed(patches: &[Arc<Self>], codec: &Codec) -> Result<Bytes, CodecError> {
        let (first, last) = match patches {
            [only] => return only.frame(codec),
            [first, .., last] => (first, last),
            [] => unreachable!("nothing is not composed"),
        };
        let base = Some(first.rev - 1);
        let Some(format) = codec.format() else {
            let ops = patches.iter().flat_map(|patch| match patch.message() {
                Message::Patch { patch, .. } => patch.ops,
                _ => unreachable!("a logged patch is a patch"),
            });
            let patch = Patch {
                rev: last.rev,
                ops: ops.collect(),
            };
            return codec.encode(&Message::Patch {
                id: last.id,
                patch,
                proposal: None,
                base,
            });
        };
        let ops = patches.iter().map(|patch| patch.ops).sum();
        let head = Head {
            id: last.id,
            rev: last.rev,
            ops,
            proposal: None,
            base,
        };
        let bodies: Vec<_> = patches.iter().map(|patch| patch.body(format)).collect();
        Ok(head.frame(format, bodies).frame)
    }

    fn body(&self, format: Format) -> &[u8] {
        let encoded = self.encoded(format);
        encoded.frame.get(encoded.body.clone()).unwrap_or_default()
    }

    fn encoded(&self, format: Format) -> &Encoded {
        self.encoded
            .get(format.slot())
            .expect("there is a slot for each format")
            .get_or_init(|| {
                let mut body = Writer::new(format, Vec::new());
                if let Message::Patch { patch, .. } = self.message() {
                    patch.ops.iter().for_each(|op| body.owned_op(op));
                }
                let head = Head {
                    id: self.id,
                    rev: self.rev,
                    ops: self.ops,
                    proposal: None,
                    base: None,
                };
                head.frame(format, [body.bytes()])
            })
    }

    /// The patch as data, from whichever encoding there is.
    fn message(&self) -> Message {
        Format::ALL
            .into_iter()
            .zip(&self.encoded)
            .find_map(|(format, encoded)| format.decode(&encoded.get()?.frame).ok())
            .expect(
                "a patch is encoded in one format at least, and what was encoded can be decoded",
            )
    }
}

/// What stands around the ops of a patch message.
struct Head<'a> {
    id: ModelId,
    rev: u64,
    ops: usize,
    proposal: Option<&'a str>,
    base: Option<u64>,
}

impl Head<'_> {
    /// The message with ops that were encoded before.
    fn frame<'b>(
        &self,
        format: Format,
        bodies: impl IntoIterator<Item = &'b [u8], IntoIter: Clone>,
    ) -> Encoded {
        /// More than anything but the ops and the proposal's name can take.
        const AROUND: usize = 128;

        let bodies = bodies.into_iter();
        let len: usize = bodies.clone().map(|body| body.len() + 1).sum();
        let name = self.proposal.map_or(0, str::len);
        let mut out = Writer::new(format, Vec::with_capacity(AROUND + len + name));
        let json = format == Format::Json;

        out.raw_map(3 + usize::from(self.proposal.is_some()) + usize::from(self.base.is_some()));
        if json {
            out.raw_key("t");
            out.raw_str("patch");
        } else {
            self.write_base(&mut out);
        }
        out.raw_key("id");
        out.raw_uint(self.id);
        out.raw_key("patch");
        out.raw_map(2);
        if json {
            self.write_rev(&mut out);
        }
        out.raw_key("ops");
        out.raw_list(self.ops);
        let start = out.bytes().len();
        for (position, body) in bodies.filter(|body| !body.is_empty()).enumerate() {
            if json && position > 0 {
                out.buffer().push(b',');
            }
            out.buffer().extend_from_slice(body);
        }
        let end = out.bytes().len();
        out.raw_end(b']');
        if !json {
            self.write_rev(&mut out);
        }
        out.raw_end(b'}');
        if let Some(proposal) = self.proposal {
            out.raw_key("proposal");
            out.raw_str(proposal);
        }
        if json {
            self.write_base(&mut out);
        } else {
            out.raw_key("t");
            out.raw_str("patch");
        }
        out.raw_end(b'}');

        let mut bytes = out.into_bytes();
        bytes.shrink_to_fit();
        Encoded {
            frame: bytes.into(),
            body: start..end,
        }
    }

    fn write_rev(&self, out: &mut Writer) {
        out.raw_key("rev");
        out.raw_uint(self.rev);
    }

    fn write_base(&self, out: &mut Writer) {
        if let Some(base) = self.base {
            out.raw_key("base");
            out.raw_uint(base);
        }
    }
}

/// Frames that were encoded before, as the messages of one batch.
pub(crate) fn batch(codec: &Codec, frames: &[Bytes]) -> Result<Bytes, CodecError> {
    let Some(format) = codec.format() else {
        let msgs = frames
            .iter()
            .map(|frame| codec.decode(frame))
            .collect::<Result<_, _>>()?;
        return codec.encode(&Message::Batch { msgs });
    };
    let len: usize = frames.iter().map(|frame| frame.len() + 1).sum();
    let mut out = Writer::new(format, Vec::with_capacity(len + 32));
    out.raw_map(2);
    if format == Format::Json {
        out.raw_key("t");
        out.raw_str("batch");
    }
    out.raw_key("msgs");
    out.raw_list(frames.len());
    for (position, frame) in frames.iter().enumerate() {
        if format == Format::Json && position > 0 {
            out.buffer().push(b',');
        }
        out.buffer().extend_from_slice(frame);
    }
    out.raw_end(b']');
    if format != Format::Json {
        out.raw_key("t");
        out.raw_str("batch");
    }
    out.raw_end(b'}');
    Ok(out.into_bytes().into())
}
