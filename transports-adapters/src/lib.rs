//! Moves the frames of a [`transports::Server`] over real connections. Where one is taken, a [`transports::Hub`] may stand,
//! too.
//!
//! | adapter | direction | codecs | mount it with |
//! |---|---|---|---|
//! | [`ws`] | both ways | all | `.route("/ws", ws(server))` |
//! | [`sse`] | both ways: edits by POST | JSON | `.route("/sse", sse(server))` |
//!
//! [`client_js`] serves the browser client that goes with them: `import { connect } from "/client.js"`.
//!
//! They are ordinary [axum](https://docs.rs/axum) routes: they stand next to your own, under any state, and `tower`
//! layers around them work as around any other. [`autosync`] sends what changed as it changes.
//!
//! ```
//! use transports::{Server, Session, Synced};
//! use transports_adapters::{autosync, sse, ws};
//!
//! #[derive(Synced)]
//! struct Counter {
//!     tick: u64,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let session = Session::new();
//! let counter = session.host(Counter { tick: 0 });
//! let server = Server::new(session);
//! tokio::spawn(autosync(server.clone()));
//!
//! let app: axum::Router = axum::Router::new()
//!     .route("/ws", ws(server.clone()))
//!     .route("/sse", sse(server));
//! # drop((app, counter));
//! # }
//! ```
//!
//! # Limits
//!
//! What a client may send is limited by the server ([`transports::server::Limits`]); how long one is waited for, and how
//! often it may send, by [`WebSocketSettings`]. Each limit has a default. `axum::serve` waits for ever for a request that
//! was begun; [`serve`](crate::serve()) does not.
//!
//! # What can be observed
//!
//! Each WebSocket has a `tracing` span `transports_connection` (level info) with the fields `transport` and `codec`; why
//! requests are refused and connections end are events of level debug. Neither has queries, tokens or values in it.
//! Counters go to the recorder of the crate `metrics`, if there is one: the server's (`docs/operations.md` lists them all),
//! and beside them, of what the server does not hear:
//!
//! | name | labels | counts |
//! |---|---|---|
//! | `transports_connects_total` | `transport`: `ws`; `outcome`: `origin`, `host`, `handshake`, `query` | requests turned away before the server is asked |
//! | `transports_limit_hits_total` | `limit`: `fragments`, `messages_per_second`, `write_timeout`, `pong_timeout`, `uplink_timeout`, `event_bytes` | clients beyond [`WebSocketSettings`] and [`EventStreamSettings`] |
//! | `transports_limit_hits_total` | `limit`: `header_timeout`, `head_bytes`, `shutdown_timeout` | requests that [`serve`](crate::serve()) cut or refused |
//!
//! # Features
//!
//! - `ws` (default): the WebSocket adapter.
//! - `sse` (default): the Server-Sent Events adapter.
//! - `serve` (default): [`serve`](crate::serve()).
//! - `http2`: WebSocket over HTTP/2 (RFC 8441), and [`serve`](crate::serve()) speaks it.
//! - `inspect`: a route that shows what a server is doing, [`inspect`](crate::inspect()).
//! - `client-js` (default): the browser client as a route.
//! - `client`: the [`client`] for Rust programs, over WebSocket, with TLS.
//! - `client-sse`: the client over Server-Sent Events, too.
//! - `jupyter`: comms and widgets of a Jupyter kernel, in [`jupyter`].
//! - `jupyter-kernel`: a kernel that is this program, in [`jupyter::kernel`].

#[cfg(any(feature = "ws", feature = "sse"))]
mod alarm;
mod autosync;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client-js")]
mod client_js;
#[cfg(any(feature = "ws", feature = "sse"))]
mod hit;
#[cfg(feature = "inspect")]
mod inspect;
#[cfg(feature = "jupyter")]
pub mod jupyter;
#[cfg(any(feature = "ws", feature = "sse", feature = "inspect"))]
mod origin;
#[cfg(any(feature = "ws", feature = "sse"))]
mod peer;
#[cfg(any(feature = "ws", feature = "sse"))]
mod rate;
#[cfg(any(feature = "ws", feature = "sse", feature = "inspect"))]
mod refusal;
#[cfg(feature = "serve")]
mod serve;
#[cfg(any(feature = "ws", feature = "sse"))]
mod shutdown;
#[cfg(feature = "sse")]
mod sse;
#[cfg(feature = "ws")]
mod ws;

pub use self::autosync::{INTERVAL, autosync, autosync_every};
#[cfg(feature = "client-js")]
pub use self::client_js::{CLIENT_JS_HASH, client_js};
#[cfg(feature = "inspect")]
pub use self::inspect::{Inspect, inspect};
#[cfg(any(feature = "ws", feature = "sse", feature = "inspect"))]
use self::refusal::Refusal;
#[cfg(feature = "serve")]
pub use self::serve::{Serve, serve};
#[cfg(any(feature = "ws", feature = "sse"))]
pub use self::shutdown::Shutdown;
#[cfg(feature = "sse")]
pub use self::sse::{AppEvent, AppEventError, EventStream, EventStreamSettings, Events, sse};
#[cfg(feature = "ws")]
pub use self::ws::{WebSocket, WebSocketSettings, ws};

/// Settles what a server leaves to those who know the time: its revisions begin where no earlier life of the program
/// has been, unless the application says otherwise.
#[cfg(any(feature = "ws", feature = "sse"))]
fn mount(server: &transports::Server) {
    use std::time::SystemTime;

    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    server.begin_at(since.map_or(0, first_revision));
}

/// The revision that a life of a server begins with, which was mounted so long since 1970: 65,536 a second, all life long,
/// and far from 2^53, where numbers of JavaScript end. Parts of a second count, or a server that is back within one would
/// begin where it began before.
#[cfg(any(feature = "ws", feature = "sse"))]
fn first_revision(since: std::time::Duration) -> u64 {
    (since.as_secs() << 16) + ((u64::from(since.subsec_nanos()) << 16) / 1_000_000_000)
}

/// The example of the README, compiled.
#[cfg(all(doctest, feature = "ws", feature = "sse"))]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(all(test, feature = "ws"))]
mod tests {
    use std::time::Duration;

    use super::first_revision;

    #[test]
    fn a_server_that_is_back_within_a_second_has_revisions_of_its_own() {
        let begun = Duration::from_millis(1_700_000_000_250);
        assert_eq!(first_revision(begun) >> 16, 1_700_000_000);
        let back = first_revision(begun + Duration::from_millis(250));
        assert_eq!(back - first_revision(begun), 16_384);
        let last = first_revision(Duration::new(1_700_000_000, 999_999_999));
        assert_eq!(last + 1, first_revision(Duration::from_secs(1_700_000_001)));
    }
}
