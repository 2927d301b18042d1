//! `rename`, `rename_all`, `rename_all_fields`, and what serde is told

use transports::Synced;

use super::support::{json, value_of};

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(rename = "Desk", rename_all = "kebab-case")]
struct Lamp {
    #[synced(rename = "label")]
    first_name: String,
    light_level: i64,
    mode: Mode,
}

#[derive(Synced, Clone, Copy, Debug, PartialEq)]
#[synced(rename_all = "SCREAMING_SNAKE_CASE")]
enum Mode {
    FadeIn,
    #[synced(rename = "out", alias = "OUT")]
    FadeOut,
}

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(rename_all_fields = "camelCase")]
enum Event {
    KeyDown {
        key_code: i64,
    },
    #[synced(rename_all = "UPPERCASE")]
    Other {
        code: i64,
    },
}

#[test]
fn names() {
    let lamp = Lamp {
        first_name: "n".into(),
        light_level: 1,
        mode: Mode::FadeIn,
    };
    let value = json!({"label": "n", "light-level": 1, "mode": "FADE_IN"});
    assert_eq!(value_of(&lamp), value);
    assert_eq!(Lamp::read(value).unwrap(), lamp);
    assert_eq!(transports::Schema::of::<Lamp>().unwrap().type_name, "Desk");
    assert_eq!(value_of(&Mode::FadeOut), json!("out"));
    assert_eq!(Mode::read(json!("OUT")).unwrap(), Mode::FadeOut);
    assert_eq!(
        value_of(&Event::KeyDown { key_code: 1 }),
        json!({"KeyDown": {"keyCode": 1}})
    );
    assert_eq!(
        value_of(&Event::Other { code: 1 }),
        json!({"Other": {"CODE": 1}})
    );
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
