//! Ops on texts, which some peers get as the part that changed and the others as a whole.

use super::{Changes, Mark};
use crate::path::At;
use crate::writer::{Format, Head, Writer};

/// How ops on texts go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Texts {
    /// As a `Set` of the whole text, which every peer knows.
    #[default]
    Whole,
    /// As a `Splice`, for peers that agreed on it.
    Spliced,
}

/// Which forms of ops on texts are collected, and where they differ.
#[derive(Debug, Default)]
pub(super) struct Splices {
    /// By format, in the order of [`Format::ALL`]: what stands in its body.
    body: [Texts; Format::ALL.len()],
    /// By format: whether the spliced form is wanted beside a body with whole texts.
    beside: [bool; Format::ALL.len()],
    data: Texts,
    /// Whether any of it is [`Texts::Spliced`].
    wanted: bool,
    /// Ops in bodies with whole texts, in order, and what they are in the spliced form.
    others: Vec<Other>,
    /// How many ops have both forms.
    count: usize,
}

#[derive(Debug)]
struct Other {
    format: Format,
    start: usize,
    end: usize,
    spliced: Vec<u8>,
}

impl Splices {
    #[inline]
    pub(super) fn clear(&mut self) {
        if !self.others.is_empty() {
            self.others.clear();
        }
        self.count = 0;
    }

    /// Forgets the ops since `mark`.
    pub(super) fn rewind(&mut self, mark: &Mark) {
        self.others.retain(|other| {
            mark.bodies
                .get(other.format.slot())
                .is_some_and(|len| other.start < *len)
        });
        self.count = mark.splices;
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// None yet, in the same forms.
    pub(super) fn like(&self) -> Self {
        Self {
            body: self.body,
            beside: self.beside,
            data: self.data,
            wanted: self.wanted,
            ..Self::default()
        }
    }

    /// The ops of `body`, with texts in this form.
    pub(super) fn pieces<'a>(
        &'a self,
        body: &'a [u8],
        format: Format,
        texts: Texts,
    ) -> Option<Vec<&'a [u8]>> {
        let slot = format.slot();
        let form = self.body.get(slot).copied().unwrap_or_default();
        if form == texts || self.count == 0 {
            return Some(vec![body]);
        }
        if texts == Texts::Whole || self.beside.get(slot) != Some(&true) {
            return None;
        }
        let mut pieces = Vec::new();
        let mut done = 0;
        for other in self.others.iter().filter(|other| other.format == format) {
            pieces.push(body.get(done..other.start).unwrap_or_default());
            pieces.push(&other.spliced);
            done = other.end;
        }
        pieces.push(body.get(done..).unwrap_or_default());
        Some(pieces)
    }
}

/// A part of a text and what takes its place; positions count characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Splice<'a> {
    pub(crate) at: usize,
    pub(crate) delete: usize,
    pub(crate) insert: &'a str,
}

impl Changes {
    /// From now on edited texts are collected as [`Op::Splice`](crate::Op::Splice), in whichever form ops are collected.
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// use transports::collections::Text;
    /// use transports::{Changes, Synced, Tracked};
    ///
    /// #[derive(Synced)]
    /// struct Log {
    ///     lines: Text,
    /// }
    ///
    /// let lines = "started\n".repeat(100);
    /// let mut log = Tracked::new(Log { lines: Text::from(lines) });
    /// let mut changes = Changes::as_json().with_splices();
    ///
    /// log.lines += "ready\n";
    /// Tracked::collect(&mut log, &mut changes);
    /// assert_eq!(
    ///     changes.json(),
    ///     br#"{"Splice":{"path":[{"Key":"lines"}],"at":800,"delete":0,"insert":"ready\n"}}"#,
    /// );
    /// # }
    /// ```
    #[must_use]
    pub fn with_splices(mut self) -> Self {
        self.part.splices.body = [Texts::Spliced; Format::ALL.len()];
        self.part.splices.data = Texts::Spliced;
        self.part.splices.wanted = true;
        self
    }

    /// What is wanted from now on of each format.
    pub(super) fn want(&mut self, forms: impl IntoIterator<Item = (Format, Texts)>) -> [bool; 3] {
        let mut whole = [false; Format::ALL.len()];
        let mut spliced = whole;
        for (format, texts) in forms {
            let wanted = match texts {
                Texts::Whole => &mut whole,
                Texts::Spliced => &mut spliced,
            };
            if let Some(wanted) = wanted.get_mut(format.slot()) {
                *wanted = true;
            }
        }
        let mut wanted = whole;
        let slots = self
            .part
            .splices
            .body
            .iter_mut()
            .zip(&mut self.part.splices.beside);
        for (((body, beside), whole), (spliced, wanted)) in
            slots.zip(whole).zip(spliced.into_iter().zip(&mut wanted))
        {
            *body = if whole { Texts::Whole } else { Texts::Spliced };
            *beside = whole && spliced;
            *wanted = whole || spliced;
        }
        self.part.splices.wanted = spliced.contains(&true);
        wanted
    }

    /// Whether anybody wants texts in parts.
    pub(crate) const fn wants_splices(&self) -> bool {
        self.part.splices.wanted
    }

    /// A part of the text at `at` has changed, which is now `whole`.
    pub(crate) fn splice(&mut self, at: &At<'_>, whole: &str, splice: Splice<'_>) {
        self.part.ops += 1;
        self.part.splices.count += 1;
        let head = Head::Splice(splice.at, splice.delete, splice.insert);
        let set = |writer: &mut Writer| writer.op(Head::Set, at, |writer| writer.str(whole));
        for format in Format::ALL {
            let body = self.part.splices.body.get(format.slot()).copied();
            let beside = self.part.splices.beside.get(format.slot()).copied();
            let Some(writer) = self.part.writer_mut(format) else {
                continue;
            };
            let start = writer.bytes().len();
            if body == Some(Texts::Spliced) || beside == Some(true) {
                writer.op(head, at, |_| {});
            }
            if body == Some(Texts::Spliced) {
                continue;
            }
            let spliced = writer.buffer().split_off(start);
            set(writer);
            let end = writer.bytes().len();
            if beside == Some(true) {
                self.part.splices.others.push(Other {
                    format,
                    start,
                    end,
                    spliced,
                });
            }
        }
        if let Some(ops) = &mut self.part.data {
            let (op, _) = match self.part.splices.data {
                Texts::Whole => super::owned(Head::Set, at, |writer| writer.str(whole)),
                Texts::Spliced => super::owned(head, at, |_| {}),
            };
            ops.push(op);
        }
    }
}
