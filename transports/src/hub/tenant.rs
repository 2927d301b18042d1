//! One tenant of a hub.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use super::Mode;
use crate::message::ModelId;
use crate::server::registry::Entry;
use crate::session::Session;

/// The key of a tenant: any text. Every [`Peer`](crate::server::Peer) of a hub has it, for hooks:
/// `peer.get::<Tenant>()`.
///
/// In shared models it is the origin of the tenant's writes, so it decides between two writes with the same revision.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// The key as it is.
    pub fn new(key: impl Into<Arc<str>>) -> Self {
        Self(key.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) const fn shared(&self) -> &Arc<str> {
        &self.0
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self::new("")
    }
}

impl From<&str> for Tenant {
    fn from(key: &str) -> Self {
        Self::new(key)
    }
}

impl From<String> for Tenant {
    fn from(key: String) -> Self {
        Self::new(key)
    }
}

impl From<&Self> for Tenant {
    fn from(key: &Self) -> Self {
        key.clone()
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a hub knows of a tenant.
pub(super) struct Tenancy {
    /// In order of creation.
    pub(super) number: u64,
    pub(super) session: Session,
    /// Whether the application has filled it.
    pub(super) made: Arc<OnceLock<()>>,
    pub(super) subscriptions: BTreeMap<ModelId, Mode>,
    pub(super) viewers: BTreeMap<usize, Arc<Entry>>,
    /// When it was first seen without connections.
    pub(super) idle_since: Option<SystemTime>,
}

impl Tenancy {
    pub(super) fn new(number: u64, session: Session) -> Self {
        Self {
            number,
            session,
            made: Arc::default(),
            subscriptions: BTreeMap::new(),
            viewers: BTreeMap::new(),
            idle_since: None,
        }
    }

    /// Whether it had no connections for so long.
    pub(super) fn is_idle(&mut self, now: SystemTime, time: Duration) -> bool {
        if !self.viewers.is_empty() {
            self.idle_since = None;
            return false;
        }
        let since = *self.idle_since.get_or_insert(now);
        now.duration_since(since).is_ok_and(|idle| idle >= time)
    }
}

/// Where a connection stands among others, of whichever server: the address of what it is.
pub(super) fn place(entry: &Arc<Entry>) -> usize {
    Arc::as_ptr(entry).addr()
}
