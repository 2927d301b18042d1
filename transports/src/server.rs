//! Connections to a session's models.

pub(crate) mod awareness;
mod builder;
mod connection;
mod ended;
mod limits;
mod meters;
pub(crate) mod offer;
mod opening;
mod peer;
pub(crate) mod registry;
mod schemas;
mod stats;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::watch;

pub use self::builder::ServerBuilder;
pub use self::connection::Connection;
pub use self::ended::{ConnectionError, Ended};
pub use self::limits::Limits;
pub use self::offer::Served;
use self::offer::{Change, Offer};
pub use self::opening::{Opening, OpeningError};
use self::peer::Hooks;
pub use self::peer::{Peer, Proposal, Refusal, RefusalKind};
pub use self::registry::ConnectionInfo;
use self::registry::Registry;
use self::schemas::Schemas;
pub use self::stats::Stats;
use self::stats::Totals;
use crate::codec::{Codec, CustomCodec};
use crate::message::{Epoch, ModelId};
use crate::schema::Type;
use crate::session::{ModelInfo, Session, SyncReport};
use crate::views::Views;
/// Data of any types, one of each.
pub use http::Extensions;

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
    offer: Arc<dyn Offer>,
    session: Option<Session>,
    default_codec: Codec,
    codecs: Vec<Arc<dyn CustomCodec>>,
    limits: Limits,
    hooks: Hooks,
    registry: Registry,
    schemas: Schemas,
    totals: Totals,
    connections: watch::Sender<usize>,
}

impl Server {
    /// A server with the default settings.
    #[must_use]
    pub fn new(models: impl Into<Served>) -> Self {
        Self::builder(models).build()
    }

    /// A server with other settings.
    #[must_use]
    pub fn builder(models: impl Into<Served>) -> ServerBuilder {
        ServerBuilder::new(models.into())
    }

    /// The session whose models are served.
    ///
    /// # Panics
    /// If it is a [`Hub`](crate::Hub) that is served, which has many.
    #[must_use]
    pub fn session(&self) -> &Session {
        let session = self.inner.session.as_ref();
        session.expect("a server of one session is asked for it")
    }

    /// The ids and types of the models that everybody sees: [`Session::types`]. A hub has none of these.
    #[must_use]
    pub fn types(&self) -> Vec<(ModelId, Type)> {
        let session = self.inner.session.as_ref();
        session.map_or_else(Vec::new, Session::types)
    }

    /// Sends what changed, of all sessions that are served: [`Session::sync`].
    pub fn sync(&self) -> SyncReport {
        self.inner.offer.sync()
    }

    /// Waits until a model of any session that is served was changed since the last call returned:
    /// [`Session::changed`].
    pub async fn changed(&self) {
        self.inner.offer.changed().notified().await;
    }

    /// Lets the revisions of all sessions that are served begin at `revision`: [`Session::begin_at`]. Returns whether
    /// any do.
    pub fn begin_at(&self, revision: u64) -> bool {
        self.inner.offer.begin_at(revision)
    }

    /// The epoch of all that is served: [`Session::epoch`].
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.inner.offer.epoch()
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

    /// Opens a connection of somebody unknown, say from within the program. Its first frames bring the client up to
    /// date.
    ///
    /// # Errors
    /// As [`open_for`](Self::open_for).
    pub fn open(&self, opening: &Opening) -> Result<Connection, OpeningError> {
        self.open_for(opening, Peer::default())
    }

    /// Opens a connection of somebody. Its first frames bring the client up to date.
    ///
    /// # Errors
    /// The client asked for a codec that there is not, or for too much, or the application or a limit refuses it, or
    /// the server is shut down. Nothing of any model was read then.
    pub fn open_for(&self, opening: &Opening, peer: Peer) -> Result<Connection, OpeningError> {
        let transport = peer.transport;
        let opened = self.try_open(opening, peer);
        match &opened {
            Ok(_) => self.inner.totals.opened(transport),
            Err(error) => self.inner.totals.refused(transport, error),
        }
        opened
    }

    fn try_open(&self, opening: &Opening, mut peer: Peer) -> Result<Connection, OpeningError> {
        let Inner {
            registry,
            limits,
            totals,
            hooks,
            ..
        } = &*self.inner;
        registry.admit(limits, totals)?;
        registry::within(limits, totals, opening)?;
        let codec = self.codec(opening.codec.as_deref())?;
        if let Some(hook) = &hooks.connect {
            hook(&mut peer, opening)?;
        }
        self.inner.offer.admit(&mut peer)?;
        // There may be tokens in it.
        peer.request = None;
        Connection::open(self.clone(), peer, codec, opening)
    }

    /// Whether both are clones of one server.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// All open connections, in the order in which they came.
    #[must_use]
    pub fn registry(&self) -> Vec<ConnectionInfo> {
        let entries = self.inner.registry.all();
        entries.iter().map(|entry| entry.info()).collect()
    }

    /// Up to `most` open connections with numbers from `first` on: the registry page by page, where connections are
    /// many.
    #[must_use]
    pub fn registry_page(&self, first: u64, most: usize) -> Vec<ConnectionInfo> {
        let entries = self.inner.registry.page(first, most);
        entries.iter().map(|entry| entry.info()).collect()
    }

    /// Up to `most` models, after `skip` others: session by session, in the order of their ids. The models of a
    /// [`Hub`](crate::Hub)'s tenants may share ids.
    ///
    /// ```
    /// use transports::{Server, Session, Value};
    ///
    /// let session = Session::new();
    /// let model = session.host_named("Any", Value::from(1));
    /// *model.write() = Value::from(2);
    /// session.sync();
    ///
    /// let models = Server::new(session).models(0, 10);
    /// assert_eq!((models[0].id, models[0].revision, models[0].history), (1, 1, 1));
    /// ```
    #[must_use]
    pub fn models(&self, skip: usize, most: usize) -> Vec<ModelInfo> {
        let (mut skip, mut models) = (skip, Vec::new());
        self.inner.offer.each(&mut |session| {
            let left = most - models.len();
            if left > 0 {
                models.extend(session.shared().infos(&mut skip, left));
            }
        });
        models
    }

    /// The open connection of this number.
    #[must_use]
    pub fn connection(&self, number: u64) -> Option<ConnectionInfo> {
        Some(self.inner.registry.get(number)?.info())
    }

    /// Gives an open connection other [views](Views) than those it [came with](Peer::views), of the models of a session or
    /// of a tenant's own: all of its models are sent anew. Returns whether it was open. A hub that has an
    /// [`Authorizer`](crate::hub::Authorizer::views) asks that the next time.
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// use transports::server::Opening;
    /// use transports::{Server, Session, Synced, Views};
    ///
    /// #[derive(Synced)]
    /// struct Offer {
    ///     price: i64,
    ///     #[synced(view = "staff")]
    ///     cost: i64,
    /// }
    ///
    /// let session = Session::new();
    /// session.host(Offer { price: 5, cost: 3 });
    /// let server = Server::new(session);
    /// let mut connection = server.open(&Opening::default())?;
    /// let number = connection.number();
    /// let mut next = || String::from_utf8_lossy(&connection.try_next().expect("a snapshot").bytes).into_owned();
    ///
    /// assert!(next().ends_with(r#""value":{"Map":{"price":{"Int":5}}}}"#));
    /// assert!(server.set_views(number, Views::from_iter(["staff"])));
    /// assert!(next().ends_with(r#""value":{"Map":{"cost":{"Int":3},"price":{"Int":5}}}}"#));
    /// # }
    /// # Ok::<(), transports::server::OpeningError>(())
    /// ```
    pub fn set_views(&self, number: u64, views: Views) -> bool {
        let entry = self.inner.registry.get(number);
        entry.is_some_and(|entry| {
            entry.change(Change::Views(views));
            true
        })
    }

    /// Ends a connection: it gives no further frames, and takes none. Returns whether it was open.
    ///
    /// The client is told `reason`. Clients of ours do not come back by themselves then.
    pub fn close(&self, number: u64, reason: impl Into<String>) -> bool {
        let entry = self.inner.registry.get(number);
        entry.is_some_and(|entry| {
            entry.close(Ended::Removed {
                reason: reason.into(),
            })
        })
    }

    /// Ends all connections of whom `which` says so, as [`close`](Self::close) does, and returns how many these were.
    ///
    /// ```
    /// use transports::server::{Opening, Peer};
    /// use transports::{Server, Session};
    ///
    /// #[derive(Clone)]
    /// struct User(&'static str);
    ///
    /// let server = Server::new(Session::new());
    /// let mut ann = server.open_for(&Opening::default(), Peer::by("ws").with(User("ann")))?;
    /// let mut bob = server.open_for(&Opening::default(), Peer::by("ws").with(User("bob")))?;
    ///
    /// let is_bob = |peer: &Peer| peer.get::<User>().is_some_and(|user| user.0 == "bob");
    /// assert_eq!(server.close_where(is_bob, "signed out"), 1);
    /// assert!(bob.try_next().is_none());
    /// assert_eq!(bob.ended().map(|reason| reason.text()), Some("signed out"));
    /// assert!(ann.ended().is_none());
    /// # Ok::<(), transports::server::OpeningError>(())
    /// ```
    pub fn close_where(&self, which: impl Fn(&Peer) -> bool, reason: impl Into<String>) -> usize {
        let reason = reason.into();
        let entries = self.inner.registry.all();
        let close = |entry: &&Arc<registry::Entry>| {
            which(&entry.peer)
                && entry.close(Ended::Removed {
                    reason: reason.clone(),
                })
        };
        entries.iter().filter(close).count()
    }

    /// Ends all connections once each was given what there is for it now, and refuses new ones. The clients are told
    /// `reason`.
    ///
    /// Changes made before go along if [`sync`](Self::sync) is called first. To wait until all are gone, look at
    /// [`connections`](Self::connections).
    pub fn shutdown(&self, reason: &str) {
        self.inner.registry.shut_down(reason);
    }

    /// What the server did so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let ([frames_in, bytes_in], [frames_out, bytes_out], queued_bytes) =
            self.inner.registry.traffic();
        let mut stats = Stats {
            connections: self.inner.registry.len(),
            queued_bytes,
            frames_in,
            bytes_in,
            frames_out,
            bytes_out,
            ..self.inner.totals.stats()
        };
        self.inner.offer.each(&mut |session| {
            let shared = session.shared();
            let encodings = &shared.encodings;
            stats.models += shared.models.read().len();
            stats.events += shared.published();
            stats.snapshots_encoded += encodings.snapshots.load(Relaxed);
            stats.snapshot_bytes += encodings.snapshot_bytes.load(Relaxed);
            stats.patches_encoded += encodings.patches.load(Relaxed);
            stats.patch_bytes += encodings.patch_bytes.load(Relaxed);
        });
        stats
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
