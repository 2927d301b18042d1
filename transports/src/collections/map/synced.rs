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
                    && self.log.live().all(|note| {
                        match (self.entries.get(&note.key), &note.shadow) {
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
        let note = self.log.notes.get(self.log.find(key)?)?;
        note.shadow.as_ref().filter(|_| note.compares)
    }

    /// Tells what the log knows, in order of the keys and removals last, and forgets it.
    fn tell(&mut self, at: &At<'_>, out: &mut Changes) {
        if self.log.whole {
            out.set(at, self);
            return self.log.reset();
        }
        let before = out.faults().len();
        let live = self.log.live;
        let Some(notes) = self.log.notes.get_mut(..live) else {
            return;
        };
        if !self.log.ascending {
            notes.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        }
        let mut gone = false;
        for note in &mut *notes {
            let Some(value) = self.entries.get_mut(&note.key) else {
                gone |= note.known;
                continue;
            };
            let text = note.key.text();
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
            for note in notes {
                if note.known && !self.entries.contains_key(&note.key) {
                    out.remove(&at.key(&note.key.text()));
                }
            }
        }
        if out.faults().len() > before {
            self.keep_faulty();
        } else {
            self.log.reset();
        }
    }

    /// The wire still has something else of some entries: their shadows are needed further on.
    #[cold]
    fn keep_faulty(&mut self) {
        let mut faulty = 0;
        for place in 0..self.log.live {
            let differs = self.log.notes.get(place).is_some_and(|note| {
                match (self.entries.get(&note.key), &note.shadow) {
                    (Some(value), Some(shadow)) => !value.same(shadow),
                    _ => false,
                }
            });
            if differs {
                self.log.notes.swap(place, faulty);
                faulty += 1;
            }
        }
        self.log.keep(faulty);
        for note in self.log.notes.iter_mut().take(faulty) {
            note.known = true;
        }
    }
}
