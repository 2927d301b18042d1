//! Passing states of connections: who is there, where the cursor is.

mod groups;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use self::groups::Groups;
pub(crate) use self::groups::Rule;
use crate::codec::{Codec, CodecError};
use crate::message::{Json, Message, ModelId};
use crate::writer::Format;

/// The passing states about one model, each the last of its connection. Whoever is slow is told of the last only.
#[derive(Default)]
pub(crate) struct Statuses {
    /// Locked after `groups`.
    table: RwLock<Table>,
    /// Who has which state, where there is a rule for it.
    groups: Mutex<Groups>,
    rule: OnceLock<Arc<dyn Rule>>,
}

#[derive(Default)]
struct Table {
    /// By the positions at which they came.
    states: BTreeMap<u64, Arc<Status>>,
    positions: HashMap<Arc<str>, u64>,
    next: u64,
    /// The positions of those that are gone, but that some may not have been told of yet.
    gone: BTreeMap<u64, Arc<str>>,
    /// Those who were told up to a position before this one may have missed that somebody has gone.
    forgotten: u64,
}

/// So many that have gone are remembered, for those who do not read for a while.
const GONE: usize = 1024;

/// The state of one connection.
pub(crate) struct Status {
    name: Arc<str>,
    state: Json,
    frames: [OnceLock<Bytes>; Format::ALL.len()],
}

impl Status {
    pub(crate) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The message that tells of it, encoded once for all.
    pub(crate) fn frame(&self, id: ModelId, codec: &Codec) -> Result<Bytes, CodecError> {
        let encode = || {
            codec.encode(&Message::Awareness {
                id,
                state: self.state.clone(),
                peer: Some(self.name.to_string()),
            })
        };
        let place = codec
            .format()
            .and_then(|format| self.frames.get(format.slot()));
        let Some(place) = place else {
            return encode();
        };
        if let Some(frame) = place.get() {
            return Ok(frame.clone());
        }
        let frame = encode()?;
        Ok(place.get_or_init(|| frame).clone())
    }
}

impl Statuses {
    /// Connections that come from now on follow this rule, unless there is one.
    pub(crate) fn follow(&self, rule: Arc<dyn Rule>) {
        self.rule.get_or_init(|| rule);
    }

    pub(crate) fn rule(&self) -> Option<Arc<dyn Rule>> {
        self.rule.get().cloned()
    }

    /// A connection has another state; null: it has none.
    pub(crate) fn set(&self, name: Arc<str>, state: Json) {
        self.table.write().set(name, state);
    }

    /// A connection is gone. Returns whether anybody has to hear of it.
    pub(crate) fn leave(&self, name: &Arc<str>) -> bool {
        let mut table = self.table.write();
        let position = table.positions.get(name);
        let had = position.is_some_and(|position| !table.gone.contains_key(position));
        if had {
            table.set(Arc::clone(name), Json::Null);
        }
        had
    }

    /// What came after what was told, in order, `most` at a time, and where that ends. Who was told nothing hears of what is
    /// there.
    pub(crate) fn since(&self, told: Option<u64>, most: usize) -> (Vec<Arc<Status>>, u64) {
        let table = self.table.read();
        let mut news = table.states.range(told.unwrap_or_default()..);
        let mut states = Vec::new();
        for (position, status) in &mut news {
            if told.is_some() || !status.state.is_null() {
                states.push(Arc::clone(status));
            }
            if states.len() >= most {
                return (states, position + 1);
            }
        }
        (states, table.next)
    }

    /// Where states that come from now on are.
    pub(crate) fn next(&self) -> u64 {
        self.table.read().next
    }

    pub(crate) fn has_forgotten(&self, told: u64) -> bool {
        told < self.table.read().forgotten
    }

    /// All states that there are, by the names of their connections.
    pub(crate) fn all(&self) -> Vec<(Arc<str>, Json)> {
        let (news, _) = self.since(None, usize::MAX);
        let pair = |status: &Arc<Status>| (Arc::clone(&status.name), status.state.clone());
        news.iter().map(pair).collect()
    }
}

/// What others are to know somebody by: 32 hex digits that nobody can guess.
pub(crate) fn random_name() -> Arc<str> {
    let half = || getrandom::u64().expect("the operating system has random numbers");
    Arc::from(format!("{:016x}{:016x}", half(), half()))
}

impl Table {
    fn set(&mut self, name: Arc<str>, state: Json) {
        let position = self.next;
        self.next += 1;
        if let Some(before) = self.positions.insert(Arc::clone(&name), position) {
            self.states.remove(&before);
            self.gone.remove(&before);
        }
        if state.is_null() {
            self.gone.insert(position, Arc::clone(&name));
        }
        let frames = Default::default();
        let status = Arc::new(Status {
            name,
            state,
            frames,
        });
        self.states.insert(position, status);
        if self.gone.len() > GONE
            && let Some((position, name)) = self.gone.pop_first()
        {
            self.states.remove(&position);
            self.positions.remove(&name);
            self.forgotten = position + 1;
        }
    }
}
