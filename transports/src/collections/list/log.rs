//! What a list remembers of what was done to it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{self, AtomicBool};

use crate::collections::runs::Runs;
use crate::synced::Synced;

/// What was done since the last sync.
pub(super) struct Log<T: Synced> {
    pub(super) runs: Runs,
    /// The length at the last sync.
    pub(super) base: usize,
    /// Items that may have changed, by where they were at the last sync, and what the wire has of them. The first
    /// `live` count; the others are memory for later.
    pub(super) touched: Vec<(usize, T::Shadow)>,
    pub(super) live: usize,
    /// Whether each touched item stood behind the one touched before it, as in a loop over the list.
    ascending: bool,
    /// Finds entries of `touched` where they do not ascend and are too many to look through.
    places: HashMap<usize, usize, BuildHasherDefault<Spread>>,
    /// More was done than is worth telling, or it is not known what.
    pub(super) whole: bool,
    /// The wire has seen all of this; set by who only looks.
    pub(super) settled: AtomicBool,
    /// The most that was touched in one of the last syncs, fading.
    pub(super) usual: usize,
}

/// Up to this many touched items are looked through one by one.
const FEW: usize = 8;

/// Spreads positions over the table; they come from nobody who could want them to collide.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(26);
    }
}

impl<T: Synced> Log<T> {
    pub(super) fn new(len: usize) -> Self {
        let mut runs = Runs::default();
        runs.reset(len);
        Self {
            runs,
            base: len,
            touched: Vec::new(),
            live: 0,
            ascending: true,
            places: HashMap::default(),
            whole: false,
            settled: AtomicBool::new(false),
            usual: 0,
        }
    }

    /// Whether the wire has seen all of this, whatever is noted.
    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.settled.load(atomic::Ordering::Relaxed)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.is_settled() || (self.live == 0 && !self.whole && self.is_in_place())
    }

    /// Whether all items are where they were.
    #[inline]
    pub(super) fn is_in_place(&self) -> bool {
        self.runs.are_in_place(self.base)
    }

    /// Called before anything is noted: what the wire has seen meanwhile is forgotten.
    #[inline]
    pub(super) fn open(&mut self, len: usize) {
        if *self.settled.get_mut() {
            self.reset(len);
        }
    }

    /// Begins anew with a list of this length.
    pub(super) fn reset(&mut self, len: usize) {
        *self.settled.get_mut() = false;
        self.whole = false;
        self.base = len;
        self.runs.reset(len);
        self.forget_touched();
    }

    /// Forgets which items were touched, and gives back memory that is much more than was needed lately.
    #[inline]
    pub(super) fn forget_touched(&mut self) {
        self.usual = self.live.max(self.usual - self.usual / 8);
        self.live = 0;
        if !self.ascending {
            self.ascending = true;
            self.places.clear();
        }
        if self.touched.len() > 4 * FEW {
            self.shrink();
        }
    }

    #[inline(never)]
    fn shrink(&mut self) {
        let most = 4 * self.usual.max(FEW);
        if self.touched.len() > most {
            self.touched.truncate(most);
            self.touched.shrink_to(2 * most);
            self.places.shrink_to(2 * most);
        }
    }

    /// Forgets all touched items but the first `count`.
    pub(super) fn keep(&mut self, count: usize) {
        self.forget_touched();
        self.live = count;
        self.jumble();
    }

    /// From now on items are touched in any order.
    #[inline(never)]
    fn jumble(&mut self) {
        self.ascending = false;
        if self.live > FEW {
            let origins = self.touched.iter().take(self.live);
            self.places
                .extend(origins.map(|(origin, _)| *origin).zip(0..));
        }
    }

    /// Remembers an item as it is, before it is changed.
    #[inline]
    pub(super) fn touch(&mut self, index: usize, item: &T) {
        if self.whole {
            return;
        }
        let Some(origin) = self.runs.origin(index) else {
            return;
        };
        if self.ascending && self.last().is_none_or(|last| last < origin) {
            return self.remember(origin, item);
        }
        if self.find(origin).is_some() {
            return;
        }
        self.remember(origin, item);
        if self.ascending || self.live == FEW + 1 {
            self.jumble();
        } else if self.live > FEW {
            self.places.insert(origin, self.live - 1);
        }
    }

    #[inline]
    fn last(&self) -> Option<usize> {
        let last = self.touched.get(self.live.checked_sub(1)?)?;
        Some(last.0)
    }

    #[inline]
    fn remember(&mut self, origin: usize, item: &T) {
        match self.touched.get_mut(self.live) {
            Some((place, shadow)) => {
                *place = origin;
                item.update(shadow);
            }
            None => self.touched.push((origin, item.shadow())),
        }
        self.live += 1;
    }

    /// The place among the touched of the item that was at `origin`.
    #[inline]
    pub(super) fn find(&self, origin: usize) -> Option<usize> {
        let touched = self.touched.get(..self.live)?;
        if self.ascending {
            touched
                .binary_search_by_key(&origin, |(touched, _)| *touched)
                .ok()
        } else if self.live <= FEW {
            touched.iter().position(|(touched, _)| *touched == origin)
        } else {
            self.places.get(&origin).copied()
        }
    }

    /// What the wire has of the item now at `index`, if that may differ.
    pub(super) fn shadow(&self, index: usize) -> Option<&T::Shadow> {
        let place = self.find(self.runs.origin(index)?)?;
        self.touched.get(place).map(|(_, shadow)| shadow)
    }

    /// Notes a rearrangement, unless all there is to know is that all changed.
    #[inline]
    pub(super) fn rearrange(&mut self, note: impl FnOnce(&mut Runs)) {
        /// Each run costs a look at every change further on.
        const MOST: usize = 1024;

        if !self.whole {
            note(&mut self.runs);
            self.whole = self.runs.count() > MOST;
        }
    }
}
