//! What the hosts of a simulation have in common: the models, and what is to be remembered of clients.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use parking_lot::Mutex;
use tokio::time::sleep;
use transports::session::Hosted;
use transports::{Server, Session, Synced};
use transports_adapters::{EventStream, WebSocket, autosync, serve};
use turmoil::net::{TcpListener, TcpStream};

use crate::board::Board;

/// The ids of the models.
pub(super) const BOARDS: std::ops::RangeInclusive<u64> = 1..=2;

pub(super) struct Stage {
    pub(super) random: Mutex<fastrand::Rng>,
    pub(super) life: Mutex<Life>,
    /// The server that runs.
    pub(super) server: Mutex<Option<Server>>,
    is_rough: AtomicBool,
    edits: AtomicU64,
    /// The edits of our clients that are not answered yet.
    awaited: AtomicUsize,
    answers: Mutex<Vec<(String, Answer)>>,
}

/// What became of an edit.
#[derive(Debug)]
pub(super) enum Answer {
    Made,
    Rejected(String),
    /// The connection was lost before.
    Unknown,
}

/// The state of the server between two losses of it.
pub(super) struct Life {
    pub(super) session: Session,
    pub(super) boards: Vec<Hosted<Board>>,
}

impl Life {
    /// A life that knows of none before. `now` is the time since 1970, from which adapters take the first revision; they
    /// read it off the machine's clock, which knows nothing of simulated time.
    pub(super) fn new(now: Duration) -> Self {
        let first = (now.as_millis() as u64 * 65_536) / 1000;
        let session = Session::builder().first_revision(first).build();
        let boards = BOARDS.map(|id| session.host(Board::new(format!("board {id}"))));
        let boards = boards.collect();
        Self { session, boards }
    }

    /// A life that goes on where this one was, without its history.
    pub(super) fn restored(&self) -> Self {
        let _ = self.session.sync();
        let saved: Vec<_> = BOARDS
            .map(|id| self.session.snapshot(id).expect("it is hosted"))
            .collect();
        let revision = saved.iter().map(|(revision, _)| *revision).max();
        let session = Session::builder()
            .epoch(self.session.epoch())
            .first_revision(revision.unwrap_or_default())
            .build();
        let boards = saved.into_iter().map(|(_, value)| {
            let board = Board::read(value).expect("it is a board");
            session.host(board)
        });
        let boards = boards.collect();
        Self { session, boards }
    }
}

impl Stage {
    pub(super) fn new(random: fastrand::Rng, now: Duration) -> Self {
        Self {
            random: random.into(),
            life: Life::new(now).into(),
            server: Mutex::default(),
            is_rough: true.into(),
            edits: AtomicU64::new(0),
            awaited: AtomicUsize::new(0),
            answers: Mutex::default(),
        }
    }

    /// Whether connections break and clients edit.
    pub(super) fn is_rough(&self) -> bool {
        self.is_rough.load(Relaxed)
    }

    pub(super) fn calm(&self) {
        self.is_rough.store(false, Relaxed);
    }

    /// Sleeps for a random time.
    pub(super) async fn doze(&self, most: Duration) {
        let time = most.mul_f64(self.random.lock().f64());
        sleep(time).await;
    }

    /// The name of the next edit, the model it is for, and a level for it, which may break the rule.
    pub(super) fn next_edit(&self) -> (String, u64, i64) {
        let number = self.edits.fetch_add(1, Relaxed);
        let mut random = self.random.lock();
        let (id, level) = (random.u64(BOARDS), random.i64(0..=110));
        (format!("edit {number}"), id, level)
    }

    /// Waits for the answer of one of our clients.
    pub(super) async fn awaits(&self, name: String, answer: impl Future<Output = Answer>) {
        self.awaited.fetch_add(1, Relaxed);
        self.answered(name, answer.await);
        self.awaited.fetch_sub(1, Relaxed);
    }

    pub(super) fn is_answered(&self) -> bool {
        self.awaited.load(Relaxed) == 0
    }

    pub(super) fn answered(&self, name: String, answer: Answer) {
        self.answers.lock().push((name, answer));
    }

    /// The answers since the last time.
    pub(super) fn take_answers(&self) -> Vec<(String, Answer)> {
        std::mem::take(&mut *self.answers.lock())
    }

    /// The server as it is run: anew after each loss. Times are short, as simulated time is not free.
    pub(super) async fn serve(&self) -> turmoil::Result {
        let second = Duration::from_secs(1);
        let server = Server::new(self.life.lock().session.clone());
        *self.server.lock() = Some(server.clone());
        tokio::spawn(autosync(server.clone()));
        let sockets = WebSocket::new(server.clone()).settings(|settings| {
            settings.ping_interval = second;
            settings.pong_timeout = second;
            settings.write_timeout = second;
        });
        let events = EventStream::new(server).settings(|settings| {
            settings.heartbeat = second;
            settings.write_timeout = second;
            settings.uplink_timeout = second;
        });
        let app = Router::new()
            .route("/ws", sockets.route())
            .route("/sse", events.route());
        let door = Door(TcpListener::bind("0.0.0.0:80").await?);
        serve(door, app).header_timeout(second).await?;
        Ok(())
    }
}

/// Where the server listens.
struct Door(TcpListener);

impl Listener for Door {
    type Io = TcpStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        self.0.accept().await.expect("the simulation accepts")
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}
