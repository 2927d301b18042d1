//! `#[serde(...)]`: what a type says there about its JSON holds on the live wire, too, unless `#[synced(...)]` says
//! otherwise. What would change the shape in a way the wire does not have is refused.

use syn::punctuated::Punctuated;
use syn::{Attribute, Token};

use super::item::Item;
use super::{Attrs, Place, UNTAGGED};
use crate::model::Errors;

/// Fills in what `#[synced(...)]` left open.
pub(super) fn honour(
    attrs: &mut Attrs,
    attributes: &[Attribute],
    place: Place,
    errors: &mut Errors,
) {
    let mut found = Attrs::default();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
    {
        // What serde itself cannot read is serde's to report.
        let Ok(items) = attribute.parse_args_with(Punctuated::<Item, Token![,]>::parse_terminated)
        else {
            continue;
        };
        for item in items {
            if let Some(error) = take(&mut found, attrs, &item, place) {
                errors.push(error);
            }
        }
    }
    merge(attrs, found, place);
}

fn merge(attrs: &mut Attrs, found: Attrs, place: Place) {
    // An enum's representation is one thing: who gives a tag here says all of it.
    if attrs.tag.is_none() {
        attrs.tag = found.tag;
        attrs.content = attrs.content.take().or(found.content);
    }
    attrs.rename = attrs.rename.take().or(found.rename);
    attrs.rename_all = attrs.rename_all.take().or(found.rename_all);
    attrs.rename_all_fields = attrs.rename_all_fields.take().or(found.rename_all_fields);
    attrs.skip = attrs.skip.take().or(found.skip);
    attrs.flatten = attrs.flatten.take().or(found.flatten);
    attrs.alias.extend(found.alias);
    if place != Place::Enum {
        attrs.default = attrs.default.take().or(found.default);
    }
}

/// Takes one item in, or says why it cannot be.
fn take(found: &mut Attrs, attrs: &Attrs, item: &Item, place: Place) -> Option<syn::Error> {
    let name = item.name.to_string();
    let on_field = place == Place::Field;
    match name.as_str() {
        "rename" | "rename_all" | "rename_all_fields" if item.list.is_some() => {
            let given = match name.as_str() {
                "rename" => attrs.rename.is_some(),
                "rename_all" => attrs.rename_all.is_some(),
                _ => attrs.rename_all_fields.is_some(),
            };
            let message = format!(
                "the live wire has one name for both directions: say which with `#[synced({name} = \"...\")]`"
            );
            refuse(given, item, &message)
        }
        "untagged" if place == Place::Enum => refuse(attrs.tag.is_some(), item, UNTAGGED),
        "untagged" => refuse(false, item, UNTAGGED),
        "with" | "serialize_with" | "deserialize_with" => {
            let message = format!(
                "the live wire does not know what `{name}` makes of this: say `#[synced(with = \"serde\")]` to send \
                 the type's own serde form, `#[synced(with = \"synced\")]` for its synced one, or `#[synced(skip)]`"
            );
            refuse(attrs.with.is_some() || attrs.skip.is_some(), item, &message)
        }
        "skip_serializing_if" => {
            let message = "every field travels on the live wire: say `#[synced(default)]` to send it always, or \
                 `#[synced(skip)]` to leave it out";
            refuse(
                attrs.default.is_some() || attrs.skip.is_some(),
                item,
                message,
            )
        }
        "skip_serializing" | "skip_deserializing" if on_field => {
            let message = "a field of the live wire goes both ways or not at all: say `#[synced(skip)]` to leave it \
                 out, or `#[synced(default)]` to send it";
            refuse(
                attrs.default.is_some() || attrs.skip.is_some(),
                item,
                message,
            )
        }
        "from" | "try_from" | "into" | "remote" => {
            let message = format!(
                "`{name}` gives serde another type to write, which is not followed here: where this type is used, \
                 say `#[synced(with = \"serde\")]` instead of deriving `Synced`"
            );
            refuse(false, item, &message)
        }
        // `default` stands on structs and fields, the rest where it is allowed.
        "rename" | "rename_all" | "rename_all_fields" | "tag" | "content" | "default" | "alias"
        | "flatten" => found.put(&name, item).err(),
        "skip" if on_field => found.put(&name, item).err(),
        // The others change what is accepted or how it is borrowed, not the shape. `transparent` on a newtype is what
        // a newtype is here.
        _ => None,
    }
}

fn refuse(overridden: bool, item: &Item, message: &str) -> Option<syn::Error> {
    (!overridden).then(|| syn::Error::new(item.name.span(), message))
}
