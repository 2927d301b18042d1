//! Servers that tests of the browser client (`client/test/faults.test.js`) restart and change as they like. Each world has
//! a board of its own, at `/{world}/ws` and `/{world}/sse`, and is made when somebody asks for it:
//!
//! - `POST /{world}/restart`: another server for the same session, `POST /{world}/forget`: for a new one;
//! - `POST /{world}/change/{number}`: a change by the host;
//! - `GET /{world}/state`: the board, and the edits made in all lives of the world.
#![expect(
    clippy::print_stdout,
    reason = "the address to connect to is this program's output"
)]

mod kinds;

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;
use transports::collections::List;
use transports::session::Hosted;
use transports::{Server, Session, Synced};
use transports_adapters::{autosync, sse, ws};

#[derive(Synced)]
struct Board {
    title: String,
    #[synced(range = 0..=100)]
    level: i64,
    /// Names of the edits that were made.
    made: List<String>,
}

/// One life of a world's server: what it holds, and the application in front of it.
struct Life {
    session: Session,
    board: Hosted<Board>,
    app: Router,
}

impl Life {
    fn new() -> Self {
        let session = Session::new();
        let board = session.host(Board {
            title: "board".into(),
            level: 0,
            made: List::new(),
        });
        let app = app(&session);
        Self {
            session,
            board,
            app,
        }
    }
}

/// A server like any other that this session could have.
fn app(session: &Session) -> Router {
    let server = Server::new(session.clone());
    tokio::spawn(autosync(server.clone()));
    Router::new()
        .route("/{world}/ws", ws(server.clone()))
        .route("/{world}/sse", sse(server))
}

/// The lives of a world; the last is the present one. Edits of clients may reach the others to the last.
struct World(Vec<Life>);

impl World {
    fn now(&mut self) -> &mut Life {
        self.0.last_mut().expect("a world begins with a life")
    }
}

#[derive(Clone, Default)]
struct Worlds(Arc<Mutex<HashMap<u32, World>>>);

impl Worlds {
    fn with<R>(&self, number: u32, use_it: impl FnOnce(&mut World) -> R) -> R {
        let mut worlds = self.0.lock();
        use_it(
            worlds
                .entry(number)
                .or_insert_with(|| World(vec![Life::new()])),
        )
    }
}

async fn connect(
    State(worlds): State<Worlds>,
    Path(world): Path<u32>,
    request: Request,
) -> Response {
    let app = worlds.with(world, |world| world.now().app.clone());
    app.oneshot(request).await.into_response()
}

async fn restart(State(worlds): State<Worlds>, Path(world): Path<u32>) {
    worlds.with(world, |world| {
        let life = world.now();
        life.app = app(&life.session);
    });
}

async fn forget(State(worlds): State<Worlds>, Path(world): Path<u32>) {
    worlds.with(world, |world| world.0.push(Life::new()));
}

async fn change(State(worlds): State<Worlds>, Path((world, number)): Path<(u32, i64)>) {
    worlds.with(world, |world| {
        let mut board = world.now().board.write();
        match number % 3 {
            0 => board.title = format!("title {number}"),
            1 => board.level = number % 100,
            _ => board.made.reverse(),
        }
    });
}

async fn state(State(worlds): State<Worlds>, Path(world): Path<u32>) -> Json<Value> {
    worlds.with(world, |world| {
        let names = |life: &Life| life.board.read().made.to_vec();
        let made: Vec<_> = world.0.iter().flat_map(names).collect();
        let life = world.now();
        let _ = life.session.sync();
        let board = life.board.read();
        let value =
            json!({ "title": board.title, "level": board.level, "made": board.made.to_vec() });
        Json(json!({ "value": value, "rev": life.board.revision(), "made": made }))
    })
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("open http://{}/", listener.local_addr()?);
    let app = Router::new()
        .route("/{world}/ws", any(connect))
        .route("/{world}/sse", any(connect))
        .route("/{world}/restart", post(restart))
        .route("/{world}/forget", post(forget))
        .route("/{world}/change/{number}", post(change))
        .route("/{world}/state", get(state))
        .with_state(Worlds::default())
        .merge(kinds::app());
    axum::serve(listener, app).await
}
