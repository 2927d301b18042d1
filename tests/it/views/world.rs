//! Random tenants, subscriptions, views, writes, edits and reconnects: each mirror is what its rights allow, in every
//! codec, and no byte that is sent holds what is hidden.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use proptest::prelude::*;
use transports::hub::{Authorizer, FIRST_SHARED, Mode, Shared, Tenant, Viewer};
use transports::message::{Message, ModelId};
use transports::server::{Connection, Opening, Peer, Refusal};
use transports::session::{Frame, Hosted};
use transports::{
    Codec, Hub, Mirror, Mirrors, Op, Patch, Path, Server, Session, Value, Views, Writer,
};

use super::plan::{Extra, Note, Plan, Row, State, Tagged, seen};

const TENANTS: usize = 2;
const MODELS: usize = 2;
const CLIENTS: usize = 6;
const VIEWS: [&[&str]; 4] = [&[], &["staff"], &["admin"], &["admin", "staff"]];

#[derive(Clone, Debug)]
enum Step {
    Subscribe(usize, usize, bool),
    Unsubscribe(usize, usize),
    /// A client has other views of one of its models, the first of which is its tenant's own.
    Rights(usize, usize, usize),
    Write(usize, u8),
    /// Several revisions, so that more waits than is taken at once.
    Burst(usize, u8),
    Edit(usize, usize, u8),
    Sync,
    Take(usize, usize),
    Reconnect(usize),
    /// As somebody who has no epoch, or nothing at all.
    Afresh(usize),
}

fn step() -> impl Strategy<Value = Step> {
    // The models of the tenants, and then those that are shared.
    let model = || 0..TENANTS + MODELS;
    prop_oneof![
        2 => (0..TENANTS, 0..MODELS, any::<bool>()).prop_map(|(t, m, w)| Step::Subscribe(t, m, w)),
        1 => (0..TENANTS, 0..MODELS).prop_map(|(t, m)| Step::Unsubscribe(t, m)),
        3 => (0..CLIENTS, 0..=MODELS, 0..VIEWS.len()).prop_map(|(c, m, v)| Step::Rights(c, m, v)),
        8 => (model(), any::<u8>()).prop_map(|(m, kind)| Step::Write(m, kind)),
        3 => (model(), any::<u8>()).prop_map(|(m, kind)| Step::Burst(m, kind)),
        4 => (0..CLIENTS, 0..=MODELS, any::<u8>()).prop_map(|(c, m, kind)| Step::Edit(c, m, kind)),
        3 => Just(Step::Sync),
        5 => (0..CLIENTS, 1..4_usize).prop_map(|(c, n)| Step::Take(c, n)),
        2 => (0..CLIENTS).prop_map(Step::Reconnect),
        1 => (0..CLIENTS).prop_map(Step::Afresh),
    ]
}

/// Which views clients have, by the id of the model; of the tenant's own it is 0.
#[derive(Clone, Default)]
struct Rights(Arc<Mutex<BTreeMap<(usize, ModelId), usize>>>);

#[derive(Clone, Copy)]
struct Number(usize);

impl Rights {
    fn of(&self, client: usize, id: ModelId) -> &'static [&'static str] {
        let rights = self.0.lock();
        VIEWS[rights.get(&(client, id)).copied().unwrap_or_default()]
    }
}

impl Authorizer for Rights {
    fn connect(&self, _: &Viewer<'_>) -> Result<Option<SystemTime>, Refusal> {
        Ok(None)
    }

    fn views(&self, viewer: &Viewer<'_>, id: Option<ModelId>) -> Views {
        let Number(client) = *viewer.peer.get().expect("it was given");
        self.of(client, id.unwrap_or_default())
            .iter()
            .copied()
            .collect()
    }
}

struct World {
    hub: Hub,
    server: Server,
    rights: Rights,
    own: Vec<Hosted<Plan>>,
    shared: Vec<Shared<Plan>>,
    clients: Vec<Client>,
    written: usize,
}

struct Client {
    number: usize,
    codec: Codec,
    knows_epochs: bool,
    options: &'static str,
    connection: Option<Connection>,
    mirrors: Mirrors,
    typed: BTreeMap<ModelId, Mirror<Plan>>,
}

impl Client {
    fn new(number: usize) -> Self {
        let codec = [Codec::Json, Codec::MessagePack, Codec::Cbor][number % 3].clone();
        Self {
            number,
            mirrors: Mirrors::new(codec.clone()),
            codec,
            knows_epochs: number < 4,
            options: ["", "&batch=1", "&ops=splice", "&batch=1&ops=splice"][number % 4],
            connection: None,
            typed: BTreeMap::new(),
        }
    }

    fn tenant(&self) -> usize {
        self.number % TENANTS
    }

    fn open(&mut self, server: &Server) {
        self.connection = None;
        self.mirrors.disconnect();
        let query = self.mirrors.query().replace("&ops=splice%2Cstamp", "");
        let published = query.split("&epoch=").next().unwrap_or_default();
        let query = if self.knows_epochs { &query } else { published };
        let opening = Opening::parse(&format!("{query}{}", self.options)).unwrap();
        let peer = Peer::default()
            .with(Tenant::new(name(self.tenant())))
            .with(Number(self.number));
        self.connection = Some(server.open_for(&opening, peer).unwrap());
    }

    fn receive(&mut self, frame: &Frame) {
        self.mirrors.receive(&frame.bytes).unwrap();
        self.receive_typed(self.codec.decode(&frame.bytes).unwrap());
    }

    fn receive_typed(&mut self, message: Message) {
        let id = match &message {
            Message::Batch { msgs } => {
                let msgs = msgs.clone();
                return msgs
                    .into_iter()
                    .for_each(|message| self.receive_typed(message));
            }
            Message::Snapshot { id, .. } | Message::Patch { id, .. } => *id,
            Message::Gone { id } => {
                self.typed.remove(id);
                return;
            }
            _ => return,
        };
        let typed = self.typed.entry(id).or_insert_with(|| Mirror::new(id));
        typed.receive(message).unwrap();
    }
}

fn name(tenant: usize) -> String {
    format!("tenant {tenant}")
}

impl World {
    fn new() -> Self {
        let rights = Rights::default();
        let hub = Hub::builder(super::super::hub::key)
            .authorizer(rights.clone())
            .sessions(Session::builder().history(12))
            .build();
        let own = (0..TENANTS).map(|tenant| hub.tenant(name(tenant)).host(Plan::default()));
        let own = own.collect();
        let shared = (0..MODELS).map(|_| hub.share(Plan::default())).collect();
        let server = Server::builder(hub.clone())
            .limits(|limits| limits.queued_events = 6)
            .build();
        let mut this = Self {
            hub,
            server,
            rights,
            own,
            shared,
            clients: (0..CLIENTS).map(Client::new).collect(),
            written: 0,
        };
        for client in &mut this.clients {
            client.open(&this.server);
        }
        this
    }

    fn model(&self, model: usize) -> &Hosted<Plan> {
        match model.checked_sub(TENANTS) {
            None => &self.own[model],
            Some(shared) => &self.shared[shared],
        }
    }

    fn play(&mut self, step: Step) {
        self.written += 1;
        let n = self.written;
        match step {
            Step::Subscribe(tenant, model, write) => {
                let mode = if write { Mode::Write } else { Mode::Read };
                let id = self.shared[model].id();
                assert!(self.hub.subscribe(name(tenant), id, mode));
            }
            Step::Unsubscribe(tenant, model) => {
                let id = self.shared[model].id();
                self.hub.unsubscribe(name(tenant), id);
            }
            Step::Rights(client, model, views) => {
                let id = match model.checked_sub(1) {
                    None => 0,
                    Some(model) => self.shared[model].id(),
                };
                self.rights.0.lock().insert((client, id), views);
                self.hub.reauthorize(|viewer| {
                    viewer.peer.get::<Number>().is_some_and(|n| n.0 == client)
                });
            }
            Step::Write(model, kind) => write(&mut self.model(model).write(), kind, n),
            Step::Burst(model, kind) => {
                for part in 0..8 {
                    write(&mut self.model(model).write(), kind.wrapping_add(part), n);
                    let _ = self.hub.sync();
                }
            }
            Step::Edit(client, model, kind) => self.edit(client, model, kind, n),
            Step::Sync => drop(self.hub.sync()),
            Step::Take(client, frames) => self.take(client, frames),
            Step::Reconnect(client) => self.clients[client].open(&self.server),
            Step::Afresh(client) => {
                self.clients[client] = Client::new(client);
                self.clients[client].open(&self.server);
            }
        }
    }

    /// What a client does, by what its own mirror says. Texts of its own are no secrets.
    fn edit(&mut self, client: usize, model: usize, kind: u8, n: usize) {
        let id = match model.checked_sub(1) {
            None => 1,
            Some(model) => self.shared[model].id(),
        };
        let client = &mut self.clients[client];
        let held = client.mirrors.get(id).and_then(Mirror::get);
        let row = || held.and_then(|plan| Some(plan.get("maybe")?.clone()));
        let path = |steps: &[&str]| -> Path { steps.iter().map(|step| (*step).into()).collect() };
        let set = |steps: &[&str], value: Value| Op::Set {
            path: path(steps),
            value,
        };
        let ops = match kind % 9 {
            0 => vec![set(&["title"], format!("by a client {n}").into())],
            1 => vec![set(&["cost"], Value::Null)],
            2 => vec![set(&["maybe"], row().unwrap_or_default())],
            3 => vec![Op::Insert {
                path: path(&["rows"]),
                index: 0,
                value: Value::from_iter([("id", 5.into()), ("open", Value::from("new"))]),
            }],
            4 => vec![Op::RemoveAt {
                path: path(&["looked_ahead"]),
                index: 0,
            }],
            5 => held
                .and_then(|plan| plan.get("rows"))
                .map_or_else(Vec::new, |rows| vec![set(&["rows"], rows.clone())]),
            6 => held.map_or_else(Vec::new, |plan| vec![set(&[], plan.clone())]),
            7 => vec![set(&["shared"], row().unwrap_or_default())],
            _ => vec![set(&["nonsense"], Value::Null)],
        };
        let message = Message::Patch {
            id,
            patch: Patch { rev: 0, ops },
            proposal: Some(format!("edit {n}")),
            base: None,
        };
        let frame = Frame {
            bytes: client.codec.encode(&message).unwrap(),
            is_text: client.codec.is_text(),
        };
        let connection = client.connection.as_mut().unwrap();
        connection.receive(&frame).unwrap();
    }

    /// What the client may see of the model of this id, if anything.
    fn views(&self, client: usize, id: ModelId) -> Option<&'static [&'static str]> {
        if id < FIRST_SHARED {
            return Some(self.rights.of(client, 0));
        }
        let tenant = name(self.clients[client].tenant());
        self.hub.subscription(tenant, id)?;
        Some(self.rights.of(client, id))
    }

    fn take(&mut self, client: usize, frames: usize) {
        for _ in 0..frames {
            let connection = self.clients[client].connection.as_mut().unwrap();
            let Some(frame) = connection.try_next() else {
                return;
            };
            let message = self.clients[client].codec.decode(&frame.bytes).unwrap();
            self.look(client, &message, &frame);
            self.clients[client].receive(&frame);
        }
    }

    /// What is sent says nothing that the client may not know now.
    fn look(&self, client: usize, message: &Message, frame: &Frame) {
        let id = match message {
            Message::Batch { msgs } => {
                return msgs
                    .iter()
                    .for_each(|message| self.look(client, message, frame));
            }
            Message::Snapshot { id, .. }
            | Message::Patch { id, .. }
            | Message::Ack { id, .. }
            | Message::Reject { id, .. }
            | Message::Gone { id } => *id,
            other => panic!("{other:?}"),
        };
        let views = self.views(client, id).unwrap_or_default();
        for (view, secret) in [("staff", "STAFF"), ("admin", "ADMIN")] {
            let says = frame
                .bytes
                .windows(secret.len())
                .any(|bytes| bytes == secret.as_bytes());
            assert!(
                !says || views.contains(&view),
                "{client} has {views:?} of {id} and is sent {message:?}"
            );
        }
    }

    fn settle(&mut self) {
        let _ = self.hub.sync();
        for client in 0..CLIENTS {
            self.take(client, usize::MAX);
            let own = self.own[self.clients[client].tenant()].clone();
            let shared: Vec<_> = self
                .shared
                .iter()
                .map(|shared| (**shared).clone())
                .collect();
            for model in std::iter::once(own).chain(shared) {
                let id = model.id();
                let Some(views) = self.views(client, id) else {
                    // Only who asked is told so.
                    let Client { mirrors, .. } = &self.clients[client];
                    assert!(!self.clients[client].knows_epochs || mirrors.get(id).is_none());
                    continue;
                };
                let whole = Writer::to_value(|out| {
                    transports::Synced::write(&*model.read(), None, out);
                });
                let expected = seen(&whole, views);
                let Client { mirrors, typed, .. } = &self.clients[client];
                assert_eq!(
                    mirrors.get(id).and_then(Mirror::get),
                    Some(&expected),
                    "{client} of {id} with {views:?}"
                );
                let typed = typed.get(&id).and_then(Mirror::get).unwrap();
                let typed = Writer::to_value(|out| transports::Synced::write(typed, None, out));
                assert_eq!(seen(&typed, views), expected, "{client} of {id}, typed");
            }
        }
    }
}

fn row(n: usize) -> Row {
    let inner = Row {
        open: format!("ADMIN {n}"),
        ..Row::new(0, &format!("STAFF ADMIN {n}"))
    };
    Row {
        deep: n.is_multiple_of(2).then(|| Box::new(inner)),
        ..Row::new(n as i64, &format!("STAFF {n}"))
    }
}

fn rows(n: usize, len: usize) -> Vec<Row> {
    (n..n + len).map(row).collect()
}

/// Something happens to a plan. What only some see says so.
fn write(plan: &mut Plan, kind: u8, n: usize) {
    let staff = format!("STAFF {n}");
    let admin = format!("ADMIN {n}");
    match kind % 33 {
        0 => plan.title = format!("title {n}"),
        1 => plan.cost = staff,
        2 => plan.notes.push(Note {
            says: staff,
            about: format!("STAFF ADMIN {n}"),
        }),
        3 => {
            if let Some(note) = plan.notes.last_mut() {
                note.about = format!("STAFF ADMIN {n}");
            }
            plan.notes.push(Note::default());
        }
        4 => plan.notes.clear(),
        5 => plan.text.push_str(&admin),
        6 => plan.text = admin.into(),
        7 => plan.rows.push(row(n)),
        8 => {
            if let Some(row) = plan.rows.first_mut() {
                row.secret = staff;
            }
        }
        9 => {
            if let Some(row) = plan.rows.last_mut() {
                row.open = format!("open {n}");
                row.deep = None;
            }
            plan.rows.insert(0, row(n));
        }
        10 => plan.rows = rows(n, 3).into(),
        11 => {
            plan.rows.extend(rows(n, 60));
            for row in plan.rows.iter_mut() {
                row.id += 7;
            }
        }
        12 => {
            // Hidden and seen changes of so many items that the list is told as a whole.
            for row in plan.rows.iter_mut() {
                row.open = String::new();
                row.id += 1000;
                row.secret = staff.clone();
            }
        }
        13 => plan.rows.truncate(2),
        14 => plan.rows.reverse(),
        15 => plan.keyed = rows(n, 4),
        16 => {
            let first = plan.keyed.len().min(1);
            plan.keyed.rotate_left(first);
        }
        17 => {
            for row in &mut plan.keyed {
                row.secret = staff.clone();
            }
        }
        18 => plan.looked_ahead.insert(0, row(n)),
        19 => {
            if plan.looked_ahead.len() > 1 {
                plan.looked_ahead.remove(1);
            }
            for row in &mut plan.looked_ahead {
                row.deep = Some(Box::new(Row {
                    open: admin.clone(),
                    ..Row::default()
                }));
            }
        }
        20 => drop(plan.by_name.insert(format!("k{}", n % 4), row(n))),
        21 => {
            for row in plan.by_name.values_mut() {
                row.secret = staff.clone();
            }
        }
        22 => drop(plan.by_name.remove("k1")),
        23 => drop(plan.in_order.insert((n % 3) as u8, row(n))),
        24 => drop(plan.in_order.pop_first()),
        25 => plan.pair.0 = row(n),
        26 => plan.shared = Arc::new(row(n)),
        27 => plan.maybe = plan.maybe.is_none().then(|| row(n)),
        28 => {
            plan.state = State::Busy {
                with: n as i64,
                worker: staff,
            }
        }
        29 => {
            if let State::Busy { worker, .. } = &mut plan.state {
                *worker = staff;
            }
            plan.extra.supplier = admin;
        }
        30 => plan.tagged = Tagged::Rows(rows(n, 2)),
        31 => {
            if let Tagged::Rows(rows) = &mut plan.tagged {
                rows.push(row(n));
            }
        }
        _ => {
            plan.extra = Extra {
                colour: n as i64,
                supplier: admin,
            };
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn mirrors_are_what_their_views_show(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in steps {
            world.play(step);
        }
        world.settle();
    }
}
