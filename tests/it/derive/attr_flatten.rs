//! `flatten`

use std::collections::BTreeMap;

use transports::{Synced, Tracked, Value};

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

#[derive(Synced, Clone, Debug, PartialEq)]
struct Place {
    x: i64,
    #[synced(range = 0..=9)]
    y: i64,
}

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(tag = "kind", rename_all = "snake_case")]
enum Effect {
    Off,
    Blink { seconds: f64 },
    Colour(Rgb),
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Rgb {
    r: i64,
    #[synced(flatten)]
    more: Option<Gloss>,
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Gloss {
    gloss: i64,
}

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(tag = "t", content = "c")]
enum Job {
    Idle,
    Run(i64),
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Lamp {
    name: String,
    #[synced(flatten)]
    place: Option<Place>,
    #[synced(flatten)]
    effect: Effect,
    #[synced(flatten)]
    job: Job,
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct House {
    lamps: Vec<Lamp>,
    #[synced(flatten)]
    front: Lamp,
}

fn lamp() -> Lamp {
    Lamp {
        name: "l".into(),
        place: None,
        effect: Effect::Off,
        job: Job::Idle,
    }
}

#[test]
fn options_and_enums_that_are_flattened() {
    let mut watched = Watched::new(lamp());
    assert_eq!(
        watched.mirror,
        json!({"name": "l", "kind": "off", "t": "Idle"})
    );

    // Other names: all of the holder.
    let ops = watched.change(|lamp| lamp.place = Some(Place { x: 1, y: 2 }));
    let whole = json!({"name": "l", "kind": "off", "t": "Idle", "x": 1, "y": 2});
    assert_eq!(ops, [set(&[], whole.clone())]);
    assert_eq!(Lamp::read(whole).unwrap(), *watched.model);
    let ops = watched.change(|lamp| lamp.place.as_mut().unwrap().y = 3);
    assert_eq!(ops, [set(&["y"], 3)]);

    let ops = watched.change(|lamp| lamp.effect = Effect::Blink { seconds: 1.0 });
    assert_eq!(ops.len(), 1);
    assert_eq!(
        watched.edit([set(&["seconds"], 2.0)]).unwrap(),
        [set(&["seconds"], 2.0)]
    );
    watched.change(|lamp| {
        lamp.effect = Effect::Colour(Rgb { r: 1, more: None });
    });
    let ops = watched.change(|lamp| {
        if let Effect::Colour(rgb) = &mut lamp.effect {
            rgb.more = Some(Gloss { gloss: 5 });
        }
    });
    assert_eq!(ops.len(), 1, "deeper down, too: {ops:?}");
    let ops = watched.change(|lamp| {
        if let Effect::Colour(rgb) = &mut lamp.effect {
            rgb.more = Some(Gloss { gloss: 6 });
        }
        lamp.job = Job::Run(1);
    });
    assert_eq!(ops.len(), 1);
    let ops = watched.change(|lamp| lamp.job = Job::Run(2));
    assert_eq!(ops, [set(&["c"], 2)]);
}

#[test]
fn clients_edit_options_and_enums_that_are_flattened() {
    let mut watched = Watched::new(lamp());
    assert_eq!(
        watched.refusal(set(&["x"], 1)),
        "x: there is no entry of this name"
    );
    assert_eq!(
        watched.refusal(set(&["seconds"], 1.0)),
        "seconds: `off` has no field of this name"
    );
    let blinking = |y: i64| json!({"name": "l", "kind": "blink", "seconds": 1.5, "t": "Run", "c": 1, "x": 1, "y": y});
    assert_eq!(
        watched.refusal(set(&[], blinking(10))),
        "y: 10 is not in 0..=9"
    );
    watched.edit([set(&[], blinking(4))]).unwrap();
    assert_eq!(watched.model.place, Some(Place { x: 1, y: 4 }));
    assert_eq!(watched.model.effect, Effect::Blink { seconds: 1.5 });
    assert_eq!(watched.model.job, Job::Run(1));
    assert_eq!(watched.refusal(set(&["y"], 11)), "y: 11 is not in 0..=9");
    let part = json!({"name": "l", "kind": "off", "t": "Idle", "x": 1});
    assert_eq!(
        watched.refusal(set(&[], part)),
        "the model: `Place` needs the field `y`"
    );
}

#[test]
fn what_is_flattened_may_have_flattened_fields_that_come_and_go() {
    let mut house = Watched::new(House {
        lamps: vec![lamp()],
        front: lamp(),
    });
    let ops = house.change(|house| house.lamps[0].effect = Effect::Blink { seconds: 2.0 });
    assert_eq!(ops.len(), 1);
    assert_eq!(ops[0].path(), &path(&["lamps", "0"]));
    let ops = house.change(|house| house.front.place = Some(Place { x: 1, y: 1 }));
    assert_eq!(ops.len(), 1);
    assert_eq!(ops[0].path(), &path(&[]));
    let schema = transports::Schema::of::<House>().unwrap();
    let names: Vec<_> = schema
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "lamps", "name", "x", "y", "kind", "seconds", "r", "gloss", "t", "c"
        ]
    );
}
