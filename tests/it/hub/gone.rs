//! Models that somebody sees no longer.

use std::sync::Arc;

use parking_lot::Mutex;
use transports::hub::{Authorizer, Mode, Sharing, Viewer};
use transports::message::{Message, ModelId};
use transports::server::{Connection, Ended, Opening};
use transports::session::{Frame, Hosted};
use transports::{Codec, Hub, Server, Session, Value};

use super::{doc, hub, key, open, set, texts};

fn gone(id: ModelId) -> String {
    format!(r#"{{"t":"gone","id":{id}}}"#)
}

#[derive(Clone, Default)]
struct Hidden(Arc<Mutex<Option<ModelId>>>);

impl Authorizer for Hidden {
    fn subscribe(&self, _: &Viewer<'_>, id: ModelId, mode: Mode) -> Option<Mode> {
        (*self.0.lock() != Some(id)).then_some(mode)
    }
}

#[test]
fn who_asked_is_told_of_what_it_sees_no_longer() {
    let hidden = Hidden::default();
    let hub = Hub::builder(key).authorizer(hidden.clone()).build();
    let board = hub
        .share_with(doc("shared"), Sharing::named("Board"))
        .unwrap();
    let id = board.id();
    let own = hub.tenant("ann").host_named("Own", doc("mine"));
    let server = Server::new(hub.clone());
    let mut ann = open(&server, "ann", "gone=1");
    let mut published = open(&server, "ann", "");
    for connection in [&mut ann, &mut published] {
        assert_eq!(texts(connection).len(), 1);
    }
    let takers: [(&str, &dyn Fn()); 4] = [
        ("unsubscribe", &|| assert!(hub.unsubscribe("ann", id))),
        ("reauthorize", &|| {
            *hidden.0.lock() = Some(id);
            hub.reauthorize(|_| true);
        }),
        ("unhost", &|| {
            hub.tenant("ann").unhost(own.id());
        }),
        ("unshare", &|| assert!(hub.unshare(id))),
    ];
    for (way, take) in takers {
        *hidden.0.lock() = None;
        hub.subscribe("ann", id, Mode::Write);
        let of = if way == "unhost" { own.id() } else { id };
        let _ = texts(&mut ann);
        let _ = texts(&mut published);
        take();
        assert_eq!(texts(&mut ann), [gone(of)], "{way}");
        assert_eq!(texts(&mut published), [""; 0], "{way}");
    }
}

#[test]
fn what_comes_again_comes_after_the_news_that_it_was_gone() {
    let hub = hub();
    let board = hub
        .share_with(doc("shared"), Sharing::named("Board"))
        .unwrap();
    hub.subscribe("ann", board.id(), Mode::Read);
    let server = Server::new(hub.clone());
    let mut ann = open(&server, "ann", "gone=1");
    assert_eq!(texts(&mut ann).len(), 1);
    for _ in 0..2 {
        *board.write() = doc("unseen");
        let _ = hub.sync();
        hub.unsubscribe("ann", board.id());
        hub.subscribe("ann", board.id(), Mode::Read);
    }
    let told = texts(&mut ann);
    assert_eq!(told[0], gone(board.id()), "{told:?}");
    assert!(told[1].starts_with(r#"{"t":"snapshot""#), "{told:?}");
    assert_eq!(told.len(), 2);
}

fn server() -> (Session, Server, Hosted<Value>) {
    let session = Session::new();
    let model = session.host_named("Doc", doc("start"));
    (session.clone(), Server::new(session), model)
}

#[test]
fn the_word_for_it_is_the_same_in_each_codec() {
    for codec in [Codec::Json, Codec::MessagePack, Codec::Cbor] {
        let (session, server, model) = server();
        let query = format!("codec={}&gone=1", codec.name());
        let mut connection = server.open(&Opening::parse(&query).unwrap()).unwrap();
        assert!(connection.try_next().is_some());
        session.unhost(model.id());
        let frame = connection.try_next().unwrap();
        assert_eq!(
            codec.decode(&frame.bytes).unwrap(),
            Message::Gone { id: model.id() }
        );
        let expected: &[u8] = match codec {
            Codec::MessagePack => b"\x82\xa2id\x01\xa1t\xa4gone",
            Codec::Cbor => b"\xa2bid\x01atdgone",
            _ => br#"{"t":"gone","id":1}"#,
        };
        assert_eq!(*frame.bytes, *expected);
    }
}

fn connect(server: &Server, query: &str) -> Connection {
    server.open(&Opening::parse(query).unwrap()).unwrap()
}

#[test]
fn of_a_model_that_is_gone_nothing_follows() {
    let (session, server, model) = server();
    let mut connection = connect(&server, "gone=1");
    assert_eq!(texts(&mut connection).len(), 1);
    *model.write() = doc("last words");
    let _ = session.sync();
    *model.write() = doc("too late");
    session.unhost(model.id());
    *model.write() = doc("unheard");
    let _ = session.sync();
    let told = texts(&mut connection);
    assert!(told[0].contains("last words"), "{told:?}");
    assert_eq!(told[1..], [gone(model.id())]);
    connection
        .receive(&set(model.id(), "text", "anyone?", 0))
        .unwrap();
    let told = texts(&mut connection).concat();
    assert!(told.contains("there is no model 1"), "{told}");
    assert!(told.contains(r#""proposal":"p""#), "{told}");
}

/// The bytes, and their places, do not tell a model that is hidden from one that never was.
#[test]
fn a_resume_with_a_hidden_model_is_answered_as_one_with_an_unknown_one() {
    let hub = hub();
    let hidden = hub
        .share_with(doc("secret"), Sharing::named("Secret"))
        .unwrap()
        .id();
    hub.tenant("ann").host_named("Own", doc("mine"));
    let server = Server::new(hub.clone());
    let ask = |id: ModelId, more: &str| {
        let query = format!("since=%7B%22{id}%22%3A0%7D&gone=1{more}");
        let told = texts(&mut open(&server, "ann", &query));
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[1], gone(id));
        told.concat().replace(&id.to_string(), "ID")
    };
    for more in [
        "",
        "&epoch=",
        &format!("&epoch={}", hub.tenant("ann").epoch()),
    ] {
        assert_eq!(ask(hidden, more), ask(hidden + 7, more));
    }
    // Beside the tenant's own models, in order.
    let query = "since=%7B%220%22%3A0,%221%22%3A0,%222%22%3A0%7D&gone=1";
    let told = texts(&mut open(&server, "ann", query));
    assert_eq!(told, [gone(0), gone(2)]);
}

#[test]
fn who_sleeps_is_told_later_or_connects_again() {
    let (session, server, model) = server();
    let mut sleeper = connect(&server, "gone=1");
    assert_eq!(texts(&mut sleeper).len(), 1);
    session.unhost(model.id());
    let other = session.host_named("Other", Value::from(0));
    for n in 0..2000 {
        *other.write() = Value::from(n);
        let _ = session.sync();
    }
    let told = texts(&mut sleeper);
    assert_eq!(told[0], gone(model.id()));
    assert!(
        told.len() < 10 && told.concat().contains("1999"),
        "{told:?}"
    );

    for _ in 0..1500 {
        let passing = session.host_named("Passing", Value::Null);
        session.unhost(passing.id());
    }
    assert_eq!(texts(&mut sleeper), [""; 0]);
    assert!(matches!(sleeper.ended(), Some(Ended::Slow)));
}

/// An edit and an end that come at the same time: either the edit is heard of before, or it is refused.
#[test]
fn no_revision_is_made_of_a_model_that_went_meanwhile() {
    for _ in 0..200 {
        let (session, server, model) = server();
        let id = model.id();
        let mut watcher = connect(&server, "gone=1");
        assert_eq!(texts(&mut watcher).len(), 1);
        let editor = std::thread::spawn(move || {
            let mut connection = connect(&server, "");
            for n in 0..20 {
                let edit: Frame = set(id, "text", &n.to_string(), 0);
                connection.receive(&edit).unwrap();
            }
        });
        session.unhost(id);
        editor.join().unwrap();
        let told = texts(&mut watcher);
        let place = told.iter().position(|text| *text == gone(id));
        assert_eq!(place, Some(told.len() - 1), "{told:?}");
    }
}
