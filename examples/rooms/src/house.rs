//! Who may see what.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use transports::hub::{Mode, Presence, Shared, Tenant};
use transports::server::{Peer, Refusal, RefusalKind};
use transports::{Hub, Server, Session, Synced};

/// What people of a room share.
#[derive(Synced)]
pub(crate) struct Board {
    pub(crate) lines: Vec<Line>,
    /// Who is there; however many tabs somebody has open.
    #[synced(read_only)]
    pub(crate) people: BTreeSet<String>,
    /// Whoever was there, and how often somebody came; for whoever runs the house.
    #[synced(view = "admin", read_only)]
    pub(crate) visitors: BTreeMap<String, u64>,
}

#[derive(Synced)]
pub(crate) struct Line {
    pub(crate) by: String,
    #[synced(length = 1..=200)]
    pub(crate) text: String,
}

/// What people of a room say of themselves in passing.
#[derive(Serialize, Deserialize)]
pub(crate) struct Seat {
    typing: bool,
}

/// Who has typed does not type any more after this time.
const TYPING: Duration = Duration::from_secs(5);

/// What somebody keeps to themselves.
#[derive(Synced)]
pub(crate) struct Notes {
    #[synced(length = ..=10_000)]
    pub(crate) text: String,
}

/// For whoever runs the house.
#[derive(Synced)]
pub(crate) struct Desk {
    #[synced(read_only)]
    people: BTreeMap<String, BTreeSet<String>>,
    #[synced(read_only)]
    visits: u64,
}

/// More rooms than this there cannot be, as anybody may open one.
const ROOMS: usize = 100;

pub(crate) struct House {
    admin: String,
    rooms: Mutex<BTreeMap<String, Shared<Board>>>,
    desk: OnceLock<Shared<Desk>>,
}

/// Somebody in a room, somebody who looks into one, or whoever runs the house; as text, the key of a tenant.
enum Guest<'a> {
    Person { room: &'a str, name: &'a str },
    Spectator { room: &'a str },
    Admin,
}

impl<'a> Guest<'a> {
    fn of(tenant: &'a Tenant) -> Self {
        match tenant.as_str().split_once('/') {
            Some((room, "")) => Guest::Spectator { room },
            Some((room, name)) => Guest::Person { room, name },
            None => Guest::Admin,
        }
    }
}

impl House {
    /// A new house; `admin` opens its desk, and shows what only the admin sees of a room.
    pub(crate) fn open(admin: String) -> (Hub, Server) {
        let house = Arc::new(Self {
            admin,
            rooms: Mutex::default(),
            desk: OnceLock::new(),
        });
        let ask = Arc::clone(&house);
        let fill = Arc::clone(&house);
        let enter = Arc::clone(&house);
        let look = Arc::clone(&house);
        let hub = Hub::builder(move |peer| ask.tenant(peer))
            .on_tenant(move |hub, tenant, session| fill.furnish(hub, tenant, session))
            .on_first_viewer(move |tenant, _| enter.visited(tenant))
            .build();
        let desk = hub.share(Desk {
            people: BTreeMap::new(),
            visits: 0,
        });
        house.desk.get_or_init(|| desk);
        let server = Server::builder(hub.clone())
            .on_connect(move |peer, _| {
                if look.is_admin(peer) {
                    peer.views.insert("admin");
                }
                Ok(())
            })
            .build();
        (hub, server)
    }

    fn is_admin(&self, peer: &Peer) -> bool {
        given(peer, "admin").is_some_and(|key| *key == self.admin)
    }

    /// Who somebody says to be: `room` and `name`, only `room` to look, or the key of the house, with a room to look at or
    /// without.
    fn tenant(&self, peer: &Peer) -> Result<Tenant, Refusal> {
        let room = given(peer, "room").unwrap_or_default();
        let name = given(peer, "name").unwrap_or_default();
        if given(peer, "admin").is_some() {
            if !self.is_admin(peer) {
                return Err(RefusalKind::Forbidden.because("this is not the key"));
            }
            if room.is_empty() {
                return Ok(Tenant::new("admin"));
            }
        }
        if !is_word(&room) || !(name.is_empty() || is_word(&name)) {
            return Err(RefusalKind::Forbidden.because("a room and a name have 1 to 20 letters"));
        }
        let rooms = self.rooms.lock();
        if rooms.len() >= ROOMS && !rooms.contains_key(&*room) {
            return Err(RefusalKind::Unavailable.because("the house is full"));
        }
        Ok(Tenant::new(format!("{room}/{name}")))
    }

    fn furnish(self: &Arc<Self>, hub: &Hub, tenant: &Tenant, session: &Session) {
        match Guest::of(tenant) {
            Guest::Person { room, .. } => {
                session.host(Notes {
                    text: String::new(),
                });
                hub.subscribe(tenant, self.room(hub, room).id(), Mode::Write);
            }
            Guest::Spectator { room } => {
                hub.subscribe(tenant, self.room(hub, room).id(), Mode::Read);
            }
            Guest::Admin => {
                if let Some(desk) = self.desk.get() {
                    hub.subscribe(tenant, desk.id(), Mode::Read);
                }
            }
        }
    }

    fn room(self: &Arc<Self>, hub: &Hub, name: &str) -> Shared<Board> {
        let mut rooms = self.rooms.lock();
        let board = rooms.entry(name.to_owned()).or_insert_with(|| {
            let board = hub.share(Board {
                lines: Vec::new(),
                people: BTreeSet::new(),
                visitors: BTreeMap::new(),
            });
            let house = Arc::downgrade(self);
            let room = name.to_owned();
            Presence::builder(|viewer| match Guest::of(viewer.tenant) {
                Guest::Person { name, .. } => Some(name.to_owned()),
                Guest::Spectator { .. } | Guest::Admin => None,
            })
            .at_first(Seat { typing: false })
            .time_to_live(TYPING)
            .on_change(move |presence| {
                if let Some(house) = house.upgrade() {
                    house.seat(&room, presence);
                }
            })
            .over(&board);
            board
        });
        board.clone()
    }

    /// Somebody came in, or has left, or types.
    fn seat(&self, room: &str, presence: &Presence<Seat>) {
        let board = self.rooms.lock().get(room).cloned();
        let (Some(board), Some(desk)) = (board, self.desk.get()) else {
            return;
        };
        // Whoever comes last to this lock sees who is there last.
        let mut board = board.write();
        let people: BTreeSet<_> = presence.all().into_iter().map(|seat| seat.who).collect();
        if board.people != people {
            board.people.clone_from(&people);
            desk.write().people.insert(room.to_owned(), people);
        }
    }

    /// Somebody came in who was not there.
    fn visited(&self, tenant: &Tenant) {
        let Guest::Person { room, name } = Guest::of(tenant) else {
            return;
        };
        let board = self.rooms.lock().get(room).cloned();
        if let (Some(board), Some(desk)) = (board, self.desk.get()) {
            *board.write().visitors.entry(name.to_owned()).or_default() += 1;
            desk.write().visits += 1;
        }
    }
}

/// What the query of the URL says.
fn given<'a>(peer: &'a Peer, name: &str) -> Option<Cow<'a, str>> {
    let query = peer.request.as_ref()?.uri.query()?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

fn is_word(text: &str) -> bool {
    (1..=20).contains(&text.chars().count()) && text.chars().all(char::is_alphanumeric)
}
