//! Where the vectors lie, and what a case says about itself.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// The cases of a file, or of a group in it. There is always at least one.
pub(super) fn cases(file: &str, group: Option<&str>) -> Vec<Json> {
    let mut cases = load(file)["cases"].take();
    if let Some(group) = group {
        cases = cases[group].take();
    }
    let Json::Array(cases) = cases else {
        panic!("{file} has no cases {group:?}");
    };
    assert!(!cases.is_empty(), "{file} {group:?} is empty");
    cases
}

/// A file as a whole.
pub(super) fn load(file: &str) -> Json {
    let path = folder().join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn folder() -> PathBuf {
    env::var_os("TRANSPORTS_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance"),
        PathBuf::from,
    )
}

/// What people call a case.
pub(super) fn name(case: &Json) -> String {
    let codec = case["codec"].as_str().map(|codec| format!(" ({codec})"));
    match case["name"].as_str() {
        Some(name) => format!("{name}{}", codec.unwrap_or_default()),
        None => case.to_string().chars().take(100).collect(),
    }
}

/// Whether a case or step only shows what the published packages happen to do.
pub(super) fn is_loose(flags: &Json) -> bool {
    flags["free"] == true || flags["quirk"].is_string()
}

/// What a case or step asks for that is not offered here.
pub(super) fn needs(flags: &Json) -> Option<&str> {
    flags["needs"].as_str()
}
