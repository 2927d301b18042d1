//! A list that knows what was done to it.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::ops::{Bound, Deref, Index, IndexMut, RangeBounds};
use std::slice::SliceIndex;
use std::sync::atomic::{self, AtomicBool};

use super::Instance;
use super::runs::Runs;
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::synced::{self, Synced};
use crate::value::Value;
use crate::writer::Writer;

/// A `Vec` whose syncs cost as much as what was done to it, not as much as it is long.
///
/// It derefs to `Vec<T>` for everything that looks, and has the methods of `Vec` that change. They note what they do:
/// an item that is borrowed mutably is remembered as it was, items that come, go or move are kept account of. At the
/// sync that becomes the fewest ops: an `Insert` for a push, a `RemoveAt` for a removal, a `Move` or a `Reorder` for
/// items that changed places, and the deepest changed places within items that were touched.
///
/// There is no way to the `Vec` itself but [`edit`](Self::edit), after which all of the list is compared.
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
    items: Vec<T>,
    instance: Instance,
    log: Log<T>,
}

/// What was done since the last sync.
struct Log<T: Synced> {
    runs: Runs,
    /// The length at the last sync.
    base: usize,
    /// Items that may have changed, by where they were at the last sync, and what the wire has of them. The first
    /// `live` count; the others are memory for later.
    touched: Vec<(usize, T::Shadow)>,
    live: usize,
    /// Finds entries of `touched` where there are too many to look through.
    places: HashMap<usize, usize, BuildHasherDefault<Spread>>,
    /// More was done than is worth telling, or it is not known what.
    whole: bool,
    /// The wire has seen all of this; set by who only looks.
    settled: AtomicBool,
    /// The most that was touched in one of the last syncs, fading.
    usual: usize,
}

/// What the wire has of a list: which one it was.
#[derive(Debug)]
pub struct ListShadow(Instance);

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
    fn new(len: usize) -> Self {
        let mut runs = Runs::default();
        runs.reset(len);
        Self {
            runs,
            base: len,
            touched: Vec::new(),
            live: 0,
            places: HashMap::default(),
            whole: false,
            settled: AtomicBool::new(false),
            usual: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.settled.load(atomic::Ordering::Relaxed)
            || (self.live == 0 && !self.whole && self.is_in_place())
    }

    /// Whether all items are where they were.
    #[inline]
    fn is_in_place(&self) -> bool {
        self.runs.are_in_place(self.base)
    }

    /// Called before anything is noted: what the wire has seen meanwhile is forgotten.
    #[inline]
    fn open(&mut self, len: usize) {
        if *self.settled.get_mut() {
            self.reset(len);
        }
    }

    /// Begins anew with a list of this length.
    fn reset(&mut self, len: usize) {
        *self.settled.get_mut() = false;
        self.whole = false;
        self.base = len;
        self.runs.reset(len);
        self.forget_touched();
    }

    /// Forgets which items were touched, and gives back memory that is much more than was needed lately.
    #[inline]
    fn forget_touched(&mut self) {
        self.usual = self.live.max(self.usual - self.usual / 8);
        if self.live > FEW {
            self.places.clear();
        }
        self.live = 0;
        let most = 4 * self.usual.max(FEW);
        if self.touched.len() > most {
            self.touched.truncate(most);
            self.touched.shrink_to(2 * most);
            self.places.shrink_to(2 * most);
        }
    }

    /// Remembers an item as it is, before it is changed.
    #[inline]
    fn touch(&mut self, index: usize, item: &T) {
        if self.whole {
            return;
        }
        let Some(origin) = self.runs.origin(index) else {
            return;
        };
        if self.find(origin).is_some() {
            return;
        }
        match self.touched.get_mut(self.live) {
            Some((place, shadow)) => {
                *place = origin;
                item.update(shadow);
            }
            None => self.touched.push((origin, item.shadow())),
        }
        self.live += 1;
        if self.live > FEW {
            if self.live == FEW + 1 {
                let places = self.touched.iter().take(FEW).map(|(origin, _)| *origin);
                self.places.extend(places.zip(0..));
            }
            self.places.insert(origin, self.live - 1);
        }
    }

    /// The place among the touched of the item that was at `origin`.
    #[inline]
    fn find(&self, origin: usize) -> Option<usize> {
        if self.live <= FEW {
            self.touched
                .iter()
                .take(self.live)
                .position(|(touched, _)| *touched == origin)
        } else {
            self.places.get(&origin).copied()
        }
    }

    /// What the wire has of the item now at `index`, if that may differ.
    fn shadow(&self, index: usize) -> Option<&T::Shadow> {
        let place = self.find(self.runs.origin(index)?)?;
        self.touched.get(place).map(|(_, shadow)| shadow)
    }

    /// Notes a rearrangement, unless all there is to know is that all changed.
    #[inline]
    fn rearrange(&mut self, note: impl FnOnce(&mut Runs)) {
        /// Each run costs a look at every change further on.
        const MOST: usize = 1024;

        if !self.whole {
            note(&mut self.runs);
            self.whole = self.runs.count() > MOST;
        }
    }
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
        change(&mut self.items)
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
        let item = self.items.remove(index);
        self.log.rearrange(|runs| runs.remove(index, index + 1));
        item
    }

    /// Takes the item at `index` and puts the last one in its place.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn swap_remove(&mut self, index: usize) -> T {
        self.open();
        let item = self.items.swap_remove(index);
        let last = self.items.len();
        self.log.rearrange(|runs| {
            runs.swap(index, last);
            runs.remove(last, last + 1);
        });
        item
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
        let (len, more) = (self.items.len(), other.len());
        self.open().rearrange(|runs| runs.insert(len, more));
        self.items.append(other);
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
        Self::from(items)
    }

    /// Takes the items of a range out. They are gone at once, also if the iterator is not used to its end.
    ///
    /// # Panics
    /// If the range is beyond the length.
    pub fn drain(&mut self, range: impl RangeBounds<usize>) -> Drain<'_, T> {
        let (start, end) = bounds(&range, self.items.len());
        self.open();
        let drain = self.items.drain(start..end);
        self.log.rearrange(|runs| runs.remove(start, end));
        Drain(drain)
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
        for item in &self.items {
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
        let mut old: Vec<_> = self.items.drain(..).map(Some).collect();
        self.items
            .extend(order.iter().filter_map(|&index| old.get_mut(index)?.take()));
    }

    /// The item at `index`, to change it.
    #[inline]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.log.open(self.items.len());
        let item = self.items.get_mut(index)?;
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
        self.items
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

/// Removed items, see [`List::drain`].
#[derive(Debug)]
pub struct Drain<'a, T>(std::vec::Drain<'a, T>);

impl<T> Iterator for Drain<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> DoubleEndedIterator for Drain<'_, T> {
    fn next_back(&mut self) -> Option<T> {
        self.0.next_back()
    }
}

impl<T> ExactSizeIterator for Drain<'_, T> {}

/// Items to change, see [`List::iter_mut`].
pub struct IterMut<'a, T: Synced> {
    items: std::iter::Enumerate<std::slice::IterMut<'a, T>>,
    log: &'a mut Log<T>,
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

impl<T: Synced> Synced for List<T> {
    type Shadow = ListShadow;

    fn shadow(&self) -> ListShadow {
        self.log.settled.store(true, atomic::Ordering::Relaxed);
        ListShadow(self.instance)
    }

    #[inline]
    fn same(&self, shadow: &ListShadow) -> bool {
        self.instance == shadow.0
            && (self.log.is_empty()
                || (!self.log.whole
                    && self.log.is_in_place()
                    && self
                        .log
                        .touched
                        .iter()
                        .take(self.log.live)
                        .all(|(index, shadow)| {
                            self.items.get(*index).is_some_and(|item| item.same(shadow))
                        })))
    }

    #[inline]
    fn diff(&mut self, shadow: &mut ListShadow, at: &At<'_>, out: &mut Changes) {
        if self.instance != shadow.0 {
            out.set(at, self);
            *shadow = self.shadow();
        } else if !self.log.is_empty() {
            self.tell(at, out);
        }
    }

    fn write(&self, settled: Option<&ListShadow>, out: &mut Writer) {
        out.list(self.items.len());
        for (index, item) in self.items.iter().enumerate() {
            item.write(settled.and_then(|_| self.log.shadow(index)), out);
        }
        out.end_list();
    }

    fn read(value: Value) -> Result<Self, EditError> {
        Vec::read(value).map(Self::from)
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        self.open();
        match (path, edit) {
            ([], edit @ Edit::Set(_)) => synced::edit_whole(self, edit, author, Reason::NotAList),
            ([], edit) => self.edit_items(edit, author),
            ([Segment::Index(_)], Edit::Remove) => Err(EditError::new(Reason::RemoveIndex)),
            ([Segment::Index(index), deeper @ ..], edit) => {
                let (index, len) = (*index, self.items.len());
                self.get_mut(index)
                    .ok_or_else(|| EditError::new(Reason::IndexOutOfBounds { index, len }))?
                    .edit(deeper, edit, author)
                    .map_err(|error| error.below(index))
            }
            ([Segment::Key(_), ..], _) => Err(EditError::new(Reason::NotAMap)),
        }
    }

    fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
        synced::admit_items(
            self.items.iter(),
            old.into_iter().flat_map(|old| &old.items),
        )
    }

    fn check(&self, at: &At<'_>, out: &mut Changes) {
        synced::check_items(self.items.iter(), at, out);
    }

    fn ty() -> Type {
        Type::List(Box::new(T::ty()))
    }
}

impl<T: Synced> List<T> {
    fn edit_items(&mut self, edit: Edit, author: Author) -> Result<Edit, EditError> {
        // The same edits as a plain list's; what they do is noted from the edit and what undoes it.
        let len = self.items.len();
        let order = match &edit {
            Edit::Reorder(order) => Some(order.clone()),
            _ => None,
        };
        let undo = synced::edit_items(&mut self.items, edit, author)?;
        self.log.rearrange(|runs| match &undo {
            Edit::RemoveAt(index) => runs.insert(*index, 1),
            Edit::Insert(index, _) => runs.remove(*index, index + 1),
            Edit::Move(from, to) if to < from => runs.rotate(*to, to + 1, from + 1),
            Edit::Move(from, to) => runs.rotate(*from, *to, to + 1),
            Edit::Reorder(_) => runs.permute(order.into_iter().flatten()),
            _ => {}
        });
        debug_assert!(len.abs_diff(self.items.len()) <= 1);
        Ok(undo)
    }

    /// Tells what the log knows, and forgets it.
    fn tell(&mut self, at: &At<'_>, out: &mut Changes) {
        if !self.log.whole && self.log.is_in_place() {
            self.tell_touched(at, out, Some);
        } else if self.log.whole || !self.tell_arrangement(at, out) {
            out.set(at, self);
            self.log.reset(self.items.len());
        } else {
            let places = (self.log.live > 0).then(|| self.log.runs.places());
            self.log.runs.reset(self.items.len());
            self.log.base = self.items.len();
            if let Some(places) = places {
                self.tell_touched(at, out, |origin| places.now(origin));
            }
        }
    }

    /// Tells what changed within the items that were touched; `now` knows where an item is that was at a place.
    #[inline]
    fn tell_touched(
        &mut self,
        at: &At<'_>,
        out: &mut Changes,
        now: impl Fn(usize) -> Option<usize>,
    ) {
        let before = out.faults().len();
        let live = self.log.live;
        for (origin, shadow) in self.log.touched.iter_mut().take(live) {
            // An item that is gone needs no more.
            let Some((index, item)) =
                now(*origin).and_then(|index| Some((index, self.items.get_mut(index)?)))
            else {
                *origin = usize::MAX;
                continue;
            };
            *origin = index;
            item.diff(shadow, &at.index(index), out);
        }
        if out.faults().len() > before {
            self.keep_faulty();
        } else {
            self.log.forget_touched();
        }
    }

    /// The wire still has something else of some items: their shadows are needed further on.
    #[cold]
    fn keep_faulty(&mut self) {
        let mut faulty = 0;
        for place in 0..self.log.live {
            let differs = self.log.touched.get(place).is_some_and(|(index, shadow)| {
                self.items
                    .get(*index)
                    .is_some_and(|item| !item.same(shadow))
            });
            if differs {
                self.log.touched.swap(place, faulty);
                faulty += 1;
            }
        }
        self.log.forget_touched();
        self.log.live = faulty;
        if faulty > FEW {
            let origins = self
                .log
                .touched
                .iter()
                .take(faulty)
                .map(|(origin, _)| *origin);
            self.log.places.extend(origins.zip(0..));
        }
    }

    /// Tells which items went, changed places and came; false if telling the whole list is shorter.
    fn tell_arrangement(&self, at: &At<'_>, out: &mut Changes) -> bool {
        let kept = || {
            self.log
                .runs
                .iter()
                .filter_map(|run| Some((run.from?, run.len)))
        };
        let stayed: usize = kept().map(|(_, len)| len).sum();
        let (gone, came) = (self.log.base - stayed, self.items.len() - stayed);
        if gone + came > self.items.len() + 1 {
            return false;
        }
        if kept().is_sorted() {
            self.tell_gone(kept().rev(), at, out);
        } else {
            let mut kept: Vec<_> = kept().collect();
            let wanted = ranks(&kept);
            kept.sort_unstable();
            self.tell_gone(kept.into_iter().rev(), at, out);
            synced::reorder(&wanted, 0, 0, at, out);
        }
        let mut start = 0;
        for run in self.log.runs.iter() {
            if run.from.is_none() {
                for (index, item) in self.items.iter().enumerate().skip(start).take(run.len) {
                    out.insert(at, index, item);
                }
            }
            start += run.len;
        }
        true
    }

    /// Tells which items went, given the runs that stayed, last one first.
    fn tell_gone(
        &self,
        kept: impl Iterator<Item = (usize, usize)>,
        at: &At<'_>,
        out: &mut Changes,
    ) {
        let mut end = self.log.base;
        for (from, len) in kept {
            for index in (from + len..end).rev() {
                out.remove_at(at, index);
            }
            end = from;
        }
        for index in (0..end).rev() {
            out.remove_at(at, index);
        }
    }
}

/// The ranks of the items that stayed among themselves, in their present order.
fn ranks(kept: &[(usize, usize)]) -> Vec<usize> {
    let mut sorted: Vec<(usize, usize, usize)> = kept
        .iter()
        .enumerate()
        .map(|(place, (from, len))| (*from, *len, place))
        .collect();
    sorted.sort_unstable();
    let mut firsts = vec![0; kept.len()];
    let mut rank = 0;
    for (_, len, place) in sorted {
        if let Some(first) = firsts.get_mut(place) {
            *first = rank;
        }
        rank += len;
    }
    kept.iter()
        .zip(firsts)
        .flat_map(|((_, len), first)| first..first + len)
        .collect()
}

impl<T: Synced> Deref for List<T> {
    type Target = Vec<T>;

    #[inline]
    fn deref(&self) -> &Vec<T> {
        &self.items
    }
}

impl<T: Synced, I: SliceIndex<[T]>> Index<I> for List<T> {
    type Output = I::Output;

    #[inline]
    fn index(&self, index: I) -> &I::Output {
        Index::index(&self.items, index)
    }
}

impl<T: Synced> IndexMut<usize> for List<T> {
    #[inline]
    fn index_mut(&mut self, index: usize) -> &mut T {
        let len = self.items.len();
        match self.get_mut(index) {
            Some(item) => item,
            None => panic!("the index {index} is out of bounds, the length is {len}"),
        }
    }
}

impl<T: Synced> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        Self {
            log: Log::new(items.len()),
            instance: Instance::new(),
            items,
        }
    }
}

impl<T: Synced> From<List<T>> for Vec<T> {
    fn from(list: List<T>) -> Self {
        list.items
    }
}

impl<T: Synced, const N: usize> From<[T; N]> for List<T> {
    fn from(items: [T; N]) -> Self {
        Self::from(Vec::from(items))
    }
}

impl<T: Synced> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::from(Vec::from_iter(items))
    }
}

impl<T: Synced> Extend<T> for List<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        let before = self.items.len();
        self.open();
        self.items.extend(items);
        let more = self.items.len() - before;
        self.log.rearrange(|runs| runs.insert(before, more));
    }
}

impl<'a, T: Synced + Copy> Extend<&'a T> for List<T> {
    fn extend<I: IntoIterator<Item = &'a T>>(&mut self, items: I) {
        self.extend(items.into_iter().copied());
    }
}

impl<T: Synced> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T: Synced> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<'a, T: Synced> IntoIterator for &'a mut List<T> {
    type Item = &'a mut T;
    type IntoIter = IterMut<'a, T>;

    fn into_iter(self) -> IterMut<'a, T> {
        self.iter_mut()
    }
}

impl<T: Synced> Default for List<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The copy is another list: put in the place of the first, it is sent as a whole.
impl<T: Synced + Clone> Clone for List<T> {
    fn clone(&self) -> Self {
        Self::from(self.items.clone())
    }
}

impl<T: Synced + fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.fmt(f)
    }
}

impl<T: Synced + PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}

impl<T: Synced + Eq> Eq for List<T> {}

impl<T: Synced + PartialEq> PartialEq<Vec<T>> for List<T> {
    fn eq(&self, other: &Vec<T>) -> bool {
        self.items == *other
    }
}

impl<T: Synced + Hash> Hash for List<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.items.hash(state);
    }
}

impl<T: Synced + serde::Serialize> serde::Serialize for List<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.items.serialize(serializer)
    }
}

impl<'de, T: Synced + serde::Deserialize<'de>> serde::Deserialize<'de> for List<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}
