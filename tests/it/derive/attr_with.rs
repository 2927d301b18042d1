//! `with = "serde"`

use transports::{Synced, Tracked};

use super::support::{Watched, json, path, remove, set};

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
