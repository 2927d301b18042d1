use transports::Synced;

#[derive(Synced)]
#[synced(skip)]
struct Lamp {
    #[synced(rename_all = "camelCase")]
    serial: i64,
}

#[derive(Synced)]
#[synced(default)]
enum Mode {
    #[synced(read_only)]
    On,
}

#[derive(Synced)]
#[synced(rename_all = "camelCase")]
struct Id(#[synced(range = 0..=9)] i64);

fn main() {}
