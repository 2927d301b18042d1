//! Server-Sent Events: JSON to the client, and edits by POST.

mod body;
mod event;
mod render;
mod resume;
mod settings;
mod streams;
mod uplink;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use transports::server::Opening;
use transports::{Codec, Server};

use self::body::EventBody;
pub use self::event::{AppEvent, AppEventError, Events};
use self::event::{OURS, render};
use self::resume::Told;
pub use self::settings::EventStreamSettings;
use self::streams::{Stream, Streams};
use crate::Refusal;
use crate::origin::Door;
use crate::peer::peer;
use crate::rate::Rate;
use crate::shutdown::{Cut, Shutdown};

/// A route that a browser's `EventSource` connects to, with the default settings of [`EventStream`].
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
pub fn sse<S>(server: impl Into<Server>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    EventStream::new(server).route()
}

/// The header of a POST that says whose it is.
const TOKEN: HeaderName = HeaderName::from_static("transports-uplink");
/// The header of a POST that says which it is, of those of its stream.
const NUMBER: HeaderName = HeaderName::from_static("transports-post");

/// Connects clients by Server-Sent Events.
///
/// Each message of the protocol is one event of the default name, as JSON. The query may give `since`, `batch` and `epoch`
/// as for [`ws`](crate::WebSocket). Clients without `epoch`, such as an `EventSource`, get an `id` with each event, and
/// the browser gives it back when it reconnects (`Last-Event-ID`): it is told what it missed, and not all anew.
///
/// The first event has the name `transports` and a token. A `POST` to the same route with the token in the header
/// `Transports-Uplink` is a message of this client, or a batch of them, and the answers come as events
/// (`docs/protocol.md`, "Server-Sent Events").
///
/// The application may send [events](Self::events) of its own beside these.
///
/// A page may connect to the server it came from, and to no other unless [`allow_origin`](Self::allow_origin) says so; then
/// the browser wants to see headers of CORS, too, say from `tower_http::cors`. A layer that compresses has to be told
/// that it may: `tower_http`'s leaves event streams alone by default.
///
/// ```
/// use std::time::Duration;
///
/// use axum::Router;
/// use transports::{Server, Session};
/// use transports_adapters::EventStream;
///
/// let server = Server::new(Session::new());
/// let live = EventStream::new(server)
///     .allow_origin("https://app.example")
///     .settings(|settings| settings.heartbeat = Duration::from_secs(5));
/// let app: Router = Router::new().route("/sse", live.route());
/// # drop(app);
/// ```
#[derive(Clone, Debug)]
pub struct EventStream {
    server: Server,
    settings: EventStreamSettings,
    door: Door,
    shutdown: Option<Shutdown>,
    streams: Arc<Streams>,
}

impl EventStream {
    /// Clients of this server, with the default settings.
    #[must_use]
    pub fn new(server: impl Into<Server>) -> Self {
        let settings = EventStreamSettings::default();
        Self {
            server: server.into(),
            streams: streams(&settings),
            settings,
            door: Door::default(),
            shutdown: None,
        }
    }

    /// Changes times and limits. To be called before [`events`](Self::events).
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut EventStreamSettings)) -> Self {
        change(&mut self.settings);
        self.streams = streams(&self.settings);
        self
    }

    /// Lets pages of another origin connect, too: see [`WebSocket::allow_origin`](crate::WebSocket::allow_origin).
    ///
    /// # Panics
    /// It is no origin.
    #[must_use]
    pub fn allow_origin(mut self, origin: &str) -> Self {
        self.door.allow_origin(origin);
        self
    }

    /// Lets pages of any origin connect: see [`WebSocket::allow_any_origin`](crate::WebSocket::allow_any_origin).
    #[must_use]
    pub fn allow_any_origin(mut self) -> Self {
        self.door.any_origin = true;
        self
    }

    /// Answers for this host, too: see [`WebSocket::allow_host`](crate::WebSocket::allow_host).
    ///
    /// # Panics
    /// It is no host.
    #[must_use]
    pub fn allow_host(mut self, host: &str) -> Self {
        self.door.allow_host(host);
        self
    }

    /// Answers for any host, on loopback addresses as well.
    #[must_use]
    pub fn allow_any_host(mut self) -> Self {
        self.door.any_host = true;
        self
    }

    /// Takes the host from this header where there is one: see
    /// [`WebSocket::forwarded_host`](crate::WebSocket::forwarded_host).
    #[must_use]
    pub fn forwarded_host(mut self, header: HeaderName) -> Self {
        self.door.forwarded_host = Some(header);
        self
    }

    /// Ends the connections when this shutdown begins. Not needed with [`serve`](crate::serve()).
    #[must_use]
    pub fn shutdown(mut self, shutdown: &Shutdown) -> Self {
        self.shutdown = Some(shutdown.clone());
        self
    }

    /// Sends events of the application to the clients of this route.
    #[must_use]
    pub fn events(&self) -> Events {
        Events(Arc::downgrade(&self.streams))
    }

    /// The route, for any axum application.
    pub fn route<S>(self) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        crate::mount(&self.server);
        let this = Arc::new(self);
        let posts = Arc::clone(&this);
        let opened = get(async move |request: Request| {
            let (request, _) = request.into_parts();
            this.open(request)
                .unwrap_or_else(IntoResponse::into_response)
        });
        if !posts.settings.uplink {
            return opened;
        }
        opened.post(async move |request: Request| {
            let (request, body) = request.into_parts();
            let checked = posts.door.check(&request);
            let taken = match checked {
                Ok(()) => posts.take_in(&request.headers, body).await,
                Err(refusal) => Err(refusal),
            };
            match taken {
                Ok(()) => StatusCode::NO_CONTENT.into_response(),
                Err(refusal) => refusal.into_response(),
            }
        })
    }

    fn open(&self, request: Parts) -> Result<Response, Refusal> {
        let opening = self.opening(&request).inspect_err(|refusal| {
            let labels = [("transport", "sse"), ("outcome", refusal.outcome)];
            metrics::counter!("transports_connects_total", &labels).increment(1);
        })?;
        let served_by = request.extensions.get::<Shutdown>();
        let shutdown = self.shutdown.as_ref().or(served_by);
        let held = shutdown.map(|shutdown| shutdown.hold(&self.server));
        // A connection of HTTP/2 may have other streams, which are not to be cut.
        let cut = request
            .extensions
            .get::<Cut>()
            .filter(|_| request.version < Version::HTTP_2);
        let cut = cut.map(|cut| Arc::clone(&cut.0));
        let told = opening.epoch.is_none_or(|epoch| {
            // Resumed by the header.
            epoch.is_some() && request.headers.contains_key(LAST_EVENT_ID)
        });
        let connection = self.server.open_for(&opening, peer("sse", request))?;
        let told = told.then(|| {
            let now = connection.epoch();
            // What it says of another life is not true in this one.
            let of_this_life = opening.epoch.flatten().is_none_or(|epoch| epoch == now);
            let since = if of_this_life {
                opening.since.clone()
            } else {
                Default::default()
            };
            Arc::new(Told::new(now, since))
        });
        let secret = secret()?;
        let rate = Rate::new(
            self.settings.messages_per_second,
            self.settings.message_burst,
        );
        let stream = Arc::new(Stream::new(connection, secret, rate, cut));
        let body = EventBody::new(
            Arc::clone(&self.streams),
            Arc::clone(&stream),
            told,
            self.beginning(&stream),
            self.settings.heartbeat,
            held,
        );
        let headers = [
            (header::CONTENT_TYPE, "text/event-stream"),
            // Nobody between is to keep it, or to wait for more of it to compress.
            (header::CACHE_CONTROL, "no-cache, no-transform"),
            (ACCEL_BUFFERING, "no"),
        ];
        Ok((headers, Body::new(body)).into_response())
    }

    /// Who may not come in learns nothing, not even whether there is something.
    fn opening(&self, request: &Parts) -> Result<Opening, Refusal> {
        self.door.check(request)?;
        let mut opening = Opening::parse(request.uri.query().unwrap_or_default())?;
        // Events are text, and the protocol's text is JSON.
        opening.codec = Some(Codec::Json.name().to_owned());
        let last = request.headers.get(LAST_EVENT_ID);
        let limit = self.server.limits().since_models;
        let told = last
            .and_then(|id| id.to_str().ok())
            .and_then(|id| Told::parse(id, limit));
        if let Some(told) = told {
            opening.epoch = Some(Some(told.epoch()));
            opening.since.clone_from(told.revisions());
        }
        Ok(opening)
    }

    /// The first event. It has data that clients which do not look at names take for a message of an unknown kind.
    fn beginning(&self, stream: &Stream) -> Bytes {
        let retry = self.settings.retry.as_millis();
        let mut hello = serde_json::json!({ "t": OURS });
        if self.settings.uplink
            && let Some(hello) = hello.as_object_mut()
        {
            hello.insert("uplink".to_owned(), stream.token().into());
        }
        let event = render(OURS, &hello.to_string());
        [format!("retry: {retry}\n").as_bytes(), &event]
            .concat()
            .into()
    }
}

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Known to nginx and others that follow it.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

fn streams(settings: &EventStreamSettings) -> Arc<Streams> {
    Arc::new(Streams::new(settings.write_timeout, settings.event_bytes))
}

fn secret() -> Result<u128, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| {
        Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "opening",
            "there are no random numbers",
        )
    })?;
    Ok(u128::from_ne_bytes(bytes))
}
