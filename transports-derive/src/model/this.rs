//! `Self` in a field's type.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput};

/// Types of fields move into other items, where `Self` would mean those: it is written out.
pub(super) fn without_self(input: &DeriveInput) -> DeriveInput {
    let (ident, (_, generics, _)) = (&input.ident, input.generics.split_for_impl());
    let this = quote!(#ident #generics);
    let mut input = input.clone();
    let fields: Vec<&mut syn::Field> = match &mut input.data {
        Data::Struct(data) => data.fields.iter_mut().collect(),
        Data::Enum(data) => data
            .variants
            .iter_mut()
            .flat_map(|variant| variant.fields.iter_mut())
            .collect(),
        Data::Union(_) => Vec::new(),
    };
    for field in fields {
        let written = write_out_self(field.ty.to_token_stream(), &this);
        // What was a type stays one.
        if let Ok(ty) = syn::parse2(written) {
            field.ty = ty;
        }
    }
    input
}

fn write_out_self(tokens: TokenStream, this: &TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => this
                .clone()
                .into_iter()
                .map(|mut token| {
                    token.set_span(ident.span());
                    token
                })
                .collect(),
            TokenTree::Group(group) => {
                let stream = write_out_self(group.stream(), this);
                let mut written = proc_macro2::Group::new(group.delimiter(), stream);
                written.set_span(group.span());
                TokenStream::from(TokenTree::from(written))
            }
            token => token.into(),
        })
        .collect()
}
