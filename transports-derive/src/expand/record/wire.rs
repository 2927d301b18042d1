//! Values on their way out and in.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Body, Entry, bound, key};
use crate::attr::Default;
use crate::expand::flat;
use crate::model::{Field, Style};

impl Body<'_> {
    pub(in crate::expand) fn write(&self) -> TokenStream {
        if self.is_flat() {
            return flat::write(self);
        }
        let entries = self.entries();
        let len = self.len(&entries);
        let values = entries.into_iter().map(|entry| {
            let value = self.write_entry(entry);
            match self.record.style {
                Style::Named => {
                    let key = key(&entry.name());
                    let written = quote!(__out.#key; #value);
                    match entry.view() {
                        None => written,
                        Some(view) => quote!(if __out.sees(#view) { #written }),
                    }
                }
                _ => value,
            }
        });
        match self.record.style {
            Style::Newtype => quote!(#(#values)*),
            Style::Tuple => quote!(__out.list(#len); #(#values)* __out.end_list();),
            Style::Named | Style::Unit => quote!(__out.map(#len); #(#values)* __out.end_map();),
        }
    }

    /// Writes the value, and not its name.
    pub(in crate::expand) fn write_entry(&self, entry: Entry<'_>) -> TokenStream {
        match entry {
            Entry::Tag(_, name) => quote!(__out.str(#name);),
            Entry::Computed(index, computed) => {
                let (ops, settled) = (self.computed_ops(computed), self.settled(index));
                let path = &computed.path;
                quote!(#ops::write(&#path(&*self), #settled, __out);)
            }
            Entry::Field(index, field) => {
                let (ops, settled) = (self.context.ops(field), self.settled(index));
                let this = self.this((index, field));
                quote!(#ops::write(#this, #settled, __out);)
            }
        }
    }

    pub(super) fn settled(&self, index: usize) -> TokenStream {
        let private = &self.context.private;
        let (path, place) = (&self.shadow_path, format_ident!("f{index}"));
        quote! {
            match __settled {
                #private::Some(#path { #place: __settled, .. }) => #private::Some(__settled),
                _ => #private::None,
            }
        }
    }

    /// The list or map that [`read`](Self::read) makes it from, out of `__value`.
    pub(in crate::expand) fn open(&self) -> TokenStream {
        let private = &self.context.private;
        let type_name = self.name;
        match self.record.style {
            Style::Named | Style::Unit => {
                quote!(let mut __entries = #private::entries(#type_name, __value)?;)
            }
            Style::Tuple => {
                let len = self.placed().count();
                quote!(let mut __items = #private::items(#len, __value)?;)
            }
            Style::Newtype => TokenStream::new(),
        }
    }

    /// Makes it from `__entries` (a map), `__items` (a list) or `__value`, as a `Result`.
    pub(in crate::expand) fn read(&self) -> TokenStream {
        let private = &self.context.private;
        let path = &self.path;
        let source = match self.record.style {
            Style::Tuple => quote!(__items),
            _ => quote!(__entries),
        };
        // In the order of the declaration, so that messages name the first field that is missing.
        let (read, fields): (Vec<_>, Vec<_>) = self
            .travelling()
            .map(|(index, field)| {
                let (member, bound) = (&field.member, bound("f", index));
                (self.read_field((index, field)), quote!(#member: #bound))
            })
            .unzip();
        let bound = self.travelling().map(|(index, _)| bound("f", index));
        let skipped = self.skipped().map(|(_, field)| {
            let (member, made) = (&field.member, self.made(field));
            quote!(#member: #made)
        });
        let made = quote!(#private::Ok(#path { #(#fields,)* #(#skipped,)* }));
        match self.record.style {
            Style::Newtype => {
                let read = read.first();
                let bound = bound.last();
                quote!({ let #bound = #read(__value)?; #made })
            }
            _ if read.is_empty() => made,
            _ => quote! {{
                let (#(#private::Some(#bound),)*) = (#(#source.#read,)*) else {
                    return #source.error();
                };
                #made
            }},
        }
    }

    /// A method of what it is read from, or a function of the value that a newtype is.
    fn read_field(&self, (index, field): (usize, &Field)) -> TokenStream {
        if field.flatten.is_some() {
            let (flat, taken) = (self.context.flat(field), flat::taken(self, index));
            return quote!(flat(#flat::read_flat, #taken));
        }
        let (name, ops) = (&field.name, self.context.ops(field));
        match self.record.style {
            Style::Newtype => quote!(#ops::read),
            Style::Tuple => quote!(field(#ops::read)),
            _ if field.view.is_some() => {
                let view = field.view.iter().map(|word| &word.value);
                let alias = field.alias.iter().map(|alias| &alias.value);
                let made = self.made(field);
                quote!(viewed(#(#view,)* #name, &[#(#alias),*], #ops::read, || #made))
            }
            _ if field.alias.is_empty() && !self.has_default(field) => {
                quote!(field(#name, #ops::read, #ops::ty))
            }
            _ => {
                let alias = field.alias.iter().map(|alias| &alias.value);
                let default = self.default(field);
                quote!(field_or(#name, &[#(#alias),*], #ops::read, #ops::ty, #default))
            }
        }
    }

    pub(super) fn has_default(&self, field: &Field) -> bool {
        field.default.is_some()
            || field.view.is_some()
            || (self.own && self.context.input.default.is_some())
    }

    /// A function that makes the field where a value lacks it, as an `Option`.
    pub(super) fn default(&self, field: &Field) -> TokenStream {
        let private = &self.context.private;
        if self.has_default(field) {
            let made = self.made(field);
            quote!(#private::Some(|| #made))
        } else {
            quote!(#private::None)
        }
    }

    /// What a field starts as without a value.
    pub(super) fn made(&self, field: &Field) -> TokenStream {
        let private = &self.context.private;
        let Field { member, ty, .. } = field;
        let of_type = if self.own {
            &self.context.input.default
        } else {
            &None
        };
        match (&field.default, of_type) {
            (Some(default), _) => match &default.value {
                Default::Trait => {
                    quote_spanned!(ty.span()=> <#ty as #private::Default>::default())
                }
                Default::Function(path) => quote_spanned!(path.span()=> #path()),
            },
            (None, Some(default)) => match &default.value {
                Default::Trait => {
                    quote_spanned!(default.span=> <Self as #private::Default>::default().#member)
                }
                Default::Function(path) => quote_spanned!(path.span()=> #path().#member),
            },
            (None, None) if field.view.is_some() => {
                quote_spanned!(ty.span()=> <#ty as #private::Unseen>::unseen())
            }
            // Only asked for when the field is skipped.
            (None, None) => quote_spanned!(ty.span()=> <#ty as #private::Default>::default()),
        }
    }

    /// The fields for the schema, as a constant.
    pub(in crate::expand) fn schema(&self) -> TokenStream {
        let private = &self.context.private;
        let fields = self.placed().map(|(_, field)| {
            let (name, doc, ops) = (&field.name, &field.doc, self.context.ops(field));
            let read_only = field.read_only.is_some();
            let has_default = self.has_default(field);
            let view = optional(private, field.view.as_ref().map(|word| word.value.as_str()));
            let limits = self.limits(field);
            quote! {
                #private::FieldInfo {
                    name: #name,
                    doc: #doc,
                    ty: #ops::ty,
                    read_only: #read_only,
                    has_default: #has_default,
                    view: #view,
                    limits: #limits,
                }
            }
        });
        let computed = self.computed().map(|(_, computed)| {
            let (name, ops) = (computed.name.to_string(), self.computed_ops(computed));
            let view = optional(private, computed.view.as_deref());
            quote! {
                #private::FieldInfo {
                    name: #name,
                    doc: "",
                    ty: #ops::ty,
                    read_only: true,
                    has_default: true,
                    view: #view,
                    limits: #private::None,
                }
            }
        });
        let flattened = self
            .flattened()
            .map(|(_, field)| self.context.ops(field))
            .map(|ops| quote!(#ops::ty));
        quote! {
            #private::FieldsInfo { placed: &[#(#fields,)* #(#computed,)*], flattened: &[#(#flattened),*] }
        }
    }

    /// The `range` and `length` of a field, as a constant function in an `Option`.
    fn limits(&self, field: &Field) -> TokenStream {
        let private = &self.context.private;
        if field.range.is_none() && field.length.is_none() {
            return quote!(#private::None);
        }
        let ty = &field.ty;
        let range = match &field.range {
            None => quote!(#private::None),
            Some(range) => {
                let expr = &range.value;
                let limits =
                    quote_spanned!(range.span=> #private::RangeOf::<#ty>::limits(&(#expr)));
                quote!(#private::Some(#limits))
            }
        };
        let length = match &field.length {
            None => quote!(#private::None),
            Some(length) => {
                let expr = &length.value;
                let limits = quote_spanned!(expr.span()=> #private::length_limits(&(#expr)));
                quote!(#private::Some(#limits))
            }
        };
        quote!(#private::Some(|| #private::limits(#range, #length)))
    }

    pub(in crate::expand) fn types(&self) -> TokenStream {
        let types = self
            .travelling()
            .map(|(_, field)| self.context.ops(field))
            .map(|ops| quote!(#ops::ty));
        quote!(&[#(#types),*])
    }
}

fn optional(private: &TokenStream, text: Option<&str>) -> TokenStream {
    match text {
        None => quote!(#private::None),
        Some(text) => quote!(#private::Some(#text)),
    }
}
