//! A newtype is its field, through and through.

use proc_macro2::TokenStream;
use quote::quote;

use super::context::{Context, is_primitive};
use super::methods::Methods;
use crate::model::Field;

pub(super) fn expand(context: &Context<'_>, field: &Field) -> TokenStream {
    let private = &context.private;
    let member = &field.member;
    let inner = context.ops(field);
    // What has nothing below it inherits nothing and has nothing to check.
    let below = |body: TokenStream| match is_primitive(&field.ty) {
        true => TokenStream::new(),
        false => body,
    };
    let methods = Methods {
        shadow_type: quote!(#inner::Shadow),
        shadow: quote!(#inner::shadow(&self.#member)),
        update: quote!(#inner::update(&self.#member, __shadow)),
        same: quote!(#inner::same(&self.#member, __shadow)),
        diff: quote!(#inner::diff(&mut self.#member, __shadow, __at, __out)),
        write: quote!(#inner::write(&self.#member, __settled, __out)),
        read: quote!(#private::Ok(Self { #member: #inner::read(__value)? })),
        edit: quote!(#inner::edit(&mut self.#member, __path, __edit, __author)),
        admit: quote! {
            #inner::admit(&self.#member, match __old {
                #private::Some(__old) => #private::Some(&__old.#member),
                #private::None => #private::None,
            })
        },
        inherit: below(quote!(#inner::inherit(&mut self.#member, &mut __old.#member))),
        check: below(quote!(#inner::check(&self.#member, __at, __out))),
        reveal: below(quote!(#inner::reveal(&self.#member, __settled, __at, __out))),
        ty: quote!(#inner::ty()),
    };
    let methods = methods.expand(context);
    let key = key(context, field);
    quote!(#methods #key)
}

/// A newtype around a key is one. Whether the field is a key is not known here, so that is the impl's condition; with
/// `for<'__a>` in front the compiler takes a condition that can never hold for what it is.
fn key(context: &Context<'_>, field: &Field) -> TokenStream {
    let Context { input, private, .. } = context;
    let (ident, ty, member) = (&input.ident, &field.ty, &field.member);
    if field.with.is_some() || field.key.is_some() {
        return TokenStream::new();
    }
    let mut generics = input.generics.clone();
    generics
        .make_where_clause()
        .predicates
        .push(syn::parse_quote!(for<'__a> #ty: #private::Key));
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Key for #ident #ty_generics #where_clause {
            const IN_TEXT_ORDER: ::core::primitive::bool = false;

            fn text(&self) -> #private::Cow<'_, ::core::primitive::str> {
                <#ty as #private::Key>::text(&self.#member)
            }

            fn parse(__text: &::core::primitive::str) -> #private::Option<Self> {
                match <#ty as #private::Key>::parse(__text) {
                    #private::Some(__key) => #private::Some(Self { #member: __key }),
                    #private::None => #private::None,
                }
            }
        }
    }
}
