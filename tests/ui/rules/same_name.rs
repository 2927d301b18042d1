use transports::Synced;

#[derive(Synced)]
struct Lamp {
    name: String,
    #[synced(rename = "name")]
    label: String,
}

#[derive(Synced)]
#[synced(rename_all = "lowercase")]
enum Mode {
    OnHold,
    Onhold,
}

fn main() {}
