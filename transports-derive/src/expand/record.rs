//! The fields of a struct or of a variant: what each function does with them.
//!
//! A struct's fields are reached through `self` and `__shadow`. A variant's are bound by a pattern, `__f0` for the first
//! field and `__s0` for its shadow.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident};

use super::context::{Context, is_primitive, spanned};
use super::flat;
use crate::attr::{Computed, Default};
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
    fn entries(&self) -> Vec<Entry<'a>> {
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

    fn this(&self, (index, field): (usize, &Field)) -> TokenStream {
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

    fn shadow_of(&self, index: usize) -> TokenStream {
        let (place, bound) = (format_ident!("f{index}"), bound("s", index));
        if self.own {
            quote!(__shadow.#place)
        } else {
            quote!(*#bound)
        }
    }

    fn settled(&self, index: usize) -> TokenStream {
        let private = &self.context.private;
        let (path, place) = (&self.shadow_path, format_ident!("f{index}"));
        quote! {
            match __settled {
                #private::Some(#path { #place: __settled, .. }) => #private::Some(__settled),
                _ => #private::None,
            }
        }
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

    pub(super) fn diff(&self) -> TokenStream {
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

    pub(super) fn write(&self) -> TokenStream {
        if self.is_flat() {
            return flat::write(self);
        }
        let entries = self.entries();
        let len = entries.len();
        let values = entries.into_iter().map(|entry| {
            let value = self.write_entry(entry);
            match self.record.style {
                Style::Named => {
                    let key = key(&entry.name());
                    quote!(__out.#key; #value)
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
    pub(super) fn write_entry(&self, entry: Entry<'_>) -> TokenStream {
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

    pub(super) fn placed_entries(&self) -> Vec<Entry<'a>> {
        self.entries()
    }

    /// Makes it from `__entries` (a map), `__items` (a list) or `__value`.
    pub(super) fn read(&self) -> TokenStream {
        let private = &self.context.private;
        let (path, type_name) = (&self.path, self.name);
        // In the order of the declaration, so that messages name the first field that is missing.
        let fields = self.placed().enumerate().map(|(position, (_, field))| {
            let (member, name, ops) = (&field.member, &field.name, self.context.ops(field));
            match self.record.style {
                Style::Named => {
                    let alias = field.alias.iter().map(|alias| &alias.value);
                    let default = self.default(field);
                    quote! {
                        #member: #private::read_field(
                            &mut __entries, #type_name, #name, &[#(#alias),*], #ops::read, #ops::ty, #default,
                        )?
                    }
                }
                Style::Newtype => quote!(#member: #ops::read(__value)?),
                _ => quote!(#member: #private::read_item(&mut __items, #position, #ops::read)?),
            }
        });
        let flattened = self.flattened().map(|(index, field)| {
            let (member, flat) = (&field.member, self.context.flat(field));
            let taken = flat::taken(self, index);
            quote!(#member: #flat::read_flat(&mut __entries, #taken)?)
        });
        let skipped = self.skipped().map(|(_, field)| {
            let (member, made) = (&field.member, self.made(field));
            quote!(#member: #made)
        });
        quote!(#path { #(#fields,)* #(#flattened,)* #(#skipped,)* })
    }

    /// The list or map that [`read`](Self::read) makes it from, out of `__value`.
    pub(super) fn open(&self) -> TokenStream {
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

    /// An edit at `__path`, which leads below this.
    pub(super) fn edit(&self) -> TokenStream {
        let private = &self.context.private;
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
                quote!(#names => #edit,)
            });
        let type_name = self.name;
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
    pub(super) fn admit(&self) -> TokenStream {
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
            match self.record.style {
                Style::Named => quote!(#private::below(#admitted, #name)?;),
                Style::Newtype => quote!(#admitted?;),
                _ => quote!(#private::below(#admitted, #position)?;),
            }
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

    pub(super) fn inherit(&self) -> TokenStream {
        let old = |(index, field): (usize, &Field)| {
            let (member, bound) = (&field.member, bound("o", index));
            if self.own {
                quote!(&mut __old.#member)
            } else {
                quote!(&mut *#bound)
            }
        };
        let fields = self
            .travelling()
            .filter(|(_, field)| !is_plain(field) && !is_primitive(&field.ty))
            .map(|(index, field)| {
                let (ops, this) = (self.context.ops(field), self.this_mut((index, field)));
                let old = old((index, field));
                quote!(#ops::inherit(#this, #old);)
            });
        let skipped = self.skipped().map(|(index, field)| {
            let (this, old) = (self.this_mut((index, field)), old((index, field)));
            quote!(::core::mem::swap(#this, #old);)
        });
        quote!(#(#fields)* #(#skipped)*)
    }

    pub(super) fn check(&self) -> TokenStream {
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
            quote!({ let __field = #at; #rules #below })
        });
        let flattened = self.flattened().map(|(index, field)| {
            let (ops, this) = (self.context.ops(field), self.this((index, field)));
            quote!(#ops::check(#this, __at, __out);)
        });
        quote!(#(#placed)* #(#flattened)*)
    }

    /// The fields for the schema, as an expression.
    pub(super) fn schema(&self) -> TokenStream {
        let private = &self.context.private;
        let fields = self.placed().map(|(_, field)| {
            let (name, ops) = (&field.name, self.context.ops(field));
            quote!(#private::schema_field(#name, #ops::ty()))
        });
        let computed = self.computed().map(|(_, computed)| {
            let (name, ops) = (computed.name.to_string(), self.computed_ops(computed));
            quote!(#private::schema_field(#name, #ops::ty()))
        });
        let fields = quote!(#private::list([#(#fields,)* #(#computed,)*]));
        let flattened: Vec<_> = self
            .flattened()
            .map(|(_, field)| self.context.ops(field))
            .collect();
        if flattened.is_empty() {
            return fields;
        }
        quote! {{
            let mut __fields = #fields;
            #(#private::flatten_schema(&mut __fields, #flattened::ty());)*
            __fields
        }}
    }

    pub(super) fn types(&self) -> TokenStream {
        let private = &self.context.private;
        let types = self
            .travelling()
            .map(|(_, field)| self.context.ops(field))
            .map(|ops| quote!(#ops::ty()));
        quote!(#private::list([#(#types,)*]))
    }

    /// The rules of a field, as statements that use `__field` as its place.
    fn rules(&self, (index, field): (usize, &Field)) -> TokenStream {
        let private = &self.context.private;
        let this = self.this((index, field));
        let range = field.range.as_ref().map(|range| {
            let expr = &range.value;
            let shown = shown(expr);
            let this = spanned(&this, range.span);
            quote_spanned!(range.span=> #private::check_range(#this, &(#expr), #shown, __field, __out);)
        });
        let length = field.length.as_ref().map(|length| {
            let expr = &length.value;
            let shown = shown(expr);
            let span = field.ty.span();
            let this = spanned(&this, span);
            let length = quote_spanned!(span=> #private::length_of(#this));
            quote_spanned!(expr.span()=> #private::check_length(#length, &(#expr), #shown, __field, __out);)
        });
        let validate = field.validate.as_ref().map(|validate| {
            let path = &validate.value;
            let this = spanned(&this, path.span());
            quote_spanned!(path.span()=> #private::check_valid(|| #path(#this), __field, __out);)
        });
        quote!(#range #length #validate)
    }

    fn at(&self, entry: Entry<'_>) -> TokenStream {
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
                let step = step(&entry.name());
                quote!(&__at.#step)
            }
        }
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

    fn has_default(&self, field: &Field) -> bool {
        field.default.is_some() || (self.own && self.context.input.default.is_some())
    }

    /// A function that makes the field where a value lacks it, as an `Option`.
    fn default(&self, field: &Field) -> TokenStream {
        let private = &self.context.private;
        if self.has_default(field) {
            let made = self.made(field);
            quote!(#private::Some(|| #made))
        } else {
            quote!(#private::None)
        }
    }

    /// What a field starts as without a value.
    fn made(&self, field: &Field) -> TokenStream {
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
            // Only asked for when the field is skipped.
            (None, None) => quote_spanned!(ty.span()=> <#ty as #private::Default>::default()),
        }
    }
}

impl Entry<'_> {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Field(_, field) => field.name.clone(),
            Self::Computed(_, computed) => computed.name.to_string(),
            Self::Tag(tag, _) => (*tag).to_owned(),
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

/// As [`key`], for an `At`, which takes names that need no escaping as JSON has them in a path.
pub(super) fn step(name: &str) -> TokenStream {
    if is_printable(name) {
        let step = format!("{{\"Key\":\"{name}\"}}");
        quote!(field(#step))
    } else {
        quote!(key(#name))
    }
}

fn is_printable(name: &str) -> bool {
    name.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

/// An expression as it stands in a message: without the spaces that tokens get.
fn shown(expr: &Expr) -> String {
    quote!(#expr).to_string().replace(' ', "")
}
