//! [`Bindings`] as TypeScript: what the browser client shows, and what it takes for an edit.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::iter;

use serde_json::Number;

use super::bindings::Bindings;
use super::shape::{Definition, Field, Fields, Shape, Variant, Variants};
use super::{Range, Tagging};

/// The largest whole number that every `number` of JavaScript tells from its neighbours.
const SAFE: i64 = (1 << 53) - 1;

/// The longest array that is written as a tuple.
const LONGEST_TUPLE: usize = 16;

/// The bytes that it may have: arrays of arrays would have no end of them.
const WIDEST_TUPLE: usize = 1024;

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
        let mut text = format!(
            "// Made from the models of a Rust program. Do not edit: `{}` writes it.\n",
            self.command()
        );
        for definition in &self.definitions {
            text.push('\n');
            text.push_str(&comment("", &definition.doc, &[]));
            shown.define(&mut text, definition);
        }
        let side = Side {
            bindings: self,
            given: Some(&given),
        };
        for definition in &self.definitions {
            if given.contains(&*definition.name) {
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

    /// The definitions of which less has to be given than is shown.
    fn given(&self) -> BTreeSet<&str> {
        let mut given = BTreeSet::new();
        loop {
            let before = given.len();
            for Definition { name, shape, .. } in &self.definitions {
                let own = shape
                    .fields()
                    .into_iter()
                    .any(|field| may_be_omitted(field) && !may_be_absent(field));
                if own || shape.mentions(&given) {
                    given.insert(&**name);
                }
            }
            if given.len() == before {
                return given;
            }
        }
    }
}

/// Whether a value that is shown may be without the field.
const fn may_be_absent(field: &Field) -> bool {
    field.may_be_missing || field.view.is_some()
}

/// Whether a value that is given may do without the field.
pub(super) fn may_be_omitted(field: &Field) -> bool {
    field.has_default || field.may_be_missing || matches!(field.shape, Shape::Optional(_))
}

/// What the client shows or, with those definitions that differ, what it is given.
struct Side<'a> {
    bindings: &'a Bindings,
    given: Option<&'a BTreeSet<&'a str>>,
}

impl Side<'_> {
    fn name(&self, name: &str) -> String {
        if !self.given.is_some_and(|given| given.contains(name)) {
            return name.to_owned();
        }
        // A model may have this very name.
        let mut input = format!("{name}Input");
        while self.bindings.definition(&input).is_some() {
            input.push('_');
        }
        input
    }

    fn define(&self, text: &mut String, definition: &Definition) {
        let name = self.name(&definition.name);
        let written = match &definition.shape {
            Shape::Struct(fields) => {
                let fields = self.fields("  ", fields);
                write!(text, "export interface {name} {{\n{fields}}}\n")
            }
            Shape::Names(names) => {
                let names = names.iter().map(|name| (&*name.doc, quoted(&name.name)));
                writeln!(text, "export type {name} ={};", union(names))
            }
            Shape::Enum(variants) => {
                let written = variants
                    .variants
                    .iter()
                    .map(|variant| (&*variant.doc, self.variant(variants, variant)));
                writeln!(text, "export type {name} ={};", union(written))
            }
            other => writeln!(text, "export type {name} = {};", self.ty(other)),
        };
        written.expect("writing to memory does not fail");
    }

    /// A variant as an object or a text, at the indent of a union.
    fn variant(&self, variants: &Variants, variant: &Variant) -> String {
        let name = quoted(&variant.name);
        let content = || match variant.content.as_ref()? {
            Shape::Struct(fields) => {
                Some(format!("{{\n{}      }}", self.fields("        ", fields)))
            }
            other => Some(self.ty(other)),
        };
        let lines = match &variants.tagging {
            Tagging::External => match content() {
                None => return name,
                Some(content) => line("      ", &property(&variant.name), &content),
            },
            Tagging::Internal { tag } => {
                let tag = line("      ", &property(tag), &name);
                match &variant.content {
                    Some(Shape::Struct(fields)) => tag + &self.fields("      ", fields),
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
    fn fields(&self, indent: &str, Fields { fields, rest }: &Fields) -> String {
        let mut text = String::new();
        for field in fields {
            let optional = match self.given {
                None => may_be_absent(field),
                Some(_) => may_be_omitted(field),
            };
            let name = property(&field.name) + if optional { "?" } else { "" };
            text.push_str(&comment(indent, &field.doc, &tags(field)));
            text.push_str(&line(
                indent,
                &name,
                &self.limited(&field.shape, &field.range),
            ));
        }
        if rest.is_some() {
            // All fields have to fit this, too.
            text.push_str(&line(indent, "[key: string]", "unknown"));
        }
        text
    }

    fn ty(&self, shape: &Shape) -> String {
        self.limited(shape, &Range::default())
    }

    fn limited(&self, shape: &Shape, range: &Range) -> String {
        match shape {
            Shape::Bool => "boolean".to_owned(),
            Shape::Int { min, max } => {
                let min = larger(*min, range.min.as_ref());
                let max = smaller(*max, range.max.as_ref());
                let is_safe = min >= -SAFE && max <= SAFE;
                if is_safe { "number" } else { "number | bigint" }.to_owned()
            }
            Shape::Float => "number".to_owned(),
            Shape::Str => "string".to_owned(),
            Shape::List(item) | Shape::Set(item) => items(&self.ty(item)),
            Shape::Array(inner, len) => {
                let item = self.ty(inner);
                if *len > LONGEST_TUPLE || len * item.len() > WIDEST_TUPLE {
                    return items(&item);
                }
                let all: Vec<_> = iter::repeat_n(item, *len).collect();
                format!("readonly [{}]", all.join(", "))
            }
            Shape::Tuple(items) => {
                let items: Vec<_> = items.iter().map(|item| self.ty(item)).collect();
                format!("readonly [{}]", items.join(", "))
            }
            Shape::Map(entry) => format!("{{ readonly [key: string]: {} }}", self.ty(entry)),
            Shape::Optional(inner) => {
                let inner = self.limited(inner, range);
                if inner == "unknown" || inner.ends_with(" | null") {
                    inner
                } else {
                    format!("{inner} | null")
                }
            }
            Shape::Named(name) => self.name(name),
            // Such always have a name.
            Shape::Any | Shape::Struct(_) | Shape::Names(_) | Shape::Enum(_) => {
                "unknown".to_owned()
            }
        }
    }
}

/// A list of items of a type.
fn items(item: &str) -> String {
    if item.contains(" | ") || item.starts_with("readonly ") {
        format!("readonly ({item})[]")
    } else {
        format!("readonly {item}[]")
    }
}

/// The larger of two limits, if they are ints.
fn larger(of_type: Option<i64>, limit: Option<&Number>) -> i64 {
    let limit = limit.and_then(Number::as_i64);
    of_type.max(limit).unwrap_or(i64::MIN)
}

/// The smaller of two limits, if they are ints.
fn smaller(of_type: Option<i64>, limit: Option<&Number>) -> i64 {
    let limit = limit.and_then(Number::as_i64).unwrap_or(i64::MAX);
    of_type.unwrap_or(i64::MAX).min(limit)
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
    let Field { range, length, .. } = field;
    let max = if range.is_exclusive {
        "exclusiveMaximum"
    } else {
        "maximum"
    };
    let (shortest, longest) = length_names(&field.shape);
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
    tags.extend(field.view.as_ref().map(|view| format!("@view {view}")));
    tags
}

/// What JSON Schema calls the limits of a length.
pub(super) fn length_names(shape: &Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::Optional(inner) => length_names(inner),
        Shape::Map(_) => ("minProperties", "maxProperties"),
        Shape::List(_) | Shape::Set(_) | Shape::Array(..) => ("minItems", "maxItems"),
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
