//! Rules across attributes and fields, one function each. All mistakes are collected.

use std::collections::BTreeMap;

use syn::Type;
use syn::spanned::Spanned;

use crate::model::{Errors, Field, Input, Shape};

pub(crate) fn check(input: Input) -> Result<Input, Errors> {
    let mut errors = Errors::default();
    match &input.shape {
        Shape::Struct(fields) => {
            names_are_unique(
                fields
                    .iter()
                    .filter(|field| field.skip.is_none())
                    .map(|field| (&field.name, field.ident.span())),
                &mut errors,
            );
            for field in fields {
                skipped_fields_have_no_rules(field, &mut errors);
                fields_own_their_data(&field.ty, &mut errors);
            }
        }
        Shape::Newtype(ty) => fields_own_their_data(ty, &mut errors),
        Shape::Enum(variants) => {
            names_are_unique(
                variants
                    .iter()
                    .map(|variant| (&variant.name, variant.ident.span())),
                &mut errors,
            );
            enums_have_variants(&input, variants.is_empty(), &mut errors);
        }
    }
    errors.finish(input)
}

/// Two fields of one name on the wire would overwrite each other.
fn names_are_unique<'a>(
    names: impl Iterator<Item = (&'a String, proc_macro2::Span)>,
    errors: &mut Errors,
) {
    let mut seen = BTreeMap::new();
    for (name, span) in names {
        if seen.insert(name, span).is_some() {
            errors.at(
                span,
                format!(
                    "`{name}` is the name of another one on the wire, too; `rename` one of them"
                ),
            );
        }
    }
}

/// A field that never travels cannot be edited by a client, so rules about edits mean nothing.
fn skipped_fields_have_no_rules(field: &Field, errors: &mut Errors) {
    if field.skip.is_none() {
        return;
    }
    let rules = [
        ("read_only", field.read_only.as_ref().map(|word| word.span)),
        ("range", field.range.as_ref().map(|word| word.span)),
        ("validate", field.validate.as_ref().map(|word| word.span)),
    ];
    for (name, span) in rules {
        if let Some(span) = span {
            errors.at(
                span,
                format!("`{name}` and `skip` do not go together: a skipped field never travels"),
            );
        }
    }
}

/// A value that arrives has to be owned by somebody. Texts of the program itself live for ever.
fn fields_own_their_data(ty: &Type, errors: &mut Errors) {
    if let Type::Reference(reference) = ty {
        let lives_for_ever = reference
            .lifetime
            .as_ref()
            .is_some_and(|lifetime| lifetime.ident == "static");
        if !lives_for_ever {
            let message =
                "a synced field owns its data: use `String` for `&str`, `Vec<T>` for `&[T]`";
            errors.at(ty.span(), message);
        }
    }
}

/// A type without values has nothing to show.
fn enums_have_variants(input: &Input, empty: bool, errors: &mut Errors) {
    if empty {
        errors.at(
            input.ident.span(),
            "an enum without variants has no value that could be synced",
        );
    }
}
