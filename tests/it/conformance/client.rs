//! `client.json`: mirrors fed step by step.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use transports::mirror::{MirrorError, MirrorEvent};
use transports::{Mirrors, Op, Value};

use super::findings::{Findings, check};
use super::{patches, vectors, wire};

#[test]
fn client() {
    check("client.json", None, |case, findings| {
        let mut mirrors = Mirrors::new(wire::codec(case["codec"].as_str().unwrap()));
        for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            if vectors::needs(step).is_some() {
                continue;
            }
            findings.step(number, step);
            let done = act(&mut mirrors, step, findings);
            findings.same("error", &step["error"], &json!(done.is_err()));
            let events = done.unwrap_or_default();
            findings.same("events", &step["events"], &told(&events));
            findings.same("revs", &step["revs"], &revs(&mirrors));
            findings.same("values", &step["values"], &values(&mirrors));
            let pending: Vec<_> = mirrors.pending().collect();
            findings.same("pending", &step["pending"], &json!(pending));
        }
    });
}

/// What a step brings about, or that it fails.
fn act(
    mirrors: &mut Mirrors,
    step: &Json,
    findings: &mut Findings,
) -> Result<Vec<MirrorEvent>, String> {
    match step["do"].as_str().unwrap() {
        "recv" => {
            let received = mirrors.receive(&wire::frame(step).bytes);
            classify(&received, step, findings);
            received.map_err(|error| error.to_string())
        }
        "connect" => {
            findings.same(
                "query",
                &step["query"],
                &json!(wire::published(&mirrors.query())),
            );
            Ok(Vec::new())
        }
        "disconnect" => Ok(mirrors.disconnect()),
        "edit" => edit(mirrors, step, findings),
        "edit_ops" => edit_ops(mirrors, step, findings),
        "abandon" => {
            let awaited = mirrors.abandon(step["proposal"].as_str().unwrap());
            findings.same("returned", &step["returned"], &json!(awaited));
            Ok(Vec::new())
        }
        other => {
            findings.broken(format_args!("no step `{other}`"));
            Ok(Vec::new())
        }
    }
}

/// Compares how a frame is classified; the vectors do not tell for all.
fn classify(
    received: &Result<Vec<MirrorEvent>, MirrorError>,
    step: &Json,
    findings: &mut Findings,
) {
    let Some(expected) = step["effect"].as_str() else {
        return;
    };
    let effect = match received {
        Ok(events) => match &events[0] {
            MirrorEvent::Replaced { .. } => "snapshot",
            MirrorEvent::Patched { .. } => "patch",
            MirrorEvent::Stale { .. } => "stale_patch",
            MirrorEvent::Acknowledged { .. } => "acknowledgement",
            MirrorEvent::Rejected { .. } => "rejection",
            MirrorEvent::Awareness { .. } => "awareness",
            MirrorEvent::Ignored => "ignore",
            _ => "unheard of",
        },
        Err(MirrorError::Patch { .. }) => "patch",
        Err(_) => "malformed",
    };
    findings.same("effect", expected, effect);
}

fn edit(
    mirrors: &mut Mirrors,
    step: &Json,
    findings: &mut Findings,
) -> Result<Vec<MirrorEvent>, String> {
    let id = step["id"].as_u64().unwrap();
    let have = mirrors.get(id).and_then(|mirror| mirror.get()).cloned();
    let wanted = wire::value(&step["value"]);
    let sent = mirrors
        .edit(id, wanted.clone(), proposal(step))
        .map_err(|error| error.to_string())?;
    let have = have.expect("an edit succeeds only where there is a model");
    compare(&wire::data(&sent), &step["sent"], &have, &wanted, findings);
    Ok(Vec::new())
}

/// Compares the message that goes out; its ops may be others that lead to the same value.
fn compare(sent: &Json, expected: &Json, have: &Value, wanted: &Value, findings: &mut Findings) {
    if sent == expected || !expected.is_object() {
        return findings.same("sent", expected, sent);
    }
    let ops = wire::patch(&sent["patch"]).unwrap().ops;
    patches::equivalent(&ops, &expected["patch"]["ops"], have, wanted, findings);
    let (mut sent, mut expected) = (sent.clone(), expected.clone());
    for message in [&mut sent, &mut expected] {
        message["patch"]["ops"].take();
    }
    findings.same("sent, apart from ops", &expected, &sent);
}

fn edit_ops(
    mirrors: &mut Mirrors,
    step: &Json,
    findings: &mut Findings,
) -> Result<Vec<MirrorEvent>, String> {
    let ops: Vec<Op> =
        serde_json::from_value(step["ops"].clone()).map_err(|error| error.to_string())?;
    let sent = mirrors
        .propose(step["id"].as_u64().unwrap(), ops, proposal(step))
        .map_err(|error| error.to_string())?;
    findings.same("sent", &step["sent"], &wire::data(&sent));
    Ok(Vec::new())
}

fn proposal(step: &Json) -> Option<String> {
    step["proposal"].as_str().map(str::to_owned)
}

/// The events in the words of the vectors.
fn told(events: &[MirrorEvent]) -> Json {
    events.iter().filter_map(tell).collect()
}

fn tell(event: &MirrorEvent) -> Option<Json> {
    Some(match event {
        MirrorEvent::Replaced { id, rev } => {
            json!(["change", { "t": "snapshot", "id": id, "rev": rev }])
        }
        MirrorEvent::Patched {
            id,
            patch,
            proposal,
        } => {
            let change = json!({ "t": "patch", "id": id, "patch": patch });
            json!(["change", with_proposal(change, proposal.as_deref())])
        }
        MirrorEvent::Acknowledged { proposal, .. } => json!(["ack", proposal]),
        MirrorEvent::Rejected {
            id,
            rev,
            error,
            proposal,
        } => {
            let reject = json!({ "t": "reject", "id": id, "rev": rev, "error": error });
            json!(["reject", with_proposal(reject, proposal.as_deref())])
        }
        MirrorEvent::Awareness { id, peer, state } => {
            json!(["awareness", { "t": "awareness", "id": id, "peer": peer, "state": state }])
        }
        MirrorEvent::Abandoned { proposals } => json!(["abandon", proposals]),
        MirrorEvent::Stale { .. } | MirrorEvent::Ignored => return None,
        other => json!(format!("{other:?}")),
    })
}

fn with_proposal(mut message: Json, proposal: Option<&str>) -> Json {
    if let Some(proposal) = proposal {
        message["proposal"] = json!(proposal);
    }
    message
}

fn revs(mirrors: &Mirrors) -> Json {
    let revs = mirrors
        .iter()
        .filter_map(|mirror| Some((mirror.id(), mirror.revision()?)));
    json!(revs.collect::<BTreeMap<_, _>>())
}

fn values(mirrors: &Mirrors) -> Json {
    let values = mirrors
        .iter()
        .filter_map(|mirror| Some((mirror.id(), wire::tagged(mirror.get()?))));
    json!(values.collect::<BTreeMap<_, _>>())
}
