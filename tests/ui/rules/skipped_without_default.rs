use transports::Synced;

struct Socket;

#[derive(Synced)]
struct Lamp {
    name: String,
    #[synced(skip)]
    socket: Socket,
}

fn main() {}
