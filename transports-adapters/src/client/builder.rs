//! How a client is to behave.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use transports::{Codec, Mirrors};

use super::backoff::Backoff;
use super::books::Books;
use super::error::ClientError;
use super::link::{Address, Connector, Tcp};
use super::task::Task;
use super::{Client, Handle, State};

/// Settings of a [`Client`].
#[must_use = "nothing connects until `connect` or `start`"]
pub struct ClientBuilder {
    url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) codec: Codec,
    pub(super) connector: Arc<dyn Connector>,
    pub(super) settings: Settings,
    first_pause: Duration,
    longest_pause: Duration,
    seed: Option<u64>,
    queue: usize,
    schema: bool,
}

/// What the task needs to know of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) offline: Offline,
    pub(super) authority: Authority,
    pub(super) connect_timeout: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) frame_bytes: usize,
}

/// What becomes of edits that are made while there is no connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offline {
    /// They wait and are sent, once, when the client is online again.
    #[default]
    Queue,
    /// They fail with [`EditError::Offline`](super::EditError::Offline).
    Refuse,
}

/// Whose state counts after a reconnect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authority {
    /// The server's: the client takes what it finds.
    #[default]
    Server,
    /// The client's: if the models have changed meanwhile, it asks the server to go back to what they were for it.
    Client,
}

impl ClientBuilder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            headers: Vec::new(),
            codec: Codec::Json,
            connector: Arc::new(Tcp),
            settings: Settings {
                offline: Offline::default(),
                authority: Authority::default(),
                connect_timeout: Duration::from_secs(10),
                idle_timeout: Duration::from_secs(60),
                frame_bytes: 64 << 20,
            },
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(15),
            seed: None,
            queue: 1024,
            schema: false,
        }
    }

    /// Sends a header with each request to connect.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends `Authorization: Bearer <token>` with each request to connect.
    pub fn bearer(self, token: impl AsRef<str>) -> Self {
        self.header("authorization", format!("Bearer {}", token.as_ref()))
    }

    /// The codec to ask for: JSON by default. Server-Sent Events are JSON always.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// The pauses between tries: random ones up to `first`, then up to twice as long each time, up to `longest`. By
    /// default 200 ms and 15 s. A connection that held for 5 s starts anew.
    pub const fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.first_pause = first;
        self.longest_pause = longest;
        self
    }

    /// Makes the random pauses repeatable, for simulations.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// What becomes of edits while there is no connection: they wait, by default.
    pub const fn offline(mut self, offline: Offline) -> Self {
        self.settings.offline = offline;
        self
    }

    /// How many edits may wait to be sent: 1024 by default, at least 1.
    pub const fn queue(mut self, edits: usize) -> Self {
        self.queue = if edits == 0 { 1 } else { edits };
        self
    }

    /// Asks the server what its models are made of, for [`Client::schema`].
    pub const fn schema(mut self) -> Self {
        self.schema = true;
        self
    }

    /// Whose state counts after a reconnect: the server's by default.
    pub const fn authority(mut self, authority: Authority) -> Self {
        self.settings.authority = authority;
        self
    }

    /// How long one try to connect may take: 10 s by default.
    pub const fn connect_timeout(mut self, time: Duration) -> Self {
        self.settings.connect_timeout = time;
        self
    }

    /// How long the server may say nothing, 60 s by default; after half of that the client asks for a sign of life.
    pub const fn idle_timeout(mut self, time: Duration) -> Self {
        self.settings.idle_timeout = time;
        self
    }

    /// The bytes of a frame that the server may send: 64 MiB by default. A larger one ends the connection.
    pub const fn frame_bytes(mut self, bytes: usize) -> Self {
        self.settings.frame_bytes = bytes;
        self
    }

    /// Opens the streams below by other means than TCP: a proxy, a Unix socket, a simulated network.
    pub fn connector(mut self, connector: impl Connector) -> Self {
        self.connector = Arc::new(connector);
        self
    }

    /// Connects, and waits until that is done.
    ///
    /// # Errors
    /// As [`Client::connect`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn connect(self) -> Result<Client, ClientError> {
        let (first, connected) = oneshot::channel();
        let client = self.spawn(Some(first))?;
        connected.await.unwrap_or(Err(ClientError::Stopped))?;
        Ok(client)
    }

    /// Connects in the background, and keeps trying for as long as a try may succeed.
    ///
    /// # Errors
    /// The URL or a header cannot be used.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(self) -> Result<Client, ClientError> {
        self.spawn(None)
    }

    fn spawn(
        self,
        first: Option<oneshot::Sender<Result<(), ClientError>>>,
    ) -> Result<Client, ClientError> {
        let address = Address::new(&self.url, &self.headers)?;
        // Events are text, and the protocol's text is JSON.
        let codec = if address.is_events() {
            Codec::Json
        } else {
            self.codec
        };
        let books = Arc::new(Books::new(codec.clone()));
        if self.schema {
            books.with(Mirrors::ask_schema);
        }
        let (commands, waiting) = mpsc::channel(self.queue);
        let (state, states) = watch::channel(State::Connecting);
        let (stop, stopped) = watch::channel(false);
        let task = Task {
            address,
            codec,
            connector: self.connector,
            settings: self.settings,
            backoff: Backoff::new(self.first_pause, self.longest_pause, self.seed),
            books: Arc::clone(&books),
            commands: waiting,
            state,
            stop: stopped,
            first,
        };
        tokio::spawn(task.run());
        Ok(Client {
            handle: Arc::new(Handle {
                books,
                commands,
                state: states,
                stop,
            }),
        })
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the URL's query and not the headers' values: there may be secrets in them.
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("ClientBuilder")
            .field("url", &self.url.split('?').next())
            .field("headers", &names)
            .field("codec", &self.codec)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
