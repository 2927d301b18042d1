//! A model made of tracked collections, and random things that its host does to it.

use transports::Synced;
use transports::collections::{List, Map, MapKey, Text};

use super::entropy::Entropy;
use super::value_of;

#[derive(Synced, Clone, Debug, PartialEq)]
pub(super) struct House {
    name: String,
    rooms: List<Room>,
    spare: List<Room>,
    words: List<String>,
    maybe: Option<List<i64>>,
    plain: Vec<Room>,
    stock: Map<String, Room>,
    numbers: Map<i32, i64>,
    story: Text,
}

#[derive(Synced, Clone, Debug, Default, PartialEq)]
struct Room {
    #[synced(range = -1000..=1000)]
    size: i64,
    label: String,
    players: List<Player>,
}

#[derive(Synced, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Player {
    score: i64,
    wide: u64,
}

impl House {
    pub(super) fn new() -> Self {
        Self {
            name: "house".into(),
            rooms: (0..4).map(Room::numbered).collect(),
            spare: List::new(),
            words: List::from(["a".to_owned(), "b".to_owned()]),
            maybe: None,
            plain: (0..2).map(Room::numbered).collect(),
            stock: Map::from([("x".to_owned(), Room::numbered(1))]),
            numbers: (0..20).map(|key| (key, 0)).collect(),
            story: Text::from("日本 once upon a time ".repeat(4)),
        }
    }

    /// One thing a host might do.
    pub(super) fn mutate(&mut self, entropy: &mut Entropy) {
        match entropy.below(23) {
            16..=18 => mutate_map(
                &mut self.stock,
                entropy,
                Entropy::text,
                Room::random,
                Room::mutate,
            ),
            19..=20 => mutate_map(
                &mut self.numbers,
                entropy,
                |entropy| entropy.below(24) as i32,
                Entropy::int,
                |int, entropy| *int = entropy.int(),
            ),
            21 => match entropy.below(6) {
                5 => entropy.write(&mut self.story),
                0 => self.story += &entropy.text(),
                1 => drop(self.story.pop()),
                2 => self.story.set(entropy.text()),
                3 => self.story = self.story.clone(),
                _ => self.name = std::mem::take(&mut self.story).into_string(),
            },
            0..=5 => mutate_list(&mut self.rooms, entropy, Room::random, Room::mutate),
            6 => mutate_list(&mut self.spare, entropy, Room::random, Room::mutate),
            7 => mutate_list(&mut self.words, entropy, Entropy::text, |word, entropy| {
                word.push_str(&entropy.text())
            }),
            8 => std::mem::swap(&mut self.rooms, &mut self.spare),
            9 => self.rooms = std::mem::take(&mut self.spare),
            10 => self.spare = self.rooms.clone(),
            11 => match &mut self.maybe {
                Some(list) => mutate_list(list, entropy, Entropy::int, |int, entropy| {
                    *int = entropy.int()
                }),
                none => *none = Some(List::from([1, 2])),
            },
            12 => self.maybe = None,
            13 => {
                // The same list comes back changed.
                let mut rooms = std::mem::take(&mut self.rooms);
                mutate_list(&mut rooms, entropy, Room::random, Room::mutate);
                self.rooms = rooms;
            }
            14 => self.plain.iter_mut().for_each(|room| room.mutate(entropy)),
            _ => self.plain.push(Room::random(entropy)),
        }
    }
}

impl Room {
    fn numbered(size: i64) -> Self {
        Self {
            size,
            label: format!("room {size}"),
            players: List::new(),
        }
    }

    fn random(entropy: &mut Entropy) -> Self {
        let mut room = Self::numbered(entropy.below(5) as i64);
        for _ in 0..entropy.below(3) {
            room.players.push(Player {
                score: entropy.int(),
                wide: 1,
            });
        }
        room
    }

    fn mutate(&mut self, entropy: &mut Entropy) {
        match entropy.below(5) {
            0 => self.size = i64::from(entropy.next() % 7),
            1 => self.label = entropy.text(),
            _ => mutate_list(
                &mut self.players,
                entropy,
                |entropy| Player {
                    score: entropy.int(),
                    wide: 2,
                },
                |player, entropy| player.score = entropy.int(),
            ),
        }
    }
}

fn mutate_list<T: Synced + Clone + PartialEq>(
    list: &mut List<T>,
    entropy: &mut Entropy,
    new: fn(&mut Entropy) -> T,
    change: fn(&mut T, &mut Entropy),
) {
    let place = entropy.below(list.len());
    let other = entropy.below(list.len());
    let (low, high) = (place.min(other), place.max(other));
    match entropy.below(31) {
        _ if list.is_empty() => list.push(new(entropy)),
        0..=2 => list.push(new(entropy)),
        3 => drop(list.pop()),
        4 => list.insert(place, new(entropy)),
        5 => drop(list.remove(place)),
        6 => drop(list.swap_remove(place)),
        7 => list.truncate(place),
        8 => list.clear(),
        9 => list.extend((0..3).map(|_| new(entropy))),
        10 => drop(list.drain(low..high)),
        11 => list.retain(|_| entropy.below(3) > 0),
        12 => list.dedup(),
        13 => list.sort_by_key(|item| format!("{:?}", value_of(item))),
        14 => list.reverse(),
        15 => list.rotate_left(place),
        16 => list.rotate_right(place),
        17 => list.swap(place, other),
        18 => {
            let mut tail = list.split_off(place).into_vec();
            list.append(&mut tail);
        }
        19 => list.iter_mut().for_each(|item| change(item, entropy)),
        20 => list
            .iter_mut_where(|_| true)
            .take(2)
            .for_each(|item| change(item, entropy)),
        21 => change(list.first_mut().unwrap(), entropy),
        22 => change(list.last_mut().unwrap(), entropy),
        23 => list.move_item(place, other),
        24 => list.edit(|items| items.reverse()),
        25 => list.resize(entropy.below(6), new(entropy)),
        26 => {
            // A window that slides.
            list.remove(0);
            list.push(new(entropy));
        }
        27 => {
            let copy = list[place].clone();
            list[other] = copy;
        }
        _ => change(&mut list[place], entropy),
    }
}

fn mutate_map<K: MapKey, V: Synced + Clone>(
    map: &mut Map<K, V>,
    entropy: &mut Entropy,
    key: fn(&mut Entropy) -> K,
    new: fn(&mut Entropy) -> V,
    change: fn(&mut V, &mut Entropy),
) {
    let (place, value) = (key(entropy), new(entropy));
    match entropy.below(15) {
        0..=2 => drop(map.insert(place, value)),
        3..=4 => drop(map.remove(&place)),
        5 => drop(map.pop_first()),
        6 => drop(map.pop_last()),
        7 => map.clear(),
        8 => map.retain(|_, value| {
            change(value, entropy);
            entropy.below(4) > 0
        }),
        9 => change(map.entry(place).or_insert(value), entropy),
        10 => {
            map.entry(place)
                .and_modify(|value| change(value, entropy))
                .or_insert(value);
        }
        11 => map.values_mut().for_each(|value| change(value, entropy)),
        12 => map
            .iter_mut_where(|_, _| true)
            .take(1)
            .for_each(|(_, value)| change(value, entropy)),
        13 => *map = map.clone(),
        _ => {
            if let Some(value) = map.get_mut(&place) {
                change(value, entropy);
            }
        }
    }
}
