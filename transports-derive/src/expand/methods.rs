//! The impl of `Synced`, given the bodies of its functions.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::context::Context;

/// A body for each function. Within them `__shadow`, `__at`, `__out`, `__settled`, `__value`, `__path`, `__edit`,
/// `__author` and `__old` are the arguments. Empty bodies are left to the trait.
#[derive(Default)]
pub(super) struct Methods {
    pub(super) shadow_type: TokenStream,
    pub(super) shadow: TokenStream,
    pub(super) update: TokenStream,
    pub(super) same: TokenStream,
    pub(super) diff: TokenStream,
    pub(super) write: TokenStream,
    pub(super) read: TokenStream,
    pub(super) edit: TokenStream,
    pub(super) admit: TokenStream,
    pub(super) inherit: TokenStream,
    pub(super) check: TokenStream,
    pub(super) reveal: TokenStream,
    pub(super) ty: TokenStream,
}

impl Methods {
    pub(super) fn expand(&self, context: &Context<'_>) -> TokenStream {
        let Context {
            input,
            private,
            generics,
            ..
        } = context;
        let ident = &input.ident;
        let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
        let Self {
            shadow_type,
            shadow,
            same,
            diff,
            write,
            read,
            edit,
            ty,
            ..
        } = self;
        let optional = self.optional(context);
        quote! {
            #[automatically_derived]
            impl #impl_generics #private::Synced for #ident #ty_generics #where_clause {
                type Shadow = #shadow_type;

                #[inline]
                fn shadow(&self) -> Self::Shadow { #shadow }

                #[inline]
                fn same(&self, __shadow: &Self::Shadow) -> ::core::primitive::bool { #same }

                #[inline]
                fn diff(
                    &mut self,
                    __shadow: &mut Self::Shadow,
                    __at: &#private::At<'_>,
                    __out: &mut #private::Changes,
                ) { #diff }

                #[inline]
                fn write(&self, __settled: #private::Option<&Self::Shadow>, __out: &mut #private::Writer) { #write }

                #[inline]
                fn read(__value: #private::Value) -> #private::Result<Self, #private::EditError> { #read }

                #[inline]
                fn edit(
                    &mut self,
                    __path: &[#private::Segment],
                    __edit: #private::Edit,
                    __author: #private::Author,
                ) -> #private::Result<#private::Edit, #private::EditError> { #edit }

                #[inline]
                fn ty() -> #private::Type { #ty }

                #optional
            }
        }
    }

    /// The functions that the trait has defaults for.
    fn optional(&self, context: &Context<'_>) -> TokenStream {
        let private = &context.private;
        let Self {
            update,
            admit,
            inherit,
            check,
            reveal,
            ..
        } = self;
        let update = (!update.is_empty())
            .then(|| quote!(#[inline] fn update(&self, __shadow: &mut Self::Shadow) { #update }));
        let admit = (!admit.is_empty()).then(|| {
            quote! {
                #[inline]
                fn admit(
                    &self,
                    __old: #private::Option<&Self>,
                ) -> #private::Result<(), #private::EditError> { #admit }
            }
        });
        let inherit = (!inherit.is_empty())
            .then(|| quote!(#[inline] fn inherit(&mut self, __old: &mut Self) { #inherit }));
        let rule = own_rule(context);
        let check = (!check.is_empty() || rule.is_some()).then(|| {
            quote! {
                #[inline]
                fn check(&self, __at: &#private::At<'_>, __out: &mut #private::Changes) {
                    { #check }
                    #rule
                }
            }
        });
        let reveal = (!reveal.is_empty()).then(|| {
            quote! {
                fn reveal(
                    &self,
                    __settled: #private::Option<&Self::Shadow>,
                    __at: &#private::At<'_>,
                    __out: &mut #private::Changes,
                ) { #reveal }
            }
        });
        quote!(#update #admit #inherit #check #reveal)
    }
}

/// The comparison of what is in a type, and where that finds something the rule of the type as a whole.
pub(super) fn ruled(context: &Context<'_>, diff: TokenStream) -> TokenStream {
    match own_rule(context) {
        None => diff,
        Some(rule) => quote! {
            let __start = __out.len();
            #diff
            if __out.judging() && __out.len() != __start {
                #rule
            }
        },
    }
}

fn own_rule(context: &Context<'_>) -> Option<TokenStream> {
    let private = &context.private;
    context.input.validate.as_ref().map(|validate| {
        let path = &validate.value;
        quote_spanned!(path.span()=> #private::check_valid(|| #path(&*self), <Self as #private::Synced>::ty, __at, __out);)
    })
}
