use transports::Synced;

#[derive(Synced)]
#[synced(rename_all = "Title Case")]
struct Lamp {
    #[synced(rename)]
    name: String,
    #[synced(rename = 5)]
    serial: i64,
    #[synced(skip = true)]
    socket: Option<i64>,
    #[synced(range = 100)]
    brightness: i64,
    #[synced(range)]
    colour: i64,
    #[synced(validate = 3)]
    watt: i64,
}

#[derive(Synced)]
#[synced(crate = 5)]
struct Elsewhere {
    name: String,
}

#[derive(Synced)]
#[synced(rename_all_fields = "camel")]
enum Shape {
    #[synced(rename_all = 7)]
    Circle { half_width: f64 },
}

fn main() {}
