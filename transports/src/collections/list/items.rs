//! The memory of a list.

use std::collections::VecDeque;
use std::collections::vec_deque::Drain;
use std::ops::{Deref, DerefMut, Range};

/// A deque that always lies in one piece: a slice to who looks, and what goes at the front costs no move of the rest.
#[derive(Clone, Default)]
pub(super) struct Items<T>(VecDeque<T>);

impl<T> Items<T> {
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    pub(super) fn reserve(&mut self, additional: usize) {
        self.0.reserve(additional);
        self.gather();
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.0.shrink_to_fit();
        self.gather();
    }

    /// The item at `index`, in fewer steps than by way of the slice.
    #[inline]
    pub(super) fn item_mut(&mut self, index: usize) -> Option<&mut T> {
        self.0.get_mut(index)
    }

    #[inline]
    pub(super) fn push(&mut self, item: T) {
        self.0.push_back(item);
        self.gather();
    }

    pub(super) fn insert(&mut self, index: usize, item: T) {
        self.0.insert(index, item);
        self.gather();
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<T> {
        self.0.remove(index)
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    pub(super) fn split_off(&mut self, at: usize) -> Self {
        Self(self.0.split_off(at))
    }

    pub(super) fn drain(&mut self, range: Range<usize>) -> Drain<'_, T> {
        self.0.drain(range)
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.0.retain(keep);
    }

    pub(super) fn into_vec(self) -> Vec<T> {
        self.0.into()
    }

    /// Lends the items as a `Vec`. They are back in any case, also if `change` panics.
    pub(super) fn edit<R>(&mut self, change: impl FnOnce(&mut Vec<T>) -> R) -> R {
        struct Lent<'a, T> {
            vec: Vec<T>,
            home: &'a mut VecDeque<T>,
        }

        impl<T> Drop for Lent<'_, T> {
            fn drop(&mut self) {
                *self.home = std::mem::take(&mut self.vec).into();
            }
        }

        let mut lent = Lent {
            vec: std::mem::take(&mut self.0).into(),
            home: &mut self.0,
        };
        change(&mut lent.vec)
    }

    /// Brings the items into one piece again. That costs a move of all of them, so it makes room for as many again:
    /// a sliding window comes here once in as many steps as it is long.
    #[inline]
    fn gather(&mut self) {
        if !self.0.as_slices().1.is_empty() {
            self.gather_all();
        }
    }

    #[cold]
    fn gather_all(&mut self) {
        self.0.reserve(self.0.len());
        self.0.make_contiguous();
    }
}

impl<T> Deref for Items<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        debug_assert!(self.0.as_slices().1.is_empty(), "items lie in one piece");
        self.0.as_slices().0
    }
}

impl<T> DerefMut for Items<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        self.0.as_mut_slices().0
    }
}

impl<T> From<Vec<T>> for Items<T> {
    fn from(items: Vec<T>) -> Self {
        Self(items.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Items;

    #[test]
    fn a_sliding_window_stays_in_one_piece_and_in_bounded_memory() {
        let mut items = Items::from((0..120).collect::<Vec<u32>>());
        for next in 120..10_000 {
            assert_eq!(items.remove(0), Some(next - 120));
            items.push(next);
            assert_eq!(items.len(), 120);
            assert!(items.iter().copied().eq(next - 119..=next));
        }
        assert!(items.capacity() <= 480, "{}", items.capacity());
    }

    #[test]
    fn items_that_are_put_before_the_first_stay_in_one_piece() {
        let mut items = Items::default();
        for next in 0..100_u32 {
            items.insert(0, next);
            assert!(items.iter().rev().copied().eq(0..=next));
        }
        items.remove(0);
        items.shrink_to_fit();
        assert!(items.iter().rev().copied().eq(0..99));
    }

    #[test]
    fn lent_items_are_back_after_a_panic() {
        let mut items = Items::from(vec![1, 2]);
        let lent = std::panic::AssertUnwindSafe(|| {
            items.edit(|items| {
                items.push(3);
                panic!("on purpose");
            })
        });
        assert!(std::panic::catch_unwind(lent).is_err());
        assert_eq!(*items, [1, 2, 3]);
    }
}
