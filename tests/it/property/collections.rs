//! Tracked collections: whatever is done to them, the ops they tell lead from the old state to the new.

use proptest::prelude::*;
use transports::{Changes, Patch, Synced, Tracked, diff};

use super::entropy::Entropy;
use super::house::House;
use super::value_of;

proptest! {
    #![proptest_config(super::config(1024))]

    #[test]
    fn ops_of_collections_lead_from_the_old_state_to_the_new(numbers in prop::collection::vec(any::<u32>(), 1..80)) {
        let mut entropy = Entropy::new(numbers);
        let mut house = Tracked::new(House::new());
        let mut mirror = value_of(&*house);
        while !entropy.is_empty() {
            for _ in 0..=entropy.below(4) {
                house.mutate(&mut entropy);
            }
            let mut changes = Changes::as_ops();
            Tracked::collect(&mut house, &mut changes);
            let ops = changes.into_ops();
            Patch { rev: 1, ops: ops.clone() }.apply(&mut mirror).unwrap();
            prop_assert_eq!(&mirror, &value_of(&*house), "by {:?}", ops);
            let mut again = Changes::as_ops();
            Tracked::collect(&mut house, &mut again);
            prop_assert_eq!(again.ops(), &[], "nothing has changed since");
        }
        prop_assert_eq!(House::read(mirror).unwrap(), House::clone(&house));
    }

    #[test]
    fn a_refused_edit_of_collections_leaves_no_trace(numbers in prop::collection::vec(any::<u32>(), 1..60)) {
        let mut entropy = Entropy::new(numbers);
        let mut house = Tracked::new(House::new());
        while !entropy.is_empty() {
            house.mutate(&mut entropy);
            Tracked::collect(&mut house, &mut Changes::as_ops());
            let before = value_of(&*house);
            let mut wanted = before.clone();
            for _ in 0..=entropy.below(3) {
                entropy.mutate(&mut wanted);
            }
            let mut changes = Changes::as_ops();
            let edited = Tracked::edit(&mut house, diff(&before, wanted.clone()), &mut changes);
            let ops = changes.into_ops();
            match edited {
                Err(_) => {
                    prop_assert_eq!(value_of(&*house), before);
                    prop_assert_eq!(ops, vec![]);
                }
                Ok(()) => {
                    let mut mirror = before;
                    Patch { rev: 1, ops }.apply(&mut mirror).unwrap();
                    prop_assert_eq!(mirror, value_of(&*house), "what goes out is what is");
                }
            }
            let mut again = Changes::as_ops();
            Tracked::collect(&mut house, &mut again);
            prop_assert_eq!(again.ops(), &[], "nothing is left to tell");
        }
    }
}
