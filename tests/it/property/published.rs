//! The crate that has the name on the registry, as the peer: what one side says, the other one understands.

use proptest::prelude::*;
use transports::{Changes, Codec, Message, Op, Patch, Tracked, Value};

use super::entropy::Entropy;
use super::laws::Model;
use super::value_of;

const CODECS: [Codec; 3] = [Codec::Json, Codec::MessagePack, Codec::Cbor];

/// The same in the published crate's types, by way of JSON, which both were made for.
fn value(value: &Value) -> published::Value {
    serde_json::from_value(serde_json::to_value(value).unwrap()).unwrap()
}

fn patch(patch: &Patch) -> published::Patch {
    serde_json::from_value(serde_json::to_value(patch).unwrap()).unwrap()
}

/// The same in this crate's types.
fn ops(patch: &published::Patch) -> Vec<Op> {
    serde_json::from_value(serde_json::to_value(&patch.ops).unwrap()).unwrap()
}

/// Whatever the host does to the model, the published crate can follow.
pub(super) fn the_published_crate_follows<T: Model>(
    numbers: Vec<u32>,
) -> Result<(), TestCaseError> {
    let mut entropy = Entropy::new(numbers);
    let mut model = Tracked::new(T::new());
    let mut mirror = value(&value_of(&*model));
    while !entropy.is_empty() {
        for _ in 0..=entropy.below(3) {
            model.mutate(&mut entropy);
        }
        let mut changes = Changes::as_ops();
        Tracked::collect(&mut model, &mut changes);
        let told = Patch {
            rev: 1,
            ops: changes.into_ops(),
        };
        let applied = published::apply(&mut mirror, &patch(&told));
        prop_assert_eq!(applied, Ok(()), "by {:?}", told);
        prop_assert_eq!(&mirror, &value(&value_of(&*model)), "by {:?}", told);
    }
    Ok(())
}

/// A snapshot, and the way to another state.
fn messages(entropy: &mut Entropy) -> Vec<Message> {
    let old = entropy.value(3);
    let mut new = old.clone();
    entropy.mutate(&mut new);
    let ops = transports::diff(&old, new);
    let proposal = (entropy.below(2) > 0).then(|| entropy.text());
    let snapshot = Message::Snapshot {
        id: entropy.next().into(),
        type_name: entropy.text(),
        rev: entropy.next().into(),
        value: old,
        epoch: None,
    };
    let patch = Message::Patch {
        id: entropy.next().into(),
        patch: Patch { rev: 7, ops },
        proposal,
        base: None,
    };
    let reject = Message::Reject {
        id: 1,
        rev: 2,
        error: entropy.text(),
        proposal: Some(entropy.text()),
        crdt_ops: None,
    };
    let ack = Message::Ack {
        id: 1,
        rev: u64::MAX,
        proposal: entropy.text(),
    };
    let batch = Message::Batch {
        msgs: vec![snapshot.clone(), ack.clone()],
    };
    vec![snapshot, patch, reject, ack, batch]
}

proptest! {
    #![proptest_config(super::config(512))]

    #[test]
    fn each_crate_applies_the_others_difference(numbers in prop::collection::vec(any::<u32>(), 1..80)) {
        let mut entropy = Entropy::new(numbers);
        let old = entropy.value(3);
        let mut new = old.clone();
        for _ in 0..=entropy.below(4) {
            entropy.mutate(&mut new);
        }
        for new in [new, entropy.value(3)] {
            let ours = Patch { rev: 1, ops: transports::diff(&old, new.clone()) };
            let mut there = value(&old);
            prop_assert_eq!(published::apply(&mut there, &patch(&ours)), Ok(()));
            prop_assert_eq!(there, value(&new), "by {:?}", ours);

            let theirs = published::diff(&value(&old), &value(&new));
            let mut here = old.clone();
            Patch { rev: 1, ops: ops(&theirs) }.apply(&mut here).unwrap();
            prop_assert_eq!(here, new, "by {:?}", theirs);
        }
    }

    #[test]
    fn both_crates_take_and_refuse_the_same_patches(numbers in prop::collection::vec(any::<u32>(), 1..80)) {
        let mut entropy = Entropy::new(numbers);
        let old = entropy.value(3);
        // Made for other values, so they fit now and then.
        let ops = transports::diff(&entropy.value(2), entropy.value(2));
        for op in ops {
            let (mut here, mut there) = (old.clone(), value(&old));
            let one = Patch { rev: 1, ops: vec![op] };
            let applied = one.apply(&mut here);
            let theirs = published::apply(&mut there, &patch(&one));
            prop_assert_eq!(applied.is_ok(), theirs.is_ok(), "{:?}: {:?}, {:?}", one, applied, theirs);
            prop_assert_eq!(value(&here), there, "by {:?}", one);
        }
    }

    #[test]
    fn frames_mean_the_same_to_both(numbers in prop::collection::vec(any::<u32>(), 1..60)) {
        let mut entropy = Entropy::new(numbers);
        for message in messages(&mut entropy) {
            for codec in CODECS {
                let frame = codec.encode(&message).unwrap();
                let there = published::Message::decode(&frame, codec.name()).unwrap();
                let back = there.encode(codec.name()).unwrap();
                prop_assert_eq!(codec.decode(&back).unwrap(), message.clone());
                prop_assert_eq!(&back[..], &frame[..], "byte for byte in {:?}", codec);
            }
        }
    }
}
