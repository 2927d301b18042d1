//! The ops for those who see the same.

use super::{Mark, Splices, Texts};
use crate::patch::Op;
use crate::views::Seen;
use crate::writer::{Format, Writer};

/// Ops in every form that is collected.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// In the order of [`Format::ALL`].
    pub(super) json: Option<Writer>,
    pub(super) msgpack: Option<Writer>,
    pub(super) cbor: Option<Writer>,
    pub(super) data: Option<Vec<Op>>,
    pub(super) splices: Splices,
    pub(super) ops: usize,
}

impl Part {
    #[inline]
    pub(super) fn clear(&mut self) {
        if let Some(json) = &mut self.json {
            json.clear();
        }
        if let Some(msgpack) = &mut self.msgpack {
            msgpack.clear();
        }
        if let Some(cbor) = &mut self.cbor {
            cbor.clear();
        }
        if let Some(ops) = &mut self.data {
            ops.clear();
        }
        self.splices.clear();
        self.ops = 0;
    }

    /// Another one, empty, that collects the same forms.
    pub(super) fn like(&self, seen: &Seen) -> Self {
        let mut other = Self {
            splices: self.splices.like(),
            ..Self::default()
        };
        for format in Format::ALL {
            if self.writer(format).is_some() {
                let writer = Writer::new(format, Vec::new());
                *other.writer_mut(format) = Some(writer.showing(seen.clone()));
            }
        }
        other
    }

    /// What of a model is written from now on.
    pub(super) fn show(&mut self, seen: &Seen) {
        for format in Format::ALL {
            if let Some(writer) = self.writer_mut(format) {
                writer.show(seen.clone());
            }
        }
    }

    #[inline]
    pub(super) fn mark(&self) -> Mark {
        let len =
            |writer: &Option<Writer>| writer.as_ref().map_or(0, |writer| writer.bytes().len());
        Mark {
            ops: self.ops,
            splices: self.splices.count(),
            bodies: [len(&self.json), len(&self.msgpack), len(&self.cbor)],
            sections: 0,
        }
    }

    /// Forgets the ops since `mark`.
    pub(super) fn rewind(&mut self, mark: &Mark) {
        for (format, len) in Format::ALL.into_iter().zip(mark.bodies) {
            if let Some(writer) = self.writer_mut(format) {
                writer.buffer().truncate(len);
            }
        }
        if let Some(ops) = &mut self.data {
            ops.truncate(mark.ops);
        }
        self.ops = mark.ops;
        self.splices.rewind(mark);
    }

    const fn writer(&self, format: Format) -> &Option<Writer> {
        match format {
            Format::Json => &self.json,
            Format::MessagePack => &self.msgpack,
            Format::Cbor => &self.cbor,
        }
    }

    pub(super) const fn writer_mut(&mut self, format: Format) -> &mut Option<Writer> {
        match format {
            Format::Json => &mut self.json,
            Format::MessagePack => &mut self.msgpack,
            Format::Cbor => &mut self.cbor,
        }
    }

    /// The number of ops.
    pub(crate) const fn len(&self) -> usize {
        self.ops
    }

    /// The encoded ops.
    #[inline]
    pub(super) fn body(&self, format: Format) -> Option<&[u8]> {
        self.writer(format).as_ref().map(Writer::bytes)
    }

    /// Whether there are ops that differ between the forms.
    pub(crate) const fn has_splices(&self) -> bool {
        self.splices.count() > 0
    }

    /// The encoded ops with texts in this form.
    pub(crate) fn body_with(&self, format: Format, texts: Texts) -> Option<Vec<&[u8]>> {
        self.splices.pieces(self.body(format)?, format, texts)
    }
}
