use transports::Synced;

#[derive(Synced)]
struct Row {
    id: f64,
    name: String,
}

#[derive(Synced)]
struct Wrong {
    #[synced(key = "id")]
    level: i64,
    #[synced(key = "id", with = "serde")]
    rows: Vec<Row>,
}

#[derive(Synced)]
struct Table {
    #[synced(key = "id")]
    rows: Vec<Row>,
    #[synced(key = "nam")]
    more: Vec<Row>,
}

fn main() {}
