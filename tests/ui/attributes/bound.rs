use transports::Synced;

#[derive(Synced)]
#[synced(bound = 5)]
struct Page<T> {
    items: Vec<T>,
}

#[derive(Synced)]
#[synced(bound = "T Clone")]
struct Other<T> {
    items: Vec<T>,
}

fn main() {}
