//! A map as a field.

use std::collections::BTreeMap;
use std::sync::atomic;

use super::{Instance, Map, MapKey};
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Payload, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::synced::{self, Synced};
use crate::value::Value;
use crate::writer::Writer;

/// What the wire has of a map: which one it was.
#[derive(Debug)]
pub struct MapShadow(Instance);

impl<K: MapKey, V: Synced> Synced for Map<K, V> {
    type Shadow = MapShadow;

    fn shadow(&self) -> MapShadow {
        self.log.settled.store(true, atomic::Ordering::Relaxed);
        MapShadow(self.instance)
    }

    fn same(&self, shadow: &MapShadow) -> bool {
        self.instance == shadow.0
            && (self.log.is_empty()
                || (!self.log.whole
                    && self.log.notes.as_slice().iter().all(|(key, note)| {
                        match (self.entries.get(key), &note.shadow) {
                            (Some(value), Some(shadow)) => note.compares && value.same(shadow),
                            (Some(_), None) => false,
                            (None, _) => !note.known,
                        }
                    })))
    }

    #[inline]
    fn diff(&mut self, shadow: &mut MapShadow, at: &At<'_>, out: &mut Changes) {
        if self.instance != shadow.0 {
            out.set(at, self);
            *shadow = self.shadow();
        } else if !self.log.is_empty() {
            self.tell(at, out);
        }
    }

    fn write(&self, settled: Option<&MapShadow>, out: &mut Writer) {
        let shadow = |key: &K| settled.and_then(|_| self.settled(key));
        synced::write_entries(self.entries.iter(), shadow, K::IN_TEXT_ORDER, out);
    }

    fn read(value: Value) -> Result<Self, EditError> {
        BTreeMap::read(value).map(Self::from)
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        self.log.open();
        match (path, edit) {
            ([], edit) => synced::edit_whole(self, edit, author, Reason::NotAList),
            ([Segment::Key(text)], Edit::Set(payload)) => {
                let key = synced::parse_key::<K>(text)?;
                let old = self.entries.get_mut(&key);
                self.log.coming(&key, old.as_deref());
                let new = payload
                    .take(old, author)
                    .map_err(|error| error.below(text.as_str()))?;
                let old = self.entries.insert(key, new);
                Ok(old.map_or(Edit::Remove, |old| Edit::Set(Payload::taken(old))))
            }
            ([Segment::Key(text)], Edit::Remove) => Ok(K::parse(text)
                .and_then(|key| self.remove(&key))
                .map_or(Edit::Nothing, |old| Edit::Set(Payload::taken(old)))),
            ([Segment::Key(text), deeper @ ..], edit) => {
                let key = synced::parse_key::<K>(text)?;
                self.get_mut(&key)
                    .ok_or_else(|| EditError::new(Reason::MissingKey).below(text.as_str()))?
                    .edit(deeper, edit, author)
                    .map_err(|error| error.below(text.as_str()))
            }
            ([Segment::Index(_)], Edit::Remove) => Err(EditError::new(Reason::RemoveIndex)),
            ([Segment::Index(_), ..], _) => Err(EditError::new(Reason::NotAList)),
        }
    }

    fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
        self.entries.iter().try_for_each(|(key, value)| {
            value
                .admit(old.and_then(|old| old.entries.get(key)))
                .map_err(|error| error.below(key.text().as_ref()))
        })
    }

    fn check(&self, at: &At<'_>, out: &mut Changes) {
        for (key, value) in &self.entries {
            value.check(&at.key(&key.text()), out);
        }
    }

    fn reveal(&self, settled: Option<&MapShadow>, at: &At<'_>, out: &mut Changes) {
        for (key, value) in &self.entries {
            let settled = settled.and_then(|_| self.settled(key));
            value.reveal(settled, &at.key(&key.text()), out);
        }
    }

    fn ty() -> Type {
        Type::Map(Box::new(V::ty()))
    }
}

impl<K: MapKey, V: Synced> Map<K, V> {
    /// What the wire has of an entry, if that may differ.
    fn settled(&self, key: &K) -> Option<&V::Shadow> {
        let note = self.log.notes.get(key)?;
        note.shadow.as_ref().filter(|_| note.compares)
    }

    /// Tells what the log knows, in order of the keys and removals last, and forgets it.
    fn tell(&mut self, at: &At<'_>, out: &mut Changes) {
        if self.log.whole {
            out.set(at, self);
            return self.log.reset();
        }
        let before = out.faults().len();
        let notes = self.log.notes.sorted();
        let mut gone = false;
        for (key, note) in &mut *notes {
            let Some(value) = self.entries.get_mut(key) else {
                gone |= note.known;
                continue;
            };
            let text = key.text();
            let at = at.key(&text);
            match &mut note.shadow {
                Some(shadow) if note.compares => value.diff(shadow, &at, out),
                shadow => {
                    out.set(&at, value);
                    *shadow = Some(value.shadow());
                    note.compares = true;
                }
            }
        }
        if gone {
            for (key, note) in notes {
                if note.known && !self.entries.contains_key(key) {
                    out.remove(&at.key(&key.text()));
                }
            }
        }
        if out.faults().len() > before {
            // The wire still has something else of some entries: their shadows are needed further on.
            self.log.notes.retain(|key, note| {
                note.known = true;
                match (self.entries.get(key), &note.shadow) {
                    (Some(value), Some(shadow)) => !value.same(shadow),
                    _ => false,
                }
            });
        } else {
            self.log.reset();
        }
    }
}
