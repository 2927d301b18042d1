//! What a server is doing, for whoever looks after it.

mod page;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use serde::Serialize;
use transports::Server;
use transports::server::{ConnectionInfo, Peer, Stats};
use transports::session::ModelInfo;

use crate::Refusal;
use crate::origin::Door;

/// A route that shows what a server is doing: [`Inspect`] with the default settings.
///
/// ```
/// use axum::Router;
/// use transports::{Server, Session};
/// use transports_adapters::inspect;
///
/// let server = Server::new(Session::new());
/// let app: Router = Router::new().route("/inspect", inspect(server));
/// # drop(app);
/// ```
pub fn inspect<S>(server: impl Into<Server>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    Inspect::new(server).route()
}

/// Shows what a server is doing: its counts, its connections and its models. No values are shown.
///
/// JSON, or a page for people who ask with `Accept: text/html`, as browsers do. Up to 1024 connections and models each;
/// where there are more, `next_connections` and `next_models` are what the next request gives as `?connections=` and
/// `?models=`.
///
/// Whoever may see it sees addresses and names of users: put it behind the application's authentication. On loopback
/// addresses it answers, as the other routes do, only for hosts that mean this machine.
///
/// ```
/// use axum::Router;
/// use transports::{Server, Session};
/// use transports_adapters::Inspect;
///
/// #[derive(Clone)]
/// struct User(String);
///
/// let server = Server::new(Session::new());
/// let inspect = Inspect::new(server).name(|peer| Some(peer.get::<User>()?.0.clone()));
/// let app: Router = Router::new().route("/inspect", inspect.route());
/// # drop(app);
/// ```
#[derive(Clone)]
pub struct Inspect {
    server: Server,
    name: Name,
    door: Door,
}

/// What somebody is called.
type Name = Arc<dyn Fn(&Peer) -> Option<String> + Send + Sync>;

/// At most so many connections and models are shown at a time.
const PAGE: usize = 1024;

impl Inspect {
    /// Shows this server.
    #[must_use]
    pub fn new(server: impl Into<Server>) -> Self {
        Self {
            server: server.into(),
            name: Arc::new(|_| None),
            door: Door::default(),
        }
    }

    /// How somebody is called, by what the application left in [`Peer::extensions`]. By default nobody has a name.
    #[must_use]
    pub fn name(mut self, name: impl Fn(&Peer) -> Option<String> + Send + Sync + 'static) -> Self {
        self.name = Arc::new(name);
        self
    }

    /// Answers for this host, too: as [`WebSocket::allow_host`](crate::WebSocket::allow_host).
    ///
    /// # Panics
    /// It is no host.
    #[must_use]
    pub fn allow_host(mut self, host: &str) -> Self {
        self.door.allow_host(host);
        self
    }

    /// The route, for any axum application.
    pub fn route<S>(self) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let this = Arc::new(self);
        get(async move |request: Request| {
            this.answer(request).unwrap_or_else(Refusal::into_response)
        })
    }

    fn answer(&self, request: Request) -> Result<Response, Refusal> {
        let (request, _) = request.into_parts();
        self.door.check(&request)?;
        let places = Places::parse(request.uri.query().unwrap_or_default())?;
        let report = self.report(places);
        let headers = [
            (header::CACHE_CONTROL, "no-store"),
            (header::VARY, "accept"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            ),
        ];
        Ok(if wants_page(&request.headers) {
            let page = page::page(&report, SystemTime::now()).to_string();
            (headers, Html(page)).into_response()
        } else {
            (headers, Json(report)).into_response()
        })
    }

    fn report(&self, places: Places) -> Report {
        let mut infos = self.server.registry_page(places.connections, PAGE + 1);
        let next_connections = infos.get(PAGE).map(|info| info.number);
        infos.truncate(PAGE);
        let connections = infos
            .into_iter()
            .map(|info| Row::of((self.name)(&info.peer), info))
            .collect();
        let mut models = self.server.models(places.models, PAGE + 1);
        let next_models = (models.len() > PAGE).then_some(places.models.saturating_add(PAGE));
        models.truncate(PAGE);
        Report {
            epoch: self.server.epoch().to_string(),
            stats: self.server.stats(),
            connections,
            next_connections,
            models,
            next_models,
        }
    }
}

impl fmt::Debug for Inspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspect")
            .field("server", &self.server)
            .field("door", &self.door)
            .finish_non_exhaustive()
    }
}

/// Where the pages begin that are asked for.
#[derive(Clone, Copy, Default)]
struct Places {
    /// The number of a connection.
    connections: u64,
    /// How many models come before.
    models: usize,
}

impl Places {
    fn parse(query: &str) -> Result<Self, Refusal> {
        let mut places = Self::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let parsed = match name {
                "connections" => value.parse().map(|number| places.connections = number),
                "models" => value.parse().map(|skip| places.models = skip),
                _ => Ok(()),
            };
            parsed.map_err(|_| {
                let text = format!("`{name}` has to be a number");
                Refusal::new(StatusCode::BAD_REQUEST, "query", text)
            })?;
        }
        Ok(places)
    }
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).into_iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"))
}

#[derive(Serialize)]
struct Report {
    epoch: String,
    stats: Stats,
    connections: Vec<Row>,
    next_connections: Option<u64>,
    models: Vec<ModelInfo>,
    next_models: Option<usize>,
}

/// One connection. Times are milliseconds since 1970.
#[derive(Serialize)]
struct Row {
    number: u64,
    name: Option<String>,
    transport: &'static str,
    address: Option<String>,
    codec: String,
    since: Option<u64>,
    last_active: Option<u64>,
    frames_in: u64,
    bytes_in: u64,
    frames_out: u64,
    bytes_out: u64,
    queued_bytes: usize,
    behind: u64,
    limits_hit: Vec<&'static str>,
}

impl Row {
    fn of(name: Option<String>, info: ConnectionInfo) -> Self {
        Self {
            number: info.number,
            name,
            transport: info.peer.transport,
            address: info.peer.address.map(|address| address.to_string()),
            codec: info.codec,
            since: info.peer.since.map(millis),
            last_active: info.last_active.map(millis),
            frames_in: info.frames_in,
            bytes_in: info.bytes_in,
            frames_out: info.frames_out,
            bytes_out: info.bytes_out,
            queued_bytes: info.queued_bytes,
            behind: info.behind,
            limits_hit: info.limits_hit,
        }
    }
}

/// Since 1970.
fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis().try_into().unwrap_or(u64::MAX))
}
