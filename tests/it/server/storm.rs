//! Many clients at once, and many that do not read.

use std::collections::HashMap;

use transports::server::{Connection, Opening};
use transports::session::{Frame, Hosted};
use transports::{Mirrors, Server, Session, Synced};

use super::open;

const CLIENTS: usize = 1000;
const MODEL: usize = 1 << 20;

#[derive(Synced)]
struct Large {
    tick: i64,
    rows: Vec<String>,
}

fn large() -> (Session, Server, Hosted<Large>) {
    let session = Session::new();
    let rows = (0..MODEL / 64).map(|row| format!("{row:050}")).collect();
    let model = session.host(Large { tick: 0, rows });
    (session.clone(), Server::new(session), model)
}

/// The bytes of all frames; those that several have in common count once.
fn held(frames: &[Frame]) -> usize {
    let distinct: HashMap<_, _> = frames
        .iter()
        .map(|frame| (frame.bytes.as_ptr(), frame.bytes.len()))
        .collect();
    distinct.values().sum()
}

fn catch_up(mirrors: &mut Mirrors, connection: &mut Connection) {
    while let Some(frame) = connection.try_next() {
        mirrors.receive(&frame.bytes).unwrap();
    }
}

#[test]
fn a_thousand_that_connect_at_once_share_one_encoding_and_one_copy() {
    let (_session, server, _model) = large();
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| open(&server, "")).collect();
    assert_eq!(
        server.stats().snapshots_encoded,
        0,
        "nobody has taken a frame"
    );
    assert_eq!(server.stats().queued_bytes, 0);

    let frames: Vec<_> = clients
        .iter_mut()
        .filter_map(Connection::try_next)
        .collect();
    assert_eq!(frames.len(), CLIENTS);
    assert_eq!(server.stats().snapshots_encoded, 1);
    assert_eq!(held(&frames), frames[0].bytes.len(), "one copy for all");
    assert_eq!(
        server.stats().queued_bytes,
        0,
        "it is in the adapter's hands"
    );
}

/// A snapshot of its own for every revision would be an encoding and a copy for every client here.
#[test]
fn while_the_model_changes_they_share_a_snapshot_and_get_what_came_since() {
    let (session, server, model) = large();
    let mut clients = Vec::new();
    let mut frames = Vec::new();
    for _ in 0..CLIENTS {
        model.write().tick += 1;
        let _ = session.sync();
        let mut client = open(&server, "");
        frames.extend(client.try_next());
        clients.push(client);
    }
    let snapshots = server.stats().snapshots_encoded;
    assert!(snapshots <= 3, "{snapshots} encodings");
    assert!(held(&frames) <= 4 * frames[0].bytes.len());
    for (client, opening) in clients.iter_mut().zip(&frames).step_by(199) {
        let mut mirrors = Mirrors::default();
        mirrors.receive(&opening.bytes).unwrap();
        catch_up(&mut mirrors, client);
        let mirror = mirrors.get(model.id()).unwrap();
        assert_eq!(mirror.revision(), Some(model.revision()));
        assert_eq!(mirror.get(), Some(&session.snapshot(1).unwrap().1));
    }
}

#[test]
fn each_codec_costs_one_encoding() {
    let (_session, server, _model) = large();
    for query in ["", "codec=msgpack", "codec=cbor", "epoch="]
        .iter()
        .cycle()
        .take(40)
    {
        assert!(open(&server, query).try_next().is_some());
    }
    assert_eq!(server.stats().snapshots_encoded, 4);
}

/// Whatever happens: the feed runs on, falls out of reach, models appear, histories are long.
#[test]
fn one_that_does_not_read_holds_no_more_than_its_bound() {
    const MODELS: usize = 40;
    let limit = transports::server::Limits::default().queued_bytes;
    let session = Session::new();
    let server = Server::new(session.clone());
    let row = |n: usize| format!("{n:0100}");
    let models: Vec<_> = (0..MODELS)
        .map(|_| {
            session.host(Large {
                tick: 0,
                rows: (0..200).map(row).collect(),
            })
        })
        .collect();
    let mut queries: Vec<_> = ["", "codec=msgpack&batch=1", "epoch=", "codec=cbor"]
        .into_iter()
        .map(|query| open(&server, query))
        .collect();
    let resumes = (1..=MODELS as u64).map(|id| (id, 0));
    let mut opening = Opening::default();
    opening.since.extend(resumes);
    let mut most = 0;
    for round in 0..120 {
        for (place, model) in models.iter().enumerate() {
            let mut model = model.write();
            model.tick += 1;
            model.rows[(7 * round + place) % 200] = row(round + place).repeat(1 + 40 * (round % 2));
        }
        let _ = session.sync();
        if round % 40 == 20 {
            queries.push(server.open(&opening).unwrap());
        }
        // Each takes a frame now and then, as one that is about to be closed for being slow.
        for (place, connection) in queries.iter_mut().enumerate() {
            let takes = match place {
                0 if round % 5 < 3 => usize::MAX,
                0 => 1,
                _ => usize::from(round % (2 + 7 * place) == 0),
            };
            let taken = std::iter::from_fn(|| connection.try_next());
            taken.take(takes).for_each(drop);
            most = most.max(connection.queued_bytes());
            assert_eq!(
                server.connection(connection.number()).unwrap().queued_bytes,
                connection.queued_bytes()
            );
        }
    }
    assert!(most > 0);
    assert!(most <= limit, "{most} bytes held");
    // And all of them get there in the end.
    for connection in &mut queries[..4] {
        while connection.try_next().is_some() {}
        assert_eq!(connection.queued_bytes(), 0);
    }
}

#[test]
fn patches_larger_than_the_model_become_the_model() {
    let session = Session::builder().history(10_000).build();
    let server = Server::new(session.clone());
    let model = session.host(Large {
        tick: 0,
        rows: vec!["x".repeat(1000)],
    });
    let mut slow = open(&server, "");
    let opening = slow.try_next().unwrap();
    for round in 0..2000 {
        model.write().rows[0] = format!("{round:01000}");
        let _ = session.sync();
    }
    let told: Vec<_> = std::iter::from_fn(|| slow.try_next()).collect();
    let bytes: usize = told.iter().map(|frame| frame.bytes.len()).sum();
    assert_eq!(told.len(), 1);
    assert!(bytes < opening.bytes.len() + 100, "{bytes} bytes");
}
