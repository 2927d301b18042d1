//! All models of a server, and proposals under way.

use std::collections::{BTreeMap, BTreeSet};

use super::{Mirror, MirrorError, Outcome, diff};
use crate::codec::Codec;
use crate::message::{Epoch, Json, Message, ModelId};
use crate::patch::{Op, Patch};
use crate::schema::Bindings;
use crate::value::Value;

/// All models of a server as one client holds them, and the client's proposals that are under way.
///
/// Holds a connection's state, not the connection: frames go in, events come out, and edits become messages to send.
#[derive(Debug, Default)]
pub struct Mirrors {
    codec: Codec,
    models: BTreeMap<ModelId, Mirror>,
    /// Mirrors that could not go on: a fresh snapshot has to come.
    doubtful: BTreeSet<ModelId>,
    /// The epoch of the last snapshot. A connection may break before each model has come to a new one, and revisions of
    /// another epoch mean nothing.
    epoch: Option<Epoch>,
    /// The proposals without an answer, and the models that they are about.
    pending: BTreeMap<String, ModelId>,
    named: u64,
    peers: BTreeMap<(ModelId, String), Json>,
    /// What the server told of its types, if it is asked to.
    schema: Option<Bindings>,
}

/// The revision of a model that is held, without one that counts: no server comes to it, as JSON keeps integers up to here.
const NO_REVISION: u64 = (1 << 53) - 1;

/// Something that a frame brought about.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MirrorEvent {
    /// A model came, or came anew.
    Replaced {
        /// The model.
        id: ModelId,
        /// The revision it is at.
        rev: u64,
    },
    /// A model changed.
    Patched {
        /// The model.
        id: ModelId,
        /// What changed, and the revision it is at.
        patch: Patch,
        /// The name of the proposal that this is the answer to.
        proposal: Option<String>,
    },
    /// A patch came that is in the mirror already.
    Stale {
        /// The model.
        id: ModelId,
    },
    /// The server took a proposal.
    Acknowledged {
        /// The model it was about.
        id: ModelId,
        /// The revision it made, or the present one if it changed nothing.
        rev: u64,
        /// Its name.
        proposal: String,
    },
    /// The server refused an edit.
    Rejected {
        /// The model.
        id: ModelId,
        /// Its revision at the server.
        rev: u64,
        /// Why.
        error: String,
        /// The name of the proposal.
        proposal: Option<String>,
    },
    /// A peer has another passing state.
    Awareness {
        /// The model it is about.
        id: ModelId,
        /// The peer.
        peer: String,
        /// Its state; null: gone.
        state: Json,
    },
    /// The server shows a model no longer. Its mirror and its peers went, and what was proposed for it is
    /// [abandoned](Self::Abandoned), each told of before.
    Gone {
        /// The model.
        id: ModelId,
        /// The revision it was at.
        rev: u64,
    },
    /// Proposals that will get no answer, as the connection or the model is gone.
    Abandoned {
        /// Their names.
        proposals: Vec<String>,
    },
    /// A message of no interest.
    Ignored,
}

impl Mirrors {
    /// No models yet; frames are of this codec.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        Self {
            codec,
            ..Self::default()
        }
    }

    /// The mirror of a model.
    #[must_use]
    pub fn get(&self, id: ModelId) -> Option<&Mirror> {
        self.models.get(&id)
    }

    /// All mirrors, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Mirror> {
        self.models.values()
    }

    /// The proposals without an answer yet.
    pub fn pending(&self) -> impl Iterator<Item = &str> {
        self.pending.keys().map(String::as_str)
    }

    /// Has servers asked, from the next connection on, what their models are made of.
    pub fn ask_schema(&mut self) {
        self.schema.get_or_insert_default();
    }

    /// What the server told of its types on this connection. It tells of a type before its first model; servers of
    /// other makes tell nothing.
    #[must_use]
    pub const fn schema(&self) -> Option<&Bindings> {
        self.schema.as_ref()
    }

    /// The query of the URL to connect to, so that the server continues where the mirrors are. Of a mirror that could not
    /// take in what came nothing is claimed until it was replaced, so that the server sends it as a whole, or says that it
    /// is gone.
    #[must_use]
    pub fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("codec", self.codec.name());
        let claim = |(id, model): (&ModelId, &Mirror<Value>)| {
            let rev = model.revision()?;
            let is_sure = !self.doubtful.contains(id) && model.epoch() == self.epoch;
            // Without an epoch a server may take the greatest revision for one that it will come to.
            match (is_sure, self.epoch) {
                (true, _) => Some((*id, rev)),
                (false, Some(_)) => Some((*id, NO_REVISION)),
                (false, None) => None,
            }
        };
        let revs: BTreeMap<_, _> = self.models.iter().filter_map(claim).collect();
        if !revs.is_empty() {
            let revs = serde_json::to_string(&revs).expect("numbers can be written");
            query.append_pair("since", &revs);
        }
        // Given empty it asks for the server's; servers that know of none ignore it.
        let epoch = self
            .epoch
            .map_or_else(String::new, |epoch| epoch.to_string());
        query.append_pair("epoch", &epoch);
        query.append_pair("ops", "splice,stamp");
        if self.schema.is_some() {
            query.append_pair("schema", "1");
        }
        query.append_pair("gone", "1");
        query.finish()
    }

    /// Takes in a frame and tells what happened, in order.
    ///
    /// # Errors
    /// The frame is malformed or does not fit the mirrors, which are as they were; of a batch, the messages before the
    /// one that does not fit have been taken in, and their events are lost.
    pub fn receive(&mut self, frame: &[u8]) -> Result<Vec<MirrorEvent>, MirrorError> {
        let mut events = Vec::new();
        let received = self.receive_into(frame, &mut events);
        match &received {
            Ok(()) | Err(MirrorError::Gap { .. } | MirrorError::Unknown { .. }) => {}
            Err(MirrorError::Patch { id, .. } | MirrorError::Type { id, .. }) => {
                self.doubtful.insert(*id);
            }
            // It may have been about any of them.
            Err(_) => self.doubtful.extend(self.models.keys()),
        }
        received.map(|()| events)
    }

    fn receive_into(
        &mut self,
        frame: &[u8],
        events: &mut Vec<MirrorEvent>,
    ) -> Result<(), MirrorError> {
        match self.codec.decode(frame)? {
            Message::Batch { msgs } => {
                for message in msgs {
                    if matches!(message, Message::Batch { .. }) {
                        return Err(MirrorError::NestedBatch);
                    }
                    self.take_in(message, events)?;
                }
                Ok(())
            }
            message => self.take_in(message, events),
        }
    }

    fn take_in(
        &mut self,
        message: Message,
        events: &mut Vec<MirrorEvent>,
    ) -> Result<(), MirrorError> {
        match message {
            Message::Snapshot { id, rev, epoch, .. } => {
                self.models
                    .entry(id)
                    .or_insert_with(|| Mirror::new(id))
                    .receive(message)?;
                self.doubtful.remove(&id);
                self.epoch = epoch;
                events.push(MirrorEvent::Replaced { id, rev });
            }
            Message::Patch {
                id,
                patch,
                proposal,
                base,
            } => {
                let rev = patch.rev;
                let model = self
                    .models
                    .get_mut(&id)
                    .ok_or(MirrorError::Unknown { id })?;
                match model.patch(patch.clone(), base)? {
                    Outcome::Stale => events.push(MirrorEvent::Stale { id }),
                    _ => events.push(MirrorEvent::Patched {
                        id,
                        patch,
                        proposal: proposal.clone(),
                    }),
                }
                if let Some(proposal) = proposal {
                    self.acknowledge(id, rev, proposal, events);
                }
            }
            Message::Ack { id, rev, proposal } => self.acknowledge(id, rev, proposal, events),
            Message::Reject {
                id,
                rev,
                error,
                proposal,
                ..
            } => {
                if let Some(proposal) = &proposal {
                    self.pending.remove(proposal);
                }
                events.push(MirrorEvent::Rejected {
                    id,
                    rev,
                    error,
                    proposal,
                });
            }
            Message::Awareness {
                id,
                state,
                peer: Some(peer),
            } => {
                if state.is_null() {
                    self.peers.remove(&(id, peer.clone()));
                } else {
                    self.peers.insert((id, peer.clone()), state.clone());
                }
                events.push(MirrorEvent::Awareness { id, peer, state });
            }
            Message::Schema { type_name, schema } => {
                if let Some(known) = &mut self.schema
                    && let Err(error) = known.learn(&type_name, &schema)
                {
                    // Models can do without.
                    tracing::warn!(%error, "a schema is passed over");
                }
                events.push(MirrorEvent::Ignored);
            }
            Message::Gone { id } => self.remove(id, events),
            _ => events.push(MirrorEvent::Ignored),
        }
        Ok(())
    }

    fn remove(&mut self, id: ModelId, events: &mut Vec<MirrorEvent>) {
        let Some(mirror) = self.models.remove(&id) else {
            return events.push(MirrorEvent::Ignored);
        };
        self.doubtful.remove(&id);
        self.abandon_all(|model| model == id, events);
        self.forget_peers(|model| model == id, events);
        let rev = mirror.revision().unwrap_or_default();
        events.push(MirrorEvent::Gone { id, rev });
    }

    fn abandon_all(&mut self, which: impl Fn(ModelId) -> bool, events: &mut Vec<MirrorEvent>) {
        let abandoned = self.pending.extract_if(.., |_, model| which(*model));
        let proposals: Vec<_> = abandoned.map(|(proposal, _)| proposal).collect();
        if !proposals.is_empty() {
            events.push(MirrorEvent::Abandoned { proposals });
        }
    }

    fn forget_peers(&mut self, which: impl Fn(ModelId) -> bool, events: &mut Vec<MirrorEvent>) {
        let forgotten = self.peers.extract_if(.., |(model, _), _| which(*model));
        events.extend(forgotten.map(|((id, peer), _)| MirrorEvent::Awareness {
            id,
            peer,
            state: Json::Null,
        }));
    }

    fn acknowledge(
        &mut self,
        id: ModelId,
        rev: u64,
        proposal: String,
        events: &mut Vec<MirrorEvent>,
    ) {
        self.pending.remove(&proposal);
        events.push(MirrorEvent::Acknowledged { id, rev, proposal });
    }

    /// Proposes that a model become `wanted`: the message to send. Names are made where none is given.
    ///
    /// # Errors
    /// There is no such model, or the name looks like one made here (`auto-` and digits).
    pub fn edit(
        &mut self,
        id: ModelId,
        wanted: Value,
        proposal: Option<String>,
    ) -> Result<Message, MirrorError> {
        let have = self
            .get(id)
            .and_then(Mirror::get)
            .ok_or(MirrorError::Unknown { id })?;
        let ops = diff(have, wanted);
        self.propose(id, ops, proposal)
    }

    /// Proposes changes: the message to send.
    ///
    /// # Errors
    /// There is no such model, or the name looks like one made here (`auto-` and digits).
    pub fn propose(
        &mut self,
        id: ModelId,
        ops: Vec<Op>,
        proposal: Option<String>,
    ) -> Result<Message, MirrorError> {
        let model = self.models.get(&id).ok_or(MirrorError::Unknown { id })?;
        // A server that tells its epoch knows what the revision means; others may take it for something else.
        let rev = model.epoch().and_then(|_| model.revision()).unwrap_or(0);
        let name = match proposal {
            Some(name) if is_made_here(&name) => return Err(MirrorError::ReservedName { name }),
            Some(name) => name,
            None => {
                self.named += 1;
                format!("auto-{}", self.named)
            }
        };
        self.pending.insert(name.clone(), id);
        let patch = Patch { rev, ops };
        Ok(Message::Patch {
            id,
            patch,
            proposal: Some(name),
            base: None,
        })
    }

    /// Gives up waiting for the answer to a proposal; tells whether one was awaited.
    pub fn abandon(&mut self, proposal: &str) -> bool {
        self.pending.remove(proposal).is_some()
    }

    /// The connection is gone: proposals without an answer are abandoned and peers forgotten. Revisions stay, for
    /// [`query`](Self::query).
    pub fn disconnect(&mut self) -> Vec<MirrorEvent> {
        let mut events = Vec::new();
        if let Some(schema) = &mut self.schema {
            *schema = Bindings::new();
        }
        self.abandon_all(|_| true, &mut events);
        self.forget_peers(|_| true, &mut events);
        events
    }
}

fn is_made_here(name: &str) -> bool {
    name.strip_prefix("auto-").is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}
