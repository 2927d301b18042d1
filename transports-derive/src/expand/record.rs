//! The fields of a struct or of a variant: what each function does with them.
//!
//! A struct's fields are reached through `self` and `__shadow`. A variant's are bound by a pattern, `__f0` for the first
//! field and `__s0` for its shadow.

mod changes;
mod edit;
mod views;
mod wire;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::context::{Context, is_primitive};
use super::flat;
use crate::attr::Computed;
use crate::model::{Field, Record, Style};

pub(super) struct Body<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) record: &'a Record,
    /// `Self` or `Self::Variant`.
    pub(super) path: TokenStream,
    /// `__Shadow` or `__Shadow::Variant`.
    pub(super) shadow_path: TokenStream,
    /// What messages call it.
    pub(super) name: &'a str,
    /// Whether this is all of a struct.
    pub(super) own: bool,
    /// A name and a text that stand between the fields: an enum's tag.
    pub(super) tag: Option<(&'a str, &'a str)>,
}

/// What stands in the map or list, with its position in the declaration.
#[derive(Clone, Copy)]
pub(super) enum Entry<'a> {
    Field(usize, &'a Field),
    Computed(usize, &'a Computed),
    Tag(&'a str, &'a str),
}

impl<'a> Body<'a> {
    /// The fields that have places of their own, as declared.
    fn placed(&self) -> impl Iterator<Item = (usize, &'a Field)> {
        let fields = self.record.fields.iter().enumerate();
        fields.filter(|(_, field)| field.skip.is_none() && field.flatten.is_none())
    }

    /// The fields whose fields stand among the others.
    pub(super) fn flattened(&self) -> impl Iterator<Item = (usize, &'a Field)> {
        let fields = self.record.fields.iter().enumerate();
        fields.filter(|(_, field)| field.flatten.is_some())
    }

    fn skipped(&self) -> impl Iterator<Item = (usize, &'a Field)> {
        let fields = self.record.fields.iter().enumerate();
        fields.filter(|(_, field)| field.skip.is_some())
    }

    fn travelling(&self) -> impl Iterator<Item = (usize, &'a Field)> {
        self.placed().chain(self.flattened())
    }

    fn computed(&self) -> impl Iterator<Item = (usize, &'a Computed)> {
        let computed: &[_] = if self.own {
            &self.context.input.computed
        } else {
            &[]
        };
        let before = self.record.fields.len();
        let values = computed.iter().map(|computed| &computed.value);
        (before..).zip(values)
    }

    /// All that has a place, in the order of the wire: byte order of the names, or the order of a list.
    pub(super) fn entries(&self) -> Vec<Entry<'a>> {
        let fields = self
            .placed()
            .map(|(index, field)| Entry::Field(index, field));
        let computed = self
            .computed()
            .map(|(index, computed)| Entry::Computed(index, computed));
        let tag = self.tag.map(|(tag, name)| Entry::Tag(tag, name));
        let mut entries: Vec<_> = fields.chain(computed).chain(tag).collect();
        if self.record.style == Style::Named {
            entries.sort_by_key(Entry::name);
        }
        entries
    }

    /// The names that are taken, whether by their first or another name.
    pub(super) fn names(&self) -> Vec<String> {
        let alias = self
            .placed()
            .flat_map(|(_, field)| field.alias.iter().map(|alias| alias.value.clone()));
        let entries = self.entries();
        entries.iter().map(Entry::name).chain(alias).collect()
    }

    pub(super) fn is_flat(&self) -> bool {
        self.flattened().next().is_some()
    }

    pub(super) fn this(&self, (index, field): (usize, &Field)) -> TokenStream {
        let member = &field.member;
        let bound = bound("f", index);
        if self.own {
            quote!(&self.#member)
        } else {
            quote!(&*#bound)
        }
    }

    pub(super) fn this_mut(&self, (index, field): (usize, &Field)) -> TokenStream {
        let member = &field.member;
        let bound = bound("f", index);
        if self.own {
            quote!(&mut self.#member)
        } else {
            quote!(&mut *#bound)
        }
    }

    pub(super) fn shadow_of(&self, index: usize) -> TokenStream {
        let (place, bound) = (format_ident!("f{index}"), bound("s", index));
        if self.own {
            quote!(__shadow.#place)
        } else {
            quote!(*#bound)
        }
    }

    /// Binds the fields, as `__f0` and so on for the prefix `f`.
    pub(super) fn pattern(&self, prefix: &str) -> TokenStream {
        let path = &self.path;
        let fields = self.record.fields.iter().enumerate().map(|(index, field)| {
            let (member, bound) = (&field.member, bound(prefix, index));
            quote!(#member: #bound)
        });
        quote!(#path { #(#fields,)* })
    }

    pub(super) fn shadow_pattern(&self) -> TokenStream {
        let path = &self.shadow_path;
        let fields = self.travelling().map(|(index, _)| {
            let (place, bound) = (format_ident!("f{index}"), bound("s", index));
            quote!(#place: #bound)
        });
        quote!(#path { #(#fields,)* })
    }

    /// What the wire last saw of each field.
    pub(super) fn shadow_fields(&self) -> TokenStream {
        let fields = self.travelling().map(|(index, field)| {
            let (place, ops) = (format_ident!("f{index}"), self.context.ops(field));
            quote!(#place: #ops::Shadow)
        });
        let computed = self.computed().map(|(index, computed)| {
            let (place, ops) = (format_ident!("f{index}"), self.computed_ops(computed));
            quote!(#place: #ops::Shadow)
        });
        quote!(#(#fields,)* #(#computed,)*)
    }

    pub(super) fn shadow(&self) -> TokenStream {
        let fields = self.placed().map(|(index, field)| {
            let (place, ops) = (format_ident!("f{index}"), self.context.ops(field));
            let this = self.this((index, field));
            quote!(#place: #ops::shadow(#this))
        });
        let flattened = self.flattened().map(|(index, field)| {
            let (place, flat) = (format_ident!("f{index}"), self.context.flat(field));
            let (this, taken) = (self.this((index, field)), flat::taken(self, index));
            quote!(#place: #flat::shadow_flat(#this, #taken))
        });
        let computed = self.computed().map(|(index, computed)| {
            let (place, ops) = (format_ident!("f{index}"), self.computed_ops(computed));
            let path = &computed.path;
            quote!(#place: #ops::shadow(&#path(&*self)))
        });
        quote!(#(#fields,)* #(#flattened,)* #(#computed,)*)
    }

    pub(super) fn update(&self) -> TokenStream {
        let fields = self.placed().map(|(index, field)| {
            let (ops, this, shadow) = (
                self.context.ops(field),
                self.this((index, field)),
                self.shadow_of(index),
            );
            if is_primitive(&field.ty) && field.with.is_none() {
                quote!(#shadow = #ops::shadow(#this);)
            } else {
                quote!(#ops::update(#this, &mut #shadow);)
            }
        });
        let flattened = self.flattened().map(|(index, field)| {
            let (flat, this) = (self.context.flat(field), self.this((index, field)));
            let (shadow, taken) = (self.shadow_of(index), flat::taken(self, index));
            quote!(#shadow = #flat::shadow_flat(#this, #taken);)
        });
        let computed = self.computed().map(|(index, computed)| {
            let (ops, shadow) = (self.computed_ops(computed), self.shadow_of(index));
            let path = &computed.path;
            quote!(#ops::update(&#path(&*self), &mut #shadow);)
        });
        quote!(#(#fields)* #(#flattened)* #(#computed)*)
    }

    pub(super) fn same(&self) -> TokenStream {
        let fields = self.travelling().map(|(index, field)| {
            let (ops, this, shadow) = (
                self.context.ops(field),
                self.this((index, field)),
                self.shadow_of(index),
            );
            quote!(#ops::same(#this, &#shadow))
        });
        let computed = self.computed().map(|(index, computed)| {
            let (ops, shadow) = (self.computed_ops(computed), self.shadow_of(index));
            let path = &computed.path;
            quote!(#ops::same(&#path(&*self), &#shadow))
        });
        quote!(true #(&& #fields)* #(&& #computed)*)
    }

    fn computed_ops(&self, computed: &Computed) -> TokenStream {
        let private = &self.context.private;
        let ty = &computed.ty;
        if self.context.is_checked(ty) {
            quote!(<<#ty as #private::Check<__Checked>>::This as #private::Synced>)
        } else {
            quote_spanned!(ty.span()=> <#ty as #private::Synced>)
        }
    }
}

impl Entry<'_> {
    /// Who sees it; everybody if nothing is said.
    pub(super) fn view(&self) -> Option<&str> {
        match self {
            Self::Field(_, field) => field.view.as_ref().map(|word| word.value.as_str()),
            Self::Computed(_, computed) => computed.view.as_deref(),
            Self::Tag(..) => None,
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Field(_, field) => field.name.clone(),
            Self::Computed(_, computed) => computed.name.to_string(),
            Self::Tag(tag, _) => (*tag).to_owned(),
        }
    }
}

/// The tokens, unless the client whose edit is made does not see the field.
fn unless_hidden(private: &TokenStream, field: &Field, then: TokenStream) -> TokenStream {
    match &field.view {
        None => then,
        Some(view) => {
            let view = &view.value;
            quote!(if !#private::is_hidden(#view) { #then })
        }
    }
}

/// Whether all values of the field may be brought by anybody, and have nothing below them.
fn is_plain(field: &Field) -> bool {
    let float = matches!(&field.ty, syn::Type::Path(path) if path.path.is_ident("f32") || path.path.is_ident("f64"));
    is_primitive(&field.ty) && !float && field.with.is_none()
}

fn bound(prefix: &str, index: usize) -> Ident {
    Ident::new(&format!("__{prefix}{index}"), Span::call_site())
}

/// The call that names an entry for a `Writer`: cheaper where the name needs no escaping in any codec.
pub(super) fn key(name: &str) -> TokenStream {
    if is_printable(name) {
        quote!(field(#name))
    } else {
        quote!(key(#name))
    }
}

/// As [`key`], for an `At`, which takes names that need no escaping as codecs have them in a path.
pub(super) fn step(private: &TokenStream, name: &str) -> TokenStream {
    if is_printable(name) {
        quote!(field(const { &#private::FieldStep::new(#name) }))
    } else {
        quote!(key(#name))
    }
}

fn is_printable(name: &str) -> bool {
    name.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}
