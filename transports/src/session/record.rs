//! The revision of a model, what led to it lately, and what brings a peer there.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::logged::{Logged, Origin};
use super::{Event, Reader, Shared};
use crate::changes::Changes;
use crate::message::ModelId;
use crate::writer::Format;

/// A model's revision and its history.
#[derive(Default)]
pub(super) struct Record {
    pub(super) rev: u64,
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
    pub(super) fn beginning_at(rev: u64) -> Self {
        Self {
            rev,
            ..Self::default()
        }
    }

    /// Begins anew: `first` is added to the revision, and there is no way back to those before.
    pub(super) fn rebase(&mut self, first: u64) {
        self.rev += first;
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
        let logged = Arc::new(Logged::new(id, rev, position, changes, origin));
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
    pub(super) fn missed(&self, have: Have) -> Option<impl Iterator<Item = &Arc<Logged>>> {
        let first = match have {
            Have::Nothing => return None,
            Have::Revision(since) if since == self.rev => self.log.len(),
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
        Some(self.log.iter().skip(first))
    }

    /// How many bytes of patches a peer lacks; `None` if some are not there in the form that it reads.
    fn missed_bytes(&self, reader: &Reader, have: Have) -> Option<usize> {
        self.missed(have)?.map(|patch| patch.size_for(reader)).sum()
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
        let mut missed = self.missed(have)?;
        let mut patches = Vec::new();
        for patch in missed.by_ref() {
            patches.push(Arc::clone(patch));
            room = room.saturating_sub(patch.size_for(reader).unwrap_or_default());
            if room == 0 {
                break;
            }
        }
        let rev = patches.last().map_or(self.rev, |last| last.rev);
        Some(Update {
            rev,
            snapshot: None,
            patches,
            more: missed.next().is_some(),
        })
    }
}

/// The last snapshots that were encoded: in each format, without and with the epoch.
#[derive(Default)]
pub(super) struct Snapshots([Option<Encoded>; 2 * Format::ALL.len()]);

#[derive(Clone)]
pub(super) struct Encoded {
    pub(super) rev: u64,
    pub(super) bytes: Bytes,
}

impl Snapshots {
    pub(super) fn get(&self, reader: &Reader) -> Option<&Encoded> {
        self.0.get(slot(reader)?)?.as_ref()
    }

    pub(super) fn put(&mut self, reader: &Reader, encoded: Encoded) {
        if let Some(place) = slot(reader).and_then(|slot| self.0.get_mut(slot)) {
            *place = Some(encoded);
        }
    }

    /// About as many bytes as the model takes, if it was ever encoded.
    pub(super) fn size(&self) -> Option<usize> {
        self.0.iter().flatten().map(|last| last.bytes.len()).max()
    }
}

impl Encoded {
    /// The update that this snapshot makes. One of a large model that is a little older serves, too, with the patches
    /// made since: otherwise each of many peers that connect while the model changes would cost an encoding.
    pub(super) fn update(&self, reader: &Reader, record: &Record) -> Option<Update> {
        let since = Have::Revision(self.rev);
        if self.rev != record.rev {
            let behind = record.missed_bytes(reader, since)?;
            if self.bytes.len() < SMALL || behind > self.bytes.len() / 8 {
                return None;
            }
        }
        Some(Update {
            rev: record.rev,
            snapshot: Some(self.bytes.clone()),
            patches: record.missed(since)?.cloned().collect(),
            more: false,
        })
    }
}

fn slot(reader: &Reader) -> Option<usize> {
    Some(2 * reader.codec.format()?.slot() + usize::from(reader.epoch))
}
