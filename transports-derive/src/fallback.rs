//! The stub impl next to an error: one mistake shall not become thirty that follow from it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path, parse_quote};

use crate::attr::{Attrs, Place};
use crate::model::Errors;

pub(crate) fn expand(input: &DeriveInput, errors: &Errors) -> TokenStream {
    let krate: Path = Attrs::parse(&input.attrs, Place::Struct, &mut Errors::default())
        .krate
        .map_or_else(|| parse_quote!(::transports), |krate| krate.value);
    let private = quote!(#krate::__private);
    let errors = errors.compile_errors();
    let ident = &input.ident;
    // A type with lifetimes can never be `'static`, which the trait asks for.
    if input.generics.lifetimes().next().is_some() {
        return errors;
    }
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let params = input.generics.type_params().map(|param| &param.ident);
    let mut where_clause = where_clause.cloned().unwrap_or_else(|| parse_quote!(where));
    where_clause.predicates.extend(
        params.map(|param| -> syn::WherePredicate { parse_quote!(#param: #private::Synced) }),
    );
    where_clause
        .predicates
        // The `for` keeps the compiler from saying that it does not hold.
        .push(parse_quote!(for<'__a> Self: ::core::marker::Send + ::core::marker::Sync + 'static));
    // The errors stand in the function that returns the type, so that the compiler looks no further at it: the type may
    // have no end, at which it would complain once more.
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Synced for #ident #ty_generics #where_clause {
            type Shadow = ();
            fn shadow(&self) {}
            fn same(&self, _: &()) -> ::core::primitive::bool { true }
            fn diff(&mut self, _: &mut (), _: &#private::At<'_>, _: &mut #private::Changes) {}
            fn write(&self, _: #private::Option<&()>, _: &mut #private::Writer) {}
            fn read(_: #private::Value) -> #private::Result<Self, #private::EditError> {
                #errors
                loop {}
            }
            fn edit(
                &mut self,
                _: &[#private::Segment],
                _: #private::Edit,
                _: #private::Author,
            ) -> #private::Result<#private::Edit, #private::EditError> {
                #private::unreachable!()
            }
            fn ty() -> #private::Type {
                #private::Type::Any
            }
        }
    }
}
