//! Connections to a session's models.

mod connection;
mod opening;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

pub use self::connection::{Connection, ConnectionError};
pub use self::opening::{Opening, OpeningError};
use crate::codec::{Codec, CustomCodec};
use crate::session::Session;

/// Lets peers connect to a session. Knows the protocol, but no sockets: an adapter moves the frames.
///
/// Cheap to clone; all clones are the same server.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use transports::server::Opening;
/// use transports::session::Frame;
/// use transports::{Server, Session, Synced};
///
/// #[derive(Synced)]
/// struct Counter {
///     tick: u64,
/// }
///
/// let session = Session::new();
/// let counter = session.host(Counter { tick: 0 });
/// let server = Server::new(session);
///
/// // What an adapter does with each client:
/// let mut connection = server.open(&Opening::parse("codec=json")?)?;
/// let snapshot = connection.try_next().expect("there is a model");
/// assert_eq!(
///     &snapshot.bytes[..],
///     br#"{"t":"snapshot","id":1,"type":"Counter","rev":0,"value":{"Map":{"tick":{"Int":0}}}}"#,
/// );
///
/// let edit = r#"{"t":"patch","id":1,"patch":{"rev":0,"ops":[{"Set":{"path":[{"Key":"tick"}],"value":{"Int":7}}}]}}"#;
/// connection.receive(&Frame::text(edit))?;
/// assert_eq!(counter.read().tick, 7);
/// assert!(connection.try_next().is_some(), "the patch that tells everybody");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    session: Session,
    default_codec: Codec,
    codecs: Vec<Arc<dyn CustomCodec>>,
    limits: Limits,
    next_connection: AtomicU64,
    connections: watch::Sender<usize>,
}

/// What one client may ask of the server. Whatever goes beyond is refused, and nobody else notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The bytes of a frame from a client: 1 MiB by default. A larger one ends the connection.
    pub frame_bytes: usize,
    /// The ops of one edit: 4096 by default. One with more is rejected.
    pub edit_ops: usize,
    /// How deep lists and maps may lie in each other in a model: 60 by default, as JSON readers of published clients
    /// stop at 63. An edit that goes deeper is rejected.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 1 << 20,
            edit_ops: 4096,
            depth: 60,
        }
    }
}

/// Settings of a [`Server`].
#[derive(Debug)]
pub struct ServerBuilder {
    session: Session,
    default_codec: Codec,
    codecs: Vec<Arc<dyn CustomCodec>>,
    limits: Limits,
}

impl ServerBuilder {
    /// The codec of clients that ask for none: JSON by default.
    #[must_use]
    pub fn default_codec(mut self, codec: Codec) -> Self {
        self.default_codec = codec;
        self
    }

    /// Offers a codec beside the built-in ones, under its content type.
    #[must_use]
    pub fn codec(mut self, codec: impl CustomCodec) -> Self {
        self.codecs.push(Arc::new(codec));
        self
    }

    /// Changes the limits.
    ///
    /// ```
    /// use transports::{Server, Session};
    ///
    /// let server = Server::builder(Session::new())
    ///     .limits(|limits| limits.frame_bytes = 64 << 10)
    ///     .build();
    /// assert_eq!(server.limits().frame_bytes, 65_536);
    /// ```
    #[must_use]
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// The server.
    #[must_use]
    pub fn build(self) -> Server {
        Server {
            inner: Arc::new(Inner {
                session: self.session,
                default_codec: self.default_codec,
                codecs: self.codecs,
                limits: self.limits,
                next_connection: AtomicU64::new(0),
                connections: watch::Sender::new(0),
            }),
        }
    }
}

impl Server {
    /// A server with the default settings.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self::builder(session).build()
    }

    /// A server with other settings.
    #[must_use]
    pub fn builder(session: Session) -> ServerBuilder {
        ServerBuilder {
            session,
            default_codec: Codec::Json,
            codecs: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// The session whose models are served.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.inner.session
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// The number of open connections, now and whenever it changes.
    #[must_use]
    pub fn connections(&self) -> watch::Receiver<usize> {
        self.inner.connections.subscribe()
    }

    /// Opens a connection. Its first frames bring the client up to date.
    ///
    /// # Errors
    /// The client asked for a codec that there is not.
    pub fn open(&self, opening: &Opening) -> Result<Connection, OpeningError> {
        let codec = self.codec(opening.codec.as_deref())?;
        let number = self.inner.next_connection.fetch_add(1, Ordering::Relaxed);
        Connection::open(self.clone(), number, codec, opening)
    }

    fn codec(&self, name: Option<&str>) -> Result<Codec, OpeningError> {
        let Some(name) = name else {
            return Ok(self.inner.default_codec.clone());
        };
        let custom = || {
            let codec = self
                .inner
                .codecs
                .iter()
                .find(|codec| codec.content_type() == name)?;
            Some(Codec::Custom(Arc::clone(codec)))
        };
        Codec::named(name).or_else(custom).ok_or_else(|| {
            let mut known = vec!["json".to_owned(), "msgpack".to_owned(), "cbor".to_owned()];
            known.extend(
                self.inner
                    .codecs
                    .iter()
                    .map(|codec| codec.content_type().to_owned()),
            );
            OpeningError::UnknownCodec {
                name: name.to_owned(),
                known,
            }
        })
    }

    fn count(&self, change: impl FnOnce(&mut usize)) {
        self.inner.connections.send_modify(change);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("session", &self.inner.session)
            .field("limits", &self.inner.limits)
            .field("connections", &*self.inner.connections.borrow())
            .finish_non_exhaustive()
    }
}
