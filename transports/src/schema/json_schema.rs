//! [`Bindings`] as JSON Schema.

use serde_json::{Map, Number, Value as Json, json};

use super::Tagging;
use super::bindings::Bindings;
use super::shape::{Field, Fields, Shape, Variant, Variants};
use super::typescript::{length_names, may_be_omitted};

impl Bindings {
    /// JSON Schema 2020-12 of the plain values that may be given for an edit: what clients show fits it, too. All types
    /// stand in `$defs`; the schema itself is that of the models that were added, any one of them.
    #[must_use]
    pub fn json_schema(&self) -> Json {
        let definitions: Map<_, _> = self
            .definitions
            .iter()
            .map(|definition| {
                let mut schema = of(&definition.shape);
                describe(&mut schema, &definition.doc);
                (definition.name.clone(), schema)
            })
            .collect();
        let roots: Vec<_> = self.roots.iter().map(|root| reference(root)).collect();
        let mut schema = match &*roots {
            [] => json!({}),
            [root] => root.clone(),
            _ => json!({ "anyOf": roots }),
        };
        put(
            &mut schema,
            "$schema",
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        put(&mut schema, "$defs", Json::Object(definitions));
        schema
    }
}

fn of(shape: &Shape) -> Json {
    match shape {
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Int { min, max } => {
            let mut schema = json!({ "type": "integer" });
            for (name, value) in [("minimum", min), ("maximum", max)] {
                if let Some(value) = value {
                    put(&mut schema, name, json!(value));
                }
            }
            schema
        }
        Shape::Float => json!({ "type": "number" }),
        Shape::Str => json!({ "type": "string" }),
        Shape::Any => json!({}),
        Shape::List(item) => json!({ "type": "array", "items": of(item) }),
        Shape::Set(item) => json!({ "type": "array", "items": of(item), "uniqueItems": true }),
        Shape::Array(item, len) => {
            json!({ "type": "array", "items": of(item), "minItems": len, "maxItems": len })
        }
        Shape::Tuple(items) => tuple(items),
        Shape::Map(entry) => json!({ "type": "object", "additionalProperties": of(entry) }),
        Shape::Optional(inner) => json!({ "anyOf": [of(inner), { "type": "null" }] }),
        Shape::Struct(fields) => object(fields),
        Shape::Names(names) if names.iter().all(|name| name.doc.is_empty()) => {
            let names: Vec<_> = names.iter().map(|name| &name.name).collect();
            json!({ "type": "string", "enum": names })
        }
        Shape::Names(names) => {
            let names = names.iter().map(|name| {
                let mut schema = json!({ "const": name.name });
                describe(&mut schema, &name.doc);
                schema
            });
            json!({ "type": "string", "oneOf": names.collect::<Vec<_>>() })
        }
        Shape::Enum(variants) => {
            let written = variants.variants.iter().map(|each| {
                let mut schema = variant(variants, each);
                describe(&mut schema, &each.doc);
                schema
            });
            json!({ "oneOf": written.collect::<Vec<_>>() })
        }
        Shape::Named(name) => reference(name),
    }
}

fn variant(variants: &Variants, variant: &Variant) -> Json {
    let name = json!({ "const": variant.name });
    let content = variant.content.as_ref().map(of);
    match (&variants.tagging, content) {
        (Tagging::External, None) => name,
        (Tagging::External, Some(content)) => {
            let mut schema = entries([(&variant.name, content)]);
            put(&mut schema, "additionalProperties", json!(false));
            schema
        }
        (Tagging::Adjacent { tag, .. } | Tagging::Internal { tag }, None) => entries([(tag, name)]),
        (Tagging::Adjacent { tag, content: at }, Some(content)) => {
            entries([(tag, name), (at, content)])
        }
        (Tagging::Internal { tag }, Some(mut schema)) => {
            if let Some(Json::Object(properties)) = schema.get_mut("properties") {
                properties.insert(tag.clone(), name);
            }
            if let Some(Json::Array(required)) = schema.get_mut("required") {
                required.insert(0, json!(tag));
            }
            schema
        }
    }
}

fn object(Fields { fields, rest }: &Fields) -> Json {
    let properties: Map<_, _> = fields
        .iter()
        .map(|field| (field.name.clone(), of_field(field)))
        .collect();
    let required: Vec<_> = fields
        .iter()
        .filter(|field| !may_be_omitted(field))
        .map(|field| &field.name)
        .collect();
    let mut schema = json!({ "type": "object", "properties": properties, "required": required });
    if let Some(rest) = rest {
        put(&mut schema, "additionalProperties", of(rest));
    }
    schema
}

fn of_field(field: &Field) -> Json {
    let mut schema = of(&field.shape);
    // `null` has no number and no length, so these say nothing of it.
    let (range, length) = (&field.range, &field.length);
    let max = if range.is_exclusive {
        "exclusiveMaximum"
    } else {
        "maximum"
    };
    let (shortest, longest) = length_names(&field.shape);
    for (name, value) in [
        ("minimum", &range.min),
        (max, &range.max),
        (shortest, &length.min),
        (longest, &length.max),
    ] {
        if let Some(value) = value {
            limit(&mut schema, name, value);
        }
    }
    if field.read_only {
        put(&mut schema, "readOnly", json!(true));
    }
    if let Some(view) = &field.view {
        put(&mut schema, "x-view", json!(view));
    }
    describe(&mut schema, &field.doc);
    schema
}

fn tuple(items: &[Shape]) -> Json {
    let items: Vec<_> = items.iter().map(of).collect();
    let len = items.len();
    if len == 0 {
        return json!({ "type": "array", "maxItems": 0 });
    }
    json!({ "type": "array", "prefixItems": items, "minItems": len, "maxItems": len })
}

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// An object with these entries.
fn entries<const N: usize>(entries: [(&String, Json); N]) -> Json {
    let required: Vec<_> = entries.iter().map(|(name, _)| name.to_owned()).collect();
    let required = json!(required);
    let properties: Map<_, _> = entries
        .into_iter()
        .map(|(name, schema)| (name.clone(), schema))
        .collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn put(schema: &mut Json, name: &str, value: Json) {
    if let Json::Object(entries) = schema {
        entries.insert(name.to_owned(), value);
    }
}

/// Adds a limit, unless the type has a narrower one.
fn limit(schema: &mut Json, name: &str, value: &Number) {
    let narrower = schema.get(name).is_some_and(|known| {
        match (known.as_f64(), value.as_f64(), name.starts_with("min")) {
            (Some(known), Some(value), true) => known > value,
            (Some(known), Some(value), false) => known < value,
            _ => false,
        }
    });
    if !narrower {
        put(schema, name, Json::Number(value.clone()));
    }
}

fn describe(schema: &mut Json, doc: &str) {
    if !doc.is_empty() {
        put(schema, "description", json!(doc));
    }
}
