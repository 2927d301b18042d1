//! The memory that tenants take: what they leave behind when they are gone, which is nothing, and what a question about a
//! model costs that is hidden from them, which is what one costs about a model that is not there.
#![expect(clippy::print_stdout, reason = "the figures are worth a look")]

use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use transports::hub::{FIRST_SHARED, Mode, Shared, Sharing, Tenant};
use transports::message::ModelId;
use transports::server::{Connection, Opening, Peer};
use transports::session::Frame;
use transports::{Hub, Server, Value};

/// Tenants that stay all the time.
const RESIDENTS: usize = 200;
/// So many more come at a time, stay for a moment and go, so many times.
const GUESTS: usize = 100;
const WAVES: usize = 100;
/// After so many waves what is kept of the past is full: patches, and names of those who are gone.
const FIRST: usize = 12;

fn visit(hub: &Hub, server: &Server, board: &Shared<Value>, name: &str) -> Connection {
    let own = hub
        .tenant(name)
        .host_named("Notes", Value::from("x".repeat(200)));
    hub.subscribe(name, board.id(), Mode::Write);
    let peer = Peer::default().with(Tenant::from(name));
    let opened = server.open_for(&Opening::default(), peer);
    let mut connection = opened.expect("there is room");
    *own.write() = Value::from("y".repeat(200));
    let id = board.id();
    for frame in [
        format!(
            r#"{{"t":"patch","id":{id},"patch":{{"rev":0,"ops":[{{"Set":{{"path":[],"value":{{"Str":"{name}"}}}}}}]}}}}"#
        ),
        format!(r#"{{"t":"awareness","id":{id},"state":"{name} is here"}}"#),
    ] {
        let received = connection.receive(&Frame::text(frame));
        received.expect("it is a message");
    }
    connection
}

fn take(connection: &mut Connection) {
    while connection.try_next().is_some() {}
}

#[test]
fn ten_thousand_tenants_leave_nothing_behind() {
    let mut at = SystemTime::UNIX_EPOCH;
    let mut world = None;
    let built = measure(|| {
        let key = |peer: &Peer| Ok(peer.get::<Tenant>().expect("it was given").clone());
        let hub = Hub::new(key);
        let server = Server::new(hub.clone());
        let board = hub
            .share_with(Value::Null, Sharing::named("Board"))
            .expect("there is no state");
        let visit = |n| visit(&hub, &server, &board, &format!("resident {n}"));
        let mut residents: Vec<_> = (0..RESIDENTS).map(visit).collect();
        let _ = hub.sync();
        residents.iter_mut().for_each(take);
        world = Some((hub, server, board, residents));
    });
    let (hub, server, board, mut residents) = world.expect("it was built");

    let mut wave = |wave: usize| {
        let visit = |n| visit(&hub, &server, &board, &format!("guest {wave}.{n}"));
        let mut guests: Vec<_> = (0..GUESTS).map(visit).collect();
        let _ = hub.sync();
        guests.iter_mut().for_each(take);
        drop(guests);
        residents.iter_mut().for_each(take);
        at += Duration::from_secs(1);
        assert_eq!(hub.expire(at, Duration::ZERO).len(), GUESTS);
        assert_eq!(hub.tenants().len(), RESIDENTS);
        assert_eq!(hub.awareness(board.id()).len(), RESIDENTS);
    };
    let warmed = measure(|| (0..FIRST).for_each(&mut wave));
    let lived = measure(|| (FIRST..FIRST + WAVES).for_each(&mut wave));
    let start = built.bytes_current + warmed.bytes_current;
    println!(
        "{RESIDENTS} residents: {start} bytes; after {} guests: {:+}; at most {:+}",
        WAVES * GUESTS,
        lived.bytes_current,
        lived.bytes_max,
    );
    assert!(lived.bytes_max > 1 << 20, "guests are measured");
    assert!(
        lived.bytes_current * 20 <= start,
        "{} bytes more than {start}",
        lived.bytes_current
    );
}

/// Whether a model is hidden or was never there, the same code runs with the same data: not one allocation differs.
#[test]
fn a_hidden_model_costs_what_an_unknown_one_costs() {
    let hub = Hub::new(|peer: &Peer| Ok(peer.get::<Tenant>().expect("it was given").clone()));
    let server = Server::new(hub.clone());
    for _ in 0..20 {
        let secret = Value::from("x".repeat(100_000));
        let shared = hub.share_with(secret, Sharing::named("Secret"));
        hub.subscribe(
            "owner",
            shared.expect("there is no state").id(),
            Mode::Write,
        );
    }
    let own = hub.tenant("stranger").host_named("Own", Value::from(1));
    let (hidden, unknown) = (FIRST_SHARED + 7, FIRST_SHARED + 77);
    let open = |query: &str| {
        let peer = Peer::default().with(Tenant::from("stranger"));
        let opening = Opening::parse(query).expect("it is one");
        server.open_for(&opening, peer).expect("there is room")
    };
    let since = |id: ModelId| format!("epoch=&gone=1&since=%7B%22{id}%22%3A3%7D");
    let mut stranger = open("");
    take(&mut stranger);
    let mut ask = |kind: &str, id: ModelId| {
        let frame = Frame::text(kind.replace("ID", &id.to_string()));
        let asked = measure(|| {
            let received = stranger.receive(&frame);
            received.expect("it is a message");
            take(&mut stranger);
        });
        (asked.count_total, asked.bytes_total, asked.bytes_max)
    };
    let resume = |id: ModelId| {
        let query = since(id);
        let resumed = measure(|| take(&mut open(&query)));
        (resumed.count_total, resumed.bytes_total, resumed.bytes_max)
    };
    for kind in [
        r#"{"t":"patch","id":ID,"patch":{"rev":0,"ops":[{"Set":{"path":[],"value":{"Int":1}}}]},"proposal":"p"}"#,
        r#"{"t":"patch","id":ID,"patch":{"rev":9,"ops":[{"Remove":{"path":[{"Key":"text"}]}}]}}"#,
        r#"{"t":"patch","id":ID,"patch":{"rev":0,"ops":[]}}"#,
        r#"{"t":"awareness","id":ID,"state":{"cursor":1}}"#,
        r#"{"t":"crdt","id":ID,"rev":0,"ops":[]}"#,
    ] {
        // What is made once, is made before.
        let _ = (ask(kind, hidden), ask(kind, unknown));
        let (first, second) = (ask(kind, hidden), ask(kind, unknown));
        println!("{first:?}: {kind}");
        assert_eq!(first, second, "{kind}");
    }
    let _ = (resume(hidden), resume(unknown));
    let (first, second) = (resume(hidden), resume(unknown));
    println!("{first:?}: a resume");
    assert_eq!(first, second);
    drop(own);
}
