//! Who connects, and what the application says to that.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use super::{Ended, Opening};
use crate::message::ModelId;
use crate::patch::Op;
use crate::views::Views;

/// Who connects, as an adapter and the application describe it. All hooks see it, and so does the
/// [registry](super::Server::registry).
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Peer {
    /// The kind of connection: `"ws"`, `"sse"`, ...; empty for connections within the program.
    pub transport: &'static str,
    /// Where it comes from, if it comes over a network.
    pub address: Option<SocketAddr>,
    /// When it came.
    pub since: Option<SystemTime>,
    /// The views that it has: [`on_connect`](super::ServerBuilder::on_connect) gives them, none by default. A hub asks its
    /// [`Authorizer`](crate::hub::Authorizer::views), which takes these unless it says otherwise.
    pub views: Views,
    /// The head of the request, while [`on_connect`](super::ServerBuilder::on_connect) looks at it. It is not kept: it is
    /// large, and there may be tokens in it.
    pub request: Option<Box<http::request::Parts>>,
    /// Data of any types, one of each: what layers around an adapter found out about the request, and what the hook of
    /// [`on_connect`](super::ServerBuilder::on_connect) adds.
    pub extensions: http::Extensions,
}

impl Peer {
    /// Somebody who comes this way.
    #[must_use]
    pub fn by(transport: &'static str) -> Self {
        Self {
            transport,
            ..Self::default()
        }
    }

    /// Gives its address.
    #[must_use]
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Says when it came.
    #[must_use]
    pub fn since(mut self, time: SystemTime) -> Self {
        self.since = Some(time);
        self
    }

    /// Shows the request to [`on_connect`](super::ServerBuilder::on_connect). Its extensions become the peer's.
    #[must_use]
    pub fn request(mut self, mut request: http::request::Parts) -> Self {
        self.extensions
            .extend(std::mem::take(&mut request.extensions));
        self.request = Some(Box::new(request));
        self
    }

    /// Adds data; what was there of this type before is replaced.
    #[must_use]
    pub fn with<T: Clone + Send + Sync + 'static>(mut self, data: T) -> Self {
        self.extensions.insert(data);
        self
    }

    /// The data of a type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.get()
    }
}

// The data may hold secrets.
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("transport", &self.transport)
            .field("address", &self.address)
            .field("since", &self.since)
            .field("views", &self.views)
            .finish_non_exhaustive()
    }
}

/// Why somebody may not connect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The kind of refusal.
    pub kind: RefusalKind,
    /// What the client is told.
    pub reason: String,
}

/// The kinds of refusals, named after the statuses of HTTP that adapters answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalKind {
    /// 401: who are you?
    Unauthorized,
    /// 403: not you.
    Forbidden,
    /// 429: not so often.
    TooManyRequests,
    /// 503: not now.
    Unavailable,
}

impl RefusalKind {
    /// The status code of HTTP.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::TooManyRequests => 429,
            Self::Unavailable => 503,
        }
    }

    /// A refusal of this kind.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Refusal {
        Refusal {
            kind: self,
            reason: reason.into(),
        }
    }
}

/// An edit that a client proposes, on its way to the model.
#[derive(Debug)]
#[non_exhaustive]
pub struct Proposal<'a> {
    /// The number of the connection.
    pub connection: u64,
    /// Who proposes it.
    pub peer: &'a Peer,
    /// The model.
    pub model: ModelId,
    /// The name of its type on the wire.
    pub type_name: &'a str,
    /// What is to be done, within the server's limits. A hook may change it.
    pub ops: &'a mut Vec<Op>,
}

pub(super) type OnConnect = Arc<dyn Fn(&mut Peer, &Opening) -> Result<(), Refusal> + Send + Sync>;
pub(super) type OnDisconnect = Arc<dyn Fn(u64, &Peer, &Ended) + Send + Sync>;
pub(super) type OnEdit = Arc<dyn Fn(&mut Proposal<'_>) -> Result<(), String> + Send + Sync>;

/// What the application has to say about connections.
#[derive(Clone, Default)]
pub(super) struct Hooks {
    pub(super) connect: Option<OnConnect>,
    pub(super) disconnect: Option<OnDisconnect>,
    pub(super) edit: Option<OnEdit>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("connect", &self.connect.is_some())
            .field("disconnect", &self.disconnect.is_some())
            .field("edit", &self.edit.is_some())
            .finish()
    }
}
