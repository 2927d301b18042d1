//! [`Bindings`] as JSON Schema.

use serde_json::{Map, Number, Value as Json, json};

use super::bindings::{Bindings, Shape};
use super::typescript::{length_names, may_be_omitted};
use super::{Content, Field, Tagging, Type, Variant, Variants};

impl Bindings {
    /// JSON Schema 2020-12 of the plain values that may be given for an edit: what clients show fits it, too. All types
    /// stand in `$defs`; the schema itself is that of the models that were added, any one of them.
    #[must_use]
    pub fn json_schema(&self) -> Json {
        let definitions: Map<_, _> = self
            .definitions
            .iter()
            .map(|definition| {
                let mut schema = self.shape(&definition.shape);
                describe(&mut schema, definition.shape.doc());
                (definition.name.clone(), schema)
            })
            .collect();
        let roots: Vec<_> = self
            .roots
            .iter()
            .filter_map(|root| self.definitions.get(*root))
            .map(|root| reference(&root.name))
            .collect();
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

    fn shape(&self, shape: &Shape) -> Json {
        match shape {
            Shape::Model(schema) => self.object(&schema.fields, schema.rest.as_ref()),
            Shape::Tuple(tuple) => self.tuple(&tuple.types),
            Shape::Names(names) if names.names.iter().all(|(_, doc)| doc.is_empty()) => {
                let names: Vec<_> = names.names.iter().map(|(name, _)| name).collect();
                json!({ "type": "string", "enum": names })
            }
            Shape::Names(names) => {
                let names = names.names.iter().map(|(name, doc)| {
                    let mut schema = json!({ "const": name });
                    describe(&mut schema, doc);
                    schema
                });
                json!({ "type": "string", "oneOf": names.collect::<Vec<_>>() })
            }
            Shape::Enum(variants) => {
                let written = variants.variants.iter().map(|variant| {
                    let mut schema = self.variant(variants, variant);
                    describe(&mut schema, variant.doc);
                    schema
                });
                json!({ "oneOf": written.collect::<Vec<_>>() })
            }
        }
    }

    fn variant(&self, variants: &Variants, variant: &Variant) -> Json {
        let name = json!({ "const": variant.name });
        let content = match &variant.content {
            Content::Nothing => None,
            Content::Value(ty) => Some(self.ty(ty)),
            Content::List(types) => Some(self.tuple(types)),
            Content::Fields(fields, rest) => Some(self.object(fields, rest.as_ref())),
        };
        match (&variants.tagging, content) {
            (Tagging::External, None) => name,
            (Tagging::External, Some(content)) => {
                let mut schema = entries([(&variant.name, content)]);
                put(&mut schema, "additionalProperties", json!(false));
                schema
            }
            (Tagging::Adjacent { tag, .. } | Tagging::Internal { tag }, None) => {
                entries([(tag, name)])
            }
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

    fn object(&self, fields: &[Field], rest: Option<&Type>) -> Json {
        let properties: Map<_, _> = fields
            .iter()
            .map(|field| (field.name.clone(), self.field(field)))
            .collect();
        let required: Vec<_> = fields
            .iter()
            .filter(|field| !may_be_omitted(field))
            .map(|field| &field.name)
            .collect();
        let mut schema =
            json!({ "type": "object", "properties": properties, "required": required });
        if let Some(rest) = rest {
            put(&mut schema, "additionalProperties", self.ty(rest));
        }
        schema
    }

    fn field(&self, field: &Field) -> Json {
        let mut schema = self.ty(&field.ty);
        // `null` has no number and no length, so these say nothing of it.
        let (range, length) = (&field.limits.range, &field.limits.length);
        let max = if range.is_exclusive {
            "exclusiveMaximum"
        } else {
            "maximum"
        };
        let (shortest, longest) = length_names(&field.ty);
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
        describe(&mut schema, field.doc);
        schema
    }

    fn tuple(&self, types: &[Type]) -> Json {
        let items: Vec<_> = types.iter().map(|ty| self.ty(ty)).collect();
        let len = items.len();
        if len == 0 {
            return json!({ "type": "array", "maxItems": 0 });
        }
        json!({ "type": "array", "prefixItems": items, "minItems": len, "maxItems": len })
    }

    fn ty(&self, ty: &Type) -> Json {
        match ty {
            Type::Bool => json!({ "type": "boolean" }),
            Type::Int(min, max) => {
                let mut schema = json!({ "type": "integer" });
                if *min != i64::MIN {
                    put(&mut schema, "minimum", json!(min));
                }
                if *max != i64::MAX {
                    put(&mut schema, "maximum", json!(max));
                }
                schema
            }
            Type::Float => json!({ "type": "number" }),
            Type::Str => json!({ "type": "string" }),
            Type::Any => json!({}),
            Type::List(item) => json!({ "type": "array", "items": self.ty(item) }),
            Type::Set(item) => {
                json!({ "type": "array", "items": self.ty(item), "uniqueItems": true })
            }
            Type::Array(item, len) => {
                json!({ "type": "array", "items": self.ty(item), "minItems": len, "maxItems": len })
            }
            Type::Tuple(types) => self.tuple(types),
            Type::Map(entry) => {
                json!({ "type": "object", "additionalProperties": self.ty(entry) })
            }
            Type::Optional(inner) => json!({ "anyOf": [self.ty(inner), { "type": "null" }] }),
            Type::Model(..) | Type::Enum(..) | Type::Names(..) | Type::TupleStruct(..) => self
                .definition(ty)
                .map_or_else(|| json!({}), |known| reference(&known.name)),
        }
    }
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
