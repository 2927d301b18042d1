//! A tracked model by itself: the ops it tells lead from what was to what is.

use proptest::prelude::*;
use transports::edit::{Author, apply};
use transports::{Changes, Codec, Message, Patch, Synced, Tracked, diff};

use super::entropy::Entropy;
use super::value_of;
use super::world::World;

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn ops_lead_from_the_old_state_to_the_new(numbers in prop::collection::vec(any::<u32>(), 1..60)) {
        let mut entropy = Entropy::new(numbers);
        let mut world = Tracked::new(World::new());
        let mut mirror = value_of(&*world);
        let mut typed = World::new();
        while !entropy.is_empty() {
            for _ in 0..=entropy.below(3) {
                world.mutate(&mut entropy);
            }
            let mut changes = Changes::as_ops();
            Tracked::collect(&mut world, &mut changes);
            prop_assert!(changes.faults().is_empty());

            let ops = changes.into_ops();
            Patch { rev: 1, ops: ops.clone() }.apply(&mut mirror).unwrap();
            prop_assert_eq!(&mirror, &value_of(&*world), "as data, by {:?}", ops);
            apply(&mut typed, ops, Author::Host).unwrap();
            prop_assert_eq!(value_of(&typed), value_of(&*world), "typed");

            let mut again = Changes::as_ops();
            Tracked::collect(&mut world, &mut again);
            prop_assert_eq!(again.ops(), &[], "nothing has changed since");
        }
        prop_assert_eq!(World::read(mirror).unwrap().comparable(), World::clone(&world).comparable());
    }

    #[test]
    fn bytes_say_the_same_as_ops(numbers in prop::collection::vec(any::<u32>(), 1..40)) {
        let mut entropy = Entropy::new(numbers);
        let (mut a, mut b) = (Tracked::new(World::new()), Tracked::new(World::new()));
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
        let patch = Patch { rev: 1, ops: ops.into_ops() };
        let message = Message::Patch { id: 1, patch, proposal: None, base: None };
        prop_assert_eq!(Codec::Json.decode(text.as_bytes()).unwrap(), message);
    }

    #[test]
    fn a_refused_edit_leaves_no_trace(numbers in prop::collection::vec(any::<u32>(), 1..40)) {
        let mut entropy = Entropy::new(numbers);
        let mut world = Tracked::new(World::new());
        while !entropy.is_empty() {
            let before = World::clone(&world);
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
                    prop_assert_eq!(World::clone(&world).comparable(), before.comparable());
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
    }

    #[test]
    fn diff_of_any_two_values_leads_from_one_to_the_other(numbers in prop::collection::vec(any::<u32>(), 1..80)) {
        let mut entropy = Entropy::new(numbers);
        let old = entropy.value(3);
        let mut new = old.clone();
        for _ in 0..=entropy.below(4) {
            entropy.mutate(&mut new);
        }
        for new in [new, entropy.value(3)] {
            let mut value = old.clone();
            Patch { rev: 1, ops: diff(&old, new.clone()) }.apply(&mut value).unwrap();
            prop_assert_eq!(value, new);
        }
    }

    #[test]
    fn a_failing_patch_changes_nothing(numbers in prop::collection::vec(any::<u32>(), 1..80)) {
        let mut entropy = Entropy::new(numbers);
        let old = entropy.value(3);
        // Ops made for another value fit now and then, and often only the first of them.
        let mut other = old.clone();
        entropy.mutate(&mut other);
        let mut there = entropy.value(3);
        std::mem::swap(&mut there, &mut other);
        let mut ops = diff(&old, there);
        ops.extend(diff(&entropy.value(2), entropy.value(2)));
        let mut value = old.clone();
        if (Patch { rev: 1, ops }).apply(&mut value).is_err() {
            prop_assert_eq!(value, old);
        }
    }
}
