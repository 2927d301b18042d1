//! Lists on the wire: what the log knows becomes ops.

use std::sync::atomic;

use super::List;
use crate::changes::Changes;
use crate::collections::Instance;
use crate::edit::{Author, Edit, EditError, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::synced::{self, Synced};
use crate::value::Value;
use crate::writer::Writer;

/// What the wire has of a list: which one it was.
#[derive(Debug)]
pub struct ListShadow(Instance);

impl<T: Synced> Synced for List<T> {
    type Shadow = ListShadow;

    fn shadow(&self) -> ListShadow {
        self.log.settled.store(true, atomic::Ordering::Relaxed);
        ListShadow(self.instance)
    }

    #[inline]
    fn same(&self, shadow: &ListShadow) -> bool {
        self.instance == shadow.0
            && (self.log.is_empty()
                || (!self.log.whole
                    && self.log.is_in_place()
                    && self.log.touched.as_slice().iter().all(|(index, shadow)| {
                        self.items.get(*index).is_some_and(|item| item.same(shadow))
                    })))
    }

    #[inline]
    fn diff(&mut self, shadow: &mut ListShadow, at: &At<'_>, out: &mut Changes) {
        if self.instance != shadow.0 {
            out.set(at, self);
            *shadow = self.shadow();
        } else {
            self.tell(at, out);
        }
    }

    fn write(&self, settled: Option<&ListShadow>, out: &mut Writer) {
        out.list(self.items.len());
        for (index, item) in self.items.iter().enumerate() {
            if out.is_full() {
                break;
            }
            item.write(settled.and_then(|_| self.log.shadow(index)), out);
        }
        out.end_list();
    }

    fn read(value: Value) -> Result<Self, EditError> {
        Vec::read(value).map(Self::from)
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        self.open();
        match (path, edit) {
            ([], edit @ Edit::Set(_)) => synced::edit_whole(self, edit, author, Reason::NotAList),
            ([], edit) => self.edit_items(edit, author),
            ([Segment::Index(_)], Edit::Remove) => Err(EditError::new(Reason::RemoveIndex)),
            ([Segment::Index(index), deeper @ ..], edit) => {
                let (index, len) = (*index, self.items.len());
                self.get_mut(index)
                    .ok_or_else(|| EditError::new(Reason::IndexOutOfBounds { index, len }))?
                    .edit(deeper, edit, author)
                    .map_err(|error| error.below(index))
            }
            ([Segment::Key(_), ..], _) => Err(EditError::new(Reason::NotAMap)),
        }
    }

    fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
        synced::admit_items(
            self.items.iter(),
            old.into_iter().flat_map(|old| old.items.iter()),
        )
    }

    fn check(&self, at: &At<'_>, out: &mut Changes) {
        synced::check_items(self.items.iter(), at, out);
    }

    fn reveal(&self, settled: Option<&ListShadow>, at: &At<'_>, out: &mut Changes) {
        let shadow = |index| settled.and_then(|_| self.log.shadow(index));
        synced::reveal_items(self.items.iter(), shadow, at, out);
    }

    fn ty() -> Type {
        Type::List(Box::new(T::ty()))
    }
}

impl<T: Synced> List<T> {
    fn edit_items(&mut self, edit: Edit, author: Author) -> Result<Edit, EditError> {
        // The same edits as a plain list's; what they do is noted from the edit and what undoes it.
        let len = self.items.len();
        let order = match &edit {
            Edit::Reorder(order) => Some(order.clone()),
            _ => None,
        };
        let undo = self
            .items
            .edit(|items| synced::edit_items(items, edit, author))?;
        self.log.rearrange(|runs| match &undo {
            Edit::RemoveAt(index) => runs.insert(*index, 1),
            Edit::Insert(index, _) => runs.remove(*index, index + 1),
            Edit::Move(from, to) if to < from => runs.rotate(*to, to + 1, from + 1),
            Edit::Move(from, to) => runs.rotate(*from, *to, to + 1),
            Edit::Reorder(_) => runs.permute(order.into_iter().flatten()),
            _ => {}
        });
        debug_assert!(len.abs_diff(self.items.len()) <= 1);
        Ok(undo)
    }

    /// Tells what the log knows, and forgets it.
    #[inline]
    fn tell(&mut self, at: &At<'_>, out: &mut Changes) {
        if self.log.is_settled() {
            return;
        }
        if self.log.touched.len() == 1 && !self.log.whole && self.log.is_in_place() {
            // What changed within one item is hardly more than the whole list.
            self.tell_touched(at, out, Some);
        } else {
            self.tell_much(at, out);
        }
    }

    #[inline(never)]
    fn tell_much(&mut self, at: &At<'_>, out: &mut Changes) {
        let mark = out.mark();
        if !self.log.whole && self.log.is_in_place() {
            self.tell_touched(at, out, Some);
        } else if self.log.whole || !self.tell_arrangement(at, out) {
            out.set(at, self);
            self.log.reset(self.items.len());
        } else {
            let places = (self.log.touched.len() > 0).then(|| self.log.runs.places());
            self.log.runs.reset(self.items.len());
            self.log.base = self.items.len();
            if let Some(places) = places {
                self.tell_touched(at, out, |origin| places.now(origin));
            }
        }
        let is_whole = out.shorten(&mark, at, self.items.len(), |index, out| {
            if let Some(item) = self.items.get(index) {
                item.write(self.log.shadow(index), out);
            }
        });
        if is_whole {
            synced::reveal_items(self.items.iter(), |index| self.log.shadow(index), at, out);
        }
    }

    /// Tells what changed within the items that were touched; `now` knows where an item is that was at a place.
    #[inline]
    fn tell_touched(
        &mut self,
        at: &At<'_>,
        out: &mut Changes,
        now: impl Fn(usize) -> Option<usize>,
    ) {
        let before = out.faults().len();
        for (origin, shadow) in self.log.touched.as_mut_slice() {
            // An item that is gone needs no more.
            let Some((index, item)) =
                now(*origin).and_then(|index| Some((index, self.items.item_mut(index)?)))
            else {
                *origin = usize::MAX;
                continue;
            };
            *origin = index;
            item.diff(shadow, &at.index(index), out);
        }
        if out.faults().len() > before {
            // The wire still has something else of some items: their shadows are needed further on.
            self.log.touched.retain(|index, shadow| {
                let item = self.items.get(*index);
                item.is_some_and(|item| !item.same(shadow))
            });
        } else {
            self.log.touched.clear();
        }
    }

    /// Tells which items went, changed places and came; false if telling the whole list is shorter.
    fn tell_arrangement(&self, at: &At<'_>, out: &mut Changes) -> bool {
        let kept = || {
            self.log
                .runs
                .iter()
                .filter_map(|run| Some((run.from?, run.len)))
        };
        let stayed: usize = kept().map(|(_, len)| len).sum();
        let (gone, came) = (self.log.base - stayed, self.items.len() - stayed);
        if gone + came > self.items.len() + 1 {
            return false;
        }
        if kept().is_sorted() {
            self.tell_gone(kept().rev(), at, out);
        } else {
            let mut kept: Vec<_> = kept().collect();
            let wanted = ranks(&kept);
            kept.sort_unstable();
            self.tell_gone(kept.into_iter().rev(), at, out);
            synced::reorder(&wanted, 0, 0, at, out);
        }
        let mut start = 0;
        for run in self.log.runs.iter() {
            if run.from.is_none() {
                for (index, item) in self.items.iter().enumerate().skip(start).take(run.len) {
                    out.insert(at, index, item);
                }
            }
            start += run.len;
        }
        true
    }

    /// Tells which items went, given the runs that stayed, last one first.
    fn tell_gone(
        &self,
        kept: impl Iterator<Item = (usize, usize)>,
        at: &At<'_>,
        out: &mut Changes,
    ) {
        let mut end = self.log.base;
        for (from, len) in kept {
            for index in (from + len..end).rev() {
                out.remove_at(at, index);
            }
            end = from;
        }
        for index in (0..end).rev() {
            out.remove_at(at, index);
        }
    }
}

/// The ranks of the items that stayed among themselves, in their present order.
fn ranks(kept: &[(usize, usize)]) -> Vec<usize> {
    let mut sorted: Vec<(usize, usize, usize)> = kept
        .iter()
        .enumerate()
        .map(|(place, (from, len))| (*from, *len, place))
        .collect();
    sorted.sort_unstable();
    let mut firsts = vec![0; kept.len()];
    let mut rank = 0;
    for (_, len, place) in sorted {
        if let Some(first) = firsts.get_mut(place) {
            *first = rank;
        }
        rank += len;
    }
    kept.iter()
        .zip(firsts)
        .flat_map(|((_, len), first)| first..first + len)
        .collect()
}
