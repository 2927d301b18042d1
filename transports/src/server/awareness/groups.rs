//! Passing states by who has them, where that is known: several connections of one user are one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Statuses, random_name};
use crate::message::Json;
use crate::server::Peer;

/// What a kind of presence asks for.
pub(crate) trait Rule: Send + Sync {
    /// Whose connection this is; none: it has no part in this.
    fn who(&self, peer: &Peer) -> Option<Arc<str>>;

    /// A state as it goes out; none: it is none.
    fn read(&self, state: Json) -> Option<Json>;

    /// The state of a connection that has said nothing yet, or not for too long.
    fn at_first(&self) -> Option<Json>;

    /// How many states a connection may tell in a second.
    fn states_per_second(&self) -> Option<u32>;

    /// For how long a state counts.
    fn time_to_live(&self) -> Option<Duration>;

    /// Somebody's state is another.
    fn changed(&self);
}

/// Somebody, with at least one connection.
struct Group {
    /// What the others know it by.
    name: Arc<str>,
    connections: usize,
    /// By connections, the latest last.
    states: Vec<(u64, Json)>,
}

#[derive(Default)]
pub(super) struct Groups(BTreeMap<Arc<str>, Group>);

/// Somebody's states, put together.
pub(crate) struct Together {
    pub(crate) who: Arc<str>,
    /// The connections that have a state.
    pub(crate) connections: usize,
    pub(crate) state: Json,
}

impl Statuses {
    /// A connection of somebody is there. Returns what the others know them by.
    pub(crate) fn join(&self, who: &Arc<str>) -> Arc<str> {
        let mut groups = self.groups.lock();
        let group = groups.0.entry(Arc::clone(who)).or_insert_with(|| Group {
            name: random_name(),
            connections: 0,
            states: Vec::new(),
        });
        group.connections += 1;
        Arc::clone(&group.name)
    }

    /// A connection of somebody has another state, or none. Returns whether anybody has to hear of it.
    pub(crate) fn tell(&self, who: &Arc<str>, connection: u64, state: Option<Json>) -> bool {
        let mut groups = self.groups.lock();
        let Some(group) = groups.0.get_mut(who) else {
            return false;
        };
        let before = group.states.len();
        group.states.retain(|(other, _)| *other != connection);
        if state.is_none() && group.states.len() == before {
            return false;
        }
        group.states.extend(state.map(|state| (connection, state)));
        let together = group.together(who);
        // Others see the states in the order in which they came.
        let seen = together.map_or(Json::Null, |together| {
            serde_json::json!({
                "who": &*together.who,
                "connections": together.connections,
                "state": together.state,
            })
        });
        self.table.write().set(Arc::clone(&group.name), seen);
        true
    }

    /// A connection of somebody is gone, and has told that it has no state.
    pub(crate) fn part(&self, who: &Arc<str>) {
        let mut groups = self.groups.lock();
        if let Some(group) = groups.0.get_mut(who) {
            group.connections -= 1;
            if group.connections == 0 {
                groups.0.remove(who);
            }
        }
    }

    /// Everybody who has a state.
    pub(crate) fn everybody(&self) -> Vec<Together> {
        let groups = self.groups.lock();
        let together = groups.0.iter().map(|(who, group)| group.together(who));
        together.flatten().collect()
    }
}

impl Group {
    fn together(&self, who: &Arc<str>) -> Option<Together> {
        let (_, state) = self.states.last()?;
        Some(Together {
            who: Arc::clone(who),
            connections: self.states.len(),
            state: state.clone(),
        })
    }
}
