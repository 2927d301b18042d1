//! A WebSocket over any stream of bytes: RFC 6455 without the handshake.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use transports::server::Ended;
use transports::session::Frame;
use tungstenite::Message;
use tungstenite::error::{CapacityError, Error};
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};

use super::write::{Kind, Outgoing};
use crate::hit::hit;

/// The server's end of a WebSocket.
///
/// What comes in is read by tungstenite, which knows the rules of fragments, masks, control frames and UTF-8. It has no
/// I/O here: it is fed with what was read, and its answers to pings and closes are taken from it as bytes. What goes out
/// is written without it, see [`Outgoing`].
pub(super) struct Socket<S> {
    io: S,
    context: WebSocketContext,
    limit: usize,
    /// What was read beyond the last message, and whether there may be a message in it or in the context.
    rest: Bytes,
    has_rest: bool,
    /// The bytes that came since the last message.
    since_message: usize,
    pub(super) out: Outgoing,
    /// When anything last came from the client.
    pub(super) heard: Instant,
    /// Whether something came since this was set to false.
    pub(super) is_heard: bool,
}

/// What a client sends.
pub(super) enum Incoming {
    Message(Frame),
    /// A ping, which is answered, or a pong.
    Control,
    /// The client closes; the answer is in [`Socket::out`].
    Close,
}

/// The bytes of one read. On the stack, so that an idle connection has none of it.
const READ: usize = 16 << 10;

/// What tungstenite holds of each connection from the start. Most edits fit.
const BUFFER: usize = 512;

/// Beside twice its bytes, what the frames of one message may take for their headers and for pings.
const OVERHEAD: usize = 64 << 10;

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// A socket that takes messages of up to `limit` bytes, and from which `read` was read already.
    pub(super) fn new(io: S, read: &[u8], limit: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(limit))
            .max_frame_size(Some(limit));
        Self {
            io,
            context: WebSocketContext::new(Role::Server, Some(config)),
            limit,
            rest: Bytes::copy_from_slice(read),
            has_rest: !read.is_empty(),
            since_message: 0,
            out: Outgoing::default(),
            heard: Instant::now(),
            is_heard: true,
        }
    }

    /// Queues a message.
    pub(super) fn push(&mut self, frame: Frame) {
        let kind = if frame.is_text {
            Kind::Text
        } else {
            Kind::Binary
        };
        self.out.push(kind, frame.bytes);
    }

    /// Writes what is queued.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.out.poll_write(&mut self.io, cx)
    }

    /// The next of what the client sends. What answers it, if anything, is queued.
    pub(super) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Incoming, Ended>> {
        if self.has_rest
            && let Some(incoming) = self.take_rest()?
        {
            return Poll::Ready(Ok(incoming));
        }
        loop {
            let mut space = [MaybeUninit::uninit(); READ];
            let mut buffer = ReadBuf::uninit(&mut space);
            ready!(self.poll_read(cx, &mut buffer)).map_err(|_| Ended::Lost)?;
            let mut input = buffer.filled();
            if input.is_empty() {
                return Poll::Ready(Err(Ended::Lost));
            }
            self.since_message = self.since_message.saturating_add(input.len());
            let incoming = self.feed(&mut input)?;
            if let Some(incoming) = incoming {
                self.rest = Bytes::copy_from_slice(input);
                self.has_rest = true;
                return Poll::Ready(Ok(incoming));
            }
            // No fragment of a message is over the limit, but there may be no end of empty ones.
            if self.since_message > self.limit.saturating_mul(2).saturating_add(OVERHEAD) {
                hit("fragments");
                let error = "a message in too many fragments".to_owned();
                return Poll::Ready(Err(Ended::Flooded { error }));
            }
        }
    }

    /// Reads and forgets what the client sends; the number of bytes. Zero is the end.
    pub(super) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [MaybeUninit::uninit(); READ];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(self.poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Tells the client that nothing more comes.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        self.heard = Instant::now();
        self.is_heard = true;
        Poll::Ready(Ok(()))
    }

    fn take_rest(&mut self) -> Result<Option<Incoming>, Ended> {
        let rest = std::mem::take(&mut self.rest);
        let mut input = &rest[..];
        let incoming = self.feed(&mut input)?;
        let read = rest.len() - input.len();
        self.rest = rest;
        self.rest.advance(read);
        self.has_rest = incoming.is_some();
        Ok(incoming)
    }

    /// Lets tungstenite read until there is a message or no more input.
    fn feed(&mut self, input: &mut &[u8]) -> Result<Option<Incoming>, Ended> {
        let mut feed = Feed {
            input,
            answers: Vec::new(),
        };
        let read = self.context.read(&mut feed);
        if matches!(read, Ok(Message::Close(_))) {
            // Moves the answer out. Says that the connection is closed, which is what was asked for.
            let _ = self.context.flush(&mut feed);
        } else if matches!(read, Ok(Message::Ping(_))) {
            self.context
                .flush(&mut feed)
                .map_err(|error| self.fault(error))?;
        }
        if !feed.answers.is_empty() {
            self.out.push_framed(feed.answers.into());
        }
        let incoming = match read {
            Ok(Message::Text(text)) => Incoming::Message(Frame {
                bytes: text.into(),
                is_text: true,
            }),
            Ok(Message::Binary(bytes)) => Incoming::Message(Frame {
                bytes,
                is_text: false,
            }),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {
                return Ok(Some(Incoming::Control));
            }
            Ok(Message::Close(_)) => Incoming::Close,
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(self.fault(error)),
        };
        self.since_message = 0;
        Ok(Some(incoming))
    }

    fn fault(&self, error: Error) -> Ended {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { size, .. }) => {
                let limit = self.limit;
                let error = format!("a message of {size} bytes is over the limit of {limit}");
                Ended::TooLarge { error }
            }
            Error::Capacity(error) => Ended::TooLarge {
                error: error.to_string(),
            },
            Error::Utf8(error) => Ended::Malformed {
                error: format!("a text frame is not UTF-8: {error}"),
            },
            error => Ended::Protocol {
                error: error.to_string(),
            },
        }
    }
}

/// What tungstenite takes for a stream: the input at hand, and a place for its answers.
struct Feed<'a, 'b> {
    input: &'a mut &'b [u8],
    answers: Vec<u8>,
}

impl Read for Feed<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.input.read(buffer)
    }
}

impl Write for Feed<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.answers.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
