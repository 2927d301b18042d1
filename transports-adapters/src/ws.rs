//! WebSocket: both ways, in any codec.

mod close;
#[cfg(test)]
mod conformance;
mod connection;
mod metrics;
mod settings;
mod socket;
mod upgrade;
mod write;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tracing::Instrument;
use transports::server::{Connection, Ended, Opening};
use transports::{Codec, Server};

pub use self::settings::WebSocketSettings;
use self::socket::Socket;
use self::upgrade::Handshake;
use crate::Refusal;
use crate::origin::Door;
use crate::peer::peer;
use crate::shutdown::{Shutdown, ShutdownHeld};

/// A route that clients connect to by WebSocket, with the default settings of [`WebSocket`].
///
/// ```
/// use axum::Router;
/// use transports::{Server, Session};
/// use transports_adapters::ws;
///
/// let server = Server::new(Session::new());
/// let app: Router = Router::new().route("/ws", ws(server));
/// # drop(app);
/// ```
pub fn ws<S>(server: impl Into<Server>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    WebSocket::new(server).route()
}

/// Connects clients by WebSocket.
///
/// The query of the URL says what a client wants (`docs/protocol.md`, "WebSocket"): `codec`, `since`, `batch`, `epoch`.
/// One that cannot be had is answered with 400 before the upgrade. Text frames carry JSON, binary frames the other
/// codecs. Nothing is compressed: a small frame can hold a huge message that way, and each connection would keep
/// buffers for it.
///
/// A page may connect to the server it came from, and to no other unless [`allow_origin`](Self::allow_origin) says so.
///
/// The close frame says why a connection ends:
///
/// | code | the client |
/// |--:|---|
/// | 1002 | sent what is no WebSocket |
/// | 1007 | sent a malformed frame |
/// | 1008 | sent too many messages ([`messages_per_second`](WebSocketSettings::messages_per_second)), or one in endless fragments; asked for more than it read; or is not wanted any more ([`Server::close`]) |
/// | 3000 | has no right to be here any more ([`Ended::Unauthorized`](transports::server::Ended::Unauthorized)) |
/// | 1009 | sent a message that is too large ([`frame_bytes`](transports::server::Limits::frame_bytes)) |
/// | 1011 | did not answer a ping; or a message could not be encoded |
/// | 1012 | should come back: the server shuts down, and the reason says in how many milliseconds |
/// | 1013 | did not read what was sent ([`write_timeout`](WebSocketSettings::write_timeout)) |
///
/// A client's own close frame is answered with its code.
///
/// ```
/// use std::time::Duration;
///
/// use axum::Router;
/// use transports::{Server, Session};
/// use transports_adapters::WebSocket;
///
/// let server = Server::new(Session::new());
/// let live = WebSocket::new(server)
///     .allow_origin("https://app.example")
///     .settings(|settings| settings.ping_interval = Duration::from_secs(10));
/// let app: Router = Router::new().route("/ws", live.route());
/// # drop(app);
/// ```
#[derive(Clone, Debug)]
pub struct WebSocket {
    server: Server,
    settings: WebSocketSettings,
    door: Door,
    protocols: Vec<HeaderValue>,
    shutdown: Option<Shutdown>,
}

impl WebSocket {
    /// Clients of this server, with the default settings.
    #[must_use]
    pub fn new(server: impl Into<Server>) -> Self {
        Self {
            server: server.into(),
            settings: WebSocketSettings::default(),
            door: Door::default(),
            protocols: Vec::new(),
            shutdown: None,
        }
    }

    /// Changes times and limits.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut WebSocketSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Lets pages of another origin connect, too: `https://app.example`, with a port if it is not the scheme's own.
    ///
    /// By default only pages of the same host and port may. Requests without `Origin` do not come from browsers and are
    /// let in; others are answered with 403.
    ///
    /// # Panics
    /// It is no origin.
    #[must_use]
    pub fn allow_origin(mut self, origin: &str) -> Self {
        self.door.allow_origin(origin);
        self
    }

    /// Lets pages of any origin connect, those without one (`null`) too. Then nothing but a token in the request keeps
    /// somebody's page from acting with the cookies of whoever looks at it.
    #[must_use]
    pub fn allow_any_origin(mut self) -> Self {
        self.door.any_origin = true;
        self
    }

    /// Answers for this host, too: `app.example`, on any port if none is given.
    ///
    /// Once one is named, requests for hosts that are not are answered with 421. So they are without any when
    /// [`serve`](crate::serve()) listens on a loopback address, where a page whose name resolves to it (DNS rebinding) would
    /// else count as of the same origin. Names and addresses that can only mean this machine always pass, and so do the
    /// hosts of [allowed origins](Self::allow_origin). A reverse proxy that runs on the same machine and passes `Host` on
    /// needs this.
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

    /// Takes the host from this header where there is one: for a reverse proxy that always sets it, such as
    /// `x-forwarded-host`. By default no such header is believed.
    #[must_use]
    pub fn forwarded_host(mut self, header: HeaderName) -> Self {
        self.door.forwarded_host = Some(header);
        self
    }

    /// Subprotocols to choose from, the best first. The first that a client offers in `Sec-WebSocket-Protocol` is named in
    /// the answer; none if there is none.
    ///
    /// # Panics
    /// One of them cannot stand in a header.
    #[must_use]
    pub fn protocols<'a>(mut self, protocols: impl IntoIterator<Item = &'a str>) -> Self {
        let protocols =
            protocols
                .into_iter()
                .map(|protocol| match HeaderValue::from_str(protocol) {
                    Ok(protocol) => protocol,
                    Err(_) => panic!("`{protocol}` cannot stand in a header"),
                });
        self.protocols = protocols.collect();
        self
    }

    /// Shuts the server down when this shutdown begins. Not needed with [`serve`](crate::serve()).
    #[must_use]
    pub fn shutdown(mut self, shutdown: &Shutdown) -> Self {
        self.shutdown = Some(shutdown.clone());
        self
    }

    /// The route, for any axum application.
    pub fn route<S>(self) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        crate::mount(&self.server);
        let this = Arc::new(self);
        // HTTP/1.1 upgrades by GET, HTTP/2 by CONNECT.
        any(async move |request: Request| {
            let (request, _) = request.into_parts();
            this.accept(request).unwrap_or_else(Refusal::into_response)
        })
    }

    fn accept(self: &Arc<Self>, mut request: Parts) -> Result<Response, Refusal> {
        let (handshake, opening) = self
            .look_at(&mut request)
            .inspect_err(|refusal| metrics::refused(refusal.outcome))?;
        let served_by = request.extensions.get::<Shutdown>();
        let shutdown = self.shutdown.as_ref().or(served_by);
        let held = shutdown.map(|shutdown| shutdown.hold(&self.server));
        let connection = Box::new(self.server.open_for(&opening, peer("ws", request))?);
        let this = Arc::clone(self);
        tokio::spawn(this.upgraded(connection, handshake.on_upgrade, held));
        Ok(handshake.response)
    }

    /// Whether the request is a proper one from somebody who may ask at all. The order matters: who may not come in
    /// learns nothing, not even whether there is something.
    fn look_at(&self, request: &mut Parts) -> Result<(Handshake, Opening), Refusal> {
        self.door.check(request)?;
        let handshake = upgrade::handshake(request, &self.protocols)?;
        let opening = Opening::parse(request.uri.query().unwrap_or_default())?;
        Ok((handshake, opening))
    }

    async fn upgraded(
        self: Arc<Self>,
        connection: Box<Connection>,
        on_upgrade: OnUpgrade,
        held: Option<ShutdownHeld>,
    ) {
        let upgraded = match on_upgrade.await {
            Ok(upgraded) => upgraded,
            Err(error) => {
                tracing::debug!(%error, "a client left during the handshake");
                return;
            }
        };
        // A plain TCP socket is used as such: small frames must not wait for each other in the kernel.
        match downcast::<TokioIo<TcpStream>>(upgraded) {
            Ok(parts) => {
                let io = parts.io.into_inner();
                // A socket that is gone already says so when it is used.
                let _ = io.set_nodelay(true);
                self.run(connection, io, parts.read_buf, held).await;
            }
            Err(upgraded) => {
                let io = TokioIo::new(upgraded);
                self.run(connection, io, Bytes::new(), held).await;
            }
        }
    }

    /// Serves a client over a stream on which the handshake is done already: for servers other than axum's, and for
    /// tests. The connection is one of [`Server::open_for`]; origins and hosts are not looked at.
    ///
    /// Ends when the connection does. Dropping the future cuts it.
    pub async fn serve<S>(&self, connection: Connection, io: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let held = self
            .shutdown
            .as_ref()
            .map(|shutdown| shutdown.hold(&self.server));
        self.run(Box::new(connection), io, Bytes::new(), held).await;
    }

    /// The connection is boxed, as a future has room for each hand that a value goes through.
    async fn run<S>(
        &self,
        mut connection: Box<Connection>,
        io: S,
        read: Bytes,
        held: Option<ShutdownHeld>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let codec = match connection.codec() {
            Codec::Json => "json",
            Codec::MessagePack => "msgpack",
            Codec::Cbor => "cbor",
            _ => "custom",
        };
        let span = tracing::info_span!("transports_connection", transport = "ws", codec);
        async {
            let mut socket = Socket::new(io, &read, self.server.limits().frame_bytes);
            drop(read);
            connection::run(&mut connection, &mut socket, &self.settings).await;
            let ended = connection.ended().cloned().unwrap_or(Ended::Left);
            // What it holds of the session is free before the goodbyes.
            drop(connection);
            close::close(socket, &ended, &self.settings).await;
            // The shutdown waits for the goodbyes.
            drop(held);
        }
        .instrument(span)
        .await;
    }
}
