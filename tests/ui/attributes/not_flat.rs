use transports::Synced;

#[derive(Synced)]
struct Lamp {
    #[synced(flatten)]
    level: Vec<i64>,
}

fn main() {}
