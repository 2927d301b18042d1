//! The settings of a hub.

use std::fmt;
use std::sync::Arc;

use super::{Authorizer, Hub, Tenant};
use crate::server::{Peer, Refusal};
use crate::session::{Session, SessionBuilder};

type Key = Arc<dyn Fn(&Peer) -> Result<Tenant, Refusal> + Send + Sync>;
type Fill = Arc<dyn Fn(&Hub, &Tenant, &Session) + Send + Sync>;
type Asked = Arc<dyn Fn(&Tenant, &Session) -> bool + Send + Sync>;
type Told = Arc<dyn Fn(&Tenant, &Session) + Send + Sync>;

/// Settings of a [`Hub`].
#[derive(Clone)]
pub struct HubBuilder {
    pub(super) key: Key,
    pub(super) sessions: SessionBuilder,
    pub(super) authorizer: Option<Arc<dyn Authorizer>>,
    pub(super) on_tenant: Option<Fill>,
    pub(super) on_first_viewer: Option<Told>,
    pub(super) on_last_viewer: Option<Told>,
    pub(super) on_idle: Option<Asked>,
    pub(super) on_evict: Option<Told>,
}

impl HubBuilder {
    pub(super) fn new(key: Key) -> Self {
        Self {
            key,
            sessions: SessionBuilder::default(),
            authorizer: None,
            on_tenant: None,
            on_first_viewer: None,
            on_last_viewer: None,
            on_idle: None,
            on_evict: None,
        }
    }

    /// The settings of all sessions, of tenants and of shared models. The hub sees to their epoch and first revisions.
    #[must_use]
    pub fn sessions(mut self, settings: SessionBuilder) -> Self {
        self.sessions = settings;
        self
    }

    /// Asks about each connection what it may do. By default all that its tenant may.
    #[must_use]
    pub fn authorizer(mut self, authorizer: impl Authorizer) -> Self {
        self.authorizer = Some(Arc::new(authorizer));
        self
    }

    /// Makes the models of a tenant that is needed for the first time, and subscribes it, before anybody sees it. It
    /// must use the session that it is given, as [`Hub::tenant`] of the same key would wait for it for ever.
    ///
    /// ```
    /// use transports::hub::Tenant;
    /// use transports::server::Peer;
    /// use transports::{Hub, Value};
    ///
    /// let hub = Hub::builder(|_: &Peer| Ok(Tenant::new("guest")))
    ///     .on_tenant(|_, tenant, session| {
    ///         session.host_named("Notes", Value::from(tenant.as_str()));
    ///     })
    ///     .build();
    /// assert_eq!(hub.tenant("ann").snapshot(1), Some((0, Value::from("ann"))));
    /// ```
    #[must_use]
    pub fn on_tenant(
        mut self,
        fill: impl Fn(&Hub, &Tenant, &Session) + Send + Sync + 'static,
    ) -> Self {
        self.on_tenant = Some(Arc::new(fill));
        self
    }

    /// Tells `hook` when a tenant that had no connection has one.
    #[must_use]
    pub fn on_first_viewer(
        mut self,
        hook: impl Fn(&Tenant, &Session) + Send + Sync + 'static,
    ) -> Self {
        self.on_first_viewer = Some(Arc::new(hook));
        self
    }

    /// Tells `hook` when the last connection of a tenant is gone.
    #[must_use]
    pub fn on_last_viewer(
        mut self,
        hook: impl Fn(&Tenant, &Session) + Send + Sync + 'static,
    ) -> Self {
        self.on_last_viewer = Some(Arc::new(hook));
        self
    }

    /// Asks `hook` about a tenant that was [idle](Hub::expire) for so long that it is to go: with false it stays, and is
    /// asked about again by the next call of that function.
    #[must_use]
    pub fn on_idle(
        mut self,
        hook: impl Fn(&Tenant, &Session) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.on_idle = Some(Arc::new(hook));
        self
    }

    /// Tells `hook` when a tenant was [idle](Hub::expire) for so long that it is gone: the time to keep its state.
    #[must_use]
    pub fn on_evict(mut self, hook: impl Fn(&Tenant, &Session) + Send + Sync + 'static) -> Self {
        self.on_evict = Some(Arc::new(hook));
        self
    }

    /// The hub.
    #[must_use]
    pub fn build(self) -> Hub {
        Hub::build(self)
    }
}

impl fmt::Debug for HubBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubBuilder")
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}
