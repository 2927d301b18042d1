//! Where the models of a server come from.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::Notify;

use super::awareness::Statuses;
use super::registry::Entry;
use super::{Peer, Refusal};
use crate::message::{Epoch, ModelId};
use crate::patch::{Op, Patch};
use crate::session::{Answer, By, Session, Shared, SyncReport};
use crate::views::Views;

/// What stands behind a server: a session, or a hub of many.
pub(crate) trait Offer: Send + Sync {
    /// Looks at who comes, before anything is read for it. May leave data in the peer.
    fn admit(&self, peer: &mut Peer) -> Result<(), Refusal>;

    /// What a new connection listens to; the first is where models are looked for that are not shared.
    fn join(&self, entry: &Arc<Entry>) -> (Line, Vec<Line>);

    /// How many frames that are no messages a connection may send before it ends.
    fn patience(&self) -> u32;

    /// Whether somebody may make an edit of a model that they may write; if not, why.
    fn may_edit(&self, peer: &Peer, id: ModelId, ops: &[Op]) -> Result<(), String>;

    /// The rights of a connection have run out by now: renews them, or closes it.
    fn renew(&self, entry: &Arc<Entry>, now: SystemTime);

    /// A connection is gone.
    fn leave(&self, entry: &Arc<Entry>);

    fn sync(&self) -> SyncReport;

    /// Told when something was changed.
    fn changed(&self) -> &Notify;

    fn begin_at(&self, revision: u64) -> bool;

    fn epoch(&self) -> Epoch;

    /// Does something with each session there is.
    fn each(&self, see: &mut dyn FnMut(&Session));
}

/// A session to listen to.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) shared: Arc<Shared>,
    /// Of a model that several tenants see.
    pub(crate) common: Option<Common>,
    /// What is seen there besides what everybody sees.
    pub(crate) views: Views,
}

impl Line {
    /// The model that is shared; 0 for what is the tenant's own.
    pub(crate) fn id(&self) -> ModelId {
        self.common.as_ref().map_or(0, |common| common.id)
    }
}

/// The epoch that a connection is told: another one for each assignment of views to what it listens to (0: its own models,
/// else the shared one). So a client that comes back with other views does not go on from what it saw with the former
/// ones.
pub(super) fn epoch<'a>(epoch: Epoch, views: impl Iterator<Item = (ModelId, &'a Views)>) -> Epoch {
    let mut mark = 0;
    for (id, views) in views {
        for view in views.iter() {
            // FNV-1a: the same in every life of the program, as the epoch may be.
            let bytes = id.to_le_bytes().into_iter().chain(view.bytes());
            mark ^= bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        }
    }
    epoch.marked(mark)
}

/// What is special about a session whose one model several tenants see.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) id: ModelId,
    pub(crate) arbiter: Arc<dyn Arbiter>,
    pub(crate) statuses: Arc<Statuses>,
    pub(crate) may_write: bool,
    /// Who writes, as the arbiter knows it.
    pub(crate) origin: Arc<str>,
}

/// Decides what of an edit counts.
pub(crate) trait Arbiter: Send + Sync {
    /// Makes what counts of an edit.
    fn edit(&self, patch: Patch, writer: &str, author: By<'_>) -> Answer;
}

/// What changes for a connection while it is open.
pub(crate) enum Change {
    /// It hears of a model from now on, or may do something else with it.
    Add(Line),
    /// It hears no more of a model.
    Remove(ModelId),
    /// It has these views of the models that are not shared.
    Views(Views),
}

impl Offer for Session {
    fn admit(&self, _: &mut Peer) -> Result<(), Refusal> {
        Ok(())
    }

    fn join(&self, entry: &Arc<Entry>) -> (Line, Vec<Line>) {
        let line = Line {
            shared: Arc::clone(self.shared()),
            common: None,
            views: entry.peer.views.clone(),
        };
        (line, Vec::new())
    }

    fn patience(&self) -> u32 {
        0
    }

    fn may_edit(&self, _: &Peer, _: ModelId, _: &[Op]) -> Result<(), String> {
        Ok(())
    }

    fn renew(&self, _: &Arc<Entry>, _: SystemTime) {}

    fn leave(&self, _: &Arc<Entry>) {}

    fn sync(&self) -> SyncReport {
        self.sync()
    }

    fn changed(&self) -> &Notify {
        self.shared().dirty.changed()
    }

    fn begin_at(&self, revision: u64) -> bool {
        self.begin_at(revision)
    }

    fn epoch(&self) -> Epoch {
        self.epoch()
    }

    fn each(&self, see: &mut dyn FnMut(&Session)) {
        see(self);
    }
}

/// The models that a [`Server`](super::Server) serves: those of a [`Session`], which everybody sees, or those of a
/// [`Hub`](crate::Hub).
pub struct Served {
    pub(crate) offer: Arc<dyn Offer>,
    pub(crate) session: Option<Session>,
}

impl From<Session> for Served {
    fn from(session: Session) -> Self {
        Self {
            offer: Arc::new(session.clone()),
            session: Some(session),
        }
    }
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Served")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
