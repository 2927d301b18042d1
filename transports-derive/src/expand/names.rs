//! An enum without data is one of a few texts.

use proc_macro2::TokenStream;
use quote::quote;

use super::context::Context;
use super::methods::Methods;
use crate::model::Variant;

pub(super) fn expand(context: &Context<'_>, variants: &[Variant]) -> TokenStream {
    let Context { input, private, .. } = context;
    let (ident, name, doc) = (&input.ident, &input.name, &input.doc);
    let docs = variants.iter().map(|variant| &variant.doc);
    let names: Vec<_> = variants.iter().map(|variant| &variant.name).collect();
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let patterns = variants.iter().map(|variant| {
        let alias = variant.alias.iter().map(|alias| &alias.value);
        let names = std::iter::once(&variant.name).chain(alias);
        quote!(#(#names)|*)
    });
    let expected = format!("one of the Strs {}", listed(variants));
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let methods = Methods {
        shadow_type: quote!(&'static ::core::primitive::str),
        shadow: quote!(self.__synced_name()),
        same: quote!(#private::same_name(self.__synced_name(), __shadow)),
        diff: quote!(#private::diff_leaf(self, __shadow, __at, __out)),
        write: quote!(__out.str(self.__synced_name())),
        read: quote!(#private::read_named(&__value, Self::__synced_named, #expected)),
        edit: quote!(#private::edit_leaf(self, __path, __edit, __author)),
        ty: quote! {
            #private::Type::Names(#name, || #private::names::<Self>(#name, #doc, &[#((#names, #docs)),*]))
        },
        ..Methods::default()
    };
    let methods = methods.expand(context);
    quote! {
        impl #impl_generics #ident #ty_generics #where_clause {
            #[inline]
            const fn __synced_name(&self) -> &'static ::core::primitive::str {
                match self {
                    #(Self::#idents => #names,)*
                }
            }

            fn __synced_named(__name: &::core::primitive::str) -> #private::Option<Self> {
                match __name {
                    #(#patterns => #private::Some(Self::#idents),)*
                    _ => #private::None,
                }
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::Key for #ident #ty_generics #where_clause {
            fn text(&self) -> #private::Cow<'_, ::core::primitive::str> {
                #private::Cow::Borrowed(self.__synced_name())
            }

            fn parse(__text: &::core::primitive::str) -> #private::Option<Self> {
                Self::__synced_named(__text)
            }
        }

        #methods
    }
}

/// The names of the variants for a message.
pub(super) fn listed(variants: &[Variant]) -> String {
    variants
        .iter()
        .map(|variant| format!("{:?}", variant.name))
        .collect::<Vec<_>>()
        .join(", ")
}
