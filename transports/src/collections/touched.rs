//! What was touched since the last sync: each once, and found again fast.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

/// Items or entries that may have changed, by where or under which key they were, each with a note about what it was.
pub(super) struct Touched<K, N, H> {
    /// The first `len` count; the others are memory for later.
    notes: Vec<(K, N)>,
    len: usize,
    /// Whether each key is greater than the one before, as in a loop over the collection.
    ascending: bool,
    /// Finds notes where they do not ascend and are too many to look through.
    places: HashMap<K, usize, H>,
    /// The most that was touched before one of the last syncs, fading.
    usual: usize,
}

/// Up to this many notes are looked through one by one.
const FEW: usize = 16;

impl<K: Ord + Hash + Clone, N, H: BuildHasher + Default> Touched<K, N, H> {
    pub(super) fn new() -> Self {
        Self {
            notes: Vec::new(),
            len: 0,
            ascending: true,
            places: HashMap::default(),
            usual: 0,
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[(K, N)] {
        self.notes.get(..self.len).unwrap_or_default()
    }

    #[inline]
    pub(super) fn as_mut_slice(&mut self) -> &mut [(K, N)] {
        self.notes.get_mut(..self.len).unwrap_or_default()
    }

    /// The notes in order of their keys. Nothing is to be noted or found before they are forgotten.
    #[inline]
    pub(super) fn sorted(&mut self) -> &mut [(K, N)] {
        if !self.ascending {
            self.as_mut_slice().sort_unstable_by(|a, b| a.0.cmp(&b.0));
        }
        self.as_mut_slice()
    }

    /// The note of this key.
    #[inline]
    pub(super) fn get(&self, key: &K) -> Option<&N> {
        self.notes.get(self.find(key)?).map(|(_, note)| note)
    }

    #[inline]
    fn find(&self, key: &K) -> Option<usize> {
        let notes = self.as_slice();
        if self.ascending {
            notes.binary_search_by(|(other, _)| other.cmp(key)).ok()
        } else if self.len <= FEW {
            notes.iter().position(|(other, _)| other == key)
        } else {
            self.places.get(key).copied()
        }
    }

    /// Makes a note, in an old one where there is memory for later, unless there is one of this key, which is returned.
    #[inline]
    pub(super) fn note(
        &mut self,
        key: &K,
        update: impl FnOnce(&mut N),
        make: impl FnOnce() -> N,
    ) -> Option<&mut N> {
        let in_order = self.ascending && self.last().is_none_or(|last| last < key);
        if !in_order && let Some(place) = self.find(key) {
            return self.notes.get_mut(place).map(|(_, note)| note);
        }
        match self.notes.get_mut(self.len) {
            Some((old, note)) => {
                old.clone_from(key);
                update(note);
            }
            None => self.notes.push((key.clone(), make())),
        }
        self.len += 1;
        if !in_order {
            self.note_place(key);
        }
        None
    }

    #[inline]
    fn last(&self) -> Option<&K> {
        self.as_slice().last().map(|(key, _)| key)
    }

    /// Makes the last note, which stands before another in order, to be found.
    fn note_place(&mut self, key: &K) {
        if self.ascending || self.len == FEW + 1 {
            self.jumble();
        } else if self.len > FEW {
            self.places.insert(key.clone(), self.len - 1);
        }
    }

    /// From now on keys come in any order.
    #[inline(never)]
    fn jumble(&mut self) {
        self.ascending = false;
        if self.len > FEW {
            let keys = self.notes.iter().take(self.len);
            self.places
                .extend(keys.map(|(key, _)| key.clone()).zip(0..));
        }
    }

    /// Forgets all, and gives back memory that is much more than was needed lately.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.usual = self.len.max(self.usual - self.usual / 8);
        self.len = 0;
        if !self.ascending {
            self.ascending = true;
            self.places.clear();
        }
        if self.notes.len() > 4 * FEW {
            self.shrink();
        }
    }

    #[inline(never)]
    fn shrink(&mut self) {
        let most = 4 * self.usual.max(FEW);
        if self.notes.len() > most {
            self.notes.truncate(most);
            self.notes.shrink_to(2 * most);
            self.places.shrink_to(2 * most);
        }
    }

    /// Forgets all but those for which `keep` says so.
    #[cold]
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&K, &mut N) -> bool) {
        let mut kept = 0;
        for place in 0..self.len {
            let note = self.notes.get_mut(place);
            if note.is_some_and(|(key, note)| keep(key, note)) {
                self.notes.swap(place, kept);
                kept += 1;
            }
        }
        self.clear();
        self.len = kept;
        self.jumble();
    }
}
