//! A model of lists so long, and changed so much, that telling them whole is shorter now and then.

use std::collections::VecDeque;

use transports::collections::List;
use transports::{Synced, Value};

use super::entropy::Entropy;
use super::laws::Model;

#[derive(Synced, Clone, Debug, PartialEq)]
pub(super) struct Long {
    numbers: Vec<i64>,
    rows: VecDeque<Row>,
    #[synced(key = "id")]
    keyed: Vec<Row>,
    fixed: [f64; 48],
    grid: Vec<Vec<i64>>,
    any: Value,
    tracked: List<Row>,
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Row {
    #[synced(range = ..=1_000_000)]
    id: i64,
    label: String,
}

impl Row {
    fn numbered(id: i64) -> Self {
        Self {
            id,
            label: "row".into(),
        }
    }
}

/// Changes every `step`th item.
fn some<'a, T: 'a>(
    items: impl IntoIterator<Item = &'a mut T>,
    step: usize,
    change: impl FnMut(&'a mut T),
) {
    items.into_iter().step_by(step).for_each(change);
}

impl Model for Long {
    fn new() -> Self {
        Self {
            numbers: (0..80).collect(),
            rows: (0..40).map(Row::numbered).collect(),
            keyed: (0..40).map(Row::numbered).collect(),
            fixed: [0.0; 48],
            grid: vec![vec![0; 24]; 6],
            any: (0..80).map(Value::from).collect(),
            tracked: (0..40).map(Row::numbered).collect(),
        }
    }

    fn mutate(&mut self, entropy: &mut Entropy) {
        let step = 1 + entropy.below(12);
        let number = entropy.int();
        match entropy.below(14) {
            0 => some(&mut self.numbers, step, |item| *item = number),
            1 => self.numbers.retain(|item| item % 3 != number % 3),
            2 => self
                .numbers
                .extend((0..20).map(|item| number.wrapping_mul(item) % 7)),
            3 => some(&mut self.rows, step, |row| row.label = number.to_string()),
            4 => self.rows.retain(|row| row.id % 2 == number % 2),
            5 => self.rows.extend((0..10).map(Row::numbered)),
            6 => some(&mut self.keyed, step, |row| row.label = entropy.text()),
            7 => self.keyed.reverse(),
            8 => some(&mut self.fixed, step, |item| *item += 1.0),
            9 => some(&mut self.grid, step, |row| row.fill(number)),
            10 => match &mut self.any {
                Value::List(items) => some(items, step, |item| *item = number.into()),
                other => *other = (0..30).map(Value::from).collect(),
            },
            11 => some(&mut self.tracked, step, |row| row.label = entropy.text()),
            12 => some(&mut self.tracked, step, |row| row.id = number % 1_000),
            _ => {
                self.tracked.truncate(4);
                self.tracked.extend((0..40).map(Row::numbered));
            }
        }
    }
}
