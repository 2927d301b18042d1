//! `transports`, with tracked collections and with plain ones.

use benches::Contestant;
use std::collections::BTreeMap;

use transports::collections::{List, Map, Text};
use transports::{Changes, Session, Synced, Tracked as Model};

use crate::models::{
    LETTERS, Positions, Row, entries as entries_model, key, row, rows, small as small_model,
};

/// A kind of list.
pub(crate) trait Rows:
    Synced + From<Vec<Row>> + std::ops::Deref<Target: AsRef<[Row]>>
{
    fn at(&mut self, index: usize) -> &mut Row;
    fn each(&mut self, change: impl FnMut(&mut Row));
    fn push_row(&mut self, row: Row);
    fn remove_first(&mut self);
    fn cut(&mut self, len: usize);
    fn count(&self) -> usize;
}

pub(crate) type Tracked = List<Row>;
pub(crate) type Plain = Vec<Row>;

macro_rules! rows {
    ($($Rows:ty)+) => {$(
        impl Rows for $Rows {
            fn at(&mut self, index: usize) -> &mut Row {
                &mut self[index]
            }

            fn each(&mut self, change: impl FnMut(&mut Row)) {
                self.iter_mut().for_each(change);
            }

            fn push_row(&mut self, row: Row) {
                self.push(row);
            }

            fn remove_first(&mut self) {
                self.remove(0);
            }

            fn cut(&mut self, len: usize) {
                self.truncate(len);
            }

            fn count(&self) -> usize {
                self.len()
            }
        }
    )+};
}

rows!(Tracked Plain);

#[derive(Synced)]
struct Table<R> {
    rows: R,
}

fn table<R: Rows>(len: usize) -> Model<Table<R>> {
    Model::new(Table {
        rows: R::from(rows(len)),
    })
}

fn collect<T: Synced>(model: &mut Model<T>, changes: &mut Changes) -> usize {
    changes.clear();
    Model::collect(model, changes);
    changes.json().len()
}

pub(crate) fn small() -> impl Contestant {
    let mut model = Model::new(small_model());
    let mut changes = Changes::as_json();
    move || {
        model.level += 1;
        collect(&mut model, &mut changes)
    }
}

pub(crate) fn one_row<R: Rows>(len: usize) -> impl Contestant {
    let mut model = table::<R>(len);
    let mut changes = Changes::as_json();
    let mut positions = Positions::of(len);
    move || {
        model.rows.at(positions.next()).qty += 1;
        collect(&mut model, &mut changes)
    }
}

/// One row of 1,000 in another codec.
pub(crate) fn one_row_in(mut changes: Changes) -> impl Contestant {
    let mut model = table::<Tracked>(1_000);
    let mut positions = Positions::of(1_000);
    move || {
        model.rows.at(positions.next()).qty += 1;
        changes.clear();
        Model::collect(&mut model, &mut changes);
        changes.json().len() + changes.msgpack().len() + changes.cbor().len()
    }
}

pub(crate) fn all_rows<R: Rows>() -> impl Contestant {
    let mut model = table::<R>(1_000);
    let mut changes = Changes::as_json();
    move || {
        model.rows.each(|row| row.qty += 1);
        collect(&mut model, &mut changes)
    }
}

pub(crate) fn window<R: Rows>() -> impl Contestant {
    let mut model = table::<R>(120);
    let mut changes = Changes::as_json();
    let mut next = 120;
    move || {
        model.rows.remove_first();
        next += 1;
        model.rows.push_row(row(next));
        collect(&mut model, &mut changes)
    }
}

pub(crate) fn idle<R: Rows>(len: usize) -> impl Contestant {
    let mut model = table::<R>(len);
    let mut changes = Changes::as_json();
    move || collect(&mut model, &mut changes)
}

pub(crate) struct Push<R: Rows> {
    model: Model<Table<R>>,
    changes: Changes,
}

impl<R: Rows> Push<R> {
    pub(crate) fn new() -> Self {
        Self {
            model: table(12_000),
            changes: Changes::as_json(),
        }
    }
}

impl<R: Rows> Contestant for Push<R> {
    fn reset(&mut self) {
        self.model.rows.cut(10_000);
        collect(&mut self.model, &mut self.changes);
    }

    fn step(&mut self) -> usize {
        let index = self.model.rows.count();
        self.model.rows.push_row(row(index));
        collect(&mut self.model, &mut self.changes)
    }
}

pub(crate) struct RemoveFirst<R: Rows> {
    model: Model<Table<R>>,
    changes: Changes,
}

impl<R: Rows> RemoveFirst<R> {
    pub(crate) fn new() -> Self {
        Self {
            model: table(0),
            changes: Changes::as_json(),
        }
    }
}

impl<R: Rows> Contestant for RemoveFirst<R> {
    fn reset(&mut self) {
        self.model = table(1_050);
    }

    fn step(&mut self) -> usize {
        self.model.rows.remove_first();
        collect(&mut self.model, &mut self.changes)
    }
}

/// A kind of map.
pub(crate) trait Entries: Synced + From<BTreeMap<String, i64>> {
    fn value(&mut self, key: &str) -> &mut i64;
}

pub(crate) type TrackedMap = Map<String, i64>;
pub(crate) type PlainMap = BTreeMap<String, i64>;

impl Entries for TrackedMap {
    fn value(&mut self, key: &str) -> &mut i64 {
        self.get_mut(key).unwrap()
    }
}

impl Entries for PlainMap {
    fn value(&mut self, key: &str) -> &mut i64 {
        self.get_mut(key).unwrap()
    }
}

#[derive(Synced)]
struct Book<E> {
    entries: E,
}

pub(crate) fn entries<E: Entries>() -> impl Contestant {
    let mut model = Model::new(Book {
        entries: E::from(entries_model()),
    });
    let mut changes = Changes::as_json();
    let mut positions = Positions::of(10_000);
    move || {
        for _ in 0..10 {
            *model.entries.value(&key(positions.next())) += 1;
        }
        collect(&mut model, &mut changes)
    }
}

/// A kind of text.
pub(crate) trait Letters: Synced + From<String> {
    fn add(&mut self, letter: char);
}

pub(crate) type TrackedText = Text;
pub(crate) type PlainText = String;

impl Letters for TrackedText {
    fn add(&mut self, letter: char) {
        self.push(letter);
    }
}

impl Letters for PlainText {
    fn add(&mut self, letter: char) {
        self.push(letter);
    }
}

#[derive(Synced)]
struct Page<L> {
    text: L,
}

pub(crate) struct Letter<L: Letters> {
    model: Model<Page<L>>,
    changes: Changes,
}

impl<L: Letters> Letter<L> {
    pub(crate) fn new() -> Self {
        Self {
            model: Model::new(Page {
                text: L::from(String::new()),
            }),
            changes: Changes::as_json(),
        }
    }

    /// Told as the part that changed.
    pub(crate) fn spliced() -> Self {
        Self {
            changes: Changes::as_json().with_splices(),
            ..Self::new()
        }
    }
}

impl<L: Letters> Contestant for Letter<L> {
    fn reset(&mut self) {
        self.model.text = L::from("x".repeat(LETTERS));
        collect(&mut self.model, &mut self.changes);
    }

    fn step(&mut self) -> usize {
        self.model.text.add('y');
        collect(&mut self.model, &mut self.changes)
    }
}

pub(crate) fn idle_session() -> impl Contestant {
    let session = Session::new();
    let models: Vec<_> = (0..10_000).map(|_| session.host(small_model())).collect();
    move || session.sync().patches + models.len()
}

pub(crate) fn snapshot<R: Rows>(len: usize) -> impl Contestant {
    let model = table::<R>(len);
    let mut changes = Changes::as_json();
    move || {
        changes.clear();
        changes.set(&transports::At::root(), &*model);
        changes.json().len()
    }
}
