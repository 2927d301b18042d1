//! Schemas out of the constants that the derive writes. What is known when the user's crate is compiled is a constant,
//! as these compile faster than code.

use std::any::TypeId;

use crate::schema::{
    Content, Field, Limits, Names, Range, Schema, Tagging, TupleStruct, Type, Variant, Variants,
};

/// What the derive knows of a field.
#[derive(Debug)]
pub struct FieldInfo {
    /// See [`Field`].
    pub name: &'static str,
    /// See [`Field`].
    pub doc: &'static str,
    /// See [`Field`].
    pub ty: fn() -> Type,
    /// See [`Field`].
    pub read_only: bool,
    /// See [`Field`].
    pub has_default: bool,
    /// See [`Field`].
    pub view: Option<&'static str>,
    /// See [`Field`].
    pub limits: Option<fn() -> Limits>,
}

/// What the derive knows of all fields of a struct or variant.
#[derive(Debug)]
pub struct FieldsInfo {
    /// Those that have a place.
    pub placed: &'static [FieldInfo],
    /// The types of the others.
    pub flattened: &'static [fn() -> Type],
}

/// What the derive knows of a variant.
#[derive(Debug)]
pub struct VariantInfo {
    /// See [`Variant`].
    pub name: &'static str,
    /// See [`Variant`].
    pub doc: &'static str,
    /// See [`Variant`].
    pub content: ContentInfo,
}

/// What the derive knows of what is in a variant.
#[derive(Debug)]
pub enum ContentInfo {
    /// See [`Content::Nothing`].
    Nothing,
    /// See [`Content::Value`].
    Value(fn() -> Type),
    /// See [`Content::List`].
    List(&'static [fn() -> Type]),
    /// See [`Content::Fields`].
    Fields(FieldsInfo),
}

/// The schema of a struct with named fields.
#[must_use]
pub fn schema<T: 'static>(name: &str, doc: &'static str, info: &FieldsInfo) -> Schema {
    let (fields, rest) = info.fields();
    Schema {
        type_name: name.to_owned(),
        fields,
        rest,
        doc,
        id: Some(TypeId::of::<T>()),
    }
}

/// The schema of a struct whose fields have no names.
#[must_use]
pub fn tuple_struct<T: 'static>(
    type_name: &'static str,
    doc: &'static str,
    types: &[fn() -> Type],
) -> TupleStruct {
    TupleStruct {
        type_name,
        doc,
        types: types.iter().map(|ty| ty()).collect(),
        id: TypeId::of::<T>(),
    }
}

/// The schema of an enum without data.
#[must_use]
pub const fn names<T: 'static>(
    type_name: &'static str,
    doc: &'static str,
    names: &'static [(&'static str, &'static str)],
) -> Names {
    Names {
        type_name,
        doc,
        names,
        id: TypeId::of::<T>(),
    }
}

/// The schema of an enum with data: `tag` is where its name stands, and what is in it.
#[must_use]
pub fn variants<T: 'static>(
    name: &str,
    doc: &'static str,
    (tag, content): (Option<&str>, Option<&str>),
    variants: &[VariantInfo],
) -> Variants {
    Variants {
        type_name: name.to_owned(),
        tagging: match (tag.map(str::to_owned), content.map(str::to_owned)) {
            (None, _) => Tagging::External,
            (Some(tag), None) => Tagging::Internal { tag },
            (Some(tag), Some(content)) => Tagging::Adjacent { tag, content },
        },
        variants: variants
            .iter()
            .map(|variant| Variant {
                name: variant.name.to_owned(),
                doc: variant.doc,
                content: match &variant.content {
                    ContentInfo::Nothing => Content::Nothing,
                    ContentInfo::Value(ty) => Content::Value(ty()),
                    ContentInfo::List(types) => {
                        Content::List(types.iter().map(|ty| ty()).collect())
                    }
                    ContentInfo::Fields(info) => {
                        let (fields, rest) = info.fields();
                        Content::Fields(fields, rest)
                    }
                },
            })
            .collect(),
        doc,
        id: TypeId::of::<T>(),
    }
}

/// The bounds that an attribute gives.
#[must_use]
pub fn limits(range: Option<Range>, length: Option<Range>) -> Limits {
    Limits {
        range: range.unwrap_or_default(),
        length: length.unwrap_or_default(),
    }
}

/// The bounds of a length.
pub fn length_limits(range: &impl std::ops::RangeBounds<usize>) -> Range {
    Range::of_length(range)
}

impl FieldsInfo {
    /// All fields, and the type of any other entry.
    fn fields(&self) -> (Vec<Field>, Option<Type>) {
        let placed = self.placed.iter().map(|info| Field {
            doc: info.doc,
            read_only: info.read_only,
            has_default: info.has_default,
            view: info.view,
            limits: info.limits.map(|limits| limits()).unwrap_or_default(),
            ..field(info.name, (info.ty)())
        });
        let (mut fields, mut rest) = (placed.collect(), None);
        for ty in self.flattened {
            flatten(&mut fields, &mut rest, ty());
        }
        (fields, rest)
    }
}

fn field(name: &str, ty: Type) -> Field {
    Field {
        name: name.to_owned(),
        ty,
        doc: "",
        read_only: false,
        may_be_missing: false,
        has_default: false,
        view: None,
        merged: Vec::new(),
        limits: Limits::default(),
    }
}

/// Adds the fields of a flattened type to the others.
fn flatten(fields: &mut Vec<Field>, rest: &mut Option<Type>, ty: Type) {
    match ty {
        Type::Model(_, schema) => {
            let schema = schema();
            fields.extend(schema.fields);
            *rest = rest.take().or(schema.rest);
        }
        Type::Map(entries) => *rest = Some(*entries),
        Type::Optional(inner) => {
            let mut inside = Vec::new();
            flatten(&mut inside, rest, *inner);
            fields.extend(inside.into_iter().map(missing));
        }
        Type::Enum(_, variants) => {
            let Variants {
                tagging, variants, ..
            } = variants();
            let tag = match tagging {
                Tagging::Internal { tag } => tag,
                Tagging::Adjacent { tag, content } => {
                    let merged = variants.into_iter().map(|variant| variant.content);
                    fields.push(field(&tag, Type::Str));
                    fields.push(Field {
                        merged: merged.collect(),
                        ..missing(field(&content, Type::Any))
                    });
                    return;
                }
                Tagging::External => return,
            };
            fields.push(field(&tag, Type::Str));
            let mut inside: Vec<Field> = Vec::new();
            for variant in variants {
                let Content::Fields(own, _) = variant.content else {
                    continue;
                };
                for field in own {
                    match inside.iter_mut().find(|other| other.name == field.name) {
                        None => inside.push(missing(field)),
                        // Variants may mean different things by a name.
                        Some(other) => {
                            other.ty = Type::Any;
                            other.limits = Limits::default();
                            other.merged.push(Content::Fields(vec![field], None));
                        }
                    }
                }
            }
            fields.extend(inside);
        }
        _ => {}
    }
}

/// A field that may be missing.
fn missing(field: Field) -> Field {
    Field {
        ty: match field.ty {
            ty @ (Type::Optional(_) | Type::Any) => ty,
            ty => Type::Optional(Box::new(ty)),
        },
        may_be_missing: true,
        ..field
    }
}
