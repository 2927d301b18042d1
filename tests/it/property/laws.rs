//! What holds for every tracked model.

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use transports::edit::{Author, apply};
use transports::{Changes, Codec, Message, Patch, Synced, Tracked, diff};

use super::entropy::Entropy;
use super::house::House;
use super::value_of;
use super::world::World;

/// A model that random things happen to.
pub(super) trait Model: Synced + Clone + Debug + PartialEq {
    fn new() -> Self;
    /// One thing a host might do.
    fn mutate(&mut self, entropy: &mut Entropy);
    /// What a mirror can know of it.
    fn comparable(self) -> Self {
        self
    }
}

impl Model for World {
    fn new() -> Self {
        Self::new()
    }

    fn mutate(&mut self, entropy: &mut Entropy) {
        self.mutate(entropy);
    }

    fn comparable(self) -> Self {
        self.comparable()
    }
}

impl Model for House {
    fn new() -> Self {
        Self::new()
    }

    fn mutate(&mut self, entropy: &mut Entropy) {
        self.mutate(entropy);
    }
}

pub(super) fn ops_lead_from_the_old_state_to_the_new<T: Model>(
    numbers: Vec<u32>,
) -> Result<(), TestCaseError> {
    ops_lead::<T>(numbers.clone(), Changes::as_ops)?;
    ops_lead::<T>(numbers, || Changes::as_ops().with_splices())
}

fn ops_lead<T: Model>(numbers: Vec<u32>, changes: fn() -> Changes) -> Result<(), TestCaseError> {
    let mut entropy = Entropy::new(numbers);
    let mut world = Tracked::new(T::new());
    let mut mirror = value_of(&*world);
    let mut typed = T::new();
    while !entropy.is_empty() {
        for _ in 0..=entropy.below(3) {
            world.mutate(&mut entropy);
        }
        let mut changes = changes();
        Tracked::collect(&mut world, &mut changes);
        prop_assert!(changes.faults().is_empty());

        let ops = changes.into_ops();
        Patch {
            rev: 1,
            ops: ops.clone(),
        }
        .apply(&mut mirror)
        .unwrap();
        prop_assert_eq!(&mirror, &value_of(&*world), "as data, by {:?}", ops);
        apply(&mut typed, ops, Author::Host).unwrap();
        prop_assert_eq!(value_of(&typed), value_of(&*world), "typed");

        let mut again = Changes::as_ops();
        Tracked::collect(&mut world, &mut again);
        prop_assert_eq!(again.ops(), &[], "nothing has changed since");
    }
    prop_assert_eq!(
        T::read(mirror).unwrap().comparable(),
        T::clone(&world).comparable()
    );
    Ok(())
}

pub(super) fn bytes_say_the_same_as_ops<T: Model>(numbers: Vec<u32>) -> Result<(), TestCaseError> {
    let mut entropy = Entropy::new(numbers);
    let (mut a, mut b) = (Tracked::new(T::new()), Tracked::new(T::new()));
    while !entropy.is_empty() {
        let mut same = entropy.clone();
        a.mutate(&mut entropy);
        b.mutate(&mut same);
    }
    let (mut json, mut ops) = (Changes::as_json(), Changes::as_ops());
    Tracked::collect(&mut a, &mut json);
    Tracked::collect(&mut b, &mut ops);
    let text = format!(
        r#"{{"t":"patch","id":1,"patch":{{"rev":1,"ops":[{}]}}}}"#,
        str::from_utf8(json.json()).unwrap(),
    );
    let patch = Patch {
        rev: 1,
        ops: ops.into_ops(),
    };
    let message = Message::Patch {
        id: 1,
        patch,
        proposal: None,
        base: None,
    };
    prop_assert_eq!(Codec::Json.decode(text.as_bytes()).unwrap(), message);
    Ok(())
}

pub(super) fn a_refused_edit_leaves_no_trace<T: Model>(
    numbers: Vec<u32>,
) -> Result<(), TestCaseError> {
    let mut entropy = Entropy::new(numbers);
    let mut world = Tracked::new(T::new());
    while !entropy.is_empty() {
        world.mutate(&mut entropy);
        Tracked::collect(&mut world, &mut Changes::as_ops());
        let before = T::clone(&world);
        let old = value_of(&before);
        let mut wanted = old.clone();
        for _ in 0..=entropy.below(3) {
            entropy.mutate(&mut wanted);
        }
        let mut changes = Changes::as_ops();
        let edited = Tracked::edit(&mut world, diff(&old, wanted), &mut changes);
        let ops = changes.into_ops();
        match edited {
            Err(_) => {
                prop_assert_eq!(T::clone(&world).comparable(), before.comparable());
                prop_assert_eq!(ops, vec![]);
            }
            Ok(()) => {
                let mut mirror = old;
                Patch { rev: 1, ops }.apply(&mut mirror).unwrap();
                prop_assert_eq!(mirror, value_of(&*world), "what goes out is what is");
            }
        }
        let mut again = Changes::as_ops();
        Tracked::collect(&mut world, &mut again);
        prop_assert_eq!(again.ops(), &[], "nothing is left to tell");
    }
    Ok(())
}
