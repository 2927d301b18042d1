use transports::Synced;

#[derive(Synced)]
#[synced(rename_al = "camelCase")]
struct Lamp {
    #[synced(readonly)]
    serial: i64,
    #[synced(colour = "red")]
    name: String,
}

fn main() {}
