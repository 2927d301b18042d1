//! A second world: enums in all representations, and fields that travel in special ways.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use transports::Synced;

use super::entropy::Entropy;
use super::laws::Model;

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(computed(sum: i64 = Self::sum))]
pub(super) struct Shapes {
    shapes: Vec<Shape>,
    event: Event,
    job: Job,
    pair: Pair,
    #[synced(flatten)]
    base: Base,
    #[synced(flatten)]
    more: BTreeMap<String, Shape>,
    #[synced(with = "serde")]
    span: std::ops::Range<i64>,
    #[synced(key = "id")]
    rows: Vec<Row>,
    shared: Arc<Row>,
    time: Duration,
    #[synced(alias = "b", length = ..3)]
    text: String,
}

#[derive(Synced, Clone, Debug, PartialEq)]
enum Shape {
    Point,
    Circle {
        radius: i64,
        #[synced(read_only, default)]
        owner: String,
    },
    Square(i64),
    Line(i64, #[synced(range = 0..=9)] i64),
    Group(Vec<Self>),
    Boxed(Box<Self>),
}

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(tag = "a")]
enum Event {
    Idle,
    Key { code: i64, again: Option<i64> },
    Row(Row),
    Entries(BTreeMap<String, i64>),
}

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(tag = "t", content = "c")]
enum Job {
    Idle,
    Row(Row),
    Both(i64, String),
    Named { a: i64 },
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Pair(i64, #[synced(read_only)] i64);

#[derive(Synced, Clone, Debug, PartialEq)]
struct Base {
    lamp: i64,
    #[synced(read_only)]
    serial: i64,
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Row {
    id: i64,
    label: String,
}

impl Shapes {
    fn sum(&self) -> i64 {
        self.rows
            .iter()
            .fold(0, |sum, row| sum.wrapping_add(row.id))
    }
}

impl Row {
    fn random(entropy: &mut Entropy) -> Self {
        Self {
            id: entropy.below(6) as i64,
            label: entropy.text(),
        }
    }
}

impl Shape {
    fn random(entropy: &mut Entropy) -> Self {
        match entropy.below(6) {
            0 => Self::Point,
            1 => Self::Circle {
                radius: entropy.int(),
                owner: entropy.text(),
            },
            2 => Self::Square(entropy.int()),
            3 => Self::Line(entropy.int(), entropy.below(12) as i64),
            4 => Self::Group(vec![Self::Square(entropy.int()), Self::Point]),
            _ => Self::Boxed(Box::new(Self::Square(entropy.int()))),
        }
    }

    fn mutate(&mut self, entropy: &mut Entropy) {
        match self {
            Self::Circle { radius, .. } => *radius = entropy.int(),
            Self::Square(size) => *size = entropy.int(),
            Self::Line(_, end) => *end = entropy.below(12) as i64,
            Self::Group(shapes) => shapes.push(Self::random(entropy)),
            Self::Boxed(shape) if !entropy.is_empty() => shape.mutate(entropy),
            _ => *self = Self::random(entropy),
        }
    }
}

impl Model for Shapes {
    fn new() -> Self {
        let row = || Row {
            id: 1,
            label: "r".into(),
        };
        Self {
            shapes: vec![Shape::Point, Shape::Square(1)],
            event: Event::Idle,
            job: Job::Idle,
            pair: Pair(1, 2),
            base: Base { lamp: 1, serial: 2 },
            more: BTreeMap::from([("x".into(), Shape::Point)]),
            span: 0..3,
            rows: vec![row()],
            shared: Arc::new(row()),
            time: Duration::from_secs(1),
            text: "t".into(),
        }
    }

    fn mutate(&mut self, entropy: &mut Entropy) {
        let place = entropy.below(self.rows.len());
        match entropy.below(16) {
            0 => self.shapes.push(Shape::random(entropy)),
            1 => self
                .shapes
                .iter_mut()
                .for_each(|shape| shape.mutate(entropy)),
            2 => drop(self.shapes.pop()),
            3 => {
                self.event = match entropy.below(4) {
                    0 => Event::Idle,
                    1 => Event::Key {
                        code: entropy.int(),
                        again: None,
                    },
                    2 => Event::Row(Row::random(entropy)),
                    _ => Event::Entries(BTreeMap::from([("z".into(), entropy.int())])),
                }
            }
            4 => {
                self.job = match entropy.below(4) {
                    0 => Job::Idle,
                    1 => Job::Row(Row::random(entropy)),
                    2 => Job::Both(entropy.int(), entropy.text()),
                    _ => Job::Named { a: entropy.int() },
                }
            }
            5 => self.pair.1 = entropy.int(),
            6 => self.base.lamp = entropy.int(),
            7 => drop(self.more.insert(
                ["x", "y", ""][entropy.below(3)].into(),
                Shape::random(entropy),
            )),
            8 => self
                .more
                .values_mut()
                .for_each(|shape| shape.mutate(entropy)),
            9 => drop(self.more.pop_first()),
            10 => self.span = 0..entropy.int(),
            11 => self.rows.insert(place, Row::random(entropy)),
            12 if !self.rows.is_empty() => self.rows.rotate_left(place),
            13 if !self.rows.is_empty() => drop(self.rows.remove(place)),
            14 => Arc::make_mut(&mut self.shared).label = entropy.text(),
            _ => self.text = entropy.text(),
        }
    }
}
