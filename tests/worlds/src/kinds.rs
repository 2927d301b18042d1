//! A model with what only its schema tells: which numbers are Floats, what belongs where nothing is yet. At `/kinds/ws`,
//! for `client/test/schema.test.js` and `view.test.js`.

use std::collections::BTreeMap;

use axum::Router;
use transports::{Server, Session, Synced};
use transports_adapters::{autosync, ws};

#[derive(Synced)]
struct Kinds {
    share: Option<f64>,
    count: Option<i64>,
    shares: BTreeMap<String, f64>,
    counts: BTreeMap<String, i64>,
    pairs: Vec<(f64, i64)>,
    shape: Shape,
    parts: Vec<Part>,
    wide: i64,
    #[synced(range = -5..=1_000)]
    level: i64,
    #[synced(range = 0.25..=1.0)]
    dimmed: Option<f64>,
    #[synced(read_only)]
    seen: bool,
    #[synced(read_only)]
    past: Vec<i64>,
    mode: Option<Mode>,
}

#[derive(Synced)]
enum Mode {
    Slow,
    Fast,
}

#[derive(Synced)]
#[synced(tag = "t", content = "c")]
enum Shape {
    Circle(f64),
    Stars(i64),
}

#[derive(Synced)]
struct Part {
    weight: f64,
    #[synced(default)]
    pieces: i64,
}

pub(crate) fn app() -> Router {
    let session = Session::new();
    session.host(Kinds {
        share: None,
        count: None,
        shares: BTreeMap::new(),
        counts: BTreeMap::new(),
        pairs: Vec::new(),
        shape: Shape::Circle(1.5),
        parts: Vec::new(),
        wide: 0,
        level: 0,
        dimmed: None,
        seen: true,
        past: vec![1],
        mode: Some(Mode::Fast),
    });
    let server = Server::new(session);
    tokio::spawn(autosync(server.clone()));
    Router::new().route("/kinds/ws", ws(server))
}
