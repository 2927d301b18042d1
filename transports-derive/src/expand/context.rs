//! What all parts of an expansion know: paths, bounds, and how to reach what a field's type can do.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Ident, Type, parse_quote};

use crate::attr::With;
use crate::model::{Field, Input};

pub(super) struct Context<'a> {
    pub(super) input: &'a Input,
    /// The path of what generated code may name.
    pub(super) private: TokenStream,
    /// The generics with their bounds.
    pub(super) generics: Generics,
    params: Vec<Ident>,
}

impl<'a> Context<'a> {
    pub(super) fn new(input: &'a Input) -> Self {
        let krate = &input.krate;
        let private = quote!(#krate::__private);
        let params = input
            .generics
            .params
            .iter()
            .filter_map(|param| match param {
                syn::GenericParam::Type(param) => Some(param.ident.clone()),
                syn::GenericParam::Const(param) => Some(param.ident.clone()),
                syn::GenericParam::Lifetime(_) => None,
            })
            .collect();
        Self {
            generics: bounded(input, &private),
            input,
            private,
            params,
        }
    }

    /// What a field can do: a type whose functions are those of `Synced`, with the field as their first argument.
    pub(super) fn ops(&self, field: &Field) -> TokenStream {
        let private = &self.private;
        let ty = &field.ty;
        match (self.carrier(field), self.is_checked(ty)) {
            (None, false) => quote_spanned!(ty.span()=> <#ty as #private::Synced>),
            (None, true) => {
                quote!(<<#ty as #private::Check<__Checked>>::This as #private::Synced>)
            }
            (Some(carrier), false) => {
                quote_spanned!(ty.span()=> <#carrier as #private::With<#ty>>)
            }
            (Some(carrier), true) => {
                quote!(<<#carrier as #private::CheckWith<#ty, __Checked>>::This as #private::With<#ty>>)
            }
        }
    }

    /// As [`ops`](Self::ops), for what a flattened field can do beyond that.
    pub(super) fn flat(&self, field: &Field) -> TokenStream {
        let private = &self.private;
        let ty = &field.ty;
        if self.is_checked(ty) {
            quote!(<<#ty as #private::CheckFlat<__Checked>>::This as #private::Flat>)
        } else {
            quote_spanned!(ty.span()=> <#ty as #private::Flat>)
        }
    }

    /// Who carries a field whose type does not do it by itself.
    fn carrier(&self, field: &Field) -> Option<TokenStream> {
        let private = &self.private;
        if let Some(key) = &field.key {
            let by = self.key_name(field, &key.value);
            return Some(quote!(#private::Keyed<#by>));
        }
        match field.with.as_ref().map(|with| with.value) {
            Some(With::Serde) => Some(quote!(#private::Serde)),
            _ => None,
        }
    }

    /// The type that stands for a field's `key`.
    fn key_name(&self, field: &Field, key: &Ident) -> Ident {
        let position = self
            .input
            .fields()
            .position(|other| std::ptr::eq(other, field))
            .unwrap_or_default();
        format_ident!("__By{position}", span = key.span())
    }

    /// One place that mentions every type once, as plainly as can be: what cannot be synced is underlined there. Its
    /// value is a part of `__Checked`, and so of all other mentions. If it is in error, so are they, and an error in
    /// error is not reported.
    ///
    /// A constant cannot name type parameters; types that do are mentioned without this.
    pub(super) fn checked(&self) -> TokenStream {
        let private = &self.private;
        let keys = self.keys();
        let mentions: Vec<_> = self
            .input
            .fields()
            .filter(|field| field.skip.is_none() && self.is_checked(&field.ty))
            .map(|field| {
                let ty = &field.ty;
                let private = spanned(private, ty.span());
                match (self.carrier(field), &field.flatten) {
                    (_, Some(_)) => {
                        quote_spanned!(ty.span()=> let _ = <#ty as #private::Flat>::read_flat;)
                    }
                    (None, _) => quote_spanned!(ty.span()=> let _ = <#ty as #private::Synced>::ty;),
                    (Some(carrier), _) => {
                        let carrier = spanned(&carrier, ty.span());
                        quote_spanned!(ty.span()=> let _ = <#carrier as #private::With<#ty>>::ty;)
                    }
                }
            })
            .chain(self.computed_mentions())
            .collect();
        if mentions.is_empty() {
            return keys;
        }
        quote! {
            #keys
            type __Checked = #private::Checked<{ #(#mentions)* true }>;
        }
    }

    fn computed_mentions(&self) -> impl Iterator<Item = TokenStream> {
        let private = &self.private;
        self.input
            .computed
            .iter()
            .map(|computed| &computed.value.ty)
            .filter(|ty| self.is_checked(ty))
            .map(move |ty| quote_spanned!(ty.span()=> let _ = <#ty as #private::Synced>::ty;))
    }

    /// What tells the items of keyed lists apart.
    fn keys(&self) -> TokenStream {
        let private = &self.private;
        let keyed = self
            .input
            .fields()
            .filter_map(|field| Some((field, &field.key.as_ref()?.value, field.item()?)));
        keyed
            .map(|(field, key, item)| {
                let by = self.key_name(field, key);
                let generics = if self.names_params(item) {
                    self.generics.clone()
                } else {
                    Generics::default()
                };
                let (impl_generics, _, where_clause) = generics.split_for_impl();
                let hash = quote_spanned!(key.span()=> #private::hash_key(&__item.#key));
                quote! {
                    #[allow(missing_debug_implementations, unreachable_pub)]
                    pub struct #by;

                    impl #impl_generics #private::KeyOf<#item> for #by #where_clause {
                        fn hash(__item: &#item) -> ::core::primitive::u64 { #hash }
                    }
                }
            })
            .collect()
    }

    /// Whether a type is mentioned in [`checked`](Self::checked).
    pub(super) fn is_checked(&self, ty: &Type) -> bool {
        !is_primitive(ty) && !self.names_params(ty)
    }

    fn names_params(&self, ty: &Type) -> bool {
        !self.params.is_empty() && names_any(ty.to_token_stream(), &self.params)
    }
}

fn names_any(tokens: TokenStream, idents: &[Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => idents.contains(&ident),
        TokenTree::Group(group) => names_any(group.stream(), idents),
        _ => false,
    })
}

/// Whether this is a type of the language that has nothing below it and nothing to refuse.
pub(super) fn is_primitive(ty: &Type) -> bool {
    const NAMES: [&str; 16] = [
        "bool", "char", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
        "u128", "usize", "f32", "f64",
    ];
    match ty {
        Type::Path(path) => path
            .path
            .get_ident()
            .is_some_and(|ident| NAMES.iter().any(|name| ident == name)),
        _ => false,
    }
}

/// The generics with every type parameter bound to be synced, or as the user says.
fn bounded(input: &Input, private: &TokenStream) -> Generics {
    let mut generics = input.generics.clone();
    let bounds: Vec<syn::WherePredicate> = match &input.bound {
        Some(bound) => bound.value.clone(),
        None => generics
            .type_params()
            .map(|param| &param.ident)
            .map(|param| parse_quote!(#param: #private::Synced))
            .collect(),
    };
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
    generics
}

/// The same tokens, to be underlined elsewhere.
pub(super) fn spanned(tokens: &TokenStream, span: Span) -> TokenStream {
    let tokens = tokens.clone().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    tokens.collect()
}
