//! `default` and `skip`

use transports::{PatchError, Synced};

use super::support::{Watched, json, remove, set};

#[derive(Synced, Clone, Debug, PartialEq)]
struct Fields {
    #[synced(default)]
    level: i64,
    #[synced(default = seven)]
    lucky: i64,
    needed: i64,
    #[synced(skip)]
    hidden: i64,
}

fn seven() -> i64 {
    7
}

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(default = Whole::new)]
struct Whole {
    a: i64,
    #[synced(default)]
    b: i64,
}

impl Whole {
    fn new() -> Self {
        Self { a: 3, b: 4 }
    }
}

#[test]
fn missing_fields() {
    let read = Fields::read(json!({"needed": 1})).unwrap();
    let expected = Fields {
        level: 0,
        lucky: 7,
        needed: 1,
        hidden: 0,
    };
    assert_eq!(read, expected);
    let refusal = PatchError::from(Fields::read(json!({})).unwrap_err());
    assert_eq!(
        refusal.to_string(),
        "the model: `Fields` needs the field `needed`"
    );
    assert_eq!(Whole::read(json!({})).unwrap(), Whole { a: 3, b: 0 });
}

#[test]
fn removed_fields_and_hidden_ones() {
    let mut watched = Watched::new(Fields {
        level: 5,
        lucky: 5,
        needed: 5,
        hidden: 5,
    });
    let ops = watched.edit([remove(&["level"]), remove(&["lucky"])]);
    assert_eq!(ops.unwrap(), [set(&["level"], 0), set(&["lucky"], 7)]);
    assert_eq!(
        watched.refusal(remove(&["needed"])),
        "needed: this field cannot be removed: it has no default"
    );
    assert_eq!(watched.change(|model| model.hidden = 6), []);
    watched.edit([set(&[], json!({"needed": 1}))]).unwrap();
    assert_eq!(watched.model.hidden, 6, "what never travels stays");
}
