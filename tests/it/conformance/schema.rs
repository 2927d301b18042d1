//! `schema.json`: the shape of models, and what their fields take.

use serde_json::{Value as Json, json};
use transports::server::Opening;
use transports::session::Frame;
use transports::{Mirrors, Schema, Server, Session, Value};

use super::findings::{Findings, check};
use super::{models, wire};

#[test]
fn schemas() {
    check("schema.json", Some("schemas"), |case, findings| {
        match serde_json::from_value::<Schema>(case["schema"].clone()) {
            Ok(schema) => findings.same("ts", &case["ts"], &json!(schema.to_typescript())),
            Err(error) => findings.differs(error),
        }
        if let Some(schema) = models::schema(case["name"].as_str().unwrap()) {
            let derived = serde_json::to_value(&schema).unwrap();
            findings.same("derived schema", &case["schema"], &derived);
            findings.same("derived ts", &case["ts"], &json!(schema.to_typescript()));
        }
    });
}

/// Models go out as the vectors say, and come in again unchanged.
#[test]
fn bridge() {
    check("schema.json", Some("bridge"), |case, findings| {
        let type_name = case["type"].as_str().unwrap();
        let session = Session::new();
        let Some(host) = models::host(&session, type_name, &case["json"]) else {
            return findings.skip("no such type here");
        };
        let (_, value) = session.snapshot(host.id()).unwrap();
        findings.same("value", &case["value"], &wire::tagged(&value));

        let expected = wire::value(&case["value"]);
        match models::reread(type_name, expected) {
            Some(Ok(value)) => findings.same("reread", &case["value"], &wire::tagged(&value)),
            other => findings.differs(format_args!("was read as {other:?}")),
        }
    });
}

#[test]
fn accept() {
    check("schema.json", Some("accept"), |case, findings| {
        let session = Session::new();
        let type_name = case["type"].as_str().unwrap();
        let Some(host) = models::host(&session, type_name, &json!({})) else {
            return findings.skip("no such type here");
        };
        let becomes = replace(&session, host.id(), case, findings);
        match (becomes, case["ok"] == true) {
            (Some(becomes), true) => {
                let becomes = becomes.map_or_else(|| json!("absent"), |value| wire::tagged(&value));
                findings.same("becomes", &case["becomes"], &becomes);
            }
            (None, true) => findings.differs("is rejected"),
            (Some(becomes), false) => findings.differs(format_args!("becomes {becomes:?}")),
            (None, false) => {}
        }
    });
}

/// What a client's mirror shows for the field after its edit; `None` if the edit is rejected.
fn replace(
    session: &Session,
    id: u64,
    case: &Json,
    findings: &mut Findings,
) -> Option<Option<Value>> {
    let server = Server::new(session.clone());
    let mut connection = server.open(&Opening::default()).unwrap();
    let mut mirrors = Mirrors::default();
    let field = case["field"].as_str().unwrap();
    let set = json!({ "Set": { "path": [{ "Key": field }], "value": case["given"] } });
    let edit = json!({ "t": "patch", "id": id, "patch": { "rev": 0, "ops": [set] } });
    connection.receive(&Frame::text(edit.to_string())).unwrap();

    let mut rejected = false;
    while let Some(frame) = connection.try_next() {
        rejected |= serde_json::from_slice::<Json>(&frame.bytes).unwrap()["t"] == "reject";
        if let Err(error) = mirrors.receive(&frame.bytes) {
            findings.broken(error);
        }
    }
    let model = mirrors.get(id).and_then(|mirror| mirror.get())?;
    (!rejected).then(|| model.get(field).cloned())
}
