//! Sets, which travel as sorted lists.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, Hash};

use super::{Synced, edit_whole};
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Payload, Reason, moves};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::Value;
use crate::writer::Writer;

/// Reports a changed set: items that went, from the end, then items that came, each at its place in the order.
fn diff_sorted<T: Synced + Ord>(new: &[&T], old: &[T], at: &At<'_>, out: &mut Changes) {
    for (index, item) in old.iter().enumerate().rev() {
        if new.binary_search(&item).is_err() {
            out.remove_at(at, index);
        }
    }
    for (index, item) in new.iter().enumerate() {
        if old.binary_search(item).is_err() {
            out.insert(at, index, *item);
        }
    }
}

fn sorted<'a, T: Ord + 'a>(items: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    let mut items: Vec<&T> = items.collect();
    items.sort_unstable();
    items
}

/// What undoes the replacement of an item: the one that goes again, and the one that comes back.
struct Exchange<T> {
    gone: Option<T>,
    came: Option<T>,
}

macro_rules! set {
    ($Set:ident, [$($S:ident)?], $($bound:path),*) => {
        /// An index names a place in the sorted order. An item that is inserted goes where it belongs, whatever the
        /// index.
        impl<T $(, $S)?> Synced for $Set<T $(, $S)?>
        where
            T: Synced + Ord + Clone $(+ $bound)*,
            $($S: BuildHasher + Default + Send + Sync + 'static,)?
        {
            type Shadow = $Set<T>;

            fn shadow(&self) -> Self::Shadow {
                self.iter().cloned().collect()
            }

            fn same(&self, shadow: &Self::Shadow) -> bool {
                self.len() == shadow.len() && self.iter().all(|item| shadow.contains(item))
            }

            fn diff(&mut self, shadow: &mut Self::Shadow, at: &At<'_>, out: &mut Changes) {
                if self.same(shadow) {
                    return;
                }
                let mut old: Vec<T> = std::mem::take(shadow).into_iter().collect();
                old.sort_unstable();
                diff_sorted(&sorted(self.iter()), &old, at, out);
                *shadow = self.shadow();
            }

            fn write(&self, _: Option<&Self::Shadow>, out: &mut Writer) {
                out.list(self.len());
                for item in sorted(self.iter()) {
                    item.write(None, out);
                }
                out.end_list();
            }

            fn read(value: Value) -> Result<Self, EditError> {
                let Value::List(items) = value else {
                    return Err(EditError::expected("a List", &value));
                };
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| T::read(item).map_err(|error| error.below(index)))
                    .collect()
            }

            fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
                let len = self.len();
                let nth = |set: &Self, index: usize| {
                    sorted(set.iter())
                        .get(index)
                        .map(|item| (*item).clone())
                        .ok_or_else(|| EditError::new(Reason::IndexOutOfBounds { index, len }))
                };
                // The items are sorted to find the place, which takes as long as moving so many.
                const SORTING: usize = 16;
                let sorts = || moves(len.saturating_mul(SORTING), author);
                match (path, edit) {
                    ([], Edit::Insert(index, payload)) => {
                        sorts()?;
                        if index > len {
                            nth(self, index)?;
                        }
                        let item: T = payload.take(None, author).map_err(|error| error.below(index))?;
                        if !self.insert(item.clone()) {
                            return Ok(Edit::Nothing);
                        }
                        let place = sorted(self.iter()).binary_search(&&item);
                        Ok(Edit::RemoveAt(place.expect("the item was inserted above")))
                    }
                    ([], Edit::RemoveAt(index)) => {
                        sorts()?;
                        let item = nth(self, index)?;
                        self.remove(&item);
                        Ok(Edit::Insert(index, Payload::taken(item)))
                    }
                    ([Segment::Index(index)], Edit::Set(payload)) => {
                        sorts()?;
                        let (gone, item) = match payload.into_taken::<Exchange<T>>() {
                            Ok(back) => (back.gone, back.came),
                            Err(payload) => {
                                let item = payload.take(None, author);
                                (Some(nth(self, *index)?), Some(item.map_err(|error| error.below(*index))?))
                            }
                        };
                        if let Some(gone) = &gone {
                            self.remove(gone);
                        }
                        let came = item.filter(|item| self.insert(item.clone()));
                        Ok(Edit::Set(Payload::taken(Exchange { gone: came, came: gone })))
                    }
                    ([], Edit::Move(..) | Edit::Reorder(_)) => {
                        Err(EditError::new(Reason::Rule("a set keeps its own order".to_owned())))
                    }
                    ([], edit) => edit_whole(self, edit, author, Reason::NotAList),
                    ([Segment::Index(_)], Edit::Remove) => Err(EditError::new(Reason::RemoveIndex)),
                    ([Segment::Index(_), ..], _) => {
                        Err(EditError::new(Reason::Rule("an item of a set is replaced as a whole".to_owned())))
                    }
                    ([Segment::Key(_), ..], _) => Err(EditError::new(Reason::NotAMap)),
                }
            }

            fn check(&self, at: &At<'_>, out: &mut Changes) {
                for (index, item) in sorted(self.iter()).into_iter().enumerate() {
                    item.check(&at.index(index), out);
                }
            }

            fn ty() -> Type {
                Type::Set(Box::new(T::ty()))
            }
        }
    };
}

set!(BTreeSet, [],);
set!(HashSet, [S], Hash);
