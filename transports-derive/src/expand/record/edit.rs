//! Edits, and what stays of the value that an edit replaces.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Body, Entry, bound, is_plain, unless_hidden};
use crate::expand::context::is_primitive;
use crate::expand::flat;
use crate::model::{Field, Style};

impl Body<'_> {
    /// An edit at `__path`, which leads below this.
    pub(in crate::expand) fn edit(&self) -> TokenStream {
        let private = &self.context.private;
        let type_name = self.name;
        let arms = self
            .entries()
            .into_iter()
            .enumerate()
            .map(|(position, entry)| {
                let edit = self.edit_entry(entry);
                let names = match (self.record.style, entry) {
                    (Style::Named, Entry::Field(_, field)) => {
                        let alias = field.alias.iter().map(|alias| &alias.value);
                        let names = std::iter::once(&field.name).chain(alias);
                        quote!(#(#names)|*)
                    }
                    (Style::Named, _) => {
                        let name = entry.name();
                        quote!(#name)
                    }
                    _ => quote!(#position),
                };
                match entry.view() {
                    None => quote!(#names => #edit,),
                    // To who does not see it there is no such field.
                    Some(view) => quote! {
                        #names if #private::is_hidden(#view) => #private::unknown_field(#type_name, __key),
                        #names => #edit,
                    },
                }
            });
        match self.record.style {
            Style::Newtype => self
                .placed()
                .next()
                .map(|(index, field)| self.edit_newtype((index, field)))
                .unwrap_or_default(),
            Style::Named | Style::Unit => {
                let otherwise =
                    flat::edit(self, &quote!(#private::unknown_field(#type_name, __key)));
                quote! {
                    match __path {
                        [#private::Segment::Key(__key), __deeper @ ..] => match __key.as_str() {
                            #(#arms)*
                            _ => #otherwise,
                        },
                        _ => #private::no_list(__path),
                    }
                }
            }
            Style::Tuple => {
                let len = self.placed().count();
                quote! {
                    match __path {
                        [#private::Segment::Index(__index), __deeper @ ..] => match *__index {
                            #(#arms)*
                            _ => #private::no_item(*__index, #len),
                        },
                        _ => #private::no_map(),
                    }
                }
            }
        }
    }

    fn edit_entry(&self, entry: Entry<'_>) -> TokenStream {
        let private = &self.context.private;
        match entry {
            Entry::Tag(_, name) => quote!(#private::edit_tag(__deeper, __edit, __key, #name)),
            // The host's word is what this side computes by itself.
            Entry::Computed(_, _) => quote!(#private::edit_computed(__author, __key)),
            Entry::Field(index, field) => {
                let (ops, this) = (self.context.ops(field), self.this_mut((index, field)));
                let put_back = self.put_back(field);
                let place = match self.record.style {
                    Style::Named => {
                        let name = &field.name;
                        quote!(#name)
                    }
                    _ => quote!(*__index),
                };
                quote! {
                    #private::below(match #put_back {
                        #private::Ok(__edit) => #ops::edit(#this, __deeper, __edit, __author),
                        #private::Err(__error) => #private::Err(__error),
                    }, #place)
                }
            }
        }
    }

    /// The edit that is really made: `Remove` of a field puts back its default.
    fn put_back(&self, field: &Field) -> TokenStream {
        let private = &self.context.private;
        let read_only = field.read_only.is_some();
        let ops = self.context.ops(field);
        if self.record.style == Style::Tuple {
            quote!(#private::put_item(__edit, __deeper, __author, #read_only))
        } else if self.has_default(field) {
            let made = self.made(field);
            quote!(#private::put_default(__edit, __deeper, __author, #read_only, || #made))
        } else {
            quote!(#private::put_back(__edit, __deeper, __author, #read_only, #ops::ty))
        }
    }

    fn edit_newtype(&self, (index, field): (usize, &Field)) -> TokenStream {
        let private = &self.context.private;
        let (ops, this) = (self.context.ops(field), self.this_mut((index, field)));
        let read_only = field.read_only.is_some();
        quote! {
            match #private::put_content(__edit, __path, __author, #read_only) {
                #private::Ok(__edit) => #ops::edit(#this, __path, __edit, __author),
                #private::Err(__error) => #private::Err(__error),
            }
        }
    }

    /// Statements that end with `?` where something may not be brought. Nothing if all may.
    pub(in crate::expand) fn admit(&self) -> TokenStream {
        let private = &self.context.private;
        let fields = self.placed().enumerate().map(|(position, (index, field))| {
            if is_plain(field) && field.read_only.is_none() {
                return TokenStream::new();
            }
            let (ops, this, old) = (
                self.context.ops(field),
                self.this((index, field)),
                self.old(field),
            );
            let admitted = if field.read_only.is_some() {
                let default = self.default(field);
                quote!(#private::admit_read_only(#this, #old, #default, #ops::shadow, #ops::same))
            } else {
                quote!(#ops::admit(#this, #old))
            };
            let name = &field.name;
            let admitted = match self.record.style {
                Style::Named => quote!(#private::below(#admitted, #name)?;),
                Style::Newtype => quote!(#admitted?;),
                _ => quote!(#private::below(#admitted, #position)?;),
            };
            unless_hidden(private, field, admitted)
        });
        let flattened = self.flattened().map(|(index, field)| {
            let (ops, this, old) = (
                self.context.ops(field),
                self.this((index, field)),
                self.old(field),
            );
            quote!(#ops::admit(#this, #old)?;)
        });
        quote!(#(#fields)* #(#flattened)*)
    }

    fn old(&self, field: &Field) -> TokenStream {
        let private = &self.context.private;
        let (path, member) = (&self.path, &field.member);
        quote! {
            match __old {
                #private::Some(#path { #member: __old, .. }) => #private::Some(__old),
                _ => #private::None,
            }
        }
    }

    pub(in crate::expand) fn inherit(&self) -> TokenStream {
        let old = |(index, field): (usize, &Field)| {
            let (member, bound) = (&field.member, bound("o", index));
            if self.own {
                quote!(&mut __old.#member)
            } else {
                quote!(&mut *#bound)
            }
        };
        let fields = self.travelling().filter_map(|(index, field)| {
            let (ops, this) = (self.context.ops(field), self.this_mut((index, field)));
            let old = old((index, field));
            let below = (!is_plain(field) && !is_primitive(&field.ty))
                .then(|| quote!(#ops::inherit(#this, #old);));
            match &field.view {
                None => below,
                // Who does not see it has not replaced it.
                Some(view) => {
                    let private = &self.context.private;
                    let view = &view.value;
                    Some(quote! {
                        if #private::is_hidden(#view) {
                            ::core::mem::swap(#this, #old);
                        } else {
                            #below
                        }
                    })
                }
            }
        });
        let skipped = self.skipped().map(|(index, field)| {
            let (this, old) = (self.this_mut((index, field)), old((index, field)));
            quote!(::core::mem::swap(#this, #old);)
        });
        quote!(#(#fields)* #(#skipped)*)
    }
}
