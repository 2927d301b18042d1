//! What was done to a map since the last sync.

use std::collections::HashMap;
use std::sync::atomic::{self, AtomicBool};

use super::MapKey;
use crate::synced::Synced;

/// What was done since the last sync.
pub(super) struct Log<K, V: Synced> {
    /// Entries that may have changed. The first `live` count; the others are memory for later.
    pub(super) notes: Vec<Note<K, V::Shadow>>,
    pub(super) live: usize,
    /// Whether the key of each note is greater than the one before, as in a loop over the map.
    pub(super) ascending: bool,
    /// Finds notes where they do not ascend and are too many to look through.
    places: HashMap<K, usize>,
    /// It is not known what was done.
    pub(super) whole: bool,
    /// The wire has seen all of this; set by who only looks.
    pub(super) settled: AtomicBool,
    /// The most that was noted for one of the last syncs, fading.
    pub(super) usual: usize,
}

pub(super) struct Note<K, S> {
    pub(super) key: K,
    /// Whether the wire has an entry of this key.
    pub(super) known: bool,
    /// Whether `shadow` is what the wire has of it; otherwise the entry goes out as a whole.
    pub(super) compares: bool,
    pub(super) shadow: Option<S>,
}

/// Up to this many notes are looked through one by one.
const FEW: usize = 16;

impl<K: MapKey, V: Synced> Log<K, V> {
    pub(super) fn new() -> Self {
        Self {
            notes: Vec::new(),
            live: 0,
            ascending: true,
            places: HashMap::new(),
            whole: false,
            settled: AtomicBool::new(false),
            usual: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.settled.load(atomic::Ordering::Relaxed) || (self.live == 0 && !self.whole)
    }

    pub(super) fn live(&self) -> impl Iterator<Item = &Note<K, V::Shadow>> {
        self.notes.iter().take(self.live)
    }

    /// Called before anything is noted: what the wire has seen meanwhile is forgotten.
    #[inline]
    pub(super) fn open(&mut self) {
        if *self.settled.get_mut() {
            self.reset();
        }
    }

    pub(super) fn reset(&mut self) {
        *self.settled.get_mut() = false;
        self.whole = false;
        self.usual = self.live.max(self.usual - self.usual / 8);
        self.live = 0;
        if !self.ascending {
            self.ascending = true;
            self.places.clear();
        }
        let most = 4 * self.usual.max(FEW);
        if self.notes.len() > most {
            self.notes.truncate(most);
            self.notes.shrink_to(2 * most);
            self.places.shrink_to(2 * most);
        }
    }

    /// Forgets all notes but the first `count`.
    pub(super) fn keep(&mut self, count: usize) {
        self.reset();
        self.live = count;
        self.jumble();
    }

    /// From now on notes come in any order.
    #[inline(never)]
    fn jumble(&mut self) {
        self.ascending = false;
        if self.live > FEW {
            let keys = self.notes.iter().take(self.live);
            self.places
                .extend(keys.map(|note| note.key.clone()).zip(0..));
        }
    }

    /// Whether this key is greater than all that are noted.
    #[inline]
    fn is_next(&self, key: &K) -> bool {
        let last = self.live.checked_sub(1);
        let last = last.and_then(|last| self.notes.get(last));
        self.ascending && last.is_none_or(|last| last.key < *key)
    }

    /// The place of the note of this key.
    #[inline]
    pub(super) fn find(&self, key: &K) -> Option<usize> {
        let notes = self.notes.get(..self.live)?;
        if self.ascending {
            notes.binary_search_by(|note| note.key.cmp(key)).ok()
        } else if self.live <= FEW {
            notes.iter().position(|note| note.key == *key)
        } else {
            self.places.get(key).copied()
        }
    }

    /// Remembers an entry as it is, before it is changed.
    #[inline]
    pub(super) fn touch(&mut self, key: &K, value: &V) {
        self.note_first(key, true, Some(value));
    }

    /// An entry of this key is about to come; `old` is the one it replaces.
    pub(super) fn coming(&mut self, key: &K, old: Option<&V>) {
        self.note_first(key, old.is_some(), old);
    }

    /// The entry of this key is about to go.
    pub(super) fn going(&mut self, key: &K) {
        if let Some(place) = self.note_first(key, true, None)
            && let Some(note) = self.notes.get_mut(place)
        {
            note.compares = false;
        }
    }

    /// Notes the entry of this key as it is, unless there is a note of it, whose place is returned.
    #[inline]
    fn note_first(&mut self, key: &K, known: bool, value: Option<&V>) -> Option<usize> {
        if self.whole {
            return None;
        }
        if self.is_next(key) {
            self.note(key, known, value);
            return None;
        }
        let place = self.find(key);
        if place.is_none() {
            self.note(key, known, value);
            if self.ascending || self.live == FEW + 1 {
                self.jumble();
            } else if self.live > FEW {
                self.places.insert(key.clone(), self.live - 1);
            }
        }
        place
    }

    fn note(&mut self, key: &K, known: bool, value: Option<&V>) {
        if let Some(note) = self.notes.get_mut(self.live) {
            note.key.clone_from(key);
            note.known = known;
            note.compares = value.is_some();
            match (value, &mut note.shadow) {
                (Some(value), Some(shadow)) => value.update(shadow),
                (Some(value), none) => *none = Some(value.shadow()),
                (None, _) => {}
            }
        } else {
            self.notes.push(Note {
                key: key.clone(),
                known,
                compares: value.is_some(),
                shadow: value.map(V::shadow),
            });
        }
        self.live += 1;
    }
}
