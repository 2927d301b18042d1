//! Why connections end.

use crate::codec::CodecError;

/// Why a connection ended, or is about to.
///
/// Each has a [name](Self::name) that stays the same, for logs and counters. The table says what an adapter tells the
/// client, as close codes of WebSocket (RFC 6455, 7.4).
///
/// | reason | name | code |
/// |---|---|---|
/// | `Left` | `left` | none |
/// | `Lost` | `lost` | none |
/// | `Protocol` | `protocol` | 1002 |
/// | `Malformed` | `malformed` | 1007 |
/// | `TooLarge` | `too_large` | 1009 |
/// | `Overloaded` | `overloaded` | 1008 |
/// | `Flooded` | `flooded` | 1008 |
/// | `Slow` | `slow` | 1013 |
/// | `Silent` | `silent` | 1011 |
/// | `Removed` | `removed` | 1008 |
/// | `Failed` | `failed` | 1011 |
/// | `Unauthorized` | `unauthorized` | 3000 |
/// | `Shutdown` | `shutdown` | 1012; 1001 if nobody takes over |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// The client left.
    Left,
    /// The connection broke without a goodbye: for adapters, which can tell.
    Lost,
    /// What the client sent is not of the transport's form: for adapters.
    Protocol {
        /// What is wrong with it.
        error: String,
    },
    /// The client sent what is no message.
    Malformed {
        /// What is wrong with it.
        error: String,
    },
    /// The client sent a frame beyond the limits.
    TooLarge {
        /// Which limit.
        error: String,
    },
    /// The client asked for more answers than it read.
    Overloaded,
    /// The client sent more often than it may: for adapters.
    Flooded {
        /// Which limit.
        error: String,
    },
    /// The client did not read for too long: for adapters, which know the time.
    Slow,
    /// The client did not answer for too long: for adapters.
    Silent,
    /// The application does not want it here: [`Server::close`](super::Server::close).
    Removed {
        /// What the client is told.
        reason: String,
    },
    /// Its right to be connected has run out and was not renewed, or was taken back: see
    /// [`Authorizer::connect`](crate::hub::Authorizer::connect).
    Unauthorized {
        /// What the client is told.
        reason: String,
    },
    /// A codec of the application failed.
    Failed {
        /// What it says.
        error: String,
    },
    /// [`Server::shutdown`](super::Server::shutdown).
    Shutdown {
        /// What the client is told.
        reason: String,
    },
}

impl Ended {
    /// The names of all reasons.
    pub const NAMES: [&'static str; 13] = [
        "left",
        "lost",
        "protocol",
        "malformed",
        "too_large",
        "overloaded",
        "flooded",
        "slow",
        "silent",
        "removed",
        "failed",
        "shutdown",
        "unauthorized",
    ];

    pub(super) const fn place(&self) -> usize {
        match self {
            Self::Left => 0,
            Self::Lost => 1,
            Self::Protocol { .. } => 2,
            Self::Malformed { .. } => 3,
            Self::TooLarge { .. } => 4,
            Self::Overloaded => 5,
            Self::Flooded { .. } => 6,
            Self::Slow => 7,
            Self::Silent => 8,
            Self::Removed { .. } => 9,
            Self::Failed { .. } => 10,
            Self::Shutdown { .. } => 11,
            Self::Unauthorized { .. } => 12,
        }
    }

    /// The name of the reason.
    #[must_use]
    pub fn name(&self) -> &'static str {
        Self::NAMES.get(self.place()).copied().unwrap_or_default()
    }

    /// What the client is to be told.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Left => "the client left",
            Self::Lost => "the connection broke",
            Self::Protocol { error }
            | Self::Malformed { error }
            | Self::TooLarge { error }
            | Self::Flooded { error }
            | Self::Failed { error } => error,
            Self::Overloaded => "more was asked for than answers were read",
            Self::Slow => "nothing was read for too long",
            Self::Silent => "nothing was answered for too long",
            Self::Removed { reason }
            | Self::Unauthorized { reason }
            | Self::Shutdown { reason } => reason,
        }
    }
}

/// Why a connection has to end. Nothing of the frame took effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The frame is no message.
    #[error("malformed frame: {0}")]
    Malformed(#[source] CodecError),
    /// The frame is larger than the server takes.
    #[error("a frame of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// The bytes that came.
        size: usize,
        /// The bytes that may come.
        limit: usize,
    },
    /// The frame has more values than the server takes.
    #[error("a frame of {nodes} values is over the limit of {limit}")]
    TooManyNodes {
        /// The values that came.
        nodes: usize,
        /// The values that may come.
        limit: usize,
    },
    /// More answers wait than the client may leave unread.
    #[error("{queued} bytes of unread answers are over the limit of {limit}")]
    Overloaded {
        /// The bytes that wait.
        queued: usize,
        /// The bytes that may wait.
        limit: usize,
    },
    /// A codec of the application failed.
    #[error("an answer cannot be encoded: {0}")]
    Codec(#[source] CodecError),
    /// The connection has ended before: see [`Connection::ended`](super::Connection::ended).
    #[error("the connection has ended")]
    Ended,
}

impl ConnectionError {
    /// The reason that this error is for [ending](super::Connection::end) the connection. None if it has ended: what is
    /// left to be sent, [`next`](super::Connection::next) gives.
    #[must_use]
    pub fn reason(&self) -> Option<Ended> {
        let error = self.to_string();
        Some(match self {
            Self::Malformed(_) => Ended::Malformed { error },
            Self::TooLarge { .. } | Self::TooManyNodes { .. } => Ended::TooLarge { error },
            Self::Overloaded { .. } => Ended::Overloaded,
            Self::Codec(_) => Ended::Failed { error },
            Self::Ended => return None,
        })
    }
}
