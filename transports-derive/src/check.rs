//! Rules across attributes and fields, one function each. All mistakes are collected.

use std::collections::BTreeMap;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type};

use crate::attr::With;
use crate::model::{Errors, Field, Input, Record, Shape, Style, Tagging, Variant};

pub(crate) fn check(input: Input) -> Result<Input, Errors> {
    let mut errors = Errors::default();
    match &input.shape {
        Shape::Struct(record) => check_record(&input, record, None, &mut errors),
        Shape::Newtype(field) => {
            fields_are_smaller_than_their_holder(&input, &field.ty, &mut errors);
            fields_own_their_data(&field.ty, &mut errors);
            newtypes_have_no_place(field, &mut errors);
            carriers_fit(field, &mut errors);
        }
        Shape::Names(variants) => {
            names_are_unique(variant_names(variants), &mut errors);
            enums_have_variants(&input, variants.is_empty(), &mut errors);
        }
        Shape::Enum(tagging, variants) => {
            names_are_unique(variant_names(variants), &mut errors);
            enums_have_variants(&input, variants.is_empty(), &mut errors);
            for variant in variants {
                let tag = match tagging {
                    Tagging::Internal { tag } => Some(tag),
                    _ => None,
                };
                check_record(&input, &variant.record, tag, &mut errors);
                tags_stand_in_maps(variant, tagging, &mut errors);
            }
        }
    }
    computed_fields_have_names_beside_them(&input, &mut errors);
    errors.finish(input)
}

fn check_record(input: &Input, record: &Record, tag: Option<&String>, errors: &mut Errors) {
    if record.style == Style::Named {
        let placed = || {
            let fields = record.fields.iter();
            fields.filter(|field| field.skip.is_none() && field.flatten.is_none())
        };
        let fields = placed().map(|field| (&field.name, field.member.span()));
        let alias = placed()
            .flat_map(|field| &field.alias)
            .map(|alias| (&alias.value, alias.span));
        let computed: Vec<_> = input
            .computed
            .iter()
            .map(|word| (word.value.name.to_string(), word.span))
            .collect();
        let computed = computed.iter().map(|(name, span)| (name, *span));
        // The second one of a name gets underlined: not the tag, which stands elsewhere, and an alias before a field.
        let tag = tag.map(|tag| (tag, Span::call_site()));
        let names = tag.into_iter().chain(fields).chain(alias).chain(computed);
        names_are_unique(names, errors);
    }
    for field in &record.fields {
        fields_are_smaller_than_their_holder(input, &field.ty, errors);
        fields_can_be_shared(field, errors);
        skipped_fields_have_no_rules(field, errors);
        fields_own_their_data(&field.ty, errors);
        flattened_fields_have_no_place(field, errors);
        carriers_fit(field, errors);
        match record.style {
            Style::Tuple => items_have_no_names(field, errors),
            Style::Newtype => newtype_variants_have_no_names(field, errors),
            Style::Named | Style::Unit => {}
        }
    }
}

fn variant_names(variants: &[Variant]) -> impl Iterator<Item = (&String, Span)> {
    let names = variants
        .iter()
        .map(|variant| (&variant.name, variant.ident.span()));
    let alias = variants
        .iter()
        .flat_map(|variant| &variant.alias)
        .map(|alias| (&alias.value, alias.span));
    names.chain(alias)
}

/// Two fields of one name on the wire would overwrite each other.
fn names_are_unique<'a>(names: impl Iterator<Item = (&'a String, Span)>, errors: &mut Errors) {
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

/// The attributes of a field that are there, by name.
fn given(field: &Field) -> Vec<(&'static str, Span)> {
    [
        ("rename", field.rename.as_ref().map(|word| word.span)),
        ("alias", field.alias.first().map(|word| word.span)),
        ("default", field.default.as_ref().map(|word| word.span)),
        ("flatten", field.flatten.as_ref().map(|word| word.span)),
        ("with", field.with.as_ref().map(|word| word.span)),
        ("key", field.key.as_ref().map(|word| word.span)),
        ("read_only", field.read_only.as_ref().map(|word| word.span)),
        ("view", field.view.as_ref().map(|word| word.span)),
        ("range", field.range.as_ref().map(|word| word.span)),
        ("length", field.length.as_ref().map(|word| word.span)),
        ("validate", field.validate.as_ref().map(|word| word.span)),
    ]
    .into_iter()
    .filter_map(|(name, span)| Some((name, span?)))
    .collect()
}

/// A field that never travels cannot be edited by a client, so rules about edits mean nothing.
fn skipped_fields_have_no_rules(field: &Field, errors: &mut Errors) {
    if field.skip.is_none() {
        return;
    }
    for (name, span) in given(field) {
        // serde's attributes may say how a skipped field would be called.
        if !matches!(name, "rename" | "alias" | "default") {
            errors.at(
                span,
                format!("`{name}` and `skip` do not go together: a skipped field never travels"),
            );
        }
    }
}

/// The fields of a flattened field have places; it has none.
fn flattened_fields_have_no_place(field: &Field, errors: &mut Errors) {
    if field.flatten.is_none() || field.skip.is_some() {
        return;
    }
    for (name, span) in given(field) {
        if name != "flatten" {
            errors.at(
                span,
                format!(
                    "`{name}` and `flatten` do not go together: a flattened field has no place of its own on the wire"
                ),
            );
        }
    }
}

/// `with` and `key` each say how a field travels, and `key` needs a list.
fn carriers_fit(field: &Field, errors: &mut Errors) {
    let Some(key) = &field.key else { return };
    if field
        .with
        .as_ref()
        .is_some_and(|with| with.value == With::Serde)
    {
        let message = "`key` and `with` do not go together: what serde writes is sent as a whole";
        errors.at(key.span, message);
    } else if field.item().is_none() {
        let message = "`key` tells the items of a `Vec` or `VecDeque` apart, and this is neither";
        errors.at(field.ty.span(), message);
    }
}

/// What stands in a list has a position, and a list that is too short is refused as a whole.
fn items_have_no_names(field: &Field, errors: &mut Errors) {
    for (name, span) in given(field) {
        if matches!(name, "rename" | "alias" | "flatten" | "default" | "view") {
            errors.at(
                span,
                format!("`{name}` is for fields with names; this one has a position in a list"),
            );
        }
    }
}

fn newtype_variants_have_no_names(field: &Field, errors: &mut Errors) {
    if let Some(skip) = &field.skip {
        let message =
            "the field of a newtype variant is all there is of it; a variant without data skips it";
        errors.at(skip.span, message);
    }
    for (name, span) in given(field) {
        if matches!(name, "rename" | "alias" | "flatten" | "default" | "view") {
            let message =
                format!("`{name}` is for fields with names; the variant's name is this one's, too");
            errors.at(span, message);
        }
    }
}

fn newtypes_have_no_place(field: &Field, errors: &mut Errors) {
    let skip = field.skip.as_ref().map(|word| word.span);
    let others = given(field)
        .into_iter()
        .filter(|(name, _)| !matches!(*name, "with" | "key"));
    for span in skip.into_iter().chain(others.map(|(_, span)| span)) {
        let message = "the field of a newtype has no place of its own on the wire; say this where the newtype is used";
        errors.at(span, message);
    }
}

/// A tag inside needs a map to be in.
fn tags_stand_in_maps(variant: &Variant, tagging: &Tagging, errors: &mut Errors) {
    if matches!(tagging, Tagging::Internal { .. }) && variant.record.style == Style::Tuple {
        let message = "a list has no place for a tag: give the fields names, or the enum a `content` beside its `tag`";
        errors.at(variant.ident.span(), message);
    }
}

/// A computed field stands among the fields of a struct.
fn computed_fields_have_names_beside_them(input: &Input, errors: &mut Errors) {
    if let (Shape::Struct(record), Some(computed)) = (&input.shape, input.computed.first())
        && record.style != Style::Named
    {
        errors.at(
            computed.span,
            "this is for structs with named fields, and here are none",
        );
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

/// A session is used from several threads, and so is what it holds.
fn fields_can_be_shared(field: &Field, errors: &mut Errors) {
    if let Type::Path(path) = &field.ty
        && let Some(last) = path.path.segments.last()
        && last.ident == "Rc"
        && matches!(last.arguments, PathArguments::AngleBracketed(_))
    {
        let message =
            "a synced type is used from several threads, where an `Rc` cannot go: use `Arc`";
        errors.at(last.ident.span(), message);
    }
}

/// A value that has one of its own type in it, as it is and not in a box, would have no end.
fn fields_are_smaller_than_their_holder(input: &Input, ty: &Type, errors: &mut Errors) {
    match ty {
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return;
            };
            if path.path.segments.len() == 1 && last.ident == input.ident {
                let message = format!(
                    "a `{0}` that has a `{0}` in it has no end: put this one into a `Box`, a list or a map",
                    input.ident
                );
                errors.at(ty.span(), message);
            } else if last.ident == "Option"
                && let PathArguments::AngleBracketed(arguments) = &last.arguments
                && let Some(GenericArgument::Type(inner)) = arguments.args.first()
            {
                fields_are_smaller_than_their_holder(input, inner, errors);
            }
        }
        Type::Tuple(tuple) => {
            for item in &tuple.elems {
                fields_are_smaller_than_their_holder(input, item, errors);
            }
        }
        Type::Array(array) => fields_are_smaller_than_their_holder(input, &array.elem, errors),
        _ => {}
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
