//! What a server promises its connections, beyond the published protocol.

mod custom_codec;
mod limits;
mod locks;
mod refusals;
mod registry;
mod revisions;
mod schema;
mod slow;
mod splices;
mod storm;
mod wire_limits;

use transports::server::{Connection, Opening};
use transports::session::Frame;
use transports::{Codec, Message, Mirrors, Server, Session, Synced};

#[derive(Synced, Debug)]
struct Counter {
    n: i64,
    #[synced(range = 0..=100)]
    small: i64,
}

impl Counter {
    fn hosted() -> (Session, Server, transports::session::Hosted<Self>) {
        let session = Session::builder().history(600).build();
        let counter = session.host(Self { n: 0, small: 0 });
        (session.clone(), Server::new(session), counter)
    }
}

fn open(server: &Server, query: &str) -> Connection {
    server.open(&Opening::parse(query).unwrap()).unwrap()
}

/// All messages that are ready.
fn messages(connection: &mut Connection) -> Vec<Message> {
    let codec = connection.codec().clone();
    std::iter::from_fn(|| connection.try_next())
        .map(|frame| codec.decode(&frame.bytes).unwrap())
        .collect()
}

fn set(field: &str, value: i64, proposal: &str) -> Frame {
    Frame::text(format!(
        r#"{{"t":"patch","id":1,"patch":{{"rev":0,"ops":[{{"Set":{{"path":[{{"Key":"{field}"}}],"value":{{"Int":{value}}}}}}}]}},"proposal":"{proposal}"}}"#,
    ))
}

fn n_of(mirrors: &Mirrors) -> Option<&transports::Value> {
    mirrors.get(1)?.get()?.get("n")
}

#[test]
fn an_epoch_is_told_to_those_who_ask_and_guards_their_revisions() {
    let (session, server, counter) = Counter::hosted();
    counter.write().n = 1;
    let _ = session.sync();

    let told = messages(&mut open(&server, "epoch="));
    let [
        Message::Snapshot {
            epoch: Some(epoch),
            rev: 1,
            ..
        },
    ] = told.as_slice()
    else {
        panic!("{told:?}")
    };
    assert_eq!(*epoch, session.epoch());
    let untold = messages(&mut open(&server, ""));
    assert!(
        matches!(untold.as_slice(), [Message::Snapshot { epoch: None, .. }]),
        "{untold:?}"
    );

    let same = format!("since=%7B%221%22%3A1%7D&epoch={epoch}");
    assert_eq!(messages(&mut open(&server, &same)), []);
    let foreign = "since=%7B%221%22%3A1%7D&epoch=0123456789abcdef";
    assert_eq!(
        messages(&mut open(&server, foreign)),
        told,
        "revisions of another life mean nothing"
    );
    let future = format!("since=%7B%221%22%3A7%7D&epoch={epoch}");
    assert_eq!(messages(&mut open(&server, &future)), told);
}

/// Found by reading: one more than the claimed revision was asked for before anything else.
#[test]
fn a_client_may_claim_the_greatest_revision_there_is() {
    let (session, server, counter) = Counter::hosted();
    counter.write().n = 1;
    let _ = session.sync();
    let query = format!("since=%7B%221%22%3A{}%7D", u64::MAX);
    let seen = messages(&mut open(&server, &query));
    assert!(
        matches!(seen.as_slice(), [Message::Snapshot { rev: 1, .. }]),
        "{seen:?}"
    );
}

#[test]
fn a_model_hosted_later_appears_on_open_connections() {
    let (session, server, _counter) = Counter::hosted();
    let mut connection = open(&server, "");
    assert_eq!(messages(&mut connection).len(), 1);
    let second = session.host(Counter { n: 7, small: 0 });
    let seen = messages(&mut connection);
    assert!(
        matches!(seen.as_slice(), [Message::Snapshot { id: 2, .. }]),
        "{seen:?}"
    );
    second.write().n = 8;
    let _ = session.sync();
    let seen = messages(&mut connection);
    assert!(
        matches!(seen.as_slice(), [Message::Patch { id: 2, .. }]),
        "{seen:?}"
    );
}

#[test]
fn connections_are_counted() {
    let (_session, server, _counter) = Counter::hosted();
    let mut count = server.connections();
    assert_eq!(*count.borrow_and_update(), 0);
    let first = open(&server, "");
    let second = open(&server, "codec=cbor");
    assert_eq!(*count.borrow_and_update(), 2);
    drop(first);
    assert_eq!(*count.borrow_and_update(), 1);
    drop(second);
    assert!(
        server
            .open(&Opening::parse("codec=morse").unwrap())
            .is_err()
    );
    assert_eq!(*count.borrow_and_update(), 0);
}

#[test]
fn what_is_in_use_decides_the_encoding_and_any_codec_can_join_later() {
    let (session, server, counter) = Counter::hosted();
    let _binary = open(&server, "codec=cbor");
    for n in 1..=3 {
        counter.write().n = n;
        let _ = session.sync();
    }
    // The history was made in CBOR alone.
    for codec in [Codec::Json, Codec::MessagePack, Codec::Cbor] {
        let query = format!("codec={}&since=%7B%221%22%3A1%7D", codec.name());
        let missed = messages(&mut open(&server, &query));
        let revs: Vec<_> = missed
            .iter()
            .map(|message| match message {
                Message::Patch { patch, .. } => (patch.rev, patch.ops.len()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(revs, [(2, 1), (3, 1)], "{codec:?}");
    }
}

/// Found by the wire vectors' author: 30 % of all floats came back with another last bit.
#[test]
fn json_floats_keep_their_last_bit() {
    for float in [
        0.914_064_116_464_849_9,
        0.1 + 0.2,
        1.0 / 3.0,
        f64::MIN_POSITIVE,
        f64::MAX,
    ] {
        let message = Message::Snapshot {
            id: 1,
            type_name: "F".into(),
            rev: 0,
            value: float.into(),
            epoch: None,
        };
        let bytes = Codec::Json.encode(&message).unwrap();
        assert_eq!(Codec::Json.decode(&bytes).unwrap(), message);
    }
}

#[test]
fn refusals_name_the_place_once_and_what_is_wrong_there() {
    let (_session, server, _counter) = Counter::hosted();
    let mut connection = open(&server, "");
    let mut refusal = |ops: &str| {
        let frame = format!(r#"{{"t":"patch","id":1,"patch":{{"rev":0,"ops":[{ops}]}}}}"#);
        connection.receive(&Frame::text(frame)).unwrap();
        match messages(&mut connection).pop() {
            Some(Message::Reject { error, .. }) => error,
            other => panic!("{other:?}"),
        }
    };
    for (ops, error) in [
        (
            r#"{"Set":{"path":[{"Key":"small"}],"value":{"Int":101}}}"#,
            "small: 101 is not in 0..=100",
        ),
        (
            r#"{"Set":{"path":[{"Key":"n"}],"value":{"Str":"x"}}}"#,
            "n: expected an Int, found the Str \"x\"",
        ),
        (
            r#"{"Set":{"path":[{"Key":"m"}],"value":{"Int":1}}}"#,
            "m: `Counter` has no field of this name",
        ),
        (
            r#"{"Set":{"path":[],"value":{"Map":{"n":{"Int":1}}}}}"#,
            "the model: `Counter` needs the field `small`",
        ),
        (
            r#"{"Set":{"path":[],"value":{"Map":{"n":"Null","small":{"Int":1}}}}}"#,
            "n: expected an Int, found Null",
        ),
        (
            r#"{"Remove":{"path":[{"Key":"n"}]}}"#,
            "n: this field cannot be removed: it has no default",
        ),
        (
            r#"{"RemoveAt":{"path":[{"Key":"n"}],"index":0}}"#,
            "n: this is no list",
        ),
    ] {
        assert_eq!(refusal(ops), error);
    }
}
