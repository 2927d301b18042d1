//! Patches that have been made, as the bytes that go out.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::Reader;
use super::encoded::{Forms, Head, read};
use super::visible::Visible;
use crate::changes::{Changes, Texts};
use crate::codec::{Codec, CodecError};
use crate::message::{Message, ModelId};
use crate::patch::Patch;
use crate::views::{Mask, Names};
use crate::writer::Format;

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
    /// What everybody sees.
    common: Forms,
    /// What only some see, if the model has that.
    viewed: Option<Box<Viewed>>,
    custom: Mutex<Vec<(String, Mask, Bytes)>>,
}

/// What of a patch only some see.
struct Viewed {
    names: Names,
    earlier: Visible,
    /// In the order in which they are told, with the views that they need.
    parts: Vec<(Mask, Forms)>,
    /// The frames of those who see some of them, or who did not see the revision before.
    frames: Mutex<Vec<(FrameKey, Bytes)>>,
}

type FrameKey = (Format, Texts, Mask);

impl Logged {
    pub(crate) fn new(
        id: ModelId,
        rev: u64,
        position: u64,
        changes: &Changes,
        origin: Option<Origin>,
        visible: &Visible,
    ) -> Self {
        let (common, parts) = changes.parts();
        let common = Forms::new(id, rev, common);
        let viewed = visible.names().map(|names| {
            let parts = parts.into_iter();
            Box::new(Viewed {
                names: Names::clone(names),
                earlier: visible.clone(),
                parts: parts
                    .map(|(mask, part)| (mask, Forms::new(id, rev, part)))
                    .collect(),
                frames: Mutex::default(),
            })
        });
        let parts = viewed.iter().flat_map(|viewed| &viewed.parts);
        let size = common.size() + parts.map(|(_, part)| part.size()).sum::<usize>();
        Self {
            id,
            rev,
            position,
            origin,
            size,
            common,
            viewed,
            custom: Mutex::default(),
        }
    }

    /// The views that are needed for any of it.
    pub(super) fn masks(&self) -> impl Iterator<Item = Mask> {
        let common = (self.common.ops > 0).then_some(Mask::NONE);
        let parts = self.viewed.iter().flat_map(|viewed| &viewed.parts);
        common.into_iter().chain(parts.map(|(mask, _)| *mask))
    }

    /// Which of the model's views a reader has.
    fn mask(&self, reader: &Reader) -> Mask {
        let viewed = self.viewed.as_ref();
        viewed.map_or(Mask::NONE, |viewed| Mask::of(&viewed.names, &reader.views))
    }

    /// Whether there is something in it that this reader sees.
    pub(crate) fn is_visible(&self, reader: &Reader) -> bool {
        self.common.ops > 0 || self.forms_for(reader).any(|forms| forms.ops > 0)
    }

    /// The revision that a reader has then.
    pub(crate) fn rev_for(&self, reader: &Reader) -> u64 {
        if self.is_visible(reader) {
            self.rev
        } else {
            self.base(reader)
        }
    }

    /// The revision that is before this one, for who sees this much.
    pub(super) fn base(&self, reader: &Reader) -> u64 {
        let viewed = self.viewed.as_ref();
        viewed.map_or(self.rev - 1, |viewed| viewed.earlier.rev(&reader.views))
    }

    /// What a reader sees of it, in order.
    fn forms_for(&self, reader: &Reader) -> impl Iterator<Item = &Forms> {
        let mask = self.mask(reader);
        let parts = self.viewed.iter().flat_map(|viewed| &viewed.parts);
        let seen = parts.filter(move |(part, _)| part.is_within(mask));
        std::iter::once(&self.common).chain(seen.map(|(_, forms)| forms))
    }

    /// Whether the frame that everybody else gets will do.
    fn is_common(&self, reader: &Reader) -> bool {
        self.viewed.is_none()
            || self.base(reader) == self.rev - 1 && self.forms_for(reader).count() == 1
    }

    fn head<'a>(&self, reader: &Reader, proposal: Option<&'a str>) -> Head<'a> {
        let base = self.base(reader);
        Head {
            id: self.id,
            rev: self.rev,
            ops: self.forms_for(reader).map(|forms| forms.ops).sum(),
            proposal,
            base: Some(base).filter(|base| *base != self.rev - 1),
        }
    }

    /// The plain patch message; `None` if it was not made in the form that the reader wants, as no connection wanted that
    /// form then.
    pub(crate) fn frame(&self, reader: &Reader) -> Result<Option<Bytes>, CodecError> {
        let codec = &reader.codec;
        let Some(format) = codec.format() else {
            let mask = self.mask(reader);
            let mut custom = self.custom.lock();
            let known = custom
                .iter()
                .find(|(name, known, _)| name == codec.name() && *known == mask);
            if let Some((_, _, frame)) = known {
                return Ok(Some(frame.clone()));
            }
            let Some(message) = self.message(reader, None) else {
                return Ok(None);
            };
            let frame = codec.encode(&message)?;
            custom.push((codec.name().to_owned(), mask, frame.clone()));
            return Ok(Some(frame));
        };
        if self.is_common(reader) {
            let encoded = self.common.encoded(format, reader.texts, self.id, self.rev);
            return Ok(encoded.map(|encoded| encoded.frame.clone()));
        }
        let key = (format, reader.texts, self.mask(reader));
        let mut frames = match &self.viewed {
            Some(viewed) => viewed.frames.lock(),
            None => unreachable!("what is not common is in a model with views"),
        };
        if let Some((_, frame)) = frames.iter().find(|(known, _)| *known == key) {
            return Ok(Some(frame.clone()));
        }
        let frame = self.framed(format, reader, None);
        frames.extend(frame.clone().map(|frame| (key, frame)));
        Ok(frame)
    }

    /// The message with the name of the proposal it answers; `None` as for [`frame`](Self::frame).
    pub(crate) fn echo(
        &self,
        reader: &Reader,
        proposal: &str,
    ) -> Result<Option<Bytes>, CodecError> {
        match reader.codec.format() {
            Some(format) => Ok(self.framed(format, reader, Some(proposal))),
            None => {
                let message = self.message(reader, Some(proposal));
                message
                    .map(|message| reader.codec.encode(&message))
                    .transpose()
            }
        }
    }

    fn framed(&self, format: Format, reader: &Reader, proposal: Option<&str>) -> Option<Bytes> {
        let mut bodies = Vec::new();
        self.bodies(format, reader, &mut bodies)?;
        Some(self.head(reader, proposal).frame(format, bodies).frame)
    }

    /// Adds the ops that a reader sees; `None` as for [`frame`](Self::frame).
    fn bodies<'a>(
        &'a self,
        format: Format,
        reader: &Reader,
        bodies: &mut Vec<[&'a [u8]; 1]>,
    ) -> Option<()> {
        for forms in self.forms_for(reader) {
            bodies.push([forms.body(format, reader.texts, self.id, self.rev)?]);
        }
        Some(())
    }

    /// Several patches of one model as one, older ops first; `None` as for [`frame`](Self::frame). The reader sees
    /// something of each.
    pub(crate) fn composed(
        patches: &[Arc<Self>],
        reader: &Reader,
    ) -> Result<Option<Bytes>, CodecError> {
        let (first, last) = match patches {
            [only] => return only.frame(reader),
            [first, .., last] => (first, last),
            [] => unreachable!("nothing is not composed"),
        };
        let base = Some(first.base(reader));
        let Some(format) = reader.codec.format() else {
            let mut ops = Vec::new();
            for patch in patches {
                match patch.message(reader, None) {
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
        let forms = patches.iter().flat_map(|patch| patch.forms_for(reader));
        let head = Head {
            id: last.id,
            rev: last.rev,
            ops: forms.map(|forms| forms.ops).sum(),
            proposal: None,
            base,
        };
        let mut bodies = Vec::new();
        let made = patches
            .iter()
            .try_for_each(|patch| patch.bodies(format, reader, &mut bodies));
        Ok(made.map(|()| head.frame(format, bodies).frame))
    }

    /// The bytes of the message for this reader, or about as many; `None` as for [`frame`](Self::frame).
    pub(crate) fn size_for(&self, reader: &Reader) -> Option<usize> {
        self.forms_for(reader)
            .map(|forms| forms.size_for(reader))
            .sum()
    }

    /// The patch as data, with whole texts; `None` as for [`frame`](Self::frame).
    fn message(&self, reader: &Reader, proposal: Option<&str>) -> Option<Message> {
        let mut ops = Vec::new();
        for forms in self.forms_for(reader) {
            match read(&forms.whole) {
                Some(Message::Patch { patch, .. }) => ops.extend(patch.ops),
                _ => return None,
            }
        }
        let Head { id, rev, base, .. } = self.head(reader, proposal);
        Some(Message::Patch {
            id,
            patch: Patch { rev, ops },
            proposal: proposal.map(str::to_owned),
            base,
        })
    }
}
