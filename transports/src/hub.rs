//! Many users on one server: each with models of its own, and with models that are shared.

mod builder;
mod expiry;
mod merge;
mod presence;
mod rights;
mod served;
mod shared;
mod state;
mod subscriptions;
mod tenant;

use std::fmt;
use std::sync::Arc;

use parking_lot::{Mutex, ReentrantMutex};

pub use self::builder::HubBuilder;
pub use self::merge::{LastWriteWins, Merge, Stamp, StampedFields, StampedMap, Write};
pub use self::presence::{Presence, PresenceBuilder, Present};
pub use self::rights::{Authorizer, Mode, Viewer};
pub use self::shared::{Shared, Sharing};
use self::state::State;
pub use self::tenant::Tenant;
use crate::message::{Epoch, ModelId};
use crate::server::{Peer, Refusal};
use crate::session::{Pulse, Session, SyncReport};

/// The origin of what the program itself writes to a shared model.
pub const HOST: &str = "<host>";

/// The id of the first model that is shared: 2^40. Ids below are of tenants' own models.
pub const FIRST_SHARED: ModelId = 1 << 40;

/// Many users on one server: tenants, each with a [`Session`] of its own, and models that several of them see.
///
/// A connection belongs to the tenant whose key is found in its request. It sees that tenant's models, and the shared
/// ones that the tenant is subscribed to; of any other there is no sign. A hub is served as a session is: by
/// [`Server::new`](crate::Server::new) and the adapters.
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
/// What an [`Authorizer`] is asked of connections and models, it is asked one after the other, as its answers have to
/// take effect in the order in which they were given. No other hook is called while the hub is locked.
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
