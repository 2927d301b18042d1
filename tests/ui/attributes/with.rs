use transports::Synced;

struct Foreign;

#[derive(Synced)]
struct Lamp {
    #[synced(with = "serde")]
    foreign: Foreign,
    #[synced(with = "chrono")]
    time: i64,
}

#[derive(Synced)]
struct Other {
    #[synced(with = "serde")]
    foreign: Foreign,
}

fn main() {}
