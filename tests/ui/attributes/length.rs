use transports::Synced;

#[derive(Synced)]
struct Lamp {
    #[synced(length = 1..=3)]
    level: i64,
}

#[derive(Synced)]
struct Other {
    #[synced(length = 3)]
    name: String,
}

fn main() {}
