//! The revision of a model, what led to it lately, and what brings a peer there.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::logged::{Logged, Origin};
use super::visible::Visible;
use super::{Event, Reader, Shared};
use crate::changes::Changes;
use crate::message::{Epoch, ModelId};
use crate::views::{Mask, Names, Views};
use crate::writer::Format;

/// A model's revision and its history.
#[derive(Default)]
pub(super) struct Record {
    pub(super) rev: u64,
    visible: Visible,
    log: VecDeque<Arc<Logged>>,
    bytes: usize,
    /// Patches at positions before this one are no longer in the log.
    forgotten: u64,
}

/// What a peer has of a model already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Have {
    Nothing,
    /// This revision, or so it claims.
    Revision(u64),
    /// All that happened before this position of the feed.
    Before(u64),
}

/// What brings a peer up to date, to revision `rev` or a part of the way.
pub(crate) struct Update {
    pub(crate) rev: u64,
    /// The whole model; not quite the latest if patches follow.
    pub(crate) snapshot: Option<Bytes>,
    pub(crate) patches: Vec<Arc<Logged>>,
    /// Whether patches are left for another time, as these are many bytes.
    pub(crate) more: bool,
}

/// Up to so many bytes of patches go out without a look at how large the model is.
const SMALL: usize = 64 << 10;
/// About so many bytes of patches go out at a time, so that a peer that does not read holds no more than these.
pub(crate) const CHUNK: usize = 256 << 10;

impl Record {
    pub(super) fn beginning_at(rev: u64, views: &Names) -> Self {
        Self {
            rev,
            visible: Visible::beginning_at(rev, views),
            ..Self::default()
        }
    }

    /// The last revision in which something changed that a reader sees.
    pub(super) fn rev_for(&self, views: &Views) -> u64 {
        match self.visible.names() {
            None => self.rev,
            Some(_) => self.visible.rev(views),
        }
    }

    /// Begins anew: `first` is added to the revision, and there is no way back to those before.
    pub(super) fn rebase(&mut self, first: u64) {
        self.rev += first;
        let views = self.visible.names().cloned().unwrap_or_default();
        self.visible = Visible::beginning_at(self.rev, &views);
        if let Some(last) = self.log.back() {
            self.forgotten = last.position + 1;
        }
        self.log.clear();
        self.bytes = 0;
    }

    /// Turns changes into the next revision.
    pub(super) fn push(
        &mut self,
        id: ModelId,
        shared: &Shared,
        changes: &Changes,
        origin: Option<Origin>,
    ) -> (u64, u64) {
        self.rev += 1;
        let mut feed = shared.feed.write();
        let (rev, position) = (self.rev, feed.next());
        let logged = Logged::new(id, rev, position, changes, origin, &self.visible);
        let logged = Arc::new(logged);
        if self.visible.names().is_some() {
            self.visible.note(rev, logged.masks());
        }
        feed.push(Event::Patch(Arc::clone(&logged)), logged.size);
        drop(feed);
        shared.encodings.patch(logged.size);

        self.bytes += logged.size;
        self.log.push_back(logged);
        while self.log.len() > shared.settings.history || self.bytes > shared.settings.history_bytes
        {
            let Some(oldest) = self.log.pop_front() else {
                break;
            };
            self.bytes -= oldest.size;
            self.forgotten = oldest.position + 1;
        }
        (rev, position)
    }

    /// The revision, and the patches in the history and their bytes.
    pub(super) fn kept(&self) -> (u64, usize, usize) {
        (self.rev, self.log.len(), self.bytes)
    }

    /// The patches that a peer lacks; `None` if some of them are no longer kept, or never were.
    pub(super) fn missed<'a>(
        &'a self,
        reader: &'a Reader,
        have: Have,
    ) -> Option<impl Iterator<Item = &'a Arc<Logged>>> {
        let first = match have {
            Have::Nothing => return None,
            Have::Revision(since) if since == self.rev_for(&reader.views) => self.log.len(),
            // Asked in this order: a peer may claim any revision, the greatest number included.
            Have::Revision(since)
                if since < self.rev
                    && self
                        .log
                        .front()
                        .is_some_and(|oldest| oldest.rev <= since + 1) =>
            {
                self.log.partition_point(|patch| patch.rev <= since)
            }
            Have::Before(position) if self.forgotten <= position => {
                self.log.partition_point(|patch| patch.position < position)
            }
            Have::Revision(_) | Have::Before(_) => return None,
        };
        let seen = |patch: &&Arc<Logged>| patch.is_visible(reader);
        let mut missed = self.log.iter().skip(first).filter(seen).peekable();
        // A revision that a peer has and does not see is none of this history, whatever it says.
        let leads_on = missed.peek().is_none_or(|next| match have {
            Have::Revision(since) => next.base(reader) == since,
            _ => true,
        });
        leads_on.then_some(missed)
    }

    /// How many bytes of patches a peer lacks; `None` if some are not there in the form that it reads.
    fn missed_bytes(&self, reader: &Reader, have: Have) -> Option<usize> {
        let mut missed = self.missed(reader, have)?;
        missed.try_fold(0, |sum, patch| Some(sum + patch.size_for(reader)?))
    }

    /// The patches that a peer lacks, some [`CHUNK`] of them, if they are kept and take less than `whole`, the bytes
    /// of the model itself. Few bytes are worth no look at that.
    pub(super) fn patches(
        &self,
        reader: &Reader,
        have: Have,
        whole: impl FnOnce() -> Option<usize>,
    ) -> Option<Update> {
        let bytes = self.missed_bytes(reader, have)?;
        if bytes > SMALL && whole().is_some_and(|whole| whole < bytes) {
            return None;
        }
        let mut room = CHUNK;
        let mut missed = self.missed(reader, have)?;
        let mut patches = Vec::new();
        for patch in missed.by_ref() {
            patches.push(Arc::clone(patch));
            room = room.saturating_sub(patch.size_for(reader).unwrap_or_default());
            if room == 0 {
                break;
            }
        }
        let more = missed.next().is_some();
        let last = patches.last().filter(|_| more);
        Some(Update {
            rev: last.map_or_else(|| self.rev_for(&reader.views), |last| last.rev),
            snapshot: None,
            more,
            patches,
        })
    }
}

/// The last snapshots that were encoded, the latest one last.
#[derive(Default)]
pub(super) struct Snapshots(Vec<(Key, Encoded)>);

/// The format, the epoch that is told, and the views of the model that the snapshot shows.
type Key = (Format, Option<Epoch>, Mask);

/// Without views there are as many as formats, each without and with the epoch.
const SNAPSHOTS: usize = 16;

#[derive(Clone)]
pub(super) struct Encoded {
    pub(super) rev: u64,
    pub(super) bytes: Bytes,
}

impl Snapshots {
    pub(super) fn get(&self, reader: &Reader, views: Mask) -> Option<&Encoded> {
        let key = key(reader, views)?;
        let known = self.0.iter().find(|(known, _)| *known == key);
        known.map(|(_, encoded)| encoded)
    }

    pub(super) fn put(&mut self, reader: &Reader, views: Mask, encoded: Encoded) {
        let Some(key) = key(reader, views) else {
            return;
        };
        self.0.retain(|(known, _)| *known != key);
        if self.0.len() == SNAPSHOTS {
            self.0.remove(0);
        }
        self.0.push((key, encoded));
    }

    /// About as many bytes as the model takes, if it was ever encoded.
    pub(super) fn size(&self) -> Option<usize> {
        self.0.iter().map(|(_, last)| last.bytes.len()).max()
    }
}

impl Encoded {
    /// The update that this snapshot makes. One of a large model that is a little older serves, too, with the patches
    /// made since: otherwise each of many peers that connect while the model changes would cost an encoding.
    pub(super) fn update(&self, reader: &Reader, record: &Record) -> Option<Update> {
        let since = Have::Revision(self.rev);
        if self.rev != record.rev_for(&reader.views) {
            let behind = record.missed_bytes(reader, since)?;
            if self.bytes.len() < SMALL || behind > self.bytes.len() / 8 {
                return None;
            }
        }
        Some(Update {
            rev: record.rev_for(&reader.views),
            snapshot: Some(self.bytes.clone()),
            patches: record.missed(reader, since)?.cloned().collect(),
            more: false,
        })
    }
}

fn key(reader: &Reader, views: Mask) -> Option<Key> {
    Some((reader.codec.format()?, reader.epoch, views))
}
