use transports::Synced;

#[derive(Synced)]
struct Lamp {
    #[synced(alias = "level")]
    name: String,
    level: i64,
}

fn main() {}
