//! A counter that every browser tab shows and changes: `cargo run -p counter`.
#![expect(
    clippy::print_stdout,
    reason = "the address to open is this program's output"
)]

use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::interval;
use transports::session::Hosted;
use transports::{Server, Session, Synced};
use transports_adapters::{autosync, client_js, sse, ws};

const PAGE: &str = include_str!("index.html");

#[derive(Synced)]
struct Counter {
    /// Changed by the buttons of the page.
    count: i64,
    label: String,
    #[synced(read_only)]
    people: u64,
    #[synced(read_only)]
    tick: u64,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let Some(port) = port(std::env::args().skip(1)) else {
        eprintln!("usage: counter [--port PORT]");
        std::process::exit(2);
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("open http://{}/", listener.local_addr()?);
    axum::serve(listener, app()).await
}

/// The port to listen on; 0 is any free one. `None`: the command line makes no sense.
fn port(mut args: impl Iterator<Item = String>) -> Option<u16> {
    let port = match args.next().as_deref() {
        None => 8000,
        Some("--port") => args.next()?.parse().ok()?,
        Some(_) => return None,
    };
    args.next().is_none().then_some(port)
}

/// A counter, what keeps it going, and the routes to it.
fn app() -> Router {
    let session = Session::new();
    let counter = session.host(Counter {
        count: 0,
        label: "One counter for everybody".into(),
        people: 0,
        tick: 0,
    });
    let server = Server::new(session);
    tokio::spawn(autosync(server.clone()));
    tokio::spawn(tick(counter.clone()));
    tokio::spawn(count_people(counter, server.connections()));
    Router::new()
        .route("/", get(Html(PAGE)))
        .route("/client.js", client_js())
        .route("/ws", ws(server.clone()))
        .route("/sse", sse(server))
}

async fn tick(counter: Hosted<Counter>) {
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        counter.write().tick += 1;
    }
}

async fn count_people(counter: Hosted<Counter>, mut connections: watch::Receiver<usize>) {
    while connections.changed().await.is_ok() {
        counter.write().people = *connections.borrow_and_update() as u64;
    }
}

#[cfg(test)]
mod tests;
