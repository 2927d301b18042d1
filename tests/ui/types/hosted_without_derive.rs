use transports::Session;

struct Counter {
    tick: u64,
}

fn main() {
    let session = Session::new();
    session.host(Counter { tick: 0 });
}
