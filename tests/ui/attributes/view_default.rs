use transports::Synced;

#[derive(Synced)]
struct Plan {
    title: String,
    #[synced(view = "staff")]
    cost: Cost,
}

#[derive(Synced)]
struct Cost {
    cents: i64,
}

fn main() {}
