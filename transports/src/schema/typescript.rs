//! [`Bindings`] as TypeScript: what the browser client shows, and what it takes for an edit.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::iter;

use super::bindings::{Bindings, Definition, Shape};
use super::{Content, Field, Limits, Range, Tagging, Type, Variant, Variants};

const HEADER: &str = "// Made from the models of a Rust program. Do not edit: `UPDATE_BINDINGS=1 cargo test` writes it.\n";

/// The largest whole number that every `number` of JavaScript tells from its neighbours.
const SAFE: i64 = (1 << 53) - 1;

/// The longest array that is written as a tuple.
const LONGEST_TUPLE: usize = 16;

impl Bindings {
    /// TypeScript: an interface for each struct, a union for each enum. What differs where a value is given for an
    /// edit, as fields with a default may be left out, has another one whose name ends with `Input`.
    ///
    /// Ints whose type or `range` reaches beyond 2^53 are `number | bigint`, as the browser client gives the one or the
    /// other by their size; the host is taken to keep to the `range` itself. A Float that is not finite is `null`
    /// there, which the types leave unsaid.
    #[must_use]
    pub fn typescript(&self) -> String {
        let given = self.given();
        let shown = Side {
            bindings: self,
            given: None,
        };
        let mut text = HEADER.to_owned();
        for definition in &self.definitions {
            text.push('\n');
            text.push_str(&comment("", definition.shape.doc(), &[]));
            shown.define(&mut text, definition);
        }
        let side = Side {
            bindings: self,
            given: Some(&given),
        };
        for (position, definition) in self.definitions.iter().enumerate() {
            if given.contains(&position) {
                let doc = format!(
                    "{{@link {}}}, as it may be given for an edit.",
                    definition.name
                );
                text.push('\n');
                text.push_str(&comment("", &doc, &[]));
                side.define(&mut text, definition);
            }
        }
        text
    }

    /// The positions of the definitions of which less has to be given than is shown.
    fn given(&self) -> BTreeSet<usize> {
        let mut given = BTreeSet::new();
        loop {
            let before = given.len();
            for (position, definition) in self.definitions.iter().enumerate() {
                let own = definition
                    .shape
                    .fields()
                    .into_iter()
                    .any(|field| may_be_omitted(field) && !field.may_be_missing);
                let mut below = false;
                definition
                    .shape
                    .each(&mut |ty| below |= self.names(ty, &given));
                if own || below {
                    given.insert(position);
                }
            }
            if given.len() == before {
                return given;
            }
        }
    }

    /// Whether a type mentions one of these definitions.
    fn names(&self, ty: &Type, those: &BTreeSet<usize>) -> bool {
        match ty {
            Type::List(inner)
            | Type::Array(inner, _)
            | Type::Set(inner)
            | Type::Map(inner)
            | Type::Optional(inner) => self.names(inner, those),
            Type::Tuple(items) => items.iter().any(|item| self.names(item, those)),
            _ => self
                .definition(ty)
                .is_some_and(|definition| those.contains(&self.position(definition))),
        }
    }

    fn position(&self, definition: &Definition) -> usize {
        let mut known = self.definitions.iter();
        known
            .position(|known| known.id == definition.id)
            .expect("it is one of them")
    }
}

/// Whether a value that is given may do without the field.
pub(super) fn may_be_omitted(field: &Field) -> bool {
    field.has_default || field.may_be_missing || matches!(field.ty, Type::Optional(_))
}

/// What the client shows or, with those definitions that differ, what it is given.
struct Side<'a> {
    bindings: &'a Bindings,
    given: Option<&'a BTreeSet<usize>>,
}

impl Side<'_> {
    fn name(&self, definition: &Definition) -> String {
        let position = self.bindings.position(definition);
        let name = &definition.name;
        if !self.given.is_some_and(|given| given.contains(&position)) {
            return name.clone();
        }
        // A model may have this very name.
        let mut input = format!("{name}Input");
        let definitions = &self.bindings.definitions;
        while definitions.iter().any(|known| known.name == input) {
            input.push('_');
        }
        input
    }

    fn define(&self, text: &mut String, definition: &Definition) {
        let name = self.name(definition);
        let written = match &definition.shape {
            Shape::Model(schema) => {
                let fields = self.fields("  ", &schema.fields, schema.rest.as_ref());
                write!(text, "export interface {name} {{\n{fields}}}\n")
            }
            Shape::Tuple(tuple) => {
                writeln!(text, "export type {name} = {};", self.tuple(&tuple.types))
            }
            Shape::Names(names) => {
                let names = names.names.iter().map(|(name, doc)| (*doc, quoted(name)));
                writeln!(text, "export type {name} ={};", union(names))
            }
            Shape::Enum(variants) => {
                let written = variants
                    .variants
                    .iter()
                    .map(|variant| (variant.doc, self.variant(variants, variant)));
                writeln!(text, "export type {name} ={};", union(written))
            }
        };
        written.expect("writing to memory does not fail");
    }

    /// A variant as an object or a text, at the indent of a union.
    fn variant(&self, variants: &Variants, variant: &Variant) -> String {
        let name = quoted(&variant.name);
        let content = || match &variant.content {
            Content::Nothing => None,
            Content::Value(ty) => Some(self.ty(ty, &Limits::default())),
            Content::List(types) => Some(self.tuple(types)),
            Content::Fields(fields, rest) => Some(format!(
                "{{\n{}      }}",
                self.fields("        ", fields, rest.as_ref())
            )),
        };
        let lines = match &variants.tagging {
            Tagging::External => match content() {
                None => return name,
                Some(content) => line("      ", &property(&variant.name), &content),
            },
            Tagging::Internal { tag } => {
                let tag = line("      ", &property(tag), &name);
                match &variant.content {
                    Content::Fields(fields, rest) => {
                        tag + &self.fields("      ", fields, rest.as_ref())
                    }
                    _ => tag,
                }
            }
            Tagging::Adjacent { tag, content: at } => {
                let tag = line("      ", &property(tag), &name);
                match content() {
                    None => tag,
                    Some(content) => tag + &line("      ", &property(at), &content),
                }
            }
        };
        format!("{{\n{lines}    }}")
    }

    /// The lines of an object's fields.
    fn fields(&self, indent: &str, fields: &[Field], rest: Option<&Type>) -> String {
        let mut text = String::new();
        for field in fields {
            let optional = match self.given {
                None => field.may_be_missing,
                Some(_) => may_be_omitted(field),
            };
            let name = property(&field.name) + if optional { "?" } else { "" };
            text.push_str(&comment(indent, field.doc, &tags(field)));
            text.push_str(&line(indent, &name, &self.ty(&field.ty, &field.limits)));
        }
        if rest.is_some() {
            // All fields have to fit this, too.
            text.push_str(&line(indent, "[key: string]", "unknown"));
        }
        text
    }

    fn tuple(&self, types: &[Type]) -> String {
        let types: Vec<_> = types
            .iter()
            .map(|ty| self.ty(ty, &Limits::default()))
            .collect();
        format!("readonly [{}]", types.join(", "))
    }

    fn ty(&self, ty: &Type, limits: &Limits) -> String {
        match ty {
            Type::Bool => "boolean".to_owned(),
            Type::Int(min, max) => {
                let min = limit(limits.range.min.as_ref(), *min).max(*min);
                let max = limit(limits.range.max.as_ref(), *max).min(*max);
                let is_safe = min >= -SAFE && max <= SAFE;
                if is_safe { "number" } else { "number | bigint" }.to_owned()
            }
            Type::Float => "number".to_owned(),
            Type::Str => "string".to_owned(),
            Type::Any => "unknown".to_owned(),
            Type::List(item) | Type::Set(item) => self.items(item),
            Type::Array(item, len) if *len > LONGEST_TUPLE => self.items(item),
            Type::Array(item, len) => {
                let item = self.ty(item, &Limits::default());
                let items: Vec<_> = iter::repeat_n(item, *len).collect();
                format!("readonly [{}]", items.join(", "))
            }
            Type::Tuple(types) => self.tuple(types),
            Type::Map(entry) => format!(
                "{{ readonly [key: string]: {} }}",
                self.ty(entry, &Limits::default())
            ),
            Type::Optional(inner) => {
                let inner = self.ty(inner, limits);
                if inner == "unknown" || inner.ends_with(" | null") {
                    inner
                } else {
                    format!("{inner} | null")
                }
            }
            Type::Model(..) | Type::Enum(..) | Type::Names(..) | Type::TupleStruct(..) => {
                let definition = self.bindings.definition(ty);
                definition.map_or_else(|| "unknown".to_owned(), |known| self.name(known))
            }
        }
    }

    fn items(&self, item: &Type) -> String {
        let item = self.ty(item, &Limits::default());
        if item.contains(" | ") || item.starts_with("readonly ") {
            format!("readonly ({item})[]")
        } else {
            format!("readonly {item}[]")
        }
    }
}

/// The limit as an int, or what the type says.
fn limit(limit: Option<&serde_json::Number>, otherwise: i64) -> i64 {
    limit
        .and_then(serde_json::Number::as_i64)
        .unwrap_or(otherwise)
}

/// The lines of a union's members, with what is said of each.
fn union<'a>(members: impl Iterator<Item = (&'a str, String)>) -> String {
    members
        .map(|(doc, member)| format!("\n{}  | {member}", comment("  ", doc, &[])))
        .collect()
}

fn line(indent: &str, name: &str, ty: &str) -> String {
    format!("{indent}readonly {name}: {ty};\n")
}

fn property(name: &str) -> String {
    let mut bytes = name.bytes();
    let is_plain = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$'))
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
    if is_plain {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What a field has to keep to, as the tags that tools for JSON Schema know.
fn tags(field: &Field) -> Vec<String> {
    let mut tags = Vec::new();
    let Limits { range, length } = &field.limits;
    let max = if range.is_exclusive {
        "exclusiveMaximum"
    } else {
        "maximum"
    };
    let (shortest, longest) = length_names(&field.ty);
    let Range {
        min, max: limit, ..
    } = range;
    for (name, value) in [
        ("minimum", min),
        (max, limit),
        (shortest, &length.min),
        (longest, &length.max),
    ] {
        tags.extend(value.as_ref().map(|value| format!("@{name} {value}")));
    }
    if field.read_only {
        tags.push("@readonly".to_owned());
    }
    tags
}

/// What JSON Schema calls the limits of a length.
pub(super) fn length_names(ty: &Type) -> (&'static str, &'static str) {
    match ty {
        Type::Optional(inner) => length_names(inner),
        Type::Map(_) => ("minProperties", "maxProperties"),
        Type::List(_) | Type::Set(_) | Type::Array(..) => ("minItems", "maxItems"),
        _ => ("minLength", "maxLength"),
    }
}

/// A comment as tools read it, or nothing.
fn comment(indent: &str, doc: &str, tags: &[String]) -> String {
    let doc = doc.replace("*/", "*\\/");
    if tags.is_empty() {
        return match &*doc {
            "" => String::new(),
            doc => format!("{indent}/** {doc} */\n"),
        };
    }
    let mut text = format!("{indent}/**\n");
    if !doc.is_empty() {
        text.push_str(&format!("{indent} * {doc}\n{indent} *\n"));
    }
    for tag in tags {
        text.push_str(&format!("{indent} * {tag}\n"));
    }
    text + indent + " */\n"
}
