//! Telling connections that the program ends.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

/// Ends connections in an orderly way: what is due goes out, clients are told to come back, and the program waits for
/// all of it.
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
    told: AtomicU64,
}

/// Clients that come back after a shutdown are spread over this time.
const SPREAD: u64 = 5_000;

impl Shutdown {
    /// A shutdown that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells all connections to end, those that open later too.
    pub fn begin(&self) {
        self.shared.begun.send_replace(true);
    }

    /// Waits until all connections have ended, for at most `within`. False if there are some left.
    pub async fn finished(&self, within: Duration) -> bool {
        let closed = self.shared.begun.closed();
        tokio::time::timeout(within, closed).await.is_ok()
    }

    /// For one connection to hold while it is open.
    pub(crate) fn watch(&self) -> ShutdownWatch {
        ShutdownWatch {
            begun: self.shared.begun.subscribe(),
            shared: Arc::clone(&self.shared),
        }
    }
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
pub(crate) struct Cut(pub(crate) Arc<Notify>);

/// What a connection knows of the end. The shutdown is finished when none of these is left.
pub(crate) struct ShutdownWatch {
    begun: watch::Receiver<bool>,
    shared: Arc<Shared>,
}

impl ShutdownWatch {
    /// Waits for the shutdown; then, after how many milliseconds the client should come back: not all at once.
    pub(crate) async fn begun(&mut self) -> u64 {
        // The sender lives as long as `self.shared`.
        let _ = self.begun.wait_for(|begun| *begun).await;
        let number = self.shared.told.fetch_add(1, Ordering::Relaxed);
        // The golden ratio: any number of clients is spread evenly, without a random source.
        500 + number.wrapping_mul(3_090) % SPREAD
    }
}
