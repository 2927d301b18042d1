//! `range`, `length`, `validate` and `read_only`, and the `alias` under which rules hold, too

use std::marker::PhantomData;

use transports::Synced;

use super::support::{Watched, json, set};

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
#[synced(validate = Bounds::check)]
struct Bounds {
    #[synced(range = 0..100)]
    low: i64,
    #[synced(range = 0.0..=1.0)]
    high: Option<f64>,
    #[synced(validate = even)]
    even: i64,
    #[synced(read_only)]
    serial: i64,
    step: Step,
    size: Size,
}

impl Bounds {
    fn check(&self) -> Result<(), String> {
        match self.low {
            13 => Err("not thirteen".into()),
            _ => Ok(()),
        }
    }
}

fn even(number: &i64) -> Result<(), &'static str> {
    if number % 2 == 0 { Ok(()) } else { Err("odd") }
}

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(validate = Step::check)]
enum Step {
    To(i64),
    Between { from: i64, to: i64 },
}

impl Step {
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Between { from, to } if from > to => Err(format!("{from} is after {to}")),
            _ => Ok(()),
        }
    }
}

#[derive(Synced, Clone, Copy, Debug, PartialEq)]
#[synced(validate = Size::check)]
enum Size {
    Small,
    Huge,
}

impl Size {
    fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::Small => Ok(()),
            Self::Huge => Err("too much for a client"),
        }
    }
}

#[test]
fn range_validate_and_read_only() {
    let mut watched = Watched::new(Bounds {
        low: 1,
        high: None,
        even: 2,
        serial: 7,
        step: Step::To(1),
        size: Size::Small,
    });
    for (place, value, refusal) in [
        (&["low"][..], json!(100), "low: 100 is not in 0..100"),
        (&["high"], json!(1.5), "high: 1.5 is not in 0.0..=1.0"),
        (&["even"], json!(3), "even: odd"),
        (
            &["serial"],
            json!(8),
            "serial: this is read-only for clients",
        ),
        (&["low"], json!(13), "the model: not thirteen"),
        (
            &["step"],
            json!({"Between": {"from": 2, "to": 1}}),
            "step: 2 is after 1",
        ),
        (&["size"], json!("Huge"), "size: too much for a client"),
    ] {
        assert_eq!(watched.refusal(set(place, value)), refusal);
    }
    watched
        .edit([
            set(&["low"], 99),
            set(&["high"], 1.0),
            set(&["step"], json!({"Between": {"from": 1, "to": 2}})),
        ])
        .unwrap();
    assert_eq!(
        watched.refusal(set(&["step", "Between", "from"], 3)),
        "step: 3 is after 2"
    );
    // The host is free to do as it likes.
    let ops = watched.change(|model| {
        model.low = 13;
        model.serial = 1;
        model.size = Size::Huge;
    });
    assert_eq!(ops.len(), 3);
}
