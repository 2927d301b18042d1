//! Ops as bytes, in every form that was wanted, and the frames around them.

use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;

use super::Reader;
use crate::changes::{Part, Texts};
use crate::codec::{Codec, CodecError};
use crate::message::{Message, ModelId};
use crate::writer::{Format, Writer};

/// Ops in every form that was wanted.
pub(super) struct Forms {
    pub(super) ops: usize,
    /// With whole texts, which is all there is if no op differs.
    pub(super) whole: [OnceLock<Encoded>; Format::ALL.len()],
    /// With spliced texts, if there are any.
    spliced: Option<[OnceLock<Encoded>; Format::ALL.len()]>,
}

/// A whole frame, and where in it the ops are.
pub(super) struct Encoded {
    pub(super) frame: Bytes,
    body: Range<usize>,
}

impl Forms {
    pub(super) fn new(id: ModelId, rev: u64, part: &Part) -> Self {
        let ops = part.len();
        let encode = |texts: Texts| {
            Format::ALL.map(|format| {
                let head = Head::plain(id, rev, ops);
                part.body_with(format, texts)
                    .map_or_else(OnceLock::new, |pieces| head.frame(format, [&pieces]).into())
            })
        };
        Self {
            ops,
            whole: encode(Texts::Whole),
            spliced: part.has_splices().then(|| encode(Texts::Spliced)),
        }
    }

    pub(super) fn size(&self) -> usize {
        let forms = self.whole.iter().chain(self.spliced.iter().flatten());
        let frames = forms.filter_map(OnceLock::get);
        frames.map(|encoded| encoded.frame.len()).sum()
    }

    pub(super) fn size_for(&self, reader: &Reader) -> Option<usize> {
        let forms = self.made(reader.texts)?;
        let made = |place: &OnceLock<Encoded>| Some(place.get()?.frame.len());
        let format = reader.codec.format();
        let exact = format.and_then(|format| forms.get(format.slot()).and_then(made));
        exact.or_else(|| forms.iter().filter_map(made).max())
    }

    /// The encodings that serve this form. Whole texts do for who wants spliced ones, but not the other way round.
    fn made(&self, texts: Texts) -> Option<&[OnceLock<Encoded>]> {
        match (texts, &self.spliced) {
            (Texts::Spliced, Some(spliced)) if is_made(spliced) => Some(spliced),
            _ if is_made(&self.whole) => Some(&self.whole),
            _ => None,
        }
    }

    /// In this format and form, made from another format if need be.
    pub(super) fn encoded(
        &self,
        format: Format,
        texts: Texts,
        id: ModelId,
        rev: u64,
    ) -> Option<&Encoded> {
        let forms = self.made(texts)?;
        let encoded = forms.get(format.slot())?.get_or_init(|| {
            let mut body = Writer::new(format, Vec::new());
            if let Some(Message::Patch { patch, .. }) = read(forms) {
                patch.ops.iter().for_each(|op| body.owned_op(op));
            }
            Head::plain(id, rev, self.ops).frame(format, [&[body.bytes()]])
        });
        Some(encoded)
    }

    pub(super) fn body(
        &self,
        format: Format,
        texts: Texts,
        id: ModelId,
        rev: u64,
    ) -> Option<&[u8]> {
        let encoded = self.encoded(format, texts, id, rev)?;
        Some(encoded.frame.get(encoded.body.clone()).unwrap_or_default())
    }
}

fn is_made(formats: &[OnceLock<Encoded>]) -> bool {
    formats.iter().any(|encoded| encoded.get().is_some())
}

/// The patch as data, from whichever encoding there is.
pub(super) fn read(formats: &[OnceLock<Encoded>]) -> Option<Message> {
    Format::ALL
        .into_iter()
        .zip(formats)
        .find_map(|(format, encoded)| format.decode(&encoded.get()?.frame).ok())
}

/// What stands around the ops of a patch message.
pub(super) struct Head<'a> {
    pub(super) id: ModelId,
    pub(super) rev: u64,
    pub(super) ops: usize,
    pub(super) proposal: Option<&'a str>,
    pub(super) base: Option<u64>,
}

impl Head<'_> {
    const fn plain(id: ModelId, rev: u64, ops: usize) -> Self {
        Self {
            id,
            rev,
            ops,
            proposal: None,
            base: None,
        }
    }

    /// The message with ops that were encoded before, each body in as many pieces as it has.
    pub(super) fn frame<'b, B: AsRef<[&'b [u8]]>>(
        &self,
        format: Format,
        bodies: impl AsRef<[B]>,
    ) -> Encoded {
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
