//! Lists: `Vec`, `VecDeque`, arrays, and the comparison that all of them share.

mod order;
mod pairs;

use std::collections::VecDeque;

pub(crate) use self::order::{permutation, reorder};
pub(crate) use self::pairs::{by_equality, by_look_ahead};
use super::value::edit_items;
use super::{Synced, edit_whole};
use crate::changes::{Changes, Mark, SAMPLES};
use crate::edit::{Author, Edit, EditError, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::Value;
use crate::writer::Writer;

/// Pairs items of the old list with items of the new one: the result has, for each new item, the position of the old
/// item it continues. No old position occurs twice.
pub(crate) type Matcher<T> = fn(&[T], &[<T as Synced>::Shadow]) -> Vec<Option<usize>>;

/// Reports how the list at `at` changed. Equal ends are skipped; what is left between them is paired by `matcher`. Where
/// that takes more than telling the whole list, the list is told.
pub(crate) fn diff_items<T: Synced>(
    new: &mut [T],
    old: &mut Vec<T::Shadow>,
    at: &At<'_>,
    out: &mut Changes,
    matcher: Matcher<T>,
) {
    diff_paired(new, old, at, out, |new, old, _| matcher(new, old));
}

/// As [`diff_items`], with a matcher that is also told where in the lists the items begin that it is to pair.
pub(crate) fn diff_paired<T: Synced>(
    new: &mut [T],
    old: &mut Vec<T::Shadow>,
    at: &At<'_>,
    out: &mut Changes,
    matcher: impl FnOnce(&[T], &[T::Shadow], usize) -> Vec<Option<usize>>,
) {
    let start = new
        .iter()
        .zip(&*old)
        .take_while(|(new, old)| new.same(old))
        .count();
    let end = new
        .iter()
        .rev()
        .zip(old.iter().rev())
        .take(new.len().min(old.len()) - start)
        .take_while(|(new, old)| new.same(old))
        .count();
    let (new_end, old_end) = (new.len() - end, old.len() - end);
    let (Some(changed), Some(before)) = (new.get_mut(start..new_end), old.get_mut(start..old_end))
    else {
        unreachable!("the equal ends are parts of both lists");
    };
    let mark = out.mark();
    let len = new_end + end;
    match (changed, before) {
        ([], []) => {}
        ([item], [shadow]) => return item.diff(shadow, &at.index(start), out),
        ([], gone) => {
            for index in (start..start + gone.len()).rev() {
                out.remove_at(at, index);
            }
            old.drain(start..old_end);
        }
        (fresh, []) if old_end == 0 && end == 0 && out.tells_whole(fresh.len()) => {
            out.set_written(at, |out| write_items(fresh.iter(), None, out));
            if out.judging() {
                check_items(fresh.iter(), at, out);
            }
            if out.is_apart() {
                reveal_items(fresh.iter(), |_| None, at, out);
            }
            old.extend(fresh.iter().map(T::shadow));
            return;
        }
        (fresh, []) => {
            for (index, item) in fresh.iter().enumerate() {
                out.insert(at, start + index, item);
            }
            let shadows: Vec<_> = fresh.iter().map(T::shadow).collect();
            old.splice(start..start, shadows);
        }
        (changed, before) => {
            let matches = matcher(changed, before, start);
            let told_whole = tells_whole(len, changed, before, &matches, out);
            let mut silent = told_whole.then(|| out.silent());
            let told = silent.as_mut().unwrap_or(&mut *out);
            if changed.len() == before.len()
                && matches.iter().copied().eq((0..changed.len()).map(Some))
            {
                let pairs = changed.iter_mut().zip(before).enumerate();
                pairs.for_each(|(nth, (item, shadow))| {
                    item.diff(shadow, &at.index(start + nth), told)
                });
            } else {
                let shadows: Vec<_> = old.drain(start..old_end).map(Some).collect();
                let rebuilt = rearrange(changed, shadows, &matches, (start, end), at, told);
                old.splice(start..start, rebuilt);
            }
            if let Some(silent) = silent {
                out.heard(silent);
                let is_new = |index: usize| {
                    let matched = index.checked_sub(start).and_then(|nth| matches.get(nth));
                    matched.is_some_and(Option::is_none)
                };
                let settled = |index: usize| old.get(index).filter(|_| !is_new(index));
                out.set_written(at, |out| {
                    out.list(new.len());
                    for (index, item) in new.iter().enumerate() {
                        if out.is_full() {
                            break;
                        }
                        item.write(settled(index), out);
                    }
                    out.end_list();
                });
                if out.is_apart() {
                    reveal_items(new.iter(), settled, at, out);
                }
                return;
            }
        }
    }
    shorten(new, old, &mark, at, out);
}

/// Whether a client changed so many small items of a list of `len` that it is no use to tell each.
fn tells_whole<T: Synced>(
    len: usize,
    new: &[T],
    old: &[T::Shadow],
    matches: &[Option<usize>],
    out: &mut Changes,
) -> bool {
    let sample = |nth: usize, out: &mut Writer| {
        if let Some(item) = new.get(nth * new.len() / SAMPLES) {
            item.write(None, out);
        }
    };
    let are_at_least = |many: usize| {
        let kept = matches.iter().flatten().count();
        let gone = old.len() - kept;
        let differ = new.iter().zip(matches).filter(|(item, matched)| {
            let shadow = matched.and_then(|position| old.get(position));
            shadow.is_none_or(|shadow| !item.same(shadow))
        });
        gone + differ.take(many).count() >= many
    };
    out.rather_tells_whole(len, new.len() + old.len(), are_at_least, sample)
}

/// Tells the whole list instead of the changes since `mark`, if that is shorter.
fn shorten<T: Synced>(
    items: &[T],
    shadows: &[T::Shadow],
    mark: &Mark,
    at: &At<'_>,
    out: &mut Changes,
) {
    let is_whole = out.shorten(mark, at, items.len(), |index, out| {
        if let Some(item) = items.get(index) {
            item.write(shadows.get(index), out);
        }
    });
    if is_whole {
        reveal_items(items.iter(), |index| shadows.get(index), at, out);
    }
}

/// Turns the old items into the new ones: removals, then moves, then inserts, then changes within items. `start` items
/// stand in front of them and `behind` after them.
fn rearrange<T: Synced>(
    new: &mut [T],
    mut old: Vec<Option<T::Shadow>>,
    matches: &[Option<usize>],
    (start, behind): (usize, usize),
    at: &At<'_>,
    out: &mut Changes,
) -> Vec<T::Shadow> {
    let mut kept = vec![false; old.len()];
    for position in matches.iter().flatten() {
        if let Some(kept) = kept.get_mut(*position) {
            *kept = true;
        }
    }
    for (position, _) in kept.iter().enumerate().rev().filter(|(_, kept)| !**kept) {
        out.remove_at(at, start + position);
    }

    // Positions of the kept items among themselves, in the order they have and in the order they need.
    let mut rank = vec![0; old.len()];
    let mut count = 0;
    for (rank, kept) in rank.iter_mut().zip(&kept) {
        *rank = count;
        count += usize::from(*kept);
    }
    let wanted: Vec<usize> = matches
        .iter()
        .flatten()
        .filter_map(|position| rank.get(*position).copied())
        .collect();
    reorder(&wanted, start, behind, at, out);

    for (index, (item, matched)) in new.iter().zip(matches).enumerate() {
        if matched.is_none() {
            out.insert(at, start + index, item);
        }
    }
    new.iter_mut()
        .zip(matches)
        .enumerate()
        .map(|(index, (item, matched))| {
            match matched.and_then(|position| old.get_mut(position)?.take()) {
                None => item.shadow(),
                Some(mut shadow) => {
                    item.diff(&mut shadow, &at.index(start + index), out);
                    shadow
                }
            }
        })
        .collect()
}

fn update_items<'a, T: Synced>(
    items: impl ExactSizeIterator<Item = &'a T>,
    shadows: &mut Vec<T::Shadow>,
) {
    shadows.truncate(items.len());
    let mut items = items;
    for (shadow, item) in shadows.iter_mut().zip(&mut items) {
        item.update(shadow);
    }
    shadows.extend(items.map(T::shadow));
}

fn write_items<'a, T: Synced>(
    items: impl ExactSizeIterator<Item = &'a T>,
    settled: Option<&[T::Shadow]>,
    out: &mut Writer,
) {
    out.list(items.len());
    for (index, item) in items.enumerate() {
        if out.is_full() {
            break;
        }
        item.write(settled.and_then(|shadows| shadows.get(index)), out);
    }
    out.end_list();
}

fn read_items<T: Synced>(value: Value) -> Result<Vec<T>, EditError> {
    let Value::List(items) = value else {
        return Err(EditError::expected("a List", &value));
    };
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| T::read(item).map_err(|error| error.below(index)))
        .collect()
}

fn edit_item<T: Synced>(
    items: &mut [T],
    index: usize,
    deeper: &[Segment],
    edit: Edit,
    author: Author,
) -> Result<Edit, EditError> {
    let len = items.len();
    let item = items
        .get_mut(index)
        .ok_or_else(|| EditError::new(Reason::IndexOutOfBounds { index, len }))?;
    if deeper.is_empty() && matches!(edit, Edit::Remove) {
        return Err(EditError::new(Reason::RemoveIndex));
    }
    item.edit(deeper, edit, author)
        .map_err(|error| error.below(index))
}

pub(crate) fn check_items<'a, T: Synced>(
    items: impl Iterator<Item = &'a T>,
    at: &At<'_>,
    out: &mut Changes,
) {
    for (index, item) in items.enumerate() {
        item.check(&at.index(index), out);
    }
}

pub(crate) fn reveal_items<'a, T: Synced>(
    items: impl Iterator<Item = &'a T>,
    settled: impl Fn(usize) -> Option<&'a T::Shadow>,
    at: &At<'_>,
    out: &mut Changes,
) {
    for (index, item) in items.enumerate() {
        item.reveal(settled(index), &at.index(index), out);
    }
}

/// Items that stand where others stood count as the same items, so that replacing a list is no way around `read_only`.
pub(crate) fn admit_items<'a, T: Synced>(
    items: impl Iterator<Item = &'a T>,
    mut old: impl Iterator<Item = &'a T>,
) -> Result<(), EditError> {
    for (index, item) in items.enumerate() {
        item.admit(old.next()).map_err(|error| error.below(index))?;
    }
    Ok(())
}

impl<T: Synced> Synced for Vec<T> {
    type Shadow = Vec<T::Shadow>;

    fn shadow(&self) -> Self::Shadow {
        self.iter().map(T::shadow).collect()
    }

    fn update(&self, shadow: &mut Self::Shadow) {
        update_items(self.iter(), shadow);
    }

    #[inline]
    fn same(&self, shadow: &Self::Shadow) -> bool {
        self.len() == shadow.len()
            && self
                .iter()
                .zip(shadow)
                .all(|(item, shadow)| item.same(shadow))
    }

    #[inline]
    fn diff(&mut self, shadow: &mut Self::Shadow, at: &At<'_>, out: &mut Changes) {
        diff_items(self, shadow, at, out, by_look_ahead);
    }

    fn write(&self, settled: Option<&Self::Shadow>, out: &mut Writer) {
        write_items(self.iter(), settled.map(Vec::as_slice), out);
    }

    fn read(value: Value) -> Result<Self, EditError> {
        read_items(value)
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        match (path, edit) {
            ([], edit @ Edit::Set(_)) => edit_whole(self, edit, author, Reason::NotAList),
            ([], edit) => edit_items(self, edit, author),
            ([Segment::Index(index), deeper @ ..], edit) => {
                edit_item(self, *index, deeper, edit, author)
            }
            ([Segment::Key(_), ..], _) => Err(EditError::new(Reason::NotAMap)),
        }
    }

    fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
        admit_items(self.iter(), old.into_iter().flatten())
    }

    fn check(&self, at: &At<'_>, out: &mut Changes) {
        check_items(self.iter(), at, out);
    }

    fn reveal(&self, settled: Option<&Self::Shadow>, at: &At<'_>, out: &mut Changes) {
        reveal_items(self.iter(), |index| settled?.get(index), at, out);
    }

    fn ty() -> Type {
        Type::List(Box::new(T::ty()))
    }
}

impl<T: Synced> Synced for VecDeque<T> {
    type Shadow = Vec<T::Shadow>;

    fn shadow(&self) -> Self::Shadow {
        self.iter().map(T::shadow).collect()
    }

    fn update(&self, shadow: &mut Self::Shadow) {
        update_items(self.iter(), shadow);
    }

    #[inline]
    fn same(&self, shadow: &Self::Shadow) -> bool {
        self.len() == shadow.len()
            && self
                .iter()
                .zip(shadow)
                .all(|(item, shadow)| item.same(shadow))
    }

    fn diff(&mut self, shadow: &mut Self::Shadow, at: &At<'_>, out: &mut Changes) {
        if !self.same(shadow) {
            diff_items(self.make_contiguous(), shadow, at, out, by_look_ahead);
        }
    }

    fn write(&self, settled: Option<&Self::Shadow>, out: &mut Writer) {
        write_items(self.iter(), settled.map(Vec::as_slice), out);
    }

    fn read(value: Value) -> Result<Self, EditError> {
        read_items(value).map(Self::from)
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        match (path, edit) {
            ([], edit @ Edit::Set(_)) => edit_whole(self, edit, author, Reason::NotAList),
            ([], edit) => {
                let mut items = Vec::from(std::mem::take(self));
                let edited = edit_items(&mut items, edit, author);
                *self = Self::from(items);
                edited
            }
            ([Segment::Index(index), deeper @ ..], edit) => {
                edit_item(self.make_contiguous(), *index, deeper, edit, author)
            }
            ([Segment::Key(_), ..], _) => Err(EditError::new(Reason::NotAMap)),
        }
    }

    fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
        admit_items(self.iter(), old.into_iter().flatten())
    }

    fn check(&self, at: &At<'_>, out: &mut Changes) {
        check_items(self.iter(), at, out);
    }

    fn reveal(&self, settled: Option<&Self::Shadow>, at: &At<'_>, out: &mut Changes) {
        reveal_items(self.iter(), |index| settled?.get(index), at, out);
    }

    fn ty() -> Type {
        Type::List(Box::new(T::ty()))
    }
}

/// A list whose length is part of its type.
impl<T: Synced, const N: usize> Synced for [T; N] {
    type Shadow = [T::Shadow; N];

    fn shadow(&self) -> Self::Shadow {
        self.each_ref().map(T::shadow)
    }

    #[inline]
    fn same(&self, shadow: &Self::Shadow) -> bool {
        self.iter()
            .zip(shadow)
            .all(|(item, shadow)| item.same(shadow))
    }

    fn diff(&mut self, shadow: &mut Self::Shadow, at: &At<'_>, out: &mut Changes) {
        let mark = out.mark();
        for (index, (item, shadow)) in self.iter_mut().zip(&mut *shadow).enumerate() {
            item.diff(shadow, &at.index(index), out);
        }
        shorten(self, shadow, &mark, at, out);
    }

    fn write(&self, settled: Option<&Self::Shadow>, out: &mut Writer) {
        write_items(self.iter(), settled.map(<[_; N]>::as_slice), out);
    }

    fn read(value: Value) -> Result<Self, EditError> {
        Self::try_from(read_items(value)?)
            .map_err(|_| EditError::new(Reason::FixedLength { len: N }))
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        match (path, edit) {
            ([], edit) => edit_whole(self, edit, author, Reason::FixedLength { len: N }),
            ([Segment::Index(index), deeper @ ..], edit) => {
                edit_item(self, *index, deeper, edit, author)
            }
            ([Segment::Key(_), ..], _) => Err(EditError::new(Reason::NotAMap)),
        }
    }

    fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
        admit_items(self.iter(), old.into_iter().flatten())
    }

    fn inherit(&mut self, old: &mut Self) {
        for (item, old) in self.iter_mut().zip(old) {
            item.inherit(old);
        }
    }

    fn check(&self, at: &At<'_>, out: &mut Changes) {
        check_items(self.iter(), at, out);
    }

    fn reveal(&self, settled: Option<&Self::Shadow>, at: &At<'_>, out: &mut Changes) {
        reveal_items(self.iter(), |index| settled?.get(index), at, out);
    }

    fn ty() -> Type {
        Type::Array(Box::new(T::ty()), N)
    }
}
