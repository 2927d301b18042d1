//! What a session knows of its models, for whoever looks after it.

use std::sync::Arc;

use serde::Serialize;

use super::Shared;
use crate::message::ModelId;

/// One model as its session knows it: [`Server::models`](crate::Server::models).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModelInfo {
    /// Its id.
    pub id: ModelId,
    /// The name of its type on the wire.
    pub type_name: String,
    /// Its revision.
    pub revision: u64,
    /// The connections that are told of its changes.
    pub subscribers: usize,
    /// The patches that are kept for clients that come back.
    pub history: usize,
    /// Their bytes.
    pub history_bytes: usize,
    /// The bytes of the last snapshot, of the largest codec; none was encoded yet, or one is just being encoded.
    pub snapshot_bytes: Option<usize>,
}

/// What a model says itself.
pub(crate) struct Kept {
    pub(super) rev: u64,
    pub(super) history: usize,
    pub(super) history_bytes: usize,
    pub(super) snapshot_bytes: Option<usize>,
}

impl Shared {
    /// Up to `most` models after `skip` others, of which those that are here are taken off.
    pub(crate) fn infos(&self, skip: &mut usize, most: usize) -> Vec<ModelInfo> {
        let all = self.models.read();
        let here = (*skip).min(all.len());
        *skip -= here;
        let models: Vec<_> = all
            .iter()
            .skip(here)
            .take(most)
            .map(|(id, model)| (*id, Arc::clone(model)))
            .collect();
        drop(all);
        let subscribers = self.listeners.len();
        let info = |(id, model): (ModelId, Arc<dyn super::Model>)| {
            let kept = model.kept();
            ModelInfo {
                id,
                type_name: model.type_name().to_owned(),
                revision: kept.rev,
                subscribers,
                history: kept.history,
                history_bytes: kept.history_bytes,
                snapshot_bytes: kept.snapshot_bytes,
            }
        };
        models.into_iter().map(info).collect()
    }
}
