//! `#[synced(key = "id")]`: lists whose items are told apart by one of their fields.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::OnceLock;

use super::With;
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::synced::{Synced, diff_paired};
use crate::value::Value;
use crate::writer::Writer;

/// What items can be told apart by.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the `key` of a list's items",
    label = "this type is not `Eq + Hash`",
    note = "numbers without a point and texts are, and types that derive `PartialEq`, `Eq` and `Hash`"
)]
pub trait ListKey {
    /// Stands for the key. Two keys that are one by chance make a patch longer, and no less right.
    fn hash_key(&self) -> u64;
}

#[diagnostic::do_not_recommend]
impl<T: Eq + Hash + ?Sized> ListKey for T {
    fn hash_key(&self) -> u64 {
        static STATE: OnceLock<RandomState> = OnceLock::new();
        STATE.get_or_init(RandomState::new).hash_one(self)
    }
}

/// Which field that is.
pub trait KeyOf<T> {
    /// The field's [`hash_key`](ListKey::hash_key).
    fn hash(item: &T) -> u64;
}

/// Carries lists whose items have the key `K`.
#[derive(Debug)]
pub struct Keyed<K>(std::marker::PhantomData<K>);

/// What the wire has of the items, and their keys.
#[derive(Debug)]
pub struct KeyedShadow<S> {
    items: Vec<S>,
    keys: Vec<u64>,
}

fn diff<K: KeyOf<T>, T: Synced>(
    items: &mut [T],
    shadow: &mut KeyedShadow<T::Shadow>,
    at: &At<'_>,
    out: &mut Changes,
) {
    let before = out.len();
    let KeyedShadow { items: old, keys } = shadow;
    diff_paired(items, old, at, out, |new, old, start| {
        by_key::<K, T>(new, keys.get(start..).unwrap_or_default(), old.len())
    });
    if out.len() != before {
        keys.clear();
        keys.extend(items.iter().map(K::hash));
    }
}

/// Pairs items of one key.
fn by_key<K: KeyOf<T>, T>(new: &[T], keys: &[u64], len: usize) -> Vec<Option<usize>> {
    let mut places: HashMap<u64, VecDeque<usize>> = HashMap::with_capacity(len);
    for (position, key) in keys.iter().take(len).enumerate() {
        places.entry(*key).or_default().push_back(position);
    }
    new.iter()
        .map(|item| places.get_mut(&K::hash(item))?.pop_front())
        .collect()
}

macro_rules! keyed {
    ($List:ident) => {
        impl<K: KeyOf<T>, T: Synced> With<$List<T>> for Keyed<K> {
            type Shadow = KeyedShadow<T::Shadow>;

            fn shadow(this: &$List<T>) -> Self::Shadow {
                KeyedShadow {
                    items: this.shadow(),
                    keys: this.iter().map(K::hash).collect(),
                }
            }

            fn update(this: &$List<T>, shadow: &mut Self::Shadow) {
                this.update(&mut shadow.items);
                shadow.keys.clear();
                shadow.keys.extend(this.iter().map(K::hash));
            }

            fn same(this: &$List<T>, shadow: &Self::Shadow) -> bool {
                this.same(&shadow.items)
            }

            fn diff(
                this: &mut $List<T>,
                shadow: &mut Self::Shadow,
                at: &At<'_>,
                out: &mut Changes,
            ) {
                diff::<K, T>(this.make_contiguous(), shadow, at, out);
            }

            fn write(this: &$List<T>, settled: Option<&Self::Shadow>, out: &mut Writer) {
                this.write(settled.map(|shadow| &shadow.items), out);
            }

            fn read(value: Value) -> Result<$List<T>, EditError> {
                Synced::read(value)
            }

            fn edit(
                this: &mut $List<T>,
                path: &[Segment],
                edit: Edit,
                author: Author,
            ) -> Result<Edit, EditError> {
                this.edit(path, edit, author)
            }

            fn admit(this: &$List<T>, old: Option<&$List<T>>) -> Result<(), EditError> {
                this.admit(old)
            }

            fn inherit(this: &mut $List<T>, old: &mut $List<T>) {
                this.inherit(old);
            }

            fn check(this: &$List<T>, at: &At<'_>, out: &mut Changes) {
                this.check(at, out);
            }

            fn reveal(
                this: &$List<T>,
                settled: Option<&Self::Shadow>,
                at: &At<'_>,
                out: &mut Changes,
            ) {
                this.reveal(settled.map(|shadow| &shadow.items), at, out);
            }

            fn ty() -> Type {
                <$List<T> as Synced>::ty()
            }
        }
    };
}

/// What `VecDeque` calls the slice of all items.
trait MakeContiguous<T> {
    fn make_contiguous(&mut self) -> &mut [T];
}

impl<T> MakeContiguous<T> for Vec<T> {
    fn make_contiguous(&mut self) -> &mut [T] {
        self
    }
}

keyed!(Vec);
keyed!(VecDeque);
