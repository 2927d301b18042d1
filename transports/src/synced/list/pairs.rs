//! Which item of a list continues which one of what the list was.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

use foldhash::quality::RandomState;

use crate::synced::Synced;
use crate::value::Value;

/// How far one list is searched for an item of the other before the two are taken for the same item changed.
const AHEAD: usize = 16;

/// Pairs items by walking both lists, looking a few items ahead where they differ.
pub(crate) fn by_look_ahead<T: Synced>(new: &[T], old: &[T::Shadow]) -> Vec<Option<usize>> {
    let mut matches = Vec::with_capacity(new.len());
    let mut next = 0;
    let mut rest = new;
    while let [item, following @ ..] = rest {
        let olds = old.get(next..).unwrap_or_default();
        let Some(shadow) = olds.first() else {
            matches.push(None);
            rest = following;
            continue;
        };
        if item.same(shadow) {
            matches.push(Some(next));
            next += 1;
            rest = following;
            continue;
        }
        // The nearest place where the lists agree again, in either direction.
        let ahead = (1..=AHEAD).find_map(|distance| {
            if olds.get(distance).is_some_and(|shadow| item.same(shadow)) {
                Some((distance, 0))
            } else if rest.get(distance).is_some_and(|item| item.same(shadow)) {
                Some((0, distance))
            } else {
                None
            }
        });
        match ahead {
            Some((removed, 0)) => next += removed,
            Some((_, inserted)) => {
                matches.extend(std::iter::repeat_n(None, inserted));
                rest = rest.get(inserted..).unwrap_or_default();
            }
            None => {
                matches.push(Some(next));
                next += 1;
                rest = following;
            }
        }
    }
    matches
}

/// Pairs equal values wherever they are, and then what is left in between by position.
///
/// Most items stand beside what they stood beside, or not far away, so that is looked at first. Where that takes more steps
/// than there are items, they are found by their hashes.
pub(crate) fn by_equality(new: &[Value], old: &[Value]) -> Vec<Option<usize>> {
    let mut taken = vec![false; old.len()];
    let mut last = NONE;
    let mut steps = old.len();
    let mut places = None;
    let mut matches: Vec<Option<usize>> = new
        .iter()
        .map(|value| {
            let is_it = |position: &usize| {
                taken.get(*position) == Some(&false)
                    && old.get(*position).is_some_and(|old| value.same(old))
            };
            let near = |distance: usize| {
                let around = [last.wrapping_add(distance), last.wrapping_sub(distance)];
                around.into_iter().find(is_it)
            };
            let mut position = near(1);
            if position.is_none() {
                let far = steps;
                position = (2..=far).find_map(|distance| {
                    steps -= 1;
                    near(distance)
                });
                if position.is_none() && far < old.len() {
                    let places = places.get_or_insert_with(|| Places::of(old));
                    // Different values of one hash are left to the second step.
                    position = places.first_free(value, &taken).filter(is_it);
                }
            }
            last = position?;
            if let Some(taken) = taken.get_mut(last) {
                *taken = true;
            }
            position
        })
        .collect();

    // An unpaired new item continues the unpaired old item right behind the old item of its predecessor.
    let mut behind = 0;
    for matched in &mut matches {
        if let Some(position) = matched {
            behind = *position + 1;
        } else if let Some(taken) = taken.get_mut(behind).filter(|taken| !**taken) {
            *taken = true;
            *matched = Some(behind);
            behind += 1;
        }
    }
    matches
}

/// Where values stand in a list, by their hashes.
struct Places {
    keys: RandomState,
    /// The first position of each hash. Hashes are hashed no further: nobody can choose them.
    first: HashMap<u64, usize, BuildHasherDefault<Hashed>>,
    /// Behind each position the next of the same hash; `NONE` is behind the last.
    next: Vec<usize>,
}

impl Places {
    fn of(values: &[Value]) -> Self {
        let keys = RandomState::default();
        let mut first: HashMap<_, _, _> = HashMap::default();
        first.reserve(values.len());
        let mut next = vec![NONE; values.len()];
        for (position, (value, next)) in values.iter().zip(&mut next).enumerate().rev() {
            if let Some(behind) = first.insert(hash(&keys, value), position) {
                *next = behind;
            }
        }
        Self { keys, first, next }
    }

    /// The first position of the value's hash that is not taken.
    fn first_free(&mut self, value: &Value, taken: &[bool]) -> Option<usize> {
        let place = self.first.get_mut(&hash(&self.keys, value))?;
        while taken.get(*place)? == &true {
            *place = self.next.get(*place).copied()?;
        }
        Some(*place)
    }
}

/// No position.
const NONE: usize = usize::MAX;

/// Hashes of hashes are these.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

fn hash(keys: &RandomState, value: &Value) -> u64 {
    fn feed(value: &Value, state: &mut impl Hasher) {
        std::mem::discriminant(value).hash(state);
        match value {
            Value::Null => {}
            Value::Bool(value) => value.hash(state),
            Value::Int(value) => value.hash(state),
            // The zeros are equal, and so are all numbers that are not finite.
            Value::Float(value) if value.is_finite() => (value + 0.0).to_bits().hash(state),
            Value::Float(_) => {}
            Value::Str(value) => value.hash(state),
            Value::Submodel(value) => value.hash(state),
            Value::List(items) => {
                items.len().hash(state);
                for item in items {
                    feed(item, state);
                }
            }
            Value::Map(entries) => {
                entries.len().hash(state);
                for (key, value) in entries {
                    key.hash(state);
                    feed(value, state);
                }
            }
        }
    }

    let mut state = keys.build_hasher();
    feed(value, &mut state);
    state.finish()
}
