//! What a list remembers of what was done to it.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{self, AtomicBool};

use crate::collections::runs::Runs;
use crate::collections::touched::Touched;
use crate::synced::Synced;

/// What was done since the last sync.
pub(super) struct Log<T: Synced> {
    pub(super) runs: Runs,
    /// The length at the last sync.
    pub(super) base: usize,
    /// Items that may have changed, by where they were at the last sync, and what the wire has of them.
    pub(super) touched: Touched<usize, T::Shadow, BuildHasherDefault<Spread>>,
    /// More was done than is worth telling, or it is not known what.
    pub(super) whole: bool,
    /// The wire has seen all of this; set by who only looks.
    pub(super) settled: AtomicBool,
}

/// Spreads positions over the table; they come from nobody who could want them to collide.
#[derive(Default)]
pub(super) struct Spread(u64);

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
            touched: Touched::new(),
            whole: false,
            settled: AtomicBool::new(false),
        }
    }

    /// Whether the wire has seen all of this, whatever is noted.
    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.settled.load(atomic::Ordering::Relaxed)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.is_settled() || (self.touched.len() == 0 && !self.whole && self.is_in_place())
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
        self.touched.clear();
    }

    /// Remembers an item as it is, before it is changed.
    #[inline]
    pub(super) fn touch(&mut self, index: usize, item: &T) {
        if self.whole {
            return;
        }
        if let Some(origin) = self.runs.origin(index) {
            let update = |shadow: &mut T::Shadow| item.update(shadow);
            self.touched.note(&origin, update, || item.shadow());
        }
    }

    /// What the wire has of the item now at `index`, if that may differ.
    pub(super) fn shadow(&self, index: usize) -> Option<&T::Shadow> {
        self.touched.get(&self.runs.origin(index)?)
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
