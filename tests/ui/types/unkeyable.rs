use std::collections::BTreeMap;

use transports::Synced;

#[derive(Synced)]
struct Index {
    by_position: BTreeMap<(i64, i64), String>,
}

fn main() {}
