//! Hosted models, their revisions and what happened to them lately.

mod encoded;
mod feed;
mod forms;
mod hosted;
mod info;
mod listeners;
mod logged;
mod model;
mod record;
mod visible;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

pub(crate) use self::encoded::batch;
pub(crate) use self::feed::{Event, Feed};
use self::forms::Forms;
pub use self::hosted::{Hosted, ReadGuard, WriteGuard};
pub use self::info::ModelInfo;
pub(crate) use self::listeners::{Listeners, Signal};
pub use self::logged::Frame;
pub(crate) use self::logged::{Logged, Origin};
pub(crate) use self::model::{Answer, By, Model, Reader, Slot};
pub(crate) use self::record::{CHUNK, Have};
use crate::changes::{Changes, Fault};
use crate::message::{Epoch, ModelId};
use crate::schema::Type;
use crate::synced::Synced;
use crate::value::Value;

/// The models a program shows to its peers.
///
/// Cheap to clone; all clones are the same session, and every thread may use one.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use transports::{Session, Synced};
///
/// #[derive(Synced)]
/// struct Counter {
///     tick: u64,
/// }
///
/// let session = Session::new();
/// let counter = session.host(Counter { tick: 0 });
///
/// counter.write().tick += 1;
/// let report = session.sync();
///
/// assert_eq!((report.patches, counter.revision()), (1, 1));
/// # }
/// ```
///
/// # Locks
/// A model is locked while one of its guards lives and while it is compared or edited, never across an `await`. A sync
/// that meets a locked model leaves it for the moment the guard goes; nothing waits, nothing is lost.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
}

/// Settings of a [`Session`].
#[derive(Clone, Copy, Debug)]
pub struct SessionBuilder {
    history: usize,
    history_bytes: usize,
    epoch: Option<Epoch>,
    first_revision: Option<u64>,
}

impl Default for SessionBuilder {
    fn default() -> Self {
        Self {
            history: 512,
            history_bytes: 4 << 20,
            epoch: None,
            first_revision: None,
        }
    }
}

impl SessionBuilder {
    /// How many patches are kept per model for clients that come back: 512 by default. One that is further behind gets
    /// a snapshot.
    #[must_use]
    pub const fn history(mut self, patches: usize) -> Self {
        self.history = patches;
        self
    }

    /// How many bytes these patches may take per model: 4 MiB by default. The oldest go first.
    #[must_use]
    pub const fn history_bytes(mut self, bytes: usize) -> Self {
        self.history_bytes = bytes;
        self
    }

    /// The epoch of a session whose state, revisions included, was restored. By default each session has a new one.
    #[must_use]
    pub const fn epoch(mut self, epoch: Epoch) -> Self {
        self.epoch = Some(epoch);
        self
    }

    /// The revision that models begin with. By default it is 0, unless whoever serves the session
    /// [says otherwise](Session::begin_at), as adapters do; with this setting nobody can.
    #[must_use]
    pub const fn first_revision(mut self, revision: u64) -> Self {
        self.first_revision = Some(revision);
        self
    }

    /// The session.
    #[must_use]
    pub fn build(self) -> Session {
        // What was restored goes on where it was.
        let first = self.first_revision.or_else(|| self.epoch.map(|_| 0));
        self.made(first, 1, Dirty::default())
    }

    /// A session of a hub, whose ids begin at `first_id` and revisions at `first`, if that is settled.
    pub(crate) fn within(
        self,
        pulse: Arc<Pulse>,
        number: u64,
        first_id: ModelId,
        first: Option<u64>,
    ) -> Session {
        let dirty = Dirty {
            pulse: Some((pulse, number)),
            ..Dirty::default()
        };
        self.made(first, first_id, dirty)
    }

    fn made(self, begin: Option<u64>, first_id: ModelId, dirty: Dirty) -> Session {
        let first = OnceLock::new();
        if let Some(revision) = begin {
            first.get_or_init(|| revision);
        }
        Session {
            shared: Arc::new(Shared {
                epoch: self.epoch.unwrap_or_else(Epoch::random),
                first: Arc::new(first),
                settings: self,
                models: RwLock::default(),
                next_id: AtomicU64::new(first_id),
                gone_at: AtomicU64::new(begin.unwrap_or_default()),
                dirty: Arc::new(dirty),
                flush: Mutex::new(Changes::encoded([])),
                feed: RwLock::default(),
                published: AtomicU64::new(0),
                listeners: Listeners::default(),
                encodings: Encodings::default(),
                forms: Forms::default(),
            }),
        }
    }
}

/// What a sync did.
#[derive(Clone, Debug, Default)]
#[must_use = "faults are values that did not reach anybody"]
#[non_exhaustive]
pub struct SyncReport {
    /// How many models got a new revision.
    pub patches: usize,
    /// The fields whose value the wire cannot carry, by model. Their last good value stays on the wire.
    pub faults: Vec<(ModelId, Fault)>,
}

/// What all handles of a session have in common.
///
/// Locks are taken in this order: a model's, `flush`, one of the others. Whoever has `flush` only tries a model's lock.
pub(crate) struct Shared {
    pub(crate) epoch: Epoch,
    /// The revision that models begin with; not settled until somebody asks for a revision.
    pub(crate) first: Arc<OnceLock<u64>>,
    pub(crate) settings: SessionBuilder,
    pub(crate) models: RwLock<BTreeMap<ModelId, Arc<dyn Model>>>,
    /// Ids are not used twice.
    next_id: AtomicU64,
    /// The greatest revision of a model that is not hosted any more.
    gone_at: AtomicU64,
    pub(crate) dirty: Arc<Dirty>,
    /// Held while revisions are made, so that they come one after the other; the memory they are collected in.
    pub(crate) flush: Mutex<Changes>,
    pub(crate) feed: RwLock<Feed>,
    /// Events before this position may be read.
    published: AtomicU64,
    pub(crate) listeners: Listeners,
    pub(crate) encodings: Encodings,
    pub(crate) forms: Forms,
}

/// How often the session encoded something.
#[derive(Default)]
pub(crate) struct Encodings {
    pub(crate) snapshots: AtomicU64,
    pub(crate) snapshot_bytes: AtomicU64,
    pub(crate) patches: AtomicU64,
    pub(crate) patch_bytes: AtomicU64,
}

impl Encodings {
    fn snapshot(&self, bytes: usize) {
        self.snapshots.fetch_add(1, Ordering::Relaxed);
        self.snapshot_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        metrics::histogram!("transports_snapshot_bytes").record(bytes as f64);
    }

    fn patch(&self, bytes: usize) {
        self.patches.fetch_add(1, Ordering::Relaxed);
        self.patch_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        metrics::histogram!("transports_patch_bytes").record(bytes as f64);
    }
}

/// The models that changed since the last sync.
#[derive(Default)]
pub(crate) struct Dirty {
    ids: Mutex<Vec<ModelId>>,
    changed: Notify,
    /// The hub that is to know of it, and the session's number there.
    pulse: Option<(Arc<Pulse>, u64)>,
}

/// The sessions of a hub in which something changed.
#[derive(Default)]
pub(crate) struct Pulse {
    numbers: Mutex<BTreeSet<u64>>,
    changed: Notify,
}

impl Pulse {
    fn beat(&self, number: u64) {
        self.numbers.lock().insert(number);
        self.changed.notify_one();
    }

    pub(crate) fn take(&self) -> BTreeSet<u64> {
        std::mem::take(&mut *self.numbers.lock())
    }

    pub(crate) const fn changed(&self) -> &Notify {
        &self.changed
    }
}

impl Dirty {
    pub(crate) fn add(&self, id: ModelId) {
        self.ids.lock().push(id);
    }

    pub(crate) fn wake(&self) {
        self.changed.notify_one();
        if let Some((pulse, number)) = &self.pulse {
            pulse.beat(*number);
        }
    }

    pub(crate) const fn changed(&self) -> &Notify {
        &self.changed
    }

    fn take(&self) -> Vec<ModelId> {
        let mut ids = std::mem::take(&mut *self.ids.lock());
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

impl Session {
    /// A session with the default settings.
    #[must_use]
    pub fn new() -> Self {
        SessionBuilder::default().build()
    }

    /// A session with other settings.
    #[must_use]
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }

    /// Takes a model in. Ids count from 1. The name of the type on the wire is the struct's.
    pub fn host<T: Synced>(&self, model: T) -> Hosted<T> {
        self.host_named(T::ty().name(), model)
    }

    /// Takes a model in under a type name of your choice: for dynamic models, whose type has none.
    ///
    /// ```
    /// use transports::{Session, Value};
    ///
    /// let session = Session::new();
    /// let settings = session.host_named("Settings", Value::from_iter([("theme", "dark".into())]));
    /// assert_eq!(settings.read().get("theme"), Some(&Value::from("dark")));
    /// ```
    pub fn host_named<T: Synced>(&self, type_name: impl Into<String>, model: T) -> Hosted<T> {
        let mut models = self.shared.models.write();
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let slot = Arc::new(Slot::new(id, type_name.into(), model, &self.shared));
        models.insert(id, Arc::clone(&slot) as Arc<dyn Model>);
        drop(models);
        self.shared.feed.write().push(Event::Hosted(id), 0);
        self.shared.publish();
        Hosted::new(slot)
    }

    /// Hosts a model no longer: nobody is told of further changes, and edits are answered as those of a model that never
    /// was. Returns whether there was one.
    ///
    /// Clients that asked for it are [told](crate::Message::Gone), after all that was before. Others keep what they have
    /// seen last, until the next connection.
    ///
    /// ```
    /// use transports::{Session, Value};
    ///
    /// let session = Session::new();
    /// let id = session.host_named("Any", Value::Null).id();
    /// assert!(session.unhost(id));
    /// assert_eq!(session.snapshot(id), None);
    /// assert_ne!(session.host_named("Any", Value::Null).id(), id, "ids are not used twice");
    /// ```
    pub fn unhost(&self, id: ModelId) -> bool {
        let gone = {
            // No revision of it is made after it went.
            let _flush = self.shared.flush.lock();
            let gone = self.shared.models.write().remove(&id);
            if let Some(model) = &gone {
                self.shared
                    .gone_at
                    .fetch_max(model.rev(), Ordering::Relaxed);
                self.shared.feed.write().push(Event::Gone(id), 0);
            }
            gone
        };
        self.shared.publish();
        gone.is_some()
    }

    /// Sends what changed: each changed model gets a new revision, and every connection one patch for it.
    ///
    /// Costs next to nothing when nothing changed. With the adapters' `autosync` running there is no need to call it.
    pub fn sync(&self) -> SyncReport {
        #[cfg(feature = "metrics")]
        let started = std::time::Instant::now();
        let mut report = SyncReport::default();
        let mut flush = self.shared.flush.lock();
        self.shared.collect(&mut flush, None, &mut report);
        self.shared.publish();
        #[cfg(feature = "metrics")]
        if report.patches > 0 {
            metrics::histogram!("transports_sync_seconds").record(started.elapsed());
        }
        report
    }

    /// Waits until a model was changed since the last call returned. For a loop that syncs when there is
    /// something to sync; one caller at a time is woken.
    pub async fn changed(&self) {
        self.shared.dirty.changed.notified().await;
    }

    /// Lets all revisions begin at `revision`, unless they have a beginning already: the session was
    /// [restored](SessionBuilder::epoch) or [told where](SessionBuilder::first_revision), or somebody has seen a
    /// revision. Returns whether they begin there.
    ///
    /// A beginning that no earlier life of the program can have reached keeps clients that know of no epochs from
    /// taking their old revisions for ones of this life. The adapters use the time in seconds since 1970, times
    /// 65,536, when a server is mounted.
    ///
    /// ```
    /// use transports::{Session, Value};
    ///
    /// let session = Session::new();
    /// let model = session.host_named("Any", Value::Null);
    /// assert!(session.begin_at(1_000_000));
    /// assert_eq!(model.revision(), 1_000_000);
    /// assert!(!session.begin_at(2_000_000), "the revision was seen");
    /// ```
    pub fn begin_at(&self, revision: u64) -> bool {
        // No revisions are made and no models taken in meanwhile.
        let _flush = self.shared.flush.lock();
        let models = self.shared.models.write();
        let mut begins = false;
        self.shared.first.get_or_init(|| {
            models.values().for_each(|model| model.rebase(revision));
            begins = true;
            revision
        });
        begins
    }

    /// This session's epoch, to be kept with its state.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.shared.epoch
    }

    /// A copy of a hosted model's value as its peers know it, and its revision.
    #[must_use]
    pub fn snapshot(&self, id: ModelId) -> Option<(u64, Value)> {
        self.shared.settle_first();
        let model = self.shared.model(id)?;
        Some(model.value(&self.shared, None))
    }

    /// The ids and types of the hosted models.
    ///
    /// ```
    /// use transports::schema::Kind;
    /// use transports::{Session, Value};
    ///
    /// let session = Session::new();
    /// let _settings = session.host_named("Settings", Value::from_iter([("theme", "dark".into())]));
    /// let types: Vec<_> = session.types().iter().map(|(id, ty)| (*id, ty.kind())).collect();
    /// assert_eq!(types, [(1, Kind::Any)]);
    /// ```
    #[must_use]
    pub fn types(&self) -> Vec<(ModelId, Type)> {
        let models = self.shared.models.read();
        models.iter().map(|(id, model)| (*id, model.ty())).collect()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("epoch", &self.shared.epoch)
            .field("models", &self.shared.models.read().len())
            .finish_non_exhaustive()
    }
}

/// A model whose lock the caller has, and the way to collect it.
type Held<'a> = (ModelId, &'a mut dyn FnMut(&mut Changes, &mut SyncReport));

impl Shared {
    pub(crate) fn model(&self, id: ModelId) -> Option<Arc<dyn Model>> {
        self.models.read().get(&id).cloned()
    }

    /// Whether a model is hosted. Stays so as long as the caller has `flush`.
    pub(crate) fn hosts(&self, id: ModelId) -> bool {
        self.models.read().contains_key(&id)
    }

    /// Makes revisions of all models that changed, in id order.
    pub(crate) fn collect(
        &self,
        flush: &mut Changes,
        mut held: Option<Held<'_>>,
        report: &mut SyncReport,
    ) {
        for id in self.dirty.take() {
            match &mut held {
                Some((mine, collect)) if *mine == id => collect(flush, report),
                _ => {
                    if let Some(model) = self.model(id) {
                        model.try_collect(self, flush, report);
                    }
                }
            }
        }
    }

    /// Shows all revisions made so far to the connections.
    pub(crate) fn publish(&self) {
        let next = self.feed.read().next();
        // The connections are woken when nobody is kept from the feed any more.
        if self.published.fetch_max(next, Ordering::AcqRel) < next {
            self.listeners.raise();
        }
    }

    /// Events before this position of the feed may be read.
    pub(crate) fn published(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    /// The greatest revision that any model has, or had.
    pub(crate) fn last_revision(&self) -> u64 {
        let models = self.models.read();
        let last = models.values().map(|model| model.rev()).max();
        last.unwrap_or_default()
            .max(self.gone_at.load(Ordering::Relaxed))
    }

    /// Somebody is about to see a revision: from now on they begin where they begin.
    pub(crate) fn settle_first(&self) -> u64 {
        *self.first.get_or_init(|| 0)
    }
}
