//! The frames that a client is sent, beside those that the vectors tell of.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use transports::session::Frame;

use super::peer::Peer;
use crate::conformance::findings::Findings;
use crate::conformance::wire;

/// Takes all frames in and compares each with the one expected.
pub(in crate::conformance) fn compare(
    expected: &[Json],
    frames: &[Frame],
    peer: &mut Peer,
    name: &str,
    findings: &mut Findings,
) {
    let mut messages = Vec::new();
    for (position, frame) in frames.iter().enumerate() {
        let Some(message) = take_in(frame, peer, name, findings) else {
            continue;
        };
        if let Some(expected) = expected.get(position) {
            compare_frame(expected, frame, &message, name, findings);
            compare_effect(&expected["after"], peer, name, findings);
        }
        messages.push(message);
    }
    if frames.len() != expected.len() {
        let expected: Vec<_> = expected.iter().map(|frame| &frame["msg"]).collect();
        findings.same(
            &format!("frames to {name}"),
            &json!(expected),
            &json!(messages),
        );
    }
}

/// Reads a frame into the client's mirrors; these have to be able to follow, whatever the vectors say.
pub(in crate::conformance) fn take_in(
    frame: &Frame,
    peer: &mut Peer,
    name: &str,
    findings: &mut Findings,
) -> Option<Json> {
    let codec = peer.codec();
    if frame.is_text != codec.is_text() {
        findings.broken(format_args!("a frame of the wrong type for {codec:?}"));
    }
    let message = match codec.decode(&frame.bytes) {
        Ok(message) => message,
        Err(error) => {
            findings.broken(format_args!("{name} is sent a malformed frame: {error}"));
            return None;
        }
    };
    if let Err(error) = peer.take_in(&message) {
        findings.broken(format_args!("{name} cannot follow: {error}"));
    }
    Some(wire::data(&message))
}

fn compare_frame(
    expected: &Json,
    frame: &Frame,
    message: &Json,
    name: &str,
    findings: &mut Findings,
) {
    let what = format!("frame to {name}");
    let is_binary = expected["binary"] == true;
    findings.same(&format!("{what} is binary"), &is_binary, &!frame.is_text);

    let ops_free = expected["ops_free"] == true;
    let (mut wanted, mut got) = (expected["msg"].clone(), message.clone());
    forgive(&mut wanted, &mut got, ops_free);
    findings.same(&what, &wanted, &got);
    if let Some(hex) = expected["hex"].as_str().filter(|_| !ops_free) {
        findings.same(&what, hex, wire::hex(&frame.bytes).as_str());
    }
}

/// Takes out what is free to differ: error texts, and with `ops_free` the ops of patches.
fn forgive(expected: &mut Json, got: &mut Json, ops_free: bool) {
    if expected["error"] == "*" && got["error"].as_str().is_some_and(|text| !text.is_empty()) {
        got["error"] = json!("*");
    }
    if ops_free {
        for message in [&mut *expected, &mut *got] {
            if let Some(ops) = message.pointer_mut("/patch/ops") {
                ops.take();
            }
        }
    }
    if let (Some(expected), Some(got)) = (members(expected), members(got)) {
        for (expected, got) in expected.iter_mut().zip(got) {
            forgive(expected, got, ops_free);
        }
    }
}

fn members(batch: &mut Json) -> Option<&mut Vec<Json>> {
    batch.get_mut("msgs")?.as_array_mut()
}

/// Compares what the client holds now. `null`: the vectors do not tell.
fn compare_effect(after: &Json, peer: &Peer, name: &str, findings: &mut Findings) {
    for (id, expected) in after.as_object().into_iter().flatten() {
        let held = peer.value(id.parse().unwrap()).map(wire::tagged);
        findings.same(
            &format!("model {id} of {name}"),
            expected,
            &held.unwrap_or_default(),
        );
    }
}

/// Compares many frames by what they have in common.
pub(in crate::conformance) fn compare_summary(
    expected: &Json,
    frames: &[Frame],
    peer: &mut Peer,
    name: &str,
    findings: &mut Findings,
) {
    let messages = frames
        .iter()
        .filter_map(|frame| take_in(frame, peer, name, findings));
    let messages: Vec<_> = messages.collect();
    let rev = |message: &Json| {
        message
            .pointer("/patch/rev")
            .or_else(|| message.get("rev"))
            .cloned()
    };
    let kinds: BTreeSet<_> = messages
        .iter()
        .filter_map(|message| message["t"].as_str())
        .collect();
    let summary = json!({
        "frames": frames.len(),
        "kinds": kinds,
        "first_rev": messages.first().map(rev),
        "last_rev": messages.last().map(rev),
    });
    findings.same(&format!("frames to {name}"), expected, &summary);
}
