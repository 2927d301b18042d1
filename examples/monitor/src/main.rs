//! A dashboard of this machine, ten times a second: `cargo run -p monitor`.
#![expect(
    clippy::print_stdout,
    reason = "the address to open is this program's output"
)]

mod machine;
mod sampler;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;
use transports::{Server, Session};
use transports_adapters::{autosync, client_js, sse, ws};

use self::sampler::Sampler;

const PAGE: &str = include_str!("index.html");

struct Arguments {
    /// The port to listen on; 0 is any free one.
    port: u16,
    /// How many rows the table has at least: what the processes do not fill is made up.
    rows: usize,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let Some(Arguments { port, rows }) = arguments(std::env::args().skip(1)) else {
        eprintln!("usage: monitor [--port PORT] [--rows ROWS]");
        std::process::exit(2);
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("open http://{}/", listener.local_addr()?);
    axum::serve(listener, app(rows)).await
}

/// `None`: the command line makes no sense.
fn arguments(mut args: impl Iterator<Item = String>) -> Option<Arguments> {
    let mut arguments = Arguments {
        port: 8030,
        rows: 1000,
    };
    while let Some(name) = args.next() {
        let value = args.next()?;
        match name.as_str() {
            "--port" => arguments.port = value.parse().ok()?,
            "--rows" => arguments.rows = value.parse().ok().filter(|rows| *rows <= 10_000)?,
            _ => return None,
        }
    }
    Some(arguments)
}

/// The machine, who looks at it ten times a second, and the routes to it.
fn app(rows: usize) -> Router {
    let session = Session::new();
    let mut sampler = Sampler::new(rows);
    let machine = session.host(sampler.first());
    let server = Server::new(session);
    tokio::spawn(autosync(server.clone()));
    let watchers = server.connections();
    // To ask the system takes milliseconds, and is not async.
    std::thread::spawn(move || sampler.run(&machine, &watchers));
    Router::new()
        .route("/", get(Html(PAGE)))
        .route("/client.js", client_js())
        .route("/ws", ws(server.clone()))
        .route("/sse", sse(server))
}

#[cfg(test)]
mod tests;
