//! `transports`, with tracked collections and with plain ones.

use benches::Contestant;
use transports::collections::List;
use transports::{Changes, Synced, Tracked as Model};

use crate::models::{Positions, Row, row, rows, small as small_model};

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
