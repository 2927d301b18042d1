//! A lamp for notebooks of any kernel: `TOKEN=secret cargo run -p notebook --bin remote -- --origin http://localhost:8888`,
//! and `remote.py` in the notebook.
//!
//! Any web page can reach a server on localhost. So this one takes connections only from pages of the given origin, the
//! notebook's, and only with the token.
#![expect(
    clippy::print_stdout,
    reason = "the address to connect to is this program's output"
)]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::net::TcpListener;
use transports::{Server, Session, Synced};
use transports_adapters::{WebSocket, autosync, client_js};

#[derive(Synced)]
struct Lamp {
    on: bool,
    #[synced(range = 0..=100)]
    brightness: i64,
    seconds: u64,
}

/// Who may connect.
struct Door {
    origin: HeaderValue,
    token: String,
}

#[derive(Deserialize)]
struct Shown {
    token: Option<String>,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let token = std::env::var("TOKEN")
        .ok()
        .filter(|token| !token.is_empty());
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let (page, port) = match args.as_slice() {
        ["--origin", origin] => (*origin, Ok(8020)),
        ["--origin", origin, "--port", port] => (*origin, port.parse()),
        _ => ("", Ok(0)),
    };
    let (Some(token), Ok(origin), Ok(port), false) = (token, page.parse(), port, page.is_empty())
    else {
        eprintln!("usage: TOKEN=secret remote --origin http://localhost:8888 [--port PORT]");
        std::process::exit(2);
    };

    let session = Session::new();
    let lamp = session.host(Lamp {
        on: true,
        brightness: 50,
        seconds: 0,
    });
    let server = Server::new(session);
    tokio::spawn(autosync(server.clone()));
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            lamp.write().seconds += 1;
        }
    });

    let door = Arc::new(Door { origin, token });
    let guarded = Router::new()
        .route("/ws", WebSocket::new(server).allow_origin(page).route())
        .route_layer(from_fn_with_state(Arc::clone(&door), check));
    // The client's source is no secret, but a page of another origin may only load it with this header.
    let source =
        Router::new()
            .route("/client.js", client_js())
            .layer(axum::middleware::map_response(
                move |mut response: Response| {
                    let origin = door.origin.clone();
                    async move {
                        response
                            .headers_mut()
                            .insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                        response
                    }
                },
            ));
    let app = Router::new()
        .route("/", get("a server for notebooks\n"))
        .merge(guarded)
        .merge(source);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("ws://{}/ws", listener.local_addr()?);
    axum::serve(listener, app).await
}

/// Lets only those pass who have the token.
async fn check(
    State(door): State<Arc<Door>>,
    Query(shown): Query<Shown>,
    request: Request,
    next: Next,
) -> Response {
    if shown.token.as_deref() != Some(&door.token) {
        return (StatusCode::UNAUTHORIZED, "the token is missing or wrong").into_response();
    }
    next.run(request).await
}
