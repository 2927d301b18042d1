//! The memory that tenants leave behind when they are gone: none.
#![expect(clippy::print_stdout, reason = "the figures are worth a look")]

use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use transports::hub::{Mode, Shared, Sharing, Tenant};
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
