//! The types of this program as [`Shape`]s.

use std::any::TypeId;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::bindings::{Bindings, identifier};
use super::shape::{Definition, Description, Field, Fields, Name, Shape, Variant, Variants};
use super::{Content, Type};

impl Bindings {
    /// What clients are told of a type. If it has no name of its own, it is the one of its models.
    pub(crate) fn describe(&mut self, type_name: &str, ty: &Type) -> Json {
        let mut shape = self.collect(ty);
        if !matches!(shape, Shape::Any | Shape::Named(_)) {
            let name = self.free(&identifier(type_name));
            self.define(Definition {
                name: name.clone(),
                doc: String::new(),
                shape,
            });
            shape = Shape::Named(name);
        }
        let mut definitions = Vec::new();
        self.reach(&shape, &mut BTreeSet::new(), &mut definitions);
        let description = Description { shape, definitions };
        serde_json::to_value(description).expect("its keys are texts")
    }

    /// Adds all definitions that a type needs, in the order in which they come up.
    fn reach<'a>(
        &'a self,
        shape: &'a Shape,
        known: &mut BTreeSet<&'a str>,
        found: &mut Vec<Definition>,
    ) {
        if let Shape::Named(name) = shape
            && known.insert(name)
        {
            let definition = self.definition(name).expect("what is named is defined");
            found.push(definition.clone());
            self.reach(&definition.shape, known, found);
        }
        for below in shape.below() {
            self.reach(below, known, found);
        }
    }

    /// The type as data; types with a name are defined under it.
    pub(super) fn collect(&mut self, ty: &Type) -> Shape {
        let mut boxed = |inner: &Type| Box::new(self.collect(inner));
        match ty {
            Type::Bool => Shape::Bool,
            Type::Int(min, max) => Shape::Int {
                min: Some(*min).filter(|min| *min != i64::MIN),
                max: Some(*max).filter(|max| *max != i64::MAX),
            },
            Type::Float => Shape::Float,
            Type::Str => Shape::Str,
            Type::Any => Shape::Any,
            Type::List(inner) => Shape::List(boxed(inner)),
            Type::Set(inner) => Shape::Set(boxed(inner)),
            Type::Array(inner, len) => Shape::Array(boxed(inner), *len),
            Type::Map(inner) => Shape::Map(boxed(inner)),
            Type::Optional(inner) => Shape::Optional(boxed(inner)),
            Type::Tuple(items) => self.tuple(items),
            Type::Model(_, schema) => {
                let schema = schema();
                let Some(id) = schema.id else {
                    return Shape::Any;
                };
                self.named(id, &schema.type_name, schema.doc, |this| {
                    this.fields(&schema.fields, schema.rest.as_ref())
                })
            }
            Type::Enum(_, variants) => {
                let variants = variants();
                self.named(variants.id, &variants.type_name, variants.doc, |this| {
                    this.variants(&variants)
                })
            }
            Type::Names(name, names) => {
                let names = names();
                self.named(names.id, name, names.doc, |_| {
                    let names = names.names.iter().map(|(name, doc)| Name {
                        name: (*name).to_owned(),
                        doc: (*doc).to_owned(),
                    });
                    Shape::Names(names.collect())
                })
            }
            Type::TupleStruct(name, tuple) => {
                let tuple = tuple();
                self.named(tuple.id, name, tuple.doc, |this| this.tuple(&tuple.types))
            }
        }
    }

    /// The name of a type of this program, which is defined now if it was not before.
    fn named(
        &mut self,
        id: TypeId,
        name: &str,
        doc: &str,
        shape: impl FnOnce(&mut Self) -> Shape,
    ) -> Shape {
        if let Some(known) = self.names.get(&id) {
            return Shape::Named(known.clone());
        }
        let name = self.free(&identifier(name));
        self.names.insert(id, name.clone());
        // It has its place before the types in it, one of which may be itself.
        let position = self.define(Definition {
            name: name.clone(),
            doc: doc.to_owned(),
            shape: Shape::Any,
        });
        let shape = shape(self);
        if let Some(definition) = self.definitions.get_mut(position) {
            definition.shape = shape;
        }
        Shape::Named(name)
    }

    fn tuple(&mut self, types: &[Type]) -> Shape {
        Shape::Tuple(types.iter().map(|ty| self.collect(ty)).collect())
    }

    fn fields(&mut self, fields: &[super::Field], rest: Option<&Type>) -> Shape {
        let fields = fields
            .iter()
            .map(|field| Field {
                name: field.name.clone(),
                shape: self.collect(&field.ty),
                doc: field.doc.to_owned(),
                read_only: field.read_only,
                may_be_missing: field.may_be_missing,
                has_default: field.has_default,
                view: field.view.map(str::to_owned),
                range: field.limits.range.clone(),
                length: field.limits.length.clone(),
            })
            .collect();
        let rest = rest.map(|rest| Box::new(self.collect(rest)));
        Shape::Struct(Fields { fields, rest })
    }

    fn variants(&mut self, variants: &super::Variants) -> Shape {
        let written = variants.variants.iter().map(|variant| Variant {
            name: variant.name.clone(),
            doc: variant.doc.to_owned(),
            content: match &variant.content {
                Content::Nothing => None,
                Content::Value(ty) => Some(self.collect(ty)),
                Content::List(types) => Some(self.tuple(types)),
                Content::Fields(fields, rest) => Some(self.fields(fields, rest.as_ref())),
            },
        });
        Shape::Enum(Variants {
            variants: written.collect(),
            tagging: variants.tagging.clone(),
        })
    }
}
