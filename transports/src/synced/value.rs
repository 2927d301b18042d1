//! [`Value`] as a model: what is known only at run time, and what a dynamic mirror holds.

use super::map::compare_sorted;
use super::{Synced, diff_items, edit_whole, permutation};
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Payload, Reason, moves};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::{Value, ValueMap};
use crate::writer::Writer;

impl Synced for Value {
    type Shadow = Self;

    fn shadow(&self) -> Self {
        self.clone()
    }

    fn same(&self, shadow: &Self) -> bool {
        match (self, shadow) {
            (Self::Float(new), Self::Float(old)) => new.same(old),
            (Self::List(new), Self::List(old)) => {
                new.len() == old.len() && new.iter().zip(old).all(|(new, old)| new.same(old))
            }
            (Self::Map(new), Self::Map(old)) => {
                new.len() == old.len()
                    && new
                        .iter()
                        .zip(old)
                        .all(|((key, new), (other, old))| key == other && new.same(old))
            }
            (new, old) => new == old,
        }
    }

    fn diff(&mut self, shadow: &mut Self, at: &At<'_>, out: &mut Changes) {
        match (&mut *self, &mut *shadow) {
            (Self::Map(new), Self::Map(old)) if old.is_empty() && out.tells_whole(new.len()) => {
                out.set_written(at, |out| out.entries(new));
                old.clone_from(new);
            }
            (Self::Map(new), Self::Map(old)) => {
                let (added, gone) = compare_sorted(new.iter_mut(), old.iter_mut(), at, out);
                for key in gone {
                    old.remove(&key);
                }
                old.extend(added);
            }
            (Self::List(new), Self::List(old)) => {
                diff_items(new, old, at, out, super::list::by_equality)
            }
            (new, old) if new.same(old) => {}
            (new, old) => {
                out.set(at, new);
                old.clone_from(new);
            }
        }
    }

    fn write(&self, _: Option<&Self>, out: &mut Writer) {
        out.value(self);
    }

    fn read(value: Value) -> Result<Self, EditError> {
        Ok(value)
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        match (path, self) {
            ([], this) => match (this, edit) {
                (Self::List(items), edit) if !matches!(edit, Edit::Set(_)) => {
                    edit_items(items, edit, author)
                }
                (Self::Str(text), edit @ Edit::Splice(..)) => {
                    super::edit_text(text, &[], edit, author, String::replace_range)
                }
                (this, edit) => edit_whole(this, edit, author, Reason::NotAList),
            },
            ([Segment::Key(key)], Self::Map(entries)) => match edit {
                Edit::Set(payload) => {
                    let new = payload.take(entries.get_mut(key), author)?;
                    Ok(entries
                        .insert(key.clone(), new)
                        .map_or(Edit::Remove, |old| Edit::Set(Payload::taken(old))))
                }
                Edit::Remove => Ok(entries
                    .remove(key)
                    .map_or(Edit::Nothing, |old| Edit::Set(Payload::taken(old)))),
                edit => entry(entries, key)?
                    .edit(&[], edit, author)
                    .map_err(|error| error.below(key.as_str())),
            },
            ([Segment::Key(key), deeper @ ..], Self::Map(entries)) => entry(entries, key)?
                .edit(deeper, edit, author)
                .map_err(|error| error.below(key.as_str())),
            ([Segment::Index(_)], _) if matches!(edit, Edit::Remove) => {
                Err(EditError::new(Reason::RemoveIndex))
            }
            ([Segment::Index(index), deeper @ ..], Self::List(items)) => {
                let len = items.len();
                items
                    .get_mut(*index)
                    .ok_or_else(|| EditError::new(Reason::IndexOutOfBounds { index: *index, len }))?
                    .edit(deeper, edit, author)
                    .map_err(|error| error.below(*index))
            }
            ([Segment::Key(_), ..], _) => Err(EditError::new(Reason::NotAMap)),
            ([Segment::Index(_), ..], _) => Err(EditError::new(Reason::NotAList)),
        }
    }

    fn ty() -> Type {
        Type::Any
    }
}

fn entry<'a>(entries: &'a mut ValueMap, key: &str) -> Result<&'a mut Value, EditError> {
    entries
        .get_mut(key)
        .ok_or_else(|| EditError::new(Reason::MissingKey).below(key))
}

/// The edits that end at a list, for every growing list there is.
pub(crate) fn edit_items<T: Synced>(
    items: &mut Vec<T>,
    edit: Edit,
    author: Author,
) -> Result<Edit, EditError> {
    let len = items.len();
    let within = |index: usize| {
        if index < len {
            Ok(())
        } else {
            Err(EditError::new(Reason::IndexOutOfBounds { index, len }))
        }
    };
    match edit {
        Edit::Insert(index, payload) => {
            if index > len {
                within(index)?;
            }
            moves(len - index, author)?;
            let item = payload
                .take(None, author)
                .map_err(|error| error.below(index))?;
            items.insert(index, item);
            Ok(Edit::RemoveAt(index))
        }
        Edit::RemoveAt(index) => {
            within(index)?;
            moves(len - index, author)?;
            Ok(Edit::Insert(index, Payload::taken(items.remove(index))))
        }
        Edit::Move(from, to) => {
            within(from)?;
            within(to)?;
            moves(from.abs_diff(to), author)?;
            match items.get_mut(from.min(to)..=from.max(to)) {
                Some(span) if from < to => span.rotate_left(1),
                Some(span) => span.rotate_right(1),
                None => {}
            }
            Ok(Edit::Move(to, from))
        }
        Edit::Reorder(order) => {
            let inverse =
                permutation(&order, len).ok_or_else(|| EditError::new(Reason::BadOrder { len }))?;
            moves(len, author)?;
            let mut old: Vec<_> = items.drain(..).map(Some).collect();
            items.extend(order.iter().filter_map(|&index| old.get_mut(index)?.take()));
            Ok(Edit::Reorder(inverse))
        }
        Edit::Nothing => Ok(Edit::Nothing),
        Edit::Remove => Err(EditError::new(Reason::EmptyPath)),
        Edit::Splice(..) => Err(EditError::new(Reason::NotAText)),
        Edit::Set(_) => unreachable!("a list is set as a whole by its holder"),
    }
}
