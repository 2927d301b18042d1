//! What changed, and the rules for it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::{Body, Entry, is_plain, step, unless_hidden};
use crate::expand::context::{is_primitive, spanned};
use crate::expand::flat;
use crate::model::{Field, Style};

impl Body<'_> {
    pub(in crate::expand) fn diff(&self) -> TokenStream {
        let entries = self
            .entries()
            .into_iter()
            .map(|entry| self.diff_entry(entry));
        let flattened = self.flattened().map(|(index, field)| {
            let (flat, this) = (self.context.flat(field), self.this_mut((index, field)));
            let (shadow, taken) = (self.shadow_of(index), flat::taken(self, index));
            quote!(#flat::diff_flat(#this, &mut #shadow, __at, __out, #taken);)
        });
        quote!(#(#entries)* #(#flattened)*)
    }

    fn diff_entry(&self, entry: Entry<'_>) -> TokenStream {
        let diff = self.diff_all_see(entry);
        match entry.view() {
            None => diff,
            Some(view) => quote!(__out.within(#view, |__out| { #diff });),
        }
    }

    fn diff_all_see(&self, entry: Entry<'_>) -> TokenStream {
        let at = self.at(entry);
        match entry {
            Entry::Tag(..) => TokenStream::new(),
            Entry::Computed(index, computed) => {
                let (ops, shadow) = (self.computed_ops(computed), self.shadow_of(index));
                let path = &computed.path;
                quote!(#ops::diff(&mut #path(&*self), &mut #shadow, #at, __out);)
            }
            Entry::Field(index, field) => {
                let (ops, shadow) = (self.context.ops(field), self.shadow_of(index));
                let this = self.this_mut((index, field));
                let rules = self.rules((index, field));
                let rules = if rules.is_empty() {
                    rules
                } else {
                    unless_hidden(&self.context.private, field, rules)
                };
                if rules.is_empty() && is_primitive(&field.ty) && field.with.is_none() {
                    // The comparison first: what is the same needs no place.
                    let this_ref = self.this((index, field));
                    return quote! {
                        if !#ops::same(#this_ref, &#shadow) {
                            #ops::diff(#this, &mut #shadow, #at, __out);
                        }
                    };
                }
                if rules.is_empty() {
                    return quote!(#ops::diff(#this, &mut #shadow, #at, __out););
                }
                quote! {{
                    let __field = #at;
                    let __before = __out.len();
                    #ops::diff(#this, &mut #shadow, __field, __out);
                    if __out.judging() && __out.len() != __before {
                        #rules
                    }
                }}
            }
        }
    }

    pub(in crate::expand) fn check(&self) -> TokenStream {
        let placed = self.placed().map(|(index, field)| {
            let rules = self.rules((index, field));
            let below = (!is_plain(field) && !is_primitive(&field.ty)).then(|| {
                let (ops, this) = (self.context.ops(field), self.this((index, field)));
                quote!(#ops::check(#this, __field, __out);)
            });
            if rules.is_empty() && below.is_none() {
                return TokenStream::new();
            }
            let at = self.at(Entry::Field(index, field));
            let check = quote!({ let __field = #at; #rules #below });
            unless_hidden(&self.context.private, field, check)
        });
        let flattened = self.flattened().map(|(index, field)| {
            let (ops, this) = (self.context.ops(field), self.this((index, field)));
            quote!(#ops::check(#this, __at, __out);)
        });
        quote!(#(#placed)* #(#flattened)*)
    }

    /// The rules of a field, as statements that use `__field` as its place.
    fn rules(&self, (index, field): (usize, &Field)) -> TokenStream {
        let private = &self.context.private;
        let this = self.this((index, field));
        let range = field.range.as_ref().map(|range| {
            let expr = &range.value;
            let shown = shown(expr);
            let this = spanned(&this, range.span);
            quote_spanned! {range.span=>
                #private::RangeOf::check(&(#expr), #this, #shown, __field, __out);
            }
        });
        let length = field.length.as_ref().map(|length| {
            let expr = &length.value;
            let shown = shown(expr);
            let span = field.ty.span();
            let this = spanned(&this, span);
            let length = quote_spanned!(span=> #private::Length::length(#this));
            quote_spanned!(expr.span()=> #private::check_length(#length, &(#expr), #shown, __field, __out);)
        });
        let validate = field.validate.as_ref().map(|validate| {
            let path = &validate.value;
            let this = spanned(&this, path.span());
            let ty = spanned(&self.context.ops(field), path.span());
            quote_spanned!(path.span()=> #private::check_valid(|| #path(#this), #ty::ty, __field, __out);)
        });
        quote!(#range #length #validate)
    }

    pub(super) fn at(&self, entry: Entry<'_>) -> TokenStream {
        match (self.record.style, entry) {
            (Style::Newtype, _) => quote!(__at),
            (Style::Tuple, Entry::Field(index, _)) => {
                let position = self
                    .placed()
                    .take_while(|(other, _)| *other < index)
                    .count();
                quote!(&__at.index(#position))
            }
            _ => {
                let step = step(&self.context.private, &entry.name());
                quote!(&__at.#step)
            }
        }
    }
}

/// An expression as it stands in a message: without the spaces that tokens get.
fn shown(expr: &Expr) -> String {
    quote!(#expr).to_string().replace(' ', "")
}
