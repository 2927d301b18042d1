//! A tracked model by itself: the ops it tells lead from what was to what is.

use proptest::prelude::*;
use transports::{Patch, diff};

use super::entropy::Entropy;
use super::{laws, published, schedule};

/// What holds for every model, for each of them.
macro_rules! laws {
    ($($name:ident: $Model:ty;)+) => {$(
        mod $name {
            use super::*;

            proptest! {
                #![proptest_config(crate::property::config(512))]

                #[test]
                fn ops_lead_from_the_old_state_to_the_new(numbers in prop::collection::vec(any::<u32>(), 1..60)) {
                    laws::ops_lead_from_the_old_state_to_the_new::<$Model>(numbers)?;
                }

                #[test]
                fn bytes_say_the_same_as_ops(numbers in prop::collection::vec(any::<u32>(), 1..40)) {
                    laws::bytes_say_the_same_as_ops::<$Model>(numbers)?;
                }

                #[test]
                fn a_refused_edit_leaves_no_trace(numbers in prop::collection::vec(any::<u32>(), 1..60)) {
                    laws::a_refused_edit_leaves_no_trace::<$Model>(numbers)?;
                }

                #[test]
                fn the_published_crate_follows(numbers in prop::collection::vec(any::<u32>(), 1..60)) {
                    published::the_published_crate_follows::<$Model>(numbers)?;
                }
            }

            proptest! {
                #![proptest_config(crate::property::config(256))]

                #[test]
                fn after_any_schedule_every_mirror_is_the_model(numbers in prop::collection::vec(any::<u32>(), 1..400)) {
                    schedule::run::<$Model>(numbers);
                }
            }
        }
    )+};
}

laws! {
    world: crate::property::world::World;
    shapes: crate::property::shapes::Shapes;
    leaves: crate::property::leaves::Leaves;
    long: crate::property::long::Long;
    house: crate::property::house::House;
}

proptest! {
    #![proptest_config(super::config(512))]

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
