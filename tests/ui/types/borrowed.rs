use transports::Synced;

#[derive(Synced)]
struct Label<'a> {
    text: &'a str,
    parts: Vec<i64>,
}

#[derive(Synced)]
struct Other {
    text: &str,
}

fn main() {}
