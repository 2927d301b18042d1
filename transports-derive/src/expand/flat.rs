//! Flattened fields: their fields or entries stand in the holder's map, in byte order with the others.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::context::{Context, spanned};
use super::record::Body;
use crate::model::Style;

/// The names that a flattened field cannot use, because they are taken by others.
pub(super) fn taken(body: &Body<'_>, index: usize) -> TokenStream {
    taken_by(body, |other| other != index)
}

fn taken_by(body: &Body<'_>, others: impl Fn(usize) -> bool) -> TokenStream {
    let private = &body.context.private;
    let names = body.names();
    let others = body
        .flattened()
        .filter(|(other, _)| others(*other))
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
    let placed = body.entries().into_iter().map(|entry| {
        let (name, value) = (entry.name(), body.write_entry(entry));
        let put = quote!(__entries.put(#name, |__out| { #value }););
        match entry.view() {
            None => put,
            Some(view) => quote!(if __out.sees(#view) { #put } else { __entries.hide(#name); }),
        }
    });
    quote! {
        let mut __entries = #private::Sorted::new(&*__out);
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
            let flat = body.context.flat(field);
            let this = body.this_mut((index, field));
            let private = &body.context.private;
            let name = body.name;
            let edit = quote! {
                #private::edited_flat(
                    #flat::edit_flat(#this, __path, __edit, __author),
                    #name,
                    __key,
                )
            };
            (flat, edit)
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

/// Whether a flattened field has other names now than the wire knows.
pub(super) fn reshaped(body: &Body<'_>) -> TokenStream {
    let fields = body.flattened().map(|(index, field)| {
        let (flat, this) = (body.context.flat(field), body.this((index, field)));
        let shadow = body.shadow_of(index);
        quote!(#flat::reshaped(#this, &#shadow))
    });
    quote!(false #(|| #fields)*)
}

/// Makes a struct one that can be flattened itself.
pub(super) fn implement(body: &Body<'_>) -> TokenStream {
    if body.record.style != Style::Named {
        return TokenStream::new();
    }
    let reshaped = body.is_flat().then(|| reshaped(body));
    implement_with(body.context, &body.names(), &[body], reshaped.as_ref())
}

/// Makes a type one whose `names` and whose flattened fields' names stand in its holder's map.
pub(super) fn implement_with(
    context: &Context<'_>,
    names: &[String],
    bodies: &[&Body<'_>],
    reshaped: Option<&TokenStream>,
) -> TokenStream {
    let (private, ident) = (&context.private, &context.input.ident);
    let (impl_generics, ty_generics, where_clause) = context.generics.split_for_impl();
    let below: Vec<_> = bodies
        .iter()
        .flat_map(|body| body.flattened())
        .map(|(_, field)| context.flat(field))
        .collect();
    let reshaped = reshaped.map(|reshaped| {
        quote! {
            fn reshaped(&self, __shadow: &Self::Shadow) -> ::core::primitive::bool { #reshaped }
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Flat for #ident #ty_generics #where_clause {
            const KEYS: #private::Keys = #private::Keys {
                names: &[#(#names),*],
                below: &[#(&#below::KEYS),*],
                open: false #(|| #below::KEYS.open)*,
            };

            #reshaped
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
            let flat = body.context.flat(field);
            // Of two that do not go together, the second one is told so.
            let taken = taken_by(body, |other| other < index);
            let private = spanned(private, field.ty.span());
            quote_spanned! {field.ty.span()=>
                const _: () = #private::assert_apart(&#flat::KEYS, #flat::IS_MAP, #taken);
            }
        });
    quote!(#(#assertions)*)
}
