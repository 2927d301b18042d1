//! Texts in parts, for connections that ask for it.

use transports::collections::Text;
use transports::session::Hosted;
use transports::{Codec, Message, Op, Path, Server, Session, Synced, Value};

use super::{Frame, messages, open};

#[derive(Synced)]
struct Page {
    text: Text,
    #[synced(length = ..=4)]
    title: String,
    #[synced(read_only)]
    author: String,
    n: i64,
}

fn hosted() -> (Session, Server, Hosted<Page>) {
    let session = Session::new();
    let page = session.host(Page {
        text: Text::from("日本 ".repeat(40)),
        title: "a日b".into(),
        author: "me".into(),
        n: 0,
    });
    (session.clone(), Server::new(session), page)
}

fn ops(message: &Message) -> &[Op] {
    match message {
        Message::Patch { patch, .. } => &patch.ops,
        other => panic!("{other:?}"),
    }
}

fn splice(field: &str, at: usize, delete: usize, insert: &str) -> Op {
    Op::Splice {
        path: Path::from_iter([field.into()]),
        at,
        delete,
        insert: insert.into(),
    }
}

fn whole(page: &Hosted<Page>) -> Op {
    Op::Set {
        path: Path::from_iter(["text".into()]),
        value: Value::from(page.read().text.as_str()),
    }
}

fn proposal(ops: Vec<Op>, name: &str) -> Frame {
    let message = Message::Patch {
        id: 1,
        patch: transports::Patch { rev: 0, ops },
        proposal: Some(name.into()),
        base: None,
    };
    Frame {
        bytes: Codec::Json.encode(&message).unwrap(),
        is_text: true,
    }
}

#[test]
fn a_change_of_a_text_is_a_part_for_those_who_ask_and_the_whole_for_others() {
    let (session, server, page) = hosted();
    let queries = ["codec=json", "codec=msgpack", "codec=cbor"];
    let mut old = queries.map(|query| open(&server, query));
    let mut new = queries.map(|query| open(&server, &format!("{query}&ops=later,splice")));
    old.iter_mut().chain(&mut new).for_each(|connection| {
        messages(connection);
    });

    page.write().text.replace_range(3..10, "x");
    page.write().n = 1;
    let _ = session.sync();
    let n = Op::Set {
        path: Path::from_iter(["n".into()]),
        value: 1.into(),
    };
    for connection in &mut old {
        let told = messages(connection);
        assert_eq!(ops(&told[0]), [n.clone(), whole(&page)]);
    }
    for connection in &mut new {
        let told = messages(connection);
        assert_eq!(ops(&told[0]), [n.clone(), splice("text", 1, 3, "x")]);
    }
}

#[test]
fn a_splice_on_the_wire() {
    let (session, server, page) = hosted();
    let mut connection = open(&server, "ops=splice");
    messages(&mut connection);
    page.write().text += "\"";
    let _ = session.sync();
    let frame = connection.try_next().unwrap();
    assert_eq!(
        str::from_utf8(&frame.bytes).unwrap(),
        r#"{"t":"patch","id":1,"patch":{"rev":1,"ops":[{"Splice":{"path":[{"Key":"text"}],"at":120,"delete":0,"insert":"\""}}]}}"#,
    );
}

/// Nobody wanted the whole text when the patch was made, so that who resumes without parts gets the model.
#[test]
fn a_patch_that_was_only_made_in_parts_is_a_snapshot_for_others() {
    let (session, server, page) = hosted();
    let mut new = open(&server, "ops=splice");
    messages(&mut new);
    page.write().text.push('!');
    let _ = session.sync();
    assert_eq!(ops(&messages(&mut new)[0]), [splice("text", 120, 0, "!")]);

    let since = "since=%7B%221%22%3A0%7D";
    let told = messages(&mut open(
        &server,
        &format!("{since}&ops=splice&codec=cbor"),
    ));
    assert_eq!(ops(&told[0]), [splice("text", 120, 0, "!")]);
    let told = messages(&mut open(&server, since));
    assert!(
        matches!(told.as_slice(), [Message::Snapshot { rev: 1, .. }]),
        "{told:?}"
    );

    // With such a client about, the next one is made for both.
    let mut old = open(&server, "codec=msgpack");
    messages(&mut old);
    page.write().text.push('?');
    let _ = session.sync();
    assert_eq!(ops(&messages(&mut old)[0]), [whole(&page)]);
    assert_eq!(ops(&messages(&mut new)[0]), [splice("text", 121, 0, "?")]);
}

#[test]
fn a_patch_made_right_before_a_connection_came_is_a_snapshot_for_it() {
    let (session, server, page) = hosted();
    let mut new = open(&server, "ops=splice");
    messages(&mut new);
    page.write().text.push('!');
    // Opening takes the change in, and the next sync publishes it.
    let mut late = open(&server, "");
    let _ = session.sync();
    let told = messages(&mut late);
    assert!(
        matches!(told.as_slice(), [Message::Snapshot { rev: 1, .. }, ..]),
        "{told:?}"
    );
    assert!(!format!("{told:?}").contains("Splice"));
    assert_eq!(ops(&messages(&mut new)[0]), [splice("text", 120, 0, "!")]);
}

/// The whole text stays the same size, and the snapshot that there is is a little older: the patches made since must not
/// be counted on, as they are not there in the form that this client reads.
#[test]
fn a_snapshot_is_not_completed_with_patches_in_another_form() {
    let session = Session::new();
    let server = Server::new(session.clone());
    let page = session.host(Page {
        text: Text::from("a".repeat(100_000)),
        title: String::new(),
        author: String::new(),
        n: 0,
    });
    messages(&mut open(&server, ""));
    let _new = open(&server, "ops=splice");
    page.write().text.push('b');
    let _ = session.sync();
    let told = messages(&mut open(&server, ""));
    let [Message::Snapshot { rev: 1, value, .. }] = told.as_slice() else {
        panic!("{} messages", told.len())
    };
    let text = page.read().text.to_string();
    assert!(value.get("text") == Some(&Value::from(text)));
}

#[test]
fn a_slow_connection_gets_parts_composed() {
    let session = Session::builder().history_bytes(64 << 20).build();
    let server = Server::new(session.clone());
    let page = session.host(Page {
        text: Text::from("a".repeat(1 << 20)),
        title: String::new(),
        author: String::new(),
        n: 0,
    });
    let mut new = open(&server, "ops=splice");
    messages(&mut new);
    let mut old = open(&server, "");
    messages(&mut old);
    for _ in 0..8 {
        page.write().text.push('b');
        let _ = session.sync();
    }
    let told = messages(&mut new);
    let sum: usize = told.iter().map(|message| ops(message).len()).sum();
    assert_eq!(sum, 8, "a part each, in {} messages", told.len());
    assert!(
        told.len() < 8,
        "the feed holds 4 MiB, and some were composed"
    );
}

#[test]
fn clients_may_send_parts_if_they_ask_for_it() {
    let (_session, server, page) = hosted();
    let mut new = open(&server, "ops=splice");
    messages(&mut new);
    let edit = vec![splice("text", 1, 2, "<>"), splice("title", 1, 1, "")];
    new.receive(&proposal(edit, "p")).unwrap();
    assert!(page.read().text.starts_with("日<>日本 "));
    assert_eq!(page.read().title, "ab");
    let told = messages(&mut new);
    // A plain `String` is told as a whole.
    assert_eq!(
        ops(&told[0]),
        [
            splice("text", 1, 2, "<>"),
            Op::Set {
                path: Path::from_iter(["title".into()]),
                value: "ab".into()
            }
        ]
    );

    for (edit, error) in [
        (
            splice("text", 119, 2, ""),
            "text: the characters 119..121 are out of bounds, the text has 119",
        ),
        (
            splice("text", usize::MAX, usize::MAX, ""),
            "text: the characters 18446744073709551615..18446744073709551615 are out of bounds, the text has 119",
        ),
        (splice("n", 0, 0, "1"), "n: this is no text"),
        (
            splice("title", 0, 0, "long"),
            "title: the length 6 is not in ..=4",
        ),
        (
            splice("author", 0, 0, "x"),
            "author: this is read-only for clients",
        ),
        (
            splice("none", 0, 0, "x"),
            "none: `Page` has no field of this name",
        ),
    ] {
        new.receive(&proposal(vec![splice("text", 0, 1, ""), edit], "q"))
            .unwrap();
        let told = messages(&mut new);
        let [
            Message::Snapshot { .. },
            Message::Reject { error: told, .. },
        ] = told.as_slice()
        else {
            panic!("{told:?}")
        };
        assert_eq!(told, error);
        assert!(page.read().text.starts_with("日<>日本 "), "taken back");
    }

    let mut old = open(&server, "");
    messages(&mut old);
    old.receive(&proposal(vec![splice("text", 0, 0, "x")], "r"))
        .unwrap();
    let told = messages(&mut old);
    let [Message::Snapshot { .. }, Message::Reject { error, .. }] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(
        error,
        "text: a `Splice` is for connections that ask for it, with `ops=splice`"
    );
}

/// A dynamic model takes parts of any text in it.
#[test]
fn texts_of_a_dynamic_model_take_parts() {
    let mut value = Value::from_iter([("text", Value::from("日本語"))]);
    let patch = |op| transports::Patch {
        rev: 1,
        ops: vec![op],
    };
    patch(splice("text", 1, 1, "abc"))
        .apply(&mut value)
        .unwrap();
    assert_eq!(value.get("text"), Some(&"日abc語".into()));
    let error = patch(splice("text", 5, 1, ""))
        .apply(&mut value)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "text: the characters 5..6 are out of bounds, the text has 5"
    );
    // Found with it: the place of an op on a list was not named either.
    let error = patch(Op::RemoveAt {
        path: Path::from_iter(["text".into()]),
        index: 0,
    });
    assert_eq!(
        error.apply(&mut value).unwrap_err().to_string(),
        "text: this is no list"
    );
}
