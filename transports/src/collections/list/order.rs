//! Items that change places.

use std::cmp::Ordering;

use super::List;
use crate::synced::Synced;

impl<T: Synced> List<T> {
    /// Two items change places.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn swap(&mut self, a: usize, b: usize) {
        self.open();
        self.items.swap(a, b);
        self.log.rearrange(|runs| runs.swap(a, b));
    }

    /// Turns the order around.
    pub fn reverse(&mut self) {
        let len = self.items.len();
        self.open().rearrange(|runs| runs.permute((0..len).rev()));
        self.items.reverse();
    }

    /// Moves the first `by` items to the end.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn rotate_left(&mut self, by: usize) {
        let len = self.items.len();
        self.items.rotate_left(by);
        self.open_with(len)
            .rearrange(|runs| runs.rotate(0, by, len));
    }

    /// Moves the last `by` items to the front.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn rotate_right(&mut self, by: usize) {
        let len = self.items.len();
        assert!(by <= len, "{by} items are more than the {len} there are");
        self.rotate_left(len - by);
    }

    /// Takes the item at `from` out and puts it in again at `to`: one `Move`.
    ///
    /// # Panics
    /// If there is no such item or place.
    pub fn move_item(&mut self, from: usize, to: usize) {
        let len = self.items.len();
        assert!(
            from < len && to < len,
            "{from} and {to} have to be below the length {len}"
        );
        self.open();
        self.move_within(from, to);
    }

    fn move_within(&mut self, from: usize, to: usize) {
        match self.items.get_mut(from.min(to)..=from.max(to)) {
            Some(span) if from < to => {
                span.rotate_left(1);
                self.log
                    .rearrange(|runs| runs.rotate(from, from + 1, to + 1));
            }
            Some(span) => {
                span.rotate_right(1);
                self.log.rearrange(|runs| runs.rotate(to, from, from + 1));
            }
            None => {}
        }
    }

    /// Sorts, keeping equal items in their order.
    pub fn sort(&mut self)
    where
        T: Ord,
    {
        self.sort_by(T::cmp);
    }

    /// Sorts by a comparison, keeping equal items in their order.
    pub fn sort_by(&mut self, mut compare: impl FnMut(&T, &T) -> Ordering) {
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        order.sort_by(|a, b| match (self.items.get(*a), self.items.get(*b)) {
            (Some(a), Some(b)) => compare(a, b),
            _ => Ordering::Equal,
        });
        self.rearrange(&order);
    }

    /// Sorts by a key, keeping equal items in their order.
    pub fn sort_by_key<K: Ord>(&mut self, mut key: impl FnMut(&T) -> K) {
        self.sort_by(|a, b| key(a).cmp(&key(b)));
    }

    /// Sorts by a key that is made once for each item, keeping equal items in their order.
    pub fn sort_by_cached_key<K: Ord>(&mut self, key: impl FnMut(&T) -> K) {
        let keys: Vec<K> = self.items.iter().map(key).collect();
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by(|a, b| keys.get(*a).cmp(&keys.get(*b)));
        self.rearrange(&order);
    }

    /// As [`sort`](Self::sort); here the stable sort is as good.
    pub fn sort_unstable(&mut self)
    where
        T: Ord,
    {
        self.sort();
    }

    /// As [`sort_by`](Self::sort_by); here the stable sort is as good.
    pub fn sort_unstable_by(&mut self, compare: impl FnMut(&T, &T) -> Ordering) {
        self.sort_by(compare);
    }

    /// As [`sort_by_key`](Self::sort_by_key); here the stable sort is as good.
    pub fn sort_unstable_by_key<K: Ord>(&mut self, key: impl FnMut(&T) -> K) {
        self.sort_by_key(key);
    }

    /// The new item `i` is the old item `order[i]`, a permutation.
    fn rearrange(&mut self, order: &[usize]) {
        if order.is_sorted() {
            return;
        }
        self.open()
            .rearrange(|runs| runs.permute(order.iter().copied()));
        self.items.edit(|items| {
            let mut old: Vec<_> = items.drain(..).map(Some).collect();
            items.extend(order.iter().filter_map(|&index| old.get_mut(index)?.take()));
        });
    }
}
