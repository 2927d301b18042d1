//! Flattened fields: their fields or entries stand in the holder's map, in byte order with the others.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::context::spanned;
use super::record::Body;
use crate::model::Style;

/// The names that a flattened field cannot use, because they are taken by others.
pub(super) fn taken(body: &Body<'_>, index: usize) -> TokenStream {
    let private = &body.context.private;
    let names = body.names();
    let others = body
        .flattened()
        .filter(|(other, _)| *other != index)
        .map(|(_, field)| body.context.flat(field));
    quote! {
        &[&#private::Keys { names: &[#(#names),*], below: &[], open: false }, #(&#others::KEYS,)*]
    }
}

/// Written as a tree, since the entries of several writers have to be sorted.
pub(super) fn write(body: &Body<'_>) -> TokenStream {
    let private = &body.context.private;
    let flattened = body.flattened().map(|(index, field)| {
        let value = body.write_entry(super::record::Entry::Field(index, field));
        quote!(__entries.flat(|__out| { #value });)
    });
    // Last, as their names are theirs.
    let placed = body.placed_entries().into_iter().map(|entry| {
        let (name, value) = (entry.name(), body.write_entry(entry));
        quote!(__entries.put(#name, |__out| { #value });)
    });
    quote! {
        let mut __entries = #private::Entries::new();
        #(#flattened)*
        #(#placed)*
        __entries.write(__out);
    }
}

/// Edits of names that are no field's own.
pub(super) fn edit(body: &Body<'_>, otherwise: &TokenStream) -> TokenStream {
    let flat: Vec<_> = body
        .flattened()
        .map(|(index, field)| {
            let (ops, flat) = (body.context.ops(field), body.context.flat(field));
            let this = body.this_mut((index, field));
            (flat, quote!(#ops::edit(#this, __path, __edit, __author)))
        })
        .collect();
    let known = flat
        .iter()
        .map(|(flat, edit)| quote!(if #flat::KEYS.has(__key) { #edit } else));
    let open = flat
        .iter()
        .map(|(flat, edit)| quote!(if #flat::KEYS.open { #edit } else));
    quote!(#(#known)* #(#open)* { #otherwise })
}

/// Makes a struct one that can be flattened itself.
pub(super) fn implement(body: &Body<'_>) -> TokenStream {
    if body.record.style != Style::Named {
        return TokenStream::new();
    }
    let context = body.context;
    let (private, ident) = (&context.private, &context.input.ident);
    let (impl_generics, ty_generics, where_clause) = context.generics.split_for_impl();
    let names = body.names();
    let below: Vec<_> = body
        .flattened()
        .map(|(_, field)| context.flat(field))
        .collect();
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Flat for #ident #ty_generics #where_clause {
            const KEYS: #private::Keys = #private::Keys {
                names: &[#(#names),*],
                below: &[#(&#below::KEYS),*],
                open: false #(|| #below::KEYS.open)*,
            };
        }
    }
}

/// Names that stand twice are found when the user's crate is compiled, where no type parameters are in the way.
pub(super) fn assert_apart(body: &Body<'_>) -> TokenStream {
    let private = &body.context.private;
    let assertions = body
        .flattened()
        .filter(|(_, field)| body.context.is_checked(&field.ty))
        .map(|(index, field)| {
            let (flat, taken) = (body.context.flat(field), taken(body, index));
            let private = spanned(private, field.ty.span());
            quote_spanned! {field.ty.span()=>
                const _: () = #private::assert_apart(&#flat::KEYS, #flat::IS_MAP, #taken);
            }
        });
    quote!(#(#assertions)*)
}
