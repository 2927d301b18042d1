//! Comms and widgets as connections, beyond the transcripts of `conformance`.

pub(crate) mod fakes;

use std::time::Instant;

use serde_json::{Value as Json, json};
use transports::server::Opening;
use transports::session::{Frame, Hosted};
use transports::{Codec, Mirrors, Server, Session, Synced, Value};
use transports_adapters::autosync;
use transports_adapters::jupyter::{
    MESSAGES_PER_SECOND, ServeError, serve_anywidget, serve_comm, serve_comm_with, sync,
};

use self::fakes::{FakeComm, FakeWidget};

#[derive(Synced)]
struct Counter {
    n: i64,
    #[synced(range = 0..=100)]
    small: i64,
}

fn hosted() -> (Server, Hosted<Counter>) {
    let session = Session::new();
    let counter = session.host(Counter { n: 0, small: 0 });
    (Server::new(session), counter)
}

fn set(field: &str, value: i64) -> String {
    let value = json!({ "Int": value });
    let ops = json!([{ "Set": { "path": [{ "Key": field }], "value": value } }]);
    json!({ "t": "patch", "id": 1, "patch": { "rev": 0, "ops": ops }, "proposal": "p" }).to_string()
}

fn kinds(messages: &[Json]) -> Vec<&str> {
    messages.iter().filter_map(|m| m["t"].as_str()).collect()
}

/// What a client holds that received all this.
fn mirrored(messages: &[Json]) -> Mirrors {
    let mut mirrors = Mirrors::default();
    for message in messages {
        mirrors.receive(message.to_string().as_bytes()).unwrap();
    }
    mirrors
}

fn n_of(mirrors: &Mirrors) -> Option<&Value> {
    mirrors.get(1)?.get()?.get("n")
}

#[test]
fn other_codecs_are_refused_by_name() {
    let (server, _counter) = hosted();
    for codec in ["msgpack", "cbor", "application/x-msgpack", "morse"] {
        let wishes = Opening::parse(&format!("codec={codec}")).unwrap();
        let error = serve_comm_with(&server, FakeComm::default(), wishes).unwrap_err();
        assert_eq!(
            error,
            ServeError::Codec {
                name: codec.to_owned()
            }
        );
        assert!(error.to_string().contains(codec), "{error}");
    }
    assert_eq!(*server.connections().borrow(), 0);
}

#[test]
fn a_comm_speaks_json_also_where_the_default_is_another_codec() {
    let session = Session::new();
    let _counter = session.host(Counter { n: 3, small: 0 });
    let server = Server::builder(session)
        .default_codec(Codec::MessagePack)
        .build();
    let comm = FakeComm::default();
    let _ = serve_comm(&server, comm.clone()).unwrap();
    assert_eq!(n_of(&mirrored(&comm.sent(1))), Some(&Value::Int(3)));
}

#[test]
fn a_comm_continues_where_its_client_is() {
    let (server, counter) = hosted();
    for n in 1..=3 {
        counter.write().n = n;
        assert!(sync(&server).faults.is_empty());
    }
    let comm = FakeComm::default();
    let wishes = Opening::parse("since=%7B%221%22%3A1%7D&batch=1").unwrap();
    let _ = serve_comm_with(&server, comm.clone(), wishes).unwrap();
    assert_eq!(kinds(&comm.sent(2)), ["patch", "patch"]);
}

#[test]
fn every_ready_gets_the_models() {
    let (server, counter) = hosted();
    let widget = FakeWidget::default();
    let served = serve_anywidget(&server, widget.clone());
    counter.write().n = 1;
    assert!(sync(&server).faults.is_empty());
    widget.0.sent(0);
    assert!(!served.is_open());

    for n in 1..=3 {
        counter.write().n = n;
        widget.ready();
        let sent = widget.0.sent(1);
        assert_eq!(
            sent.first().unwrap()["wire"]["value"]["Map"]["n"],
            json!({ "Int": n })
        );
        assert!(served.is_open());
        assert_eq!(*server.connections().borrow(), 1);
    }
}

#[test]
fn closing_ends_the_connection() {
    let (server, counter) = hosted();
    let comm = FakeComm::default();
    let of_comm = serve_comm(&server, comm.clone()).unwrap();
    let widget = FakeWidget::default();
    let of_widget = serve_anywidget(&server, widget.clone());
    widget.ready();
    assert_eq!(*server.connections().borrow(), 2);

    comm.sent(1);
    widget.0.sent(1);
    comm.shut();
    widget.0.shut();
    assert!(!of_comm.is_open() && !of_widget.is_open());
    assert_eq!(*server.connections().borrow(), 0);

    counter.write().n = 1;
    assert!(sync(&server).faults.is_empty());
    comm.deliver(&Json::String(set("n", 9)));
    widget.ready();
    assert_eq!(counter.read().n, 1, "frames of a closed comm do nothing");
    comm.sent(0);
    widget.0.sent(0);
    assert_eq!(*server.connections().borrow(), 0);
}

#[test]
fn a_malformed_frame_closes_its_comm_alone() {
    let (server, counter) = hosted();
    let (bad, good) = (FakeComm::default(), FakeComm::default());
    let _ = serve_comm(&server, bad.clone()).unwrap();
    let _ = serve_comm(&server, good.clone()).unwrap();
    bad.deliver(&json!({ "t": "patch" }));
    assert!(bad.is_closed() && !good.is_closed());

    good.sent(1);
    counter.write().n = 1;
    assert!(sync(&server).faults.is_empty());
    assert_eq!(kinds(&good.sent(1)), ["patch"]);
}

#[test]
fn a_widget_is_told_of_its_malformed_frame_and_may_begin_anew() {
    let (server, _counter) = hosted();
    let widget = FakeWidget::default();
    let served = serve_anywidget(&server, widget.clone());
    widget.ready();
    widget.0.sent(1);
    widget.wire("{");
    let sent = widget.0.sent(1);
    assert!(
        sent.first().unwrap()["error"]
            .as_str()
            .unwrap()
            .starts_with("malformed frame")
    );
    assert!(!served.is_open());
    widget.ready();
    widget.0.sent(1);
}

#[test]
fn what_other_connections_do_arrives_without_a_sync() {
    let (server, _counter) = hosted();
    let comm = FakeComm::default();
    let _ = serve_comm(&server, comm.clone()).unwrap();
    let mut other = server.open(&Opening::default()).unwrap();
    // More than once: whoever waits has to wait again.
    for n in 1..=20 {
        other.receive(&Frame::text(set("n", n))).unwrap();
        let sent = comm.sent_until(|m| m["t"] == "patch" && m["patch"]["rev"] == n);
        assert!(sent.last().unwrap().get("proposal").is_none());
    }
}

#[tokio::test]
async fn autosync_reaches_comms_and_widgets() {
    let (server, counter) = hosted();
    let comm = FakeComm::default();
    let _ = serve_comm(&server, comm.clone()).unwrap();
    let widget = FakeWidget::default();
    let _ = serve_anywidget(&server, widget.clone());
    widget.ready();
    let syncing = tokio::spawn(autosync(server));
    counter.write().n = 1;
    tokio::task::spawn_blocking(move || {
        comm.sent_until(|m| m["t"] == "patch");
        widget.0.sent_until(|m| m["wire"]["t"] == "patch");
    })
    .await
    .unwrap();
    syncing.abort();
}

/// Jupyter drops what goes beyond its limit, and a mirror that lost a patch stays wrong.
#[test]
fn a_burst_stays_below_the_limit_and_ends_equal() {
    let (server, counter) = hosted();
    let comm = FakeComm::default();
    let _ = serve_comm(&server, comm.clone()).unwrap();
    let start = Instant::now();
    for n in 1..=50_000 {
        counter.write().n = n;
        assert!(sync(&server).faults.is_empty());
    }
    let is_last = |m: &Json| m["patch"]["rev"] == 50_000;
    let sent = comm.sent_until(|m| {
        let batched = m["msgs"].as_array().and_then(|msgs| msgs.last());
        is_last(m) || batched.is_some_and(is_last)
    });
    let seconds = start.elapsed().as_secs_f64();
    let allowed = f64::from(MESSAGES_PER_SECOND) * (1.0 + seconds);
    assert!(
        sent.len() as f64 <= allowed,
        "{} in {seconds} s",
        sent.len()
    );
    assert_eq!(n_of(&mirrored(&sent)), Some(&Value::Int(50_000)));
}

#[test]
fn an_answer_is_never_lost_in_a_burst() {
    let (server, counter) = hosted();
    let comm = FakeComm::default();
    let _ = serve_comm(&server, comm.clone()).unwrap();
    for n in 1..=2_000 {
        counter.write().n = n;
        assert!(sync(&server).faults.is_empty());
    }
    comm.deliver(&Json::String(set("small", 101)));
    let is_reject = |m: &Json| m["t"] == "reject" && m["proposal"] == "p";
    let sent = comm.sent_until(|m| {
        let batched = m["msgs"].as_array().and_then(|msgs| msgs.last());
        is_reject(m) || batched.is_some_and(is_reject)
    });
    assert_eq!(n_of(&mirrored(&sent)), Some(&Value::Int(2_000)));
}
