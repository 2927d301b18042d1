//! A model with every kind of field there is, and random things that its host does to it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use transports::Synced;
use transports::collections::Text;

use super::entropy::Entropy;

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(rename_all = "camelCase", validate = World::name_differs_from_nick)]
pub(super) struct World {
    name: String,
    on: bool,
    int: i64,
    #[synced(range = -1000..=1000)]
    small: i16,
    wide: u64,
    float: f64,
    letter: char,
    nick: Option<String>,
    #[synced(range = 0.0..=1.0)]
    share: Option<f64>,
    #[synced(rename = "a \"quoted\" name")]
    quoted: i64,
    tags: Vec<String>,
    rows: Vec<Row>,
    grid: Vec<Vec<i64>>,
    queue: VecDeque<Row>,
    triple: [i64; 3],
    pair: (i64, Row),
    by_name: BTreeMap<String, i64>,
    by_number: BTreeMap<i32, Row>,
    hashed: HashMap<i64, Vec<i64>>,
    by_mode: HashMap<Mode, Row>,
    words: BTreeSet<String>,
    numbers: HashSet<i64>,
    mode: Mode,
    boxed: Box<Row>,
    maybe: Option<Row>,
    page: Page<Row>,
    id: Id,
    tree: Tree,
    story: Text,
    #[synced(read_only)]
    serial: i64,
    #[synced(skip)]
    secret: u8,
}

#[derive(Synced, Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    id: i64,
    label: String,
    #[synced(default)]
    marks: Vec<i64>,
    #[synced(read_only, default)]
    owner: String,
}

#[derive(Synced, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[synced(rename_all = "kebab-case")]
pub(super) enum Mode {
    Steady,
    FadingOut,
    #[synced(rename = "?")]
    Unknown,
}

#[derive(Synced, Clone, Debug, PartialEq)]
pub(super) struct Page<T> {
    items: Vec<T>,
    more: bool,
}

#[derive(Synced, Clone, Debug, PartialEq)]
pub(super) struct Id(u32);

#[derive(Synced, Clone, Debug, Default, PartialEq)]
pub(super) struct Tree {
    branches: Vec<Self>,
    leaf: Option<Box<Self>>,
}

impl World {
    fn name_differs_from_nick(&self) -> Result<(), String> {
        match &self.nick {
            Some(nick) if *nick == self.name => Err(format!("{nick:?} is the name already")),
            _ => Ok(()),
        }
    }

    /// What a mirror can know of it: numbers that are not finite are `Null` on the wire, which an `Option` reads as
    /// `None`; a skipped field never travels.
    pub(super) fn comparable(mut self) -> Self {
        if !self.float.is_finite() {
            self.float = f64::MAX;
        }
        self.share = self.share.filter(|share| share.is_finite());
        self.secret = 0;
        self
    }

    pub(super) fn new() -> Self {
        Self {
            name: "world".into(),
            on: false,
            int: 0,
            small: 0,
            wide: 0,
            float: 0.5,
            letter: 'x',
            nick: None,
            share: Some(0.5),
            quoted: 1,
            tags: vec!["a".into(), "b".into()],
            rows: (0..4).map(Row::numbered).collect(),
            grid: vec![vec![1, 2], vec![3]],
            queue: VecDeque::new(),
            triple: [1, 2, 3],
            pair: (1, Row::numbered(9)),
            by_name: BTreeMap::from([("x".into(), 1)]),
            by_number: BTreeMap::from([(10, Row::numbered(10)), (9, Row::numbered(9))]),
            hashed: HashMap::from([(1, vec![1])]),
            by_mode: HashMap::from([(Mode::Steady, Row::numbered(1))]),
            words: BTreeSet::from(["m".into()]),
            numbers: HashSet::from([5, 10, 7]),
            mode: Mode::Steady,
            boxed: Box::default(),
            maybe: None,
            page: Page {
                items: Vec::new(),
                more: false,
            },
            id: Id(1),
            tree: Tree::default(),
            story: Text::from("日本 once upon a time ".repeat(4)),
            serial: 42,
            secret: 7,
        }
    }

    /// One thing a host might do.
    pub(super) fn mutate(&mut self, entropy: &mut Entropy) {
        match entropy.below(38) {
            0 => self.name = entropy.text(),
            1 => self.on = !self.on,
            2 => self.int = entropy.int(),
            3 => self.small = entropy.next() as i16,
            4 => self.wide = u64::from(entropy.next()),
            5 => self.float = entropy.float(),
            6 => self.letter = ['x', '"', 'é'][entropy.below(3)],
            7 => self.nick = (entropy.below(2) > 0).then(|| entropy.text()),
            8 => self.share = (entropy.below(2) > 0).then(|| entropy.float()),
            9 => self.quoted = entropy.int(),
            10 => mutate_list(&mut self.tags, entropy, Entropy::text),
            11..=13 => mutate_list(&mut self.rows, entropy, Row::random),
            14 => mutate_list(&mut self.grid, entropy, |entropy| vec![entropy.int()]),
            15 => mutate_list(
                self.queue.make_contiguous().to_vec().as_mut(),
                entropy,
                Row::random,
            ),
            16 => self.queue.push_back(Row::random(entropy)),
            17 => drop(self.queue.pop_front()),
            18 => self.triple[entropy.below(3)] = entropy.int(),
            19 => self.pair.1.mutate(entropy),
            20 => drop(self.by_name.insert(entropy.text(), entropy.int())),
            21 => drop(self.by_name.pop_first()),
            22 => drop(
                self.by_number
                    .insert(entropy.below(12) as i32, Row::random(entropy)),
            ),
            23 => self
                .by_number
                .values_mut()
                .for_each(|row| row.mutate(entropy)),
            24 => self
                .hashed
                .entry(entropy.int())
                .or_default()
                .push(entropy.int()),
            25 => drop(self.hashed.remove(&entropy.int())),
            26 => {
                let mode = [Mode::Steady, Mode::FadingOut, Mode::Unknown][entropy.below(3)];
                self.by_mode.insert(mode, Row::random(entropy));
                self.mode = mode;
            }
            27 => drop(self.words.insert(entropy.text())),
            28 => drop(self.words.pop_last()),
            29 => drop(self.numbers.insert(entropy.int())),
            30 => self.numbers.retain(|number| number % 2 == 0),
            31 => self.boxed.mutate(entropy),
            32 => match &mut self.maybe {
                Some(row) if entropy.below(2) > 0 => row.mutate(entropy),
                maybe => *maybe = (entropy.below(3) > 0).then(|| Row::random(entropy)),
            },
            33 => mutate_list(&mut self.page.items, entropy, Row::random),
            34 => std::mem::swap(&mut self.rows, &mut self.page.items),
            35..=36 => entropy.write(&mut self.story),
            _ => self.tree.grow(entropy),
        }
    }
}

impl Row {
    fn numbered(id: i64) -> Self {
        Self {
            id,
            label: format!("row {id}"),
            marks: Vec::new(),
            owner: "host".into(),
        }
    }

    fn random(entropy: &mut Entropy) -> Self {
        Self {
            label: entropy.text(),
            ..Self::numbered(entropy.below(6) as i64)
        }
    }

    fn mutate(&mut self, entropy: &mut Entropy) {
        match entropy.below(4) {
            0 => self.id = entropy.int(),
            1 => self.label = entropy.text(),
            2 => self.owner = entropy.text(),
            _ => self.marks.push(entropy.int()),
        }
    }
}

impl Tree {
    fn grow(&mut self, entropy: &mut Entropy) {
        match entropy.below(4) {
            0 => self.branches.push(Self::default()),
            1 => self.leaf = None,
            2 => self
                .leaf
                .get_or_insert_default()
                .branches
                .push(Self::default()),
            _ => match self.branches.first_mut() {
                Some(branch) if !entropy.is_empty() => branch.grow(entropy),
                _ => self.branches.clear(),
            },
        }
    }
}

fn mutate_list<T: Clone>(list: &mut Vec<T>, entropy: &mut Entropy, new: fn(&mut Entropy) -> T) {
    let place = entropy.below(list.len());
    match entropy.below(10) {
        _ if list.is_empty() => list.push(new(entropy)),
        0 => list.push(new(entropy)),
        1 => list.insert(place, new(entropy)),
        2 => drop(list.remove(place)),
        3 => drop(list.swap_remove(place)),
        4 => list.swap(0, place),
        5 => list.rotate_left(place),
        6 => list.reverse(),
        7 => list.truncate(place),
        8 => list.extend_from_within(place..),
        _ => list[place] = new(entropy),
    }
}
