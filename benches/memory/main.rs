//! `cargo bench -p benches --bench memory`: what tracking allocates at each change, and what it holds.
#![expect(clippy::print_stdout, reason = "a program for people")]

use std::collections::BTreeMap;

use dhat::{Alloc, HeapStats, Profiler};
use transports::collections::{List, Map, Text};
use transports::{Changes, Synced, Tracked};

#[global_allocator]
static ALLOC: Alloc = Alloc;

#[derive(Clone, Synced)]
struct Row {
    id: i64,
    name: String,
    price: f64,
    qty: i64,
}

fn row(id: usize) -> Row {
    Row {
        id: id as i64,
        name: format!("row {id}"),
        price: 1.5,
        qty: 1,
    }
}

#[derive(Synced)]
struct Model {
    tick: i64,
    label: String,
    rows: List<Row>,
    entries: Map<String, i64>,
    text: Text,
    plain: Vec<Row>,
    plain_map: BTreeMap<i64, i64>,
}

fn model() -> Tracked<Model> {
    Tracked::new(Model {
        tick: 0,
        label: "label".into(),
        rows: (0..1_000).map(row).collect(),
        entries: (0..1_000).map(|key| (format!("key {key}"), 1)).collect(),
        text: Text::from("x".repeat(10_000)),
        plain: (0..1_000).map(row).collect(),
        plain_map: (0..1_000).map(|key| (key, 1)).collect(),
    })
}

fn main() {
    let _profiler = Profiler::builder().testing().build();
    println!("allocations per change, once it was done a few times");
    steady("a field", |model, step| model.tick = step);
    steady("a text of the same length", |model, step| {
        model.label.clear();
        model
            .label
            .push_str(if step % 2 == 0 { "lebal" } else { "label" });
    });
    steady("one of 1k rows", |model, step| {
        model.rows[step as usize % 1_000].qty += 1
    });
    steady("all of 1k rows", |model, _| {
        model.rows.iter_mut().for_each(|row| row.qty += 1)
    });
    steady("10 of 1k entries", |model, _| {
        for key in [
            "key 1", "key 20", "key 3", "key 44", "key 5", "key 66", "key 7", "key 88", "key 9",
            "key 10",
        ] {
            *model.entries.get_mut(key).expect("it is there") += 1;
        }
    });
    steady("a sliding window", |model, _| {
        let row = model.rows.remove(0);
        model.rows.push(row);
    });
    steady("a rotation", |model, _| model.rows.rotate_left(1));
    steady("a letter of a text", |model, step| {
        model.text.pop();
        model.text.push(if step % 2 == 0 { 'x' } else { 'y' });
    });
    steady("one of 1k plain rows", |model, step| {
        model.plain[step as usize % 1_000].qty += 1
    });
    steady("one of 1k plain entries", |model, step| {
        *model.plain_map.entry(step % 1_000).or_default() += 1;
    });

    println!("\nbytes held by tracking, and in parts of the model");
    let rows = || (0..100_000).map(row).collect::<Vec<_>>();
    let before = HeapStats::get().curr_bytes;
    let plain = rows();
    let size = HeapStats::get().curr_bytes - before;
    drop(plain);
    held(
        "List, nothing touched",
        size,
        Tracked::new(List::from(rows())),
        |_| {},
    );
    held(
        "List, 0.1 % touched",
        size,
        Tracked::new(List::from(rows())),
        |rows| {
            for index in 0..100 {
                rows[index * 997].qty += 1;
            }
        },
    );
    held("Vec", size, Tracked::new(rows()), |_| {});
}

/// Prints how often a change and its collection allocate after a warm-up.
fn steady(name: &str, mut change: impl FnMut(&mut Model, i64)) {
    const STEPS: i64 = 1_000;
    let mut model = model();
    let mut changes = Changes::as_json();
    let mut run = |steps: std::ops::Range<i64>| {
        for step in steps {
            change(&mut model, step);
            changes.clear();
            Tracked::collect(&mut model, &mut changes);
        }
    };
    // Texts of many lengths pass through the same memory, which has to have met the longest.
    run(0..2 * STEPS);
    let before = HeapStats::get().total_blocks;
    run(0..STEPS);
    let blocks = HeapStats::get().total_blocks - before;
    println!("{name:<28} {:>8.3}", blocks as f64 / STEPS as f64);
}

/// Prints what is held beyond the model itself, of `size` bytes.
fn held<T: Synced>(name: &str, size: usize, mut model: Tracked<T>, change: impl FnOnce(&mut T)) {
    let mut changes = Changes::as_json();
    change(&mut model);
    Tracked::collect(&mut model, &mut changes);
    drop(changes);
    let with = HeapStats::get().curr_bytes;
    let inner = Tracked::into_inner(model);
    let without = HeapStats::get().curr_bytes;
    drop(inner);
    let after = HeapStats::get().curr_bytes;
    // What a tracked collection holds goes with the collection.
    let tracking = (with - without) + (without - after).saturating_sub(size);
    println!(
        "{name:<28} {tracking:>12} {:>8.2} %",
        100.0 * tracking as f64 / size as f64
    );
}
