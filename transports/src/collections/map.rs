//! A map that knows what was done to it.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap, btree_map};
use std::fmt;
use std::hash::Hash;
use std::ops::Deref;
use std::sync::atomic::{self, AtomicBool};

use super::Instance;
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Payload, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::synced::{self, Key, Synced};
use crate::value::Value;
use crate::writer::Writer;

/// A `BTreeMap` whose syncs cost as much as what was done to it, not as much as it is large.
///
/// It derefs to `BTreeMap<K, V>` for everything that looks, and has the methods of `BTreeMap` that change. At the sync
/// an entry that came is a `Set`, one that went a `Remove`, and one that was borrowed mutably is compared with what it
/// was.
///
/// There is no way to the `BTreeMap` itself but [`edit`](Self::edit), after which the map goes out as a whole. A map
/// that was swapped, taken or assigned is another map, and goes out as a whole, too.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use transports::collections::Map;
/// use transports::{Changes, Synced, Tracked};
///
/// #[derive(Synced)]
/// struct Stock {
///     amounts: Map<String, i64>,
/// }
///
/// let mut stock = Tracked::new(Stock { amounts: Map::from([("nail".to_owned(), 3)]) });
/// let mut changes = Changes::as_json();
///
/// *stock.amounts.entry("nail".into()).or_default() += 1;
/// Tracked::collect(&mut stock, &mut changes);
/// assert_eq!(
///     changes.json(),
///     br#"{"Set":{"path":[{"Key":"amounts"},{"Key":"nail"}],"value":{"Int":4}}}"#,
/// );
/// # }
/// ```
pub struct Map<K: MapKey, V: Synced> {
    entries: BTreeMap<K, V>,
    instance: Instance,
    log: Log<K, V>,
}

/// What the keys of a [`Map`] have to be; every such type is one.
pub trait MapKey: Key + Ord + Hash + Clone {}

impl<K: Key + Ord + Hash + Clone> MapKey for K {}

/// What was done since the last sync.
struct Log<K, V: Synced> {
    /// Entries that may have changed. The first `live` count; the others are memory for later.
    notes: Vec<Note<K, V::Shadow>>,
    live: usize,
    /// Finds notes where there are too many to look through.
    places: HashMap<K, usize>,
    /// It is not known what was done.
    whole: bool,
    /// The wire has seen all of this; set by who only looks.
    settled: AtomicBool,
    /// The most that was noted for one of the last syncs, fading.
    usual: usize,
}

struct Note<K, S> {
    key: K,
    /// Whether the wire has an entry of this key.
    known: bool,
    /// Whether `shadow` is what the wire has of it; otherwise the entry goes out as a whole.
    compares: bool,
    shadow: Option<S>,
}

/// What the wire has of a map: which one it was.
#[derive(Debug)]
pub struct MapShadow(Instance);

/// Up to this many notes are looked through one by one.
const FEW: usize = 16;

impl<K: MapKey, V: Synced> Log<K, V> {
    fn new() -> Self {
        Self {
            notes: Vec::new(),
            live: 0,
            places: HashMap::new(),
            whole: false,
            settled: AtomicBool::new(false),
            usual: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.settled.load(atomic::Ordering::Relaxed) || (self.live == 0 && !self.whole)
    }

    fn live(&self) -> impl Iterator<Item = &Note<K, V::Shadow>> {
        self.notes.iter().take(self.live)
    }

    /// Called before anything is noted: what the wire has seen meanwhile is forgotten.
    #[inline]
    fn open(&mut self) {
        if *self.settled.get_mut() {
            self.reset();
        }
    }

    fn reset(&mut self) {
        *self.settled.get_mut() = false;
        self.whole = false;
        self.usual = self.live.max(self.usual - self.usual / 8);
        if self.live > FEW {
            self.places.clear();
        }
        self.live = 0;
        let most = 4 * self.usual.max(FEW);
        if self.notes.len() > most {
            self.notes.truncate(most);
            self.notes.shrink_to(2 * most);
            self.places.shrink_to(2 * most);
        }
    }

    fn find(&self, key: &K) -> Option<usize> {
        if self.live <= FEW {
            self.live().position(|note| note.key == *key)
        } else {
            self.places.get(key).copied()
        }
    }

    /// Remembers an entry as it is, before it is changed.
    #[inline]
    fn touch(&mut self, key: &K, value: &V) {
        if !self.whole && self.find(key).is_none() {
            self.note(key, true, Some(value));
        }
    }

    /// An entry of this key is about to come; `old` is the one it replaces.
    fn coming(&mut self, key: &K, old: Option<&V>) {
        if !self.whole && self.find(key).is_none() {
            self.note(key, old.is_some(), old);
        }
    }

    /// The entry of this key is about to go.
    fn going(&mut self, key: &K) {
        if self.whole {
            return;
        }
        match self.find(key) {
            None => self.note(key, true, None),
            Some(place) => {
                if let Some(note) = self.notes.get_mut(place) {
                    note.compares = false;
                }
            }
        }
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
        if self.live > FEW {
            if self.live == FEW + 1 {
                let keys = self.notes.iter().take(FEW).map(|note| note.key.clone());
                self.places.extend(keys.zip(0..));
            }
            self.places.insert(key.clone(), self.live - 1);
        }
    }
}

impl<K: MapKey, V: Synced> Map<K, V> {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::from(BTreeMap::new())
    }

    /// Does to the `BTreeMap` whatever there is no method for here. Afterwards the map goes out as a whole.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut BTreeMap<K, V>) -> R) -> R {
        self.log.open();
        self.log.whole = true;
        change(&mut self.entries)
    }

    /// Puts an entry in and returns the one it replaces.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.log.open();
        self.log.coming(&key, self.entries.get(&key));
        self.entries.insert(key, value)
    }

    /// Takes an entry out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.remove_entry(key).map(|(_, value)| value)
    }

    /// Takes an entry out, with its key.
    pub fn remove_entry<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        self.log.open();
        let entry = self.entries.remove_entry(key)?;
        self.log.going(&entry.0);
        Some(entry)
    }

    /// Takes the entry with the least key out.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        self.log.open();
        let entry = self.entries.pop_first()?;
        self.log.going(&entry.0);
        Some(entry)
    }

    /// Takes the entry with the greatest key out.
    pub fn pop_last(&mut self) -> Option<(K, V)> {
        self.log.open();
        let entry = self.entries.pop_last()?;
        self.log.going(&entry.0);
        Some(entry)
    }

    /// Takes all entries out.
    pub fn clear(&mut self) {
        self.edit(BTreeMap::clear);
    }

    /// Keeps the entries for which `keep` says so. Each one it looks at counts as touched.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.log.open();
        let log = &mut self.log;
        self.entries.retain(|key, value| {
            log.touch(key, value);
            let keeps = keep(key, value);
            if !keeps {
                log.going(key);
            }
            keeps
        });
    }

    /// Moves all entries of `other` in here.
    pub fn append(&mut self, other: &mut BTreeMap<K, V>) {
        self.extend(std::mem::take(other));
    }

    /// The value of this key, to change it.
    #[inline]
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.log.open();
        let range = (
            std::ops::Bound::Included(key),
            std::ops::Bound::Included(key),
        );
        let (key, value) = self.entries.range_mut(range).next()?;
        self.log.touch(key, value);
        Some(value)
    }

    /// The place of this key, taken or not.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        self.log.open();
        Entry {
            entry: self.entries.entry(key),
            log: &mut self.log,
        }
    }

    /// All entries, to change them. Each one that is reached is remembered and compared.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.iter_mut_where(|_, _| true)
    }

    /// The entries for which `which` says so, to change them.
    pub fn iter_mut_where(
        &mut self,
        mut which: impl FnMut(&K, &V) -> bool,
    ) -> impl Iterator<Item = (&K, &mut V)> {
        self.log.open();
        let log = &mut self.log;
        self.entries
            .iter_mut()
            .filter(move |(key, value)| which(key, value))
            .map(|(key, value)| {
                log.touch(key, value);
                (key, value)
            })
    }

    /// All values, to change them. Each one that is reached is remembered and compared.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.iter_mut().map(|(_, value)| value)
    }

    /// The `BTreeMap`, tracked no longer.
    #[must_use]
    pub fn into_map(self) -> BTreeMap<K, V> {
        self.entries
    }
}

/// The place of a key in a [`Map`], taken or not; see [`Map::entry`].
pub struct Entry<'a, K: MapKey, V: Synced> {
    entry: btree_map::Entry<'a, K, V>,
    log: &'a mut Log<K, V>,
}

impl<'a, K: MapKey, V: Synced> Entry<'a, K, V> {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &K {
        self.entry.key()
    }

    /// The value; `default` goes in if there is none.
    pub fn or_insert(self, default: V) -> &'a mut V {
        self.or_insert_with(|| default)
    }

    /// The value; what `default` makes goes in if there is none.
    pub fn or_insert_with(self, default: impl FnOnce() -> V) -> &'a mut V {
        match self.entry {
            btree_map::Entry::Occupied(entry) => {
                self.log.touch(entry.key(), entry.get());
                entry.into_mut()
            }
            btree_map::Entry::Vacant(entry) => {
                self.log.coming(entry.key(), None);
                entry.insert(default())
            }
        }
    }

    /// The value; `V::default()` goes in if there is none.
    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }

    /// Changes the value if there is one.
    #[must_use]
    pub fn and_modify(mut self, change: impl FnOnce(&mut V)) -> Self {
        if let btree_map::Entry::Occupied(entry) = &mut self.entry {
            self.log.touch(entry.key(), entry.get());
            change(entry.get_mut());
        }
        self
    }
}

impl<K: MapKey + fmt::Debug, V: Synced + fmt::Debug> fmt::Debug for Entry<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.fmt(f)
    }
}

impl<K: MapKey, V: Synced> Synced for Map<K, V> {
    type Shadow = MapShadow;

    fn shadow(&self) -> MapShadow {
        self.log.settled.store(true, atomic::Ordering::Relaxed);
        MapShadow(self.instance)
    }

    fn same(&self, shadow: &MapShadow) -> bool {
        self.instance == shadow.0
            && (self.log.is_empty()
                || (!self.log.whole
                    && self.log.live().all(|note| {
                        match (self.entries.get(&note.key), &note.shadow) {
                            (Some(value), Some(shadow)) => note.compares && value.same(shadow),
                            (Some(_), None) => false,
                            (None, _) => !note.known,
                        }
                    })))
    }

    #[inline]
    fn diff(&mut self, shadow: &mut MapShadow, at: &At<'_>, out: &mut Changes) {
        if self.instance != shadow.0 {
            out.set(at, self);
            *shadow = self.shadow();
        } else if !self.log.is_empty() {
            self.tell(at, out);
        }
    }

    fn write(&self, settled: Option<&MapShadow>, out: &mut Writer) {
        let shadow = |key: &K| {
            settled?;
            self.log
                .notes
                .get(self.log.find(key)?)
                .filter(|note| note.compares)?
                .shadow
                .as_ref()
        };
        synced::write_entries(self.entries.iter(), shadow, K::IN_TEXT_ORDER, out);
    }

    fn read(value: Value) -> Result<Self, EditError> {
        BTreeMap::read(value).map(Self::from)
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        self.log.open();
        match (path, edit) {
            ([], edit) => synced::edit_whole(self, edit, author, Reason::NotAList),
            ([Segment::Key(text)], Edit::Set(payload)) => {
                let key = synced::parse_key::<K>(text)?;
                let old = self.entries.get_mut(&key);
                self.log.coming(&key, old.as_deref());
                let new = payload
                    .take(old, author)
                    .map_err(|error| error.below(text.as_str()))?;
                let old = self.entries.insert(key, new);
                Ok(old.map_or(Edit::Remove, |old| Edit::Set(Payload::taken(old))))
            }
            ([Segment::Key(text)], Edit::Remove) => Ok(K::parse(text)
                .and_then(|key| self.remove(&key))
                .map_or(Edit::Nothing, |old| Edit::Set(Payload::taken(old)))),
            ([Segment::Key(text), deeper @ ..], edit) => {
                let key = synced::parse_key::<K>(text)?;
                self.get_mut(&key)
                    .ok_or_else(|| EditError::new(Reason::MissingKey).below(text.as_str()))?
                    .edit(deeper, edit, author)
                    .map_err(|error| error.below(text.as_str()))
            }
            ([Segment::Index(_)], Edit::Remove) => Err(EditError::new(Reason::RemoveIndex)),
            ([Segment::Index(_), ..], _) => Err(EditError::new(Reason::NotAList)),
        }
    }

    fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
        self.entries.iter().try_for_each(|(key, value)| {
            value
                .admit(old.and_then(|old| old.entries.get(key)))
                .map_err(|error| error.below(key.text().as_ref()))
        })
    }

    fn check(&self, at: &At<'_>, out: &mut Changes) {
        for (key, value) in &self.entries {
            value.check(&at.key(&key.text()), out);
        }
    }

    fn ty() -> Type {
        Type::Map(Box::new(V::ty()))
    }
}

impl<K: MapKey, V: Synced> Map<K, V> {
    /// Tells what the log knows, in order of the keys and removals last, and forgets it.
    fn tell(&mut self, at: &At<'_>, out: &mut Changes) {
        if self.log.whole {
            out.set(at, self);
            return self.log.reset();
        }
        let before = out.faults().len();
        let live = self.log.live;
        let Some(notes) = self.log.notes.get_mut(..live) else {
            return;
        };
        if !notes.is_sorted_by(|a, b| a.key <= b.key) {
            notes.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        }
        for note in &mut *notes {
            if let Some(value) = self.entries.get_mut(&note.key) {
                let text = note.key.text();
                let at = at.key(&text);
                match &mut note.shadow {
                    Some(shadow) if note.compares => value.diff(shadow, &at, out),
                    shadow => {
                        out.set(&at, value);
                        *shadow = Some(value.shadow());
                        note.compares = true;
                    }
                }
            }
        }
        for note in notes {
            if note.known && !self.entries.contains_key(&note.key) {
                out.remove(&at.key(&note.key.text()));
            }
        }
        if out.faults().len() > before {
            self.keep_faulty();
        } else {
            self.log.reset();
        }
    }

    /// The wire still has something else of some entries: their shadows are needed further on.
    #[cold]
    fn keep_faulty(&mut self) {
        let mut faulty = 0;
        for place in 0..self.log.live {
            let differs = self.log.notes.get(place).is_some_and(|note| {
                match (self.entries.get(&note.key), &note.shadow) {
                    (Some(value), Some(shadow)) => !value.same(shadow),
                    _ => false,
                }
            });
            if differs {
                self.log.notes.swap(place, faulty);
                faulty += 1;
            }
        }
        self.log.places.clear();
        self.log.reset();
        self.log.live = faulty;
        for note in self.log.notes.iter_mut().take(faulty) {
            note.known = true;
        }
        if faulty > FEW {
            let keys = self
                .log
                .notes
                .iter()
                .take(faulty)
                .map(|note| note.key.clone());
            self.log.places.extend(keys.zip(0..));
        }
    }
}

impl<K: MapKey, V: Synced> Deref for Map<K, V> {
    type Target = BTreeMap<K, V>;

    #[inline]
    fn deref(&self) -> &BTreeMap<K, V> {
        &self.entries
    }
}

impl<K: MapKey, V: Synced> From<BTreeMap<K, V>> for Map<K, V> {
    fn from(entries: BTreeMap<K, V>) -> Self {
        Self {
            entries,
            instance: Instance::new(),
            log: Log::new(),
        }
    }
}

impl<K: MapKey, V: Synced> From<Map<K, V>> for BTreeMap<K, V> {
    fn from(map: Map<K, V>) -> Self {
        map.entries
    }
}

impl<K: MapKey, V: Synced, const N: usize> From<[(K, V); N]> for Map<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        Self::from(BTreeMap::from(entries))
    }
}

impl<K: MapKey, V: Synced> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::from(BTreeMap::from_iter(entries))
    }
}

impl<K: MapKey, V: Synced> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: MapKey, V: Synced> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = btree_map::IntoIter<K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a, K: MapKey, V: Synced> IntoIterator for &'a Map<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = btree_map::Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

impl<K: MapKey, V: Synced> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// The copy is another map: put in the place of the first, it goes out as a whole.
impl<K: MapKey, V: Synced + Clone> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Self::from(self.entries.clone())
    }
}

impl<K: MapKey + fmt::Debug, V: Synced + fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.fmt(f)
    }
}

impl<K: MapKey, V: Synced + PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<K: MapKey, V: Synced + Eq> Eq for Map<K, V> {}

impl<K: MapKey + serde::Serialize, V: Synced + serde::Serialize> serde::Serialize for Map<K, V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries.serialize(serializer)
    }
}

impl<'de, K, V> serde::Deserialize<'de> for Map<K, V>
where
    K: MapKey + serde::Deserialize<'de>,
    V: Synced + serde::Deserialize<'de>,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}
