//! What clients are told, in which order.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;

use super::super::stats::{Limit, Resumed};
use super::outbox::Outbox;
use super::source::Source;
use crate::codec::CodecError;
use crate::message::{Message, ModelId};
use crate::session::{CHUNK, Event, Have, Logged, batch};

/// A model that the client is to be told of apart from the feed.
pub(super) struct Behind {
    id: ModelId,
    have: Have,
    /// Several patches go out as one.
    composed: bool,
    /// Whether this is the first thing that a client hears of a model whose revision it named.
    resumes: bool,
}

impl Behind {
    pub(super) const fn opening(id: ModelId, have: Have) -> Self {
        Self {
            id,
            have,
            composed: false,
            resumes: matches!(have, Have::Revision(_)),
        }
    }
}

impl Behind {
    /// Of a model that is not there.
    pub(super) const fn missing(id: ModelId) -> Self {
        Self {
            id,
            have: Have::Nothing,
            composed: false,
            resumes: false,
        }
    }

    pub(super) const fn id(&self) -> ModelId {
        self.id
    }
}

/// The client has heard of this revision already, though the cursor has not come to it.
pub(super) struct Ahead {
    id: ModelId,
    rev: u64,
    /// The position up to which the feed has older news.
    until: u64,
    /// News before this position are not told again.
    silent: u64,
}

pub(super) struct Pending {
    /// The answer stands before the event at this position; an echo is that event.
    pub(super) position: u64,
    pub(super) id: ModelId,
    pub(super) answer: Reply,
}

pub(super) enum Reply {
    /// Of the edit that made this revision.
    Echo(Arc<str>, u64),
    /// A snapshot takes the client's own changes back, and then this says why.
    Refusal(Bytes),
    Frame(Bytes),
}

impl Pending {
    /// The bytes that it takes.
    pub(super) fn size(&self) -> usize {
        let text = match &self.answer {
            Reply::Echo(proposal, _) => proposal.len(),
            Reply::Refusal(frame) | Reply::Frame(frame) => frame.len(),
        };
        size_of::<Self>() + text
    }
}

/// How many events are taken from the feed at a time.
const EVENTS: usize = 256;

impl Source {
    /// Moves on to the next frames: some [`CHUNK`] of bytes, or one message that is larger.
    pub(super) fn fill(&mut self, out: &mut Outbox) -> Result<(), CodecError> {
        while out.is_empty() {
            if let Some(behind) = self.behind.pop_front() {
                self.bring(behind, out)?;
                continue;
            }
            let published = self.shared.published();
            let end = self.last.unwrap_or(published);
            let mut until = end;
            if let Some(pending) = self.answers.front() {
                let is_echo = matches!(pending.answer, Reply::Echo(..));
                if pending.position < self.cursor || pending.position == self.cursor && !is_echo {
                    self.answer_next(out)?;
                    continue;
                }
                until = until.min(pending.position + u64::from(is_echo));
            }
            if self.cursor >= until {
                return self.push_statuses(out);
            }
            if published - self.cursor > out.server.limits().queued_events {
                out.hit(Limit::QueuedEvents);
                self.fall_behind(published, out);
                continue;
            }
            let events = self
                .shared
                .feed
                .read()
                .read(self.cursor, until, EVENTS, CHUNK);
            match events {
                Some(events) => self.push_events(events, out)?,
                None => self.fall_behind(published, out),
            }
        }
        Ok(())
    }

    fn push_events(&mut self, events: Vec<Event>, out: &mut Outbox) -> Result<(), CodecError> {
        let mut together = Vec::new();
        for event in events {
            match event {
                Event::Patch(patch) if self.is_known(&patch) || !patch.is_visible(&self.reader) => {
                    // A whole model told the client of its own edit, or it sees nothing of what that changed: what is left
                    // to say is that it was one.
                    if let Some(proposal) = out.proposal_of(&patch)
                        && self.forget_echo(patch.position, out)
                    {
                        self.push_together(&mut together, out)?;
                        self.push_ack(patch.id, patch.rev_for(&self.reader), proposal, out)?;
                    }
                }
                Event::Patch(patch) if out.batch && patch.origin.is_none() => {
                    match patch.frame(&self.reader)? {
                        Some(frame) => together.push(frame),
                        None => {
                            self.push_together(&mut together, out)?;
                            self.renew(patch.id, out)?;
                        }
                    }
                }
                Event::Patch(patch) => {
                    self.push_together(&mut together, out)?;
                    self.push_patch(&patch, out)?;
                }
                Event::Gone(id) => {
                    self.push_together(&mut together, out)?;
                    out.push_gone(self.id(), id)?;
                }
                Event::Hosted(id) => {
                    self.push_together(&mut together, out)?;
                    if !self.ahead.iter().any(|ahead| ahead.id == id) {
                        self.bring(Behind::opening(id, Have::Nothing), out)?;
                    }
                }
            }
            self.move_to(self.cursor + 1);
            if out.queued() > CHUNK {
                break;
            }
        }
        self.push_together(&mut together, out)
    }

    fn move_to(&mut self, cursor: u64) {
        self.cursor = cursor;
        self.progress.cursor.store(cursor, Relaxed);
        if !self.ahead.is_empty() {
            self.ahead.retain(|ahead| cursor < ahead.until);
        }
    }

    fn is_known(&self, patch: &Logged) -> bool {
        let known = |ahead: &Ahead| {
            ahead.id == patch.id && patch.rev <= ahead.rev && self.cursor < ahead.silent
        };
        self.ahead.iter().any(known)
    }

    /// The edit that made the event at this position needs no further answer. Returns whether it needed one.
    fn forget_echo(&mut self, position: u64, out: &mut Outbox) -> bool {
        let is_it = |pending: &Pending| {
            pending.position == position && matches!(pending.answer, Reply::Echo(..))
        };
        let Some(place) = self.answers.iter().position(is_it) else {
            return false;
        };
        if let Some(pending) = self.answers.remove(place) {
            out.answer_goes(pending.size());
        }
        true
    }

    /// Messages that may share a frame.
    fn push_together(&self, frames: &mut Vec<Bytes>, out: &mut Outbox) -> Result<(), CodecError> {
        let frame = match frames.as_slice() {
            [] => return Ok(()),
            [only] => only.clone(),
            several => batch(&out.reader.codec, several)?,
        };
        frames.clear();
        self.push(frame, out);
        Ok(())
    }

    fn push_patch(&mut self, patch: &Logged, out: &mut Outbox) -> Result<(), CodecError> {
        let frame = match out.proposal_of(patch) {
            None => patch.frame(&self.reader)?,
            Some(proposal) => {
                self.forget_echo(patch.position, out);
                patch.echo(&self.reader, &proposal)?
            }
        };
        match frame {
            Some(frame) => self.push(frame, out),
            None => self.renew(patch.id, out)?,
        }
        Ok(())
    }

    /// Sends a model as it is, where a patch that this connection needs is not there in its form: it was made before any
    /// connection wanted that form.
    fn renew(&mut self, id: ModelId, out: &mut Outbox) -> Result<(), CodecError> {
        self.bring(Behind::opening(id, Have::Nothing), out)
    }

    /// Gives the first answer, which stands before the cursor.
    fn answer_next(&mut self, out: &mut Outbox) -> Result<(), CodecError> {
        let Some(pending) = self.answers.pop_front() else {
            return Ok(());
        };
        out.answer_goes(pending.size());
        let Pending { id, answer, .. } = pending;
        match answer {
            Reply::Frame(frame) => self.push(frame, out),
            // Its patch is covered by what this client caught up with.
            Reply::Echo(proposal, rev) => self.push_ack(id, rev, proposal, out)?,
            Reply::Refusal(reject) => {
                if !self.renewed.contains(&id) {
                    self.bring(Behind::opening(id, Have::Nothing), out)?;
                }
                self.push(reject, out);
            }
        }
        Ok(())
    }

    /// The feed no longer has what this connection has not seen, or it is too much. The models' histories may have it:
    /// several patches of a model then go out as one. If not, it is the model as it is now.
    fn fall_behind(&mut self, published: u64, out: &Outbox) {
        let totals = &out.server.inner.totals;
        totals.caught_up(out.entry.number, published - self.cursor);
        let models = self.shared.models.read();
        self.behind.extend(models.keys().map(|&id| {
            let ahead = self.ahead.iter().find(|ahead| ahead.id == id);
            let have = ahead.map_or(Have::Before(self.cursor), |ahead| Have::Revision(ahead.rev));
            Behind {
                id,
                have,
                composed: true,
                resumes: false,
            }
        }));
        drop(models);
        if out.tells_gone {
            let gone = self.shared.feed.read().gone_since(self.cursor);
            self.has_missed = gone.is_none();
            self.lacks(gone.unwrap_or_default());
        }
        self.move_to(published);
    }

    /// Tells the client of one model what it lacks, or some of it.
    fn bring(&mut self, behind: Behind, out: &mut Outbox) -> Result<(), CodecError> {
        let Behind { id, have, .. } = behind;
        let Some(model) = self.shared.model(id) else {
            return out.push_gone(self.id(), id);
        };
        out.introduce(self.id(), &*model)?;
        let update = model.update(&self.shared, &self.reader, have)?;
        if behind.resumes {
            out.server.inner.totals.resumed(match update.snapshot {
                None => Resumed::Delta,
                Some(_) => Resumed::Snapshot,
            });
        }
        if let Some(snapshot) = update.snapshot {
            self.renewed.push(id);
            self.push(snapshot, out);
        }
        // An answer to one of this client's own edits stays a patch of its own.
        let mine = |patch: &Arc<Logged>| out.proposal_of(patch).is_some();
        let runs: Vec<_> = update
            .patches
            .chunk_by(|patch, next| behind.composed && !mine(patch) && !mine(next))
            .collect();
        for run in runs {
            match run {
                [only] => self.push_patch(only, out)?,
                several => match Logged::composed(several, &self.reader)? {
                    Some(frame) => self.push(frame, out),
                    None => return self.renew(id, out),
                },
            }
        }
        if update.more {
            self.behind.push_front(Behind {
                have: Have::Revision(update.rev),
                resumes: false,
                ..behind
            });
        }
        self.reached(id, update.rev);
        Ok(())
    }

    /// The client has heard of a revision that the feed may tell of later.
    fn reached(&mut self, id: ModelId, rev: u64) {
        self.ahead.retain(|ahead| ahead.id != id);
        // Revisions that are not published yet are told again then, as published servers do; but not as a part of several
        // that come as one.
        let silent = self.shared.published();
        let until = self.shared.feed.read().next();
        if self.cursor < until {
            let ahead = Ahead {
                id,
                rev,
                until,
                silent,
            };
            self.ahead.push(ahead);
        }
    }

    fn push_ack(
        &self,
        id: ModelId,
        rev: u64,
        proposal: Arc<str>,
        out: &mut Outbox,
    ) -> Result<(), CodecError> {
        let proposal = proposal.to_string();
        let ack = Message::Ack { id, rev, proposal };
        let frame = out.reader.codec.encode(&ack)?;
        self.push(frame, out);
        Ok(())
    }

    pub(super) fn push(&self, bytes: Bytes, out: &mut Outbox) {
        out.push(self.id(), bytes);
    }
}
