//! One client of a server: a cursor into what happens, and the answers to its own edits.

mod incoming;
mod outbox;
mod outgoing;
mod passing;
mod source;

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use self::outbox::Outbox;
pub(crate) use self::source::Progress;
use self::source::Source;
use super::offer::{self, Change, Line};
use super::stats::Limit;
use super::{Ended, Opening, OpeningError, Peer, Server};
use crate::changes::Texts;
use crate::codec::{Codec, CodecError};
use crate::message::{Epoch, ModelId};
use crate::session::{CHUNK, Frame, Reader, Signal};
use crate::views::Views;

/// An open connection. Dropping it closes it.
///
/// An adapter repeats two things until either side is gone:
/// 1. it sends all that [`next`](Self::next) (or [`try_next`](Self::try_next)) gives;
/// 2. it passes what the client sent to [`receive`](Self::receive), one frame at a time, and then goes back to 1.
///
/// It should not receive further frames while there are frames to send. What waits here is bounded in any case: answers
/// by [`Limits::queued_bytes`](super::Limits::queued_bytes), what else there is to be told by 256 KiB, or by one message
/// that is larger.
///
/// When `next` gives `None`, [`ended`](Self::ended) says why. An adapter that ends a connection for a reason of its own
/// says so with [`end`](Self::end); one that is just dropped was [left](Ended::Left).
pub struct Connection {
    out: Outbox,
    /// What it listens to: models of its own first.
    sources: Vec<Source>,
    /// The source that is to be asked next, and the bytes that it has given since it was its turn.
    turn: (usize, usize),
    /// What the client's revisions are of.
    epoch: Epoch,
    /// Whether it is told so.
    knows_epochs: bool,
    /// Whether the revisions in the client's proposals mean something.
    stamps: bool,
    /// How many more frames may come that are no messages.
    patience: u32,
    signal: Arc<Signal>,
    /// Nothing was there when it was last looked, and nothing was received since.
    drained: bool,
    /// When something is to be done about passing states, at the earliest.
    due: Option<SystemTime>,
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
        let signal = Arc::<Signal>::default();
        let inner = &server.inner;
        let entry = inner.registry.add(
            &inner.limits,
            &inner.totals,
            peer,
            &codec,
            Arc::clone(&signal),
        )?;
        // Codecs of the application may not know the op.
        let texts = match codec.format() {
            Some(_) if opening.splices => Texts::Spliced,
            _ => Texts::Whole,
        };
        server.count(|connections| *connections += 1);
        let (own, shared) = inner.offer.join(&entry);
        let lines = std::iter::once(&own).chain(&shared);
        let epoch = offer::epoch(
            inner.offer.epoch(),
            lines.map(|line| (line.id(), &line.views)),
        );
        let reader = Reader {
            codec,
            epoch: Some(epoch),
            texts,
            views: Views::default(),
        };
        let patience = inner.offer.patience();
        let out = Outbox::new(server, entry, reader, opening);
        let mut this = Self {
            out,
            // Nearly all have the one, and a vector that grows makes room for four.
            sources: Vec::with_capacity(1 + shared.len()),
            turn: (0, 0),
            epoch,
            knows_epochs: opening.epoch.is_some(),
            stamps: opening.stamps,
            patience,
            signal,
            drained: false,
            due: None,
            fault: None,
            ended: None,
        };
        this.listen(own, Some(opening));
        for line in shared {
            this.listen(line, Some(opening));
        }
        if opening.gone {
            this.miss(opening);
        }
        Ok(this)
    }

    /// Of what the client has, it is told what it does not see. A model that is hidden is looked for as one that never was.
    fn miss(&mut self, opening: &Opening) {
        let Some((own, common)) = self.sources.split_first_mut() else {
            return;
        };
        let missing: Vec<_> = {
            let models = own.shared.models.read();
            let is_seen = |id: &ModelId| {
                let place = common.binary_search_by_key(id, Source::id);
                models.contains_key(id) || place.is_ok()
            };
            let ids = opening.since.keys().copied();
            ids.filter(|id| !is_seen(id)).collect()
        };
        own.lacks(missing);
    }

    /// Adds a source, in the order of the models' ids.
    fn listen(&mut self, line: Line, opening: Option<&Opening>) {
        let id = line.id();
        let place = self.sources.partition_point(|source| source.id() < id);
        match self.sources.get_mut(place) {
            Some(known) if known.id() == id => {
                known.common = line.common;
                self.show(place, line.views);
            }
            _ => {
                let reader = Reader {
                    epoch: self.knows_epochs.then_some(self.epoch),
                    ..self.out.reader.clone()
                };
                let source = Source::new(line, &self.signal, reader, &self.out, opening);
                self.out
                    .entry
                    .progress
                    .lock()
                    .push(Arc::clone(&source.progress));
                self.sources.insert(place, source);
            }
        }
    }

    /// The client sees something else of a source. What waits to be sent of it is what it may see no more.
    fn show(&mut self, place: usize, views: Views) {
        let Some(source) = self.sources.get_mut(place) else {
            return;
        };
        if source.reader.views == views {
            return;
        }
        let hides = !views.is_superset(&source.reader.views);
        source.reader.views = views;
        source.restart();
        let id = source.id();
        if hides && let Err(error) = self.out.retract(id) {
            self.fail(&error);
        }
    }

    /// Follows what changed about the models that the client may see.
    fn rearrange(&mut self) {
        let changes = self.out.entry.changes();
        if changes.is_empty() {
            return;
        }
        for change in changes {
            match change {
                Change::Add(line) => self.listen(line, None),
                Change::Views(views) => self.show(0, views),
                Change::Remove(id) => {
                    if let Some(place) = self.sources.iter().position(|source| source.id() == id) {
                        let source = self.sources.remove(place);
                        let answers = source.answers.iter().map(outgoing::Pending::size);
                        self.out.answer_goes(answers.sum());
                        self.out.withhold(id);
                        self.forget(source);
                        if let Err(error) = self.out.push_gone(id, id) {
                            self.fail(&error);
                        }
                    }
                }
            }
        }
        let sources = self.sources.iter();
        let views = sources.map(|source| (source.id(), &source.reader.views));
        let epoch = offer::epoch(self.out.server.inner.offer.epoch(), views);
        if epoch != self.epoch {
            self.epoch = epoch;
            // A client has one epoch for all of its models.
            for source in self.sources.iter_mut().filter(|_| self.knows_epochs) {
                source.reader.epoch = Some(epoch);
                source.restart();
            }
        }
    }

    fn forget(&self, source: Source) {
        let mut progress = self.out.entry.progress.lock();
        progress.retain(|progress| !Arc::ptr_eq(progress, &source.progress));
        drop(progress);
        source.close(&self.out);
    }

    /// The connection's number in the [registry](Server::registry).
    #[must_use]
    pub fn number(&self) -> u64 {
        self.out.entry.number
    }

    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.out.entry.peer
    }

    /// The codec in use.
    #[must_use]
    pub const fn codec(&self) -> &Codec {
        &self.out.reader.codec
    }

    /// What the client's revisions are of: the server's [epoch](Server::epoch), or another one for each assignment of
    /// [views](crate::Views). It changes when these do.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The bytes that wait here to be taken.
    #[must_use]
    pub const fn queued_bytes(&self) -> usize {
        self.out.queued()
    }

    /// When [`wake`](Self::wake) is to be called at the latest, if ever. May be another after any other call, and whenever
    /// a waiter of [`poll_next`](Self::poll_next) is woken.
    #[must_use]
    pub fn deadline(&self) -> Option<SystemTime> {
        let expiry = self.out.entry.expiry();
        self.due.into_iter().chain(expiry).min()
    }

    /// Does what it is time for: asks whether the client may [still be connected](crate::hub::Authorizer::connect), and
    /// sees to passing states that had to wait, or count no longer. The connection may have [ended](Self::ended) then,
    /// and gives no further frames.
    ///
    /// The crate has no clock: an adapter that calls this at the [`deadline`](Self::deadline), and [`active`](Self::active)
    /// before [`receive`](Self::receive), keeps these times.
    pub fn wake(&mut self, now: SystemTime) {
        self.drained = false;
        self.rearrange();
        let entry = &self.out.entry;
        if entry.expiry().is_some_and(|at| at <= now) {
            self.out.server.inner.offer.renew(entry, now);
            if let Some(reason @ Ended::Unauthorized { .. }) = entry.closing.get() {
                let reason = reason.clone();
                self.finish(reason);
            }
        }
        if self.ended.is_none() && self.due.is_some_and(|due| due <= now) {
            self.due = None;
            for source in &mut self.sources {
                source.wake(now, &mut self.out);
                let deadline = source.deadline(&self.out);
                self.due = self.due.into_iter().chain(deadline).min();
            }
        }
    }

    /// The client was heard of just now; for the [registry](Server::registry), and to tell what comes too soon.
    pub fn active(&self, now: SystemTime) {
        self.out.entry.active(now);
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
            self.out.hit(Limit::FrameBytes);
        }
        self.finish(reason);
    }

    pub(super) fn finish(&mut self, reason: Ended) {
        self.drained = false;
        self.ended.get_or_insert(reason);
        for source in &mut self.sources {
            source.answers.clear();
            source.behind.clear();
        }
        self.out.clear();
    }

    fn fail(&mut self, error: &CodecError) {
        tracing::error!(%error, "a message cannot be encoded, the connection ends");
        let error = error.to_string();
        self.finish(Ended::Failed { error });
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
            match self.out.entry.closing.get() {
                None | Some(Ended::Shutdown { .. }) => return Poll::Pending,
                Some(reason) => self.finish(reason.clone()),
            }
        }
        Poll::Ready(())
    }

    /// The next frame for the client, if there is one now.
    pub fn try_next(&mut self) -> Option<Frame> {
        self.rearrange();
        let mut closing = false;
        if self.ended.is_none()
            && let Some(reason) = self.out.entry.closing.get()
        {
            let reason = reason.clone();
            match reason {
                // What there is goes out before.
                Ended::Shutdown { .. } => {
                    closing = true;
                    for source in &mut self.sources {
                        source.last.get_or_insert_with(|| source.shared.published());
                    }
                }
                _ => self.finish(reason),
            }
        }
        if self.out.is_empty() && self.ended.is_none() {
            match self.fill() {
                Err(error) => self.fail(&error),
                Ok(()) if self.out.is_empty() && closing => {
                    let reason = self.out.entry.closing.get().cloned();
                    self.finish(reason.unwrap_or(Ended::Left));
                }
                Ok(()) => {}
            }
        }
        let frame = self.out.pop();
        if frame.is_none() {
            self.drained = self.ended.is_none();
        }
        frame
    }

    /// Moves on to the next frames. Each source says all that it has before the next one does, unless that is much.
    fn fill(&mut self) -> Result<(), CodecError> {
        let mut silent = 0;
        while silent < self.sources.len() {
            let (turn, given) = self.turn;
            let Some(source) = self.sources.get_mut(turn) else {
                self.turn = (0, 0);
                continue;
            };
            if source.is_lost() {
                self.finish(Ended::Slow);
                return Ok(());
            }
            let before = self.out.queued();
            source.fill(&mut self.out)?;
            if source.has_missed {
                self.finish(Ended::Slow);
                return Ok(());
            }
            let given = given + self.out.queued().saturating_sub(before);
            if self.out.is_empty() {
                silent += 1;
                self.turn = (turn + 1, 0);
            } else {
                self.turn = if given > CHUNK {
                    (turn + 1, 0)
                } else {
                    (turn, given)
                };
                return Ok(());
            }
        }
        self.turn = (0, 0);
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let entry = Arc::clone(&self.out.entry);
        let reason = self.ended.take().or_else(|| {
            let closing = entry.closing.get().cloned();
            closing.filter(|reason| !matches!(reason, Ended::Shutdown { .. }))
        });
        let reason = reason.or_else(|| self.fault.take()).unwrap_or(Ended::Left);
        let inner = Arc::clone(&self.out.server.inner);
        inner.offer.leave(&entry);
        for source in std::mem::take(&mut self.sources) {
            self.forget(source);
        }
        inner.registry.remove(&entry);
        // Whoever waits for the last connection to go finds that it was counted and told.
        let _gone = Gone(&self.out.server);
        inner.totals.ended(entry.number, &entry.peer, &reason);
        if let Some(hook) = &inner.hooks.disconnect {
            hook(entry.number, &entry.peer, &reason);
        }
    }
}

/// Takes one off the number of connections, also when a hook panics.
struct Gone<'a>(&'a Server);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.count(|connections| *connections -= 1);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("number", &self.out.entry.number)
            .field("peer", &self.out.entry.peer)
            .field("codec", &self.out.reader.codec)
            .field("batch", &self.out.batch)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
