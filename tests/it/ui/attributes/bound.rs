use transports::Synced;

#[derive(Synced)]
#[synced(bound = "T: ")]
struct Page<T> {
    items: Vec<i64>,
    #[synced(skip)]
    more: Option<T>,
}

#[derive(Synced)]
#[synced(bound = 5)]
struct Other<T> {
    items: Vec<T>,
}

fn main() {}
