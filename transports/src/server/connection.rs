//! One client of a server: a cursor into what happens, and the answers to its own edits.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::{Opening, OpeningError, Server};
use crate::changes::Texts;
use crate::codec::{Codec, CodecError};
use crate::message::{Message, ModelId};
use crate::patch::{Op, Patch};
use crate::session::{Answer, Event, Frame, Logged, Origin, Reader, Shared, Signal, batch};

/// An open connection. Dropping it closes it.
///
/// An adapter repeats two things until either side is gone:
/// 1. it sends all that [`next`](Self::next) (or [`try_next`](Self::try_next)) gives;
/// 2. it passes what the client sent to [`receive`](Self::receive), one frame at a time, and then goes back to 1.
///
/// It must not receive further frames while there are frames to send: what a client can make the server remember stays
/// bounded that way.
pub struct Connection {
    server: Server,
    shared: Arc<Shared>,
    number: u64,
    reader: Reader,
    batch: bool,
    /// Position in the feed of the next event to look at.
    cursor: u64,
    /// Frames to go out next.
    ready: VecDeque<Frame>,
    /// Answers that do not stand in the feed, and proposals whose answer does; in order of their positions.
    answers: VecDeque<Pending>,
    listener: u64,
    signal: Arc<Signal>,
    failed: bool,
}

struct Pending {
    /// The answer stands before the event at this position; an echo is that event.
    position: u64,
    id: ModelId,
    rev: u64,
    answer: Reply,
}

enum Reply {
    Echo(Arc<str>),
    Refusal { snapshot: Bytes, reject: Bytes },
    Frame(Bytes),
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
    /// A codec of the application failed.
    #[error("an answer cannot be encoded: {0}")]
    Codec(#[source] CodecError),
}

/// How many events are taken from the feed at a time.
const EVENTS: usize = 256;

impl Connection {
    pub(super) fn open(
        server: Server,
        number: u64,
        codec: Codec,
        opening: &Opening,
    ) -> Result<Self, OpeningError> {
        let shared = Arc::clone(server.session().shared());
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
        shared.uses(&reader);
        let mut feed = shared.feed.lock();
        let cursor = feed.published();
        let (listener, signal) = feed.listen();
        drop(feed);
        server.count(|connections| *connections += 1);

        // From here on dropping `this` undoes what was done above.
        let mut this = Self {
            server,
            shared,
            number,
            reader,
            batch: opening.batch,
            cursor,
            ready: VecDeque::new(),
            answers: VecDeque::new(),
            listener,
            signal,
            failed: false,
        };
        // Revisions of another life of the session mean nothing in this one.
        let same_life = opening
            .epoch
            .flatten()
            .is_none_or(|epoch| epoch == this.shared.epoch);
        let models: Vec<_> = this
            .shared
            .models
            .read()
            .iter()
            .map(|(id, model)| (*id, Arc::clone(model)))
            .collect();
        for (id, model) in models {
            let since = opening.since.get(&id).copied().filter(|_| same_life);
            let frames = model.open(&this.shared, &this.reader, since)?;
            this.ready.extend(
                frames
                    .into_iter()
                    .map(|bytes| Frame::of(&this.reader.codec, bytes)),
            );
        }
        Ok(this)
    }

    /// The codec in use.
    #[must_use]
    pub fn codec(&self) -> &Codec {
        &self.reader.codec
    }

    /// The next frame for the client; waits until there is one. `None`: the connection has to end.
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.try_next() {
                return Some(frame);
            }
            if self.failed {
                return None;
            }
            self.signal.raised().await;
        }
    }

    /// The next frame for the client, if there is one now.
    pub fn try_next(&mut self) -> Option<Frame> {
        if self.ready.is_empty()
            && !self.failed
            && let Err(error) = self.fill()
        {
            tracing::error!(%error, "a message cannot be encoded, the connection ends");
            self.failed = true;
        }
        self.ready.pop_front()
    }

    /// Takes in what the client sent. Text is read as JSON on any connection whose codec is binary, and binary frames
    /// are read as JSON on a connection that speaks it.
    ///
    /// # Errors
    /// The connection has to end: tell the client why and drop it.
    pub fn receive(&mut self, frame: &Frame) -> Result<(), ConnectionError> {
        let limit = self.server.limits().frame_bytes;
        if frame.bytes.len() > limit {
            return Err(ConnectionError::TooLarge {
                size: frame.bytes.len(),
                limit,
            });
        }
        let codec = match &self.reader.codec {
            binary if frame.is_text && !binary.is_text() => &Codec::Json,
            codec => codec,
        };
        let message = codec
            .decode(&frame.bytes)
            .map_err(ConnectionError::Malformed)?;
        match message {
            Message::Patch {
                id,
                patch,
                proposal,
                ..
            } => self
                .edit(id, patch, proposal)
                .map_err(ConnectionError::Codec),
            // Kinds that mean nothing here, today or ever.
            _ => Ok(()),
        }
    }

    fn edit(
        &mut self,
        id: ModelId,
        patch: Patch,
        proposal: Option<String>,
    ) -> Result<(), CodecError> {
        let Some(model) = self.shared.model(id) else {
            let error = format!("there is no model {id}");
            let reject = Message::Reject {
                id,
                rev: 0,
                error,
                proposal,
                crdt_ops: None,
            };
            return self.answer(id, 0, &reject);
        };
        if let Err(error) = self.within_limits(&patch.ops) {
            let snapshot = model.snapshot(&self.shared, &self.reader)?;
            return self.refuse(id, model.rev(), snapshot, error, proposal);
        }
        let proposal: Option<Arc<str>> = proposal.map(Arc::from);
        let origin = Origin {
            connection: self.number,
            proposal: proposal.clone(),
        };
        match (
            model.edit(&self.shared, &self.reader, patch.ops, origin)?,
            proposal,
        ) {
            (Answer::Made { position, rev }, Some(proposal)) => {
                let answer = Reply::Echo(proposal);
                self.answers.push_back(Pending {
                    position,
                    id,
                    rev,
                    answer,
                });
                Ok(())
            }
            (Answer::Nothing { rev }, Some(proposal)) => {
                let proposal = proposal.to_string();
                self.answer(id, rev, &Message::Ack { id, rev, proposal })
            }
            (Answer::Made { .. } | Answer::Nothing { .. }, None) => Ok(()),
            (
                Answer::Refused {
                    rev,
                    snapshot,
                    error,
                },
                proposal,
            ) => self.refuse(
                id,
                rev,
                snapshot,
                error,
                proposal.as_deref().map(str::to_owned),
            ),
        }
    }

    /// Checks what does not depend on the model.
    fn within_limits(&self, ops: &[Op]) -> Result<(), String> {
        let limits = self.server.limits();
        if ops.len() > limits.edit_ops {
            return Err(format!(
                "an edit of {} ops is over the limit of {}",
                ops.len(),
                limits.edit_ops
            ));
        }
        for op in ops {
            if matches!(op, Op::Splice { .. }) && self.reader.texts == Texts::Whole {
                return Err(format!(
                    "{}: a `Splice` is for connections that ask for it, with `ops=splice`",
                    op.path()
                ));
            }
            let below = op.value().map_or(0, |value| value.depth());
            let depth = op.path().len() + below + usize::from(matches!(op, Op::Insert { .. }));
            if depth > limits.depth {
                let path = op.path();
                return Err(format!(
                    "{path}: a depth of {depth} is over the limit of {}",
                    limits.depth
                ));
            }
        }
        Ok(())
    }

    fn refuse(
        &mut self,
        id: ModelId,
        rev: u64,
        snapshot: Bytes,
        error: String,
        proposal: Option<String>,
    ) -> Result<(), CodecError> {
        let reject = Message::Reject {
            id,
            rev,
            error,
            proposal,
            crdt_ops: None,
        };
        let reject = self.reader.codec.encode(&reject)?;
        self.push_answer(id, rev, Reply::Refusal { snapshot, reject });
        Ok(())
    }

    fn answer(&mut self, id: ModelId, rev: u64, message: &Message) -> Result<(), CodecError> {
        let frame = self.reader.codec.encode(message)?;
        self.push_answer(id, rev, Reply::Frame(frame));
        Ok(())
    }

    fn push_answer(&mut self, id: ModelId, rev: u64, answer: Reply) {
        let position = self.shared.feed.lock().published();
        self.answers.push_back(Pending {
            position,
            id,
            rev,
            answer,
        });
    }

    /// Moves on to the next frames, up to the next answer or so.
    fn fill(&mut self) -> Result<(), CodecError> {
        while self.ready.is_empty() {
            let feed = self.shared.feed.lock();
            let published = feed.published();
            let until = self
                .answers
                .front()
                .map_or(published, |answer| match answer.answer {
                    Reply::Echo(_) => answer.position + 1,
                    _ => answer.position,
                });
            let events = feed.read(self.cursor, until.min(published), EVENTS);
            drop(feed);
            match events {
                None => self.catch_up(published)?,
                Some(events) if events.is_empty() => {
                    let Some(pending) = self.answers.pop_front() else {
                        return Ok(());
                    };
                    match pending.answer {
                        Reply::Echo(_) => unreachable!("an echo goes with its event"),
                        Reply::Frame(frame) => self.push(frame),
                        Reply::Refusal { snapshot, reject } => {
                            self.push(snapshot);
                            self.push(reject);
                        }
                    }
                }
                Some(events) => {
                    self.cursor += events.len() as u64;
                    self.push_events(events)?;
                }
            }
        }
        Ok(())
    }

    fn push_events(&mut self, events: Vec<Event>) -> Result<(), CodecError> {
        let mut together = Vec::new();
        for event in events {
            match event {
                Event::Patch(patch) if self.batch && patch.origin.is_none() => {
                    match patch.frame(&self.reader)? {
                        Some(frame) => together.push(frame),
                        None => {
                            self.push_together(&mut together)?;
                            self.renew(patch.id)?;
                        }
                    }
                }
                Event::Patch(patch) => {
                    self.push_together(&mut together)?;
                    self.push_patch(&patch)?;
                }
                Event::Hosted(id) => {
                    self.push_together(&mut together)?;
                    if let Some(model) = self.shared.model(id) {
                        let snapshot = model.snapshot(&self.shared, &self.reader)?;
                        self.push(snapshot);
                    }
                }
            }
        }
        self.push_together(&mut together)
    }

    /// Messages that may share a frame.
    fn push_together(&mut self, frames: &mut Vec<Bytes>) -> Result<(), CodecError> {
        let frame = match frames.as_slice() {
            [] => return Ok(()),
            [only] => only.clone(),
            several => batch(&self.reader.codec, several)?,
        };
        frames.clear();
        self.push(frame);
        Ok(())
    }

    fn push_patch(&mut self, patch: &Logged) -> Result<(), CodecError> {
        let proposal = match &patch.origin {
            Some(origin) if origin.connection == self.number => origin.proposal.as_deref(),
            _ => None,
        };
        let frame = match proposal {
            None => patch.frame(&self.reader)?,
            Some(proposal) => patch.echo(&self.reader, proposal)?,
        };
        match frame {
            Some(frame) => self.push(frame),
            None => self.renew(patch.id)?,
        }
        if self
            .answers
            .front()
            .is_some_and(|answer| answer.position == patch.position)
        {
            self.answers.pop_front();
        }
        Ok(())
    }

    /// Sends a model as it is, where a patch that this connection needs is not there in its form: the patch was made
    /// right before the connection came.
    fn renew(&mut self, id: ModelId) -> Result<(), CodecError> {
        if let Some(model) = self.shared.model(id) {
            let snapshot = model.snapshot(&self.shared, &self.reader)?;
            self.push(snapshot);
        }
        Ok(())
    }

    /// The feed no longer has what this connection has not seen. The models' histories may have: several patches of a
    /// model then go out as one. If not, it is the model as it is now.
    fn catch_up(&mut self, published: u64) -> Result<(), CodecError> {
        let models: Vec<_> = self.shared.models.read().values().cloned().collect();
        let mut renewed = Vec::new();
        let number = self.number;
        for model in models {
            let Some(missed) = model.missed(self.cursor, published) else {
                let snapshot = model.snapshot(&self.shared, &self.reader)?;
                renewed.push(model.id());
                self.push(snapshot);
                continue;
            };
            // An answer to one of this client's own edits stays a patch of its own.
            let mine = |patch: &Arc<Logged>| {
                patch
                    .origin
                    .as_ref()
                    .is_some_and(|origin| origin.connection == number && origin.proposal.is_some())
            };
            for run in missed.chunk_by(|patch, next| !mine(patch) && !mine(next)) {
                let frame = match run {
                    [only] => {
                        let proposal = only
                            .origin
                            .as_ref()
                            .and_then(|origin| origin.proposal.as_deref());
                        match proposal.filter(|_| mine(only)) {
                            Some(proposal) => only.echo(&self.reader, proposal)?,
                            None => only.frame(&self.reader)?,
                        }
                    }
                    several => Logged::composed(several, &self.reader)?,
                };
                match frame {
                    Some(frame) => self.push(frame),
                    None => self.renew(model.id())?,
                }
            }
        }
        self.cursor = published;
        let caught: Vec<_> = {
            let due = self
                .answers
                .iter()
                .take_while(|answer| answer.position < published)
                .count();
            self.answers.drain(..due).collect()
        };
        for Pending {
            id, rev, answer, ..
        } in caught
        {
            match answer {
                Reply::Echo(proposal) if renewed.contains(&id) => {
                    let proposal = proposal.to_string();
                    let frame = self
                        .reader
                        .codec
                        .encode(&Message::Ack { id, rev, proposal })?;
                    self.push(frame);
                }
                Reply::Echo(_) => {}
                Reply::Frame(frame) => self.push(frame),
                // Its snapshot is older than what has gone out by now. A later one takes the edit back just as well.
                Reply::Refusal { reject, .. } => {
                    if let Some(model) = self.shared.model(id).filter(|_| !renewed.contains(&id)) {
                        let snapshot = model.snapshot(&self.shared, &self.reader)?;
                        self.push(snapshot);
                    }
                    self.push(reject);
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, bytes: Bytes) {
        self.ready.push_back(Frame::of(&self.reader.codec, bytes));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.leaves(&self.reader);
        self.shared.feed.lock().forget(self.listener);
        self.server.count(|connections| *connections -= 1);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("number", &self.number)
            .field("codec", &self.reader.codec)
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}
