//! One hosted model: its value, its revision and its history.

use std::any::TypeId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::{Mutex, RecursiveRwLock, RecursiveRwLockReadGuard, RecursiveRwLockWriteGuard};

use super::info::Kept;
use super::logged::Origin;
use super::record::{Encoded, Have, Record, Snapshots, Update};
use super::{Dirty, Shared, SyncReport};
use crate::changes::{Changes, Texts};
use crate::codec::{Codec, CodecError};
use crate::edit::Budget;
use crate::edit::PatchError;
use crate::message::{Epoch, Message, ModelId};
use crate::patch::Op;
use crate::schema::Type;
use crate::synced::Synced;
use crate::tracked::Tracked;
use crate::value::Value;
use crate::views::{self, Mask, Names, Seen, Views};
use crate::writer::{Format, Writer};

/// What the session and its connections need of a model, whatever its type.
pub(crate) trait Model: Send + Sync {
    fn rev(&self) -> u64;

    /// The last revision in which something changed that is seen with these views.
    fn rev_for(&self, views: &Views) -> u64;

    /// The views that fields of it have.
    fn views(&self) -> &Names;

    /// The type of the model.
    fn ty(&self) -> Type;

    /// The same, to be compared.
    fn type_id(&self) -> TypeId;

    /// The value and its revision as peers know them, in all or only what is seen with these views.
    fn value(&self, shared: &Shared, views: Option<&Views>) -> (u64, Value);

    /// Makes a revision if the model changed. If a guard holds the model, that guard asks for the next sync when it
    /// goes.
    fn try_collect(&self, shared: &Shared, flush: &mut Changes, report: &mut SyncReport);

    /// The name of the type on the wire.
    fn type_name(&self) -> &str;

    /// The revision and what is kept beside the model.
    fn kept(&self) -> Kept;

    /// Begins anew at `first`, before anybody has seen a revision.
    fn rebase(&self, first: u64);

    /// What brings a peer up to date. For one that connects, changes of the host are taken in first.
    fn update(&self, shared: &Shared, reader: &Reader, have: Have) -> Result<Update, CodecError>;

    /// Makes an edit or refuses it. Changes of the host go out before.
    fn edit(&self, shared: &Shared, ops: Vec<Op>, author: By<'_>) -> Answer;
}

/// Who makes an edit, and what it may do.
pub(crate) struct By<'a> {
    pub(crate) views: &'a Views,
    pub(crate) budget: Budget,
    pub(crate) origin: Origin,
}

/// How a connection wants to be spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(crate) codec: Codec,
    /// What it is told of the epoch, if it knows of epochs.
    pub(crate) epoch: Option<Epoch>,
    /// How it wants ops on texts.
    pub(crate) texts: Texts,
    /// What it sees besides what everybody sees.
    pub(crate) views: Views,
}

/// What became of an edit.
pub(crate) enum Answer {
    /// It made the revision at this position of the feed, which is the answer.
    Made { position: u64, rev: u64 },
    /// It changed nothing.
    Nothing { rev: u64 },
    /// The model went meanwhile.
    Gone,
    /// It was refused.
    Refused { rev: u64, error: PatchError },
}

/// A model of one type.
pub(crate) struct Slot<T: Synced> {
    pub(crate) id: ModelId,
    type_name: String,
    views: Names,
    pub(crate) state: RecursiveRwLock<Tracked<T>>,
    record: Mutex<Record>,
    /// Held while a snapshot is encoded, so that all who need it wait for one encoding.
    snapshots: Mutex<Snapshots>,
    /// Whether it was changed since its last collection. Only set while the lock on `state` is held for writing.
    changed: AtomicBool,
    /// Whether a sync found `state` locked.
    wanted: AtomicBool,
    dirty: Arc<Dirty>,
    first: Arc<OnceLock<u64>>,
}

impl<T: Synced> Slot<T> {
    pub(crate) fn new(id: ModelId, type_name: String, model: T, shared: &Shared) -> Self {
        let tracked = Tracked::new(model);
        let views = T::ty().views();
        let first = shared.first.get().copied().unwrap_or_default();
        Self {
            id,
            type_name,
            state: RecursiveRwLock::new(tracked),
            record: Mutex::new(Record::beginning_at(first, &views)),
            views,
            snapshots: Mutex::default(),
            changed: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            dirty: Arc::clone(&shared.dirty),
            first: Arc::clone(&shared.first),
        }
    }

    /// The revision, which begins where it begins from now on.
    pub(crate) fn seen_rev(&self) -> u64 {
        self.first.get_or_init(|| 0);
        self.rev()
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
        if !self.changed.swap(false, Ordering::SeqCst) || !shared.hosts(self.id) {
            return;
        }
        self.restart(shared, flush);
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

    fn restart(&self, shared: &Shared, flush: &mut Changes) {
        flush.restart(shared.forms.used());
        if !self.views.is_empty() {
            flush.keep_apart(&self.views);
        }
    }

    /// Turns changes into the next revision.
    fn log(&self, shared: &Shared, changes: &Changes, origin: Option<Origin>) -> (u64, u64) {
        let mut record = self.record.lock();
        record.push(self.id, shared, changes, origin)
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

    /// As [`settled`](Self::settled), for looking only.
    fn look(&self, shared: &Shared) -> RecursiveRwLockReadGuard<'_, Tracked<T>> {
        let tracked = self.state.read();
        if !self.changed.load(Ordering::SeqCst) {
            return tracked;
        }
        drop(tracked);
        RecursiveRwLockWriteGuard::downgrade(self.settled(shared))
    }

    /// The whole model, encoded if no snapshot that there is serves.
    fn snapshot(&self, shared: &Shared, reader: &Reader) -> Result<Update, CodecError> {
        let views = Mask::of(&self.views, &reader.views);
        let mut snapshots = self.snapshots.lock();
        if let Some(encoded) = snapshots.get(reader, views)
            && !self.changed.load(Ordering::SeqCst)
            && let Some(update) = encoded.update(reader, &self.record.lock())
        {
            return Ok(update);
        }
        let tracked = self.look(shared);
        let rev = self.rev_for(&reader.views);
        #[cfg(feature = "metrics")]
        let started = std::time::Instant::now();
        let bytes = self.encode(reader, views, &tracked, rev)?;
        drop(tracked);
        #[cfg(feature = "metrics")]
        metrics::histogram!("transports_encode_seconds", "codec" => reader.codec.name().to_owned())
            .record(started.elapsed());
        shared.encodings.snapshot(bytes.len());
        let encoded = Encoded { rev, bytes };
        let update = Update {
            rev,
            snapshot: Some(encoded.bytes.clone()),
            patches: Vec::new(),
            more: false,
        };
        snapshots.put(reader, views, encoded);
        Ok(update)
    }

    /// The model in one message, given that it is settled.
    fn encode(
        &self,
        reader: &Reader,
        views: Mask,
        tracked: &Tracked<T>,
        rev: u64,
    ) -> Result<Bytes, CodecError> {
        let epoch = reader.epoch;
        let seen = Seen::of(&self.views, views);
        let Some(format) = reader.codec.format() else {
            return reader.codec.encode(&Message::Snapshot {
                id: self.id,
                type_name: self.type_name.clone(),
                rev,
                value: Writer::to_value_of(seen, |out| Tracked::write(tracked, out)),
                epoch,
            });
        };
        let mut out = Writer::new(format, Vec::new()).showing(seen);
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
        let mut bytes = out.into_bytes();
        bytes.shrink_to_fit();
        Ok(bytes.into())
    }
}

impl<T: Synced> Model for Slot<T> {
    fn ty(&self) -> Type {
        T::ty()
    }

    fn type_id(&self) -> TypeId {
        TypeId::of::<T>()
    }

    fn rev(&self) -> u64 {
        self.record.lock().rev
    }

    fn rev_for(&self, views: &Views) -> u64 {
        self.record.lock().rev_for(views)
    }

    fn views(&self) -> &Names {
        &self.views
    }

    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn kept(&self) -> Kept {
        let (rev, history, history_bytes) = self.record.lock().kept();
        Kept {
            rev,
            history,
            history_bytes,
            // An encoding that is being made is not waited for.
            snapshot_bytes: self.snapshots.try_lock().and_then(|made| made.size()),
        }
    }

    fn rebase(&self, first: u64) {
        self.record.lock().rebase(first);
    }

    fn value(&self, shared: &Shared, views: Option<&Views>) -> (u64, Value) {
        let tracked = self.settled(shared);
        let seen = views.map_or(Seen::EVERYTHING, |views| {
            Seen::of(&self.views, Mask::of(&self.views, views))
        });
        (
            self.rev(),
            Writer::to_value_of(seen, |out| Tracked::write(&tracked, out)),
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

    fn update(&self, shared: &Shared, reader: &Reader, have: Have) -> Result<Update, CodecError> {
        if !matches!(have, Have::Before(_)) && self.changed.load(Ordering::SeqCst) {
            drop(self.settled(shared));
        }
        let encoded = || self.snapshots.try_lock()?.size();
        let patches = self.record.lock().patches(reader, have, encoded);
        patches.map_or_else(|| self.snapshot(shared, reader), Ok)
    }

    fn edit(&self, shared: &Shared, ops: Vec<Op>, author: By<'_>) -> Answer {
        let By {
            views,
            budget,
            origin,
        } = author;
        let mut tracked = self.state.write();
        let mut flush = shared.flush.lock();
        if !shared.hosts(self.id) {
            return Answer::Gone;
        }
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
        #[cfg(feature = "metrics")]
        let started = std::time::Instant::now();
        self.restart(shared, &mut flush);
        let edit = || budget.spend(|| Tracked::edit(&mut tracked, ops, &mut flush));
        let edited = if self.views.is_empty() {
            edit()
        } else {
            views::making(views, edit)
        };
        let answer = match edited {
            Ok(()) if flush.is_empty() => Answer::Nothing {
                rev: self.rev_for(views),
            },
            Ok(()) => {
                let (rev, position) = self.log(shared, &flush, Some(origin));
                Answer::Made { position, rev }
            }
            Err(error) => Answer::Refused {
                rev: self.rev_for(views),
                error,
            },
        };
        #[cfg(feature = "metrics")]
        metrics::histogram!("transports_edit_seconds").record(started.elapsed());
        shared.publish();
        answer
    }
}
