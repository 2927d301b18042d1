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

#[derive(Synced)]
struct Chain(Option<(i64, Self)>);

#[derive(Synced)]
struct Pair<T> {
    first: T,
    rest: [Pair<T>; 2],
    more: Option<Option<Pair<T>>>,
}

fn main() {}
