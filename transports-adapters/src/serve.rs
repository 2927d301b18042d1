//! Runs an application.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, IntoFuture, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until};
use tower_service::Service;

use crate::origin::OnLoopback;
use crate::shutdown::{Cut, Shutdown};

/// Serves an application until a signal, in place of `axum::serve`:
///
/// - A client has 10 s ([`header_timeout`](Serve::header_timeout)) for the head of a request. `axum::serve` waits for
///   ever, and each that never comes costs a socket.
/// - At the [signal](Serve::with_graceful_shutdown) WebSockets are told, too: what is due goes out, they are closed with
///   code 1012, and all of it takes at most 10 s ([`shutdown_timeout`](Serve::shutdown_timeout)).
/// - On a loopback address only requests for this machine are answered: see
///   [`allow_host`](crate::WebSocket::allow_host).
/// - Small frames go out at once (`TCP_NODELAY`).
///
/// Any listener that axum takes will do, one that speaks TLS as well. Handlers may take
/// [`ConnectInfo`] of the listener's addresses.
///
/// ```no_run
/// use axum::Router;
/// use tokio::net::TcpListener;
/// use transports::{Server, Session};
/// use transports_adapters::{serve, ws};
///
/// # #[tokio::main]
/// # async fn main() -> std::io::Result<()> {
/// let app = Router::new().route("/ws", ws(Server::new(Session::new())));
/// serve(TcpListener::bind("127.0.0.1:8000").await?, app)
///     .with_graceful_shutdown(async { tokio::signal::ctrl_c().await.expect("signals can be listened to") })
///     .await
/// # }
/// ```
pub fn serve<L: Listener>(listener: L, app: Router) -> Serve<L> {
    Serve {
        listener,
        app,
        header_timeout: Duration::from_secs(10),
        shutdown_timeout: Duration::from_secs(10),
        signal: Box::pin(pending()),
    }
}

/// What [`serve`] returns: await it.
#[must_use = "nothing is served until this is awaited"]
pub struct Serve<L> {
    listener: L,
    app: Router,
    header_timeout: Duration,
    shutdown_timeout: Duration,
    signal: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The head of a request may take this much: room for the revisions of a few thousand models in `since`.
const HEAD: usize = 64 << 10;

impl<L> Serve<L> {
    /// How long the head of a request may take, 10 s by default. Then the connection is cut.
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.header_timeout = timeout;
        self
    }

    /// How long connections have to end after the signal, 10 s by default. Then they are cut.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Ends in an orderly way when this future does.
    pub fn with_graceful_shutdown(
        mut self,
        signal: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        self.signal = Box::pin(signal);
        self
    }
}

impl<L> fmt::Debug for Serve<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("header_timeout", &self.header_timeout)
            .field("shutdown_timeout", &self.shutdown_timeout)
            .finish_non_exhaustive()
    }
}

impl<L> IntoFuture for Serve<L>
where
    L: Listener,
    L::Addr: Clone + Send + Sync + 'static,
{
    type Output = io::Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<L> Serve<L>
where
    L: Listener,
    L::Addr: Clone + Send + Sync + 'static,
{
    async fn run(mut self) -> io::Result<()> {
        let shutdown = Shutdown::new();
        let on_loopback = match (&self.listener.local_addr()? as &dyn Any).downcast_ref() {
            Some(SocketAddr::V4(address)) => address.ip().is_loopback(),
            Some(SocketAddr::V6(address)) => address.ip().to_canonical().is_loopback(),
            None => false,
        };
        loop {
            let (io, address) = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut self.signal => break,
            };
            let client = Client {
                app: self.app.clone(),
                address: ConnectInfo(address),
                on_loopback,
                shutdown: shutdown.clone(),
                cut: Cut::default(),
                is_known: AtomicBool::new(false),
            };
            tokio::spawn(client.serve(io, self.header_timeout, self.shutdown_timeout));
        }
        drop(self.listener);
        shutdown.begin();
        if !shutdown.finished(self.shutdown_timeout).await {
            tracing::warn!(
                "connections are cut: they did not end within {:?}",
                self.shutdown_timeout
            );
        }
        Ok(())
    }
}

/// Counts that a client reached a limit.
fn limit(limit: &'static str) {
    metrics::counter!("transports_limit_hits_total", "limit" => limit).increment(1);
}

/// One connection of HTTP.
struct Client<A> {
    app: Router,
    address: ConnectInfo<A>,
    on_loopback: bool,
    shutdown: Shutdown,
    cut: Cut,
    /// Whether a request came through.
    is_known: AtomicBool,
}

impl<A: Clone + Send + Sync + 'static> Client<A> {
    async fn serve<I>(self, mut io: I, header_timeout: Duration, shutdown_timeout: Duration)
    where
        I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        if let Some(tcp) = (&mut io as &mut dyn Any).downcast_mut::<TcpStream>() {
            // A socket that is gone already says so when it is used.
            let _ = tcp.set_nodelay(true);
        }
        let mut watch = self.shutdown.watch();
        let this = Arc::new(self);
        let service = service_fn(|request| Arc::clone(&this).call(request));

        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(header_timeout)
            .max_buf_size(HEAD);
        #[cfg(feature = "http2")]
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(25))
            .enable_connect_protocol();
        #[cfg(not(feature = "http2"))]
        let builder = builder.http1_only();

        let mut served = pin!(builder.serve_connection_with_upgrades(TokioIo::new(io), service));
        // Before the first request it is not even clear which HTTP is spoken, and nobody else looks at the clock.
        let mut stranger = pin!(sleep(header_timeout));
        let mut begun = pin!(watch.begun());
        let mut last = pin!(sleep_until(Instant::now()));
        let mut cut = pin!(this.cut.0.notified());
        let mut is_late = false;
        let mut is_closing = false;
        loop {
            tokio::select! {
                result = served.as_mut() => {
                    if let Err(error) = result {
                        tracing::debug!(%error, "a connection ends");
                        let error = error.downcast_ref::<hyper::Error>();
                        if error.is_some_and(hyper::Error::is_timeout) {
                            this.no_request();
                        } else if error.is_some_and(hyper::Error::is_parse_too_large) {
                            limit("head_bytes");
                        }
                    }
                    return;
                }
                () = &mut stranger, if !is_late => {
                    is_late = true;
                    if this.no_request() {
                        return;
                    }
                }
                _ = &mut begun, if !is_closing => {
                    is_closing = true;
                    last.as_mut().reset(Instant::now() + shutdown_timeout);
                    served.as_mut().graceful_shutdown();
                }
                () = &mut last, if is_closing => return,
                () = &mut cut => {
                    tracing::debug!("a connection is cut: the client reads nothing");
                    return;
                }
            }
        }
    }

    /// The time for the first request is over. Returns whether there was none.
    fn no_request(&self) -> bool {
        let is_stranger = !self.is_known.load(Ordering::Relaxed);
        if is_stranger {
            tracing::debug!("a connection is cut: no request came in time");
            limit("header_timeout");
        }
        is_stranger
    }

    async fn call(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<axum::response::Response, Infallible> {
        self.is_known.store(true, Ordering::Relaxed);
        let mut request = request.map(axum::body::Body::new);
        let extensions = request.extensions_mut();
        extensions.insert(self.address.clone());
        extensions.insert(self.shutdown.clone());
        extensions.insert(self.cut.clone());
        if self.on_loopback {
            extensions.insert(OnLoopback);
        }
        self.app.clone().call(request).await
    }
}
