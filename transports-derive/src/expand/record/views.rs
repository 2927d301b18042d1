//! Fields that only some peers see.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Body, Entry};
use crate::expand::context::is_primitive;
use crate::expand::flat;

impl Body<'_> {
    /// How many entries are written.
    pub(super) fn len(&self, entries: &[Entry<'_>]) -> TokenStream {
        let viewed: Vec<_> = entries.iter().filter_map(Entry::view).collect();
        let len = entries.len() - viewed.len();
        quote!(#len #(+ ::core::primitive::usize::from(__out.sees(#viewed)))*)
    }

    /// Statements that tell of the fields with a view, behind what was told without them. Nothing if there can be none.
    pub(in crate::expand) fn reveal(&self) -> TokenStream {
        let entries = self.entries().into_iter();
        let entries = entries.map(|entry| self.reveal_entry(entry));
        let flattened = self.flattened().map(|(index, field)| {
            let (flat, this) = (self.context.flat(field), self.this((index, field)));
            let (settled, taken) = (self.settled(index), flat::taken(self, index));
            quote!(#flat::reveal_flat(#this, #settled, __at, __out, #taken);)
        });
        quote!(#(#entries)* #(#flattened)*)
    }

    fn reveal_entry(&self, entry: Entry<'_>) -> TokenStream {
        let at = self.at(entry);
        let below = match entry {
            Entry::Field(index, field) if !is_primitive(&field.ty) => {
                let (ops, settled) = (self.context.ops(field), self.settled(index));
                let this = self.this((index, field));
                quote!(#ops::reveal(#this, #settled, __field, __out);)
            }
            Entry::Computed(index, computed) if !is_primitive(&computed.ty) => {
                let (ops, settled) = (self.computed_ops(computed), self.settled(index));
                let path = &computed.path;
                quote!(#ops::reveal(&#path(&*self), #settled, __field, __out);)
            }
            _ => TokenStream::new(),
        };
        match entry.view() {
            None if below.is_empty() => below,
            None => quote!({ let __field = #at; #below }),
            Some(view) => {
                let write = self.write_entry(entry);
                quote! {{
                    let __field = #at;
                    __out.reveal(#view, __field, |__out| { #write }, |__out| { #below });
                }}
            }
        }
    }
}
