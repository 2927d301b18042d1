//! Edits of a model, sensible or not.

use transports::edit::{Author, apply};
use transports::{Changes, Message, Op, Patch, Synced, Tracked, Value};

use crate::entropy::Entropy;
use crate::house::House;
use crate::ops::ops;
use crate::script::Script;
use crate::world::World;
use crate::{codec, entropy, is_huge, messages, value_of};

/// A refused edit leaves no trace; of one that is made everything is told.
pub fn edit(data: &[u8]) {
    let Some((model, script)) = data.split_first() else {
        return;
    };
    match model % 3 {
        0 => run(script, Value::Null, |value, entropy| entropy.mutate(value)),
        1 => run(script, World::new(), World::mutate),
        _ => run(script, House::new(), House::mutate),
    }
}

fn run<T: Synced + Clone>(script: &[u8], model: T, mutate: fn(&mut T, &mut Entropy)) {
    let mut model = Tracked::new(model);
    for (number, bytes) in Script(script) {
        let value = value_of(&*model);
        if is_huge(&value) {
            return;
        }
        match number % 6 {
            0..3 => {
                for message in messages(&codec(number % 6), bytes) {
                    if let Message::Patch { patch, .. } = message {
                        propose(&mut model, patch.ops);
                    }
                }
            }
            3 => {
                mutate(&mut model, &mut entropy(bytes));
                Tracked::collect(&mut model, &mut Changes::as_ops());
            }
            _ => propose(&mut model, ops(&mut entropy(bytes), &value)),
        }
    }
}

fn propose<T: Synced + Clone>(model: &mut Tracked<T>, ops: Vec<Op>) {
    let before = value_of(&**model);
    let mut copy = T::clone(model);
    if let Ok(undo) = apply(&mut copy, ops.clone(), Author::Host) {
        undo.revert(&mut copy);
    }
    assert_eq!(value_of(&copy), before, "all of it is taken back");

    let mut changes = Changes::as_ops();
    let edited = Tracked::edit(model, ops, &mut changes);
    let after = value_of(&**model);
    match edited {
        Ok(()) => {
            let mut mirror = before;
            let patch = Patch {
                rev: 1,
                ops: changes.into_ops(),
            };
            patch
                .apply(&mut mirror)
                .expect("what is told fits what was known");
            assert_eq!(mirror, after, "by {patch:?}");
        }
        Err(refusal) => {
            assert_eq!(after, before, "{refusal}");
            assert_eq!(changes.ops(), [], "{refusal}");
        }
    }
    let mut left = Changes::as_ops();
    Tracked::collect(model, &mut left);
    assert_eq!(left.ops(), [], "nothing is left to tell");
}
