//! A list that everybody with the page edits together: `cargo run -p todo`.
//!
//! The page is written in React and TypeScript (`page/`) and built beforehand (`dist/`), so that no npm is needed here.
//! With `--file todo.json` the list outlives the program.
#![expect(
    clippy::print_stdout,
    reason = "the address to open is this program's output"
)]

mod list;
mod store;

use std::path::PathBuf;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;
use transports::server::Opening;
use transports::{Server, Session};
use transports_adapters::{autosync, sse, ws};

use self::list::Todo;

const PAGE: &str = include_str!("../dist/index.html");
const SCRIPT: &str = include_str!("../dist/page.js");
const STYLE: &str = include_str!("../dist/page.css");

struct Arguments {
    /// The port to listen on; 0 is any free one.
    port: u16,
    /// Where the list is kept.
    file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let Some(Arguments { port, file }) = arguments(std::env::args().skip(1)) else {
        eprintln!("usage: todo [--port PORT] [--file FILE]");
        std::process::exit(2);
    };
    let todo = match &file {
        Some(file) => store::load(file)?.unwrap_or_default(),
        None => Todo::default(),
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("open http://{}/", listener.local_addr()?);
    axum::serve(listener, app(todo, file)).await
}

/// `None`: the command line makes no sense.
fn arguments(mut args: impl Iterator<Item = String>) -> Option<Arguments> {
    let mut arguments = Arguments {
        port: 8020,
        file: None,
    };
    while let Some(name) = args.next() {
        let value = args.next()?;
        match name.as_str() {
            "--port" => arguments.port = value.parse().ok()?,
            "--file" => arguments.file = Some(value.into()),
            _ => return None,
        }
    }
    Some(arguments)
}

/// A list, what keeps it in its file, and the routes to it.
fn app(todo: Todo, file: Option<PathBuf>) -> Router {
    let session = Session::new();
    let todo = session.host(todo);
    let server = Server::new(session);
    tokio::spawn(autosync(server.clone()));
    if let Some(file) = file {
        let watcher = server.open(&Opening::default());
        let watcher = watcher.expect("the default codec is always there");
        tokio::spawn(store::keep(todo, watcher, file));
    }
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(CONTENT_TYPE, kind)], text) })
    };
    Router::new()
        .route("/", get(Html(PAGE)))
        .route("/page.js", file("text/javascript; charset=utf-8", SCRIPT))
        .route("/page.css", file("text/css; charset=utf-8", STYLE))
        .route("/ws", ws(server.clone()))
        .route("/sse", sse(server))
}

#[cfg(test)]
mod tests;
