//! `server.json`: scripts of a host and its clients, played on one server.

pub(super) mod peer;
pub(super) mod sent;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use transports::message::ModelId;
use transports::server::Opening;
use transports::{Codec, Server, Session};

use self::peer::Peer;
use super::findings::{Findings, check};
use super::models::{self, Host};
use super::{vectors, wire};

#[test]
fn typed_models() {
    check("server.json", None, |case, findings| {
        Stage::new(case, Types::Derived).play(case, findings);
    });
}

/// The same scripts with models whose shape nobody declared, where no rule of a type has a part.
#[test]
fn dynamic_models() {
    check("server.json", None, |case, findings| {
        if !is_literal(case) {
            return findings.skip("its types matter");
        }
        Stage::new(case, Types::Dynamic).play(case, findings);
    });
}

/// Whether models without a type behave as typed ones: nothing is rejected or becomes something else.
fn is_literal(case: &Json) -> bool {
    let steps = || case["steps"].as_array().unwrap().iter();
    let rejects = || {
        let sent = steps().filter_map(|step| step["out"].as_object());
        let frames = sent.flat_map(|out| out.values().filter_map(Json::as_array).flatten());
        frames.map(|frame| &frame["msg"]["t"])
    };
    !vectors::is_loose(case)
        && !steps().any(vectors::is_loose)
        && !rejects().any(|kind| kind == "reject")
        && steps()
            .filter_map(|step| step["type"].as_str())
            .all(models::is_literal)
}

#[derive(Clone, Copy)]
enum Types {
    Derived,
    Dynamic,
}

/// A server, what it hosts, and all clients that it ever had.
struct Stage {
    types: Types,
    session: Session,
    server: Server,
    hosts: BTreeMap<ModelId, Box<dyn Host>>,
    peers: BTreeMap<String, Peer>,
}

impl Stage {
    fn new(case: &Json, types: Types) -> Self {
        let mut session = Session::builder();
        if let Some(patches) = case["log_cap"].as_u64() {
            session = session.history(patches.try_into().unwrap());
        }
        let session = session.build();
        let codec = case["default_codec"]
            .as_str()
            .map_or(Codec::Json, wire::codec);
        Self {
            types,
            server: Server::builder(session.clone())
                .default_codec(codec)
                .build(),
            session,
            hosts: BTreeMap::new(),
            peers: BTreeMap::new(),
        }
    }

    fn play(mut self, case: &Json, findings: &mut Findings) {
        for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            if vectors::needs(step).is_some() {
                continue;
            }
            findings.step(number, step);
            self.act(step, findings);
            if step["do"] != "host" {
                self.expect(step, findings);
            }
        }
        findings.end();
        self.compare_mirrors(&case["mirrors"], findings);
        self.converge(findings);
    }

    fn act(&mut self, step: &Json, findings: &mut Findings) {
        match step["do"].as_str().unwrap() {
            "host" => self.host(step, findings),
            "set" => self.hosts[&id(step)].assign(&step["fields"]),
            "flush" => self.flush(findings),
            "count" => self.count(step, findings),
            "open" => self.open(step, findings),
            "close" => self.peer(step).close(),
            "recv" => self.receive(step, findings),
            other => findings.broken(format_args!("no step `{other}`")),
        }
    }

    fn host(&mut self, step: &Json, findings: &mut Findings) {
        let type_name = step["type"].as_str().unwrap();
        let fields = &step["fields"];
        let host = match self.types {
            Types::Dynamic => models::host_dynamic(&self.session, type_name, fields),
            Types::Derived => models::host(&self.session, type_name, fields)
                .unwrap_or_else(|| panic!("no type `{type_name}`")),
        };
        findings.same("id", &step["id"], &json!(host.id()));
        self.hosts.insert(host.id(), host);
    }

    fn flush(&self, findings: &mut Findings) {
        let report = self.session.sync();
        if !report.faults.is_empty() {
            findings.broken(format_args!("faults: {:?}", report.faults));
        }
    }

    fn count(&self, step: &Json, findings: &mut Findings) {
        let field = step["field"].as_str().unwrap();
        for number in 1..=step["to"].as_i64().unwrap() {
            self.hosts[&id(step)].assign(&json!({ field: number }));
            self.flush(findings);
        }
    }

    fn open(&mut self, step: &Json, findings: &mut Findings) {
        let opened =
            Opening::parse(&wire::query(step)).and_then(|opening| self.server.open(&opening));
        match opened {
            Ok(connection) => self.peer(step).open(connection, &step["since"]),
            Err(error) => findings.differs(format_args!("cannot open: {error}")),
        }
    }

    fn receive(&mut self, step: &Json, findings: &mut Findings) {
        let received = self.peer(step).send(&wire::frame(step));
        match (received, step["raises"] == true) {
            (Err(error), false) => findings.differs(error),
            (Ok(()), true) => findings.differs("the frame is taken"),
            _ => {}
        }
    }

    fn peer(&mut self, step: &Json) -> &mut Peer {
        let name = step["conn"].as_str().unwrap();
        self.peers.entry(name.to_owned()).or_default()
    }

    /// Compares what each client is sent with what the step says.
    fn expect(&mut self, step: &Json, findings: &mut Findings) {
        let nothing = Vec::new();
        for (name, peer) in &mut self.peers {
            let frames = peer.frames();
            if step["conn"] == name.as_str() && step["out_summary"].is_object() {
                sent::compare_summary(&step["out_summary"], &frames, peer, name, findings);
                continue;
            }
            let expected = step["out"][name].as_array().unwrap_or(&nothing);
            sent::compare(expected, &frames, peer, name, findings);
        }
    }

    /// Compares what clients hold. The vectors leave out those that were opened with revisions they never had.
    fn compare_mirrors(&self, expected: &Json, findings: &mut Findings) {
        for (name, expected) in expected.as_object().unwrap() {
            match self.peers.get(name) {
                Some(peer) => findings.same(&format!("mirrors of {name}"), expected, &peer.held()),
                None => findings.differs(format_args!("{name} was never opened")),
            }
        }
    }

    /// Whatever happened before, a sync later all clients that are connected hold what the server holds.
    fn converge(&mut self, findings: &mut Findings) {
        self.flush(findings);
        for (name, peer) in &mut self.peers {
            for frame in peer.frames() {
                sent::take_in(&frame, peer, name, findings);
            }
            for &id in self.hosts.keys() {
                let (_, value) = self.session.snapshot(id).expect("it is hosted");
                if peer.is_open() && peer.value(id).is_some_and(|held| *held != value) {
                    findings.broken(format_args!(
                        "{name} holds another model {id} than the server"
                    ));
                }
            }
        }
    }
}

fn id(step: &Json) -> ModelId {
    step["id"].as_u64().unwrap()
}
