//! `merge.json`: merge strategies on their own.

use serde_json::Value as Json;
use transports::Patch;
use transports::hub::{LastWriteWins, Merge, Stamp, StampedFields, StampedMap, Write};

use super::findings::{Findings, check};
use super::wire;

/// The strategy of a name in the vectors.
pub(super) fn strategy(name: &str) -> Box<dyn Merge> {
    match name {
        "last_write_wins" => Box::new(LastWriteWins),
        "lww_map" => Box::<StampedMap>::default(),
        "deep_lww" => Box::<StampedFields>::default(),
        other => panic!("no strategy `{other}`"),
    }
}

/// The state of a strategy, with pairs in one order.
pub(super) fn sorted(state: &Json) -> Json {
    let mut state = state.clone();
    if let Some(pairs) = state["clock"].as_array_mut() {
        pairs.sort_by_key(Json::to_string);
    }
    state
}

#[test]
fn strategies() {
    check("merge.json", None, |case, findings| {
        let mut merge = strategy(case["merge"].as_str().unwrap());
        let mut value = wire::value(&case["start"]);
        for (number, write) in case["writes"].as_array().unwrap().iter().enumerate() {
            findings.step(number, write);
            let before = (value.clone(), merge.state());
            let stamp = Stamp(
                write["rev"].as_u64().unwrap(),
                write["origin"].as_str().unwrap().to_owned(),
            );
            let ops = serde_json::from_value(write["ops"].clone()).unwrap();
            let ops = merge.merge(Write::new(ops, stamp, &|| before.0.clone()));
            let applied = Patch {
                rev: 0,
                ops: ops.unwrap(),
            }
            .apply(&mut value);
            merge.settle(applied.is_ok());
            findings.same("error", &write["error"].is_null(), &applied.is_ok());
            if applied.is_err() {
                assert_eq!(
                    (value.clone(), merge.state()),
                    before,
                    "a refused write leaves no trace"
                );
                continue;
            }
            findings.same("value", &write["value"], &wire::tagged(&value));
            findings.same("state", &sorted(&write["state"]), &sorted(&merge.state()));
            restores(&*merge, case, findings);
        }
    });
}

fn restores(merge: &dyn Merge, case: &Json, findings: &mut Findings) {
    let mut again = strategy(case["merge"].as_str().unwrap());
    match again.restore(&merge.state()) {
        Ok(()) => findings.same("restored", &merge.state(), &again.state()),
        Err(error) => findings.broken(error),
    }
}
