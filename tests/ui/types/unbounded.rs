use std::collections::BTreeMap;

use transports::Synced;

#[derive(Synced)]
#[synced(bound = "T: Clone")]
struct Page<T> {
    items: Vec<T>,
    first: Option<T>,
}

#[derive(Synced)]
#[synced(bound = "")]
enum Job<T> {
    Run(T),
    Wait { before: T },
}

#[derive(Synced)]
struct Index<K, V> {
    entries: BTreeMap<K, V>,
    count: i64,
}

fn main() {}
