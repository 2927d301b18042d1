//! Enums with data, in serde's representations.
//!
//! The shadow is an enum of the same variants. While the variant stays, its fields are compared; another variant is one
//! `Set` of the whole.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::context::Context;
use super::flat;
use super::methods::{Methods, ruled};
use super::names::listed;
use super::record::{Body, key, step};
use crate::model::{Style, Tagging, Variant};

struct Enum<'a> {
    context: &'a Context<'a>,
    tagging: &'a Tagging,
    variants: &'a [Variant],
    bodies: Vec<Body<'a>>,
}

pub(super) fn expand(
    context: &Context<'_>,
    tagging: &Tagging,
    variants: &[Variant],
) -> TokenStream {
    let bodies = variants
        .iter()
        .map(|variant| {
            let ident = &variant.ident;
            Body {
                context,
                record: &variant.record,
                path: quote!(Self::#ident),
                shadow_path: quote!(__Shadow::#ident),
                name: &variant.name,
                own: false,
                tag: match tagging {
                    Tagging::Internal { tag } => Some((tag, &variant.name)),
                    _ => None,
                },
            }
        })
        .collect();
    let this = Enum {
        context,
        tagging,
        variants,
        bodies,
    };
    this.expand()
}

impl<'a> Enum<'a> {
    fn each(&self) -> impl Iterator<Item = (&'a Variant, &Body<'a>)> {
        self.variants.iter().zip(&self.bodies)
    }

    /// The variants that have something in them.
    fn with_data(&self) -> impl Iterator<Item = (&'a Variant, &Body<'a>)> {
        self.each()
            .filter(|(variant, _)| variant.record.style != Style::Unit)
    }

    fn expand(&self) -> TokenStream {
        let (_, ty_generics, _) = self.context.generics.split_for_impl();
        let declaration = self.declaration();
        let methods = Methods {
            shadow_type: quote!(__Shadow #ty_generics),
            shadow: self.shadow(),
            update: self.update(),
            same: self.same(),
            diff: self.diff(),
            write: self.write(),
            read: self.read(),
            edit: self.edit(),
            admit: self.admit(),
            inherit: self.inherit(),
            check: self.check(),
            reveal: self.reveal(),
            ty: self.ty(),
        };
        let methods = methods.expand(self.context);
        let apart = self.bodies.iter().map(flat::assert_apart);
        let flat = self.flat();
        quote!(#declaration #methods #flat #(#apart)*)
    }

    fn declaration(&self) -> TokenStream {
        let generics = &self.context.generics;
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        let variants = self.each().map(|(variant, body)| {
            let (ident, fields) = (&variant.ident, body.shadow_fields());
            quote!(#ident { #fields })
        });
        let params: Vec<_> = generics.type_params().map(|param| &param.ident).collect();
        // Never made: it uses the parameters.
        let unused = (!params.is_empty()).then(|| {
            quote!(__Generics(::core::marker::PhantomData<fn() -> (#(#params,)*)>, ::core::convert::Infallible),)
        });
        quote! {
            #[allow(unreachable_pub, missing_debug_implementations, missing_docs, dead_code)]
            pub enum __Shadow #impl_generics #where_clause {
                #(#variants,)*
                #unused
            }
        }
    }

    fn shadow(&self) -> TokenStream {
        let arms = self.each().map(|(_, body)| {
            let (pattern, path, shadow) = (body.pattern("f"), &body.shadow_path, body.shadow());
            quote!(#pattern => #path { #shadow },)
        });
        quote!(match self { #(#arms)* })
    }

    /// Arms for a value and its shadow in the same variant.
    fn paired(&self, then: impl Fn(&Variant, &Body<'_>) -> TokenStream) -> TokenStream {
        self.each()
            .map(|(variant, body)| {
                let (pattern, shadow) = (body.pattern("f"), body.shadow_pattern());
                let then = then(variant, body);
                quote!((#pattern, #shadow) => { #then })
            })
            .collect()
    }

    /// Makes an enum with a tag one that can be flattened.
    fn flat(&self) -> TokenStream {
        let (names, bodies) = match self.tagging {
            Tagging::External => return TokenStream::new(),
            Tagging::Adjacent { tag, content } => (vec![tag.clone(), content.clone()], Vec::new()),
            Tagging::Internal { tag } => {
                let names = self.bodies.iter().flat_map(Body::names);
                let names: BTreeSet<_> = names.chain([tag.clone()]).collect();
                (names.into_iter().collect(), self.bodies.iter().collect())
            }
        };
        let arms = self.paired(|_, body| flat::reshaped(body));
        let reshaped = quote!(match (self, __shadow) { #arms _ => true });
        flat::implement_with(self.context, &names, &bodies, Some(&reshaped))
    }

    fn update(&self) -> TokenStream {
        let private = &self.context.private;
        let arms = self.paired(|_, body| body.update());
        quote! {
            match (self, &mut *__shadow) {
                #arms
                _ => *__shadow = <Self as #private::Synced>::shadow(self),
            }
        }
    }

    fn same(&self) -> TokenStream {
        let arms = self.paired(|_, body| body.same());
        quote! {
            match (self, __shadow) {
                #arms
                _ => false,
            }
        }
    }

    fn diff(&self) -> TokenStream {
        let private = &self.context.private;
        let arms = self.each().map(|(variant, body)| {
            let (pattern, shadow) = (body.pattern("f"), body.shadow_pattern());
            let (at, diff) = (self.place(variant), body.diff());
            let kept = body.is_flat().then(|| {
                let reshaped = flat::reshaped(body);
                quote!(if !(#reshaped))
            });
            quote!((#pattern, #shadow) #kept => { #at #diff })
        });
        let diff = quote! {
            match (&mut *self, &mut *__shadow) {
                #(#arms)*
                _ => {
                    __out.set(__at, self);
                    *__shadow = <Self as #private::Synced>::shadow(self);
                    return;
                }
            }
        };
        ruled(self.context, diff)
    }

    /// The name by which the content of a variant stands in a map; none if it is among the fields beside a tag.
    fn content_name<'b>(&'b self, variant: &'b Variant) -> Option<&'b String> {
        match self.tagging {
            Tagging::External => Some(&variant.name),
            Tagging::Internal { .. } => None,
            Tagging::Adjacent { content, .. } => Some(content),
        }
    }

    /// Makes `__at` the place of what is in a variant.
    fn place(&self, variant: &Variant) -> TokenStream {
        let name = self.content_name(variant);
        let step = name.map(|name| step(&self.context.private, name));
        step.map_or_else(TokenStream::new, |step| quote!(let __at = &__at.#step;))
    }

    fn write(&self) -> TokenStream {
        let arms = self.each().map(|(variant, body)| {
            let (pattern, name) = (body.pattern("f"), &variant.name);
            let unit = variant.record.style == Style::Unit;
            let content = body.write();
            let written = match self.tagging {
                Tagging::External if unit => quote!(__out.str(#name);),
                Tagging::External => {
                    let key = key(name);
                    quote!(__out.map(1); __out.#key; #content __out.end_map();)
                }
                // The tag is one of the fields.
                Tagging::Internal { .. } => content,
                Tagging::Adjacent { tag, content: at } => {
                    let (tag_key, content_key) = (key(tag), key(at));
                    let tagged = quote!(__out.#tag_key; __out.str(#name););
                    if unit {
                        quote!(__out.map(1); #tagged __out.end_map();)
                    } else if tag.as_bytes() < at.as_bytes() {
                        quote!(__out.map(2); #tagged __out.#content_key; #content __out.end_map();)
                    } else {
                        quote!(__out.map(2); __out.#content_key; #content #tagged __out.end_map();)
                    }
                }
            };
            quote!(#pattern => { #written })
        });
        quote!(match self { #(#arms)* })
    }

    fn read(&self) -> TokenStream {
        let private = &self.context.private;
        let type_name = &self.context.input.name;
        let expected = format!(
            "one of the variants {} of `{type_name}`",
            listed(self.variants)
        );
        let arms = self.each().map(|(variant, body)| {
            let alias = variant.alias.iter().map(|alias| &alias.value);
            let names = std::iter::once(&variant.name).chain(alias);
            let names = quote!(#(#names)|*);
            let (open, read) = (body.open(), body.read());
            match (variant.record.style, self.content_name(variant)) {
                (_, None) => quote!(#names => #read,),
                (Style::Unit, _) => {
                    let path = &body.path;
                    quote!(#names => #private::no_content(__content, #expected, || #path {}),)
                }
                (_, Some(below)) => {
                    quote! {
                        #names => #private::read_content(__content, #expected, #below, |__value| {
                            #open
                            #read
                        }),
                    }
                }
            }
        });
        let arms: TokenStream = arms.collect();
        let opened = match self.tagging {
            Tagging::External => {
                quote!(let (__name, __content) = #private::external(__value, #expected)?;)
            }
            Tagging::Internal { tag } => {
                quote!(let (__name, mut __entries) = #private::internal(__value, #type_name, #tag)?;)
            }
            Tagging::Adjacent { tag, content } => {
                quote!(let (__name, __content) = #private::adjacent(__value, #type_name, #tag, #content)?;)
            }
        };
        let tag = match self.tagging {
            Tagging::External => quote!(#private::None),
            Tagging::Internal { tag } | Tagging::Adjacent { tag, .. } => {
                quote!(#private::Some(#tag))
            }
        };
        quote! {
            #opened
            match __name.as_str() {
                #arms
                _ => #private::unknown_variant(&__name, #tag, #expected),
            }
        }
    }

    fn edit(&self) -> TokenStream {
        let private = &self.context.private;
        let whole = quote! {
            if __path.is_empty() {
                return #private::edit_whole(self, __edit, __author);
            }
        };
        let tags: TokenStream = match self.tagging {
            Tagging::External => TokenStream::new(),
            Tagging::Internal { .. } => {
                let arms = self.each().map(|(_, body)| {
                    let (pattern, edit) = (body.pattern("f"), body.edit());
                    quote!(#pattern => { #edit })
                });
                return quote!(#whole match self { #(#arms)* });
            }
            Tagging::Adjacent { tag, .. } => self
                .each()
                .map(|(variant, body)| {
                    let (path, name) = (&body.path, &variant.name);
                    quote!(#path { .. } if __key == #tag => #private::edit_tag(__path, __edit, __key, #name),)
                })
                .collect(),
        };
        let contents = self.contents();
        let arms = self.with_data().filter_map(|(variant, body)| {
            let name = self.content_name(variant)?;
            let (pattern, edit) = (body.pattern("f"), body.edit());
            Some(quote!(#pattern if __key == #name => #private::below(#edit, #name),))
        });
        quote! {
            #whole
            #contents
            let [#private::Segment::Key(__key), __path @ ..] = __path else {
                return #private::no_list(__path);
            };
            match self {
                #tags
                #(#arms)*
                _ => #private::no_entry(__key),
            }
        }
    }

    /// Edits that bring all that is in a variant of several fields: the same as bringing the whole enum.
    fn contents(&self) -> TokenStream {
        let private = &self.context.private;
        let arms: Vec<_> = self
            .with_data()
            .filter(|(variant, _)| variant.record.style != Style::Newtype)
            .filter_map(|(variant, body)| {
                let path = &body.path;
                let at = self.content_name(variant)?;
                let wrapped = match self.tagging {
                    Tagging::Adjacent { tag, content } => {
                        let name = &variant.name;
                        quote!(#private::tagged(#tag, #name, #content, __value))
                    }
                    _ => quote!(#private::entry(#at, __value)),
                };
                Some(quote! {
                    ([#private::Segment::Key(__key)], #path { .. }) if __key == #at => {
                        return #private::edit_content(self, __edit, __author, #at, |__value| #wrapped);
                    }
                })
            })
            .collect();
        if arms.is_empty() {
            return TokenStream::new();
        }
        quote! {
            match (__path, &*self) {
                #(#arms)*
                _ => {}
            }
        }
    }

    fn admit(&self) -> TokenStream {
        let private = &self.context.private;
        let arms: Vec<_> = self
            .each()
            .filter_map(|(variant, body)| {
                let admit = body.admit();
                if admit.is_empty() {
                    return None;
                }
                let pattern = body.pattern("f");
                let Some(name) = self.content_name(variant) else {
                    return Some(quote!(#pattern => { #admit #private::Ok(()) }));
                };
                Some(quote! {
                    #pattern => #private::below((|| -> #private::Result<(), #private::EditError> {
                        #admit
                        #private::Ok(())
                    })(), #name),
                })
            })
            .collect();
        if arms.is_empty() {
            return TokenStream::new();
        }
        quote!(match self { #(#arms)* _ => #private::Ok(()), })
    }

    fn inherit(&self) -> TokenStream {
        let arms: Vec<_> = self
            .each()
            .filter_map(|(_, body)| {
                let inherit = body.inherit();
                if inherit.is_empty() {
                    return None;
                }
                let (new, old) = (body.pattern("f"), body.pattern("o"));
                Some(quote!((#new, #old) => { #inherit }))
            })
            .collect();
        if arms.is_empty() {
            return TokenStream::new();
        }
        quote!(match (self, __old) { #(#arms)* _ => {} })
    }

    fn check(&self) -> TokenStream {
        let arms: Vec<_> = self
            .each()
            .filter_map(|(variant, body)| {
                let check = body.check();
                if check.is_empty() {
                    return None;
                }
                let (pattern, at) = (body.pattern("f"), self.place(variant));
                Some(quote!(#pattern => { #at #check }))
            })
            .collect();
        if arms.is_empty() {
            return TokenStream::new();
        }
        quote!(match self { #(#arms)* _ => {} })
    }

    fn reveal(&self) -> TokenStream {
        let arms: Vec<_> = self
            .each()
            .filter_map(|(variant, body)| {
                let reveal = body.reveal();
                if reveal.is_empty() {
                    return None;
                }
                let (pattern, at) = (body.pattern("f"), self.place(variant));
                Some(quote!(#pattern => { #at #reveal }))
            })
            .collect();
        if arms.is_empty() {
            return TokenStream::new();
        }
        quote!(match self { #(#arms)* _ => {} })
    }

    fn ty(&self) -> TokenStream {
        let private = &self.context.private;
        let (name, doc) = (&self.context.input.name, &self.context.input.doc);
        let (none, some) = (quote!(#private::None), quote!(#private::Some));
        let tagging = match self.tagging {
            Tagging::External => quote!((#none, #none)),
            Tagging::Internal { tag } => quote!((#some(#tag), #none)),
            Tagging::Adjacent { tag, content } => quote!((#some(#tag), #some(#content))),
        };
        let variants = self.each().map(|(variant, body)| {
            let (name, doc) = (&variant.name, &variant.doc);
            let content = match variant.record.style {
                Style::Unit => quote!(Nothing),
                Style::Newtype => {
                    let ops = variant
                        .record
                        .fields
                        .iter()
                        .map(|field| self.context.ops(field));
                    quote!(Value(#(#ops::ty)*))
                }
                Style::Tuple => {
                    let types = body.types();
                    quote!(List(#types))
                }
                Style::Named => {
                    let fields = body.schema();
                    quote!(Fields(#fields))
                }
            };
            quote! {
                #private::VariantInfo { name: #name, doc: #doc, content: #private::ContentInfo::#content }
            }
        });
        quote! {
            #private::Type::Enum(#name, || {
                #private::variants::<Self>(#name, #doc, #tagging, &[#(#variants),*])
            })
        }
    }
}
