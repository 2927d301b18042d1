//! What was done to a map since the last sync.

use std::hash::RandomState;
use std::sync::atomic::{self, AtomicBool};

use super::MapKey;
use crate::collections::touched::Touched;
use crate::synced::Synced;

/// What was done since the last sync.
pub(super) struct Log<K, V: Synced> {
    /// Entries that may have changed.
    pub(super) notes: Touched<K, Note<V::Shadow>, RandomState>,
    /// It is not known what was done.
    pub(super) whole: bool,
    /// The wire has seen all of this; set by who only looks.
    pub(super) settled: AtomicBool,
}

pub(super) struct Note<S> {
    /// Whether the wire has an entry of this key.
    pub(super) known: bool,
    /// Whether `shadow` is what the wire has of it; otherwise the entry goes out as a whole.
    pub(super) compares: bool,
    pub(super) shadow: Option<S>,
}

impl<K: MapKey, V: Synced> Log<K, V> {
    pub(super) fn new() -> Self {
        Self {
            notes: Touched::new(),
            whole: false,
            settled: AtomicBool::new(false),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.settled.load(atomic::Ordering::Relaxed) || (self.notes.len() == 0 && !self.whole)
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
        self.notes.clear();
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
        if let Some(note) = self.note_first(key, true, None) {
            note.compares = false;
        }
    }

    /// Notes the entry of this key as it is, unless there is a note of it, which is returned.
    #[inline]
    fn note_first(
        &mut self,
        key: &K,
        known: bool,
        value: Option<&V>,
    ) -> Option<&mut Note<V::Shadow>> {
        if self.whole {
            return None;
        }
        let update = |note: &mut Note<V::Shadow>| {
            note.known = known;
            note.compares = value.is_some();
            match (value, &mut note.shadow) {
                (Some(value), Some(shadow)) => value.update(shadow),
                (Some(value), none) => *none = Some(value.shadow()),
                (None, _) => {}
            }
        };
        let make = || Note {
            known,
            compares: value.is_some(),
            shadow: value.map(V::shadow),
        };
        self.notes.note(key, update, make)
    }
}
