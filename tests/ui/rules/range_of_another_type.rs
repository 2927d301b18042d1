use transports::Synced;

#[derive(Synced)]
struct Lamp {
    #[synced(range = 0..=5)]
    name: String,
}

fn main() {}
