//! One hosted model: its value, its revision and its history.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::{Mutex, RecursiveRwLock, RecursiveRwLockWriteGuard};

use super::feed::Event;
use super::logged::{Logged, Origin};
use super::{Dirty, Shared, SyncReport};
use crate::changes::{Changes, Texts};
use crate::codec::{Codec, CodecError};
use crate::message::{Message, ModelId};
use crate::patch::Op;
use crate::synced::Synced;
use crate::tracked::Tracked;
use crate::value::Value;
use crate::writer::{Format, Writer};

/// What the session and its connections need of a model, whatever its type.
pub(crate) trait Model: Send + Sync {
    fn id(&self) -> ModelId;

    fn rev(&self) -> u64;

    /// The value and its revision as peers know them.
    fn value(&self, shared: &Shared) -> (u64, Value);

    /// Makes a revision if the model changed. If a guard holds the model, that guard asks for the next sync when it
    /// goes.
    fn try_collect(&self, shared: &Shared, flush: &mut Changes, report: &mut SyncReport);

    /// What brings a connection up to date that has revision `since`, or nothing yet. Changes of the host are taken in
    /// first.
    fn open(
        &self,
        shared: &Shared,
        reader: &Reader,
        since: Option<u64>,
    ) -> Result<Vec<Bytes>, CodecError>;

    /// The patches from `cursor` on and before `end`, positions in the feed; `None` if some are no longer kept.
    fn missed(&self, cursor: u64, end: u64) -> Option<Vec<Arc<Logged>>>;

    /// The model as it is, in one message.
    fn snapshot(&self, shared: &Shared, reader: &Reader) -> Result<Bytes, CodecError>;

    /// Makes an edit or refuses it. Changes of the host go out before.
    fn edit(
        &self,
        shared: &Shared,
        reader: &Reader,
        ops: Vec<Op>,
        origin: Origin,
    ) -> Result<Answer, CodecError>;
}

/// How a connection wants to be spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(crate) codec: Codec,
    /// Whether it knows of epochs.
    pub(crate) epoch: bool,
    /// How it wants ops on texts.
    pub(crate) texts: Texts,
}

/// What became of an edit.
pub(crate) enum Answer {
    /// It made the revision at this position of the feed, which is the answer.
    Made { position: u64, rev: u64 },
    /// It changed nothing.
    Nothing { rev: u64 },
    /// It was refused: where to go back to, and why.
    Refused {
        rev: u64,
        snapshot: Bytes,
        error: String,
    },
}

/// A model of one type.
pub(crate) struct Slot<T: Synced> {
    pub(crate) id: ModelId,
    type_name: String,
    pub(crate) state: RecursiveRwLock<Tracked<T>>,
    record: Mutex<Record>,
    /// Whether it was changed since its last collection. Only set while the lock on `state` is held for writing.
    changed: AtomicBool,
    /// Whether a sync found `state` locked.
    wanted: AtomicBool,
    dirty: Arc<Dirty>,
}

#[derive(Default)]
struct Record {
    rev: u64,
    log: VecDeque<Arc<Logged>>,
    bytes: usize,
    /// Patches at positions before this one are no longer in the log.
    forgotten: u64,
    /// The last snapshot in each format, without and with the epoch.
    snapshots: [Option<(u64, Bytes)>; 2 * Format::ALL.len()],
}

impl<T: Synced> Slot<T> {
    pub(crate) fn new(id: ModelId, type_name: String, model: T, dirty: Arc<Dirty>) -> Self {
        let tracked = Tracked::new(model);
        Self {
            id,
            type_name,
            state: RecursiveRwLock::new(tracked),
            record: Mutex::default(),
            changed: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            dirty,
        }
    }

    /// The host changed the model; called before it lets go of the lock, so that nobody takes the change for an
    /// edit's.
    pub(crate) fn mark_changed(&self) {
        if !self.changed.swap(true, Ordering::SeqCst) {
            self.dirty.add(self.id);
        }
    }

    /// A guard has gone; called after it let go of the lock.
    pub(crate) fn released(&self, changed: bool) {
        let wanted = self.wanted.swap(false, Ordering::SeqCst);
        if wanted {
            self.dirty.add(self.id);
        }
        if wanted || changed {
            self.dirty.wake();
        }
    }

    /// Makes a revision of what the host changed.
    fn collect(
        &self,
        shared: &Shared,
        tracked: &mut Tracked<T>,
        flush: &mut Changes,
        report: &mut SyncReport,
    ) {
        if !self.changed.swap(false, Ordering::SeqCst) {
            return;
        }
        flush.restart(shared.forms());
        Tracked::collect(tracked, flush);
        if !flush.is_empty() {
            self.log(shared, flush, None);
            report.patches += 1;
        }
        for fault in flush.take_faults() {
            // Here, as an edit or a connection that opens may be what finds it, and they report to nobody.
            tracing::warn!(model = self.id, %fault, "a value cannot travel");
            report.faults.push((self.id, fault));
        }
    }

    /// Turns changes into the next revision.
    fn log(&self, shared: &Shared, changes: &Changes, origin: Option<Origin>) -> (u64, u64) {
        let mut record = self.record.lock();
        let mut feed = shared.feed.lock();
        record.rev += 1;
        let (rev, position) = (record.rev, feed.next());
        let logged = Arc::new(Logged::new(self.id, rev, position, changes, origin));
        feed.push(Event::Patch(Arc::clone(&logged)), logged.size);
        drop(feed);

        record.bytes += logged.size;
        record.log.push_back(logged);
        while record.log.len() > shared.settings.history
            || record.bytes > shared.settings.history_bytes
        {
            let Some(oldest) = record.log.pop_front() else {
                break;
            };
            record.bytes -= oldest.size;
            record.forgotten = oldest.position + 1;
        }
        (rev, position)
    }

    /// The lock on a model whose changes have all been collected.
    fn settled(&self, shared: &Shared) -> RecursiveRwLockWriteGuard<'_, Tracked<T>> {
        let mut tracked = self.state.write();
        if self.changed.load(Ordering::SeqCst) {
            let mut flush = shared.flush.lock();
            let mut report = SyncReport::default();
            self.collect(shared, &mut tracked, &mut flush, &mut report);
            drop(flush);
            // The revision is published by the next sync, which has to come.
            self.dirty.wake();
        }
        tracked
    }

    /// The model in one message, given that it is settled.
    fn encode(
        &self,
        shared: &Shared,
        reader: &Reader,
        tracked: &Tracked<T>,
    ) -> Result<Bytes, CodecError> {
        let rev = self.record.lock().rev;
        if let Some(bytes) = self.cached(reader) {
            return Ok(bytes);
        }
        let epoch = reader.epoch.then_some(shared.epoch);
        let Some(format) = reader.codec.format() else {
            return reader.codec.encode(&Message::Snapshot {
                id: self.id,
                type_name: self.type_name.clone(),
                rev,
                value: Writer::to_value(|out| Tracked::write(tracked, out)),
                epoch,
            });
        };
        let mut out = Writer::new(format, Vec::new());
        let json = format == Format::Json;
        out.raw_map(5 + usize::from(epoch.is_some()));
        let write_epoch = |out: &mut Writer| {
            if let Some(epoch) = epoch {
                out.raw_key("epoch");
                out.raw_str(&epoch.to_string());
            }
        };
        if json {
            out.raw_key("t");
            out.raw_str("snapshot");
        } else {
            write_epoch(&mut out);
        }
        out.raw_key("id");
        out.raw_uint(self.id);
        if !json {
            out.raw_key("rev");
            out.raw_uint(rev);
            out.raw_key("t");
            out.raw_str("snapshot");
        }
        out.raw_key("type");
        out.raw_str(&self.type_name);
        if json {
            out.raw_key("rev");
            out.raw_uint(rev);
        }
        out.raw_key("value");
        Tracked::write(tracked, &mut out);
        if json {
            write_epoch(&mut out);
        }
        out.raw_end(b'}');
        let bytes = Bytes::from(out.into_bytes());
        let mut record = self.record.lock();
        if let Some(cache) = cache_slot(reader).and_then(|slot| record.snapshots.get_mut(slot)) {
            *cache = Some((rev, bytes.clone()));
        }
        Ok(bytes)
    }

    /// The snapshot of the present revision, if it was encoded before.
    fn cached(&self, reader: &Reader) -> Option<Bytes> {
        let record = self.record.lock();
        let (rev, bytes) = record.snapshots.get(cache_slot(reader)?)?.as_ref()?;
        (*rev == record.rev).then(|| bytes.clone())
    }
}

fn cache_slot(reader: &Reader) -> Option<usize> {
    Some(2 * reader.codec.format()?.slot() + usize::from(reader.epoch))
}

impl<T: Synced> Model for Slot<T> {
    fn id(&self) -> ModelId {
        self.id
    }

    fn rev(&self) -> u64 {
        self.record.lock().rev
    }

    fn value(&self, shared: &Shared) -> (u64, Value) {
        let tracked = self.settled(shared);
        (
            self.rev(),
            Writer::to_value(|out| Tracked::write(&tracked, out)),
        )
    }

    fn try_collect(&self, shared: &Shared, flush: &mut Changes, report: &mut SyncReport) {
        let tracked = self.state.try_write().or_else(|| {
            self.wanted.store(true, Ordering::SeqCst);
            // The guard may have gone in between, without a look at `wanted`.
            self.state.try_write()
        });
        if let Some(mut tracked) = tracked {
            self.collect(shared, &mut tracked, flush, report);
        }
    }

    fn open(
        &self,
        shared: &Shared,
        reader: &Reader,
        since: Option<u64>,
    ) -> Result<Vec<Bytes>, CodecError> {
        if self.changed.load(Ordering::SeqCst) {
            drop(self.settled(shared));
        }
        if let Some(since) = since {
            let record = self.record.lock();
            if since == record.rev {
                return Ok(Vec::new());
            }
            // Asked in this order: a peer may claim any revision, the greatest number included.
            if since < record.rev
                && record
                    .log
                    .front()
                    .is_some_and(|oldest| oldest.rev <= since + 1)
            {
                let missed: Vec<_> = record
                    .log
                    .iter()
                    .filter(|patch| patch.rev > since)
                    .cloned()
                    .collect();
                drop(record);
                let frames: Option<Vec<Bytes>> = missed
                    .iter()
                    .map(|patch| patch.frame(reader))
                    .collect::<Result<_, _>>()?;
                // Some may not be there in the form that is wanted.
                if let Some(frames) = frames {
                    return Ok(frames);
                }
            }
        }
        Ok(vec![self.snapshot(shared, reader)?])
    }

    fn missed(&self, cursor: u64, end: u64) -> Option<Vec<Arc<Logged>>> {
        let record = self.record.lock();
        let within = |patch: &&Arc<Logged>| (cursor..end).contains(&patch.position);
        (record.forgotten <= cursor).then(|| record.log.iter().filter(within).cloned().collect())
    }

    fn snapshot(&self, shared: &Shared, reader: &Reader) -> Result<Bytes, CodecError> {
        if !self.changed.load(Ordering::SeqCst)
            && let Some(bytes) = self.cached(reader)
        {
            return Ok(bytes);
        }
        let tracked = RecursiveRwLockWriteGuard::downgrade(self.settled(shared));
        self.encode(shared, reader, &tracked)
    }

    fn edit(
        &self,
        shared: &Shared,
        reader: &Reader,
        ops: Vec<Op>,
        origin: Origin,
    ) -> Result<Answer, CodecError> {
        let mut tracked = self.state.write();
        let mut flush = shared.flush.lock();
        let mut report = SyncReport::default();
        shared.collect(
            &mut flush,
            Some((self.id, &mut |flush, report| {
                self.collect(shared, &mut tracked, flush, report)
            })),
            &mut report,
        );
        // A sync may have met the lock held here and left the changes to whoever holds it.
        self.collect(shared, &mut tracked, &mut flush, &mut report);
        flush.restart(shared.forms());
        let edited = Tracked::edit(&mut tracked, ops, &mut flush);
        let answer = match edited {
            Ok(()) if flush.is_empty() => Answer::Nothing { rev: self.rev() },
            Ok(()) => {
                let (rev, position) = self.log(shared, &flush, Some(origin));
                Answer::Made { position, rev }
            }
            Err(refusal) => Answer::Refused {
                rev: self.rev(),
                snapshot: match self.encode(shared, reader, &tracked) {
                    Ok(snapshot) => snapshot,
                    Err(error) => {
                        // What the host changed before was taken in, and others wait for it.
                        shared.publish();
                        return Err(error);
                    }
                },
                error: refusal.to_string(),
            },
        };
        shared.publish();
        Ok(answer)
    }
}
