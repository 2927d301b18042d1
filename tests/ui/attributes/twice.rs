use transports::Synced;

#[derive(Synced)]
struct Lamp {
    #[synced(rename = "a", rename = "b")]
    name: String,
    #[synced(skip)]
    #[synced(skip)]
    socket: Option<i64>,
}

fn main() {}
