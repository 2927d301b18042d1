//! Items one after the other.

use std::fmt;
use std::ops::Range;

use super::Log;
use crate::synced::Synced;

/// Removed items, see [`List::drain`](super::List::drain).
pub struct Drain<'a, T: Synced> {
    pub(super) items: std::collections::vec_deque::Drain<'a, T>,
    /// All of the list counts as new until this is dropped: if it never is, who knows what is left.
    pub(super) log: &'a mut Log<T>,
    /// Whether that was so before.
    pub(super) whole: bool,
    pub(super) range: Range<usize>,
}

impl<T: Synced> Drop for Drain<'_, T> {
    fn drop(&mut self) {
        self.log.whole = self.whole;
        self.log
            .rearrange(|runs| runs.remove(self.range.start, self.range.end));
    }
}

impl<T: Synced> Iterator for Drain<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.items.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

impl<T: Synced> DoubleEndedIterator for Drain<'_, T> {
    fn next_back(&mut self) -> Option<T> {
        self.items.next_back()
    }
}

impl<T: Synced> ExactSizeIterator for Drain<'_, T> {}

impl<T: Synced + fmt::Debug> fmt::Debug for Drain<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Drain").field(&self.items).finish()
    }
}

/// Items to change, see [`List::iter_mut`](super::List::iter_mut).
pub struct IterMut<'a, T: Synced> {
    pub(super) items: std::iter::Enumerate<std::slice::IterMut<'a, T>>,
    pub(super) log: &'a mut Log<T>,
}

impl<'a, T: Synced> Iterator for IterMut<'a, T> {
    type Item = &'a mut T;

    #[inline]
    fn next(&mut self) -> Option<&'a mut T> {
        let (index, item) = self.items.next()?;
        self.log.touch(index, item);
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

impl<T: Synced> DoubleEndedIterator for IterMut<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let (index, item) = self.items.next_back()?;
        self.log.touch(index, item);
        Some(item)
    }
}

impl<T: Synced> ExactSizeIterator for IterMut<'_, T> {}

impl<T: Synced> fmt::Debug for IterMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IterMut")
            .field("len", &self.items.len())
            .finish_non_exhaustive()
    }
}
