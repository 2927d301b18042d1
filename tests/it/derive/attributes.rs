//! Each attribute of a field or type does what its line in the guide says.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use transports::{Op, Synced, Tracked, Value};

use super::support::{Watched, json, path, remove, set, value_of};

#[derive(Synced, Clone, Debug, PartialEq)]
struct Base {
    id: i64,
    #[synced(read_only)]
    made: String,
    #[synced(flatten)]
    deeper: Deeper,
}

#[derive(Synced, Clone, Debug, PartialEq, Default)]
struct Deeper {
    #[synced(rename = "zz", default, range = 0..=9)]
    level: i64,
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Flattened {
    name: String,
    #[synced(flatten)]
    more: BTreeMap<String, i64>,
    #[synced(flatten)]
    base: Box<Base>,
}

fn flattened() -> Flattened {
    Flattened {
        name: "n".into(),
        more: BTreeMap::from([("b".into(), 1)]),
        base: Box::new(Base {
            id: 1,
            made: "here".into(),
            deeper: Deeper { level: 2 },
        }),
    }
}

#[test]
fn flatten() {
    let expected = json!({"b": 1, "id": 1, "made": "here", "name": "n", "zz": 2});
    assert_eq!(value_of(&flattened()), expected);
    assert_eq!(Flattened::read(expected).unwrap(), flattened());

    let mut watched = Watched::new(flattened());
    let ops = watched.change(|model| {
        model.base.id = 2;
        model.base.deeper.level = 3;
        model.more.insert("c".into(), 5);
        model.more.remove("b");
    });
    assert_eq!(
        ops,
        [
            set(&["c"], 5),
            remove(&["b"]),
            set(&["id"], 2),
            set(&["zz"], 3)
        ]
    );
    watched
        .edit([set(&["id"], 7), set(&["d"], 1), remove(&["c"])])
        .unwrap();
    assert_eq!(watched.model.base.id, 7);
    assert_eq!(watched.model.more, BTreeMap::from([("d".into(), 1)]));
    assert_eq!(
        watched.refusal(set(&["made"], "x")),
        "made: this is read-only for clients"
    );
    assert_eq!(watched.refusal(set(&["zz"], 10)), "zz: 10 is not in 0..=9");
    let mut whole = value_of(&*watched.model);
    if let Value::Map(entries) = &mut whole {
        entries.insert("made".into(), "me".into());
    }
    assert_eq!(
        watched.refusal(set(&[], whole)),
        "made: this is read-only for clients"
    );
    let schema = transports::Schema::of::<Flattened>().unwrap();
    let names: Vec<_> = schema
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(names, ["name", "id", "made", "zz"]);
}

#[test]
fn an_entry_never_overwrites_a_field() {
    let mut model = Tracked::new(Flattened {
        more: BTreeMap::from([("name".into(), 1), ("id".into(), 2), ("x".into(), 3)]),
        ..flattened()
    });
    let mut changes = transports::Changes::as_ops();
    model.more.insert("y".into(), 4);
    Tracked::collect(&mut model, &mut changes);
    assert_eq!(changes.ops(), [set(&["y"], 4)]);
    let faults: Vec<_> = changes
        .faults()
        .iter()
        .map(|fault| fault.path.to_string())
        .collect();
    assert_eq!(faults, ["name", "id"]);
    assert_eq!(value_of(&*model).get("name"), Some(&"n".into()));
    assert_eq!(model.more.len(), 4, "the host's map is its own");
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
struct Foreign {
    a: Option<f32>,
    b: (u8, String),
    c: u64,
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Carrying {
    #[synced(with = "serde", default = foreign)]
    foreign: Foreign,
    #[synced(with = "serde")]
    newtype: std::ops::Range<i64>,
}

fn foreign() -> Foreign {
    Foreign {
        a: None,
        b: (1, "b".into()),
        c: 3,
    }
}

#[test]
fn with_serde() {
    let mut watched = Watched::new(Carrying {
        foreign: foreign(),
        newtype: 1..4,
    });
    assert_eq!(
        watched.mirror,
        json!({"foreign": {"a": null, "b": [1, "b"], "c": 3}, "newtype": {"start": 1, "end": 4}})
    );
    let ops = watched.change(|model| model.foreign.b.0 = 2);
    assert_eq!(
        ops,
        [set(&["foreign"], json!({"a": null, "b": [2, "b"], "c": 3}))]
    );
    watched
        .edit([set(&["newtype"], json!({"start": 1, "end": 5}))])
        .unwrap();
    assert_eq!(watched.model.newtype, 1..5);
    watched.edit([remove(&["foreign"])]).unwrap();
    assert_eq!(watched.model.foreign, foreign());
    assert_eq!(
        watched.refusal(set(&["foreign", "c"], 1)),
        "foreign: this is replaced as a whole"
    );
    let refusal = watched.refusal(set(
        &["foreign"],
        json!({"a": null, "b": [300, ""], "c": 3}),
    ));
    assert_eq!(
        refusal,
        "foreign: invalid value: integer `300`, expected u8"
    );

    let mut changes = transports::Changes::as_ops();
    watched.model.foreign.c = u64::MAX;
    Tracked::collect(&mut watched.model, &mut changes);
    assert_eq!(changes.ops(), []);
    assert_eq!(changes.faults()[0].path, path(&["foreign"]));
}

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(computed(total: f64 = Self::total, count: usize = Self::count))]
struct Cart {
    prices: Vec<f64>,
    zebra: i64,
}

impl Cart {
    fn total(&self) -> f64 {
        self.prices.iter().sum()
    }

    fn count(&self) -> usize {
        self.prices.len()
    }
}

#[test]
fn computed() {
    let mut watched = Watched::new(Cart {
        prices: vec![1.0],
        zebra: 0,
    });
    assert_eq!(
        watched.mirror,
        json!({"count": 1, "prices": [1.0], "total": 1.0, "zebra": 0})
    );
    assert_eq!(watched.change(|cart| cart.zebra = 1), [set(&["zebra"], 1)]);
    let ops = watched.change(|cart| cart.prices[0] = 2.0);
    assert_eq!(ops, [set(&["prices", "0"], 2.0), set(&["total"], 2.0)]);
    assert_eq!(
        watched.refusal(set(&["total"], 1.0)),
        "total: this is read-only for clients"
    );
    let ops = watched.edit([set(&["prices"], json!([1.0, 1.0]))]).unwrap();
    assert!(ops.contains(&set(&["count"], 2)), "{ops:?}");
    // A mirror computes it itself.
    let mut mirror = Cart::read(watched.mirror.clone()).unwrap();
    transports::edit::apply(&mut mirror, ops, transports::edit::Author::Host).unwrap();
    let schema = transports::Schema::of::<Cart>().unwrap();
    assert_eq!(schema.fields.len(), 4);
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Rules {
    #[synced(length = 1..=3, alias = "old", alias = "older")]
    name: String,
    #[synced(length = ..2)]
    tags: Option<Vec<i64>>,
    #[synced(skip)]
    _nothing: PhantomData<u8>,
}

#[test]
fn length_and_alias() {
    let model = Rules {
        name: "日本".into(),
        tags: None,
        _nothing: PhantomData,
    };
    let read = Rules::read(json!({"old": "日本"})).unwrap();
    assert_eq!(read, model);
    let mut watched = Watched::new(model);
    assert_eq!(
        watched.edit([set(&["older"], "abc")]).unwrap(),
        [set(&["name"], "abc")]
    );
    assert_eq!(
        watched.refusal(set(&["name"], "abcd")),
        "name: the length 4 is not in 1..=3"
    );
    assert_eq!(
        watched.refusal(set(&["old"], "")),
        "name: the length 0 is not in 1..=3"
    );
    watched.edit([set(&["tags"], json!([1]))]).unwrap();
    assert_eq!(
        watched.refusal(set(&["tags"], json!([1, 2]))),
        "tags: the length 2 is not in ..2"
    );
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Keyed {
    #[synced(key = "id")]
    rows: Vec<Row>,
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Row {
    id: String,
    n: i64,
}

#[test]
fn key() {
    let row = |id: &str, n| Row { id: id.into(), n };
    let mut watched = Watched::new(Keyed {
        rows: (0..6).map(|n| row(&n.to_string(), n)).collect(),
    });
    // All rows change, and one comes from behind.
    let ops = watched.change(|model| {
        model.rows.rotate_right(1);
        model.rows.iter_mut().for_each(|row| row.n += 10);
    });
    assert_eq!(ops.len(), 7);
    assert_eq!(
        ops[0],
        Op::Move {
            path: path(&["rows"]),
            from: 5,
            to: 0
        }
    );
    assert_eq!(ops[1], set(&["rows", "0", "n"], 15));
    let ops = watched.change(|model| {
        model.rows.remove(2);
        model.rows.iter_mut().for_each(|row| row.n += 10);
    });
    assert_eq!(
        ops[0],
        Op::RemoveAt {
            path: path(&["rows"]),
            index: 2
        }
    );
    assert_eq!(ops.len(), 6);
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Synced)]
struct Id(u32);

#[derive(Clone, Debug, PartialEq, Synced)]
struct Bound<T: Named>
where
    T: Clone,
{
    by_id: HashMap<Id, T>,
    marker: PhantomData<T>,
}

trait Named {}
impl Named for i64 {}

#[test]
fn newtypes_of_keys_are_keys() {
    let model = Bound {
        by_id: HashMap::from([(Id(10), 1_i64), (Id(9), 2)]),
        marker: PhantomData,
    };
    assert_eq!(value_of(&model), json!({"by_id": {"10": 1, "9": 2}}));
    assert_eq!(Bound::read(value_of(&model)).unwrap(), model);
}

/// A type that serde and the live wire see.
#[derive(Synced, serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Shared {
    first_name: String,
    #[serde(rename = "n", default, alias = "num")]
    number: i64,
    #[serde(skip)]
    hidden: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[synced(default)]
    maybe: Option<i64>,
    #[synced(rename = "ours")]
    #[serde(rename = "theirs")]
    named: i64,
    kind: Kind,
}

#[derive(Synced, serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
enum Kind {
    VeryPlain,
    WithData { long_name: i64 },
}

#[test]
fn what_serde_is_told_holds_here() {
    let model = Shared {
        first_name: "f".into(),
        number: 1,
        hidden: 0,
        maybe: None,
        named: 2,
        kind: Kind::WithData { long_name: 3 },
    };
    assert_eq!(
        value_of(&model),
        json!({
            "firstName": "f", "n": 1, "maybe": null, "ours": 2,
            "kind": {"kind": "with_data", "longName": 3},
        })
    );
    let read = Shared::read(json!({
        "firstName": "f", "num": 1, "ours": 2, "kind": {"kind": "very_plain"},
    }));
    assert_eq!(
        read.unwrap(),
        Shared {
            kind: Kind::VeryPlain,
            ..model
        }
    );
}
