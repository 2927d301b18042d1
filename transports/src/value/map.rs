//! The entries of a map among the values.

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::{slice, vec};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::Value;

/// Entries by text key, in byte order of the keys: what a [`Value::Map`] holds. It has the methods of a
/// [`BTreeMap`], which it is made from and becomes.
///
/// A `BTreeMap` of one entry takes as much memory as one of eleven, 600 bytes; here an entry takes 56 bytes and its
/// key. So what a peer sends is not many times larger in memory than on the wire.
///
/// ```
/// use transports::{Value, ValueMap};
///
/// let mut entries = ValueMap::new();
/// entries.insert("on".to_owned(), Value::from(true));
/// assert_eq!(entries.get("on"), Some(&Value::Bool(true)));
/// ```
#[derive(Clone, Default)]
pub struct ValueMap(Held);

type Entry = (String, Value);

/// A row becomes a tree when an entry of many is put or taken in its middle, and stays one. So what is read or copied in
/// order of the keys, as maps on the wire are, is a row however long it is.
#[derive(Clone)]
enum Held {
    /// In order of the keys.
    Row(Vec<Entry>),
    #[expect(
        clippy::box_collection,
        reason = "values are smaller that way, and most maps are of the other kind"
    )]
    Tree(Box<BTreeMap<String, Value>>),
}

/// So many are moved about in a row as fast as in a tree.
const FEW: usize = 16;

impl Default for Held {
    fn default() -> Self {
        Self::Row(Vec::new())
    }
}

impl ValueMap {
    /// No entries.
    #[must_use]
    pub const fn new() -> Self {
        Self(Held::Row(Vec::new()))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Held::Row(entries) => entries.len(),
            Held::Tree(entries) => entries.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        match &self.0 {
            Held::Row(entries) => {
                let (_, value) = entries.get(find(entries, key).ok()?)?;
                Some(value)
            }
            Held::Tree(entries) => entries.get(key),
        }
    }

    /// The entry under `key`, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        match &mut self.0 {
            Held::Row(entries) => {
                let place = find(entries, key).ok()?;
                let (_, value) = entries.get_mut(place)?;
                Some(value)
            }
            Held::Tree(entries) => entries.get_mut(key),
        }
    }

    /// Whether there is an entry under `key`.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Puts a value under `key`, and gives back the one that was there.
    pub fn insert(&mut self, key: String, value: Value) -> Option<Value> {
        match &mut self.0 {
            Held::Row(entries) => match find(entries, &key) {
                Ok(place) => {
                    let (_, old) = entries.get_mut(place)?;
                    Some(std::mem::replace(old, value))
                }
                Err(place) if place == entries.len() || entries.len() < FEW => {
                    entries.insert(place, (key, value));
                    None
                }
                Err(_) => self.tree().insert(key, value),
            },
            Held::Tree(entries) => entries.insert(key, value),
        }
    }

    /// Takes out the entry under `key`.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.remove_entry(key).map(|(_, value)| value)
    }

    /// Takes out the entry under `key`, key included.
    pub fn remove_entry(&mut self, key: &str) -> Option<(String, Value)> {
        match &mut self.0 {
            Held::Row(entries) => {
                let place = find(entries, key).ok()?;
                if entries.len() - place > FEW {
                    return self.tree().remove_entry(key);
                }
                Some(entries.remove(place))
            }
            Held::Tree(entries) => entries.remove_entry(key),
        }
    }

    /// Takes out the entry with the least key.
    pub fn pop_first(&mut self) -> Option<(String, Value)> {
        match &mut self.0 {
            Held::Row(entries) if entries.is_empty() => None,
            Held::Row(entries) if entries.len() <= FEW => Some(entries.remove(0)),
            Held::Row(_) => self.tree().pop_first(),
            Held::Tree(entries) => entries.pop_first(),
        }
    }

    /// Keeps the entries that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        match &mut self.0 {
            Held::Row(entries) => entries.retain_mut(|(key, value)| keep(key, value)),
            Held::Tree(entries) => entries.retain(|key, value| keep(key, value)),
        }
    }

    /// All entries, in order of the keys.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter(match &self.0 {
            Held::Row(entries) => Either::Row(entries.iter()),
            Held::Tree(entries) => Either::Tree(entries.iter()),
        })
    }

    /// All entries, to change their values.
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        IterMut(match &mut self.0 {
            Held::Row(entries) => Either::Row(entries.iter_mut()),
            Held::Tree(entries) => Either::Tree(entries.iter_mut()),
        })
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &String> {
        self.iter().map(|(key, _)| key)
    }

    /// All values, in order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.iter().map(|(_, value)| value)
    }

    /// All values, to change them.
    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut Value> {
        self.iter_mut().map(|(_, value)| value)
    }

    /// The entries as a tree, from now on.
    fn tree(&mut self) -> &mut BTreeMap<String, Value> {
        if let Held::Row(entries) = &mut self.0 {
            let entries = std::mem::take(entries);
            self.0 = Held::Tree(Box::new(entries.into_iter().collect()));
        }
        match &mut self.0 {
            Held::Tree(entries) => entries,
            Held::Row(_) => unreachable!("it has just become one"),
        }
    }

    /// Gives back memory that was taken for entries that did not come.
    pub(crate) fn shrink(&mut self) {
        if let Held::Row(entries) = &mut self.0 {
            entries.shrink_to_fit();
        }
    }
}

/// Up to so many entries, which take a mebibyte, room is made before they are seen.
const TRUSTED: usize = (1 << 20) / size_of::<Entry>();

/// Where the key is, or where it belongs.
fn find(entries: &[Entry], key: &str) -> Result<usize, usize> {
    // Entries come in order, as a rule, so that the end is looked at first.
    match entries.last() {
        Some((last, _)) if **last < *key => Err(entries.len()),
        _ => entries.binary_search_by(|(other, _)| (**other).cmp(key)),
    }
}

impl PartialEq for ValueMap {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other)
    }
}

impl fmt::Debug for ValueMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl From<BTreeMap<String, Value>> for ValueMap {
    fn from(entries: BTreeMap<String, Value>) -> Self {
        Self(Held::Row(entries.into_iter().collect()))
    }
}

impl From<ValueMap> for BTreeMap<String, Value> {
    fn from(entries: ValueMap) -> Self {
        match entries.0 {
            Held::Row(entries) => entries.into_iter().collect(),
            Held::Tree(entries) => *entries,
        }
    }
}

impl Extend<(String, Value)> for ValueMap {
    fn extend<I: IntoIterator<Item = (String, Value)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl FromIterator<(String, Value)> for ValueMap {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut map = Self(Held::Row(Vec::with_capacity(entries.size_hint().0)));
        map.extend(entries);
        map
    }
}

impl Serialize for ValueMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for ValueMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = ValueMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ValueMap, A::Error> {
                // What is said is no more than a hint, and believed as far as serde believes it.
                let said = map.size_hint().unwrap_or(1).min(TRUSTED);
                let mut entries = ValueMap(Held::Row(Vec::with_capacity(said)));
                while let Some((key, value)) = map.next_entry()? {
                    entries.insert(key, value);
                }
                entries.shrink();
                Ok(entries)
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

#[derive(Clone, Debug)]
enum Either<R, T> {
    Row(R),
    Tree(T),
}

macro_rules! iterator {
    ($doc:literal, $Name:ident $(<$life:lifetime>)?, $Row:ty, $Tree:ty, $Item:ty, |$entry:ident| $split:expr) => {
        #[doc = $doc]
        #[derive(Debug)]
        pub struct $Name $(<$life>)? (Either<$Row, $Tree>);

        impl $(<$life>)? Iterator for $Name $(<$life>)? {
            type Item = $Item;

            fn next(&mut self) -> Option<Self::Item> {
                match &mut self.0 {
                    Either::Row(entries) => entries.next().map(|$entry| $split),
                    Either::Tree(entries) => entries.next(),
                }
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                match &self.0 {
                    Either::Row(entries) => entries.size_hint(),
                    Either::Tree(entries) => entries.size_hint(),
                }
            }
        }

        impl $(<$life>)? DoubleEndedIterator for $Name $(<$life>)? {
            fn next_back(&mut self) -> Option<Self::Item> {
                match &mut self.0 {
                    Either::Row(entries) => entries.next_back().map(|$entry| $split),
                    Either::Tree(entries) => entries.next_back(),
                }
            }
        }

        impl $(<$life>)? ExactSizeIterator for $Name $(<$life>)? {}
    };
}

iterator!(
    "The entries of a [`ValueMap`].",
    Iter<'a>,
    slice::Iter<'a, Entry>,
    btree_map::Iter<'a, String, Value>,
    (&'a String, &'a Value),
    |entry| (&entry.0, &entry.1)
);
iterator!(
    "The entries of a [`ValueMap`], to change their values.",
    IterMut<'a>,
    slice::IterMut<'a, Entry>,
    btree_map::IterMut<'a, String, Value>,
    (&'a String, &'a mut Value),
    |entry| (&entry.0, &mut entry.1)
);
iterator!(
    "The entries of what was a [`ValueMap`].",
    IntoIter,
    vec::IntoIter<Entry>,
    btree_map::IntoIter<String, Value>,
    (String, Value),
    |entry| entry
);

impl<'a> IntoIterator for &'a ValueMap {
    type Item = (&'a String, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut ValueMap {
    type Item = (&'a String, &'a mut Value);
    type IntoIter = IterMut<'a>;

    fn into_iter(self) -> IterMut<'a> {
        self.iter_mut()
    }
}

impl IntoIterator for ValueMap {
    type Item = (String, Value);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter(match self.0 {
            Held::Row(entries) => Either::Row(entries.into_iter()),
            Held::Tree(entries) => Either::Tree(entries.into_iter()),
        })
    }
}
