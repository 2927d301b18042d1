//! What clients send.

use std::fmt;
use std::sync::Arc;

use super::super::stats::{Edited, Limit};
use super::super::{ConnectionError, Limits, Proposal};
use super::Connection;
use super::outgoing::{Pending, Reply};
use crate::changes::Texts;
use crate::codec::{Codec, CodecError};
use crate::edit::{Budget, Reason};
use crate::message::{Json, Message, ModelId};
use crate::patch::{Op, Patch};
use crate::path::Segment;
use crate::session::{Answer, By, Frame, Origin};
use crate::value::Value;

/// An error text is cut here: it quotes what the client sent, and need not be as long.
const ERROR: usize = 1024;

impl Connection {
    /// Takes in what the client sent. Text is read as JSON on any connection whose codec is binary, and binary frames
    /// are read as JSON on a connection that speaks it.
    ///
    /// # Errors
    /// The connection has to end, for the [reason](ConnectionError::reason) that the error is: tell the client and drop
    /// the connection.
    pub fn receive(&mut self, frame: &Frame) -> Result<(), ConnectionError> {
        let mut received = self.take_in(frame);
        self.drained = false;
        if matches!(received, Err(ConnectionError::Malformed(_))) && self.patience > 0 {
            self.patience -= 1;
            received = Ok(());
        }
        if let Err(error) = &received
            && let Some(reason) = error.reason()
        {
            self.fault.get_or_insert(reason);
        }
        received
    }

    fn take_in(&mut self, frame: &Frame) -> Result<(), ConnectionError> {
        self.rearrange();
        if self.ended.is_some() || self.out.entry.closing.get().is_some() {
            return Err(ConnectionError::Ended);
        }
        self.out.entry.received(frame.bytes.len());
        let limits = *self.out.server.limits();
        let (size, limit) = (frame.bytes.len(), limits.frame_bytes);
        if size > limit {
            self.out.hit(Limit::FrameBytes);
            return Err(ConnectionError::TooLarge { size, limit });
        }
        let (queued, limit) = (self.out.answers(), limits.queued_bytes);
        if queued > limit {
            self.out.hit(Limit::QueuedBytes);
            return Err(ConnectionError::Overloaded { queued, limit });
        }
        let codec = match &self.out.reader.codec {
            binary if frame.is_text && !binary.is_text() => &Codec::Json,
            codec => codec,
        };
        let look = codec
            .look(&frame.bytes)
            .map_err(ConnectionError::Malformed)?;
        let (nodes, limit) = (look.nodes, limits.frame_nodes);
        if nodes > limit {
            self.out.hit(Limit::FrameNodes);
            return Err(ConnectionError::TooManyNodes { nodes, limit });
        }
        let message = codec
            .read(&frame.bytes, look)
            .map_err(ConnectionError::Malformed)?;
        self.sources
            .iter_mut()
            .for_each(|source| source.renewed.clear());
        match message {
            Message::Patch {
                id,
                patch,
                proposal,
                ..
            } => self
                .edit(id, patch, proposal, &limits)
                .map_err(ConnectionError::Codec),
            Message::Awareness { id, state, .. } => {
                self.aware(id, state, &limits);
                Ok(())
            }
            // Kinds that mean nothing here, today or ever.
            _ => Ok(()),
        }
    }

    fn edit(
        &mut self,
        id: ModelId,
        patch: Patch,
        proposal: Option<String>,
        limits: &Limits,
    ) -> Result<(), CodecError> {
        // A model that the client may not see is looked for in vain among its own, as one that is not there.
        let shared = self.sources.iter().position(|source| source.id() == id);
        let place = shared.unwrap_or_default();
        let model = self.sources.get(place).and_then(|source| {
            let model = source.shared.model(id)?;
            let views = source.reader.views.clone();
            Some((
                model,
                Arc::clone(&source.shared),
                source.common.clone(),
                views,
            ))
        });
        let Some((model, shared, common, views)) = model else {
            return self.unknown(place, id, proposal);
        };
        let seen = model.rev_for(&views);
        if common.as_ref().is_some_and(|common| !common.may_write) {
            let error = "this model is only to be read here".to_owned();
            return self.refuse(place, id, seen, error, proposal);
        }
        let Patch { rev, mut ops } = patch;
        if let Err((limit, error)) = within(limits, &ops) {
            self.out.hit(limit);
            return self.refuse(place, id, seen, error, proposal);
        }
        let splice = ops.iter().find(|op| matches!(op, Op::Splice { .. }));
        if let Some(splice) = splice.filter(|_| self.out.reader.texts == Texts::Whole) {
            let error = format!(
                "{}: a `Splice` is for connections that ask for it, with `ops=splice`",
                splice.path()
            );
            return self.refuse(place, id, seen, error, proposal);
        }
        let inner = Arc::clone(&self.out.server.inner);
        if let Err(error) = inner.offer.may_edit(&self.out.entry.peer, id, &ops) {
            return self.refuse(place, id, seen, error, proposal);
        }
        if let Some(hook) = &inner.hooks.edit {
            let mut proposed = Proposal {
                connection: self.out.entry.number,
                peer: &self.out.entry.peer,
                model: id,
                type_name: model.type_name(),
                ops: &mut ops,
            };
            if let Err(error) = hook(&mut proposed) {
                return self.refuse(place, id, seen, error, proposal);
            }
        }
        let proposal: Option<Arc<str>> = proposal.map(Arc::from);
        let origin = Origin {
            connection: self.out.entry.number,
            proposal: proposal.clone(),
        };
        let author = By {
            views: &views,
            budget: Budget::of(limits.moved_items),
            origin,
        };
        let answer = match common {
            None => model.edit(&shared, ops, author),
            Some(common) => {
                // Nobody has seen what is not there yet.
                let seen = if self.stamps {
                    rev.min(model.rev())
                } else {
                    rev
                };
                let patch = Patch { rev: seen, ops };
                common.arbiter.edit(patch, &common.origin, author)
            }
        };
        let totals = &inner.totals;
        match answer {
            Answer::Made { position, rev } => {
                totals.edited(Edited::Made);
                if let Some(proposal) = proposal {
                    self.queue(place, position, id, Reply::Echo(proposal, rev));
                }
                Ok(())
            }
            Answer::Nothing { rev } => {
                totals.edited(Edited::Empty);
                let Some(proposal) = proposal.map(|proposal| proposal.to_string()) else {
                    return Ok(());
                };
                self.answer(place, id, &Message::Ack { id, rev, proposal })
            }
            Answer::Gone => {
                let proposal = proposal.map(|proposal| proposal.to_string());
                self.unknown(place, id, proposal)
            }
            Answer::Refused { rev, error } => {
                if matches!(error.reason, Reason::TooManyMoved { .. }) {
                    self.out.hit(Limit::MovedItems);
                }
                let proposal = proposal.map(|proposal| proposal.to_string());
                self.refuse(place, id, rev, error.to_string(), proposal)
            }
        }
    }

    /// Others are told of the client's passing state, unless it is not about a model that it shares with them.
    fn aware(&mut self, id: ModelId, state: Json, limits: &Limits) {
        let Some(source) = self.sources.iter_mut().find(|source| source.id() == id) else {
            return;
        };
        if source.common.is_none() {
            return;
        }
        if !fits(&state, limits.awareness_bytes) {
            self.out.hit(Limit::AwarenessBytes);
            return;
        }
        source.say(state, &mut self.out);
        let deadline = source.deadline(&self.out);
        self.due = self.due.into_iter().chain(deadline).min();
    }

    /// There is no such model, as far as the client may know.
    fn unknown(
        &mut self,
        place: usize,
        id: ModelId,
        proposal: Option<String>,
    ) -> Result<(), CodecError> {
        self.out.server.inner.totals.edited(Edited::Rejected);
        let reject = Message::Reject {
            id,
            rev: 0,
            error: format!("there is no model {id}"),
            proposal,
            crdt_ops: None,
        };
        self.answer(place, id, &reject)
    }

    fn refuse(
        &mut self,
        place: usize,
        id: ModelId,
        rev: u64,
        error: String,
        proposal: Option<String>,
    ) -> Result<(), CodecError> {
        let error = cut(error);
        self.out.server.inner.totals.edited(Edited::Rejected);
        tracing::debug!(
            name: "transports.rejected",
            connection = self.out.entry.number,
            model = id,
            error,
            "an edit is rejected"
        );
        let reject = Message::Reject {
            id,
            rev,
            error,
            proposal,
            crdt_ops: None,
        };
        // Clients do not show their own changes to what is shared before they come back.
        if self
            .sources
            .get(place)
            .is_some_and(|source| source.common.is_some())
        {
            return self.answer(place, id, &reject);
        }
        let reject = self.out.reader.codec.encode(&reject)?;
        self.queue_now(place, id, Reply::Refusal(reject));
        Ok(())
    }

    fn answer(&mut self, place: usize, id: ModelId, message: &Message) -> Result<(), CodecError> {
        let frame = self.out.reader.codec.encode(message)?;
        self.queue_now(place, id, Reply::Frame(frame));
        Ok(())
    }

    fn queue_now(&mut self, place: usize, id: ModelId, answer: Reply) {
        if let Some(source) = self.sources.get(place) {
            let position = source.shared.published();
            self.queue(place, position, id, answer);
        }
    }

    fn queue(&mut self, place: usize, position: u64, id: ModelId, answer: Reply) {
        if let Some(source) = self.sources.get_mut(place) {
            let pending = Pending {
                position,
                id,
                answer,
            };
            self.out.answer_waits(pending.size());
            source.answers.push_back(pending);
        }
    }
}

/// Whether a state takes no more bytes than that as JSON.
fn fits(state: &Json, limit: usize) -> bool {
    serde_json::to_vec(state).is_ok_and(|bytes| bytes.len() <= limit)
}

/// Checks what does not depend on the model.
fn within(limits: &Limits, ops: &[Op]) -> Result<(), (Limit, String)> {
    let (many, limit) = (ops.len(), limits.edit_ops);
    if many > limit {
        let error = format!("an edit of {many} ops is over the limit of {limit}");
        return Err((Limit::EditOps, error));
    }
    let mut growth = 0;
    for op in ops {
        let path = op.path();
        let inserts = usize::from(matches!(op, Op::Insert { .. }));
        let bytes: usize = path
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => key.len(),
                Segment::Index(_) => 0,
            })
            .sum();
        if bytes > limits.path_bytes {
            // Too long to be named.
            let limit = limits.path_bytes;
            let error = format!("a path of {bytes} bytes is over the limit of {limit}");
            return Err((Limit::PathBytes, error));
        }
        let over = |what: fmt::Arguments<'_>, limit| {
            format!("{path}: {what} is over the limit of {limit}")
        };
        let depth = path.len() + inserts + op.value().map_or(0, Value::depth);
        if depth > limits.depth {
            let error = over(format_args!("a depth of {depth}"), limits.depth);
            return Err((Limit::Depth, error));
        }
        growth += inserts + op.value().map_or(0, items);
        if growth > limits.list_growth {
            let error = over(format_args!("adding {growth} items"), limits.list_growth);
            return Err((Limit::ListGrowth, error));
        }
    }
    Ok(())
}

/// The items of all lists in a value.
fn items(value: &Value) -> usize {
    match value {
        Value::List(list) => list.len() + list.iter().map(items).sum::<usize>(),
        Value::Map(entries) => entries.values().map(items).sum(),
        _ => 0,
    }
}

fn cut(mut error: String) -> String {
    const MORE: &str = "...";
    if error.len() > ERROR {
        let mut end = ERROR - MORE.len();
        while !error.is_char_boundary(end) {
            end -= 1;
        }
        error.truncate(end);
        error.push_str(MORE);
    }
    error
}
