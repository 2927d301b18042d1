//! What a walk over a model finds changed.

mod part;
mod sections;
mod splices;

use std::fmt;

pub(crate) use self::part::Part;
use self::sections::Sections;
use self::splices::Splices;
pub(crate) use self::splices::{Splice, Texts};

use crate::edit::Reason;
use crate::patch::Op;
use crate::path::{At, Path, WritePath};
use crate::synced::Synced;
use crate::views::Seen;
use crate::writer::{Format, Head, Leaf, Writer, notation};

/// Collects the ops of one patch, encoded for every codec in use while the model is walked.
///
/// [`Synced::diff`] reports what changed here. The ops are written straight from the model's own types.
#[derive(Debug, Default)]
pub struct Changes {
    /// Where ops go: those for everybody, but within a section.
    part: Part,
    /// The ops of other parts.
    aside: usize,
    /// The parts of a model that has views, if they are kept apart.
    sections: Option<Box<Sections>>,
    faults: Vec<Fault>,
    /// Rules are checked only while an edit is judged: the host is free to do as it likes.
    judging: bool,
    refusal: Option<(Path, Reason)>,
    /// Lists that changed in places are never told as a whole.
    proposing: bool,
}

/// How far [`Changes`] had come.
#[derive(Debug)]
pub(crate) struct Mark {
    ops: usize,
    splices: usize,
    /// In the order of [`Format::ALL`].
    bodies: [usize; Format::ALL.len()],
    sections: usize,
}

/// A field whose present value the wire cannot carry. Its last good value stays on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field.
    pub path: Path,
    /// What is wrong with its value.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// Up to these bytes ops stay ops: they tell more, and go in one packet as a smaller frame does.
const FEW: usize = 1024;
/// No op takes fewer bytes: `RemoveAt` in MessagePack.
const SHORTEST_OP: usize = 24;
/// A list or map is judged by the look of so many of its items or entries.
pub(crate) const SAMPLES: usize = 8;

impl Changes {
    /// Collects ops as data.
    #[must_use]
    pub fn as_ops() -> Self {
        Self {
            part: Part {
                data: Some(Vec::new()),
                ..Part::default()
            },
            ..Self::default()
        }
    }

    /// Collects ops as data, for a proposal. A list that changed in places is never told as a whole, as shorter as that
    /// may be: it would undo what others change of the list meanwhile.
    #[must_use]
    pub fn as_proposal() -> Self {
        Self {
            proposing: true,
            ..Self::as_ops()
        }
    }

    /// Collects ops as JSON text, for [`Changes::json`].
    #[must_use]
    pub fn as_json() -> Self {
        Self::encoded([Format::Json])
    }

    /// Collects ops as MessagePack, for [`Changes::msgpack`].
    #[must_use]
    pub fn as_msgpack() -> Self {
        Self::encoded([Format::MessagePack])
    }

    /// Collects ops as CBOR, for [`Changes::cbor`].
    #[must_use]
    pub fn as_cbor() -> Self {
        Self::encoded([Format::Cbor])
    }

    pub(crate) fn encoded(formats: impl IntoIterator<Item = Format>) -> Self {
        let mut changes = Self::default();
        changes.restart(formats.into_iter().map(|format| (format, Texts::Whole)));
        changes
    }

    /// Forgets what was collected and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        if self.sections.is_some() {
            self.clear_sections();
        }
        self.part.clear();
        self.judging = false;
        if !self.faults.is_empty() || self.refusal.is_some() {
            self.faults.clear();
            self.refusal = None;
        }
    }

    /// As [`clear`](Self::clear), for the given formats and forms from now on.
    pub(crate) fn restart(&mut self, forms: impl IntoIterator<Item = (Format, Texts)>) {
        self.clear();
        self.sections = None;
        let wanted = self.want(forms);
        for (format, wanted) in Format::ALL.into_iter().zip(wanted) {
            let writer = self.part.writer_mut(format);
            match writer {
                Some(writer) if wanted => writer.show(Seen::EVERYTHING),
                None if wanted => *writer = Some(Writer::new(format, Vec::new())),
                _ => *writer = None,
            }
        }
    }

    #[inline]
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            sections: self
                .sections
                .as_ref()
                .map_or(0, |sections| sections.count()),
            ..self.part.mark()
        }
    }

    /// Makes one op for the whole list at `at` of the ops since `mark`, which all lie in it, if that is shorter. `item`
    /// writes an item as peers are to know it; what was to be checked or reported of it was when its ops were made.
    ///
    /// Writes no more for that than the ops take, and an item; and nothing where they obviously are the shorter ones.
    /// Returns whether it is one op now, which tells of nothing that has a view.
    #[inline]
    pub(crate) fn shorten(
        &mut self,
        mark: &Mark,
        at: &At<'_>,
        len: usize,
        item: impl Fn(usize, &mut Writer),
    ) -> bool {
        self.part.ops - mark.ops > 1
            && !self.proposing
            && self.shorten_many(mark, at, len, &item)
            && self.is_apart()
    }

    fn shorten_many(
        &mut self,
        mark: &Mark,
        at: &At<'_>,
        len: usize,
        item: &dyn Fn(usize, &mut Writer),
    ) -> bool {
        /// The bytes of `Null` in MessagePack; nothing is shorter anywhere.
        const SHORTEST: usize = 5;

        let [json, msgpack, cbor] = mark.bodies;
        let mut scratch = None;
        let first = [
            (&mut self.part.json, json),
            (&mut self.part.msgpack, msgpack),
            (&mut self.part.cbor, cbor),
        ]
        .into_iter()
        .find_map(|(writer, start)| Some((writer.as_mut()?, start)));
        let (writer, start) = match (first, &self.part.data) {
            (Some(first), _) => first,
            (None, Some(ops)) => {
                let writer = scratch.insert(Writer::new(Format::Json, Vec::new()));
                ops.iter().skip(mark.ops).for_each(|op| writer.owned_op(op));
                (writer, 0)
            }
            (None, None) => return false,
        };
        // The comma in front counts whether there is one or not, so that what stands in front decides nothing.
        let told = writer.bytes().len() - start + usize::from(start == 0);
        if told <= FEW.max(SHORTEST * len) {
            return false;
        }
        if len > 2 * SAMPLES {
            let sample = writer.measure(told, |out| {
                let samples = (0..SAMPLES).map(|nth| nth * len / SAMPLES);
                for index in samples {
                    if out.is_full() {
                        break;
                    }
                    item(index, out);
                }
            });
            if sample.is_none_or(|sample| sample / SAMPLES * len > told) {
                return false;
            }
        }
        let whole = |out: &mut Writer| {
            out.list(len);
            for index in 0..len {
                if out.is_full() {
                    break;
                }
                item(index, out);
            }
            out.end_list();
        };
        let shorter = writer.measure(told, |out| out.op(Head::Set, at, whole));
        if shorter.is_none() {
            return false;
        }
        self.rewind_sections(mark);
        self.part.rewind(mark);
        self.op(Head::Set, at, whole);
        true
    }

    /// The number of ops so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.part.ops + self.aside
    }

    /// Whether nothing changed so far.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ops, if they are collected [as data](Self::as_ops).
    #[must_use]
    pub fn ops(&self) -> &[Op] {
        self.part.data.as_deref().unwrap_or_default()
    }

    /// The ops, taken out.
    #[must_use]
    pub fn into_ops(self) -> Vec<Op> {
        self.part.data.unwrap_or_default()
    }

    /// The ops as JSON, separated by commas, if they are collected [as JSON](Self::as_json).
    #[must_use]
    #[inline]
    pub fn json(&self) -> &[u8] {
        self.body(Format::Json).unwrap_or_default()
    }

    /// The ops as MessagePack, one after the other, if they are collected [as that](Self::as_msgpack).
    #[must_use]
    pub fn msgpack(&self) -> &[u8] {
        self.body(Format::MessagePack).unwrap_or_default()
    }

    /// The ops as CBOR, one after the other, if they are collected [as that](Self::as_cbor).
    #[must_use]
    pub fn cbor(&self) -> &[u8] {
        self.body(Format::Cbor).unwrap_or_default()
    }

    #[inline]
    fn body(&self, format: Format) -> Option<&[u8]> {
        self.part.body(format)
    }

    /// The fields that could not be sent.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    pub(crate) fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }

    /// From now on changes are a client's and must keep the model's rules.
    pub(crate) fn judge(&mut self) {
        self.judging = true;
    }

    pub(crate) fn take_refusal(&mut self) -> Option<(Path, Reason)> {
        self.refusal.take()
    }

    /// Whether the changes are a client's, so that the rules of the model have to be checked.
    #[must_use]
    pub const fn judging(&self) -> bool {
        self.judging
    }

    /// Refuses the edit that is being judged because of the value at `at`. The first refusal is the one that counts.
    pub fn refuse(&mut self, at: &At<'_>, reason: impl fmt::Display) {
        if self.refusal.is_none() {
            self.refusal = Some((at.to_path(), Reason::Rule(reason.to_string())));
        }
    }

    /// The value at `at` cannot travel; what the wire last saw stays.
    pub fn fault(&mut self, at: &At<'_>, reason: impl fmt::Display) {
        self.faults.push(Fault {
            path: at.to_path(),
            reason: reason.to_string(),
        });
    }

    /// The leaf at `at` has changed. One function for all of them, and no rules to check below it.
    pub(crate) fn set_leaf(&mut self, at: &At<'_>, leaf: Leaf<'_>) {
        self.part.ops += 1;
        if let Some(json) = &mut self.part.json {
            json.json_set_leaf(at, leaf);
        }
        if self.part.msgpack.is_some() || self.part.cbor.is_some() || self.part.data.is_some() {
            self.set_leaf_elsewhere(at, leaf);
        }
    }

    #[inline(never)]
    fn set_leaf_elsewhere(&mut self, at: &At<'_>, leaf: Leaf<'_>) {
        if let Some(msgpack) = &mut self.part.msgpack {
            msgpack.set_leaf::<notation::MessagePack>(at, leaf);
        }
        if let Some(cbor) = &mut self.part.cbor {
            cbor.set_leaf::<notation::Cbor>(at, leaf);
        }
        if let Some(ops) = &mut self.part.data {
            ops.push(owned(Head::Set, at, |writer| writer.leaf(leaf)).0);
        }
    }

    /// `value` is new or has changed as a whole.
    #[inline]
    pub fn set<T: Synced>(&mut self, at: &At<'_>, value: &T) {
        self.op(Head::Set, at, |writer| value.write(None, writer));
        if self.judging {
            value.check(at, self);
        }
        if self.is_apart() {
            value.reveal(None, at, self);
        }
    }

    /// Whether a list or map with so many entries that was empty before is told as a whole, as that is certainly shorter
    /// than telling each, and more than goes in one packet.
    pub(crate) const fn tells_whole(&self, len: usize) -> bool {
        /// An op that brings an item takes 33 bytes at least.
        const MANY: usize = 32;
        len >= MANY && !self.proposing
    }

    /// The value at `at` is told by `write`, which is all that is told of it: it was not there before.
    pub(crate) fn set_written(&mut self, at: &At<'_>, write: impl Fn(&mut Writer)) {
        self.op(Head::Set, at, write);
    }

    /// Whether a list or map of `len` is told as a whole whatever its ops are, as these are certainly longer. `most` ops are
    /// possible; `are_at_least` says whether there are so many; `sample` writes one of eight items or entries, from the
    /// front to the end of what changed, by whose look the whole is judged.
    ///
    /// Only asked where a client edits. Otherwise ops are made and thrown away if the whole is shorter, but what a client
    /// sends must not take that much memory.
    pub(crate) fn rather_tells_whole(
        &mut self,
        len: usize,
        most: usize,
        are_at_least: impl FnOnce(usize) -> bool,
        sample: impl Fn(usize, &mut Writer),
    ) -> bool {
        if !self.judging || self.proposing || most * SHORTEST_OP <= FEW || len == 0 {
            return false;
        }
        let mut scratch = None;
        let part = &mut self.part;
        let writer = match (&mut part.json, &mut part.msgpack, &mut part.cbor) {
            (Some(writer), ..) | (None, Some(writer), _) | (None, None, Some(writer)) => writer,
            _ if part.data.is_some() => scratch.insert(Writer::new(Format::Json, Vec::new())),
            _ => return false,
        };
        let room = most * SHORTEST_OP * SAMPLES / len;
        let taken = writer.measure(room, |out| {
            for nth in 0..SAMPLES {
                if out.is_full() {
                    break;
                }
                sample(nth, out);
            }
        });
        taken.is_some_and(|taken| are_at_least(taken * len / (SAMPLES * SHORTEST_OP) + 1))
    }

    /// Judges what it is told of as this does, and writes nothing.
    pub(crate) fn silent(&self) -> Self {
        Self {
            judging: self.judging,
            ..Self::default()
        }
    }

    /// Takes over what a [silent](Self::silent) one found.
    pub(crate) fn heard(&mut self, silent: Self) {
        self.faults.extend(silent.faults);
        if self.refusal.is_none() {
            self.refusal = silent.refusal;
        }
    }

    /// The entry at `at` is gone.
    pub fn remove(&mut self, at: &At<'_>) {
        self.op(Head::Remove, at, |_| {});
    }

    /// The list at `at` got a new item at `index`.
    #[inline]
    pub fn insert<T: Synced>(&mut self, at: &At<'_>, index: usize, item: &T) {
        self.op(Head::Insert(index), at, |writer| item.write(None, writer));
        if self.judging {
            item.check(&at.index(index), self);
        }
        if self.is_apart() {
            item.reveal(None, &at.index(index), self);
        }
    }

    /// The list at `at` lost the item at `index`.
    pub fn remove_at(&mut self, at: &At<'_>, index: usize) {
        self.op(Head::RemoveAt(index), at, |_| {});
    }

    /// An item of the list at `at` went from one index to another.
    pub fn move_item(&mut self, at: &At<'_>, from: usize, to: usize) {
        self.op(Head::Move(from, to), at, |_| {});
    }

    /// The list at `at` was rearranged: its new item `i` is the old item `order[i]`.
    pub fn reorder(&mut self, at: &At<'_>, order: &[usize]) {
        self.op(Head::Reorder(order), at, |_| {});
    }

    #[inline]
    fn op(&mut self, head: Head<'_>, at: &At<'_>, write: impl Fn(&mut Writer)) {
        self.part.ops += 1;
        let mut clamped = false;
        if let Some(json) = &mut self.part.json {
            clamped |= json.clamps(|json| json.json_op(head, at, &write));
        }
        if self.part.msgpack.is_some() || self.part.cbor.is_some() || self.part.data.is_some() {
            clamped |= self.other_op(head, at, &write);
        }
        if clamped {
            self.fault(
                at,
                "a number in here is beyond the 64 bits of the wire, the nearest one was sent",
            );
        }
    }

    fn other_op(&mut self, head: Head<'_>, at: &At<'_>, write: &dyn Fn(&mut Writer)) -> bool {
        let mut clamped = false;
        for writer in [&mut self.part.msgpack, &mut self.part.cbor]
            .into_iter()
            .flatten()
        {
            clamped |= writer.clamps(|writer| writer.op(head, at, write));
        }
        if let Some(ops) = &mut self.part.data {
            let (op, cut) = owned(head, at, write);
            ops.push(op);
            clamped |= cut;
        }
        clamped
    }
}

/// The op as data, and whether a number in it did not fit.
fn owned(head: Head<'_>, at: &At<'_>, write: impl Fn(&mut Writer)) -> (Op, bool) {
    let path = at.to_path();
    debug_assert_eq!(path.len(), at.steps());
    let mut cut = false;
    let mut value = || {
        Writer::to_value(|writer| {
            write(writer);
            cut = writer.clamped > 0;
        })
    };
    let op = match head {
        Head::Set => Op::Set {
            path,
            value: value(),
        },
        Head::Remove => Op::Remove { path },
        Head::Insert(index) => Op::Insert {
            path,
            index,
            value: value(),
        },
        Head::RemoveAt(index) => Op::RemoveAt { path, index },
        Head::Move(from, to) => Op::Move { path, from, to },
        Head::Reorder(order) => Op::Reorder {
            path,
            order: order.to_vec(),
        },
        Head::Splice(at, delete, insert) => Op::Splice {
            path,
            at,
            delete,
            insert: insert.to_owned(),
        },
    };
    (op, cut)
}
