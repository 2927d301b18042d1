//! What waits to be taken, from whichever source it is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;

use super::super::Server;
use super::super::registry::Entry;
use super::super::schemas::Known;
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
    /// Frames to go out next, and the sources they are from.
    ready: VecDeque<(ModelId, Frame)>,
    /// The bytes of these and of all answers that wait.
    queued: usize,
    /// What others know the connection by, once it had something to say to them.
    pub(super) name: Option<Arc<str>>,
}

impl Outbox {
    pub(super) const fn new(
        server: Server,
        entry: Arc<Entry>,
        reader: Reader,
        batch: bool,
        known: Option<Known>,
    ) -> Self {
        Self {
            server,
            entry,
            reader,
            batch,
            known,
            ready: VecDeque::new(),
            queued: 0,
            name: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    pub(super) const fn queued(&self) -> usize {
        self.queued
    }

    pub(super) fn push(&mut self, source: ModelId, bytes: Bytes) {
        self.added(bytes.len());
        let frame = Frame::of(&self.reader.codec, bytes);
        self.ready.push_back((source, frame));
    }

    /// Tells what a model is made of, which the client is about to hear of, if it wants to know and was not told.
    pub(super) fn introduce(&mut self, model: &dyn Model) -> Result<(), CodecError> {
        if let Some(known) = &mut self.known {
            let schemas = &self.server.inner.schemas;
            if let Some(frame) = schemas.news(known, model, &self.reader.codec)? {
                // It may be about other models, too, so it does not go with this one's source.
                self.push(0, frame);
            }
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
        self.taken(self.queued);
    }

    pub(super) fn added(&mut self, bytes: usize) {
        self.queued += bytes;
        self.entry.queued.store(self.queued, Relaxed);
    }

    pub(super) fn taken(&mut self, bytes: usize) {
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
