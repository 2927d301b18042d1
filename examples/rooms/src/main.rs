//! Rooms that people join by name: `cargo run -p rooms`.
//!
//! Each person is a tenant, with notes that nobody else is sent. The board of a room is shared: people write on it,
//! spectators only look. Whoever has the link that is printed sees how the house is doing and, with `&room=tea` behind
//! it, what nobody else sees of a room. Anybody can claim any name
//! here; an application has a layer of its own that knows who somebody is.
#![expect(
    clippy::print_stdout,
    reason = "the addresses to open are this program's output"
)]

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::interval;
use transports::{Hub, Server};
use transports_adapters::{autosync, client_js, sse, ws};

mod house;

use house::House;

const PAGE: &str = include_str!("index.html");
/// Notes of people who are gone for so long are thrown away.
const IDLE: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let Some(port) = port(std::env::args().skip(1)) else {
        eprintln!("usage: rooms [--port PORT]");
        std::process::exit(2);
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    let key = format!(
        "{:016x}",
        getrandom::u64().expect("there are random numbers")
    );
    println!("open http://{address}/");
    println!("watch a room: http://{address}/?room=tea");
    println!("the house: http://{address}/?admin={key}");
    axum::serve(listener, app(&House::open(key))).await
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

/// The routes to a house, and what keeps it going.
fn app((hub, server): &(Hub, Server)) -> Router {
    tokio::spawn(autosync(server.clone()));
    tokio::spawn(tidy(hub.clone()));
    Router::new()
        .route("/", get(Html(PAGE)))
        .route("/client.js", client_js())
        .route("/ws", ws(server.clone()))
        .route("/sse", sse(server.clone()))
}

async fn tidy(hub: Hub) {
    let mut minutes = interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        hub.expire(SystemTime::now(), IDLE);
    }
}

#[cfg(test)]
mod tests;
