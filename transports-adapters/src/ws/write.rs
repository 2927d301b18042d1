//! Frames on their way out.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::AsyncWrite;

/// Frames that wait to be written, as the bytes they will be.
///
/// Frames of a server are not masked, so the payload goes out as it is, shared with all other connections; only the header
/// belongs to this one.
#[derive(Default)]
pub(super) struct Outgoing {
    queue: VecDeque<Piece>,
    /// The bytes of the first piece that are written already.
    written: usize,
    /// The bytes that are still to be written.
    due: usize,
    /// The bytes that were ever written: tells whether there is progress.
    total: u64,
    unflushed: bool,
}

struct Piece {
    header: Header,
    payload: Bytes,
}

/// The opcodes of RFC 6455, 5.2, that a server sends in frames of its own.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
}

/// At most 10 bytes: the length of a payload takes none, two or eight of them.
#[derive(Clone, Copy)]
struct Header {
    bytes: [u8; 10],
    len: u8,
}

/// What is not longer than this together is copied into one buffer: cheaper than telling the kernel about its parts.
const COPIED: usize = 1024;

/// The parts that one call to the kernel takes: 32 frames.
const SLICES: usize = 64;

/// Frames are gathered for one call up to this many bytes.
const GATHERED: usize = 64 << 10;

impl Header {
    const NONE: Self = Self {
        bytes: [0; 10],
        len: 0,
    };

    fn new(kind: Kind, payload: usize) -> Self {
        const FIN: u8 = 0x80;
        let [b0, b1, b2, b3, b4, b5, low @ ..] = (payload as u64).to_be_bytes();
        let first = FIN | kind as u8;
        let (bytes, len) = match payload {
            0..=125 => ([first, low[1], 0, 0, 0, 0, 0, 0, 0, 0], 2),
            126..=0xffff => ([first, 126, low[0], low[1], 0, 0, 0, 0, 0, 0], 4),
            _ => ([first, 127, b0, b1, b2, b3, b4, b5, low[0], low[1]], 10),
        };
        Self { bytes, len }
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl Piece {
    fn len(&self) -> usize {
        usize::from(self.header.len) + self.payload.len()
    }

    /// What is left after `written` bytes, in two parts.
    fn after(&self, written: usize) -> [&[u8]; 2] {
        let header = self.header.as_slice();
        let of_header = written.min(header.len());
        [
            header.get(of_header..).unwrap_or_default(),
            self.payload.get(written - of_header..).unwrap_or_default(),
        ]
    }
}

impl Outgoing {
    pub(super) fn push(&mut self, kind: Kind, payload: Bytes) {
        self.add(Piece {
            header: Header::new(kind, payload.len()),
            payload,
        });
    }

    /// Adds frames that have their headers already.
    pub(super) fn push_framed(&mut self, frames: Bytes) {
        self.add(Piece {
            header: Header::NONE,
            payload: frames,
        });
    }

    fn add(&mut self, piece: Piece) {
        self.due += piece.len();
        self.queue.push_back(piece);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.unflushed
    }

    /// Whether further frames would go out by the same call.
    pub(super) fn has_room(&self) -> bool {
        self.due < GATHERED && self.queue.len() < SLICES / 2
    }

    /// The bytes written so far.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Forgets all frames but one that is partly written, so that what is pushed next goes out as early as it can.
    pub(super) fn abandon(&mut self) {
        self.queue.truncate(usize::from(self.written > 0));
        self.due = self.queue.front().map_or(0, Piece::len) - self.written;
    }

    /// Writes all there is.
    pub(super) fn poll_write(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.queue.is_empty() {
            let written = ready!(self.poll_write_some(Pin::new(io), cx))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(written);
        }
        if self.unflushed {
            ready!(Pin::new(io).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_some<S: AsyncWrite>(
        &self,
        io: Pin<&mut S>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.due > COPIED && io.is_write_vectored() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut count = 0;
            for (slice, part) in slices.iter_mut().zip(self.parts()) {
                *slice = IoSlice::new(part);
                count += 1;
            }
            return io.poll_write_vectored(cx, slices.get(..count).unwrap_or_default());
        }
        // A long payload goes as it is, once its header is out.
        if let Some(first) = self.parts().next()
            && first.len() >= COPIED
        {
            return io.poll_write(cx, first);
        }
        let mut buffer = [0; COPIED];
        let mut free = &mut buffer[..];
        for part in self.parts() {
            let fits = part.len().min(free.len());
            let (to, rest) = free.split_at_mut(fits);
            to.copy_from_slice(part.split_at(fits).0);
            free = rest;
            if free.is_empty() {
                break;
            }
        }
        let len = COPIED - free.len();
        io.poll_write(cx, buffer.get(..len).unwrap_or_default())
    }

    /// All that is to be written, in order, without empty parts.
    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let first = self.queue.front().map(|piece| piece.after(self.written));
        let others = self.queue.iter().skip(1).map(|piece| piece.after(0));
        first
            .into_iter()
            .chain(others)
            .flatten()
            .filter(|part| !part.is_empty())
    }

    fn advance(&mut self, written: usize) {
        self.unflushed = true;
        self.total += written as u64;
        self.due -= written;
        self.written += written;
        while let Some(first) = self.queue.front()
            && self.written >= first.len()
        {
            self.written -= first.len();
            self.queue.pop_front();
        }
    }
}
