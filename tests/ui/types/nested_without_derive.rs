use transports::Synced;

struct Point {
    x: i64,
}

#[derive(Synced)]
struct Shape {
    name: String,
    origin: Point,
    corners: Vec<Point>,
}

fn main() {}
