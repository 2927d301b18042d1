//! Maps, and what can be a key.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use super::{Synced, edit_whole};
use crate::changes::{Changes, SAMPLES};
use crate::edit::{Author, Edit, EditError, Payload, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::Value;
use crate::writer::Writer;

/// What can be a key of a map: it is a text on the wire.
///
/// The derive implements it for enums without data. A map of them also asks for their `Ord`, `Hash` and `Clone`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a synced map",
    label = "this type does not implement `Key`",
    note = "keys are texts, integers, `char`, `bool`, and enums without data that derive `Synced`",
    note = "a parameter is one with `bound = \"K: transports::synced::Key + Ord + Hash + Clone, ...\"`"
)]
pub trait Key: Sized + Send + Sync + 'static {
    /// Whether the order of keys is the byte order of their texts.
    const IN_TEXT_ORDER: bool = false;

    /// The key as text; each key has a text of its own.
    fn text(&self) -> Cow<'_, str>;

    /// The key whose text this is.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! text_key {
    ($($text:ty)+) => {$(
        impl Key for $text {
            const IN_TEXT_ORDER: bool = true;

            fn text(&self) -> Cow<'_, str> {
                Cow::Borrowed(self)
            }

            fn parse(text: &str) -> Option<Self> {
                Some(Self::from(text.to_owned()))
            }
        }
    )+};
}

text_key!(String Box<str> Arc<str> Cow<'static, str>);

macro_rules! printed_key {
    ($($key:ty)+) => {$(
        impl Key for $key {
            fn text(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }

            fn parse(text: &str) -> Option<Self> {
                // Only the one way in which the key is written: `01` and `1` must not be two texts of one key.
                text.parse().ok().filter(|key: &Self| key.to_string() == text)
            }
        }
    )+};
}

printed_key!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize bool char);

pub(crate) fn parse<K: Key>(text: &str) -> Result<K, EditError> {
    K::parse(text).ok_or_else(|| {
        let name = std::any::type_name::<K>();
        EditError::new(Reason::Rule(format!(
            "{text:?} is not the text of a {name}, the key of this map"
        )))
    })
}

/// The wire wants entries in byte order of the texts.
pub(crate) fn write_entries<'a, K: Key, V: Synced>(
    entries: impl ExactSizeIterator<Item = (&'a K, &'a V)>,
    settled: impl Fn(&K) -> Option<&'a V::Shadow>,
    in_order: bool,
    out: &mut Writer,
) {
    out.map(entries.len());
    if in_order {
        for (key, value) in entries {
            if out.is_full() {
                break;
            }
            out.key(&key.text());
            value.write(settled(key), out);
        }
    } else {
        let mut entries: Vec<_> = entries
            .map(|(key, value)| (key.text(), key, value))
            .collect();
        entries.sort_unstable_by(|(text, ..), (other, ..)| text.cmp(other));
        for (text, key, value) in entries {
            if out.is_full() {
                break;
            }
            out.key(&text);
            value.write(settled(key), out);
        }
    }
    out.end_map();
}

macro_rules! map {
    ($Map:ident, [$($S:ident)?], $in_order:expr, $diff:ident) => {
        impl<K: Key + Ord + Hash + Clone, V: Synced $(, $S: BuildHasher + Default + Send + Sync + 'static)?> Synced for $Map<K, V $(, $S)?> {
            type Shadow = $Map<K, V::Shadow>;

            fn shadow(&self) -> Self::Shadow {
                self.iter().map(|(key, value)| (key.clone(), value.shadow())).collect()
            }

            #[inline]
            fn same(&self, shadow: &Self::Shadow) -> bool {
                same::<K, V, _>(self, shadow)
            }

            fn diff(&mut self, shadow: &mut Self::Shadow, at: &At<'_>, out: &mut Changes) {
                $diff(self, shadow, at, out);
            }

            fn write(&self, settled: Option<&Self::Shadow>, out: &mut Writer) {
                write_entries(self.iter(), |key| settled?.get(key), $in_order, out);
            }

            fn read(value: Value) -> Result<Self, EditError> {
                let Value::Map(entries) = value else {
                    return Err(EditError::expected("a Map", &value));
                };
                // Collecting results would not know how many there are.
                let mut read = Vec::with_capacity(entries.len());
                for (text, value) in entries {
                    let value = V::read(value).map_err(|error| error.below(text.as_str()))?;
                    read.push((parse(&text)?, value));
                }
                Ok(read.into_iter().collect())
            }

            fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
                match (path, edit) {
                    ([], edit) => edit_whole(self, edit, author, Reason::NotAList),
                    ([Segment::Key(text)], Edit::Set(payload)) => {
                        let key = parse(text)?;
                        let new = payload
                            .take(self.get_mut(&key), author)
                            .map_err(|error| error.below(text.as_str()))?;
                        Ok(self
                            .insert(key, new)
                            .map_or(Edit::Remove, |old| Edit::Set(Payload::taken(old))))
                    }
                    // A text that is no key names an entry that is not there, and removing that is fine.
                    ([Segment::Key(text)], Edit::Remove) => Ok(K::parse(text)
                        .and_then(|key| self.remove(&key))
                        .map_or(Edit::Nothing, |old| Edit::Set(Payload::taken(old)))),
                    ([Segment::Key(text), deeper @ ..], edit) => self
                        .get_mut(&parse(text)?)
                        .ok_or_else(|| EditError::new(Reason::MissingKey).below(text.as_str()))?
                        .edit(deeper, edit, author)
                        .map_err(|error| error.below(text.as_str())),
                    ([Segment::Index(_)], Edit::Remove) => Err(EditError::new(Reason::RemoveIndex)),
                    ([Segment::Index(_), ..], _) => Err(EditError::new(Reason::NotAList)),
                }
            }

            fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
                self.iter().try_for_each(|(key, value)| {
                    value
                        .admit(old.and_then(|old| old.get(key)))
                        .map_err(|error| error.below(key.text().as_ref()))
                })
            }

            fn check(&self, at: &At<'_>, out: &mut Changes) {
                for (key, value) in self {
                    value.check(&at.key(&key.text()), out);
                }
            }

            fn reveal(&self, settled: Option<&Self::Shadow>, at: &At<'_>, out: &mut Changes) {
                for (key, value) in self {
                    let settled = settled.and_then(|settled| settled.get(key));
                    value.reveal(settled, &at.key(&key.text()), out);
                }
            }

            fn ty() -> Type {
                Type::Map(Box::new(V::ty()))
            }
        }
    };
}

map!(BTreeMap, [], K::IN_TEXT_ORDER, diff_sorted);
map!(HashMap, [S], false, diff_hashed);

/// Iteration and look-up, which both kinds of map have.
trait Lookup<K, W> {
    fn len(&self) -> usize;
    fn find(&self, key: &K) -> Option<&W>;
}

impl<K: Ord, W> Lookup<K, W> for BTreeMap<K, W> {
    fn len(&self) -> usize {
        self.len()
    }

    fn find(&self, key: &K) -> Option<&W> {
        self.get(key)
    }
}

impl<K: Eq + Hash, W> Lookup<K, W> for HashMap<K, W> {
    fn len(&self) -> usize {
        self.len()
    }

    fn find(&self, key: &K) -> Option<&W> {
        self.get(key)
    }
}

fn same<'a, K: Key, V: Synced, L: Lookup<K, V::Shadow>>(
    map: impl IntoIterator<Item = (&'a K, &'a V), IntoIter: ExactSizeIterator>,
    shadow: &L,
) -> bool {
    let mut entries = map.into_iter();
    entries.len() == shadow.len()
        && entries.all(|(key, value)| shadow.find(key).is_some_and(|shadow| value.same(shadow)))
}

/// Tells a map as a whole that was empty before.
fn set_entries<'a, K: Key, V: Synced, I: ExactSizeIterator<Item = (&'a K, &'a V)>>(
    entries: impl Fn() -> I,
    in_order: bool,
    at: &At<'_>,
    out: &mut Changes,
) {
    out.set_written(at, |out| write_entries(entries(), |_| None, in_order, out));
    if out.judging() {
        for (key, value) in entries() {
            value.check(&at.key(&key.text()), out);
        }
    }
    if out.is_apart() {
        for (key, value) in entries() {
            value.reveal(None, &at.key(&key.text()), out);
        }
    }
}

/// Walks two sorted maps side by side: new and changed entries in order, then the ones that are gone.
pub(super) fn diff_sorted<K: Key + Ord + Clone, V: Synced>(
    new: &mut BTreeMap<K, V>,
    old: &mut BTreeMap<K, V::Shadow>,
    at: &At<'_>,
    out: &mut Changes,
) {
    if old.is_empty() && out.tells_whole(new.len()) {
        set_entries(|| new.iter(), K::IN_TEXT_ORDER, at, out);
        *old = new
            .iter()
            .map(|(key, value)| (key.clone(), value.shadow()))
            .collect();
        return;
    }
    let most = new.len() + old.len();
    let sample = |nth: usize, out: &mut Writer| {
        if let Some((key, value)) = new.iter().nth(nth * new.len() / SAMPLES) {
            out.key(&key.text());
            value.write(None, out);
        }
    };
    let are_at_least = |many: usize| {
        let kept = new
            .iter()
            .filter_map(|(key, value)| Some((value, old.get(key)?)));
        let (mut found, mut changed) = (0, 0);
        for (value, shadow) in kept {
            found += 1;
            changed += usize::from(!value.same(shadow));
        }
        most - 2 * found + changed >= many
    };
    if out.rather_tells_whole(new.len(), most, are_at_least, sample) {
        let mut silent = out.silent();
        let (added, gone) = compare_sorted(new.iter_mut(), old.iter_mut(), at, &mut silent);
        out.heard(silent);
        // New entries are not among the old ones yet.
        out.set_written(at, |out| {
            write_entries(new.iter(), |key| old.get(key), K::IN_TEXT_ORDER, out);
        });
        if out.is_apart() {
            for (key, value) in &*new {
                value.reveal(old.get(key), &at.key(&key.text()), out);
            }
        }
        follow(old, added, gone);
        return;
    }
    let (added, gone) = compare_sorted(new.iter_mut(), old.iter_mut(), at, out);
    follow(old, added, gone);
}

fn follow<K: Ord, S>(shadow: &mut BTreeMap<K, S>, added: Vec<(K, S)>, gone: Vec<K>) {
    for key in gone {
        shadow.remove(&key);
    }
    shadow.extend(added);
}

/// As [`diff_sorted`], for any kind of map; returns the entries to add to the shadow, and the keys to remove from it.
pub(super) fn compare_sorted<'a, K: Key + Ord + Clone, V: Synced>(
    new: impl Iterator<Item = (&'a K, &'a mut V)>,
    old: impl Iterator<Item = (&'a K, &'a mut V::Shadow)>,
    at: &At<'_>,
    out: &mut Changes,
) -> (Vec<(K, V::Shadow)>, Vec<K>) {
    let mut added = Vec::new();
    let mut gone = Vec::new();
    let mut olds = old.peekable();
    for (key, value) in new {
        while let Some((other, _)) = olds.next_if(|(other, _)| *other < key) {
            gone.push(other.clone());
        }
        match olds.next_if(|(other, _)| *other == key) {
            Some((_, shadow)) if value.same(shadow) => {}
            Some((_, shadow)) => value.diff(shadow, &at.key(&key.text()), out),
            None => {
                out.set(&at.key(&key.text()), value);
                added.push((key.clone(), value.shadow()));
            }
        }
    }
    gone.extend(olds.map(|(other, _)| other.clone()));
    for key in &gone {
        out.remove(&at.key(&key.text()));
    }
    (added, gone)
}

/// Without an order to walk in: finds the keys that differ, and reports them in order.
fn diff_hashed<K: Key + Ord + Hash + Clone, V: Synced, S: BuildHasher>(
    new: &mut HashMap<K, V, S>,
    old: &mut HashMap<K, V::Shadow>,
    at: &At<'_>,
    out: &mut Changes,
) {
    if old.is_empty() && out.tells_whole(new.len()) {
        set_entries(|| new.iter(), false, at, out);
        old.extend(new.iter().map(|(key, value)| (key.clone(), value.shadow())));
        return;
    }
    let mut known = 0;
    let mut changed = Vec::new();
    for (key, value) in &*new {
        match old.get(key) {
            None => changed.push(key.clone()),
            Some(shadow) => {
                known += 1;
                if !value.same(shadow) {
                    changed.push(key.clone());
                }
            }
        }
    }
    changed.sort_unstable();
    for key in changed {
        let Some(value) = new.get_mut(&key) else {
            continue;
        };
        if let Some(shadow) = old.get_mut(&key) {
            value.diff(shadow, &at.key(&key.text()), out);
        } else {
            out.set(&at.key(&key.text()), value);
            let shadow = value.shadow();
            old.insert(key, shadow);
            known += 1;
        }
    }
    if known < old.len() {
        let mut gone: Vec<K> = old
            .keys()
            .filter(|key| !new.contains_key(key))
            .cloned()
            .collect();
        gone.sort_unstable();
        for key in gone {
            out.remove(&at.key(&key.text()));
            old.remove(&key);
        }
    }
}
