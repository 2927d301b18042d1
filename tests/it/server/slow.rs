//! Connections that are not read for a while.

use super::{Counter, messages, n_of, open, set};
use transports::{Message, Mirrors};

/// More than the feed keeps for everybody.
const MANY: i64 = 3000;

#[test]
fn one_that_is_behind_gets_what_it_missed_as_one_patch() {
    let (session, server, counter) = Counter::hosted();
    let mut slow = open(&server, "");
    assert_eq!(messages(&mut slow).len(), 1);
    // A second model pushes the feed on; the first one's history still reaches back.
    let noise = session.host(Counter { n: 0, small: 0 });
    for n in 1..=MANY {
        noise.write().n = n;
        if n % 1000 == 0 {
            counter.write().n = n;
        }
        let _ = session.sync();
    }
    let seen = messages(&mut slow);
    let [
        Message::Patch {
            id: 1,
            patch,
            base: Some(0),
            ..
        },
        Message::Snapshot { id: 2, rev, .. },
    ] = seen.as_slice()
    else {
        panic!("{seen:?}")
    };
    assert_eq!((patch.rev, patch.ops.len(), *rev), (3, 3, MANY as u64));
}

/// Found by a property test: an opening takes in what was not synced yet, and a patch of several began before that.
#[test]
fn what_an_opening_took_in_is_no_part_of_what_comes_as_one_later() {
    let (session, _, counter) = Counter::hosted();
    let server = transports::Server::builder(session.clone())
        .limits(|limits| limits.queued_events = 4)
        .build();
    counter.write().n = 1;
    let mut slow = open(&server, "epoch=");
    let mut mirrors = Mirrors::default();
    mirrors.receive(&slow.try_next().unwrap().bytes).unwrap();
    for n in 2..20 {
        counter.write().n = n;
        let _ = session.sync();
    }
    while let Some(frame) = slow.try_next() {
        mirrors.receive(&frame.bytes).unwrap();
    }
    assert_eq!(n_of(&mirrors), Some(&19.into()));
}

#[test]
fn one_that_is_far_behind_gets_a_snapshot_and_goes_on_from_there() {
    let (session, server, counter) = Counter::hosted();
    for query in ["", "codec=msgpack&batch=1", "codec=cbor&epoch="] {
        let mut slow = open(&server, query);
        let mut mirrors = Mirrors::new(slow.codec().clone());
        let opening = slow.try_next().unwrap();
        mirrors.receive(&opening.bytes).unwrap();
        for _ in 0..MANY {
            counter.write().n += 1;
            let _ = session.sync();
        }
        let mut frames = 0;
        while let Some(frame) = slow.try_next() {
            mirrors.receive(&frame.bytes).unwrap();
            frames += 1;
        }
        assert_eq!(frames, 1, "one for all that came after");
        counter.write().n += 1;
        let _ = session.sync();
        while let Some(frame) = slow.try_next() {
            mirrors.receive(&frame.bytes).unwrap();
        }
        assert_eq!(n_of(&mirrors), Some(&counter.read().n.into()), "{query}");
    }
}

#[test]
fn answers_survive_falling_behind() {
    let (session, server, counter) = Counter::hosted();
    let mut slow = open(&server, "");
    assert_eq!(messages(&mut slow).len(), 1);
    slow.receive(&set("n", -1, "taken")).unwrap();
    slow.receive(&set("small", 101, "refused")).unwrap();
    slow.receive(&set("n", -1, "nothing new")).unwrap();
    for _ in 0..MANY {
        counter.write().n += 1;
        let _ = session.sync();
    }
    let seen = messages(&mut slow);
    let [
        Message::Snapshot { .. },
        Message::Ack {
            proposal: taken, ..
        },
        Message::Reject {
            proposal: refused, ..
        },
        Message::Ack {
            proposal: nothing, ..
        },
    ] = seen.as_slice()
    else {
        panic!("{seen:?}")
    };
    assert_eq!(
        (taken.as_str(), refused.as_deref(), nothing.as_str()),
        ("taken", Some("refused"), "nothing new")
    );
}

#[test]
fn an_answer_within_the_history_keeps_its_name_among_composed_patches() {
    let (session, server, counter) = Counter::hosted();
    let mut slow = open(&server, "");
    assert_eq!(messages(&mut slow).len(), 1);
    let noise = session.host(Counter { n: 0, small: 0 });
    let step = |n: i64| {
        counter.write().n = n;
        let _ = session.sync();
    };
    step(1);
    step(2);
    slow.receive(&set("small", 5, "mine")).unwrap();
    step(3);
    step(4);
    for n in 1..=MANY {
        noise.write().n = n;
        let _ = session.sync();
    }
    let seen = messages(&mut slow);
    let about_first: Vec<_> = seen
        .iter()
        .filter_map(|message| match message {
            Message::Patch {
                id: 1,
                patch,
                proposal,
                base,
            } => Some((patch.rev, proposal.as_deref(), *base)),
            _ => None,
        })
        .collect();
    assert_eq!(
        about_first,
        [
            (2, None, Some(0)),
            (3, Some("mine"), None),
            (5, None, Some(3))
        ]
    );
}
