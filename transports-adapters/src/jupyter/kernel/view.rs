//! The front ends of the kernel's own widgets.

use serde_json::{Map, Value as Json, json};
use transports::Server;
use transports::message::ModelId;
use transports::schema::{Field, Kind, Range, Type};

/// All models as trees, live and to be edited.
pub(super) const SOURCE: &str = include_str!("widget/view.js");
/// A number over time.
pub(super) const PLOT: &str = include_str!("widget/plot.js");

/// What the view finds in its model: which model it shows (null: all), and what may stand in the places of each.
pub(super) fn state(server: &Server, model: Option<ModelId>) -> Map<String, Json> {
    let types = server.types();
    let rules: Map<_, _> = types
        .iter()
        .map(|(id, ty)| (id.to_string(), rules(ty, DEPTH)))
        .collect();
    let mut state = Map::new();
    state.insert("shown".to_owned(), json!(model));
    state.insert("rules".to_owned(), Json::Object(rules));
    state
}

/// How deep types are described: one may contain itself.
const DEPTH: usize = 16;

/// What may stand in a place of this type; null: whatever the server takes.
fn rules(ty: &Type, depth: usize) -> Json {
    if depth == 0 {
        return Json::Null;
    }
    let below = |ty: &Type| rules(ty, depth - 1);
    match ty {
        Type::Names(_, names) => {
            let names: Vec<_> = names().names.iter().map(|(name, _)| *name).collect();
            json!({ "choice": names })
        }
        Type::List(items) | Type::Set(items) | Type::Array(items, _) => {
            json!({ "items": below(items) })
        }
        Type::Map(entries) => json!({ "entries": below(entries) }),
        Type::Optional(inner) => json!({ "optional": below(inner) }),
        Type::Model(_, schema) => {
            let fields = schema().fields;
            // JSON objects have no order.
            let order: Vec<_> = fields.iter().map(|field| field.name.clone()).collect();
            let fields: Map<_, _> = fields
                .iter()
                .map(|field| (field.name.clone(), field_rules(field, below(&field.ty))))
                .collect();
            json!({ "fields": fields, "order": order })
        }
        _ => Json::Null,
    }
}

fn field_rules(field: &Field, mut rules: Json) -> Json {
    let range = numbers(&field.limits.range);
    if !field.read_only && range.is_none() {
        return rules;
    }
    if !rules.is_object() {
        rules = json!({});
    }
    if let Json::Object(rules) = &mut rules {
        if field.read_only {
            rules.insert("readOnly".to_owned(), true.into());
        }
        if let Some((low, high)) = range {
            let step = if field.ty.kind() == Kind::Float {
                Json::Null
            } else {
                1.into()
            };
            rules.insert(
                "range".to_owned(),
                json!({ "min": low, "max": high, "step": step }),
            );
        }
    }
    rules
}

/// The ends of a range that has both in it.
fn numbers(range: &Range) -> Option<(f64, f64)> {
    if range.is_exclusive {
        return None;
    }
    Some((range.min.as_ref()?.as_f64()?, range.max.as_ref()?.as_f64()?))
}

/// A text within HTML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use transports::{Session, Synced};

    use super::*;

    #[derive(Synced)]
    struct Lamp {
        #[synced(range = -5..=1_000)]
        level: i64,
        #[synced(range = 0.0..=1.0)]
        share: Option<f64>,
        #[synced(range = 0..)]
        open: i64,
        #[synced(read_only)]
        on: bool,
        colour: Colour,
        parts: Vec<Part>,
        name: String,
    }

    #[derive(Synced)]
    enum Colour {
        Red,
        Green,
    }

    #[derive(Synced)]
    struct Part {
        #[synced(range = 1..=3)]
        size: u8,
    }

    #[test]
    fn rules_are_those_of_the_derive() {
        let session = Session::new();
        let _lamp = session.host(Lamp {
            level: 0,
            share: None,
            open: 0,
            on: false,
            colour: if true { Colour::Red } else { Colour::Green },
            parts: vec![Part { size: 1 }],
            name: String::new(),
        });
        let state = state(&Server::new(session), Some(1));
        assert_eq!(state.get("shown"), Some(&json!(1)));
        let expected = json!({ "1": { "fields": {
            "level": { "range": { "min": -5.0, "max": 1000.0, "step": 1 } },
            "share": { "optional": null, "range": { "min": 0.0, "max": 1.0, "step": null } },
            "open": null,
            "on": { "readOnly": true },
            "colour": { "choice": ["Red", "Green"] },
            "parts": { "items": {
                "fields": { "size": { "range": { "min": 1.0, "max": 3.0, "step": 1 } } },
                "order": ["size"],
            } },
            "name": null,
        }, "order": ["level", "share", "open", "on", "colour", "parts", "name"] } });
        assert_eq!(state.get("rules"), Some(&expected));
    }
}
