//! `apply.json` and `diff.json`.

use serde_json::Value as Json;
use transports::{Op, Patch, Value};

use super::findings::{Findings, check};
use super::wire;

#[test]
fn apply() {
    check("apply.json", None, |case, findings| {
        let mut value = wire::value(&case["value"]);
        let applied = wire::patch(&case["patch"])
            .map_err(|error| error.to_string())
            .and_then(|patch| patch.apply(&mut value).map_err(|error| error.to_string()));
        match (&applied, case["ok"] == true) {
            (Ok(()), true) => findings.same("result", &case["result"], &wire::tagged(&value)),
            (Ok(()), false) => findings.differs(format_args!("applied: {}", wire::tagged(&value))),
            (Err(error), true) => findings.differs(error),
            (Err(error), false) => says(error, case["why"].as_str().unwrap_or_default(), findings),
        }
        if applied.is_err() && wire::tagged(&value) != case["value"] {
            findings.broken(format_args!("half applied: {}", wire::tagged(&value)));
        }
    });
}

/// Whether an error text is about what the vectors say went wrong. People decide: this is no failure.
fn says(error: &str, why: &str, findings: &mut Findings) {
    let word = match why {
        "missing_key" => "no entry",
        "not_a_map" => "a key leads into a map",
        "not_a_list" => "no list",
        "index_out_of_bounds" => "out of bounds",
        "empty_path" => "cannot be removed",
        "bad_order" => "permutation",
        _ => return,
    };
    if !error.contains(word) {
        findings.remark(format_args!("`{why}` is told as: {error}"));
    }
}

#[test]
fn diff() {
    check("diff.json", None, |case, findings| {
        let (old, new) = (wire::value(&case["old"]), wire::value(&case["new"]));
        let ops = transports::diff(&old, new.clone());
        match case["check"].as_str() {
            Some("exact") => findings.same("ops", &case["ops"], &wire::ops(&ops)),
            Some("equivalent") => equivalent(&ops, &case["ops"], &old, &new, findings),
            other => panic!("no check {other:?}"),
        }
    });
}

/// Whether ops are as good as the ones given: they lead to the same place, and are not clearly more.
pub(super) fn equivalent(
    ops: &[Op],
    given: &Json,
    old: &Value,
    new: &Value,
    findings: &mut Findings,
) {
    let mut value = old.clone();
    let patch = Patch {
        rev: 1,
        ops: ops.to_vec(),
    };
    if let Err(error) = patch.apply(&mut value) {
        findings.broken(format_args!(
            "{} cannot be applied: {error}",
            wire::ops(ops)
        ));
    }
    findings.same("result", &wire::tagged(new), &wire::tagged(&value));

    let (ours, theirs) = (ops.len(), given.as_array().unwrap().len());
    if ours > theirs + 2 && 2 * ours > 3 * theirs {
        findings.differs(format_args!(
            "{ours} ops, {theirs} would do: {given}, not {}",
            wire::ops(ops)
        ));
    } else if ours > theirs {
        findings.remark(format_args!("{ours} ops, {theirs} would do"));
    }
}
