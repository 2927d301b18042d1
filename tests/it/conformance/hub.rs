//! `hub.json`: scripts of a host and the clients of several tenants, played on one hub.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use transports::hub::{Mode, Shared, Sharing, Tenant};
use transports::message::ModelId;
use transports::server::{Opening, Peer as Who};
use transports::{Hub, Server, Value};

use super::findings::{Findings, check};
use super::models::{self, Host};
use super::server::peer::Peer;
use super::server::sent;
use super::{merge, vectors, wire};

#[test]
fn scripts() {
    check("hub.json", None, |case, findings| {
        Stage::new().play(case, findings);
    });
}

struct Stage {
    hub: Hub,
    server: Server,
    hosts: BTreeMap<(String, ModelId), Box<dyn Host>>,
    shared: BTreeMap<ModelId, Shared<Value>>,
    peers: BTreeMap<String, Peer>,
    tenants: BTreeMap<String, String>,
    /// What the hub calls the connections.
    names: BTreeMap<String, String>,
}

impl Stage {
    fn new() -> Self {
        let hub = Hub::new(|peer: &Who| Ok(peer.get::<Tenant>().expect("it was given").clone()));
        Self {
            server: Server::new(hub.clone()),
            hub,
            hosts: BTreeMap::new(),
            shared: BTreeMap::new(),
            peers: BTreeMap::new(),
            tenants: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    fn play(mut self, case: &Json, findings: &mut Findings) {
        for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            if vectors::needs(step).is_some() {
                continue;
            }
            findings.step(number, step);
            self.act(step, findings);
            if step["out"].is_object() {
                self.expect(step, findings);
            }
        }
        findings.end();
        for (name, expected) in case["mirrors"].as_object().unwrap() {
            let held = self.peers[name].held();
            findings.same(&format!("mirrors of {name}"), expected, &held);
        }
    }

    fn act(&mut self, step: &Json, findings: &mut Findings) {
        let tenant = step["tenant"].as_str().unwrap_or_default();
        let id = step["id"].as_u64().unwrap_or_default();
        match step["do"].as_str().unwrap() {
            "host" => {
                let type_name = step["type"].as_str().unwrap();
                let session = self.hub.tenant(tenant);
                let host = models::host(&session, type_name, &step["fields"]).unwrap();
                findings.same("id", &step["id"], &json!(host.id()));
                self.hosts.insert((tenant.to_owned(), id), host);
            }
            "share" => self.share(step, findings),
            "subscribe" => {
                let mode = match step["mode"].as_str().unwrap() {
                    "read" => Mode::Read,
                    _ => Mode::Write,
                };
                assert!(self.hub.subscribe(tenant, id, mode));
            }
            "set" => self.hosts[&(tenant.to_owned(), id)].assign(&step["fields"]),
            "set_shared" => {
                let value = wire::value(&step["value"]);
                self.shared[&id].propose(value).unwrap();
            }
            "check_shared" => self.check(&self.shared[&id], &step["expect"], findings),
            "flush" => drop(self.hub.sync()),
            "open" => {
                let conn = step["conn"].as_str().unwrap();
                self.tenants.insert(conn.to_owned(), tenant.to_owned());
                let opening = Opening::parse(&wire::query(step)).unwrap();
                let who = Who::default().with(Tenant::new(tenant));
                let connection = self.server.open_for(&opening, who).unwrap();
                self.peer(step).open(connection, &step["since"]);
            }
            "close" => self.peer(step).close(),
            "recv" => {
                let received = self.peer(step).send(&wire::frame(step));
                if let Err(error) = received {
                    findings.differs(error);
                }
            }
            other => findings.broken(format_args!("no step `{other}`")),
        }
    }

    fn share(&mut self, step: &Json, findings: &mut Findings) {
        let strategy = merge::strategy(step["merge"].as_str().unwrap());
        let mut sharing = Sharing::named(step["type"].as_str().unwrap()).merge_boxed(strategy);
        if let Some(revision) = step["rev"].as_u64() {
            sharing = sharing.restored(revision, step["merge_state"].clone());
        }
        let value = wire::value(&step["value"]);
        let shared = self.hub.share_with(value, sharing).unwrap();
        findings.same("id", &step["id"], &json!(shared.id()));
        self.shared.insert(shared.id(), shared);
    }

    fn check(&self, shared: &Shared<Value>, expected: &Json, findings: &mut Findings) {
        let (rev, value) = shared.value();
        findings.same("rev", &expected["rev"], &json!(rev));
        findings.same("value", &expected["value"], &wire::tagged(&value));
        if !expected["merge_state"].is_null() {
            let expected = merge::sorted(&expected["merge_state"]);
            findings.same("state", &expected, &merge::sorted(&shared.merge_state()));
        }
    }

    fn peer(&mut self, step: &Json) -> &mut Peer {
        let name = step["conn"].as_str().unwrap();
        self.peers.entry(name.to_owned()).or_default()
    }

    fn expect(&mut self, step: &Json, findings: &mut Findings) {
        for (name, peer) in &mut self.peers {
            let frames = peer.frames();
            let mut expected = step["out"][name].as_array().cloned().unwrap_or_default();
            for (expected, frame) in expected.iter_mut().zip(&frames) {
                let got = wire::data(&peer.codec().decode(&frame.bytes).unwrap());
                let told = expected["msg"]["peer"].as_str().map(str::to_owned);
                if let Some((told, got)) = told.zip(got["peer"].as_str()) {
                    let known = self.names.entry(told).or_insert_with(|| got.to_owned());
                    assert!(got.len() == 32 && got.bytes().all(|byte| byte.is_ascii_hexdigit()));
                    expected["msg"]["peer"] = json!(known);
                }
            }
            // Published hubs tell strangers that there is such a model, and how often it was changed.
            for message in expected.iter_mut().map(|frame| &mut frame["msg"]) {
                let id = message["id"].as_u64().unwrap_or_default();
                let subscription = self.hub.subscription(self.tenants[name].as_str(), id);
                if message["t"] == "reject"
                    && self.shared.contains_key(&id)
                    && subscription.is_none()
                {
                    message["rev"] = json!(0);
                }
            }
            sent::compare(&expected, &frames, peer, name, findings);
        }
    }
}
