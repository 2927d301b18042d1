//! A network in memory that can be told what to break. It needs no sockets, and with tokio's paused clock no time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;
use transports_adapters::client::{Client, ClientBuilder, Connector, Opening, Stream};

/// Clients hold clones of it as their connectors.
#[derive(Clone)]
pub(super) struct Network {
    inner: Arc<Inner>,
}

struct Inner {
    /// The application that answers; none while the server is down.
    app: parking_lot::Mutex<Option<Router>>,
    /// Raised to cut all connections there are.
    cut: watch::Sender<()>,
    faults: parking_lot::Mutex<Faults>,
    opened: AtomicUsize,
}

/// What goes wrong on connections made from now on.
#[derive(Clone, Copy, Default)]
pub(super) struct Faults {
    pub(super) seed: u64,
    /// A connection breaks after a random number of bytes up to this.
    pub(super) bytes: Option<usize>,
    /// Each piece of data takes a random time up to this.
    pub(super) delay: Duration,
}

impl Network {
    pub(super) fn new(app: Router) -> Self {
        let inner = Inner {
            app: Some(app).into(),
            cut: watch::Sender::new(()),
            faults: parking_lot::Mutex::default(),
            opened: AtomicUsize::new(0),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// A client that connects over it.
    pub(super) fn client(&self) -> ClientBuilder {
        Client::builder("ws://host/ws").connector(self.clone())
    }

    /// Another application answers from now on; none: the server is down.
    pub(super) fn serve(&self, app: Option<Router>) {
        *self.inner.app.lock() = app;
    }

    /// Cuts all connections that there are.
    pub(super) fn cut(&self) {
        self.inner.cut.send_replace(());
    }

    pub(super) fn set(&self, faults: Faults) {
        *self.inner.faults.lock() = faults;
    }

    /// How many connections were made.
    pub(super) fn opened(&self) -> usize {
        self.inner.opened.load(Ordering::Relaxed)
    }
}

/// What a pipe holds: little, so that a slow reader is felt at once.
const PIPE: usize = 2 << 10;

impl Connector for Network {
    fn connect(&self, _host: &str, _port: u16) -> Opening {
        let this = self.clone();
        Box::pin(async move {
            let app = this.inner.app.lock().clone();
            let app = app.ok_or(io::ErrorKind::ConnectionRefused)?;
            let number = this.inner.opened.fetch_add(1, Ordering::Relaxed) as u64;
            let (client, client_end) = duplex(PIPE);
            let (server_end, server) = duplex(PIPE);
            let faults = *this.inner.faults.lock();
            let random = fastrand::Rng::with_seed(faults.seed ^ number.wrapping_mul(0x9e37_79b9));
            tokio::spawn(pipe(
                client_end,
                server_end,
                faults,
                random,
                this.inner.cut.subscribe(),
            ));
            tokio::spawn(async move {
                // It ends with an error whenever the network is cut.
                let _ = auto::Builder::new(hyper_util::rt::TokioExecutor::new())
                    .serve_connection_with_upgrades(
                        TokioIo::new(server),
                        TowerToHyperService::new(app),
                    )
                    .await;
            });
            Ok(Box::new(client) as Box<dyn Stream>)
        })
    }
}

/// Carries bytes between the two ends until something breaks, and then drops both.
async fn pipe(
    client: DuplexStream,
    server: DuplexStream,
    faults: Faults,
    mut random: fastrand::Rng,
    mut cut: watch::Receiver<()>,
) {
    cut.mark_unchanged();
    let (client_out, client_in) = tokio::io::split(client);
    let (server_out, server_in) = tokio::io::split(server);
    let mut budget = || {
        faults
            .bytes
            .map_or(usize::MAX, |most| random.usize(..=most))
    };
    let (up, down) = (budget(), budget());
    let other = random.fork();
    tokio::select! {
        () = carry(client_out, server_in, up, faults.delay, random) => {}
        () = carry(server_out, client_in, down, faults.delay, other) => {}
        _ = cut.changed() => {}
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut budget: usize,
    delay: Duration,
    mut random: fastrand::Rng,
) {
    let mut buffer = [0; 256];
    while budget > 0 {
        let piece = random.usize(1..=buffer.len()).min(budget);
        let Ok(len @ 1..) = from.read(&mut buffer[..piece]).await else {
            return;
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay.mul_f64(random.f64())).await;
        }
        if to.write_all(&buffer[..len]).await.is_err() {
            return;
        }
        budget -= len;
    }
}
