//! What a client may ask for, and what it hears when it asks for more.

use transports::server::{ConnectionError, Opening, OpeningError, RefusalKind};
use transports::session::Frame;
use transports::{Codec, Message, Mirrors, Op, Patch, Path, Segment, Server, Session, Value};

use super::{Counter, messages, open};

fn server() -> Server {
    let session = Session::new();
    session.host_named(
        "Anything",
        Value::from_iter([("list", Value::List(vec![]))]),
    );
    Server::builder(session)
        .limits(|limits| {
            limits.frame_bytes = 10_000;
            limits.edit_ops = 3;
            limits.depth = 5;
        })
        .build()
}

fn edit(ops: &str) -> Frame {
    Frame::text(format!(
        r#"{{"t":"patch","id":1,"patch":{{"rev":0,"ops":[{ops}]}},"proposal":"p"}}"#
    ))
}

/// The error text of the reject that comes after a snapshot. The limit counts as hit, and no other does.
fn refusal(limit: &str, ops: &str) -> String {
    let server = server();
    let mut connection = open(&server, "");
    assert_eq!(messages(&mut connection).len(), 1);
    connection.receive(&edit(ops)).unwrap();
    let seen = messages(&mut connection);
    let [Message::Snapshot { .. }, Message::Reject { error, .. }] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    for (name, hits) in server.stats().limit_hits {
        assert_eq!(hits, u64::from(name == limit), "{name}");
    }
    error.clone()
}

#[test]
fn a_frame_over_the_limit_ends_the_connection() {
    let server = server();
    let mut connection = open(&server, "");
    let fits = " ".repeat(9_998) + "{}";
    assert_eq!(connection.receive(&Frame::text(fits.clone())), Ok(()));
    assert_eq!(
        connection.receive(&Frame::text(fits + " ")),
        Err(ConnectionError::TooLarge {
            size: 10_001,
            limit: 10_000
        }),
    );
    drop(connection);
    let stats = server.stats();
    assert_eq!(
        (stats.limit_hits("frame_bytes"), stats.ended("too_large")),
        (1, 1)
    );
}

#[test]
fn a_malformed_frame_says_what_is_wrong() {
    let mut connection = open(&server(), "");
    let error = connection
        .receive(&Frame::text(r#"{"t":"patch","id":1}"#))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "malformed frame: json: missing field `patch` at line 1 column 20"
    );
}

#[test]
fn an_edit_with_too_many_ops_is_refused() {
    let op = r#"{"Set":{"path":[{"Key":"x"}],"value":{"Int":1}}}"#;
    let four = [op; 4].join(",");
    assert_eq!(
        refusal("edit_ops", &four),
        "an edit of 4 ops is over the limit of 3"
    );
}

#[test]
fn an_edit_cannot_make_a_model_deeper_than_the_limit() {
    let mut value = r#"{"Int":1}"#.to_owned();
    for _ in 0..5 {
        value = format!(r#"{{"List":[{value}]}}"#);
    }
    let set = format!(r#"{{"Set":{{"path":[{{"Key":"list"}}],"value":{value}}}}}"#);
    assert_eq!(
        refusal("depth", &set),
        "list: a depth of 6 is over the limit of 5"
    );
    let insert = format!(
        r#"{{"Insert":{{"path":[{{"Key":"list"}}],"index":0,"value":{}}}}}"#,
        &value[9..value.len() - 2]
    );
    assert_eq!(
        refusal("depth", &insert),
        "list: a depth of 6 is over the limit of 5"
    );
}

#[test]
fn an_unknown_model_is_refused_alone() {
    let mut connection = open(&server(), "");
    assert_eq!(messages(&mut connection).len(), 1);
    let frame = r#"{"t":"patch","id":9,"patch":{"rev":0,"ops":[]},"proposal":"p"}"#;
    connection.receive(&Frame::text(frame)).unwrap();
    let seen = messages(&mut connection);
    assert!(
        matches!(seen.as_slice(), [Message::Reject { id: 9, rev: 0, error, .. }] if error == "there is no model 9"),
        "{seen:?}"
    );
}

/// A server of a dynamic model, and what its limits are.
fn limited(change: impl FnOnce(&mut transports::server::Limits)) -> Server {
    let session = Session::new();
    let list = Value::List((0..100).map(Value::from).collect());
    session.host_named("Anything", Value::from_iter([("list", list)]));
    Server::builder(session).limits(change).build()
}

fn propose(server: &Server, ops: Vec<Op>) -> Result<(), String> {
    let mut connection = open(server, "");
    assert_eq!(messages(&mut connection).len(), 1);
    let patch = Message::Patch {
        id: 1,
        patch: Patch { rev: 0, ops },
        proposal: Some("p".into()),
        base: None,
    };
    let bytes = Codec::Json.encode(&patch).unwrap();
    connection
        .receive(&Frame {
            bytes,
            is_text: true,
        })
        .unwrap();
    match messages(&mut connection).pop().unwrap() {
        Message::Reject { error, .. } => Err(error),
        Message::Patch { .. } | Message::Ack { .. } => Ok(()),
        other => panic!("{other:?}"),
    }
}

fn list() -> Path {
    Path::from_iter(["list".into()])
}

fn set_list(value: Value) -> Vec<Op> {
    vec![Op::Set {
        path: list(),
        value,
    }]
}

#[test]
fn a_frame_of_too_many_values_ends_the_connection_in_each_codec() {
    let server = limited(|limits| limits.frame_nodes = 100);
    for codec in [Codec::Json, Codec::MessagePack, Codec::Cbor] {
        let frame = |items: usize| {
            let value = Value::List(vec![Value::Null; items]);
            let patch = Patch {
                rev: 0,
                ops: set_list(value),
            };
            let message = Message::Patch {
                id: 1,
                patch,
                proposal: None,
                base: None,
            };
            let bytes = codec.encode(&message).unwrap();
            Frame {
                bytes,
                is_text: codec.is_text(),
            }
        };
        let mut connection = open(&server, &format!("codec={}", codec.name()));
        assert_eq!(connection.receive(&frame(80)), Ok(()), "{codec:?}");
        let error = connection.receive(&frame(101)).unwrap_err();
        assert!(
            matches!(
                error,
                ConnectionError::TooManyNodes {
                    nodes: 101..=120,
                    limit: 100
                }
            ),
            "{error:?}"
        );
    }
    assert_eq!(server.stats().limit_hits("frame_nodes"), 3);
    assert_eq!(server.stats().ended("too_large"), 3);
}

#[test]
fn a_path_beyond_the_limit_is_refused_and_not_repeated() {
    let server = limited(|limits| limits.path_bytes = 10);
    let set = |key: &str| {
        let path = Path::from_iter([Segment::from(key)]);
        vec![Op::Set {
            path,
            value: Value::Null,
        }]
    };
    assert_eq!(propose(&server, set("0123456789")), Ok(()));
    assert_eq!(
        propose(&server, set("0123456789a")).unwrap_err(),
        "a path of 11 bytes is over the limit of 10"
    );
    assert_eq!(server.stats().limit_hits("path_bytes"), 1);
}

#[test]
fn an_error_text_is_cut() {
    let server = limited(|_| {});
    let path = Path::from_iter([Segment::Key("é".repeat(1500)), Segment::from("x")]);
    let error = propose(&server, vec![Op::Remove { path }]).unwrap_err();
    assert!(error.len() <= 1024 && error.ends_with("..."), "{error}");
}

#[test]
fn lists_grow_by_so_many_items_at_a_time() {
    let server = limited(|limits| limits.list_growth = 10);
    let insert = |value| Op::Insert {
        path: list(),
        index: 0,
        value,
    };
    let ten = Value::List(vec![Value::Null; 10]);
    let nine = Value::List(vec![Value::List(vec![Value::Null; 9])]);
    assert_eq!(propose(&server, set_list(ten.clone())), Ok(()));
    assert_eq!(propose(&server, set_list(nine.clone())), Ok(()));
    assert_eq!(propose(&server, vec![insert(Value::Null); 10]), Ok(()));
    for ops in [
        vec![insert(Value::Null); 11],
        vec![insert(ten)],
        vec![insert(Value::Null), set_list(nine).remove(0)],
    ] {
        assert_eq!(
            propose(&server, ops).unwrap_err(),
            "list: adding 11 items is over the limit of 10"
        );
    }
    assert_eq!(server.stats().limit_hits("list_growth"), 3);
}

#[test]
fn an_edit_moves_so_many_items() {
    let server = limited(|limits| limits.moved_items = 250);
    let path = list;
    let move_all = Op::Move {
        path: path(),
        from: 99,
        to: 0,
    };
    let reorder = Op::Reorder {
        path: path(),
        order: (0..100).rev().collect(),
    };
    let insert = Op::Insert {
        path: path(),
        index: 0,
        value: Value::Null,
    };
    let remove = Op::RemoveAt {
        path: path(),
        index: 0,
    };
    let append = Op::Insert {
        path: path(),
        index: 100,
        value: Value::Null,
    };
    for op in [move_all, reorder, insert, remove] {
        let before = server.session().snapshot(1);
        let error = propose(&server, vec![op.clone(); 3]).unwrap_err();
        assert_eq!(
            error, "list: the edit moves more than 250 items of lists",
            "{op:?}"
        );
        assert_eq!(server.session().snapshot(1), before, "{op:?}");
    }
    assert_eq!(propose(&server, vec![append; 1000]).map_err(drop), Err(()));
    assert_eq!(server.stats().limit_hits("moved_items"), 5);
    let end = |n: usize| Op::Insert {
        path: path(),
        index: 100 + n,
        value: Value::Null,
    };
    assert_eq!(propose(&server, (0..1000_usize).map(end).collect()), Ok(()));
}

#[test]
fn an_opening_names_so_many_models() {
    let server = limited(|limits| limits.since_models = 2);
    let mut opening = Opening::default();
    opening.since.extend([(1, 0), (2, 0)]);
    assert!(server.open(&opening).is_ok());
    opening.since.insert(3, 0);
    assert_eq!(
        server.open(&opening).unwrap_err(),
        OpeningError::TooManyModels {
            models: 3,
            limit: 2
        }
    );
    let stats = server.stats();
    assert_eq!((stats.limit_hits("since_models"), stats.refused), (1, 1));
}

#[test]
fn there_are_so_many_connections() {
    let server = limited(|limits| limits.connections = 2);
    let first = open(&server, "");
    let _second = open(&server, "");
    let Err(OpeningError::Refused(refusal)) = server.open(&Opening::default()) else {
        panic!("it is full")
    };
    assert_eq!(refusal.kind, RefusalKind::Unavailable);
    assert_eq!(
        refusal.reason,
        "there are 2 connections already, which is the limit"
    );
    drop(first);
    assert!(server.open(&Opening::default()).is_ok());
    assert_eq!(server.stats().limit_hits("connections"), 1);
}

#[test]
fn answers_that_nobody_reads_end_the_connection() {
    let server = limited(|limits| limits.queued_bytes = 10_000);
    let mut connection = open(&server, "");
    let bad = edit(r#"{"Remove":{"path":[]}}"#);
    let (most, error) = (0..1000)
        .find_map(|count| Some((count, connection.receive(&bad).err()?)))
        .unwrap();
    assert!((50..200).contains(&most), "{most}");
    assert!(
        matches!(
            error,
            ConnectionError::Overloaded {
                queued: 10_001..11_000,
                limit: 10_000
            }
        ),
        "{error:?}"
    );
    assert!(connection.queued_bytes() < 11_000);
    drop(connection);
    let stats = server.stats();
    assert_eq!(
        (stats.limit_hits("queued_bytes"), stats.ended("overloaded")),
        (1, 1)
    );
}

#[test]
fn what_is_not_read_yet_does_not_end_a_connection_that_edits() {
    let session = Session::new();
    let model = session.host_named("Note", String::new());
    let server = Server::builder(session.clone())
        .limits(|limits| limits.queued_bytes = 1000)
        .build();
    let mut connection = open(&server, "");
    assert_eq!(messages(&mut connection).len(), 1);
    for letter in ["x", "y", "z"] {
        *model.write() = letter.repeat(50_000);
        let _ = session.sync();
    }
    // One patch is taken, two wait.
    connection.try_next().unwrap();
    assert!(connection.queued_bytes() > 100_000);
    let set = edit(r#"{"Set":{"path":[],"value":{"Str":"edited"}}}"#);
    connection.receive(&set).unwrap();
    connection.receive(&set).unwrap();
    assert_eq!(*model.read(), "edited");
    while connection.try_next().is_some() {}
    assert_eq!(connection.queued_bytes(), 0);
}

#[test]
fn who_is_too_many_events_behind_is_told_together() {
    let (session, _, counter) = Counter::hosted();
    let server = Server::builder(session.clone())
        .limits(|limits| limits.queued_events = 4)
        .build();
    let mut connection = open(&server, "");
    let mut told = |changes: i64| {
        for _ in 0..changes {
            counter.write().n += 1;
            let _ = session.sync();
        }
        messages(&mut connection).len()
    };
    assert_eq!(told(0), 1);
    assert_eq!(told(4), 4);
    assert_eq!(told(5), 1);
    let stats = server.stats();
    assert_eq!((stats.limit_hits("queued_events"), stats.catch_ups), (1, 1));
}

/// Each frame is shallow, and the codecs' own limits differ: it is the model that must not get too deep.
#[test]
fn a_model_cannot_be_deepened_in_two_steps() {
    let session = Session::new();
    session.host_named("Anything", Value::from_iter([("a", Value::Null)]));
    let server = Server::new(session.clone());
    let mut reader = open(&server, "");
    let mut mirrors = Mirrors::default();
    let deep = |levels: usize| (0..levels).fold(Value::Null, |below, _| Value::List(vec![below]));
    let path = |zeros: usize| {
        let zeros = (0..zeros).map(|_| Segment::from(0));
        [Segment::from("a")]
            .into_iter()
            .chain(zeros)
            .collect::<Path>()
    };
    for codec in ["msgpack", "cbor"] {
        let mut writer = open(&server, &format!("codec={codec}"));
        let codec = writer.codec().clone();
        assert!(writer.try_next().is_some());
        let mut set = |path, value| {
            let patch = Patch {
                rev: 0,
                ops: vec![Op::Set { path, value }],
            };
            let proposal = Some("p".to_owned());
            let message = Message::Patch {
                id: 1,
                patch,
                proposal,
                base: None,
            };
            writer
                .receive(&Frame::binary(codec.encode(&message).unwrap()))
                .unwrap();
            matches!(messages(&mut writer).pop(), Some(Message::Reject { .. }))
        };
        assert!(!set(path(0), deep(40)));
        assert!(set(path(39), deep(21)), "61 levels");
        assert!(!set(path(39), deep(20)), "60 levels");
        let text = Path::from_iter(["a".into()]);
        assert!(!set(text, Value::Null));
    }
    while let Some(frame) = reader.try_next() {
        mirrors.receive(&frame.bytes).unwrap();
    }
    assert_eq!(
        mirrors.get(1).unwrap().get(),
        Some(&session.snapshot(1).unwrap().1)
    );
}
