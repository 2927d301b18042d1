//! The shape of a model, for people and for other languages. It is local: no message carries it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::synced::Synced;

/// The type of a field.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Type {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number with a point.
    Float,
    /// Text, and what travels as text: a `char`.
    Str,
    /// One of a few texts: an enum without data.
    Choice(&'static [&'static str]),
    /// Items of one type.
    List(Box<Self>),
    /// Entries of one type by text key.
    Map(Box<Self>),
    /// A struct. The function makes its schema; a type that contains itself would otherwise have no end.
    Model(&'static str, fn() -> Schema),
    /// An enum with data. The function tells its variants, as for [`Model`](Self::Model).
    Enum(&'static str, fn() -> Variants),
    /// The type or nothing.
    Optional(Box<Self>),
    /// Whatever there is.
    Any,
}

/// The kind of a field as the published packages know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number with a point.
    Float,
    /// Text.
    Str,
    /// A list of anything.
    List,
    /// A map of anything; a nested model is one.
    Map,
    /// Anything else, kinds unknown to this version included.
    #[serde(other)]
    Any,
}

impl Type {
    /// The kind of values of this type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Bool => Kind::Bool,
            Self::Int => Kind::Int,
            Self::Float => Kind::Float,
            Self::Str | Self::Choice(_) => Kind::Str,
            Self::List(_) => Kind::List,
            Self::Map(_) | Self::Model(..) => Kind::Map,
            Self::Optional(inner) => inner.kind(),
            Self::Enum(_, variants) => variants().kind(),
            Self::Any => Kind::Any,
        }
    }

    /// The name a model of this type goes by on the wire: the struct's, or the kind's.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Model(name, _) | Self::Enum(name, _) => name,
            other => match other.kind() {
                Kind::Bool => "Bool",
                Kind::Int => "Int",
                Kind::Float => "Float",
                Kind::Str => "Str",
                Kind::List => "List",
                Kind::Map => "Map",
                Kind::Any => "Any",
            },
        }
    }
}

/// A struct's fields in the order of their declaration.
///
/// The serde form and the TypeScript are those of the published packages, which know only [kinds](Kind): fields nested
/// deeper show as `unknown`.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use transports::{Schema, Synced};
///
/// #[derive(Synced)]
/// struct Counter {
///     tick: u64,
///     label: String,
/// }
///
/// let schema = Schema::of::<Counter>().expect("a struct has one");
/// assert_eq!(
///     schema.to_typescript(),
///     "export interface Counter {\n  tick: number;\n  label: string;\n}"
/// );
/// # }
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Schema {
    /// The struct's name on the wire.
    pub type_name: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A field of a [`Schema`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Field {
    /// The name on the wire.
    pub name: String,
    /// What it holds.
    #[serde(with = "as_kind")]
    pub ty: Type,
    /// `#[synced(range = ...)]` as it is written: `0..=100`.
    #[serde(skip)]
    pub range: Option<&'static str>,
    /// Whether only the host changes it.
    #[serde(skip)]
    pub read_only: bool,
}

/// The variants of an enum with data, in the order of their declaration.
#[derive(Clone, Debug)]
pub struct Variants {
    /// The enum's name on the wire.
    pub type_name: String,
    /// How it is told which variant a value is.
    pub tagging: Tagging,
    /// The variants.
    pub variants: Vec<Variant>,
}

/// serde's representations of enums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tagging {
    /// `{"Name": content}`, or the name as a text where there is no content.
    External,
    /// `{tag: "Name", ...}`, the name among the fields.
    Internal {
        /// What the name stands at.
        tag: String,
    },
    /// `{tag: "Name", content: ...}`.
    Adjacent {
        /// What the name stands at.
        tag: String,
        /// What the content stands at.
        content: String,
    },
}

/// One of the [`Variants`].
#[derive(Clone, Debug)]
pub struct Variant {
    /// The name on the wire.
    pub name: String,
    /// What comes with it.
    pub content: Content,
}

/// What comes with the name of a variant.
#[derive(Clone, Debug)]
pub enum Content {
    /// Nothing.
    Nothing,
    /// One value.
    Value(Type),
    /// Values of these types, as a list.
    List(Vec<Type>),
    /// Fields.
    Fields(Vec<Field>),
}

impl Content {
    /// The only one of the types, or a list of them.
    #[must_use]
    pub fn of(mut types: Vec<Type>) -> Self {
        match (types.pop(), types.is_empty()) {
            (Some(only), true) => Self::Value(only),
            (last, _) => {
                types.extend(last);
                Self::List(types)
            }
        }
    }
}

impl Variants {
    /// The kind of all values, if they are of one.
    fn kind(&self) -> Kind {
        let named = self
            .variants
            .iter()
            .any(|variant| matches!(variant.content, Content::Nothing));
        match self.tagging {
            Tagging::External if named => Kind::Any,
            _ => Kind::Map,
        }
    }
}

mod as_kind {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Kind, Type};

    pub(super) fn serialize<S: Serializer>(ty: &Type, serializer: S) -> Result<S::Ok, S::Error> {
        ty.kind().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Type, D::Error> {
        Ok(match Kind::deserialize(deserializer)? {
            Kind::Bool => Type::Bool,
            Kind::Int => Type::Int,
            Kind::Float => Type::Float,
            Kind::Str => Type::Str,
            Kind::List => Type::List(Box::new(Type::Any)),
            Kind::Map => Type::Map(Box::new(Type::Any)),
            Kind::Any => Type::Any,
        })
    }
}

impl Schema {
    /// The schema of a struct; `None` for a type without fields.
    #[must_use]
    pub fn of<T: Synced>() -> Option<Self> {
        match T::ty() {
            Type::Model(_, schema) => Some(schema()),
            _ => None,
        }
    }

    /// A TypeScript interface, one line a field, without a newline at the end.
    #[must_use]
    pub fn to_typescript(&self) -> String {
        let mut text = format!("export interface {} {{\n", self.type_name);
        for field in &self.fields {
            let ty = match field.ty.kind() {
                Kind::Bool => "boolean",
                Kind::Int | Kind::Float => "number",
                Kind::Str => "string",
                Kind::List => "unknown[]",
                Kind::Map => "Record<string, unknown>",
                Kind::Any => "unknown",
            };
            writeln!(text, "  {}: {ty};", field.name).expect("writing to memory does not fail");
        }
        text.push('}');
        text
    }
}
