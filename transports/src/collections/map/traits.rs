//! What other maps can do, too.

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::ops::Deref;

use super::log::Log;
use super::{Entry, Instance, Map, MapKey};
use crate::synced::Synced;

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

impl<K: MapKey + fmt::Debug, V: Synced + fmt::Debug> fmt::Debug for Entry<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.fmt(f)
    }
}
