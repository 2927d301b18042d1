use transports::Synced;

#[derive(Synced)]
enum Mode {
    Steady,
    Blinking { hertz: f64 },
}

#[derive(Synced)]
struct Lamp {
    #[synced(flatten)]
    mode: Mode,
}

fn main() {}
