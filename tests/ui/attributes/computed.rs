use transports::Synced;

#[derive(Synced)]
#[synced(computed(total = Self::total))]
struct Cart {
    prices: Vec<f64>,
}

#[derive(Synced)]
#[synced(computed = total)]
struct Other {
    prices: Vec<f64>,
}

#[derive(Synced)]
#[synced(computed(prices: f64 = Third::total))]
struct Third {
    prices: Vec<f64>,
}

impl Third {
    fn total(&self) -> f64 {
        0.0
    }
}

fn main() {}
