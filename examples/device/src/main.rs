//! A lamp with a field of each kind: `cargo run -p device`.
//!
//! Clients of other languages are tested against it (`tests/interop`), so its model stays as it is.
#![expect(
    clippy::print_stdout,
    reason = "the address to open is this program's output"
)]

use std::collections::BTreeMap;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;
use transports::server::{Connection, Opening};
use transports::session::Hosted;
use transports::{Codec, Mirror, Server, Session, Synced};
use transports_adapters::{autosync, client_js, sse, ws};

const PAGE: &str = include_str!("index.html");

#[derive(Synced)]
struct Device {
    name: String,
    on: bool,
    #[synced(range = 0..=100)]
    brightness: i64,
    tags: Vec<String>,
    meta: BTreeMap<String, i64>,
    children: Vec<Child>,
}

#[derive(Synced)]
struct Child {
    id: i64,
    label: String,
}

impl Default for Device {
    fn default() -> Self {
        let child = |id, label: &str| Child {
            id,
            label: label.into(),
        };
        Self {
            name: "lamp".into(),
            on: false,
            brightness: 50,
            tags: vec!["a".into(), "b".into()],
            meta: BTreeMap::from([("x".into(), 1)]),
            children: vec![child(1, "one"), child(2, "two")],
        }
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let Some(port) = port(std::env::args().skip(1)) else {
        eprintln!("usage: device [--port PORT]");
        std::process::exit(2);
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("open http://{}/", listener.local_addr()?);
    axum::serve(listener, app()).await
}

/// The port to listen on; 0 is any free one. `None`: the command line makes no sense.
fn port(mut args: impl Iterator<Item = String>) -> Option<u16> {
    let port = match args.next().as_deref() {
        None => 8010,
        Some("--port") => args.next()?.parse().ok()?,
        Some(_) => return None,
    };
    args.next().is_none().then_some(port)
}

/// A device, what makes it react, and the routes to it.
fn app() -> Router {
    // Tests of clients count on revisions.
    let session = Session::builder().first_revision(0).build();
    let device = session.host(Device::default());
    let server = Server::new(session);
    let watcher = server.open(&Opening::default());
    let watcher = watcher.expect("the default codec is always there");
    tokio::spawn(autosync(server.clone()));
    tokio::spawn(brighten(device, watcher));
    Router::new()
        .route("/", get(Html(PAGE)))
        .route("/client.js", client_js())
        .route("/ws", ws(server.clone()))
        .route("/sse", sse(server))
}

/// Adds 1 to the brightness whenever an edit turns the name into "tick". It watches as any client does, so that the
/// edit's own patch is out before the reaction to it.
async fn brighten(device: Hosted<Device>, mut connection: Connection) {
    let mut mirror = Mirror::<Device>::new(device.id());
    while let Some(frame) = connection.next().await {
        let before = is_tick(&mirror);
        let message = Codec::Json
            .decode(&frame.bytes)
            .expect("the server speaks JSON");
        mirror.receive(message).expect("the server sends what fits");
        if before == Some(false) && is_tick(&mirror) == Some(true) {
            let mut device = device.write();
            device.brightness = (device.brightness + 1).min(100);
        }
    }
}

/// Whether the device is named "tick"; `None` before the first snapshot.
fn is_tick(mirror: &Mirror<Device>) -> Option<bool> {
    mirror.get().map(|device| device.name == "tick")
}

#[cfg(test)]
mod tests;
