//! Why connections end, and how.

use std::borrow::Cow;
use std::future::poll_fn;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use transports::server::ConnectionError;

use super::WebSocketSettings;
use super::socket::{Incoming, Socket};
use super::write::Kind;

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum Ending {
    /// The client closed.
    Client,
    /// The client is gone without a word.
    Lost,
    /// What the client sends is no WebSocket.
    Protocol(String),
    /// The client sent what is no message.
    Malformed(String),
    /// The client sent too much at once.
    TooLarge(String),
    /// The client sent a message in far too many pieces.
    Fragments,
    /// The client sent too many messages.
    TooMany { per_second: u32 },
    /// The client does not read.
    Stuck { seconds: f64 },
    /// The client does not answer.
    Silent { seconds: f64 },
    /// A message cannot be encoded.
    Failed(String),
    /// The server goes away.
    Shutdown { retry_ms: u64 },
}

impl From<ConnectionError> for Ending {
    fn from(error: ConnectionError) -> Self {
        let text = error.to_string();
        match error {
            ConnectionError::Malformed(_) => Self::Malformed(text),
            ConnectionError::TooLarge { .. } => Self::TooLarge(text),
            _ => Self::Failed(text),
        }
    }
}

impl Ending {
    /// The value of the label `reason` in metrics and logs.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Lost => "lost",
            Self::Protocol(_) => "protocol",
            Self::Malformed(_) => "malformed",
            Self::TooLarge(_) => "too_large",
            Self::Fragments => "fragments",
            Self::TooMany { .. } => "rate",
            Self::Stuck { .. } => "stuck",
            Self::Silent { .. } => "silent",
            Self::Failed(_) => "failed",
            Self::Shutdown { .. } => "shutdown",
        }
    }

    /// The limit that was reached, if it was one.
    pub(super) fn limit(&self) -> Option<&'static str> {
        match self {
            Self::TooLarge(_) => Some("frame_bytes"),
            Self::Fragments => Some("fragments"),
            Self::TooMany { .. } => Some("messages_per_second"),
            Self::Stuck { .. } => Some("write_timeout"),
            Self::Silent { .. } => Some("pong_timeout"),
            _ => None,
        }
    }

    /// What the close frame says: a code (RFC 6455, 7.4, and the registry it opened) and a reason.
    pub(super) fn said(&self) -> Option<(u16, Cow<'_, str>)> {
        Some(match self {
            // Answered already, or nobody is there to hear it.
            Self::Client | Self::Lost => return None,
            Self::Protocol(error) => (1002, error.into()),
            Self::Malformed(error) => (1007, error.into()),
            Self::Fragments => (1008, "a message in too many fragments".into()),
            Self::TooMany { per_second } => {
                let reason = format!("more than {per_second} messages a second");
                (1008, reason.into())
            }
            Self::TooLarge(error) => (1009, error.into()),
            Self::Silent { seconds } => (1011, format!("no pong within {seconds} s").into()),
            Self::Failed(error) => (1011, error.into()),
            Self::Shutdown { retry_ms } => {
                let reason = format!("shutting down, retry in {retry_ms} ms");
                (1012, reason.into())
            }
            Self::Stuck { seconds } => (1013, format!("read nothing for {seconds} s").into()),
        })
    }

    /// Whether the client's frames can still be told apart.
    fn is_readable(&self) -> bool {
        !matches!(
            self,
            Self::Protocol(_) | Self::TooLarge(_) | Self::Fragments | Self::Malformed(_)
        )
    }
}

/// The payload of a close frame. Its reason has room for 123 bytes (RFC 6455, 5.5).
fn payload(code: u16, reason: &str) -> Bytes {
    let reason = reason
        .get(..reason.floor_char_boundary(123))
        .unwrap_or_default();
    let mut payload = BytesMut::with_capacity(2 + reason.len());
    payload.put_u16(code);
    payload.put_slice(reason.as_bytes());
    payload.freeze()
}

/// Says why, and leaves.
///
/// A socket that is dropped while there is something to read is reset, and what was just written may never be seen. So
/// what the client still sends is read, within bounds, until it has answered or is gone.
pub(super) async fn close<S>(mut socket: Socket<S>, ending: &Ending, settings: &WebSocketSettings)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if matches!(ending, Ending::Lost) {
        return;
    }
    if matches!(ending, Ending::Stuck { .. }) {
        socket.out.abandon();
    }
    if let Some((code, reason)) = ending.said() {
        socket.out.push(Kind::Close, payload(code, &reason));
    }
    // Whether it went well makes no difference any more.
    let _ = timeout(settings.close_timeout, async {
        poll_fn(|cx| socket.poll_write(cx)).await?;
        let mut left = settings.close_bytes;
        let mut is_answered = matches!(ending, Ending::Client);
        if !is_answered && ending.is_readable() {
            is_answered = answer(&mut socket, &mut left).await;
        }
        poll_fn(|cx| socket.poll_shutdown(cx)).await?;
        while !is_answered && left > 0 {
            let read = poll_fn(|cx| socket.poll_discard(cx)).await?;
            is_answered = read == 0;
            left = left.saturating_sub(read);
        }
        std::io::Result::Ok(())
    })
    .await;
}

/// Waits for the client's close frame; false if it cannot come any more.
async fn answer<S>(socket: &mut Socket<S>, left: &mut usize) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|cx| socket.poll_receive(cx)).await {
            Ok(Incoming::Close) | Err(Ending::Lost) => return true,
            Ok(Incoming::Message(frame)) if frame.bytes.len() < *left => {
                *left -= frame.bytes.len();
            }
            Ok(Incoming::Control) if *left > 0 => *left -= 1,
            _ => return false,
        }
        // Nothing may follow a close frame, so pings stay without an answer.
        socket.out.abandon();
    }
}
