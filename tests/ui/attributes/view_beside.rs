use transports::Synced;

#[derive(Synced)]
struct Plan {
    #[synced(view = "staff", skip)]
    skipped: i64,
    #[synced(view = "staff", flatten)]
    flat: Inner,
}

#[derive(Synced, Default)]
struct Inner {
    n: i64,
}

#[derive(Synced)]
enum Shape {
    Round(#[synced(view = "staff")] i64),
}

fn main() {}
