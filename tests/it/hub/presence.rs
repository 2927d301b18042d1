//! Passing states: how often, for how long, and by whom.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use transports::hub::{Mode, Presence, PresenceBuilder, Shared, Sharing};
use transports::message::Json;
use transports::server::{Connection, Limits};
use transports::session::Frame;
use transports::{Hub, Server, Value};

use super::{hub, open, texts};

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Seat {
    cursor: u64,
}

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000_000 + millis)
}

struct World {
    hub: Hub,
    board: Shared<Value>,
}

impl World {
    fn new(tenants: &[&str]) -> Self {
        let hub = hub();
        let board = hub.share_with(Value::Null, Sharing::named("Board"));
        let board = board.unwrap();
        for tenant in tenants {
            hub.subscribe(*tenant, board.id(), Mode::Read);
        }
        Self { hub, board }
    }

    fn say(&self, connection: &mut Connection, state: &str) {
        let id = self.board.id();
        let frame = format!(r#"{{"t":"awareness","id":{id},"state":{state}}}"#);
        connection.receive(&Frame::text(frame)).unwrap();
    }
}

/// What the connection is told of others, each as their name and state.
fn heard(connection: &mut Connection) -> Vec<(String, Json)> {
    let told = texts(connection).into_iter();
    let told = told.map(|text| serde_json::from_str::<Json>(&text).unwrap());
    let told = told.filter(|told| told["t"] == "awareness");
    told.map(|told| {
        (
            told["peer"].as_str().unwrap().to_owned(),
            told["state"].clone(),
        )
    })
    .collect()
}

fn states(connection: &mut Connection) -> Vec<Json> {
    heard(connection)
        .into_iter()
        .map(|(_, state)| state)
        .collect()
}

#[test]
fn of_states_that_come_too_soon_the_last_goes_out_as_soon_as_it_may() {
    let world = World::new(&["ann", "bob"]);
    let server = Server::builder(world.hub.clone())
        .limits(|limits| limits.awareness_per_second = 2)
        .build();
    let mut ann = open(&server, "ann", "");
    let mut bob = open(&server, "bob", "");
    ann.active(at(0));
    let mut seen = Vec::new();
    for n in 0..10 {
        world.say(&mut ann, &n.to_string());
        seen.extend(states(&mut bob));
    }
    assert_eq!(seen, [Json::from(0), 1.into()]);
    assert_eq!(server.stats().limit_hits("awareness_per_second"), 8);
    assert_eq!(ann.deadline(), Some(at(500)));
    ann.wake(at(499));
    assert_eq!(states(&mut bob), [Json::Null; 0]);
    ann.wake(at(500));
    assert_eq!(states(&mut bob), [9]);
    assert_eq!(ann.deadline(), None);
    ann.active(at(60_000));
    world.say(&mut ann, "10");
    assert_eq!(states(&mut bob), [10]);
}

#[test]
fn a_state_that_is_too_large_is_ignored_and_counted() {
    let world = World::new(&["ann", "bob"]);
    let server = Server::new(world.hub.clone());
    let limit = Limits::default().awareness_bytes;
    assert_eq!(limit, 16 << 10);
    let mut ann = open(&server, "ann", "");
    let mut bob = open(&server, "bob", "");
    let text = |bytes| format!("\"{}\"", "x".repeat(bytes - 2));
    world.say(&mut ann, &text(limit));
    assert_eq!(states(&mut bob).len(), 1);
    world.say(&mut ann, &text(limit + 1));
    assert_eq!(states(&mut bob).len(), 0);
    assert_eq!(server.stats().limit_hits("awareness_bytes"), 1);
}

fn seats() -> PresenceBuilder<Seat> {
    Presence::builder(|viewer| {
        let name = viewer.tenant.as_str();
        (name != "looker").then(|| name.to_uppercase())
    })
}

#[test]
fn connections_of_one_user_are_one_peer() {
    let world = World::new(&["ann", "bob", "looker"]);
    let presence = seats().over(&world.board);
    let server = Server::new(world.hub.clone());
    let mut bob = open(&server, "bob", "");
    let mut looker = open(&server, "looker", "");
    let mut first = open(&server, "ann", "");
    let mut second = open(&server, "ann", "");
    assert_eq!(presence.all(), []);
    let state = |connections: usize, cursor: u64| serde_json::json!({ "who": "ANN", "connections": connections, "state": { "cursor": cursor } });
    world.say(&mut first, r#"{"cursor":1,"unknown":2}"#);
    let told = heard(&mut bob);
    let name = told[0].0.clone();
    assert_eq!(told, [(name.clone(), state(1, 1))]);
    world.say(&mut second, r#"{"cursor":2}"#);
    assert_eq!(heard(&mut bob), [(name.clone(), state(2, 2))]);
    assert_eq!(heard(&mut looker), [(name.clone(), state(2, 2))]);
    assert_eq!(heard(&mut first), [], "this is who they are themselves");
    let all = presence.all();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].who.as_str(), all[0].connections), ("ANN", 2));
    assert_eq!(all[0].state, Seat { cursor: 2 });

    drop(second);
    assert_eq!(heard(&mut bob), [(name.clone(), state(1, 1))]);
    world.say(&mut first, "null");
    assert_eq!(heard(&mut bob), [(name.clone(), Json::Null)]);
    world.say(&mut first, r#"{"cursor":3}"#);
    assert_eq!(heard(&mut bob), [(name.clone(), state(1, 3))]);
    world.hub.unsubscribe("ann", world.board.id());
    assert_eq!(texts(&mut first), [""; 0]);
    assert_eq!(heard(&mut bob), [(name, Json::Null)]);
    assert_eq!(presence.all(), []);
    assert!(first.ended().is_none());
}

#[test]
fn what_is_no_state_and_who_has_no_part_is_not_heard() {
    let world = World::new(&["ann", "looker"]);
    let presence = seats().over(&world.board);
    let server = Server::new(world.hub.clone());
    let mut ann = open(&server, "ann", "");
    let mut looker = open(&server, "looker", "");
    for state in ["1", r#"{"cursor":-1}"#, r#"{"cursor":"<img>"}"#, "[]"] {
        world.say(&mut ann, state);
    }
    assert_eq!(heard(&mut looker), []);
    assert_eq!(server.stats().states_refused, 4);
    world.say(&mut looker, r#"{"cursor":1}"#);
    assert_eq!(heard(&mut ann), []);
    assert_eq!(presence.all(), []);
}

#[test]
fn a_state_counts_for_as_long_as_it_lives() {
    let world = World::new(&["ann", "bob"]);
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&log);
    let presence = seats()
        .at_first(Seat { cursor: 0 })
        .time_to_live(Duration::from_secs(5))
        .states_per_second(1)
        .on_change(move |presence| {
            let all = presence.all().into_iter();
            let all = all.map(|present| format!("{} {}", present.who, present.state.cursor));
            note.lock().push(all.collect::<Vec<_>>().join(", "));
        })
        .over(&world.board);
    let server = Server::new(world.hub.clone());
    let mut ann = open(&server, "ann", "");
    let mut bob = open(&server, "bob", "");
    assert_eq!(presence.all().len(), 2, "without a word");
    ann.active(at(0));
    world.say(&mut ann, r#"{"cursor":1}"#);
    assert_eq!(ann.deadline(), Some(at(5000)));
    ann.active(at(500));
    world.say(&mut ann, r#"{"cursor":2}"#);
    assert_eq!(ann.deadline(), Some(at(1000)), "it came too soon");
    ann.wake(at(1000));
    assert_eq!(ann.deadline(), Some(at(5500)), "it lives since it came");
    ann.wake(at(5499));
    ann.wake(at(5500));
    assert_eq!(ann.deadline(), None);
    drop(ann);
    let log = log.lock().clone();
    assert_eq!(
        log,
        [
            "ANN 0",
            "ANN 0, BOB 0",
            "ANN 1, BOB 0",
            "ANN 2, BOB 0",
            "ANN 0, BOB 0",
            "BOB 0"
        ]
    );
    let nobody: [Json; 0] = [];
    assert_eq!(
        states(&mut bob),
        nobody,
        "who looks only now hears of nobody who was"
    );
}
