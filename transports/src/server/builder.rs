//! The settings of a server.

use std::sync::Arc;

use tokio::sync::watch;

use super::peer::{Hooks, Refusal};
use super::registry::Registry;
use super::schemas::Schemas;
use super::stats::Totals;
use super::{Ended, Inner, Limits, Opening, Peer, Proposal, Served, Server};
use crate::codec::{Codec, CustomCodec};

/// Settings of a [`Server`].
#[derive(Debug)]
pub struct ServerBuilder {
    models: Served,
    default_codec: Codec,
    codecs: Vec<Arc<dyn CustomCodec>>,
    limits: Limits,
    hooks: Hooks,
}

impl ServerBuilder {
    pub(super) fn new(models: Served) -> Self {
        Self {
            models,
            default_codec: Codec::Json,
            codecs: Vec::new(),
            limits: Limits::default(),
            hooks: Hooks::default(),
        }
    }

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

    /// Asks `hook` before anybody connects and before any model is read for it. It may refuse, and it may leave data in
    /// the peer for later. It must not wait.
    ///
    /// ```
    /// use transports::server::{Opening, Peer, RefusalKind};
    /// use transports::{Server, Session};
    ///
    /// #[derive(Clone)]
    /// struct User(String);
    ///
    /// let server = Server::builder(Session::new())
    ///     .on_connect(|peer, _| match peer.get::<User>() {
    ///         Some(_) => Ok(()),
    ///         None => Err(RefusalKind::Unauthorized.because("sign in first")),
    ///     })
    ///     .build();
    /// let stranger = server.open(&Opening::default());
    /// assert_eq!(stranger.unwrap_err().to_string(), "sign in first");
    /// assert!(server.open_for(&Opening::default(), Peer::by("ws").with(User("ann".into()))).is_ok());
    /// ```
    #[must_use]
    pub fn on_connect(
        mut self,
        hook: impl Fn(&mut Peer, &Opening) -> Result<(), Refusal> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.connect = Some(Arc::new(hook));
        self
    }

    /// Tells `hook` when a connection has ended, and why. The number is the connection's.
    #[must_use]
    pub fn on_disconnect(
        mut self,
        hook: impl Fn(u64, &Peer, &Ended) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.disconnect = Some(Arc::new(hook));
        self
    }

    /// Asks `hook` about each edit of a client before the model is. It may refuse with a text for the client, and it
    /// may change the ops. No lock is held, so it may look at models; what it sees may have changed when the edit is
    /// made, so what must hold of the result belongs into the model's rules.
    ///
    /// ```
    /// use transports::message::Message;
    /// use transports::server::{Opening, Peer};
    /// use transports::session::Frame;
    /// use transports::{Codec, Server, Session, Value};
    ///
    /// #[derive(Clone)]
    /// struct Guest;
    ///
    /// let session = Session::new();
    /// session.host_named("Any", Value::Null);
    /// let server = Server::builder(session)
    ///     .on_edit(|proposal| match proposal.peer.get::<Guest>() {
    ///         Some(Guest) => Err("guests only look".to_owned()),
    ///         None => Ok(()),
    ///     })
    ///     .build();
    /// let mut guest = server.open_for(&Opening::default(), Peer::by("ws").with(Guest))?;
    /// guest.receive(&Frame::text(
    ///     r#"{"t":"patch","id":1,"patch":{"rev":0,"ops":[{"Set":{"path":[],"value":{"Int":1}}}]}}"#,
    /// ))?;
    /// let last = std::iter::from_fn(|| guest.try_next()).last().expect("there is an answer");
    /// let Message::Reject { error, .. } = Codec::Json.decode(&last.bytes)? else {
    ///     unreachable!("it was refused");
    /// };
    /// assert_eq!(error, "guests only look");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_edit(
        mut self,
        hook: impl Fn(&mut Proposal<'_>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.edit = Some(Arc::new(hook));
        self
    }

    /// The server.
    #[must_use]
    pub fn build(self) -> Server {
        Server {
            inner: Arc::new(Inner {
                offer: self.models.offer,
                session: self.models.session,
                default_codec: self.default_codec,
                codecs: self.codecs,
                limits: self.limits,
                hooks: self.hooks,
                registry: Registry::default(),
                schemas: Schemas::default(),
                totals: Totals::default(),
                connections: watch::Sender::new(0),
            }),
        }
    }
}
