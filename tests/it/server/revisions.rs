//! Where revisions begin.

use transports::message::Epoch;
use transports::{Message, Server, Session, Value};

use super::{Counter, messages, open};

const BASE: u64 = 1_700_000_000 << 16;

fn since(rev: u64) -> String {
    format!("since=%7B%221%22%3A{rev}%7D")
}

#[test]
fn revisions_begin_where_whoever_serves_the_session_says() {
    let (session, server, counter) = Counter::hosted();
    counter.write().n = 1;
    let _ = session.sync();
    assert!(session.begin_at(BASE));
    let later = session.host(Counter { n: 0, small: 0 });
    assert_eq!(
        (counter.revision(), later.revision()),
        (BASE + 1, BASE),
        "models hosted before and after"
    );
    assert!(!session.begin_at(7), "once");

    counter.write().n = 2;
    let _ = session.sync();
    let seen = messages(&mut open(&server, &since(BASE + 1)));
    assert!(
        matches!(seen.first(), Some(Message::Patch { id: 1, patch, .. }) if patch.rev == BASE + 2),
        "{seen:?}"
    );
}

#[test]
fn revisions_of_an_earlier_life_get_a_snapshot_from_below_and_from_above() {
    let (session, server, counter) = Counter::hosted();
    assert!(session.begin_at(BASE));
    for n in 1..=3 {
        counter.write().n = n;
        let _ = session.sync();
    }
    for old in [0, 1, 3, BASE - 1, BASE + 4, u64::MAX] {
        let seen = messages(&mut open(&server, &since(old)));
        assert!(
            matches!(seen.as_slice(), [Message::Snapshot { rev, .. }] if *rev == BASE + 3),
            "{old}: {seen:?}"
        );
    }
    assert_eq!(server.stats().resumed_by_snapshot, 6);
    assert_eq!(messages(&mut open(&server, &since(BASE + 3))), []);
    assert_eq!(messages(&mut open(&server, &since(BASE))).len(), 3);
    assert_eq!(server.stats().resumed_by_delta, 2);
}

#[test]
fn revisions_that_were_seen_stay() {
    let (session, _server, counter) = Counter::hosted();
    assert_eq!(counter.revision(), 0);
    assert!(!session.begin_at(BASE), "the host looked");

    let (session, server, _counter) = Counter::hosted();
    drop(open(&server, ""));
    assert!(!session.begin_at(BASE), "a client connected");

    let (session, _server, _counter) = Counter::hosted();
    assert!(session.snapshot(1).is_some());
    assert!(!session.begin_at(BASE), "somebody took a copy");
}

#[test]
fn the_application_and_what_was_restored_have_the_say() {
    let restored: Epoch = "0123456789abcdef".parse().unwrap();
    for (session, first) in [
        (Session::builder().first_revision(0).build(), 0),
        (Session::builder().first_revision(9).build(), 9),
        (Session::builder().epoch(restored).build(), 0),
    ] {
        assert!(!session.begin_at(BASE));
        let model = session.host_named("Any", Value::Null);
        assert_eq!(model.revision(), first);
    }
}

/// A patch that was made before the beginning was decided must not go out with a revision from before it.
#[test]
fn nothing_made_before_the_beginning_goes_out_after_it() {
    let (session, _server, counter) = Counter::hosted();
    let server = Server::new(session.clone());
    counter.write().n = 1;
    let _ = session.sync();
    counter.write().n = 2;
    assert!(session.begin_at(BASE));
    let mut connection = open(&server, &since(0));
    let _ = session.sync();
    let revs: Vec<_> = messages(&mut connection)
        .into_iter()
        .map(|message| match message {
            Message::Snapshot { rev, .. } => rev,
            Message::Patch { patch, .. } => patch.rev,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(revs.iter().all(|rev| *rev > BASE), "{revs:?}");
}
