//! Messages to bytes and back.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed};

use crate::message::{Kind, Look, Message};
use crate::writer::{Format, Writer};

/// A wire format: one of the three built-in ones, or your own.
///
/// ```
/// use transports::{Codec, Message};
///
/// let ack = Message::Ack { id: 1, rev: 2, proposal: "p".into() };
/// let bytes = Codec::Json.encode(&ack)?;
/// assert_eq!(&bytes[..], br#"{"t":"ack","id":1,"rev":2,"proposal":"p"}"#);
/// assert_eq!(Codec::Json.decode(&bytes)?, ack);
/// # Ok::<(), transports::CodecError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Codec {
    /// JSON text: `json`, `application/json`.
    #[default]
    Json,
    /// MessagePack: `msgpack`, `x-msgpack`, `application/msgpack`, `application/x-msgpack`.
    MessagePack,
    /// CBOR: `cbor`, `application/cbor`.
    Cbor,
    /// A codec of your own, offered to a server with
    /// [`ServerBuilder::codec`](crate::server::ServerBuilder::codec).
    Custom(Arc<dyn CustomCodec>),
}

/// A wire format that is not built in, known by its content type.
pub trait CustomCodec: fmt::Debug + Send + Sync + 'static {
    /// What a client asks for: `?codec=<content type>`.
    fn content_type(&self) -> &str;

    /// Whether frames are text, which decides the type of WebSocket frames. The bytes must then be UTF-8.
    fn is_text(&self) -> bool;

    /// The message as bytes.
    ///
    /// # Errors
    /// What cannot be encoded; the connection is closed.
    fn encode(&self, message: &Message) -> Result<Vec<u8>, CodecError>;

    /// The message that the bytes say.
    ///
    /// # Errors
    /// What is wrong with them; the connection is told and closed.
    fn decode(&self, bytes: &[u8]) -> Result<Message, CodecError>;
}

/// A frame that is no message, or a message that cannot become a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{codec}: {reason}")]
pub struct CodecError {
    codec: String,
    reason: String,
}

impl CodecError {
    /// An error of a codec of your own; `codec` is its name.
    pub fn new(codec: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self {
            codec: codec.into(),
            reason: reason.to_string(),
        }
    }
}

/// Lists and maps may lie in each other this deep in binary frames. JSON stops at 127 by itself.
const DEPTH: usize = 256;

impl Codec {
    /// The built-in codec of this name. Case counts.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "json" | "application/json" => Some(Self::Json),
            "msgpack" | "x-msgpack" | "application/msgpack" | "application/x-msgpack" => {
                Some(Self::MessagePack)
            }
            "cbor" | "application/cbor" => Some(Self::Cbor),
            _ => None,
        }
    }

    /// The short name (`json`, `msgpack`, `cbor`), or the content type of a custom codec.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Json => "json",
            Self::MessagePack => "msgpack",
            Self::Cbor => "cbor",
            Self::Custom(codec) => codec.content_type(),
        }
    }

    /// Whether its frames are text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        match self {
            Self::Json => true,
            Self::MessagePack | Self::Cbor => false,
            Self::Custom(codec) => codec.is_text(),
        }
    }

    pub(crate) const fn format(&self) -> Option<Format> {
        match self {
            Self::Json => Some(Format::Json),
            Self::MessagePack => Some(Format::MessagePack),
            Self::Cbor => Some(Format::Cbor),
            Self::Custom(_) => None,
        }
    }

    /// The message as bytes.
    ///
    /// # Errors
    /// Only a custom codec can fail.
    pub fn encode(&self, message: &Message) -> Result<Bytes, CodecError> {
        match (self.format(), self) {
            (Some(format), _) => Ok(format.encode(message).into()),
            (None, Self::Custom(codec)) => codec.encode(message).map(Bytes::from),
            (None, _) => unreachable!("built-in codecs have a format"),
        }
    }

    /// The message that the bytes say.
    ///
    /// # Errors
    /// The frame is malformed: see `docs/protocol.md`.
    pub fn decode(&self, bytes: &[u8]) -> Result<Message, CodecError> {
        self.read(bytes, self.look(bytes)?)
    }

    /// What can be told of a frame before anything of it is kept.
    pub(crate) fn look(&self, bytes: &[u8]) -> Result<Look, CodecError> {
        self.format()
            .map_or_else(|| Ok(Look::default()), |format| format.look(bytes))
    }

    /// The message that the bytes say, which were looked at.
    pub(crate) fn read(&self, bytes: &[u8], look: Look) -> Result<Message, CodecError> {
        match (self.format(), self) {
            (Some(format), _) => format.read(bytes, look.kind),
            (None, Self::Custom(codec)) => codec.decode(bytes),
            (None, _) => unreachable!("built-in codecs have a format"),
        }
    }
}

impl Format {
    pub(crate) fn encode(self, message: &Message) -> Vec<u8> {
        let mut writer = Writer::new(self, Vec::new());
        message.write(&mut writer);
        writer.into_bytes()
    }

    pub(crate) fn decode(self, bytes: &[u8]) -> Result<Message, CodecError> {
        self.read(bytes, self.look(bytes)?.kind)
    }

    fn look(self, bytes: &[u8]) -> Result<Look, CodecError> {
        match self {
            Self::Json => serde_json::from_slice(bytes).map_err(|error| self.error(error)),
            Self::MessagePack => {
                Deserialize::deserialize(&mut msgpack(bytes)).map_err(|error| self.error(error))
            }
            Self::Cbor => cbor(bytes).map_err(|error| self.error(error)),
        }
    }

    fn read(self, bytes: &[u8], kind: Kind) -> Result<Message, CodecError> {
        match self {
            // Nothing but white space follows the document: the look at it saw to that.
            Self::Json => kind
                .deserialize(&mut serde_json::Deserializer::from_slice(bytes))
                .map_err(|error| self.error(error)),
            Self::MessagePack => kind
                .deserialize(&mut msgpack(bytes))
                .map_err(|error| self.error(error)),
            Self::Cbor => read_cbor(bytes, kind).map_err(|error| self.error(error)),
        }
    }

    fn error(self, error: impl fmt::Display) -> CodecError {
        let name = match self {
            Self::Json => "json",
            Self::MessagePack => "msgpack",
            Self::Cbor => "cbor",
        };
        CodecError::new(name, error)
    }
}

fn msgpack(bytes: &[u8]) -> rmp_serde::Deserializer<rmp_serde::decode::ReadRefReader<'_, [u8]>> {
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(DEPTH);
    reader
}

type CborError = ciborium::de::Error<std::io::Error>;

fn cbor<T: de::DeserializeOwned>(bytes: &[u8]) -> Result<T, CborError> {
    ciborium::de::from_reader_with_recursion_limit(bytes, DEPTH)
}

fn read_cbor(bytes: &[u8], kind: Kind) -> Result<Message, CborError> {
    fn read<const KIND: u8>(bytes: &[u8]) -> Result<Message, CborError> {
        cbor(bytes).map(|OfKind::<KIND>(message)| message)
    }

    // Ciborium reads types, not seeds, so the kind becomes part of the type.
    match kind {
        Kind::Snapshot => read::<{ Kind::Snapshot as u8 }>(bytes),
        Kind::Patch => read::<{ Kind::Patch as u8 }>(bytes),
        Kind::Ack => read::<{ Kind::Ack as u8 }>(bytes),
        Kind::Reject => read::<{ Kind::Reject as u8 }>(bytes),
        Kind::Schema => read::<{ Kind::Schema as u8 }>(bytes),
        Kind::Batch => read::<{ Kind::Batch as u8 }>(bytes),
        Kind::Awareness => read::<{ Kind::Awareness as u8 }>(bytes),
        Kind::CrdtSnapshot => read::<{ Kind::CrdtSnapshot as u8 }>(bytes),
        Kind::Crdt => read::<{ Kind::Crdt as u8 }>(bytes),
        Kind::Unknown => Ok(Message::Unknown),
    }
}

/// A message whose kind is known from an earlier look at it.
struct OfKind<const KIND: u8>(Message);

impl<'de, const KIND: u8> Deserialize<'de> for OfKind<KIND> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let kind = Kind::ALL.into_iter().find(|kind| *kind as u8 == KIND);
        kind.unwrap_or(Kind::Unknown)
            .deserialize(deserializer)
            .map(Self)
    }
}
