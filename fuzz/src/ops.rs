//! Ops that a client might have made up: they lead to places that are there and bring what could stand there, mostly.

use transports::{Op, Path, Value};

use crate::entropy::Entropy;

/// A few ops for a model that looks like this.
pub(crate) fn ops(entropy: &mut Entropy, model: &Value) -> Vec<Op> {
    (0..=entropy.below(4)).map(|_| op(entropy, model)).collect()
}

fn op(entropy: &mut Entropy, model: &Value) -> Op {
    let (mut path, place) = walk(entropy, model);
    match entropy.below(10) {
        0..=2 => Op::Set {
            path,
            value: value(entropy, model, place),
        },
        3 => {
            path.push(entropy.text().as_str());
            let value = value(entropy, model, place);
            Op::Set { path, value }
        }
        4 => Op::Remove { path },
        5 => Op::Insert {
            path,
            index: index(entropy, place),
            value: value(entropy, model, place.at(0).unwrap_or(place)),
        },
        6 => Op::RemoveAt {
            path,
            index: index(entropy, place),
        },
        7 => Op::Move {
            path,
            from: index(entropy, place),
            to: index(entropy, place),
        },
        8 => Op::Splice {
            path,
            at: index(entropy, place),
            delete: index(entropy, place),
            insert: entropy.text(),
        },
        _ => Op::Reorder {
            path,
            order: order(entropy, place),
        },
    }
}

fn walk<'a>(entropy: &mut Entropy, mut place: &'a Value) -> (Path, &'a Value) {
    let mut path = Path::root();
    while entropy.below(5) > 0 {
        match place {
            Value::Map(entries) if !entries.is_empty() => {
                let entry = entries.iter().nth(entropy.below(entries.len()));
                let (key, value) = entry.expect("there are that many");
                path.push(key.as_str());
                place = value;
            }
            Value::List(items) if !items.is_empty() => {
                let index = entropy.below(items.len());
                path.push(index);
                place = &items[index];
            }
            _ => break,
        }
    }
    (path, place)
}

/// What is there, slightly changed, or what stands elsewhere, or anything.
fn value(entropy: &mut Entropy, model: &Value, place: &Value) -> Value {
    match entropy.below(4) {
        0 => walk(entropy, model).1.clone(),
        1 => entropy.value(2),
        _ => {
            let mut value = place.clone();
            entropy.mutate(&mut value);
            value
        }
    }
}

fn len(place: &Value) -> usize {
    match place {
        Value::List(items) => items.len(),
        Value::Str(text) => text.chars().count(),
        _ => 0,
    }
}

fn index(entropy: &mut Entropy, place: &Value) -> usize {
    match entropy.below(16) {
        15 => usize::MAX,
        _ => entropy.below(len(place) + 1),
    }
}

fn order(entropy: &mut Entropy, place: &Value) -> Vec<usize> {
    let len = len(place);
    let mut order: Vec<_> = (0..len).collect();
    if len > 0 {
        order.rotate_left(entropy.below(len));
        order.swap(0, entropy.below(len));
        order.swap(len - 1, entropy.below(len));
    }
    if entropy.below(16) == 15 {
        order.push(0);
    }
    order
}
