//! The views of a type's fields.

use std::any::TypeId;
use std::collections::BTreeSet;

use super::{Content, Field, Type};
use crate::views::{Mask, Names};

impl Type {
    /// The views that fields have, however deep.
    ///
    /// # Panics
    /// If there are more than [`Mask::MOST`], or one is below a set: items of a set have no places of their own, so that a
    /// part of one could not be told.
    pub(crate) fn views(&self) -> Names {
        let mut names = BTreeSet::new();
        self.visit_views(&mut |view, in_set| {
            assert!(
                !in_set,
                "the items of a set travel as a whole, so no field in them can have the view `{view}`"
            );
            names.insert(view);
        });
        assert!(
            names.len() <= Mask::MOST,
            "a model has {} views, and {} is the most",
            names.len(),
            Mask::MOST
        );
        names.into_iter().collect()
    }

    /// Calls `visit` with the view of each field that has one, however deep, and whether it is in an item of a set.
    pub(crate) fn visit_views(&self, visit: &mut dyn FnMut(&'static str, bool)) {
        let mut walk = Walk {
            known: BTreeSet::new(),
            in_set: false,
            visit,
        };
        walk.ty(self);
    }
}

struct Walk<'a> {
    /// A type that contains itself would otherwise have no end.
    known: BTreeSet<(TypeId, bool)>,
    in_set: bool,
    visit: &'a mut dyn FnMut(&'static str, bool),
}

impl Walk<'_> {
    fn ty(&mut self, ty: &Type) {
        match ty {
            Type::List(inner)
            | Type::Array(inner, _)
            | Type::Map(inner)
            | Type::Optional(inner) => self.ty(inner),
            Type::Set(inner) => {
                let outside = std::mem::replace(&mut self.in_set, true);
                self.ty(inner);
                self.in_set = outside;
            }
            Type::Tuple(types) => types.iter().for_each(|ty| self.ty(ty)),
            Type::TupleStruct(_, tuple) => {
                let tuple = tuple();
                if self.is_new(tuple.id) {
                    tuple.types.iter().for_each(|ty| self.ty(ty));
                }
            }
            Type::Model(_, schema) => {
                let schema = schema();
                if schema.id.is_none_or(|id| self.is_new(id)) {
                    self.fields(&schema.fields);
                    schema.rest.iter().for_each(|ty| self.ty(ty));
                }
            }
            Type::Enum(_, variants) => {
                let variants = variants();
                if self.is_new(variants.id) {
                    let contents = variants.variants.iter().map(|variant| &variant.content);
                    contents.for_each(|content| self.content(content));
                }
            }
            Type::Bool | Type::Int(..) | Type::Float | Type::Str | Type::Names(..) | Type::Any => {}
        }
    }

    fn is_new(&mut self, id: TypeId) -> bool {
        self.known.insert((id, self.in_set))
    }

    fn content(&mut self, content: &Content) {
        match content {
            Content::Nothing => {}
            Content::Value(ty) => self.ty(ty),
            Content::List(types) => types.iter().for_each(|ty| self.ty(ty)),
            Content::Fields(fields, rest) => {
                self.fields(fields);
                rest.iter().for_each(|ty| self.ty(ty));
            }
        }
    }

    fn fields(&mut self, fields: &[Field]) {
        for field in fields {
            if let Some(view) = field.view {
                (self.visit)(view, self.in_set);
            }
            self.ty(&field.ty);
            field
                .merged
                .iter()
                .for_each(|content| self.content(content));
        }
    }
}
