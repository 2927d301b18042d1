use transports::Synced;

#[derive(Synced)]
union Either {
    int: i64,
    float: f64,
}

fn main() {}
