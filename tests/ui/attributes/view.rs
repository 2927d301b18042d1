use transports::Synced;

#[derive(Synced)]
#[synced(computed(a: i64 = Plan::a, view = "staff", view = "admin"))]
struct Plan {
    #[synced(view)]
    none: i64,
    #[synced(view = "")]
    empty: i64,
    #[synced(view = staff)]
    bare: i64,
    #[synced(view = "staff", view = "admin")]
    two: i64,
}

#[derive(Synced)]
#[synced(view = "staff")]
struct Inner {
    n: i64,
}

#[derive(Synced)]
struct Pair(i64, #[synced(view = "staff")] i64);

#[derive(Synced)]
struct Id(#[synced(view = "staff")] i64);

#[derive(Synced)]
enum Shape {
    #[synced(view = "staff")]
    Square { side: i64 },
}

fn main() {}
