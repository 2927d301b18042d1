//! What a client says when it connects.

use std::collections::BTreeMap;

use super::Refusal;
use crate::codec::CodecError;
use crate::message::{Epoch, ModelId};

/// The wishes of a client that connects, as they stand in the query of its URL.
///
/// ```
/// use transports::server::Opening;
///
/// let opening = Opening::parse("codec=cbor&since=%7B%221%22%3A5%7D")?;
/// assert_eq!(opening.codec.as_deref(), Some("cbor"));
/// assert_eq!(opening.since.get(&1), Some(&5));
///
/// let error = Opening::parse("since=yesterday").unwrap_err();
/// assert!(error.to_string().starts_with("`since` has to be a JSON object of revisions by id"));
/// # Ok::<(), transports::server::OpeningError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opening {
    /// `codec`: the name of a codec; the server's default if none is given.
    pub codec: Option<String>,
    /// `since`: the revisions the client has, by model.
    pub since: BTreeMap<ModelId, u64>,
    /// `batch=1`: several messages may come in one frame.
    pub batch: bool,
    /// `ops=splice`: edited texts may come, and be sent, as [`Op::Splice`](crate::Op::Splice). The parameter is a list
    /// with commas; names that are not known are for later servers.
    pub splices: bool,
    /// `ops=stamp`, in the same list: the revision in a proposal is the one that the client has of the model. Clients
    /// that do not say so send 0, which means nothing.
    pub stamps: bool,
    /// `schema=1`: the client is [told](crate::Message::Schema) what the models are made of.
    pub schema: bool,
    /// `epoch`: the epoch that the revisions belong to. A client that gives the parameter, even empty, knows of epochs
    /// and is told the server's.
    pub epoch: Option<Option<Epoch>>,
}

impl Opening {
    /// Reads the query of a URL, without the question mark. Parameters that are not known are for others. The last of
    /// several of one name counts.
    ///
    /// # Errors
    /// `since` or `epoch` is not of the form it has to be.
    pub fn parse(query: &str) -> Result<Self, OpeningError> {
        let mut opening = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "codec" => opening.codec = Some(value.into_owned()).filter(|name| !name.is_empty()),
                "batch" => opening.batch = matches!(&*value, "1" | "true"),
                "schema" => opening.schema = matches!(&*value, "1" | "true"),
                "ops" => {
                    opening.splices = value.split(',').any(|op| op == "splice");
                    opening.stamps = value.split(',').any(|op| op == "stamp");
                }
                "since" if value.is_empty() => opening.since.clear(),
                "since" => {
                    opening.since =
                        serde_json::from_str(&value).map_err(|error| OpeningError::Since {
                            reason: error.to_string(),
                        })?;
                }
                "epoch" if value.is_empty() => opening.epoch = Some(None),
                "epoch" => {
                    opening.epoch = Some(Some(value.parse().map_err(|_| OpeningError::Epoch)?))
                }
                _ => {}
            }
        }
        Ok(opening)
    }
}

/// Why a connection cannot be opened. An adapter answers with HTTP 400 before any upgrade, but for
/// [`Refused`](Self::Refused).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// The codec asked for is not offered.
    #[error("unknown codec `{name}`: this server speaks {}", known.join(", "))]
    UnknownCodec {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The revisions cannot be read.
    #[error("`since` has to be a JSON object of revisions by id, like {{\"1\":5}}: {reason}")]
    Since {
        /// What the JSON reader says.
        reason: String,
    },
    /// The epoch cannot be read.
    #[error("`epoch` has to be the hex digits that the server sent")]
    Epoch,
    /// `since` names more models than it may.
    #[error("`since` names {models} models, the limit is {limit}")]
    TooManyModels {
        /// The models named.
        models: usize,
        /// The models that may be named.
        limit: usize,
    },
    /// The application, a limit or a shutdown keeps the client out. An adapter answers with the
    /// [status](super::RefusalKind::status) of its kind.
    #[error("{}", .0.reason)]
    Refused(Refusal),
    /// A codec of the application failed to encode the opening messages.
    #[error("the opening messages cannot be encoded")]
    Codec(#[from] CodecError),
}

impl From<Refusal> for OpeningError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
