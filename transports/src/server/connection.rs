//! One client of a server: a cursor into what happens, and the answers to its own edits.

mod incoming;
mod outgoing;

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use self::outgoing::{Ahead, Behind, Pending};
use super::registry::Entry;
use super::stats::{Limit, Resumed};
use super::{Ended, Opening, OpeningError, Peer, Server};
use crate::changes::Texts;
use crate::codec::Codec;
use crate::message::ModelId;
use crate::session::{Frame, Have, Reader, Shared, Signal};

/// An open connection. Dropping it closes it.
///
/// An adapter repeats two things until either side is gone:
/// 1. it sends all that [`next`](Self::next) (or [`try_next`](Self::try_next)) gives;
/// 2. it passes what the client sent to [`receive`](Self::receive), one frame at a time, and then goes back to 1.
///
/// It should not receive further frames while there are frames to send. What waits here is bounded by
/// [`Limits::queued_bytes`](super::Limits::queued_bytes) in any case.
///
/// When `next` gives `None`, [`ended`](Self::ended) says why. An adapter that ends a connection for a reason of its own
/// says so with [`end`](Self::end); one that is just dropped was [left](Ended::Left).
pub struct Connection {
    server: Server,
    shared: Arc<Shared>,
    entry: Arc<Entry>,
    reader: Reader,
    batch: bool,
    /// Position in the feed of the next event to look at.
    cursor: u64,
    /// What is told before the feed goes on.
    behind: VecDeque<Behind>,
    /// Models that were told of beyond the cursor.
    ahead: Vec<Ahead>,
    /// Models whose snapshot was sent since the client last said something.
    renewed: Vec<ModelId>,
    /// Frames to go out next.
    ready: VecDeque<Frame>,
    /// Answers that do not stand in the feed, and proposals whose answer does; in order of their positions.
    answers: VecDeque<Pending>,
    /// The bytes of both.
    queued: usize,
    listener: usize,
    signal: Arc<Signal>,
    /// Nothing was there when it was last looked, and nothing was received since.
    drained: bool,
    /// Where the feed ends for this connection, as the server shuts down.
    last: Option<u64>,
    /// What the client did wrong.
    fault: Option<Ended>,
    ended: Option<Ended>,
}

impl Connection {
    pub(super) fn open(
        server: Server,
        peer: Peer,
        codec: Codec,
        opening: &Opening,
    ) -> Result<Self, OpeningError> {
        let shared = Arc::clone(server.session().shared());
        shared.settle_first();
        let (listener, signal) = shared.listeners.add();
        let inner = &server.inner;
        let added = inner.registry.add(
            &inner.limits,
            &inner.totals,
            peer,
            &codec,
            Arc::clone(&signal),
        );
        let entry = match added {
            Ok(entry) => entry,
            Err(error) => {
                shared.listeners.remove(listener);
                return Err(error);
            }
        };
        // Codecs of the application may not know the op.
        let texts = match codec.format() {
            Some(_) if opening.splices => Texts::Spliced,
            _ => Texts::Whole,
        };
        let reader = Reader {
            codec,
            epoch: opening.epoch.is_some(),
            texts,
        };
        shared.forms.add(&reader);
        server.count(|connections| *connections += 1);
        let cursor = shared.published();
        entry.cursor.store(cursor, Relaxed);

        let mut this = Self {
            server,
            shared,
            entry,
            reader,
            batch: opening.batch,
            cursor,
            behind: VecDeque::new(),
            ahead: Vec::new(),
            renewed: Vec::new(),
            ready: VecDeque::new(),
            answers: VecDeque::new(),
            queued: 0,
            listener,
            signal,
            last: None,
            drained: false,
            fault: None,
            ended: None,
        };
        this.behind = this.beginning(opening);
        Ok(this)
    }

    /// All models, with what the client has of them.
    fn beginning(&self, opening: &Opening) -> VecDeque<Behind> {
        // Revisions of another life of the session mean nothing in this one.
        let same_life = opening
            .epoch
            .flatten()
            .is_none_or(|epoch| epoch == self.shared.epoch);
        let models = self.shared.models.read();
        let behind = models.keys().map(|id| {
            let have = match opening.since.get(id) {
                None => Have::Nothing,
                Some(_) if !same_life => {
                    self.server.inner.totals.resumed(Resumed::Epoch);
                    Have::Nothing
                }
                Some(since) => Have::Revision(*since),
            };
            Behind::opening(*id, have)
        });
        behind.collect()
    }

    /// The connection's number in the [registry](Server::registry).
    #[must_use]
    pub fn number(&self) -> u64 {
        self.entry.number
    }

    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.entry.peer
    }

    /// The codec in use.
    #[must_use]
    pub const fn codec(&self) -> &Codec {
        &self.reader.codec
    }

    /// The bytes that wait here to be taken.
    #[must_use]
    pub const fn queued_bytes(&self) -> usize {
        self.queued
    }

    /// The client was heard of just now; for the [registry](Server::registry).
    pub fn active(&self, now: SystemTime) {
        self.entry.active(now);
    }

    /// Why the connection has ended; `None` as long as it has not.
    #[must_use]
    pub const fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// Ends the connection, for a reason of the adapter. The first reason counts.
    ///
    /// [`TooLarge`](Ended::TooLarge) counts as a hit of the limit [`frame_bytes`](super::Limits::frame_bytes), for adapters
    /// that do not even read such a frame.
    pub fn end(&mut self, reason: Ended) {
        let is_news = self.ended.is_none() && self.fault.is_none();
        if is_news && matches!(reason, Ended::TooLarge { .. }) {
            self.server.inner.totals.hit(Limit::FrameBytes);
        }
        self.finish(reason);
    }

    pub(super) fn finish(&mut self, reason: Ended) {
        self.drained = false;
        self.ended.get_or_insert(reason);
        self.ready.clear();
        self.answers.clear();
        self.behind.clear();
        self.queued = 0;
        self.entry.queued.store(0, Relaxed);
    }

    /// The next frame for the client; waits until there is one. `None`: the connection has [ended](Self::ended).
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Frame> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// As [`next`](Self::next), for adapters that are state machines.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Frame>> {
        loop {
            if !self.drained {
                if let Some(frame) = self.try_next() {
                    return Poll::Ready(Some(frame));
                }
                if self.ended.is_some() {
                    return Poll::Ready(None);
                }
            }
            ready!(self.signal.poll_raised(context));
            self.drained = false;
        }
    }

    /// Waits until the application wants the connection to end at once: for adapters that cannot send just now and take
    /// no frames. Whoever waits here does not wait for frames.
    pub fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.ended.is_none() {
            self.signal.watch(context);
            match self.entry.closing.get() {
                None | Some(Ended::Shutdown { .. }) => return Poll::Pending,
                Some(reason) => self.finish(reason.clone()),
            }
        }
        Poll::Ready(())
    }

    /// The next frame for the client, if there is one now.
    pub fn try_next(&mut self) -> Option<Frame> {
        if self.ended.is_none()
            && let Some(reason) = self.entry.closing.get()
        {
            let reason = reason.clone();
            match reason {
                // What there is goes out before.
                Ended::Shutdown { .. } => {
                    self.last.get_or_insert_with(|| self.shared.published());
                }
                _ => self.finish(reason),
            }
        }
        if self.ready.is_empty() && self.ended.is_none() {
            match self.fill() {
                Err(error) => {
                    tracing::error!(%error, "a message cannot be encoded, the connection ends");
                    let error = error.to_string();
                    self.finish(Ended::Failed { error });
                }
                Ok(()) if self.ready.is_empty() && self.last.is_some() => {
                    let reason = self.entry.closing.get().cloned();
                    self.finish(reason.unwrap_or(Ended::Left));
                }
                Ok(()) => {}
            }
        }
        let Some(frame) = self.ready.pop_front() else {
            self.drained = self.ended.is_none();
            return None;
        };
        self.queued -= frame.bytes.len();
        self.entry.queued.store(self.queued, Relaxed);
        self.entry.sent(frame.bytes.len());
        Some(frame)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let reason = self.ended.take().or_else(|| {
            let closing = self.entry.closing.get().cloned();
            closing.filter(|reason| !matches!(reason, Ended::Shutdown { .. }))
        });
        let reason = reason.or_else(|| self.fault.take()).unwrap_or(Ended::Left);
        self.shared.forms.remove(&self.reader);
        self.shared.listeners.remove(self.listener);
        self.server.inner.registry.remove(&self.entry);
        self.server.count(|connections| *connections -= 1);
        let totals = &self.server.inner.totals;
        totals.ended(self.entry.number, &self.entry.peer, &reason);
        if let Some(hook) = &self.server.inner.hooks.disconnect {
            hook(self.entry.number, &self.entry.peer, &reason);
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("number", &self.entry.number)
            .field("peer", &self.entry.peer)
            .field("codec", &self.reader.codec)
            .field("batch", &self.batch)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
