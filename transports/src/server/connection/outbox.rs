//! What waits to be taken, from whichever source it is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;

use super::super::awareness::random_name;
use super::super::registry::Entry;
use super::super::schemas::Known;
use super::super::stats::Limit;
use super::super::{Opening, Server};
use crate::codec::CodecError;
use crate::message::{Message, ModelId};
use crate::session::{Frame, Logged, Model, Reader};

/// What the sources of a connection have in common: who listens, how, and the frames that are next.
pub(super) struct Outbox {
    pub(super) server: Server,
    pub(super) entry: Arc<Entry>,
    pub(super) reader: Reader,
    pub(super) batch: bool,
    /// The types that the client was told of, if it wants to be.
    known: Option<Known>,
    /// Whether the client wants to know of models that it sees no longer.
    pub(super) tells_gone: bool,
    /// Frames to go out next, and the sources they are from.
    ready: VecDeque<(ModelId, Frame)>,
    /// The bytes of these and of all answers that wait.
    queued: usize,
    /// The bytes that the answers which wait take of this connection's own.
    answers: usize,
    /// What others know the connection by, once it had something to say to them.
    name: Option<Arc<str>>,
}

impl Outbox {
    pub(super) fn new(
        server: Server,
        entry: Arc<Entry>,
        reader: Reader,
        opening: &Opening,
    ) -> Self {
        Self {
            server,
            entry,
            reader,
            batch: opening.batch,
            tells_gone: opening.gone,
            known: opening.schema.then(Known::default),
            ready: VecDeque::new(),
            queued: 0,
            answers: 0,
            name: None,
        }
    }

    /// The client reached a limit.
    pub(super) fn hit(&self, limit: Limit) {
        self.server.inner.totals.hit(limit);
        self.entry.hit(limit);
    }

    pub(super) fn name(&mut self) -> Arc<str> {
        Arc::clone(self.name.get_or_insert_with(random_name))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    pub(super) const fn queued(&self) -> usize {
        self.queued
    }

    pub(super) const fn answers(&self) -> usize {
        self.answers
    }

    /// An answer waits from now on.
    pub(super) fn answer_waits(&mut self, bytes: usize) {
        self.answers += bytes;
        self.added(bytes);
    }

    /// An answer waits no longer.
    pub(super) fn answer_goes(&mut self, bytes: usize) {
        self.answers -= bytes;
        self.taken(bytes);
    }

    pub(super) fn push(&mut self, source: ModelId, bytes: Bytes) {
        self.added(bytes.len());
        let frame = Frame::of(&self.reader.codec, bytes);
        self.ready.push_back((source, frame));
    }

    /// Tells what a model is made of, which the client is about to hear of, if it wants to know and was not told.
    pub(super) fn introduce(
        &mut self,
        source: ModelId,
        model: &dyn Model,
    ) -> Result<(), CodecError> {
        if let Some(known) = &mut self.known {
            let schemas = &self.server.inner.schemas;
            if let Some(frame) = schemas.news(known, model, &self.reader.codec)? {
                self.push(source, frame);
            }
        }
        Ok(())
    }

    /// The client sees a model no longer.
    pub(super) fn push_gone(&mut self, source: ModelId, id: ModelId) -> Result<(), CodecError> {
        if self.tells_gone {
            let frame = self.reader.codec.encode(&Message::Gone { id })?;
            self.push(source, frame);
        }
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Option<Frame> {
        let (_, frame) = self.ready.pop_front()?;
        self.taken(frame.bytes.len());
        self.entry.sent(frame.bytes.len());
        Some(frame)
    }

    /// Nothing of this source goes out any more.
    pub(super) fn withhold(&mut self, source: ModelId) {
        let mut bytes = 0;
        self.ready.retain(|(from, frame)| {
            let stays = *from != source;
            bytes += if stays { 0 } else { frame.bytes.len() };
            stays
        });
        self.taken(bytes);
        if let Some(known) = &mut self.known {
            known.forget();
        }
    }

    /// What waits of this source was said to who saw more: no state of its models goes out, but answers do.
    pub(super) fn retract(&mut self, from: ModelId) -> Result<(), CodecError> {
        let ready = std::mem::take(&mut self.ready);
        self.taken(ready.iter().map(|(_, frame)| frame.bytes.len()).sum());
        for (source, frame) in ready {
            if source != from {
                self.push(source, frame.bytes);
                continue;
            }
            match self.reader.codec.decode(&frame.bytes)? {
                Message::Snapshot { .. } | Message::Batch { .. } => {}
                Message::Patch {
                    id,
                    patch,
                    proposal,
                    ..
                } => {
                    if let Some(proposal) = proposal {
                        let rev = patch.rev;
                        let ack = Message::Ack { id, rev, proposal };
                        let ack = self.reader.codec.encode(&ack)?;
                        self.push(source, ack);
                    }
                }
                _ => self.push(source, frame.bytes),
            }
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.ready.clear();
        self.answers = 0;
        self.taken(self.queued);
    }

    fn added(&mut self, bytes: usize) {
        self.queued += bytes;
        self.entry.queued.store(self.queued, Relaxed);
    }

    fn taken(&mut self, bytes: usize) {
        self.queued -= bytes;
        self.entry.queued.store(self.queued, Relaxed);
    }

    /// The name that this client gave to the edit that became this patch.
    pub(super) fn proposal_of(&self, patch: &Logged) -> Option<Arc<str>> {
        let origin = patch.origin.as_ref()?;
        let mine = origin.connection == self.entry.number;
        origin.proposal.clone().filter(|_| mine)
    }
}
