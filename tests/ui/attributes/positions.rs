use transports::Synced;

#[derive(Synced)]
struct Pair(#[synced(rename = "a")] i64, #[synced(default)] i64);

#[derive(Synced)]
enum Shape {
    Square(#[synced(alias = "a")] i64),
    Nothing(#[synced(skip)] i64),
}

fn main() {}
