//! Values and what leads from one to the next.

use transports::{Message, Patch, Value};

use crate::script::Script;
use crate::{codec, entropy, is_huge, messages};

/// The difference of two values leads from the one to the other, and there is none between a value and itself.
pub fn diff(script: &[u8]) {
    let mut old = Value::Null;
    for (number, bytes) in Script(script) {
        for new in values(number, bytes, &old) {
            if is_huge(&new) {
                return;
            }
            let ops = transports::diff(&old, new.clone());
            let patch = Patch { rev: 1, ops };
            patch
                .apply(&mut old)
                .expect("a difference fits the value it starts from");
            assert_eq!(old, new, "by {patch:?}");
            assert_eq!(transports::diff(&old, new), []);
        }
    }
}

/// The values of the snapshots in a frame, or one that is made up.
fn values(number: u8, bytes: &[u8], old: &Value) -> Vec<Value> {
    match number % 5 {
        3 => vec![entropy(bytes).value(4)],
        4 => {
            let mut new = old.clone();
            entropy(bytes).mutate(&mut new);
            vec![new]
        }
        number => messages(&codec(number), bytes)
            .into_iter()
            .filter_map(|message| match message {
                Message::Snapshot { value, .. } => Some(value),
                _ => None,
            })
            .collect(),
    }
}
