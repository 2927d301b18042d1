//! What a client may ask for, and what it hears when it asks for more.

use transports::server::ConnectionError;
use transports::session::Frame;
use transports::{Message, Server, Session, Value};

use super::{messages, open};

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

/// The error text of the reject that comes after a snapshot.
fn refusal(ops: &str) -> String {
    let mut connection = open(&server(), "");
    assert_eq!(messages(&mut connection).len(), 1);
    connection.receive(&edit(ops)).unwrap();
    let seen = messages(&mut connection);
    let [Message::Snapshot { .. }, Message::Reject { error, .. }] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    error.clone()
}

#[test]
fn a_frame_over_the_limit_ends_the_connection() {
    let mut connection = open(&server(), "");
    let fits = " ".repeat(9_998) + "{}";
    assert_eq!(connection.receive(&Frame::text(fits.clone())), Ok(()));
    assert_eq!(
        connection.receive(&Frame::text(fits + " ")),
        Err(ConnectionError::TooLarge {
            size: 10_001,
            limit: 10_000
        }),
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
    assert_eq!(refusal(&four), "an edit of 4 ops is over the limit of 3");
}

#[test]
fn an_edit_cannot_make_a_model_deeper_than_the_limit() {
    let mut value = r#"{"Int":1}"#.to_owned();
    for _ in 0..5 {
        value = format!(r#"{{"List":[{value}]}}"#);
    }
    let set = format!(r#"{{"Set":{{"path":[{{"Key":"list"}}],"value":{value}}}}}"#);
    assert_eq!(refusal(&set), "list: a depth of 6 is over the limit of 5");
    let insert = format!(
        r#"{{"Insert":{{"path":[{{"Key":"list"}}],"index":0,"value":{}}}}}"#,
        &value[9..value.len() - 2]
    );
    assert_eq!(
        refusal(&insert),
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
