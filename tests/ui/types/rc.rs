use std::rc::Rc;

use transports::Synced;

#[derive(Synced)]
struct Lamp {
    name: Rc<String>,
    level: i64,
}

fn main() {}
