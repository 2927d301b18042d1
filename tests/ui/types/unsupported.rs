use transports::{Session, Synced};

#[derive(Synced)]
struct Lamp {
    socket: std::net::TcpStream,
    call: fn(),
    nested: Vec<Option<Missing>>,
}

struct Missing;

#[derive(Synced)]
enum Shape {
    Circle { centre: Missing },
    Square(Missing, i64),
}

#[derive(Synced)]
struct Outer {
    lamps: Vec<Lamp>,
    shape: Shape,
}

#[derive(Synced)]
struct Newtype(Missing);

fn host(session: &Session, outer: Outer) {
    session.host(outer);
}

fn main() {}
