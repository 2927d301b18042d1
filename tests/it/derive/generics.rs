//! Types with parameters, `bound`, and newtypes as keys

use std::collections::HashMap;
use std::marker::PhantomData;

use transports::Synced;

use super::support::{json, value_of};

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Synced)]
struct Id(u32);

#[derive(Clone, Debug, PartialEq, Synced)]
struct Bound<T: Named>
where
    T: Clone,
{
    by_id: HashMap<Id, T>,
    marker: PhantomData<T>,
}

trait Named {}
impl Named for i64 {}

#[test]
fn newtypes_of_keys_are_keys() {
    let model = Bound {
        by_id: HashMap::from([(Id(10), 1_i64), (Id(9), 2)]),
        marker: PhantomData,
    };
    assert_eq!(value_of(&model), json!({"by_id": {"10": 1, "9": 2}}));
    assert_eq!(Bound::read(value_of(&model)).unwrap(), model);
}

#[derive(Clone, Debug, PartialEq, Synced)]
#[synced(bound = "T: Synced + Ord")]
struct Sorted<T> {
    items: Vec<T>,
    #[synced(skip)]
    _of: PhantomData<T>,
}

#[test]
fn bound() {
    let sorted = Sorted {
        items: vec![1_i64, 2],
        _of: PhantomData,
    };
    assert_eq!(value_of(&sorted), json!({"items": [1, 2]}));
}
