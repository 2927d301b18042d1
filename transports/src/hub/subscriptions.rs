//! Which models are shared, and with whom.

use std::sync::Arc;

use super::shared::Board;
use super::{FIRST_SHARED, Hub, Mode, Shared, Sharing, Tenant, Viewer};
use crate::message::{Json, ModelId};
use crate::server::Peer;
use crate::server::offer::{Change, Line};
use crate::synced::Synced;
use crate::views::Views;

impl Hub {
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

    /// What a connection hears of a shared model, if it may. The caller has `asking`.
    pub(super) fn line(&self, key: &Tenant, peer: &Peer, id: ModelId) -> Option<Line> {
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
        Some(board.line(mode, key, self.views(key, peer, Some(id))))
    }

    /// The views that a connection has of a shared model, or of its tenant's own. The caller has `asking`.
    pub(super) fn views(&self, key: &Tenant, peer: &Peer, id: Option<ModelId>) -> Views {
        match &self.inner.settings.authorizer {
            None => peer.views.clone(),
            Some(authorizer) => authorizer.views(&Viewer::new(key, peer), id),
        }
    }
}
