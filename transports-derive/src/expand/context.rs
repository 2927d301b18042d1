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
        let mut context = Self {
            generics: bounded(input, &private),
            input,
            private,
            params,
        };
        context.assume_built();
        context
    }

    /// Types of fields that are built of parameters are assumed to be synced: whether the bounds make them so is said once,
    /// by [`checked`](Self::checked), and not at every mention.
    fn assume_built(&mut self) {
        let built = self.built();
        if !built.is_empty() {
            let private = &self.private;
            let predicates = built
                .iter()
                .map(|ty| -> syn::WherePredicate { parse_quote!(#ty: #private::Synced) });
            let where_clause = self.generics.make_where_clause();
            where_clause.predicates.extend(predicates);
        }
    }

    /// The types of fields that are parameters in collections of std, which cannot lead back to this type: an assumption
    /// about a type that does would have no end.
    fn built(&self) -> Vec<&'a Type> {
        self.input
            .fields()
            .filter(|field| {
                field.skip.is_none()
                    && field.flatten.is_none()
                    && self.carrier(field).is_none()
                    && self.names_params(&field.ty)
                    && self.is_built(&field.ty)
            })
            .map(|field| &field.ty)
            .collect()
    }

    fn is_built(&self, ty: &Type) -> bool {
        const COLLECTIONS: [&str; 11] = [
            "Option", "Box", "Arc", "Vec", "VecDeque", "BTreeMap", "HashMap", "BTreeSet",
            "HashSet", "List", "Map",
        ];
        if !self.names_params(ty) {
            return true;
        }
        match ty {
            Type::Path(path) if path.qself.is_none() => {
                let Some(last) = path.path.segments.last() else {
                    return false;
                };
                match &last.arguments {
                    syn::PathArguments::None => path.path.get_ident().is_some(),
                    syn::PathArguments::AngleBracketed(arguments) => {
                        COLLECTIONS.iter().any(|name| last.ident == name)
                            && arguments.args.iter().all(|argument| match argument {
                                syn::GenericArgument::Type(ty) => self.is_built(ty),
                                _ => false,
                            })
                    }
                    syn::PathArguments::Parenthesized(_) => false,
                }
            }
            Type::Array(array) => self.is_built(&array.elem),
            Type::Tuple(tuple) => tuple.elems.iter().all(|item| self.is_built(item)),
            _ => false,
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
        let (keys, built) = (self.keys(), self.checked_built());
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
                    (Some(_), _) if field.key.is_none() => {
                        quote_spanned!(ty.span()=> let _ = <#ty as #private::Opaque>::HERE;)
                    }
                    (Some(carrier), _) => {
                        let carrier = spanned(&carrier, ty.span());
                        quote_spanned!(ty.span()=> let _ = <#carrier as #private::With<#ty>>::ty;)
                    }
                }
            })
            .chain(self.computed_mentions())
            .collect();
        if mentions.is_empty() {
            return quote!(#keys #built);
        }
        quote! {
            #keys
            #built
            type __Checked = #private::Checked<{ #(#mentions)* true }>;
        }
    }

    /// One place that mentions the types which the rest [assumes](Self::assume_built) to be synced.
    fn checked_built(&self) -> TokenStream {
        let private = &self.private;
        let mentions: Vec<_> = self
            .built()
            .into_iter()
            .map(|ty| {
                let private = spanned(private, ty.span());
                quote_spanned!(ty.span()=> let _ = <#ty as #private::Synced>::ty;)
            })
            .collect();
        if mentions.is_empty() {
            return TokenStream::new();
        }
        let generics = bounded(self.input, private);
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        // Not where the bounds were written: the compiler would propose to write more of them into that text.
        let where_clause = spanned(&where_clause.to_token_stream(), Span::call_site());
        quote! {
            #[allow(dead_code, reason = "it is compiled for its errors")]
            fn __check #impl_generics () #where_clause { #(#mentions)* }
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
                let hash = quote_spanned!(key.span()=> #private::ListKey::hash_key(&__item.#key));
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

/// The generics with every type parameter bound to be synced, or as the user says. What a model has in it goes between
/// threads, whatever else is said of it.
fn bounded(input: &Input, private: &TokenStream) -> Generics {
    let mut generics = input.generics.clone();
    let bounds: Vec<syn::WherePredicate> = match &input.bound {
        Some(bound) => {
            let sent = generics.type_params().map(|param| &param.ident).map(
                |param| parse_quote!(#param: ::core::marker::Send + ::core::marker::Sync + 'static),
            );
            bound.value.iter().cloned().chain(sent).collect()
        }
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
