//! Random tenants, subscriptions, rights, writes and reconnects: each mirror is what its rights allow, and no byte that
//! is sent says more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use proptest::prelude::*;
use transports::hub::{Authorizer, FIRST_SHARED, Mode, Shared, Sharing, Tenant, Viewer};
use transports::message::ModelId;
use transports::server::{Connection, Opening, Peer, Refusal};
use transports::session::{Frame, Hosted};
use transports::{Hub, Mirrors, Server, Value};

use super::{doc, key};

const TENANTS: usize = 3;
const MODELS: usize = 3;
const CLIENTS: usize = 6;

#[derive(Clone, Debug)]
enum Step {
    Subscribe(usize, usize, bool),
    Unsubscribe(usize, usize),
    Hide(usize, usize, bool),
    WriteOwn(usize),
    WriteShared(usize),
    /// Several revisions, so that more waits than is taken at once.
    Burst(usize),
    Edit(usize, usize),
    Sync,
    Take(usize, usize),
    Reconnect(usize),
    Evict,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..TENANTS, 0..MODELS, any::<bool>()).prop_map(|(t, m, w)| Step::Subscribe(t, m, w)),
        2 => (0..TENANTS, 0..MODELS).prop_map(|(t, m)| Step::Unsubscribe(t, m)),
        2 => (0..CLIENTS, 0..MODELS, any::<bool>()).prop_map(|(c, m, h)| Step::Hide(c, m, h)),
        2 => (0..TENANTS).prop_map(Step::WriteOwn),
        4 => (0..MODELS).prop_map(Step::WriteShared),
        3 => (0..MODELS).prop_map(Step::Burst),
        4 => (0..CLIENTS, 0..MODELS).prop_map(|(c, m)| Step::Edit(c, m)),
        3 => Just(Step::Sync),
        4 => (0..CLIENTS, 1..4_usize).prop_map(|(c, n)| Step::Take(c, n)),
        1 => (0..CLIENTS).prop_map(Step::Reconnect),
        1 => Just(Step::Evict),
    ]
}

/// Who may not see what, whatever the tenant may.
#[derive(Clone, Default)]
struct Hidden(Arc<Mutex<BTreeSet<(usize, ModelId)>>>);

#[derive(Clone, Copy)]
struct Number(usize);

impl Authorizer for Hidden {
    fn connect(&self, _: &Viewer<'_>) -> Result<Option<SystemTime>, Refusal> {
        Ok(None)
    }

    fn subscribe(&self, viewer: &Viewer<'_>, id: ModelId, mode: Mode) -> Option<Mode> {
        let Number(client) = *viewer.peer.get().expect("it was given");
        (!self.0.lock().contains(&(client, id))).then_some(mode)
    }
}

struct World {
    hub: Hub,
    server: Server,
    hidden: Hidden,
    own: BTreeMap<usize, Hosted<Value>>,
    shared: Vec<Shared<Value>>,
    clients: Vec<Client>,
    written: usize,
}

struct Client {
    connection: Connection,
    mirrors: Mirrors,
}

fn tenant_of(client: usize) -> usize {
    client % TENANTS
}

impl World {
    fn new() -> Self {
        let hidden = Hidden::default();
        let hub = Hub::builder(key).authorizer(hidden.clone()).build();
        let share = |m| {
            hub.share_with(doc(&format!("S{m}-0")), Sharing::named("Board"))
                .unwrap()
        };
        let shared = (0..MODELS).map(share).collect();
        let mut this = Self {
            server: Server::new(hub.clone()),
            hub,
            hidden,
            own: BTreeMap::new(),
            shared,
            clients: Vec::new(),
            written: 0,
        };
        for client in 0..CLIENTS {
            this.own(tenant_of(client));
            let mirrors = Mirrors::default();
            let connection = this.open(client, &mirrors);
            this.clients.push(Client {
                connection,
                mirrors,
            });
        }
        this
    }

    fn open(&self, client: usize, mirrors: &Mirrors) -> Connection {
        let peer = Peer::default()
            .with(Tenant::new(name(tenant_of(client))))
            .with(Number(client));
        let opening = Opening::parse(&mirrors.query()).unwrap();
        self.server.open_for(&opening, peer).unwrap()
    }

    fn own(&mut self, tenant: usize) -> Hosted<Value> {
        let hub = &self.hub;
        let own = self.own.entry(tenant).or_insert_with(|| {
            let session = hub.tenant(name(tenant));
            session.host_named("Own", doc(&format!("P{tenant}-0")))
        });
        own.clone()
    }

    fn may_see(&self, client: usize, model: usize) -> bool {
        let id = self.shared[model].id();
        let subscribed = self.hub.subscription(name(tenant_of(client)), id).is_some();
        subscribed && !self.hidden.0.lock().contains(&(client, id))
    }

    fn play(&mut self, step: Step) {
        self.written += 1;
        let n = self.written;
        match step {
            Step::Subscribe(tenant, model, write) => {
                let mode = if write { Mode::Write } else { Mode::Read };
                self.hub
                    .subscribe(name(tenant), FIRST_SHARED + model as u64, mode);
            }
            Step::Unsubscribe(tenant, model) => {
                self.hub
                    .unsubscribe(name(tenant), FIRST_SHARED + model as u64);
            }
            Step::Hide(client, model, hide) => {
                let pair = (client, FIRST_SHARED + model as u64);
                if hide {
                    self.hidden.0.lock().insert(pair);
                } else {
                    self.hidden.0.lock().remove(&pair);
                }
                self.hub.reauthorize(|viewer| {
                    viewer.peer.get::<Number>().is_some_and(|n| n.0 == client)
                });
            }
            Step::WriteOwn(tenant) => *self.own(tenant).write() = doc(&format!("P{tenant}-{n}")),
            Step::WriteShared(model) => *self.shared[model].write() = doc(&format!("S{model}-{n}")),
            Step::Burst(model) => {
                for part in 0..4 {
                    *self.shared[model].write() = doc(&format!("S{model}-{n}.{part}"));
                    let _ = self.hub.sync();
                }
            }
            Step::Edit(client, model) => self.edit(client, model, n),
            Step::Sync => drop(self.hub.sync()),
            Step::Take(client, frames) => self.take(client, frames),
            Step::Reconnect(client) => {
                self.clients[client].mirrors.disconnect();
                let connection = self.open(client, &self.clients[client].mirrors);
                self.clients[client].connection = connection;
            }
            Step::Evict => {
                for client in &mut self.clients {
                    client.mirrors.disconnect();
                    client.connection.end(transports::server::Ended::Left);
                }
                // Nobody is there for a moment: tenants, subscriptions and models go.
                let idle = Server::new(super::hub());
                for client in 0..CLIENTS {
                    let peer = Peer::default().with(Tenant::new("elsewhere"));
                    self.clients[client].connection =
                        idle.open_for(&Opening::default(), peer).unwrap();
                }
                let gone = self
                    .hub
                    .expire(SystemTime::UNIX_EPOCH, std::time::Duration::ZERO);
                assert_eq!(gone.len(), TENANTS);
                self.own.clear();
                for tenant in 0..TENANTS {
                    self.own(tenant);
                }
                for client in 0..CLIENTS {
                    self.clients[client].connection =
                        self.open(client, &self.clients[client].mirrors);
                }
            }
        }
    }

    fn edit(&mut self, client: usize, model: usize, n: usize) {
        let id = self.shared[model].id();
        let frame = super::set(id, "text", &format!("S{model}-{n}"), 0);
        let may = self.hub.subscription(name(tenant_of(client)), id) == Some(Mode::Write)
            && self.may_see(client, model);
        let before = self.shared[model].value();
        let connection = &mut self.clients[client].connection;
        connection.receive(&frame).unwrap();
        let (_, after) = self.shared[model].value();
        if may {
            assert_eq!(after, doc(&format!("S{model}-{n}")));
        } else {
            assert_eq!(after, before.1, "who may not write does not");
        }
    }

    fn take(&mut self, client: usize, frames: usize) {
        for _ in 0..frames {
            let Some(frame) = self.clients[client].connection.try_next() else {
                return;
            };
            self.look(client, &frame);
            self.clients[client].mirrors.receive(&frame.bytes).unwrap();
        }
    }

    /// What is sent says nothing that the client may not know now.
    fn look(&self, client: usize, frame: &Frame) {
        let text = std::str::from_utf8(&frame.bytes).unwrap();
        for model in 0..MODELS {
            let says = text.contains(&format!("S{model}-"));
            assert!(
                !says || self.may_see(client, model),
                "{client} is sent {text}"
            );
        }
        for tenant in (0..TENANTS).filter(|tenant| *tenant != tenant_of(client)) {
            assert!(
                !text.contains(&format!("P{tenant}-")),
                "{client} is sent {text}"
            );
        }
    }

    fn settle(&mut self) {
        let _ = self.hub.sync();
        for client in 0..CLIENTS {
            self.take(client, usize::MAX);
            let held = |id| {
                self.clients[client]
                    .mirrors
                    .get(id)
                    .and_then(|mirror| mirror.get())
            };
            let own = self.own[&tenant_of(client)].read();
            assert_eq!(held(1), Some(&*own), "{client}");
            for model in 0..MODELS {
                let (_, value) = self.shared[model].value();
                let visible = self.may_see(client, model).then_some(&value);
                assert_eq!(held(self.shared[model].id()), visible, "{client}, {model}");
            }
        }
    }
}

fn name(tenant: usize) -> String {
    format!("tenant {tenant}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn mirrors_are_what_their_rights_allow(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in steps {
            world.play(step);
        }
        world.settle();
    }
}
