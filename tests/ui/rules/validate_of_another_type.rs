use transports::Synced;

fn check(name: &i64) -> Result<(), String> {
    Err(format!("{name}"))
}

fn agree(_: &String) -> bool {
    true
}

#[derive(Synced)]
struct Lamp {
    #[synced(validate = check)]
    name: String,
    #[synced(validate = agree)]
    label: String,
}

fn main() {}
