//! Types as others are told of them: as data, and those with a name by that name.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Range, Tagging};

/// A type. The names are those of the wire's values, where there are such.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Shape {
    Bool,
    Int {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    Float,
    Str,
    /// Whatever there is.
    Any,
    List(Box<Self>),
    Set(Box<Self>),
    Array(Box<Self>, usize),
    Tuple(Vec<Self>),
    Map(Box<Self>),
    Optional(Box<Self>),
    Struct(Fields),
    Names(Vec<Name>),
    Enum(Variants),
    /// What is defined under this name.
    Named(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Fields {
    pub(super) fields: Vec<Field>,
    /// The type of all other entries, where a map is flattened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rest: Option<Box<Shape>>,
}

/// See [`super::Field`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Field {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) shape: Shape,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) doc: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) read_only: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) may_be_missing: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) has_default: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) view: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) range: Range,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) length: Range,
}

/// One of the texts that a value may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Name {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) doc: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Variants {
    pub(super) tagging: Tagging,
    pub(super) variants: Vec<Variant>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Variant {
    pub(super) name: String,
    /// What comes with the name.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Shape>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) doc: String,
}

/// A type with a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Definition {
    /// Unlike all others, and a name in other languages.
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) doc: String,
    #[serde(rename = "type")]
    pub(super) shape: Shape,
}

/// The type of a model, with the definitions of all names in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Description {
    #[serde(rename = "type")]
    pub(super) shape: Shape,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) definitions: Vec<Definition>,
}

fn is_default(range: &Range) -> bool {
    *range == Range::default()
}

impl Shape {
    /// The types right below it.
    pub(super) fn below(&self) -> Vec<&Self> {
        match self {
            Self::Bool
            | Self::Int { .. }
            | Self::Float
            | Self::Str
            | Self::Any
            | Self::Names(_)
            | Self::Named(_) => Vec::new(),
            Self::List(inner)
            | Self::Set(inner)
            | Self::Array(inner, _)
            | Self::Map(inner)
            | Self::Optional(inner) => vec![inner],
            Self::Tuple(items) => items.iter().collect(),
            Self::Struct(Fields { fields, rest }) => fields
                .iter()
                .map(|field| &field.shape)
                .chain(rest.as_deref())
                .collect(),
            Self::Enum(Variants { variants, .. }) => variants
                .iter()
                .filter_map(|variant| variant.content.as_ref())
                .collect(),
        }
    }

    /// Adds all names in it.
    pub(super) fn names<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        if let Self::Named(name) = self {
            names.insert(name);
        }
        for below in self.below() {
            below.names(names);
        }
    }

    /// Whether one of these names is in it.
    pub(super) fn mentions(&self, those: &BTreeSet<&str>) -> bool {
        match self {
            Self::Named(name) => those.contains(&**name),
            _ => self.below().into_iter().any(|below| below.mentions(those)),
        }
    }

    /// All named fields of a struct, or of an enum's variants.
    pub(super) fn fields(&self) -> Vec<&Field> {
        match self {
            Self::Struct(Fields { fields, .. }) => fields.iter().collect(),
            Self::Enum(Variants { variants, .. }) => variants
                .iter()
                .filter_map(|variant| match &variant.content {
                    Some(Self::Struct(Fields { fields, .. })) => Some(fields),
                    _ => None,
                })
                .flatten()
                .collect(),
            _ => Vec::new(),
        }
    }
}
