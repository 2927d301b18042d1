//! Frames from a server that nobody can trust.

use transports::mirror::MirrorError;
use transports::server::Opening;
use transports::{Codec, Message, Mirror, Mirrors, Patch, Synced, Value};

use crate::ops::ops;
use crate::script::Script;
use crate::world::World;
use crate::{codec, entropy, is_huge, messages, value_of};

/// Whatever comes, mirrors are as they were or as they were told, and can go on from there.
pub fn mirror(data: &[u8]) {
    let Some((first, script)) = data.split_first() else {
        return;
    };
    let codec = codec(*first);
    let mut mirrors = Mirrors::new(codec.clone());
    mirrors.ask_schema();
    let mut typed = Mirror::new(1);
    for (number, bytes) in Script(script) {
        match number % 8 {
            5 => receive(&codec, &frame(&codec, world()), &mut mirrors, &mut typed),
            6 => {
                let Some(patch) = patch(bytes, &mirrors) else {
                    continue;
                };
                receive(&codec, &frame(&codec, patch), &mut mirrors, &mut typed);
            }
            7 => propose(bytes, &mut mirrors),
            _ => receive(&codec, bytes, &mut mirrors, &mut typed),
        }
    }

    let opening = Opening::parse(&mirrors.query()).expect("a server understands mirrors");
    // Of a mirror that could not go on nothing is claimed, so that it comes as a whole.
    for (id, since) in &opening.since {
        let mirror = mirrors.get(*id).expect("only what is there is named");
        if *since != (1 << 53) - 1 {
            assert_eq!(Some(*since), mirror.revision());
        }
    }
    let schema = mirrors.schema().expect("it was asked for");
    assert!(schema.typescript().starts_with("// Made"));
    assert!(schema.json_schema().is_object());
    mirrors.disconnect();
    assert_eq!(mirrors.pending().count(), 0);
}

fn receive(codec: &Codec, frame: &[u8], mirrors: &mut Mirrors, typed: &mut Mirror<World>) {
    for message in messages(codec, frame) {
        let before = state(typed);
        if typed.receive(message).is_err() {
            assert_eq!(state(typed), before);
        }
    }
    let before: Vec<_> = mirrors.iter().map(state).collect();
    match mirrors.receive(frame) {
        Err(MirrorError::Malformed(_)) => assert!(codec.decode(frame).is_err()),
        Err(_) if !matches!(codec.decode(frame), Ok(Message::Batch { .. })) => {
            let after: Vec<_> = mirrors.iter().map(state).collect();
            assert_eq!(after, before);
        }
        _ => {}
    }
}

fn state<T: Synced>(mirror: &Mirror<T>) -> (u64, Option<u64>, Option<Value>) {
    (mirror.id(), mirror.revision(), mirror.get().map(value_of))
}

fn frame(codec: &Codec, message: Message) -> Vec<u8> {
    let frame = codec
        .encode(&message)
        .expect("built-in codecs write anything");
    frame.to_vec()
}

fn world() -> Message {
    Message::Snapshot {
        id: 1,
        type_name: "World".into(),
        rev: 1,
        value: value_of(&World::new()),
        epoch: None,
    }
}

/// What a server might send that has another idea of the first model.
fn patch(bytes: &[u8], mirrors: &Mirrors) -> Option<Message> {
    let mirror = mirrors.get(1)?;
    let value = mirror.get().filter(|value| !is_huge(value))?;
    let mut entropy = entropy(bytes);
    Some(Message::Patch {
        id: 1,
        patch: Patch {
            rev: mirror.revision()?.saturating_add(1),
            ops: ops(&mut entropy, value),
        },
        proposal: None,
        base: None,
    })
}

/// The client wants something else, too, and sometimes gives up on it.
fn propose(bytes: &[u8], mirrors: &mut Mirrors) {
    let Some(mut wanted) = mirrors.get(1).and_then(|mirror| mirror.get()).cloned() else {
        return;
    };
    let mut entropy = entropy(bytes);
    entropy.mutate(&mut wanted);
    let name = (entropy.below(2) > 0).then(|| entropy.text());
    let Ok(Message::Patch {
        proposal: Some(name),
        ..
    }) = mirrors.edit(1, wanted, name)
    else {
        panic!("a proposal has a name");
    };
    if entropy.below(4) > 0 {
        assert!(mirrors.abandon(&name));
    }
}
