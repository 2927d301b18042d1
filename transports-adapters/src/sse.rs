//! Server-Sent Events: one way, JSON.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::RawQuery;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use futures_util::stream;
use transports::server::Opening;
use transports::{Codec, Server};

/// A route that a browser's `EventSource` connects to.
///
/// Each message of the protocol is one event of the default name, as JSON. The query may give `since`, `batch` and
/// `epoch` as for [`ws`](crate::ws()); a plain `EventSource` that reconnects gets fresh snapshots. A comment line every 15
/// seconds keeps proxies from closing a quiet connection.
///
/// ```
/// use axum::Router;
/// use transports::{Server, Session};
/// use transports_adapters::sse;
///
/// let server = Server::new(Session::new());
/// let app: Router = Router::new().route("/sse", sse(server));
/// # drop(app);
/// ```
pub fn sse<S>(server: Server) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    crate::mount(&server);
    get(move |RawQuery(query): RawQuery| {
        let server = server.clone();
        async move { open(&server, query.as_deref().unwrap_or_default()) }
    })
}

const QUIET: Duration = Duration::from_secs(15);

fn open(server: &Server, query: &str) -> Response {
    let opened = Opening::parse(query).and_then(|mut opening| {
        // Events are text, and the protocol's text is JSON.
        opening.codec = Some(Codec::Json.name().to_owned());
        server.open(&opening)
    });
    let connection = match opened {
        Ok(connection) => connection,
        Err(error) => return crate::Refusal::from(error).into_response(),
    };
    let events = stream::unfold(connection, |mut connection| async {
        let frame = connection.next().await?;
        let text = str::from_utf8(&frame.bytes).expect("JSON is UTF-8");
        Some((Ok::<_, Infallible>(Event::default().data(text)), connection))
    });
    Sse::new(events)
        .keep_alive(KeepAlive::new().interval(QUIET))
        .into_response()
}
