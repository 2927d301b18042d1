use transports::Synced;

#[derive(Synced)]
struct Inner {
    name: String,
}

#[derive(Synced)]
struct Number {
    #[synced(flatten)]
    level: i64,
    #[synced(flatten, rename = "other")]
    inner: Inner,
}

fn main() {}
