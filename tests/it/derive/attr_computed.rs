//! `computed`

use transports::Synced;

use super::support::{Watched, json, set};

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(computed(total: f64 = Self::total, count: usize = Self::count))]
struct Cart {
    prices: Vec<f64>,
    zebra: i64,
}

impl Cart {
    fn total(&self) -> f64 {
        self.prices.iter().sum()
    }

    fn count(&self) -> usize {
        self.prices.len()
    }
}

#[test]
fn computed() {
    let mut watched = Watched::new(Cart {
        prices: vec![1.0],
        zebra: 0,
    });
    assert_eq!(
        watched.mirror,
        json!({"count": 1, "prices": [1.0], "total": 1.0, "zebra": 0})
    );
    assert_eq!(watched.change(|cart| cart.zebra = 1), [set(&["zebra"], 1)]);
    let ops = watched.change(|cart| cart.prices[0] = 2.0);
    assert_eq!(ops, [set(&["prices", "0"], 2.0), set(&["total"], 2.0)]);
    assert_eq!(
        watched.refusal(set(&["total"], 1.0)),
        "total: this is read-only for clients"
    );
    let ops = watched.edit([set(&["prices"], json!([1.0, 1.0]))]).unwrap();
    assert!(ops.contains(&set(&["count"], 2)), "{ops:?}");
    // A mirror computes it itself.
    let mut mirror = Cart::read(watched.mirror.clone()).unwrap();
    transports::edit::apply(&mut mirror, ops, transports::edit::Author::Host).unwrap();
    let schema = transports::Schema::of::<Cart>().unwrap();
    assert_eq!(schema.fields.len(), 4);
}
