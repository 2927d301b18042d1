//! A list that knows what was done to it.

mod items;
mod iter;
mod log;
mod order;
mod synced;
mod traits;

use std::ops::{Bound, RangeBounds};

use self::items::Items;
pub use self::iter::{Drain, IterMut};
use self::log::Log;
pub use self::synced::ListShadow;
use super::Instance;
use super::runs::Runs;
use crate::synced::Synced;

/// A `Vec` whose syncs cost as much as what was done to it, not as much as it is long.
///
/// It derefs to `[T]` for everything that looks, and has the methods of `Vec` that change. They note what they do:
/// an item that is borrowed mutably is remembered as it was, items that come, go or move are kept account of. At the
/// sync that becomes the fewest ops: an `Insert` for a push, a `RemoveAt` for a removal, a `Move` or a `Reorder` for
/// items that changed places, and the deepest changed places within items that were touched.
///
/// There is no way to the `Vec` itself but [`edit`](Self::edit), after which all of the list is compared.
///
/// The items lie in a deque, so that the first ones can go without a move of the others: [`remove(0)`](Self::remove), a
/// `drain` at the front and a sliding window cost the same however long the list is.
///
/// A list that was swapped, taken or assigned is another list, and is sent as a whole. So is one to which more was done
/// than it has items.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use transports::collections::List;
/// use transports::{Changes, Synced, Tracked};
///
/// #[derive(Synced)]
/// struct Room {
///     players: List<Player>,
/// }
///
/// #[derive(Synced)]
/// struct Player {
///     name: String,
///     score: i64,
/// }
///
/// let player = |name: &str| Player { name: name.into(), score: 0 };
/// let mut room = Tracked::new(Room { players: List::from(vec![player("ann"), player("bob")]) });
/// let mut changes = Changes::as_json();
///
/// room.players[1].score += 1;
/// Tracked::collect(&mut room, &mut changes);
/// assert_eq!(
///     changes.json(),
///     br#"{"Set":{"path":[{"Key":"players"},{"Index":1},{"Key":"score"}],"value":{"Int":1}}}"#,
/// );
/// # }
/// ```
pub struct List<T: Synced> {
    items: Items<T>,
    instance: Instance,
    log: Log<T>,
}

impl<T: Synced> List<T> {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::from(Vec::new())
    }

    /// An empty list with room for `capacity` items.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::from(Vec::with_capacity(capacity))
    }

    fn of(items: Items<T>) -> Self {
        Self {
            log: Log::new(items.len()),
            instance: Instance::new(),
            items,
        }
    }

    /// How many items there is room for without more memory.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.items.capacity()
    }

    /// All items.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.items
    }

    /// Makes room for `additional` more items.
    pub fn reserve(&mut self, additional: usize) {
        self.items.reserve(additional);
    }

    /// Gives back memory that is not needed.
    pub fn shrink_to_fit(&mut self) {
        self.items.shrink_to_fit();
    }

    /// Does to the `Vec` whatever there is no method for here. Afterwards all of the list counts as new, and goes out
    /// as a whole.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut Vec<T>) -> R) -> R {
        self.open().whole = true;
        self.items.edit(change)
    }

    /// Adds an item at the end.
    #[inline]
    pub fn push(&mut self, item: T) {
        self.open().rearrange(Runs::push);
        self.items.push(item);
    }

    /// Takes the last item.
    pub fn pop(&mut self) -> Option<T> {
        let last = self.items.len().checked_sub(1)?;
        Some(self.remove(last))
    }

    /// Puts an item before the one at `index`.
    ///
    /// # Panics
    /// If `index` is beyond the length.
    pub fn insert(&mut self, index: usize, item: T) {
        assert!(
            index <= self.items.len(),
            "the index {index} is beyond the length {}",
            self.items.len()
        );
        self.open().rearrange(|runs| runs.insert(index, 1));
        self.items.insert(index, item);
    }

    /// Takes the item at `index`; later ones move up.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn remove(&mut self, index: usize) -> T {
        self.open();
        let len = self.items.len();
        let Some(item) = self.items.remove(index) else {
            panic!("the index {index} is out of bounds, the length is {len}");
        };
        self.log.rearrange(|runs| runs.remove(index, index + 1));
        item
    }

    /// Takes the item at `index` and puts the last one in its place.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn swap_remove(&mut self, index: usize) -> T {
        let last = self.items.len().saturating_sub(1);
        self.swap(index, last);
        self.remove(last)
    }

    /// Drops all items from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if len < self.items.len() {
            let end = self.items.len();
            self.open().rearrange(|runs| runs.remove(len, end));
            self.items.truncate(len);
        }
    }

    /// Drops all items.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Moves all items of `other` to the end of this list.
    pub fn append(&mut self, other: &mut Vec<T>) {
        self.extend(other.drain(..));
    }

    /// Adds copies of all items of `other` at the end.
    pub fn extend_from_slice(&mut self, other: &[T])
    where
        T: Clone,
    {
        self.append(&mut other.to_vec());
    }

    /// Takes the items from `at` on into a list of their own.
    ///
    /// # Panics
    /// If `at` is beyond the length.
    pub fn split_off(&mut self, at: usize) -> Self {
        let end = self.items.len();
        self.open();
        let items = self.items.split_off(at);
        self.log.rearrange(|runs| runs.remove(at, end));
        Self::of(items)
    }

    /// Takes the items of a range out. They are gone at once, also if the iterator is not used to its end.
    ///
    /// # Panics
    /// If the range is beyond the length.
    pub fn drain(&mut self, range: impl RangeBounds<usize>) -> Drain<'_, T> {
        let (start, end) = bounds(&range, self.items.len());
        self.open();
        let items = self.items.drain(start..end);
        let log = &mut self.log;
        let whole = std::mem::replace(&mut log.whole, true);
        Drain {
            items,
            log,
            whole,
            range: start..end,
        }
    }

    /// Keeps the items for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let kept: Vec<bool> = self.items.iter().map(&mut keep).collect();
        self.keep(&kept);
    }

    /// As [`retain`](Self::retain), for a test that may change the items it looks at.
    pub fn retain_mut(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        let kept: Vec<bool> = self.iter_mut().map(&mut keep).collect();
        self.keep(&kept);
    }

    fn keep(&mut self, kept: &[bool]) {
        if kept.contains(&false) {
            let keeps = |index: usize| kept.get(index).copied().unwrap_or(true);
            self.open().rearrange(|runs| runs.retain(keeps));
            let mut index = 0;
            self.items.retain(|_| {
                index += 1;
                keeps(index - 1)
            });
        }
    }

    /// Drops items that equal the one before.
    pub fn dedup(&mut self)
    where
        T: PartialEq,
    {
        self.dedup_by(|item, before| item == before);
    }

    /// Drops items whose key equals the key of the one before.
    pub fn dedup_by_key<K: PartialEq>(&mut self, mut key: impl FnMut(&T) -> K) {
        self.dedup_by(|item, before| key(item) == key(before));
    }

    /// Drops items that are the same as the one before, which is the second argument of `same`.
    pub fn dedup_by(&mut self, mut same: impl FnMut(&T, &T) -> bool) {
        let mut kept = Vec::with_capacity(self.items.len());
        let mut before: Option<&T> = None;
        for item in self.items.iter() {
            let keeps = before.is_none_or(|before| !same(item, before));
            kept.push(keeps);
            if keeps {
                before = Some(item);
            }
        }
        self.keep(&kept);
    }

    /// Makes the list `len` items long with copies of `item`, or shorter.
    pub fn resize(&mut self, len: usize, item: T)
    where
        T: Clone,
    {
        self.resize_with(len, || item.clone());
    }

    /// Makes the list `len` items long with items from `make`, or shorter.
    pub fn resize_with(&mut self, len: usize, make: impl FnMut() -> T) {
        self.truncate(len);
        let missing = len - self.items.len();
        self.extend(std::iter::repeat_with(make).take(missing));
    }

    /// The item at `index`, to change it.
    #[inline]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.log.open(self.items.len());
        let item = self.items.item_mut(index)?;
        self.log.touch(index, item);
        Some(item)
    }

    /// The first item, to change it.
    pub fn first_mut(&mut self) -> Option<&mut T> {
        self.get_mut(0)
    }

    /// The last item, to change it.
    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.get_mut(self.items.len().checked_sub(1)?)
    }

    /// All items, to change them. Each one that is reached is remembered and compared: where few of many change, look
    /// first and use indices, or [`iter_mut_where`](Self::iter_mut_where).
    pub fn iter_mut(&mut self) -> IterMut<'_, T> {
        self.open();
        IterMut {
            items: self.items.iter_mut().enumerate(),
            log: &mut self.log,
        }
    }

    /// The items for which `which` says so, to change them.
    pub fn iter_mut_where(
        &mut self,
        mut which: impl FnMut(&T) -> bool,
    ) -> impl Iterator<Item = &mut T> {
        self.open();
        let log = &mut self.log;
        self.items
            .iter_mut()
            .enumerate()
            .filter(move |(_, item)| which(item))
            .map(|(index, item)| {
                log.touch(index, item);
                item
            })
    }

    /// The `Vec`, tracked no longer.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.items.into_vec()
    }

    #[inline]
    fn open(&mut self) -> &mut Log<T> {
        let len = self.items.len();
        self.open_with(len)
    }

    #[inline]
    fn open_with(&mut self, len: usize) -> &mut Log<T> {
        self.log.open(len);
        &mut self.log
    }
}

fn bounds(range: &impl RangeBounds<usize>, len: usize) -> (usize, usize) {
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(before) => before + 1,
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(last) => last + 1,
        Bound::Excluded(end) => *end,
        Bound::Unbounded => len,
    };
    (start, end)
}
