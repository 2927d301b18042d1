//! Patches that have been made, as the bytes that go out.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;

use super::Reader;
use crate::changes::{Changes, Texts};
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
    /// With whole texts, which is all there is if no op differs.
    whole: [OnceLock<Encoded>; Format::ALL.len()],
    /// With spliced texts, if there are any.
    spliced: Option<[OnceLock<Encoded>; Format::ALL.len()]>,
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
        let encode = |texts: Texts| {
            Format::ALL.map(|format| {
                let head = Head {
                    id,
                    rev,
                    ops,
                    proposal: None,
                    base: None,
                };
                changes
                    .body_with(format, texts)
                    .map_or_else(OnceLock::new, |pieces| head.frame(format, [&pieces]).into())
            })
        };
        let whole = encode(Texts::Whole);
        let spliced = changes.has_splices().then(|| encode(Texts::Spliced));
        let size = whole
            .iter()
            .chain(spliced.iter().flatten())
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
            whole,
            spliced,
            custom: Mutex::default(),
        }
    }

    /// The plain patch message; `None` if it was not made in the form that the reader wants, as no connection wanted that
    /// form then.
    pub(crate) fn frame(&self, reader: &Reader) -> Result<Option<Bytes>, CodecError> {
        let codec = &reader.codec;
        let Some(format) = codec.format() else {
            let mut custom = self.custom.lock();
            if let Some((_, frame)) = custom.iter().find(|(name, _)| name == codec.name()) {
                return Ok(Some(frame.clone()));
            }
            let Some(message) = self.message(Texts::Whole) else {
                return Ok(None);
            };
            let frame = codec.encode(&message)?;
            custom.push((codec.name().to_owned(), frame.clone()));
            return Ok(Some(frame));
        };
        let encoded = self.encoded(format, reader.texts);
        Ok(encoded.map(|encoded| encoded.frame.clone()))
    }

    /// The message with the name of the proposal it answers; `None` as for [`frame`](Self::frame).
    pub(crate) fn echo(
        &self,
        reader: &Reader,
        proposal: &str,
    ) -> Result<Option<Bytes>, CodecError> {
        let Some(format) = reader.codec.format() else {
            let Some(mut message) = self.message(Texts::Whole) else {
                return Ok(None);
            };
            if let Message::Patch {
                proposal: named, ..
            } = &mut message
            {
                *named = Some(proposal.to_owned());
            }
            return reader.codec.encode(&message).map(Some);
        };
        let head = Head {
            id: self.id,
            rev: self.rev,
            ops: self.ops,
            proposal: Some(proposal),
            base: None,
        };
        let body = self.body(format, reader.texts);
        Ok(body.map(|body| head.frame(format, [&[body]]).frame))
    }

    /// Several patches of one model as one, older ops first; `None` as for [`frame`](Self::frame).
    pub(crate) fn composed(
        patches: &[Arc<Self>],
        reader: &Reader,
    ) -> Result<Option<Bytes>, CodecError> {
        let (first, last) = match patches {
            [only] => return only.frame(reader),
            [first, .., last] => (first, last),
            [] => unreachable!("nothing is not composed"),
        };
        let base = Some(first.rev - 1);
        let Some(format) = reader.codec.format() else {
            let mut ops = Vec::new();
            for patch in patches {
                match patch.message(Texts::Whole) {
                    Some(Message::Patch { patch, .. }) => ops.extend(patch.ops),
                    _ => return Ok(None),
                }
            }
            let patch = Patch { rev: last.rev, ops };
            let message = Message::Patch {
                id: last.id,
                patch,
                proposal: None,
                base,
            };
            return reader.codec.encode(&message).map(Some);
        };
        let ops = patches.iter().map(|patch| patch.ops).sum();
        let head = Head {
            id: last.id,
            rev: last.rev,
            ops,
            proposal: None,
            base,
        };
        let bodies: Option<Vec<_>> = patches
            .iter()
            .map(|patch| Some([patch.body(format, reader.texts)?]))
            .collect();
        Ok(bodies.map(|bodies| head.frame(format, &bodies).frame))
    }

    fn body(&self, format: Format, texts: Texts) -> Option<&[u8]> {
        let encoded = self.encoded(format, texts)?;
        Some(encoded.frame.get(encoded.body.clone()).unwrap_or_default())
    }

    /// The bytes of the message for this reader, or about as many; `None` as for [`frame`](Self::frame).
    pub(crate) fn size_for(&self, reader: &Reader) -> Option<usize> {
        let forms = self.forms(reader.texts)?;
        let made = |place: &OnceLock<Encoded>| Some(place.get()?.frame.len());
        let format = reader.codec.format();
        let exact = format.and_then(|format| forms.get(format.slot()).and_then(made));
        exact.or_else(|| forms.iter().filter_map(made).max())
    }

    /// The encodings that serve this form. Whole texts do for who wants spliced ones, but not the other way round.
    fn forms(&self, texts: Texts) -> Option<&[OnceLock<Encoded>]> {
        match (texts, &self.spliced) {
            (Texts::Spliced, Some(spliced)) if is_made(spliced) => Some(spliced),
            _ if is_made(&self.whole) => Some(&self.whole),
            _ => None,
        }
    }

    /// In this format and form, made from another format if need be.
    fn encoded(&self, format: Format, texts: Texts) -> Option<&Encoded> {
        let forms = self.forms(texts)?;
        let encoded = forms.get(format.slot())?.get_or_init(|| {
            let mut body = Writer::new(format, Vec::new());
            if let Some(Message::Patch { patch, .. }) = read(forms) {
                patch.ops.iter().for_each(|op| body.owned_op(op));
            }
            let head = Head {
                id: self.id,
                rev: self.rev,
                ops: self.ops,
                proposal: None,
                base: None,
            };
            head.frame(format, [&[body.bytes()]])
        });
        Some(encoded)
    }

    /// The patch as data.
    fn message(&self, texts: Texts) -> Option<Message> {
        match (texts, &self.spliced) {
            (Texts::Spliced, Some(spliced)) => read(spliced),
            _ => read(&self.whole),
        }
    }
}

fn is_made(formats: &[OnceLock<Encoded>]) -> bool {
    formats.iter().any(|encoded| encoded.get().is_some())
}

/// The patch as data, from whichever encoding there is.
fn read(formats: &[OnceLock<Encoded>]) -> Option<Message> {
    Format::ALL
        .into_iter()
        .zip(formats)
        .find_map(|(format, encoded)| format.decode(&encoded.get()?.frame).ok())
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
    /// The message with ops that were encoded before, each body in as many pieces as it has.
    fn frame<'b, B: AsRef<[&'b [u8]]>>(&self, format: Format, bodies: impl AsRef<[B]>) -> Encoded {
        /// More than anything but the ops and the proposal's name can take.
        const AROUND: usize = 128;

        let bodies = bodies.as_ref().iter().map(AsRef::as_ref);
        let len = |pieces: &[&[u8]]| pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let ops: usize = bodies.clone().map(|pieces| len(pieces) + 1).sum();
        let name = self.proposal.map_or(0, str::len);
        let mut out = Writer::new(format, Vec::with_capacity(AROUND + ops + name));
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
        for (position, pieces) in bodies.filter(|pieces| len(pieces) > 0).enumerate() {
            if json && position > 0 {
                out.buffer().push(b',');
            }
            for piece in pieces {
                out.buffer().extend_from_slice(piece);
            }
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
