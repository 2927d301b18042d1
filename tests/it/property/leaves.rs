//! A third world: every kind of leaf, and the attributes that the other worlds have no place for.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use transports::Synced;
use transports::collections::{List, Map};

use super::entropy::Entropy;
use super::laws::Model;

#[derive(Synced, Clone, Debug, PartialEq)]
pub(super) struct Leaves {
    narrow: (i8, i32, u8, u16, u32),
    wide: (u64, usize, isize, u128, i128),
    single: f32,
    boxed: Box<str>,
    shared: Arc<str>,
    borrowed: Cow<'static, str>,
    count: NonZero<u8>,
    since: SystemTime,
    host: IpAddr,
    socket: Option<SocketAddr>,
    folder: PathBuf,
    twice: Option<Option<i64>>,
    unit: Unit,
    #[synced(validate = Self::is_short)]
    short: String,
    #[synced(default = Self::usual)]
    usual: i64,
    #[synced(key = "id")]
    keyed: VecDeque<Held<i64>>,
    #[synced(flatten)]
    maybe: Option<Placed>,
    #[synced(flatten)]
    kind: Kind,
    states: List<State>,
    held: Map<Key, Held<List<String>>>,
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Unit;

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(bound = "T: Synced")]
struct Held<T> {
    id: i64,
    what: T,
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Placed {
    x: i64,
    y: Vec<i64>,
}

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(tag = "kind", rename_all_fields = "camelCase")]
enum Kind {
    Idle,
    #[synced(rename = "busy", alias = "working")]
    Busy {
        since_when: i64,
        who: List<i64>,
    },
}

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(rename_all = "snake_case")]
enum State {
    AtRest,
    #[synced(rename_all = "kebab-case")]
    OnItsWay {
        how_far: i64,
        stops: Map<i32, i64>,
    },
}

#[derive(Synced, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    #[synced(rename = "z")]
    First,
    Second,
}

impl Leaves {
    fn is_short(text: &str) -> Result<(), String> {
        match text.len() {
            0..4 => Ok(()),
            len => Err(format!("{len} bytes are not short")),
        }
    }

    fn usual() -> i64 {
        7
    }
}

impl Held<i64> {
    fn random(entropy: &mut Entropy) -> Self {
        Self {
            id: entropy.below(6) as i64,
            what: entropy.int(),
        }
    }
}

impl Kind {
    fn mutate(&mut self, entropy: &mut Entropy) {
        match self {
            Self::Busy { who, .. } if entropy.below(3) > 0 => who.push(entropy.int()),
            Self::Busy { since_when, .. } if entropy.below(2) > 0 => *since_when = entropy.int(),
            Self::Busy { .. } => *self = Self::Idle,
            Self::Idle => {
                *self = Self::Busy {
                    since_when: entropy.int(),
                    who: List::from([1]),
                }
            }
        }
    }
}

impl State {
    fn mutate(&mut self, entropy: &mut Entropy) {
        match self {
            Self::AtRest => {
                *self = Self::OnItsWay {
                    how_far: entropy.int(),
                    stops: Map::new(),
                }
            }
            Self::OnItsWay { stops, .. } if entropy.below(3) > 0 => {
                *stops.entry(entropy.below(4) as i32).or_default() = entropy.int();
            }
            Self::OnItsWay { how_far, .. } if entropy.below(2) > 0 => *how_far = entropy.int(),
            Self::OnItsWay { .. } => *self = Self::AtRest,
        }
    }
}

impl Model for Leaves {
    fn new() -> Self {
        Self {
            narrow: (1, 2, 3, 4, 5),
            wide: (1, 2, 3, 4, 5),
            single: 0.5,
            boxed: "boxed".into(),
            shared: "shared".into(),
            borrowed: Cow::Borrowed("borrowed"),
            count: NonZero::<u8>::MIN,
            since: SystemTime::UNIX_EPOCH,
            host: Ipv4Addr::LOCALHOST.into(),
            socket: None,
            folder: PathBuf::from("a/b"),
            twice: Some(Some(1)),
            unit: Unit,
            short: "abc".into(),
            usual: 1,
            keyed: VecDeque::from([Held { id: 1, what: 2 }]),
            maybe: None,
            kind: Kind::Idle,
            states: List::from([State::AtRest, State::AtRest]),
            held: Map::new(),
        }
    }

    fn mutate(&mut self, entropy: &mut Entropy) {
        let (int, text) = (entropy.int(), entropy.text());
        let small = int.rem_euclid(100);
        match entropy.below(24) {
            0 => self.narrow.0 = small as i8,
            1 => self.narrow.4 = small as u32,
            2 => self.wide.0 = small as u64,
            3 => self.wide.3 = int.unsigned_abs().min(1 << 62).into(),
            4 => self.wide.4 = int.into(),
            5 => self.single = small as f32 / 8.0,
            6 => self.boxed = text.into(),
            7 => self.shared = text.into(),
            8 => self.borrowed = text.into(),
            9 => self.unit = Unit,
            10 => self.count = NonZero::new(small as u8).unwrap_or(self.count),
            11 => self.since += Duration::from_millis(small as u64),
            12 => self.host = Ipv4Addr::from(small as u32).into(),
            13 => self.socket = self.socket.is_none().then(|| (self.host, 80).into()),
            14 => self.folder.push(text),
            15 => self.twice = [None, Some(Some(int))][entropy.below(2)],
            16 => self.short = text,
            17 => self.usual = int,
            18 => match entropy.below(4) {
                0 => self.keyed.push_back(Held::random(entropy)),
                1 => drop(self.keyed.pop_front()),
                2 => self.keyed.rotate_left(self.keyed.len().min(1)),
                _ => self.keyed.iter_mut().for_each(|held| held.what = int),
            },
            19 => match &mut self.maybe {
                Some(placed) if entropy.below(2) > 0 => placed.y.push(int),
                Some(placed) if entropy.below(2) > 0 => placed.x = int,
                maybe => {
                    *maybe = maybe.is_none().then(|| Placed {
                        x: int,
                        y: Vec::new(),
                    });
                }
            },
            20 => self.kind.mutate(entropy),
            21 => {
                let place = entropy.below(self.states.len());
                match self.states.get_mut(place) {
                    Some(state) => state.mutate(entropy),
                    None => self.states.push(State::AtRest),
                }
            }
            22 => self.states.push(State::AtRest),
            _ => {
                let key = [Key::First, Key::Second][entropy.below(2)].clone();
                let held = self.held.entry(key).or_insert_with(|| Held {
                    id: 1,
                    what: List::new(),
                });
                held.what.push(text);
            }
        }
    }
}
