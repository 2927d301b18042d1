//! Enums with data, in serde's representations.

use std::collections::BTreeMap;

use transports::{Op, Synced, Value};

use super::support::{Watched, json, path, remove, set, value_of};

#[derive(Synced, Clone, Debug, PartialEq)]
enum Shape {
    Point,
    Circle {
        radius: f64,
        #[synced(read_only, default)]
        owner: String,
    },
    Square(i64),
    Line(i64, #[synced(range = 0..=9)] i64),
    Group(Vec<Self>),
    #[synced(rename = "in")]
    Inside(Box<Self>),
}

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
enum Event {
    Idle,
    KeyPress {
        key_code: i64,
        #[synced(range = 0..=9)]
        #[synced(default)]
        times: i64,
    },
    Moved(Place),
    Tagged(BTreeMap<String, i64>),
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Place {
    x: i64,
    #[synced(read_only)]
    y: i64,
}

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(tag = "t", content = "c")]
enum Job {
    Idle,
    Run(Place),
    Both(i64, String),
    Named { a: i64, b: Option<i64> },
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Pair(i64, Vec<String>);

#[derive(Synced, Clone, Debug, PartialEq)]
struct Model<T> {
    shape: Shape,
    event: Event,
    job: Job,
    pair: Pair,
    either: Either<T, i64>,
}

#[derive(Synced, Clone, Debug, PartialEq)]
enum Either<A, B> {
    Left(A),
    Right { b: B },
}

fn model() -> Model<String> {
    Model {
        shape: Shape::Point,
        event: Event::Idle,
        job: Job::Idle,
        pair: Pair(1, vec![]),
        either: Either::Left("l".into()),
    }
}

fn circle(radius: f64) -> Shape {
    Shape::Circle {
        radius,
        owner: "host".into(),
    }
}

#[test]
fn values_are_what_serde_makes_of_them() {
    for (shape, expected) in [
        (Shape::Point, json!("Point")),
        (
            circle(1.5),
            json!({"Circle": {"owner": "host", "radius": 1.5}}),
        ),
        (Shape::Square(2), json!({"Square": 2})),
        (Shape::Line(1, 2), json!({"Line": [1, 2]})),
        (
            Shape::Group(vec![
                Shape::Point,
                Shape::Inside(Box::new(Shape::Square(1))),
            ]),
            json!({"Group": ["Point", {"in": {"Square": 1}}]}),
        ),
    ] {
        assert_eq!(value_of(&shape), expected);
        assert_eq!(Shape::read(expected).unwrap(), shape);
    }
    for (event, expected) in [
        (Event::Idle, json!({"type": "idle"})),
        (
            Event::KeyPress {
                key_code: 3,
                times: 1,
            },
            json!({"type": "key_press", "keyCode": 3, "times": 1}),
        ),
        (
            Event::Moved(Place { x: 1, y: 2 }),
            json!({"type": "moved", "x": 1, "y": 2}),
        ),
        (
            Event::Tagged(BTreeMap::from([("zz".into(), 1), ("a".into(), 2)])),
            json!({"a": 2, "type": "tagged", "zz": 1}),
        ),
    ] {
        assert_eq!(value_of(&event), expected);
        assert_eq!(Event::read(expected).unwrap(), event);
    }
    for (job, expected) in [
        (Job::Idle, json!({"t": "Idle"})),
        (
            Job::Run(Place { x: 1, y: 2 }),
            json!({"t": "Run", "c": {"x": 1, "y": 2}}),
        ),
        (
            Job::Both(1, "b".into()),
            json!({"t": "Both", "c": [1, "b"]}),
        ),
        (
            Job::Named { a: 1, b: None },
            json!({"t": "Named", "c": {"a": 1, "b": null}}),
        ),
    ] {
        assert_eq!(value_of(&job), expected);
        assert_eq!(Job::read(expected).unwrap(), job);
    }
}

#[test]
fn within_a_variant_the_deepest_place_is_told() {
    let mut watched = Watched::new(model());
    let ops = watched.change(|model| model.shape = circle(1.0));
    assert_eq!(
        ops,
        [set(
            &["shape"],
            json!({"Circle": {"owner": "host", "radius": 1.0}})
        )]
    );
    let ops = watched.change(|model| model.shape = circle(2.0));
    assert_eq!(ops, [set(&["shape", "Circle", "radius"], 2.0)]);

    watched.change(|model| model.shape = Shape::Group(vec![Shape::Line(1, 2), Shape::Point]));
    let ops = watched.change(|model| {
        if let Shape::Group(shapes) = &mut model.shape {
            shapes[0] = Shape::Line(1, 3);
            shapes.push(Shape::Inside(Box::new(Shape::Square(1))));
        }
    });
    assert_eq!(
        ops,
        [
            Op::Insert {
                path: path(&["shape", "Group"]),
                index: 2,
                value: json!({"in": {"Square": 1}}),
            },
            set(&["shape", "Group", "0", "Line", "1"], 3),
        ]
    );

    watched.change(|model| model.event = Event::Moved(Place { x: 1, y: 2 }));
    let ops = watched.change(|model| model.event = Event::Moved(Place { x: 1, y: 5 }));
    assert_eq!(ops, [set(&["event", "y"], 5)]);
    watched.change(|model| {
        model.event = Event::KeyPress {
            key_code: 1,
            times: 1,
        }
    });
    let ops = watched.change(|model| {
        model.event = Event::KeyPress {
            key_code: 2,
            times: 1,
        }
    });
    assert_eq!(ops, [set(&["event", "keyCode"], 2)]);

    watched.change(|model| model.job = Job::Both(1, "b".into()));
    let ops = watched.change(|model| model.job = Job::Both(1, "c".into()));
    assert_eq!(ops, [set(&["job", "c", "1"], "c")]);
    let ops = watched.change(|model| model.pair.0 = 7);
    assert_eq!(ops, [set(&["pair", "0"], 7)]);
    let ops = watched.change(|model| model.either = Either::Right { b: 1 });
    assert_eq!(ops, [set(&["either"], json!({"Right": {"b": 1}}))]);
    assert_eq!(watched.change(|_| {}), []);
}

#[test]
fn edits_reach_into_variants_and_no_further() {
    let mut watched = Watched::new(Model {
        shape: circle(1.0),
        ..model()
    });
    assert_eq!(
        watched
            .edit([set(&["shape", "Circle", "radius"], 3)])
            .unwrap(),
        [set(&["shape", "Circle", "radius"], 3.0)]
    );
    for (op, refusal) in [
        (
            set(&["shape", "Circle", "owner"], "me"),
            "shape.Circle.owner: this is read-only for clients",
        ),
        (
            set(&["shape", "Circle"], json!({"radius": 1.0, "owner": "me"})),
            "shape.Circle.owner: this is read-only for clients",
        ),
        (
            set(&["shape", "Square"], 1),
            "shape.Square: there is no entry of this name",
        ),
        (
            remove(&["shape", "Circle", "radius"]),
            "shape.Circle.radius: this field cannot be removed: it has no default",
        ),
        (
            remove(&["shape", "Circle"]),
            "shape.Circle: this field cannot be removed: it has no default",
        ),
        (
            set(&["event", "type"], "moved"),
            "event.type: another variant is set as a whole",
        ),
        (
            set(&["event", "times"], 1),
            "event.times: `idle` has no field of this name",
        ),
        (
            set(&["job", "c"], 1),
            "job.c: there is no entry of this name",
        ),
        (
            set(&["shape"], "Triangle"),
            "shape: expected one of the variants \"Point\", \"Circle\", \"Square\", \"Line\", \"Group\", \"in\" of \
             `Shape`, found the Str \"Triangle\"",
        ),
    ] {
        assert_eq!(watched.refusal(op), refusal);
    }
    // What was there may be brought along.
    let whole = json!({"radius": 9.0, "owner": "host"});
    assert_eq!(
        watched.edit([set(&["shape", "Circle"], whole)]).unwrap(),
        [set(&["shape", "Circle", "radius"], 9.0)]
    );
    assert_eq!(watched.edit([set(&["event", "type"], "idle")]).unwrap(), []);

    let line = watched
        .edit([set(&["shape"], json!({"Line": [1, 2]}))])
        .unwrap();
    assert_eq!(line, [set(&["shape"], json!({"Line": [1, 2]}))]);
    assert_eq!(
        watched.refusal(set(&["shape", "Line", "1"], 10)),
        "shape.Line[1]: 10 is not in 0..=9"
    );
    assert_eq!(
        watched.refusal(set(&["shape"], json!({"Line": [1, 10]}))),
        "shape.Line[1]: 10 is not in 0..=9"
    );
    // The first op is undone in the variant that the second one replaced.
    watched
        .edit([
            set(&["shape", "Line"], json!([5, 5])),
            set(&["shape", "Line", "1"], 11),
        ])
        .unwrap_err();

    watched
        .edit([set(&["event"], json!({"type": "key_press", "keyCode": 4}))])
        .unwrap();
    assert_eq!(
        watched.model.event,
        Event::KeyPress {
            key_code: 4,
            times: 0
        }
    );
    watched.edit([set(&["event", "times"], 4)]).unwrap();
    assert_eq!(
        watched.edit([remove(&["event", "times"])]).unwrap(),
        [set(&["event", "times"], 0)]
    );
    assert_eq!(
        watched.refusal(set(&["event", "times"], 10)),
        "event.times: 10 is not in 0..=9"
    );

    watched.change(|model| model.job = Job::Run(Place { x: 1, y: 2 }));
    assert_eq!(
        watched.refusal(set(&["job", "c", "y"], 3)),
        "job.c.y: this is read-only for clients"
    );
    assert_eq!(
        watched
            .edit([set(&["job", "c"], json!({"x": 4, "y": 2}))])
            .unwrap(),
        [set(&["job", "c", "x"], 4)]
    );
    watched.edit([set(&["pair", "1"], json!(["a"]))]).unwrap();
    assert_eq!(watched.model.pair, Pair(1, vec!["a".into()]));
    assert_eq!(
        watched.refusal(set(&["pair", "2"], 1)),
        "pair: the index 2 is out of bounds, the length is 2"
    );
    let removed = Op::RemoveAt {
        path: path(&["pair"]),
        index: 0,
    };
    assert_eq!(watched.refusal(removed), "pair: the length is fixed at 2");
}

#[test]
fn a_peer_cannot_send_what_is_no_variant() {
    for (value, expected) in [
        (
            json!({}),
            "the model: expected a Map with one entry, named after one of the variants",
        ),
        (
            json!({"Circle": {"radius": 1.0, "owner": ""}, "Square": 1}),
            "the model: expected a Map with one entry",
        ),
        (json!("Circle"), "the model: expected one of the variants"),
        (
            json!({"Point": 1}),
            "the model: expected nothing besides the name",
        ),
        (
            json!({"Circle": 1}),
            "Circle: expected a Map for `Circle`, found the Int 1",
        ),
        (json!({"Line": [1]}), "Line: the length is fixed at 2"),
        (
            json!({"Line": [1, "a"]}),
            "Line[1]: expected an Int, found the Str \"a\"",
        ),
    ] {
        let error = transports::PatchError::from(Shape::read(value).unwrap_err()).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let error = transports::PatchError::from(Event::read(Value::from(1)).unwrap_err());
    assert_eq!(
        error.to_string(),
        "the model: expected a Map for `Event`, found the Int 1"
    );
    let error = transports::PatchError::from(Event::read(json!({"x": 1})).unwrap_err());
    assert_eq!(
        error.to_string(),
        "the model: `Event` needs the field `type`"
    );
}
