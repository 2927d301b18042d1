use transports::Synced;

#[derive(Synced)]
struct Lamp {
    #[synced(skip, range = 0..=5)]
    level: i64,
    #[synced(skip, read_only)]
    serial: i64,
}

fn main() {}
