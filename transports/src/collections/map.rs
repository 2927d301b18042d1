//! A map that knows what was done to it.

mod log;
mod synced;
mod traits;

use std::borrow::Borrow;
use std::collections::{BTreeMap, btree_map};
use std::hash::Hash;
use std::ops::Bound;

use self::log::Log;
pub use self::synced::MapShadow;
use super::Instance;
use crate::synced::{Key, Synced};

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
        // A range with an end would be a second look-up.
        let onward = (Bound::Included(key), Bound::Unbounded);
        let (found, value) = self.entries.range_mut(onward).next()?;
        if found.borrow() != key {
            return None;
        }
        self.log.touch(found, value);
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
