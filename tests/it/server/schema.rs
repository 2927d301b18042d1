//! Clients that ask are told what models are made of.

use transports::{Message, Value};

use super::*;

#[derive(Synced)]
struct Room {
    lamps: Vec<Lamp>,
}

#[derive(Synced)]
struct Lamp {
    #[synced(range = 0..=100)]
    level: u8,
}

/// The kinds of messages, with the type they are about or the model.
fn told(connection: &mut Connection) -> Vec<String> {
    let told = messages(connection)
        .into_iter()
        .map(|message| match message {
            Message::Schema { type_name, schema } if schema["type"] == "Any" => {
                format!("nothing of {type_name}")
            }
            Message::Schema { type_name, .. } => format!("schema of {type_name}"),
            Message::Snapshot { id, .. } => format!("snapshot of {id}"),
            Message::Patch { id, .. } => format!("patch of {id}"),
            other => panic!("{other:?}"),
        });
    told.collect()
}

fn room() -> Room {
    Room {
        lamps: vec![Lamp { level: 1 }],
    }
}

#[test]
fn who_does_not_ask_is_not_told() {
    let (_session, server, _counter) = Counter::hosted();
    for query in ["", "schema=", "schema=0", "epoch=&batch=1&ops=splice"] {
        assert_eq!(
            told(&mut open(&server, query)),
            ["snapshot of 1"],
            "{query}"
        );
    }
}

#[test]
fn a_type_is_told_of_once_before_its_first_model() {
    let (session, server, _counter) = Counter::hosted();
    let (_one, _two) = (session.host(room()), session.host(room()));
    let mut connection = open(&server, "schema=1");
    let expected = [
        "schema of Counter",
        "snapshot of 1",
        "schema of Room",
        "snapshot of 2",
        "snapshot of 3",
    ];
    assert_eq!(told(&mut connection), expected);
    let (_three, _lamp) = (session.host(room()), session.host(Lamp { level: 2 }));
    let expected = ["snapshot of 4", "schema of Lamp", "snapshot of 5"];
    assert_eq!(told(&mut connection), expected);
}

#[test]
fn who_resumes_is_told_before_the_first_patch() {
    let (session, server, counter) = Counter::hosted();
    let _seen = messages(&mut open(&server, ""));
    counter.write().n = 1;
    let _ = session.sync();
    let mut connection = open(&server, "schema=1&since=%7B%221%22%3A0%7D");
    assert_eq!(told(&mut connection), ["schema of Counter", "patch of 1"]);
}

/// The message stands in `docs/protocol.md`.
#[test]
fn a_schema_has_all_that_is_named_in_it() {
    let session = Session::new();
    let _room = session.host(room());
    let mut connection = open(&Server::new(session), "schema=1");
    let frame = connection.try_next().unwrap();
    let expected = concat!(
        r#"{"t":"schema","type":"Room","schema":{"definitions":["#,
        r#"{"name":"Room","type":{"Struct":{"fields":[{"name":"lamps","type":{"List":{"Named":"Lamp"}}}]}}},"#,
        r#"{"name":"Lamp","type":{"Struct":{"fields":[{"name":"level","range":{"max":100,"min":0},"type":{"Int":{"max":255,"min":0}}}]}}}"#,
        r#"],"type":{"Named":"Room"}}}"#,
    );
    assert_eq!(str::from_utf8(&frame.bytes).unwrap(), expected);
}

#[test]
fn a_name_that_several_types_go_by_has_no_schema() {
    let session = Session::new();
    let _things = (
        session.host_named("Thing", room()),
        session.host_named("Thing", Lamp { level: 1 }),
        session.host_named("Thing", room()),
        session.host_named("Other", Value::Null),
    );
    let mut connection = open(&Server::new(session), "schema=1");
    let expected = [
        "schema of Thing",
        "snapshot of 1",
        "nothing of Thing",
        "snapshot of 2",
        "snapshot of 3",
        "nothing of Other",
        "snapshot of 4",
    ];
    assert_eq!(told(&mut connection), expected);
}

#[test]
fn mirrors_ask_only_if_they_are_told_to() {
    let (_session, server, _counter) = Counter::hosted();
    let mut mirrors = Mirrors::new(Codec::MessagePack);
    assert!(!mirrors.query().contains("schema"));
    mirrors.ask_schema();
    let mut connection = open(&server, &mirrors.query());
    while let Some(frame) = connection.try_next() {
        mirrors.receive(&frame.bytes).unwrap();
    }
    let schema = mirrors.schema().unwrap();
    assert_eq!(schema.model("Counter"), Some("Counter"));
    assert!(schema.typescript().contains("@maximum 100"));
    mirrors.disconnect();
    assert_eq!(mirrors.schema().unwrap().model("Counter"), None);
}
