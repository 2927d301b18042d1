//! Other crates, each in the way its docs recommend, until the change is JSON.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use benches::Contestant;
use eyeball_im::{ObservableVector, Vector, VectorSubscriberBatchedStream};
use futures_core::Stream;
use morphix::adapter::Json;
use morphix::{Mutation, MutationKind, Observe, observe};
use published::{Value, diff};
use serde::Serialize;

use crate::models::{
    LETTERS, Positions, Row, Small, entries as entries_model, key, row, rows, small,
};

fn json(out: &mut Vec<u8>, value: &impl Serialize) -> usize {
    out.clear();
    serde_json::to_writer(&mut *out, value).unwrap();
    out.len()
}

/// What a change may do to a table.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    OneRow(Positions),
    AllRows,
    Window(usize),
}

#[derive(Clone, Serialize)]
struct Table {
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Book {
    entries: BTreeMap<String, i64>,
}

fn book() -> Book {
    Book {
        entries: entries_model(),
    }
}

/// Changes ten entries all over the book.
fn ten_entries() -> impl FnMut(&mut Book) {
    let mut positions = Positions::of(10_000);
    move |book| {
        for _ in 0..10 {
            *book.entries.get_mut(&key(positions.next())).unwrap() += 1;
        }
    }
}

#[derive(Serialize)]
struct Page {
    text: String,
}

fn page() -> Page {
    Page {
        text: "x".repeat(LETTERS),
    }
}

/// Adds a letter, and takes a thousand back now and then.
fn one_letter(page: &mut Page) {
    if page.text.len() >= LETTERS + 1_000 {
        page.text.truncate(LETTERS);
    }
    page.text.push('y');
}

impl Change {
    fn make(&mut self, rows: &mut Vec<Row>) {
        match self {
            Self::OneRow(positions) => rows[positions.next()].qty += 1,
            Self::AllRows => rows.iter_mut().for_each(|row| row.qty += 1),
            Self::Window(next) => {
                rows.remove(0);
                *next += 1;
                rows.push(row(*next));
            }
        }
    }
}

/// The whole model as JSON, every time.
pub(crate) mod whole {
    use super::*;

    pub(crate) fn small_struct() -> impl Contestant {
        let (mut model, mut out) = (small(), Vec::new());
        move || {
            model.level += 1;
            json(&mut out, &model)
        }
    }

    pub(crate) fn table(len: usize, mut change: Change) -> impl Contestant {
        let (mut model, mut out) = (Table { rows: rows(len) }, Vec::new());
        move || {
            change.make(&mut model.rows);
            json(&mut out, &model)
        }
    }

    fn written<T: Serialize>(mut model: T, mut change: impl FnMut(&mut T)) -> impl Contestant {
        let mut out = Vec::new();
        move || {
            change(&mut model);
            json(&mut out, &model)
        }
    }

    pub(crate) fn entries() -> impl Contestant {
        written(book(), ten_entries())
    }

    pub(crate) fn letter() -> impl Contestant {
        written(page(), one_letter)
    }

    pub(crate) fn push() -> impl Contestant {
        let rows = rows(10_000);
        written(Table { rows }, |table| {
            if table.rows.len() >= 11_000 {
                table.rows.truncate(10_000);
            }
            table.rows.push(row(table.rows.len()));
        })
    }

    pub(crate) fn remove_first() -> impl Contestant {
        let all = rows(1_050);
        written(Table { rows: all.clone() }, move |table| {
            if table.rows.len() < 950 {
                table.rows.clone_from(&all);
            }
            table.rows.remove(0);
        })
    }
}

/// `json-patch`: trees before and after, compared.
pub(crate) mod json_patch {
    use super::*;

    fn tree_diff<T: Serialize>(mut model: T, mut change: impl FnMut(&mut T)) -> impl Contestant {
        let mut old = serde_json::to_value(&model).unwrap();
        let mut out = Vec::new();
        move || {
            change(&mut model);
            let new = serde_json::to_value(&model).unwrap();
            let patch = ::json_patch::diff(&old, &new);
            old = new;
            json(&mut out, &patch)
        }
    }

    pub(crate) fn small_struct() -> impl Contestant {
        tree_diff(small(), |model| model.level += 1)
    }

    pub(crate) fn table(len: usize, mut change: Change) -> impl Contestant {
        tree_diff(Table { rows: rows(len) }, move |model| {
            change.make(&mut model.rows)
        })
    }

    pub(crate) fn entries() -> impl Contestant {
        tree_diff(book(), ten_entries())
    }

    pub(crate) fn letter() -> impl Contestant {
        tree_diff(page(), one_letter)
    }
}

/// The published crate: trees of its own, compared.
pub(crate) mod published_crate {
    use super::*;

    fn tree_diff<T>(
        mut model: T,
        mut change: impl FnMut(&mut T),
        value: fn(&T) -> Value,
    ) -> impl Contestant {
        let mut old = value(&model);
        let mut out = Vec::new();
        move || {
            change(&mut model);
            let new = value(&model);
            let patch = diff(&old, &new);
            old = new;
            json(&mut out, &patch)
        }
    }

    pub(crate) fn small_struct() -> impl Contestant {
        let value = |model: &Small| {
            Value::map([
                ("name", Value::Str(model.name.clone())),
                ("on", Value::Bool(model.on)),
                ("level", Value::Int(model.level)),
                ("ratio", Value::Float(model.ratio)),
                ("count", Value::Int(model.count.into())),
                ("unit", Value::Str(model.unit.clone())),
                ("low", Value::Int(model.low)),
                ("high", Value::Int(model.high)),
            ])
        };
        tree_diff(small(), |model| model.level += 1, value)
    }

    pub(crate) fn table(len: usize, mut change: Change) -> impl Contestant {
        let value = |rows: &Vec<Row>| {
            let rows = rows.iter().map(|row| {
                Value::map([
                    ("id", Value::Int(row.id)),
                    ("name", Value::Str(row.name.clone())),
                    ("price", Value::Float(row.price)),
                    ("qty", Value::Int(row.qty)),
                ])
            });
            Value::map([("rows", Value::List(rows.collect()))])
        };
        tree_diff(rows(len), move |rows| change.make(rows), value)
    }

    pub(crate) fn entries() -> impl Contestant {
        tree_diff(book(), ten_entries(), |book| {
            let entries = book.entries.iter();
            let entries = entries.map(|(key, value)| (key.clone(), Value::Int(*value)));
            Value::map([("entries", Value::Map(entries.collect()))])
        })
    }

    pub(crate) fn letter() -> impl Contestant {
        tree_diff(page(), one_letter, |page| {
            Value::map([("text", Value::Str(page.text.clone()))])
        })
    }
}

/// `eyeball-im`: a vector that tells its subscribers; each step ends with the diffs as JSON. It has no map and no text.
pub(crate) mod eyeball {
    use super::*;

    struct Watched {
        rows: ObservableVector<Row>,
        stream: VectorSubscriberBatchedStream<Row>,
        out: Vec<u8>,
    }

    impl Watched {
        fn new(len: usize) -> Self {
            let mut rows = ObservableVector::with_capacity(4096);
            rows.append(Vector::from(crate::models::rows(len)));
            let stream = rows.subscribe().into_batched_stream();
            Self {
                rows,
                stream,
                out: Vec::new(),
            }
        }

        fn told(&mut self) -> usize {
            let mut context = Context::from_waker(Waker::noop());
            match Pin::new(&mut self.stream).poll_next(&mut context) {
                Poll::Ready(Some(diffs)) => json(&mut self.out, &diffs),
                _ => 0,
            }
        }
    }

    pub(crate) fn table(len: usize, mut change: Change) -> impl Contestant {
        let mut watched = Watched::new(len);
        move || {
            match &mut change {
                Change::OneRow(positions) => {
                    let index = positions.next();
                    let mut row = watched.rows[index].clone();
                    row.qty += 1;
                    watched.rows.set(index, row);
                }
                Change::AllRows => {
                    for index in 0..watched.rows.len() {
                        let mut row = watched.rows[index].clone();
                        row.qty += 1;
                        watched.rows.set(index, row);
                    }
                }
                Change::Window(next) => {
                    watched.rows.pop_front();
                    *next += 1;
                    watched.rows.push_back(row(*next));
                }
            }
            watched.told()
        }
    }

    pub(crate) struct Push(Watched);

    impl Push {
        pub(crate) fn new() -> Self {
            Self(Watched::new(12_000))
        }
    }

    impl Contestant for Push {
        fn reset(&mut self) {
            self.0.rows.truncate(10_000);
            self.0.told();
        }

        fn step(&mut self) -> usize {
            let index = self.0.rows.len();
            self.0.rows.push_back(row(index));
            self.0.told()
        }
    }

    pub(crate) struct RemoveFirst(Watched);

    impl RemoveFirst {
        pub(crate) fn new() -> Self {
            Self(Watched::new(0))
        }
    }

    impl Contestant for RemoveFirst {
        fn reset(&mut self) {
            self.0 = Watched::new(1_050);
        }

        fn step(&mut self) -> usize {
            self.0.rows.pop_front();
            self.0.told()
        }
    }
}

/// `morphix`: observers that note changes.
pub(crate) mod morphix_crate {
    use super::*;

    #[derive(Observe, Serialize)]
    struct SmallModel {
        name: String,
        on: bool,
        level: i64,
        ratio: f64,
        count: u32,
        unit: String,
        low: i64,
        high: i64,
    }

    #[derive(Observe, Serialize)]
    struct TableModel {
        rows: Vec<RowModel>,
    }

    #[derive(Observe, Serialize)]
    struct RowModel {
        id: i64,
        name: String,
        price: f64,
        qty: i64,
    }

    #[derive(Observe, Serialize)]
    struct BookModel {
        entries: BTreeMap<String, i64>,
    }

    #[derive(Observe, Serialize)]
    struct PageModel {
        text: String,
    }

    pub(crate) fn entries() -> impl Contestant {
        let mut model = BookModel {
            entries: entries_model(),
        };
        let mut positions = Positions::of(10_000);
        let mut out = Vec::new();
        move || {
            let Json(mutation) = observe!(model => {
                for _ in 0..10 {
                    *model.entries.get_mut(&key(positions.next())).unwrap() += 1;
                }
            })
            .unwrap();
            told(&mut out, mutation.as_ref())
        }
    }

    pub(crate) struct Letter {
        model: PageModel,
        out: Vec<u8>,
    }

    impl Letter {
        pub(crate) fn new() -> Self {
            Self {
                model: PageModel {
                    text: String::new(),
                },
                out: Vec::new(),
            }
        }
    }

    impl Contestant for Letter {
        fn reset(&mut self) {
            self.model.text = "x".repeat(LETTERS);
        }

        fn step(&mut self) -> usize {
            let Self { model, out } = self;
            let Json(mutation) = observe!(model => { model.text.push('y'); }).unwrap();
            told(out, mutation.as_ref())
        }
    }

    /// The crate has no JSON form of its mutations; this is the shortest there could be.
    fn told(out: &mut Vec<u8>, mutation: Option<&Mutation<serde_json::Value>>) -> usize {
        out.clear();
        if let Some(mutation) = mutation {
            write(out, mutation);
        }
        out.len()
    }

    fn write(out: &mut Vec<u8>, mutation: &Mutation<serde_json::Value>) {
        write!(out, "[\"{}\",", mutation.path).unwrap();
        match &mutation.kind {
            MutationKind::Replace(value) | MutationKind::Append(value) => {
                serde_json::to_writer(&mut *out, value).unwrap();
            }
            MutationKind::Truncate(len) => write!(out, "{len}").unwrap(),
            MutationKind::Delete => out.extend_from_slice(b"null"),
            MutationKind::Batch(mutations) => {
                for (position, mutation) in mutations.iter().enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    write(out, mutation);
                }
            }
        }
        out.push(b']');
    }

    fn row_model(row: Row) -> RowModel {
        RowModel {
            id: row.id,
            name: row.name,
            price: row.price,
            qty: row.qty,
        }
    }

    pub(crate) fn small_struct() -> impl Contestant {
        let small = small();
        let mut model = SmallModel {
            name: small.name,
            on: small.on,
            level: small.level,
            ratio: small.ratio,
            count: small.count,
            unit: small.unit,
            low: small.low,
            high: small.high,
        };
        let mut out = Vec::new();
        move || {
            let Json(mutation) = observe!(model => { model.level += 1; }).unwrap();
            told(&mut out, mutation.as_ref())
        }
    }

    pub(crate) fn table(len: usize, mut change: Change) -> impl Contestant {
        let mut model = TableModel {
            rows: rows(len).into_iter().map(row_model).collect(),
        };
        let mut out = Vec::new();
        move || {
            let Json(mutation) = match &mut change {
                Change::OneRow(positions) => {
                    let index = positions.next();
                    observe!(model => { model.rows[index].qty += 1; }).unwrap()
                }
                Change::AllRows => {
                    observe!(model => { for row in model.rows.iter_mut() { row.qty += 1; } })
                        .unwrap()
                }
                Change::Window(next) => {
                    *next += 1;
                    let new = row_model(row(*next));
                    observe!(model => { model.rows.remove(0); model.rows.push(new); }).unwrap()
                }
            };
            told(&mut out, mutation.as_ref())
        }
    }

    pub(crate) struct Push {
        model: TableModel,
        out: Vec<u8>,
    }

    impl Push {
        pub(crate) fn new() -> Self {
            let model = TableModel {
                rows: rows(12_000).into_iter().map(row_model).collect(),
            };
            Self {
                model,
                out: Vec::new(),
            }
        }
    }

    impl Contestant for Push {
        fn reset(&mut self) {
            self.model.rows.truncate(10_000);
        }

        fn step(&mut self) -> usize {
            let Self { model, out } = self;
            let new = row_model(row(model.rows.len()));
            let Json(mutation) = observe!(model => { model.rows.push(new); }).unwrap();
            told(out, mutation.as_ref())
        }
    }

    pub(crate) struct RemoveFirst {
        model: TableModel,
        out: Vec<u8>,
    }

    impl RemoveFirst {
        pub(crate) fn new() -> Self {
            Self {
                model: TableModel { rows: Vec::new() },
                out: Vec::new(),
            }
        }
    }

    impl Contestant for RemoveFirst {
        fn reset(&mut self) {
            self.model.rows = rows(1_050).into_iter().map(row_model).collect();
        }

        fn step(&mut self) -> usize {
            let Self { model, out } = self;
            let Json(mutation) = observe!(model => { model.rows.remove(0); }).unwrap();
            told(out, mutation.as_ref())
        }
    }
}
