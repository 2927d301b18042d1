//! Hosted models, their revisions and what happened to them lately.

mod feed;
mod hosted;
mod logged;
mod model;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

pub(crate) use self::feed::{Event, Feed, Signal};
pub use self::hosted::{Hosted, ReadGuard, WriteGuard};
pub use self::logged::Frame;
pub(crate) use self::logged::{Logged, Origin, batch};
pub(crate) use self::model::{Answer, Model, Reader, Slot};
use crate::changes::{Changes, Fault, Texts};
use crate::message::{Epoch, ModelId};
use crate::synced::Synced;
use crate::value::Value;
use crate::writer::Format;

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
}

impl Default for SessionBuilder {
    fn default() -> Self {
        Self {
            history: 512,
            history_bytes: 4 << 20,
            epoch: None,
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

    /// The session.
    #[must_use]
    pub fn build(self) -> Session {
        Session {
            shared: Arc::new(Shared {
                epoch: self.epoch.unwrap_or_else(Epoch::random),
                settings: self,
                models: RwLock::default(),
                dirty: Arc::default(),
                flush: Mutex::new(Changes::encoded([])),
                feed: Mutex::default(),
                forms: Default::default(),
                custom: AtomicUsize::new(0),
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
    pub(crate) settings: SessionBuilder,
    pub(crate) models: RwLock<BTreeMap<ModelId, Arc<dyn Model>>>,
    pub(crate) dirty: Arc<Dirty>,
    /// Held while revisions are made, so that they come one after the other; the memory they are collected in.
    pub(crate) flush: Mutex<Changes>,
    pub(crate) feed: Mutex<Feed>,
    /// How many connections use each format, with whole texts and with spliced ones. Patches are encoded for these at
    /// once, for others when first asked.
    forms: [[AtomicUsize; 2]; Format::ALL.len()],
    /// How many connections use a codec of the application. They get whole texts.
    custom: AtomicUsize,
}

/// The models that changed since the last sync.
#[derive(Default)]
pub(crate) struct Dirty {
    ids: Mutex<Vec<ModelId>>,
    changed: Notify,
}

impl Dirty {
    pub(crate) fn add(&self, id: ModelId) {
        self.ids.lock().push(id);
    }

    pub(crate) fn wake(&self) {
        self.changed.notify_one();
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
        let id = models.last_key_value().map_or(1, |(last, _)| last + 1);
        let slot = Arc::new(Slot::new(
            id,
            type_name.into(),
            model,
            Arc::clone(&self.shared.dirty),
        ));
        models.insert(id, Arc::clone(&slot) as Arc<dyn Model>);
        drop(models);
        let mut feed = self.shared.feed.lock();
        feed.push(Event::Hosted(id), 0);
        feed.publish();
        drop(feed);
        Hosted::new(slot)
    }

    /// Sends what changed: each changed model gets a new revision, and every connection one patch for it.
    ///
    /// Costs next to nothing when nothing changed. With the adapters' `autosync` running there is no need to call it.
    pub fn sync(&self) -> SyncReport {
        let mut report = SyncReport::default();
        let mut flush = self.shared.flush.lock();
        self.shared.collect(&mut flush, None, &mut report);
        self.shared.publish();
        report
    }

    /// Waits until a model was changed since the last call returned. For a loop that syncs when there is
    /// something to sync; one caller at a time is woken.
    pub async fn changed(&self) {
        self.shared.dirty.changed.notified().await;
    }

    /// This session's epoch, to be kept with its state.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.shared.epoch
    }

    /// A copy of a hosted model's value as its peers know it, and its revision.
    #[must_use]
    pub fn snapshot(&self, id: ModelId) -> Option<(u64, Value)> {
        let model = self.shared.model(id)?;
        Some(model.value(&self.shared))
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
        self.feed.lock().publish();
    }

    /// The formats to encode patches in, and how ops on texts go out in each.
    pub(crate) fn forms(&self) -> impl Iterator<Item = (Format, Texts)> {
        let used = Format::ALL.map(|format| {
            [Texts::Whole, Texts::Spliced]
                .map(|texts| self.count(format, texts).load(Ordering::Relaxed) > 0)
        });
        let any = used.iter().any(|used| used.contains(&true));
        let whole = used.iter().any(|[whole, _]| *whole);
        let custom = self.custom.load(Ordering::Relaxed) > 0;
        // The history needs one, and codecs of the application are served from one with whole texts; JSON is the one
        // that most clients will ask for.
        let more = (!any || (custom && !whole)).then_some((Format::Json, Texts::Whole));
        Format::ALL
            .into_iter()
            .zip(used)
            .flat_map(|(format, [whole, spliced])| {
                [
                    whole.then_some((format, Texts::Whole)),
                    spliced.then_some((format, Texts::Spliced)),
                ]
            })
            .chain([more])
            .flatten()
    }

    /// A connection came that reads like this.
    pub(crate) fn uses(&self, reader: &Reader) {
        self.users(reader).fetch_add(1, Ordering::Relaxed);
    }

    /// A connection went that read like this.
    pub(crate) fn leaves(&self, reader: &Reader) {
        self.users(reader).fetch_sub(1, Ordering::Relaxed);
    }

    fn users(&self, reader: &Reader) -> &AtomicUsize {
        match reader.codec.format() {
            Some(format) => self.count(format, reader.texts),
            None => &self.custom,
        }
    }

    fn count(&self, format: Format, texts: Texts) -> &AtomicUsize {
        let [json, msgpack, cbor] = &self.forms;
        let [whole, spliced] = match format {
            Format::Json => json,
            Format::MessagePack => msgpack,
            Format::Cbor => cbor,
        };
        match texts {
            Texts::Whole => whole,
            Texts::Spliced => spliced,
        }
    }
}
