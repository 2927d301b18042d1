//! What can go wrong, for whom.

use transports::message::ModelId;
use transports::mirror::MirrorError;

/// Why a client cannot connect, or has ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The URL cannot be used.
    #[error("`{url}` is no URL to connect to: {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A header cannot be sent.
    #[error("the header `{name}` cannot be sent: {reason}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server answered the request with an error.
    #[error("the server refuses with status {status}{}{body}", if body.is_empty() { "" } else { ": " })]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// What the server says about it, cut to 1 kB.
        body: String,
    },
    /// The server could not be reached.
    #[error("the server cannot be reached: {reason}")]
    Unreachable {
        /// What happened.
        reason: String,
    },
    /// The server ended the connection for good: close code 1008, which says that this client is not to come
    /// back, or 3000, which says that its right to be connected has run out or was taken back.
    #[error("the server closed the connection with code {code}: {reason}")]
    Dismissed {
        /// The close code.
        code: u16,
        /// What the server says.
        reason: String,
    },
    /// The program ended it.
    #[error("the client was closed")]
    Stopped,
}

impl ClientError {
    /// Whether another try may succeed.
    pub(super) const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            // Time-outs, too many requests and whatever ails the server or a proxy.
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            Self::Url { .. } | Self::Header { .. } | Self::Dismissed { .. } | Self::Stopped => {
                false
            }
        }
    }
}

/// Why an edit was not made, as far as is known.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The server refused it. Nothing of it was made.
    #[error("{reason}")]
    Rejected {
        /// The server's words: the path and the rule, as in `brightness: 101 is not in 0..=100`.
        reason: String,
        /// The model's revision at that time.
        rev: u64,
    },
    /// The connection was lost, or the model was shown no longer, after the edit was sent and before an answer came. The
    /// model, once the client is online
    /// again, tells whether it was made; it is not sent a second time.
    #[error("no answer can come any more: the edit may have been made or not")]
    Unknown,
    /// The client is offline, and edits do not wait: [`Offline::Refuse`](super::Offline::Refuse). It was not sent.
    #[error("there is no connection")]
    Offline,
    /// Too many edits are waiting to be sent. It was not sent.
    #[error("too many edits are waiting to be sent")]
    QueueFull,
    /// The server has not shown such a model. It was not sent.
    #[error("there is no model {id}")]
    NoModel {
        /// The id.
        id: ModelId,
    },
    /// The connection cannot send: the server takes no edits beside its events.
    #[error("this connection only receives")]
    ReceiveOnly,
    /// What was made cannot travel: a number beyond 64 bits with sign, for instance. It was not sent.
    #[error("{0}")]
    Fault(String),
    /// The mirror does not fit its type.
    #[error(transparent)]
    Type(MirrorError),
    /// The client has ended. It was not sent.
    #[error("the client was closed")]
    Closed,
}

impl EditError {
    /// The place that the server's refusal names.
    ///
    /// ```
    /// use transports_adapters::client::EditError;
    ///
    /// let error = EditError::Rejected { reason: "brightness: 101 is not in 0..=100".into(), rev: 4 };
    /// assert_eq!(error.path(), Some("brightness"));
    /// ```
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Rejected { reason, .. } => reason.split_once(": ").map(|(path, _)| path),
            _ => None,
        }
    }
}

/// Why there is no mirror of a model, or no further change of it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The model does not fit the type asked for. The mirror keeps the last value that did.
    #[error(transparent)]
    Type(#[from] MirrorError),
    /// The server shows the model no longer. The mirror keeps the last value, and goes on should the model come again.
    #[error("the server shows the model {id} no longer")]
    Gone {
        /// The model.
        id: ModelId,
    },
    /// The client has ended.
    #[error("no more changes: {0}")]
    Closed(ClientError),
}
