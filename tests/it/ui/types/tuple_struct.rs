use transports::Synced;

#[derive(Synced)]
struct Pair(i64, i64);

fn main() {}
