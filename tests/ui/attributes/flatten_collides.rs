use std::collections::BTreeMap;

use transports::Synced;

#[derive(Synced)]
struct Inner {
    name: String,
}

#[derive(Synced)]
struct Outer {
    name: String,
    #[synced(flatten)]
    inner: Inner,
}

#[derive(Synced)]
struct Maps {
    #[synced(flatten)]
    a: BTreeMap<String, i64>,
    #[synced(flatten)]
    b: BTreeMap<String, i64>,
}

fn main() {}
