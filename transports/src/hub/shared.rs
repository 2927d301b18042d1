//! Models that several tenants see.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{HOST, LastWriteWins, Merge, Mode, Stamp, Tenant, Write};
use crate::edit::{self, Author, PatchError, Reason};
use crate::message::{Json, ModelId};
use crate::mirror::diff;
use crate::patch::Patch;
use crate::path::Path;
use crate::server::awareness::Statuses;
use crate::server::offer::{Arbiter, Common, Line};
use crate::session::{Answer, By, Hosted, Session};
use crate::synced::Synced;
use crate::value::Value;
use crate::views::Views;

/// How a model is shared.
pub struct Sharing {
    pub(super) type_name: String,
    pub(super) merge: Box<dyn Merge>,
    pub(super) revision: Option<u64>,
    pub(super) state: Option<Json>,
}

impl Sharing {
    /// Under this name of its type; the last write wins.
    pub fn named(type_name: impl Into<String>) -> Self {
        Self {
            type_name: type_name.into(),
            merge: Box::new(LastWriteWins),
            revision: None,
            state: None,
        }
    }

    /// Decides otherwise which writes count.
    #[must_use]
    pub fn merge(mut self, merge: impl Merge) -> Self {
        self.merge = Box::new(merge);
        self
    }

    /// As [`merge`](Self::merge), for a strategy that was chosen at run time.
    #[must_use]
    pub fn merge_boxed(mut self, merge: Box<dyn Merge>) -> Self {
        self.merge = merge;
        self
    }

    /// Goes on from a revision and the [state](Shared::merge_state) of the merge strategy that were kept.
    #[must_use]
    pub fn restored(mut self, revision: u64, merge_state: Json) -> Self {
        self.revision = Some(revision);
        self.state = Some(merge_state);
        self
    }
}

impl fmt::Debug for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharing")
            .field("type_name", &self.type_name)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

/// A shared model in the hands of its host: a [`Hosted`] one, and more. Clones are the same model.
///
/// What the host changes through a guard stands, whatever the merge strategy; [`propose`](Self::propose) takes part in
/// the merging.
pub struct Shared<T: Synced> {
    hosted: Hosted<T>,
    board: Arc<Board>,
}

impl<T: Synced> Shared<T> {
    pub(super) const fn new(hosted: Hosted<T>, board: Arc<Board>) -> Self {
        Self { hosted, board }
    }

    /// Writes a whole value, with the stamp that published hosts use: revision 0, origin [`HOST`]. What of it counts
    /// makes a revision, which goes out at the next sync.
    ///
    /// # Errors
    /// The value is no `T`, or the strategy refuses. The model is as it was.
    pub fn propose(&self, value: Value) -> Result<(), PatchError> {
        let mut merge = self.board.merge.lock();
        let (_, current) = self.value();
        let ops = diff(&current, value);
        let stamp = Stamp(0, HOST.to_owned());
        let ops = merge
            .merge(Write::new(ops, stamp, &|| current.clone()))
            .map_err(refusal)?;
        let applied = if ops.is_empty() {
            Ok(())
        } else {
            edit::apply(&mut *self.hosted.write(), ops, Author::Host).map(drop)
        };
        merge.settle(applied.is_ok());
        drop(self.value());
        applied
    }

    pub(super) const fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// A copy of the model as its peers know it, and its revision.
    #[must_use]
    pub fn value(&self) -> (u64, Value) {
        let shared = self.board.session.snapshot(self.board.id);
        shared.unwrap_or_default()
    }

    /// What the merge strategy needs to go on, to be kept with the model's value and revision.
    #[must_use]
    pub fn merge_state(&self) -> Json {
        self.board.merge.lock().state()
    }
}

impl<T: Synced> Deref for Shared<T> {
    type Target = Hosted<T>;

    fn deref(&self) -> &Hosted<T> {
        &self.hosted
    }
}

impl<T: Synced> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self {
            hosted: self.hosted.clone(),
            board: Arc::clone(&self.board),
        }
    }
}

impl<T: Synced + fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.hosted).finish()
    }
}

/// A shared model as the hub knows it: a session of one model, so that only those who see it are woken by it.
pub(super) struct Board {
    id: ModelId,
    pub(super) session: Session,
    pub(super) statuses: Arc<Statuses>,
    /// Locked before the model.
    merge: Mutex<Box<dyn Merge>>,
}

impl Board {
    pub(super) fn new(id: ModelId, session: Session, merge: Box<dyn Merge>) -> Self {
        Self {
            id,
            session,
            statuses: Arc::default(),
            merge: Mutex::new(merge),
        }
    }

    /// What a connection of a tenant hears.
    pub(super) fn line(self: &Arc<Self>, mode: Mode, tenant: &Tenant, views: Views) -> Line {
        let shared = Arc::clone(self.session.shared());
        // Others would only change the epoch that the connection is told.
        let views = shared
            .model(self.id)
            .map_or_else(Views::default, |model| views.only(model.views()));
        Line {
            shared,
            views,
            common: Some(Common {
                id: self.id,
                arbiter: Arc::clone(self) as Arc<dyn Arbiter>,
                statuses: Arc::clone(&self.statuses),
                may_write: mode == Mode::Write,
                origin: Arc::clone(tenant.shared()),
            }),
        }
    }
}

impl Arbiter for Board {
    fn edit(&self, patch: Patch, writer: &str, author: By<'_>) -> Answer {
        let shared = self.session.shared();
        let Some(model) = shared.model(self.id) else {
            return Answer::Gone;
        };
        let mut merge = self.merge.lock();
        let stamp = Stamp(patch.rev, writer.to_owned());
        let current = || model.value(shared, Some(author.views)).1;
        match merge.merge(Write::new(patch.ops, stamp, &current)) {
            Ok(ops) => {
                let answer = model.edit(shared, ops, author);
                merge.settle(!matches!(answer, Answer::Refused { .. } | Answer::Gone));
                answer
            }
            Err(error) => Answer::Refused {
                rev: model.rev_for(author.views),
                error: refusal(error),
            },
        }
    }
}

fn refusal(text: String) -> PatchError {
    PatchError {
        op: None,
        path: Path::root(),
        reason: Reason::Rule(text),
    }
}
