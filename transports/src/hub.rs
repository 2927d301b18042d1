//! Many users on one server: each with models of its own, and with models that are shared.

mod builder;
mod merge;
mod rights;
mod shared;
mod tenant;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, ReentrantMutex};
use tokio::sync::Notify;

pub use self::builder::HubBuilder;
pub use self::merge::{LastWriteWins, Merge, Stamp, StampedFields, StampedMap, Write};
pub use self::rights::{Authorizer, Mode, Viewer};
use self::shared::Board;
pub use self::shared::{Shared, Sharing};
use self::tenant::Tenancy;
pub use self::tenant::Tenant;
use crate::message::{Epoch, Json, ModelId};
use crate::server::offer::{Change, Line, Offer};
use crate::server::registry::Entry;
use crate::server::{Ended, Peer, Refusal, Served, Server};
use crate::session::{Pulse, Session, SyncReport};
use crate::synced::Synced;

/// The origin of what the program itself writes to a shared model.
pub const HOST: &str = "<host>";

/// The id of the first model that is shared: 2^40. Ids below are of tenants' own models.
pub const FIRST_SHARED: ModelId = 1 << 40;

/// Published hubs ignore frames that are no messages. Here a connection that goes on with it ends.
const PATIENCE: u32 = 8;

/// Many users on one server: tenants, each with a [`Session`] of its own, and models that several of them see.
///
/// A connection belongs to the tenant whose key is found in its request. It sees that tenant's models, and the shared
/// ones that the tenant is subscribed to; of any other there is no sign. A hub is served as a session is: by
/// [`Server::new`] and the adapters.
///
/// Cheap to clone; all clones are the same hub.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use transports::hub::{Mode, Tenant};
/// use transports::server::{Opening, Peer, RefusalKind};
/// use transports::{Hub, Server, Synced};
///
/// #[derive(Synced)]
/// struct Notes {
///     text: String,
/// }
///
/// #[derive(Clone)]
/// struct User(&'static str);
///
/// // The user's own layer knows who somebody is.
/// let hub = Hub::new(|peer: &Peer| match peer.get::<User>() {
///     Some(user) => Ok(Tenant::new(user.0)),
///     None => Err(RefusalKind::Unauthorized.because("sign in first")),
/// });
/// let ann = hub.tenant("ann").host(Notes { text: "hers alone".into() });
/// let board = hub.share(Notes { text: "for all".into() });
/// hub.subscribe("ann", board.id(), Mode::Write);
/// hub.subscribe("bob", board.id(), Mode::Read);
///
/// let server = Server::new(hub);
/// let as_user = |name| Peer::default().with(User(name));
/// let mut first = server.open_for(&Opening::default(), as_user("ann"))?;
/// let mut second = server.open_for(&Opening::default(), as_user("bob"))?;
/// assert_eq!(std::iter::from_fn(|| first.try_next()).count(), 2);
/// assert_eq!(std::iter::from_fn(|| second.try_next()).count(), 1);
/// # drop(ann);
/// # }
/// # Ok::<(), transports::server::OpeningError>(())
/// ```
///
/// # Locks
/// What an [`Authorizer`] is asked, it is asked one after the other, as its answers have to take effect in the order in
/// which they were given. No other hook is called while the hub is locked.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    settings: HubBuilder,
    /// One for all sessions, as a client has one for all of its models.
    epoch: Epoch,
    pulse: Arc<Pulse>,
    /// Held while rights are asked for and passed on, before `state`.
    asking: ReentrantMutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tenants: BTreeMap<Tenant, Tenancy>,
    /// The tenants by their numbers, in order of creation.
    numbers: BTreeMap<u64, Tenant>,
    next_tenant: u64,
    boards: BTreeMap<ModelId, Arc<Board>>,
    shared_so_far: u64,
    /// Where the revisions of new sessions begin: after all of those that are gone.
    first_revision: u64,
}

impl Hub {
    /// A hub with the default settings. `key` says whose a connection is, or why it may not be.
    pub fn new(key: impl Fn(&Peer) -> Result<Tenant, Refusal> + Send + Sync + 'static) -> Self {
        Self::builder(key).build()
    }

    /// A hub with other settings.
    pub fn builder(
        key: impl Fn(&Peer) -> Result<Tenant, Refusal> + Send + Sync + 'static,
    ) -> HubBuilder {
        HubBuilder::new(Arc::new(key))
    }

    fn build(settings: HubBuilder) -> Self {
        Self {
            inner: Arc::new(Inner {
                settings,
                epoch: Epoch::random(),
                pulse: Arc::default(),
                asking: ReentrantMutex::new(()),
                state: Mutex::default(),
            }),
        }
    }

    /// The session of a tenant, made and [filled](HubBuilder::on_tenant) if there is none.
    pub fn tenant(&self, key: impl Into<Tenant>) -> Session {
        let key = key.into();
        let (session, made) = {
            let mut state = self.inner.state.lock();
            let tenancy = state.tenancy(&key, &self.inner);
            tenancy.idle_since = None;
            (tenancy.session.clone(), Arc::clone(&tenancy.made))
        };
        if let Some(fill) = &self.inner.settings.on_tenant {
            made.get_or_init(|| fill(self, &key, &session));
        }
        session
    }

    /// The session of a tenant, if there is one now.
    #[must_use]
    pub fn get(&self, key: impl Into<Tenant>) -> Option<Session> {
        let state = self.inner.state.lock();
        let tenancy = state.tenants.get(&key.into())?;
        Some(tenancy.session.clone())
    }

    /// The keys of all tenants that there are now, in order of creation.
    #[must_use]
    pub fn tenants(&self) -> Vec<Tenant> {
        self.inner.state.lock().numbers.values().cloned().collect()
    }

    /// How many connections a tenant has.
    #[must_use]
    pub fn viewers(&self, key: impl Into<Tenant>) -> usize {
        let state = self.inner.state.lock();
        let tenancy = state.tenants.get(&key.into());
        tenancy.map_or(0, |tenancy| tenancy.viewers.len())
    }

    /// Shares a model with whom it is [given](Self::subscribe); the last write wins. Ids count from
    /// [`FIRST_SHARED`].
    pub fn share<T: Synced>(&self, model: T) -> Shared<T> {
        let sharing = Sharing::named(T::ty().name());
        let shared = self.share_with(model, sharing);
        shared.expect("there is no state that could be wrong")
    }

    /// Shares a model as told.
    ///
    /// # Errors
    /// The state of the merge strategy is not one of its own.
    pub fn share_with<T: Synced>(&self, model: T, sharing: Sharing) -> Result<Shared<T>, String> {
        let Sharing {
            type_name,
            mut merge,
            revision,
            state: clock,
        } = sharing;
        if let Some(clock) = clock {
            merge.restore(&clock)?;
        }
        let mut state = self.inner.state.lock();
        let id = FIRST_SHARED + state.shared_so_far;
        state.shared_so_far += 1;
        let first = revision.or_else(|| state.begun());
        let session = self.inner.session(id, id, first);
        let hosted = session.host_named(type_name, model);
        let board = Arc::new(Board::new(id, session, merge));
        state.boards.insert(id, Arc::clone(&board));
        Ok(Shared::new(hosted, board))
    }

    /// Lets a tenant see a shared model from now on, or changes what it may do with it. Returns whether there is such a
    /// model.
    pub fn subscribe(&self, key: impl Into<Tenant>, id: ModelId, mode: Mode) -> bool {
        let key = key.into();
        let asking = self.inner.asking.lock();
        {
            let mut state = self.inner.state.lock();
            if !state.boards.contains_key(&id) {
                return false;
            }
            let tenancy = state.tenancy(&key, &self.inner);
            tenancy.subscriptions.insert(id, mode);
        }
        self.refresh(&key, id);
        drop(asking);
        true
    }

    /// Lets a tenant see a shared model no longer. Its connections are sent nothing more of it, and what they send about
    /// it is answered as if it had never been. Returns whether the tenant was subscribed.
    pub fn unsubscribe(&self, key: impl Into<Tenant>, id: ModelId) -> bool {
        let key = key.into();
        let _asking = self.inner.asking.lock();
        let was = {
            let mut state = self.inner.state.lock();
            let tenancy = state.tenants.get_mut(&key);
            tenancy.is_some_and(|tenancy| tenancy.subscriptions.remove(&id).is_some())
        };
        if was {
            self.refresh(&key, id);
        }
        was
    }

    /// What a tenant may do with a shared model, if it is subscribed.
    #[must_use]
    pub fn subscription(&self, key: impl Into<Tenant>, id: ModelId) -> Option<Mode> {
        let state = self.inner.state.lock();
        let tenancy = state.tenants.get(&key.into())?;
        tenancy.subscriptions.get(&id).copied()
    }

    /// Shares a model no longer. All subscriptions to it end. Returns whether it was shared.
    pub fn unshare(&self, id: ModelId) -> bool {
        let _asking = self.inner.asking.lock();
        let mut state = self.inner.state.lock();
        let Some(board) = state.boards.remove(&id) else {
            return false;
        };
        state.outlive(&board.session);
        for tenancy in state.tenants.values_mut() {
            if tenancy.subscriptions.remove(&id).is_some() {
                for viewer in tenancy.viewers.values() {
                    viewer.change(Change::Remove(id));
                }
            }
        }
        true
    }

    /// The passing states of connections about a shared model, by the names that the hub gave them.
    #[must_use]
    pub fn awareness(&self, id: ModelId) -> Vec<(Arc<str>, Json)> {
        let board = self.inner.state.lock().boards.get(&id).cloned();
        board.map_or_else(Vec::new, |board| board.statuses.all())
    }

    /// Sends what changed: tenants in order of creation, then shared models in order of sharing. Sessions in which
    /// nothing changed cost nothing.
    pub fn sync(&self) -> SyncReport {
        let mut report = SyncReport::default();
        for number in self.inner.pulse.take() {
            let session = self.inner.state.lock().session(number);
            if let Some(session) = session {
                let synced = session.sync();
                report.patches += synced.patches;
                report.faults.extend(synced.faults);
            }
        }
        report
    }

    /// Asks the [`Authorizer`] again about all connections of whom `which` says so. Those that may not connect any more
    /// are closed; the others see from now on what they may see now.
    pub fn reauthorize(&self, which: impl Fn(&Viewer<'_>) -> bool) {
        let _asking = self.inner.asking.lock();
        let viewers = self.inner.state.lock().viewers();
        for (key, entry) in viewers {
            if which(&Viewer::new(&key, &entry.peer)) {
                self.reconsider(&key, &entry, None);
            }
        }
    }

    /// Ends what has run out: connections whose rights [expired](Authorizer::connect) by `now` and are not renewed, and
    /// tenants that had no connection, and that nobody asked for, for as long as `idle`, as far as can be told from the
    /// times of these calls. Returns the keys of the tenants that are gone.
    ///
    /// A tenant goes with its models and its subscriptions. Whoever connects later finds it new; no revision is used
    /// twice.
    pub fn expire(&self, now: SystemTime, idle: Duration) -> Vec<Tenant> {
        let asking = self.inner.asking.lock();
        let viewers = self.inner.state.lock().viewers();
        for (key, entry) in viewers {
            self.reconsider(&key, &entry, Some(now));
        }
        drop(asking);
        let gone: Vec<_> = {
            let mut state = self.inner.state.lock();
            let idle = state
                .tenants
                .iter_mut()
                .filter_map(|(key, tenancy)| tenancy.is_idle(now, idle).then(|| key.clone()));
            let idle: Vec<_> = idle.collect();
            let gone = idle.into_iter().filter_map(|key| {
                let tenancy = state.tenants.remove(&key)?;
                state.numbers.remove(&tenancy.number);
                state.outlive(&tenancy.session);
                Some((key, tenancy.session))
            });
            gone.collect()
        };
        let tell = |(key, session): (Tenant, Session)| {
            if let Some(hook) = &self.inner.settings.on_evict {
                hook(&key, &session);
            }
            key
        };
        gone.into_iter().map(tell).collect()
    }

    /// Lets all connections of a tenant follow what became of its subscription. The caller has `asking`.
    fn refresh(&self, key: &Tenant, id: ModelId) {
        let viewers: Vec<_> = {
            let state = self.inner.state.lock();
            let tenancy = state.tenants.get(key);
            tenancy.map_or_else(Vec::new, |tenancy| {
                tenancy.viewers.values().cloned().collect()
            })
        };
        for viewer in viewers {
            let line = self.line(key, &viewer.peer, id);
            viewer.change(line.map_or(Change::Remove(id), Change::Add));
        }
    }

    /// Asks again whether a connection may be there, if its rights have run out by `now` or in any case, and what it may
    /// see. The caller has `asking`.
    fn reconsider(&self, key: &Tenant, entry: &Arc<Entry>, now: Option<SystemTime>) {
        let expiry = entry.expiry();
        if now.is_some_and(|now| expiry.is_none_or(|expiry| expiry > now)) {
            return;
        }
        let Some(authorizer) = &self.inner.settings.authorizer else {
            return;
        };
        match authorizer.connect(&Viewer::new(key, &entry.peer)) {
            Err(refusal) => {
                let reason = refusal.reason;
                entry.close(Ended::Removed { reason });
            }
            Ok(expiry) => {
                entry.expire(expiry);
                let ids: Vec<_> = self.inner.state.lock().boards.keys().copied().collect();
                for id in ids {
                    let line = self.line(key, &entry.peer, id);
                    entry.change(line.map_or(Change::Remove(id), Change::Add));
                }
            }
        }
    }

    /// What a connection hears of a shared model, if it may. The caller has `asking`.
    fn line(&self, key: &Tenant, peer: &Peer, id: ModelId) -> Option<Line> {
        let (mode, board) = {
            let state = self.inner.state.lock();
            let tenancy = state.tenants.get(key)?;
            let mode = *tenancy.subscriptions.get(&id)?;
            (mode, Arc::clone(state.boards.get(&id)?))
        };
        let mode = match &self.inner.settings.authorizer {
            None => mode,
            Some(authorizer) => {
                let viewer = Viewer::new(key, peer);
                authorizer.subscribe(&viewer, id, mode)?.min(mode)
            }
        };
        Some(board.line(mode, key))
    }
}

impl Offer for Hub {
    fn admit(&self, peer: &mut Peer) -> Result<(), Refusal> {
        let key = (self.inner.settings.key)(peer)?;
        let mut expiry = None;
        if let Some(authorizer) = &self.inner.settings.authorizer {
            let _asking = self.inner.asking.lock();
            expiry = authorizer.connect(&Viewer::new(&key, peer))?;
        }
        peer.extensions.insert(rights::Admitted { expiry });
        peer.extensions.insert(key);
        Ok(())
    }

    fn join(&self, entry: &Arc<Entry>) -> (Line, Vec<Line>) {
        let key = entry.peer.get::<Tenant>().cloned().unwrap_or_default();
        if let Some(admitted) = entry.peer.get::<rights::Admitted>() {
            entry.expire(admitted.expiry);
        }
        let asking = self.inner.asking.lock();
        let (session, ids, first) = loop {
            let session = self.tenant(key.clone());
            let mut state = self.inner.state.lock();
            let tenancy = state.tenancy(&key, &self.inner);
            // It may have been evicted in between.
            if Arc::ptr_eq(tenancy.session.shared(), session.shared()) {
                let first = tenancy.viewers.is_empty();
                tenancy
                    .viewers
                    .insert(tenant::place(entry), Arc::clone(entry));
                tenancy.idle_since = None;
                let ids: Vec<_> = tenancy.subscriptions.keys().copied().collect();
                break (session, ids, first);
            }
        };
        let lines = ids.into_iter();
        let lines = lines.filter_map(|id| self.line(&key, &entry.peer, id));
        let lines = lines.collect();
        drop(asking);
        if let Some(hook) = self
            .inner
            .settings
            .on_first_viewer
            .as_ref()
            .filter(|_| first)
        {
            hook(&key, &session);
        }
        let line = Line {
            shared: Arc::clone(session.shared()),
            common: None,
        };
        (line, lines)
    }

    fn patience(&self) -> u32 {
        PATIENCE
    }

    fn leave(&self, entry: &Arc<Entry>) {
        let Some(key) = entry.peer.get::<Tenant>() else {
            return;
        };
        let emptied = {
            let mut state = self.inner.state.lock();
            let tenancy = state.tenants.get_mut(key);
            tenancy.and_then(|tenancy| {
                tenancy.viewers.remove(&tenant::place(entry))?;
                tenancy.viewers.is_empty().then(|| tenancy.session.clone())
            })
        };
        if let Some((hook, session)) = self.inner.settings.on_last_viewer.as_ref().zip(emptied) {
            hook(key, &session);
        }
    }

    fn sync(&self) -> SyncReport {
        self.sync()
    }

    fn changed(&self) -> &Notify {
        self.inner.pulse.changed()
    }

    fn begin_at(&self, revision: u64) -> bool {
        let mut state = self.inner.state.lock();
        state.first_revision = state.first_revision.max(revision);
        let mut begin = true;
        state.each(&mut |session| begin &= session.begin_at(revision));
        begin
    }

    fn epoch(&self) -> Epoch {
        self.inner.epoch
    }

    fn each(&self, see: &mut dyn FnMut(&Session)) {
        self.inner.state.lock().each(see);
    }
}

impl From<Hub> for Served {
    fn from(hub: Hub) -> Self {
        Self {
            offer: Arc::new(hub),
            session: None,
        }
    }
}

impl From<Hub> for Server {
    fn from(hub: Hub) -> Self {
        Self::new(hub)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.inner.state.lock();
        f.debug_struct("Hub")
            .field("tenants", &state.tenants.len())
            .field("shared", &state.boards.len())
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// A session of the hub: its number decides when it is flushed.
    fn session(&self, number: u64, first_id: ModelId, first: Option<u64>) -> Session {
        let settings = self.settings.sessions.epoch(self.epoch);
        settings.within(Arc::clone(&self.pulse), number, first_id, first)
    }
}

impl State {
    /// The tenant of a key, made if there is none.
    fn tenancy(&mut self, key: &Tenant, hub: &Inner) -> &mut Tenancy {
        let first = self.begun();
        let Self {
            tenants,
            numbers,
            next_tenant,
            ..
        } = self;
        tenants.entry(key.clone()).or_insert_with(|| {
            let number = *next_tenant;
            *next_tenant += 1;
            numbers.insert(number, key.clone());
            Tenancy::new(number, hub.session(number, 1, first))
        })
    }

    /// Where revisions begin, if that is settled.
    fn begun(&self) -> Option<u64> {
        Some(self.first_revision).filter(|first| *first > 0)
    }

    fn session(&self, number: u64) -> Option<Session> {
        match self.boards.get(&number) {
            Some(board) => Some(board.session.clone()),
            None => {
                let key = self.numbers.get(&number)?;
                Some(self.tenants.get(key)?.session.clone())
            }
        }
    }

    fn each(&self, see: &mut dyn FnMut(&Session)) {
        self.tenants
            .values()
            .for_each(|tenancy| see(&tenancy.session));
        self.boards.values().for_each(|board| see(&board.session));
    }

    fn viewers(&self) -> Vec<(Tenant, Arc<Entry>)> {
        let of = |(key, tenancy): (&Tenant, &Tenancy)| {
            let viewers = tenancy.viewers.values();
            let viewers = viewers.map(|viewer| (key.clone(), Arc::clone(viewer)));
            viewers.collect::<Vec<_>>()
        };
        self.tenants.iter().flat_map(of).collect()
    }

    /// A session is gone: its revisions must not come again, as its clients may.
    fn outlive(&mut self, session: &Session) {
        let last = session.shared().last_revision();
        self.first_revision = self.first_revision.max(last + 1);
    }
}
