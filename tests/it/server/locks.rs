//! Threads that hold models while others sync, connect and edit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Counter, messages, n_of, open, set};
use transports::Mirrors;

#[test]
fn a_sync_leaves_a_model_that_is_held_for_later() {
    let (session, server, counter) = Counter::hosted();
    let mut connection = open(&server, "");
    assert_eq!(messages(&mut connection).len(), 1);

    let mut guard = counter.write();
    guard.n = 1;
    assert_eq!(
        session.sync().patches,
        0,
        "and does not wait for the guard of its own thread"
    );
    guard.n = 2;
    drop(guard);
    assert_eq!(session.sync().patches, 1);

    counter.write().n = 3;
    let looking = counter.read();
    assert_eq!(session.sync().patches, 0);
    drop(looking);
    assert_eq!(
        session.sync().patches,
        1,
        "the reader asked for it when it went"
    );
    assert_eq!(messages(&mut connection).len(), 2);
}

#[test]
fn looking_is_no_change() {
    let (session, _server, counter) = Counter::hosted();
    assert_eq!(counter.write().n, 0);
    assert_eq!(counter.read().n, 0);
    counter.write().n = 0;
    assert_eq!((session.sync().patches, counter.revision()), (0, 0));
}

#[test]
fn a_guard_of_one_thread_does_not_block_its_own_sync_while_another_edits() {
    let (session, server, counter) = Counter::hosted();
    let mut connection = open(&server, "");
    let guard = counter.write();
    let editing = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            editing.store(true, Ordering::SeqCst);
            // Waits for the guard below.
            connection.receive(&set("n", 5, "p")).unwrap();
        });
        while !editing.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        for _ in 0..1000 {
            let _ = session.sync();
        }
        drop(guard);
    });
    assert_eq!(counter.read().n, 5);
}

#[test]
fn threads_that_do_everything_at_once_agree_in_the_end() {
    const EACH: i64 = 2000;
    let (session, server, counter) = Counter::hosted();
    let done = AtomicBool::new(false);
    let mut clients: Vec<_> = thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        counter.write().n += 1;
                    }
                })
            })
            .collect();
        let (server, done) = (&server, &done);
        let clients: Vec<_> = ["", "codec=msgpack", "codec=cbor&batch=1"]
            .into_iter()
            .map(|query| {
                scope.spawn(move || {
                    let mut connection = open(server, query);
                    let mut mirrors = Mirrors::new(connection.codec().clone());
                    let mut edits = 0;
                    while !done.load(Ordering::SeqCst) {
                        edits = (edits + 1) % 100;
                        connection.receive(&set("small", edits, "p")).unwrap();
                        while let Some(frame) = connection.try_next() {
                            mirrors.receive(&frame.bytes).unwrap();
                        }
                    }
                    (connection, mirrors)
                })
            })
            .collect();
        let syncing = scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let _ = session.sync();
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        syncing.join().unwrap();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    });
    let _ = session.sync();
    assert_eq!(counter.read().n, 3 * EACH);
    for (connection, mirrors) in &mut clients {
        while let Some(frame) = connection.try_next() {
            mirrors.receive(&frame.bytes).unwrap();
        }
        assert_eq!(n_of(mirrors), Some(&(3 * EACH).into()));
        assert_eq!(
            mirrors.get(1).unwrap().get(),
            Some(&session.snapshot(1).unwrap().1)
        );
    }
}
