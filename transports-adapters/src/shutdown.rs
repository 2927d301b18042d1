//! Telling connections that the program ends.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use transports::Server;

/// Ends connections in an orderly way: what is due goes out, clients are told to come back, and the program waits for
/// all of it.
///
/// It does so by [`Server::shutdown`] of the servers whose clients came this way, which has an end for good.
///
/// [`serve`](crate::serve()) does this by itself. Beside `axum::serve`, which forgets connections once they are
/// upgraded, pass one to [`WebSocket::shutdown`](crate::WebSocket::shutdown):
///
/// ```
/// use std::time::Duration;
///
/// use transports::{Server, Session};
/// use transports_adapters::{Shutdown, WebSocket};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let shutdown = Shutdown::new();
/// let server = Server::new(Session::new());
/// let app: axum::Router = axum::Router::new()
///     .route("/ws", WebSocket::new(server).shutdown(&shutdown).route());
///
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let signal = async { /* tokio::signal::ctrl_c().await */ };
/// let stop = shutdown.clone();
/// axum::serve(listener, app)
///     .with_graceful_shutdown(async move {
///         signal.await;
///         stop.begin();
///     })
///     .await?;
/// assert!(shutdown.finished(Duration::from_secs(10)).await);
/// # Ok(())
/// # }
/// ```
///
/// Clones are the same shutdown.
#[derive(Clone, Default)]
pub struct Shutdown {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    begun: watch::Sender<bool>,
    /// Those whose clients came this way.
    servers: Mutex<Vec<Server>>,
}

impl Shutdown {
    /// A shutdown that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Shuts down all servers whose clients came this way, now or later: what changed goes out, clients are told to come
    /// back, and new ones are refused ([`Server::shutdown`]).
    pub fn begin(&self) {
        let servers = {
            let mut servers = self.shared.servers.lock();
            self.shared.begun.send_replace(true);
            std::mem::take(&mut *servers)
        };
        servers.iter().for_each(shut_down);
    }

    /// Waits until all connections have ended, for at most `within`. False if there are some left.
    pub async fn finished(&self, within: Duration) -> bool {
        let closed = self.shared.begun.closed();
        tokio::time::timeout(within, closed).await.is_ok()
    }

    /// For a connection to hold while it is open.
    pub(crate) fn hold(&self, server: &Server) -> ShutdownHeld {
        let mut servers = self.shared.servers.lock();
        if *self.shared.begun.borrow() {
            drop(servers);
            shut_down(server);
        } else if !servers.iter().any(|other| other.ptr_eq(server)) {
            servers.push(server.clone());
        }
        self.watch()
    }

    /// For what is no client of a server, but has to end as well.
    pub(crate) fn watch(&self) -> ShutdownHeld {
        ShutdownHeld {
            begun: self.shared.begun.subscribe(),
            _shared: Arc::clone(&self.shared),
        }
    }
}

fn shut_down(server: &Server) {
    // Faults are reported to the log by the sync itself.
    let _ = server.sync();
    server.shutdown("shutting down");
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown")
            .field("begun", &*self.shared.begun.borrow())
            .field("connections", &self.shared.begun.receiver_count())
            .finish()
    }
}

/// Lets those who serve a request cut the connection it came by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut(
    #[cfg_attr(
        not(any(feature = "sse", feature = "serve")),
        expect(dead_code, reason = "event streams cut, and `serve` listens")
    )]
    pub(crate) Arc<Notify>,
);

/// What a connection holds. The shutdown is finished when none of these is left.
pub(crate) struct ShutdownHeld {
    /// Counts as one that the shutdown waits for.
    #[cfg_attr(
        not(feature = "serve"),
        expect(dead_code, reason = "only `serve` waits for the beginning")
    )]
    begun: watch::Receiver<bool>,
    /// The sender lives as long.
    _shared: Arc<Shared>,
}

impl ShutdownHeld {
    /// Waits for the shutdown.
    #[cfg(feature = "serve")]
    pub(crate) async fn begun(&mut self) {
        let _ = self.begun.wait_for(|begun| *begun).await;
    }
}

/// Clients that come back after a shutdown are spread over this time.
const SPREAD: u64 = 5_000;

/// After how many milliseconds the next client should come back: not all at once.
pub(crate) fn retry_ms() -> u64 {
    static TOLD: AtomicU64 = AtomicU64::new(0);
    let number = TOLD.fetch_add(1, Ordering::Relaxed);
    // The golden ratio: any number of clients is spread evenly, without a random source.
    500 + number.wrapping_mul(3_090) % SPREAD
}
