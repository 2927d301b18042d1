//! `#[synced(flatten)]`: fields and entries that stand in their holder's map.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Reason};
use crate::path::{At, Segment};
use crate::synced::{Key, Synced};
use crate::value::{Value, ValueMap};
use crate::views::Seen;
use crate::writer::Writer;

/// The names that something needs in the map it stands in.
#[derive(Debug)]
pub struct Keys {
    /// Its own.
    pub names: &'static [&'static str],
    /// Those of what is flattened into it.
    pub below: &'static [&'static Self],
    /// Whether any other name may be an entry, too.
    pub open: bool,
}

impl Keys {
    /// Whether any of them is an entry.
    fn any(&self, entries: &ValueMap) -> bool {
        let mut found = false;
        self.each(&mut |name| found |= entries.contains_key(name));
        found
    }

    fn each(&self, visit: &mut impl FnMut(&'static str)) {
        for name in self.names {
            visit(name);
        }
        for keys in self.below {
            keys.each(visit);
        }
    }

    /// Whether a name is among them.
    #[must_use]
    pub const fn has(&self, name: &str) -> bool {
        let mut names = self.names;
        while let [own, rest @ ..] = names {
            if same(own.as_bytes(), name.as_bytes()) {
                return true;
            }
            names = rest;
        }
        let mut below = self.below;
        while let [keys, rest @ ..] = below {
            if keys.has(name) {
                return true;
            }
            below = rest;
        }
        false
    }

    const fn shares(&self, other: &Self) -> bool {
        let mut names = self.names;
        while let [name, rest @ ..] = names {
            if other.has(name) {
                return true;
            }
            names = rest;
        }
        let mut below = self.below;
        while let [keys, rest @ ..] = below {
            if keys.shares(other) {
                return true;
            }
            below = rest;
        }
        false
    }
}

const fn same(mut a: &[u8], mut b: &[u8]) -> bool {
    while let ([first, rest @ ..], [other, others @ ..]) = (a, b) {
        if *first != *other {
            return false;
        }
        (a, b) = (rest, others);
    }
    a.is_empty() && b.is_empty()
}

/// Stops compiling where names stand twice.
#[track_caller]
pub const fn assert_apart(keys: &Keys, is_map: bool, taken: &[&Keys]) {
    assert!(
        is_map || !keys.open,
        "a map is flattened into the struct that has it, and no further"
    );
    let mut taken = taken;
    while let [other, rest @ ..] = taken {
        assert!(
            !(keys.open && other.open),
            "one flattened map takes all other names, a second one has none left"
        );
        assert!(
            !keys.shares(other),
            "a field in here has the name of a field beside it; `rename` one of them"
        );
        taken = rest;
    }
}

/// What can be flattened.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be flattened",
    label = "only a map, a struct with named fields or an enum with a `tag` can be, also in an `Option` or `Box`"
)]
pub trait Flat: Synced {
    /// The names it needs.
    const KEYS: Keys;
    /// Whether these are entries, of any name.
    const IS_MAP: bool = false;

    /// Takes what is its out of the entries of the holder, of which some names are `taken`.
    ///
    /// # Errors
    /// As [`Synced::read`].
    fn read_flat(entries: &mut ValueMap, taken: &[&Keys]) -> Result<Self, EditError> {
        let _ = taken;
        let mut own = ValueMap::new();
        Self::KEYS.each(&mut |name| own.extend(entries.remove_entry(name)));
        Self::read(Value::Map(own))
    }

    /// As [`Synced::shadow`], without entries that cannot travel because their names are `taken`.
    fn shadow_flat(&self, taken: &[&Keys]) -> Self::Shadow {
        let _ = taken;
        self.shadow()
    }

    /// As [`Synced::diff`]; reports entries that cannot travel because their names are `taken`.
    fn diff_flat(
        &mut self,
        shadow: &mut Self::Shadow,
        at: &At<'_>,
        out: &mut Changes,
        taken: &[&Keys],
    ) {
        let _ = taken;
        self.diff(shadow, at, out);
    }

    /// As [`Synced::reveal`], without entries that cannot travel because their names are `taken`.
    fn reveal_flat(
        &self,
        settled: Option<&Self::Shadow>,
        at: &At<'_>,
        out: &mut Changes,
        taken: &[&Keys],
    ) {
        let _ = taken;
        self.reveal(settled, at, out);
    }

    /// Whether other names stand in the holder's map than the shadow has, so that the holder is sent as a whole.
    fn reshaped(&self, shadow: &Self::Shadow) -> bool {
        let _ = shadow;
        false
    }

    /// As [`Synced::edit`], with a path that begins with one of its names.
    ///
    /// # Errors
    /// As [`Synced::edit`].
    fn edit_flat(
        &mut self,
        path: &[Segment],
        edit: Edit,
        author: Author,
    ) -> Result<Edit, EditError> {
        self.edit(path, edit, author)
    }
}

/// As [`super::Check`], for what is flattened.
pub trait CheckFlat<C> {
    /// The type itself.
    type This: Flat;
}

impl<T: Flat, C> CheckFlat<C> for T {
    type This = T;
}

macro_rules! flat_map {
    ($Map:ident, [$($S:ident)?]) => {
        #[diagnostic::do_not_recommend]
        impl<K, V $(, $S)?> Flat for $Map<K, V $(, $S)?>
        where
            K: Key + Ord + Hash + Clone,
            V: Synced,
            $($S: BuildHasher + Default + Send + Sync + 'static,)?
        {
            const KEYS: Keys = Keys { names: &[], below: &[], open: true };
            const IS_MAP: bool = true;

            fn read_flat(entries: &mut ValueMap, taken: &[&Keys]) -> Result<Self, EditError> {
                let mut own = std::mem::take(entries);
                for keys in taken {
                    keys.each(&mut |name| entries.extend(own.remove_entry(name)));
                }
                Self::read(Value::Map(own))
            }

            fn shadow_flat(&self, taken: &[&Keys]) -> Self::Shadow {
                self.iter()
                    .filter(|(key, _)| !taken.iter().any(|keys| keys.has(&key.text())))
                    .map(|(key, value)| (key.clone(), value.shadow()))
                    .collect()
            }

            fn diff_flat(
                &mut self,
                shadow: &mut Self::Shadow,
                at: &At<'_>,
                out: &mut Changes,
                taken: &[&Keys],
            ) {
                let mut hidden = Vec::new();
                if !self.is_empty() {
                    for keys in taken {
                        keys.each(&mut |name| {
                            hidden.extend(K::parse(name).and_then(|key| self.remove_entry(&key)));
                        });
                    }
                }
                for (key, _) in &hidden {
                    out.fault(
                        &at.key(&key.text()),
                        "a field has this name, so that the entry beside it cannot be sent",
                    );
                }
                self.diff(shadow, at, out);
                self.extend(hidden);
            }

            fn reveal_flat(
                &self,
                settled: Option<&Self::Shadow>,
                at: &At<'_>,
                out: &mut Changes,
                taken: &[&Keys],
            ) {
                for (key, value) in self {
                    let text = key.text();
                    if !taken.iter().any(|keys| keys.has(&text)) {
                        let settled = settled.and_then(|settled| settled.get(key));
                        value.reveal(settled, &at.key(&text), out);
                    }
                }
            }
        }
    };
}

flat_map!(BTreeMap, []);
flat_map!(HashMap, [S]);

#[diagnostic::do_not_recommend]
impl<T: Flat> Flat for Box<T> {
    const KEYS: Keys = T::KEYS;
    const IS_MAP: bool = T::IS_MAP;

    fn read_flat(entries: &mut ValueMap, taken: &[&Keys]) -> Result<Self, EditError> {
        T::read_flat(entries, taken).map(Self::new)
    }

    fn shadow_flat(&self, taken: &[&Keys]) -> Self::Shadow {
        Box::new(T::shadow_flat(self, taken))
    }

    fn diff_flat(
        &mut self,
        shadow: &mut Self::Shadow,
        at: &At<'_>,
        out: &mut Changes,
        taken: &[&Keys],
    ) {
        T::diff_flat(self, shadow, at, out, taken);
    }

    fn reveal_flat(
        &self,
        settled: Option<&Self::Shadow>,
        at: &At<'_>,
        out: &mut Changes,
        taken: &[&Keys],
    ) {
        T::reveal_flat(self, settled.map(|settled| &**settled), at, out, taken);
    }

    fn reshaped(&self, shadow: &Self::Shadow) -> bool {
        T::reshaped(self, shadow)
    }

    fn edit_flat(
        &mut self,
        path: &[Segment],
        edit: Edit,
        author: Author,
    ) -> Result<Edit, EditError> {
        T::edit_flat(self, path, edit, author)
    }
}

/// Nothing stands in the map for `None`.
#[diagnostic::do_not_recommend]
impl<T: Flat> Flat for Option<T> {
    const KEYS: Keys = T::KEYS;

    fn read_flat(entries: &mut ValueMap, taken: &[&Keys]) -> Result<Self, EditError> {
        if T::KEYS.any(entries) {
            T::read_flat(entries, taken).map(Some)
        } else {
            Ok(None)
        }
    }

    fn shadow_flat(&self, taken: &[&Keys]) -> Self::Shadow {
        self.as_ref().map(|value| value.shadow_flat(taken))
    }

    fn diff_flat(
        &mut self,
        shadow: &mut Self::Shadow,
        at: &At<'_>,
        out: &mut Changes,
        taken: &[&Keys],
    ) {
        // Anything else reshapes the holder, which sees to it.
        if let (Some(value), Some(shadow)) = (self, shadow) {
            value.diff_flat(shadow, at, out, taken);
        }
    }

    fn reveal_flat(
        &self,
        settled: Option<&Self::Shadow>,
        at: &At<'_>,
        out: &mut Changes,
        taken: &[&Keys],
    ) {
        if let Some(value) = self {
            value.reveal_flat(settled.and_then(Option::as_ref), at, out, taken);
        }
    }

    fn reshaped(&self, shadow: &Self::Shadow) -> bool {
        match (self, shadow) {
            (Some(value), Some(shadow)) => value.reshaped(shadow),
            (None, None) => false,
            _ => true,
        }
    }

    fn edit_flat(
        &mut self,
        path: &[Segment],
        edit: Edit,
        author: Author,
    ) -> Result<Edit, EditError> {
        match (self, path) {
            (Some(value), _) => value.edit_flat(path, edit, author),
            (None, [Segment::Key(name), ..]) => {
                Err(EditError::new(Reason::MissingKey).below(name.as_str()))
            }
            (None, _) => Err(EditError::new(Reason::NotAList)),
        }
    }
}

/// The entries of a map on their way out, collected to be sorted.
#[derive(Debug, Default)]
pub struct Sorted {
    entries: ValueMap,
    clamped: usize,
    seen: Seen,
}

impl Sorted {
    /// None yet; they are to go to `out`.
    #[must_use]
    pub fn new(out: &Writer) -> Self {
        Self {
            seen: out.seen().clone(),
            ..Self::default()
        }
    }

    fn value(&mut self, write: impl FnOnce(&mut Writer)) -> Value {
        Writer::to_value_of(self.seen.clone(), |out| {
            write(out);
            self.clamped += out.clamped;
        })
    }

    /// Adds one entry.
    pub fn put(&mut self, name: &'static str, write: impl FnOnce(&mut Writer)) {
        let value = self.value(write);
        self.entries.insert(name.to_owned(), value);
    }

    /// A name that is taken by something that is not seen.
    pub fn hide(&mut self, name: &str) {
        self.entries.remove(name);
    }

    /// Adds the entries of the map that `write` writes.
    pub fn flat(&mut self, write: impl FnOnce(&mut Writer)) {
        if let Value::Map(entries) = self.value(write) {
            self.entries.extend(entries);
        }
    }

    /// Writes them all.
    pub fn write(self, out: &mut Writer) {
        out.clamped += self.clamped;
        out.value(&Value::Map(self.entries));
    }
}
