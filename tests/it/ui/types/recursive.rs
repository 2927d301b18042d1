use transports::Synced;

#[derive(Synced)]
struct Tree {
    value: i64,
    left: Option<Tree>,
}

#[derive(Synced)]
enum List {
    End,
    Item(i64, List),
}

fn main() {}
