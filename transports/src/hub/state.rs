//! What a hub has: tenants and shared models.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::shared::Board;
use super::tenant::Tenancy;
use super::{Inner, Tenant};
use crate::message::ModelId;
use crate::server::registry::Entry;
use crate::session::Session;

#[derive(Default)]
pub(super) struct State {
    pub(super) tenants: BTreeMap<Tenant, Tenancy>,
    /// The tenants by their numbers, in order of creation.
    pub(super) numbers: BTreeMap<u64, Tenant>,
    pub(super) next_tenant: u64,
    pub(super) boards: BTreeMap<ModelId, Arc<Board>>,
    pub(super) shared_so_far: u64,
    /// Where the revisions of new sessions begin: after all of those that are gone.
    pub(super) first_revision: u64,
}

impl State {
    /// The tenant of a key, made if there is none.
    pub(super) fn tenancy(&mut self, key: &Tenant, hub: &Inner) -> &mut Tenancy {
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
    pub(super) fn begun(&self) -> Option<u64> {
        Some(self.first_revision).filter(|first| *first > 0)
    }

    pub(super) fn session(&self, number: u64) -> Option<Session> {
        match self.boards.get(&number) {
            Some(board) => Some(board.session.clone()),
            None => {
                let key = self.numbers.get(&number)?;
                Some(self.tenants.get(key)?.session.clone())
            }
        }
    }

    pub(super) fn each(&self, see: &mut dyn FnMut(&Session)) {
        self.tenants
            .values()
            .for_each(|tenancy| see(&tenancy.session));
        self.boards.values().for_each(|board| see(&board.session));
    }

    pub(super) fn viewers(&self) -> Vec<(Tenant, Arc<Entry>)> {
        let of = |(key, tenancy): (&Tenant, &Tenancy)| {
            let viewers = tenancy.viewers.values();
            let viewers = viewers.map(|viewer| (key.clone(), Arc::clone(viewer)));
            viewers.collect::<Vec<_>>()
        };
        self.tenants.iter().flat_map(of).collect()
    }

    /// A session is gone: its revisions must not come again, as its clients may.
    pub(super) fn outlive(&mut self, session: &Session) {
        let last = session.shared().last_revision();
        self.first_revision = self.first_revision.max(last + 1);
    }
}
