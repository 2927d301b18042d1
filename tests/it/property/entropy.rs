//! Random decisions that shrink: a program is a list of numbers, and each number decides one thing.

use transports::Value;
use transports::collections::Text;

/// Numbers to make decisions from. After the last one every decision is the first choice.
#[derive(Clone, Debug)]
pub(super) struct Entropy {
    numbers: std::vec::IntoIter<u32>,
}

impl Entropy {
    pub(super) fn new(numbers: Vec<u32>) -> Self {
        Self {
            numbers: numbers.into_iter(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.numbers.len() == 0
    }

    pub(super) fn next(&mut self) -> u32 {
        self.numbers.next().unwrap_or_default()
    }

    /// One of `0..choices`.
    pub(super) fn below(&mut self, choices: usize) -> usize {
        self.next() as usize % choices.max(1)
    }

    pub(super) fn int(&mut self) -> i64 {
        match self.below(8) {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => i64::from(self.next()),
            _ => i64::from(self.next() % 5),
        }
    }

    pub(super) fn float(&mut self) -> f64 {
        [0.0, -0.0, 1.0, 0.1, 1e300, -2.5, f64::NAN, f64::INFINITY][self.below(8)]
    }

    pub(super) fn text(&mut self) -> String {
        ["", "a", "b", "lamp", "日本", "q\"\\\n", "a.b", "0", "\u{0}"][self.below(9)].to_owned()
    }

    /// What a writer does to a text.
    pub(super) fn write(&mut self, text: &mut Text) {
        let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
        let place = places.get(self.below(places.len())).copied().unwrap_or(0);
        let second = places.get(self.below(places.len())).copied().unwrap_or(0);
        match self.below(9) {
            0 => text.insert_str(place, &self.text()),
            1 => text.insert(place, '日'),
            2 if !text.is_empty() => drop(text.remove(place)),
            3 => text.replace_range(place.min(second)..place.max(second), &self.text()),
            4 => text.truncate(place),
            5 => text.extend("one more".chars()),
            6 => text.edit(|text| text.push('x')),
            7 => drop(text.pop()),
            _ => *text += &self.text().repeat(3),
        }
    }

    /// Any small tree.
    pub(super) fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 1),
            2 => Value::Int(self.int()),
            3 => Value::Float([0.0, 1.0, -2.5, 1e300][self.below(4)]),
            4 => Value::Str(self.text()),
            5 => Value::Submodel(self.next().into()),
            6 => (0..self.below(5)).map(|_| self.value(depth - 1)).collect(),
            _ => (0..self.below(4))
                .map(|_| (self.text(), self.value(depth - 1)))
                .collect(),
        }
    }

    /// A change somewhere in a tree: what a person at a client might do to it, sensible or not.
    pub(super) fn mutate(&mut self, value: &mut Value) {
        match value {
            Value::List(items) if !items.is_empty() && self.below(3) > 0 => {
                let index = self.below(items.len());
                match self.below(7) {
                    0 => drop(items.remove(index)),
                    1 => items.insert(index, items[index].clone()),
                    2 => items.swap(0, index),
                    3 => items.rotate_left(index),
                    4 => items.reverse(),
                    _ => self.mutate(&mut items[index]),
                }
            }
            Value::Map(entries) if !entries.is_empty() && self.below(8) > 0 => {
                let key = entries
                    .keys()
                    .nth(self.below(entries.len()))
                    .cloned()
                    .unwrap();
                match self.below(10) {
                    0 => drop(entries.remove(&key)),
                    1 => drop(entries.insert(self.text(), Value::Int(1))),
                    _ => self.mutate(entries.get_mut(&key).unwrap()),
                }
            }
            Value::Int(int) if self.below(4) > 0 => *int = self.int(),
            Value::Str(text) if self.below(4) > 0 => *text = self.text(),
            Value::Bool(bool) if self.below(4) > 0 => *bool = !*bool,
            Value::Float(float) if self.below(4) > 0 => *float = [0.0, 1.0, 3.25][self.below(3)],
            Value::List(items) if self.below(2) > 0 => items.push(self.value(1)),
            other => *other = self.value(2),
        }
    }
}
