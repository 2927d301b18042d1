//! The shape of a model, for people and for other languages.
//!
//! [`Bindings`] write it as TypeScript and as JSON Schema. Clients that ask are [told](crate::Message::Schema) of it.

mod bindings;
mod collect;
mod json_schema;
mod limits;
mod shape;
mod typescript;
mod views;

use std::any::TypeId;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

pub use self::bindings::{Bindings, BindingsError, SchemaError};
pub use self::limits::{Limits, Range};
use crate::synced::Synced;

/// The type of a field.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Type {
    /// True or false.
    Bool,
    /// A whole number, at least the first and at most the second.
    Int(i64, i64),
    /// A number with a point.
    Float,
    /// Text, and what travels as text, as a `char`.
    Str,
    /// One of a few texts: a unit-only enum. The function tells which.
    Names(&'static str, fn() -> Names),
    /// Items of one type.
    List(Box<Self>),
    /// Items of one type, as many as there are.
    Array(Box<Self>, usize),
    /// Items of one type, each once.
    Set(Box<Self>),
    /// Items of these types, in this order.
    Tuple(Vec<Self>),
    /// A struct whose fields have no names. The function tells their types, as for [`Model`](Self::Model).
    TupleStruct(&'static str, fn() -> TupleStruct),
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
    /// Any whole number that the wire carries.
    pub const INT: Self = Self::Int(i64::MIN, i64::MAX);

    /// The kind of values of this type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Bool => Kind::Bool,
            Self::Int(..) => Kind::Int,
            Self::Float => Kind::Float,
            Self::Str | Self::Names(..) => Kind::Str,
            Self::List(_)
            | Self::Array(..)
            | Self::Set(_)
            | Self::Tuple(_)
            | Self::TupleStruct(..) => Kind::List,
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
    /// Its fields, those of flattened ones among them.
    pub fields: Vec<Field>,
    /// The type of all other entries, where a map is flattened.
    #[serde(skip)]
    pub rest: Option<Type>,
    /// The first paragraph of its doc comment.
    #[serde(skip)]
    pub doc: &'static str,
    #[serde(skip)]
    pub(crate) id: Option<TypeId>,
}

/// A field of a [`Schema`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Field {
    /// The name on the wire.
    pub name: String,
    /// What it holds.
    #[serde(with = "as_kind")]
    pub ty: Type,
    /// The first paragraph of its doc comment.
    #[serde(skip)]
    pub doc: &'static str,
    /// Whether clients may not change it.
    #[serde(skip)]
    pub read_only: bool,
    /// Whether the host may leave it out: it is flattened from something that is not always there.
    #[serde(skip)]
    pub may_be_missing: bool,
    /// Whether a value that lacks it is given one.
    #[serde(skip)]
    pub has_default: bool,
    /// Which [view](crate::Views) shows it; all do if there is none.
    #[serde(skip)]
    pub view: Option<&'static str>,
    /// What clients have to keep to.
    #[serde(skip)]
    pub limits: Limits,
    /// What it may hold besides, of which `ty` says nothing.
    #[serde(skip)]
    pub(crate) merged: Vec<Content>,
}

/// The texts that a unit-only enum is one of, in the order of their declaration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Names {
    /// The enum's name on the wire.
    pub type_name: &'static str,
    /// The first paragraph of its doc comment.
    pub doc: &'static str,
    /// The name of each variant and the first paragraph of its doc comment.
    pub names: &'static [(&'static str, &'static str)],
    pub(crate) id: TypeId,
}

/// A struct whose fields have no names.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TupleStruct {
    /// The struct's name.
    pub type_name: &'static str,
    /// The first paragraph of its doc comment.
    pub doc: &'static str,
    /// What the fields hold.
    pub types: Vec<Type>,
    pub(crate) id: TypeId,
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
    /// The first paragraph of its doc comment.
    pub doc: &'static str,
    pub(crate) id: TypeId,
}

/// serde's representations of enums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The first paragraph of its doc comment.
    pub doc: &'static str,
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
    /// Fields, and the type of all other entries where a map is flattened.
    Fields(Vec<Field>, Option<Type>),
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
            Kind::Int => Type::INT,
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
