//! Lists that changed so much that telling them whole is shorter.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use transports::collections::List;
use transports::{Changes, Synced, Tracked, Value};

use super::support::{Watched, set, value_of};

#[derive(Synced, Clone, Debug, PartialEq)]
struct Lists {
    numbers: Vec<i64>,
    deque: VecDeque<bool>,
    fixed: [f64; 50],
    any: Value,
    tracked: List<i64>,
    rows: Vec<Row>,
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Row {
    id: i64,
    name: String,
    price: f64,
    qty: i64,
}

fn lists() -> Lists {
    Lists {
        numbers: (0..1_000).collect(),
        deque: VecDeque::from(vec![false; 50]),
        fixed: [0.0; 50],
        any: (0..50).map(Value::from).collect(),
        tracked: (0..50).collect(),
        rows: (0..1_000)
            .map(|id| Row {
                id,
                name: format!("row {id}"),
                price: 1.5,
                qty: 1,
            })
            .collect(),
    }
}

fn whole<T: Synced>(field: &str, list: &T) -> Vec<transports::Op> {
    vec![set(&[field], value_of(list))]
}

#[test]
fn a_list_of_which_much_changed_is_told_whole() {
    let mut watched = Watched::new(lists());
    let ops = watched.change(|model| model.numbers.iter_mut().for_each(|n| *n += 5_000));
    assert_eq!(ops, whole("numbers", &watched.model.numbers));
    let ops = watched.change(|model| model.numbers.retain(|n| n % 3 == 0));
    assert_eq!(ops, whole("numbers", &watched.model.numbers));
    let ops = watched.change(|model| model.numbers.clear());
    assert_eq!(ops, whole("numbers", &Vec::<i64>::new()));
    let ops = watched.change(|model| model.numbers.extend(0..1_000));
    assert_eq!(
        ops,
        whole("numbers", &watched.model.numbers),
        "it is filled"
    );
    let ops = watched.change(|model| model.deque.iter_mut().for_each(|on| *on = true));
    assert_eq!(ops, whole("deque", &watched.model.deque));
    let ops = watched.change(|model| model.fixed = [1.0; 50]);
    assert_eq!(ops, whole("fixed", &watched.model.fixed));
    let ops = watched.change(|model| model.any = (50..100).map(Value::from).collect());
    assert_eq!(ops, whole("any", &watched.model.any));
    let ops = watched.change(|model| model.tracked.iter_mut().for_each(|n| *n += 500));
    assert_eq!(ops, whole("tracked", &watched.model.tracked));
}

#[test]
fn a_list_is_told_by_ops_where_these_are_shorter() {
    let mut watched = Watched::new(lists());
    // A row with its four fields is longer than a change of one of them.
    let ops = watched.change(|model| model.rows.iter_mut().for_each(|row| row.qty += 1));
    assert_eq!(ops.len(), 1_000);
    let ops = watched.change(|model| model.numbers.iter_mut().take(80).for_each(|n| *n += 50_000));
    assert_eq!(ops.len(), 80);
    // Three changes are a small frame in any case, and tell more than the list would.
    let ops = watched.change(|model| model.fixed[..3].fill(2.0));
    assert_eq!(ops.len(), 3);
}

#[test]
fn a_drain_that_is_forgotten_leaves_a_list_told_as_it_is() {
    let mut watched = Watched::new(lists());
    watched.change(|model| {
        model.tracked.push(50);
        std::mem::forget(model.tracked.drain(10..20));
    });
    let told = value_of(&watched.model.tracked);
    assert_eq!(watched.mirror.get("tracked"), Some(&told));
    let ops = watched.change(|model| drop(model.tracked.drain(3..4)));
    assert_eq!(ops.len(), 1);
}

#[test]
fn every_codec_is_told_the_same() {
    for mut changes in [
        Changes::as_json(),
        Changes::as_msgpack(),
        Changes::as_cbor(),
    ] {
        let mut model = Tracked::new(lists());
        model.numbers.iter_mut().for_each(|n| *n += 5_000);
        model.rows[0].qty = 7;
        Tracked::collect(&mut model, &mut changes);
        assert_eq!(changes.len(), 2);
        let bytes = [changes.json(), changes.msgpack(), changes.cbor()].concat();
        assert!(bytes.len() < 20_000, "{}", bytes.len());
    }
}

#[derive(Synced)]
struct Wide {
    numbers: Vec<u64>,
}

/// The last good value of what cannot travel stays, whichever way the list is told.
#[test]
fn a_list_told_whole_keeps_what_cannot_travel() {
    let mut model = Tracked::new(Wide {
        numbers: (0..100).collect(),
    });
    let mut changes = Changes::as_ops();
    model.numbers.iter_mut().for_each(|n| *n += 5_000);
    model.numbers[40] = u64::MAX;
    Tracked::collect(&mut model, &mut changes);

    assert_eq!(changes.faults().len(), 1);
    assert_eq!(changes.faults()[0].path.to_string(), "numbers[40]");
    let [op] = changes.ops() else {
        panic!("one op, not {}", changes.len());
    };
    let told = op.value().and_then(|list| list.at(40));
    assert_eq!(told, Some(&Value::Int(40)));

    model.numbers[40] = 7;
    changes.clear();
    Tracked::collect(&mut model, &mut changes);
    assert_eq!(changes.ops(), [set(&["numbers", "40"], 7)]);
}

#[derive(Synced)]
struct Heavy {
    items: Vec<Item>,
}

#[derive(Synced)]
struct Item {
    #[synced(with = "serde")]
    text: Counted,
    big: List<i64>,
}

/// Counts how often it is written.
#[derive(Clone, PartialEq, serde::Deserialize)]
struct Counted(String);

static WRITTEN: AtomicUsize = AtomicUsize::new(0);

impl serde::Serialize for Counted {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WRITTEN.fetch_add(1, Ordering::Relaxed);
        serializer.serialize_str(&self.0)
    }
}

/// Trying costs no more than telling: the rest of a long list is not written to find out that it is long.
#[test]
fn what_did_not_change_is_hardly_ever_written() {
    let mut model = Tracked::new(Heavy {
        items: (0..100)
            .map(|_| Item {
                text: Counted("x".repeat(500)),
                big: (0..1_000).collect(),
            })
            .collect(),
    });
    for index in [3, 50] {
        model.items[index].text.0.push('y');
    }
    WRITTEN.store(0, Ordering::Relaxed);
    let mut changes = Changes::as_json();
    Tracked::collect(&mut model, &mut changes);
    assert_eq!(changes.len(), 2);
    let written = WRITTEN.load(Ordering::Relaxed);
    assert!(written <= 5, "{written} texts were written");
}
