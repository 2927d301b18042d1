//! Who is there, by type.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::shared::{Board, Shared};
use super::{Tenant, Viewer};
use crate::message::Json;
use crate::server::Peer;
use crate::server::awareness::Rule;
use crate::synced::Synced;

/// Who is there about a shared model, and in which state: typed, and by user.
///
/// Clients tell their states, and hear of those of others, by the `awareness` messages that published clients know. What
/// they send is read as a `T`; what is none is ignored and counted by
/// [`Stats::states_refused`](crate::server::Stats::states_refused). What they are sent is a [`Present`]: all connections
/// of a user are one peer, whose name on the wire stays the same as long as one of them is there. The connections of a
/// user are not told of that user.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use transports::hub::{Mode, Presence, Tenant};
/// use transports::server::{Opening, Peer};
/// use transports::session::Frame;
/// use transports::{Hub, Server};
///
/// #[derive(Serialize, Deserialize)]
/// struct Seat {
///     typing: bool,
/// }
///
/// let hub = Hub::new(|peer: &Peer| Ok(peer.get::<Tenant>().cloned().unwrap_or_default()));
/// let board = hub.share(transports::collections::Text::from("for all"));
/// let seats = Presence::<Seat>::builder(|viewer| Some(viewer.tenant.to_string()))
///     .at_first(Seat { typing: false })
///     .over(&board);
/// hub.subscribe("ann", board.id(), Mode::Write);
///
/// let server = Server::new(hub);
/// let mut ann = server.open_for(&Opening::default(), Peer::default().with(Tenant::from("ann")))?;
/// assert!(!seats.all()[0].state.typing);
/// ann.receive(&Frame::text(r#"{"t":"awareness","id":1099511627776,"state":{"typing":true}}"#))?;
/// assert_eq!(seats.all()[0].who, "ann");
/// assert!(seats.all()[0].state.typing);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Presence<T> {
    board: Weak<Board>,
    kind: PhantomData<fn() -> T>,
}

/// Somebody who is there. Goes to clients as the state of an `awareness` message, in this form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Present<T> {
    /// Who it is, as the function given to [`Presence::builder`] says.
    pub who: String,
    /// How many connections of theirs have a state.
    pub connections: usize,
    /// The state that was told last by any of these.
    pub state: T,
}

type Who = Box<dyn Fn(&Viewer<'_>) -> Option<String> + Send + Sync>;
type Changed<T> = Box<dyn Fn(&Presence<T>) + Send + Sync>;

/// Settings of a [`Presence`].
pub struct PresenceBuilder<T> {
    who: Who,
    at_first: Option<Json>,
    time_to_live: Option<Duration>,
    states_per_second: Option<u32>,
    on_change: Option<Changed<T>>,
}

impl<T: Serialize + DeserializeOwned + 'static> Presence<T> {
    /// Settings. `who` says whose a connection is, in words that all others may read; none: it has no part in this, and
    /// only looks. Tenants' keys may be secrets, so there is no default.
    pub fn builder(
        who: impl Fn(&Viewer<'_>) -> Option<String> + Send + Sync + 'static,
    ) -> PresenceBuilder<T> {
        PresenceBuilder {
            who: Box::new(who),
            at_first: None,
            time_to_live: None,
            states_per_second: None,
            on_change: None,
        }
    }

    /// Everybody who has a state, in order of `who`. Nobody, once the model is shared no longer.
    #[must_use]
    pub fn all(&self) -> Vec<Present<T>> {
        let board = self.board.upgrade();
        let all = board.map_or_else(Vec::new, |board| board.statuses.everybody());
        let present = all.into_iter().filter_map(|together| {
            Some(Present {
                who: together.who.as_ref().to_owned(),
                connections: together.connections,
                // It was written from a `T`.
                state: serde_json::from_value(together.state).ok()?,
            })
        });
        present.collect()
    }
}

impl<T: Serialize + DeserializeOwned + 'static> PresenceBuilder<T> {
    /// The state of a connection that has told none, or whose state has run out. By default it has none, and its user is
    /// not there before another is told.
    ///
    /// # Panics
    /// If the state cannot be written as JSON, or is nothing there.
    #[must_use]
    pub fn at_first(mut self, state: T) -> Self {
        let state = written(&state).expect("a state is something that can be written as JSON");
        self.at_first = Some(state);
        self
    }

    /// For how long a state counts that is not told again: for ever by default, which is as long as the connection is
    /// open. Needs an adapter that tells the [time](crate::server::Connection::wake), as ours do.
    #[must_use]
    pub const fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = Some(time);
        self
    }

    /// How many states a connection may tell in each second, and at once: as many as
    /// [`Limits::awareness_per_second`](crate::server::Limits::awareness_per_second) by default, and never more. Of
    /// those that come too soon the last goes out as soon as it may.
    #[must_use]
    pub const fn states_per_second(mut self, most: u32) -> Self {
        self.states_per_second = Some(most);
        self
    }

    /// Tells `hook` whenever somebody comes, goes or has another state. Called while the connection is served that
    /// this is about.
    #[must_use]
    pub fn on_change(mut self, hook: impl Fn(&Presence<T>) + Send + Sync + 'static) -> Self {
        self.on_change = Some(Box::new(hook));
        self
    }

    /// Has the awareness of a shared model follow these settings, for all connections that see it from now on: best
    /// before anybody is subscribed. A model has one presence; the first that is given stays.
    pub fn over<M: Synced>(self, shared: &Shared<M>) -> Presence<T> {
        let board = shared.board();
        let presence = || Presence {
            board: Arc::downgrade(board),
            kind: PhantomData,
        };
        board.statuses.follow(Arc::new(Rules {
            settings: self,
            presence: presence(),
        }));
        presence()
    }
}

/// A state as JSON; none if it is no more than null, which says that there is none.
fn written<T: Serialize>(state: &T) -> Option<Json> {
    let state = serde_json::to_value(state).ok()?;
    (!state.is_null()).then_some(state)
}

struct Rules<T> {
    settings: PresenceBuilder<T>,
    presence: Presence<T>,
}

impl<T: Serialize + DeserializeOwned + 'static> Rule for Rules<T> {
    fn who(&self, peer: &Peer) -> Option<Arc<str>> {
        static NOBODY: OnceLock<Tenant> = OnceLock::new();
        let tenant = peer
            .get::<Tenant>()
            .unwrap_or_else(|| NOBODY.get_or_init(Tenant::default));
        (self.settings.who)(&Viewer::new(tenant, peer)).map(Arc::from)
    }

    fn read(&self, state: Json) -> Option<Json> {
        let state: T = serde_json::from_value(state).ok()?;
        written(&state)
    }

    fn at_first(&self) -> Option<Json> {
        self.settings.at_first.clone()
    }

    fn states_per_second(&self) -> Option<u32> {
        self.settings.states_per_second
    }

    fn time_to_live(&self) -> Option<Duration> {
        self.settings.time_to_live
    }

    fn changed(&self) {
        if let Some(hook) = &self.settings.on_change {
            hook(&self.presence);
        }
    }
}

impl<T> Clone for Presence<T> {
    fn clone(&self) -> Self {
        Self {
            board: Weak::clone(&self.board),
            kind: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Presence<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presence").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for PresenceBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceBuilder")
            .field("time_to_live", &self.time_to_live)
            .field("states_per_second", &self.states_per_second)
            .finish_non_exhaustive()
    }
}
