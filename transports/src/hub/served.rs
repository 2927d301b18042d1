//! A hub as a server sees it.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::Notify;

use super::{Hub, Tenant, Viewer, rights, tenant};
use crate::message::{Epoch, ModelId};
use crate::patch::Op;
use crate::server::offer::{Line, Offer};
use crate::server::registry::Entry;
use crate::server::{Peer, Refusal, Served, Server};
use crate::session::{Session, SyncReport};

/// Published hubs ignore frames that are no messages. Here a connection that goes on with it ends.
const PATIENCE: u32 = 8;

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
        let views = self.views(&key, &entry.peer, None);
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
            views,
        };
        (line, lines)
    }

    fn patience(&self) -> u32 {
        PATIENCE
    }

    fn may_edit(&self, peer: &Peer, id: ModelId, ops: &[Op]) -> Result<(), String> {
        let Some((authorizer, key)) = self
            .inner
            .settings
            .authorizer
            .as_ref()
            .zip(peer.get::<Tenant>())
        else {
            return Ok(());
        };
        let viewer = Viewer::new(key, peer);
        ops.iter().try_for_each(|op| {
            let path = op.path();
            let refused = |reason| format!("{path}: {reason}");
            authorizer.edit(&viewer, id, path).map_err(refused)
        })
    }

    fn renew(&self, entry: &Arc<Entry>, now: SystemTime) {
        if let Some(key) = entry.peer.get::<Tenant>() {
            let _asking = self.inner.asking.lock();
            self.reconsider(key, entry, Some(now));
        }
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
