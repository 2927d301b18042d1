//! Who is connected, who may, and what was counted.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use transports::server::{ConnectionError, Ended, Opening, OpeningError, Peer, RefusalKind};
use transports::session::Frame;
use transports::{Message, Op, Path, Server, Session, Value};

use super::{Counter, messages, open, set};

#[derive(Clone, Debug, PartialEq)]
struct User(&'static str);

fn user(name: &'static str) -> Peer {
    Peer::by("ws")
        .address(([127, 0, 0, 1], 8000).into())
        .since(SystemTime::UNIX_EPOCH + Duration::from_secs(5))
        .with(User(name))
}

fn open_as(server: &Server, name: &'static str) -> transports::server::Connection {
    server.open_for(&Opening::default(), user(name)).unwrap()
}

fn server_of(session: &Session) -> transports::server::ServerBuilder {
    Server::builder(session.clone())
}

#[test]
fn the_registry_tells_who_is_there_and_what_moved() {
    let (session, server, counter) = Counter::hosted();
    let mut ann = open_as(&server, "ann");
    let bob = server
        .open_for(&Opening::parse("codec=cbor").unwrap(), user("bob"))
        .unwrap();
    assert_eq!(messages(&mut ann).len(), 1);
    let frame = set("n", 4, "p");
    ann.receive(&frame).unwrap();
    let echo = ann.try_next().unwrap();
    ann.active(SystemTime::UNIX_EPOCH + Duration::from_millis(9_001));
    counter.write().n = 5;
    let _ = session.sync();

    let all = server.registry();
    assert_eq!(all.len(), 2);
    let (first, second) = (&all[0], &all[1]);
    assert_eq!((first.number, second.number), (ann.number(), bob.number()));
    assert_eq!(first.peer.get(), Some(&User("ann")));
    assert_eq!(first.peer.address, Some(([127, 0, 0, 1], 8000).into()));
    assert_eq!(first.peer.transport, "ws");
    assert_eq!(
        (first.codec.as_str(), second.codec.as_str()),
        ("json", "cbor")
    );
    assert_eq!(
        (first.frames_in, first.bytes_in),
        (1, frame.bytes.len() as u64)
    );
    assert_eq!(first.frames_out, 2);
    assert!(first.bytes_out > echo.bytes.len() as u64);
    assert_eq!((first.behind, second.behind), (1, 2));
    assert_eq!(
        first.last_active,
        Some(SystemTime::UNIX_EPOCH + Duration::from_millis(9_001))
    );
    assert_eq!(second.last_active, None);

    let before = server.stats();
    assert_eq!((before.frames_in, before.frames_out), (1, 2));
    assert_eq!((before.connections, before.models), (2, 1));
    assert_eq!((before.edits_made, before.patches_encoded), (1, 2));
    drop((ann, bob));
    let after = server.stats();
    assert_eq!(
        (after.frames_out, after.bytes_out),
        (before.frames_out, before.bytes_out),
        "what is gone still counts"
    );
    assert_eq!(after.ended("left"), 2);
    assert!(server.registry().is_empty());
}

#[test]
fn a_hook_may_refuse_before_anything_is_read_and_may_leave_data() {
    let (session, _, _counter) = Counter::hosted();
    let server = server_of(&session)
        .on_connect(|peer, opening| {
            if opening.codec.as_deref() == Some("cbor") {
                return Err(RefusalKind::Forbidden.because("no cbor for you"));
            }
            peer.extensions.insert(User("eve"));
            Ok(())
        })
        .build();
    let refused = server.open(&Opening::parse("codec=cbor").unwrap());
    let Err(OpeningError::Refused(refusal)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (refusal.kind.status(), refusal.reason.as_str()),
        (403, "no cbor for you")
    );
    let connection = open(&server, "");
    assert_eq!(connection.peer().get(), Some(&User("eve")));
    let stats = server.stats();
    assert_eq!((stats.opened, stats.refused), (1, 1));
    assert_eq!(stats.snapshots_encoded, 0, "nobody asked for a frame yet");
}

#[test]
fn a_hook_sees_edits_and_may_refuse_or_change_them() {
    let (session, _, counter) = Counter::hosted();
    let server = server_of(&session)
        .on_edit(|proposal| {
            assert_eq!((proposal.model, proposal.type_name), (1, "Counter"));
            match proposal.peer.get() {
                Some(User("ann")) => Ok(()),
                Some(User("bob")) => {
                    proposal.ops.push(Op::Set {
                        path: Path::from_iter(["small".into()]),
                        value: Value::from(1),
                    });
                    Ok(())
                }
                _ => Err("who are you?".to_owned()),
            }
        })
        .build();
    let mut ann = open_as(&server, "ann");
    ann.receive(&set("n", 1, "a")).unwrap();
    assert_eq!((counter.read().n, counter.read().small), (1, 0));
    let mut bob = open_as(&server, "bob");
    bob.receive(&set("n", 2, "b")).unwrap();
    assert_eq!((counter.read().n, counter.read().small), (2, 1));

    let mut eve = open(&server, "");
    assert_eq!(messages(&mut eve).len(), 1);
    eve.receive(&set("n", 3, "e")).unwrap();
    let seen = messages(&mut eve);
    assert!(
        matches!(seen.as_slice(), [Message::Snapshot { .. }, Message::Reject { error, proposal, .. }]
            if error == "who are you?" && proposal.as_deref() == Some("e")),
        "{seen:?}"
    );
    assert_eq!(counter.read().n, 2);
    assert_eq!(server.stats().edits_rejected, 1);
}

/// A program that waits for the last one would end before its hook.
#[test]
fn a_connection_is_open_until_its_end_is_counted_and_told() {
    let (session, _, _counter) = Counter::hosted();
    let open = Arc::new(Mutex::new(None::<tokio::sync::watch::Receiver<usize>>));
    let seen = Arc::clone(&open);
    let server = server_of(&session)
        .on_disconnect(move |_, _, _| {
            let open = seen.lock().unwrap();
            assert_eq!(*open.as_ref().unwrap().borrow(), 1);
        })
        .build();
    *open.lock().unwrap() = Some(server.connections());
    drop(open_as(&server, "ann"));
    assert_eq!(*server.connections().borrow(), 0);
    assert_eq!(server.stats().ended("left"), 1);
}

#[test]
fn the_hook_for_the_end_is_told_why() {
    let (session, _, _counter) = Counter::hosted();
    let log = Arc::new(Mutex::new(Vec::new()));
    let ends = Arc::clone(&log);
    let server = server_of(&session)
        .limits(|limits| limits.frame_bytes = 100)
        .on_disconnect(move |number, peer, reason| {
            let name = peer.get::<User>().map(|user| user.0);
            ends.lock().unwrap().push((number, name, reason.name()));
        })
        .build();
    drop(open_as(&server, "ann"));
    let mut malformed = open_as(&server, "bob");
    assert!(malformed.receive(&Frame::text("[1]")).is_err());
    drop(malformed);
    let mut large = open(&server, "");
    assert!(large.receive(&Frame::text(" ".repeat(101))).is_err());
    drop(large);
    let mut slow = open(&server, "");
    slow.end(Ended::Slow);
    slow.end(Ended::Overloaded);
    drop(slow);
    let mut removed = open(&server, "");
    assert!(server.close(removed.number(), "bye"));
    let refused = removed.receive(&Frame::text("{}"));
    assert_eq!(refused, Err(ConnectionError::Ended));
    assert!(removed.try_next().is_none());
    drop(removed);
    assert!(!server.close(77, "nobody"));
    let ends = log.lock().unwrap().clone();
    assert!(ends.is_sorted_by(|one, other| one.0 < other.0));
    assert_eq!(
        ends.iter().map(|end| (end.1, end.2)).collect::<Vec<_>>(),
        [
            (Some("ann"), "left"),
            (Some("bob"), "malformed"),
            (None, "too_large"),
            (None, "slow"),
            (None, "removed"),
        ]
    );
    let stats = server.stats();
    for (name, count) in &stats.ended {
        let expected = log
            .lock()
            .unwrap()
            .iter()
            .filter(|end| end.2 == *name)
            .count();
        assert_eq!(*count, expected as u64, "{name}");
    }
}

#[tokio::test]
async fn who_is_removed_gets_nothing_more() {
    let (session, server, counter) = Counter::hosted();
    let mut connection = open(&server, "");
    assert!(connection.next().await.is_some());
    counter.write().n = 1;
    let _ = session.sync();
    let number = connection.number();
    let waiting = tokio::spawn(async move {
        let frame = connection.next().await;
        (frame, connection.ended().cloned())
    });
    assert!(server.close(number, "signed out"));
    assert!(!server.close(number, "again"));
    // The frame may have been taken before; after the end nothing is.
    let (frame, ended) = waiting.await.unwrap();
    let reason = "signed out".to_owned();
    assert!(frame.is_some() || ended == Some(Ended::Removed { reason }));
}

#[tokio::test]
async fn a_shutdown_gives_what_is_due_and_refuses_newcomers() {
    let (session, server, counter) = Counter::hosted();
    let mut idle = open(&server, "");
    assert!(idle.next().await.is_some());
    let waiting = tokio::spawn(async move {
        while idle.next().await.is_some() {}
        idle.ended().map(|reason| reason.name())
    });
    tokio::task::yield_now().await;
    let mut behind = open(&server, "");
    for n in 1..=3 {
        counter.write().n = n;
        let _ = session.sync();
    }
    server.shutdown("back in a minute");
    let Err(OpeningError::Refused(refusal)) = server.open(&Opening::default()) else {
        panic!("it is closed")
    };
    assert_eq!(
        (refusal.kind, refusal.reason.as_str()),
        (RefusalKind::Unavailable, "back in a minute")
    );
    assert_eq!(waiting.await.unwrap(), Some("shutdown"));

    assert!(behind.try_next().is_some(), "the opening snapshot");
    // Changes after the shutdown began are for nobody.
    counter.write().n = 9;
    let _ = session.sync();
    let mut last = None;
    while let Some(frame) = behind.next().await {
        last = Some(frame);
    }
    assert!(
        last.is_none_or(|frame| !String::from_utf8_lossy(&frame.bytes).contains(r#"{"Int":9}"#))
    );
    assert_eq!(behind.ended().map(Ended::text), Some("back in a minute"));
    drop(behind);
    assert_eq!(server.stats().ended("shutdown"), 2);
}

/// Answers find their connections by number, and a session may have several servers.
#[test]
fn connections_of_two_servers_do_not_get_each_others_answers() {
    let session = Session::builder().first_revision(0).build();
    session.host(Counter { n: 0, small: 0 });
    let mut mine = open(&Server::new(session.clone()), "");
    let mut other = open(&Server::new(session), "");
    assert_ne!(mine.number(), other.number());
    messages(&mut mine);
    messages(&mut other);
    let edit = r#"{"t":"patch","id":1,"patch":{"rev":0,"ops":[{"Set":{"path":[{"Key":"n"}],"value":{"Int":1}}}]},"proposal":"p"}"#;
    mine.receive(&Frame::text(edit)).unwrap();
    for (connection, named) in [(&mut mine, true), (&mut other, false)] {
        let frame = connection.try_next().unwrap();
        let text = str::from_utf8(&frame.bytes).unwrap();
        assert_eq!(text.contains("proposal"), named, "{text}");
    }
}
