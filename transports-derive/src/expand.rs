//! The model to tokens; cannot fail.
//!
//! Everything that touches a field carries the span of the field's type: if that type cannot be synced, all complaints
//! are about one place, and the compiler shows one of them.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Path, Type, parse_quote};

use crate::attr::Default;
use crate::model::{Field, Input, Shape, Variant};

pub(crate) fn expand(input: &Input) -> TokenStream {
    let body = match &input.shape {
        Shape::Struct(fields) => Struct::new(input, fields).expand(),
        Shape::Newtype(ty) => newtype(input, ty),
        Shape::Enum(variants) => unit_enum(input, variants),
    };
    quote! {
        #[doc(hidden)]
        const _: () = { #body };
    }
}

/// The path of what generated code may name.
fn private(krate: &Path) -> TokenStream {
    quote!(#krate::__private)
}

/// The generics with every type parameter bound to be synced.
fn bounded(generics: &Generics, private: &TokenStream) -> Generics {
    let mut generics = generics.clone();
    let params: Vec<_> = generics
        .type_params()
        .map(|param| param.ident.clone())
        .collect();
    if !params.is_empty() {
        let where_clause = generics.make_where_clause();
        for param in params {
            where_clause
                .predicates
                .push(parse_quote!(#param: #private::Synced));
        }
    }
    generics
}

struct Struct<'a> {
    input: &'a Input,
    private: TokenStream,
    /// The fields that travel, in byte order of their names, as the wire wants them.
    fields: Vec<&'a Field>,
    skipped: Vec<&'a Field>,
    /// As declared, for the schema.
    declared: &'a [Field],
}

impl<'a> Struct<'a> {
    fn new(input: &'a Input, declared: &'a [Field]) -> Self {
        let (skipped, mut fields): (Vec<_>, Vec<_>) =
            declared.iter().partition(|field| field.skip.is_some());
        fields.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        Self {
            input,
            private: private(&input.krate),
            fields,
            skipped,
            declared,
        }
    }

    fn expand(&self) -> TokenStream {
        let Self { input, private, .. } = self;
        let Input { ident, .. } = input;
        let generics = bounded(&input.generics, private);
        let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
        let declaration = self.shadow_declaration(&generics);
        let shadow = self.shadow();
        let update = self.update();
        let same = self.same();
        let diff = self.diff();
        let write = self.write();
        let read = self.read();
        let edit = self.edit();
        let admit = self.admit();
        let inherit = self.inherit();
        let check = self.check();
        let ty = self.ty();
        quote! {
            #declaration

            #[automatically_derived]
            impl #impl_generics #private::Synced for #ident #ty_generics #where_clause {
                type Shadow = __Shadow #ty_generics;

                fn shadow(&self) -> Self::Shadow { #shadow }

                fn update(&self, __shadow: &mut Self::Shadow) { #update }

                #[inline]
                fn same(&self, __shadow: &Self::Shadow) -> ::core::primitive::bool { #same }

                #[inline]
                fn diff(
                    &mut self,
                    __shadow: &mut Self::Shadow,
                    __at: &#private::At<'_>,
                    __out: &mut #private::Changes,
                ) { #diff }

                fn write(&self, __settled: #private::Option<&Self::Shadow>, __out: &mut #private::Writer) { #write }

                fn read(__value: #private::Value) -> #private::Result<Self, #private::EditError> { #read }

                fn edit(
                    &mut self,
                    __path: &[#private::Segment],
                    __edit: #private::Edit,
                    __author: #private::Author,
                ) -> #private::Result<#private::Edit, #private::EditError> { #edit }

                fn admit(&self, __old: #private::Option<&Self>) -> #private::Result<(), #private::EditError> { #admit }

                fn inherit(&mut self, __old: &mut Self) { #inherit }

                fn check(&self, __at: &#private::At<'_>, __out: &mut #private::Changes) { #check }

                fn ty() -> #private::Type { #ty }
            }
        }
    }

    /// What the wire last saw of each field.
    fn shadow_declaration(&self, generics: &Generics) -> TokenStream {
        let private = &self.private;
        let fields = self.fields.iter().map(|Field { ident, ty, .. }| {
            quote_spanned!(span(ty)=> #ident: <#ty as #private::Synced>::Shadow)
        });
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        let params = generics.type_params().map(|param| &param.ident);
        quote! {
            #[allow(unreachable_pub, missing_debug_implementations, non_snake_case)]
            pub struct __Shadow #impl_generics #where_clause {
                #(#fields,)*
                __generics: ::core::marker::PhantomData<fn() -> (#(#params,)*)>,
            }
        }
    }

    fn shadow(&self) -> TokenStream {
        let private = &self.private;
        let fields = self.fields.iter().map(|Field { ident, ty, .. }| {
            quote_spanned!(span(ty)=> #ident: <#ty as #private::Synced>::shadow(&self.#ident))
        });
        quote!(__Shadow { #(#fields,)* __generics: ::core::marker::PhantomData })
    }

    fn update(&self) -> TokenStream {
        let private = &self.private;
        let fields = self.fields.iter().map(|Field { ident, ty, .. }| {
            quote_spanned!(span(ty)=> <#ty as #private::Synced>::update(&self.#ident, &mut __shadow.#ident);)
        });
        quote!(let _ = &__shadow; #(#fields)*)
    }

    fn same(&self) -> TokenStream {
        let private = &self.private;
        let fields = self.fields.iter().map(|Field { ident, ty, .. }| {
            quote_spanned!(span(ty)=> <#ty as #private::Synced>::same(&self.#ident, &__shadow.#ident))
        });
        let unused = self.fields.is_empty().then(|| quote!(let _ = __shadow;));
        quote!(#unused true #(&& #fields)*)
    }

    fn diff(&self) -> TokenStream {
        let private = &self.private;
        let fields = self.fields.iter().map(|field| {
            let Field { ident, ty, .. } = field;
            let at = self.at(field);
            let rules = self.rules(field);
            let diff = quote_spanned! {span(ty)=>
                <#ty as #private::Synced>::diff(&mut self.#ident, &mut __shadow.#ident, __field, __out);
            };
            if rules.is_empty() {
                quote!({ let __field = &#at; #diff })
            } else {
                quote! {{
                    let __field = &#at;
                    let __before = __out.len();
                    #diff
                    if __out.judging() && __out.len() != __before {
                        #rules
                    }
                }}
            }
        });
        let fields = quote!(#(#fields)*);
        match self.own_rule() {
            None if self.fields.is_empty() => quote!(let _ = (__shadow, __at, __out);),
            None => fields,
            Some(rule) => quote! {
                let _ = &__shadow;
                let __start = __out.len();
                #fields
                if __out.judging() && __out.len() != __start {
                    #rule
                }
            },
        }
    }

    fn write(&self) -> TokenStream {
        let private = &self.private;
        let len = self.fields.len();
        let fields = self.fields.iter().map(|field| {
            let Field { ident, ty, name, .. } = field;
            let plain = is_plain(name);
            quote_spanned! {span(ty)=>
                #private::write_field::<#ty>(
                    #name, #plain, &self.#ident, __settled.map(|__settled| &__settled.#ident), __out,
                );
            }
        });
        let unused = self.fields.is_empty().then(|| quote!(let _ = __settled;));
        quote! {
            #unused
            __out.map(#len);
            #(#fields)*
            __out.end_map();
        }
    }

    fn read(&self) -> TokenStream {
        let private = &self.private;
        let name = &self.input.name;
        // In the order of the declaration, so that messages name the first field that is missing.
        let fields = self.declared.iter().filter(|field| field.skip.is_none()).map(|field| {
            let Field { ident, ty, name: field_name, .. } = field;
            let default = self.default(field);
            quote_spanned! {span(ty)=>
                #ident: #private::read_field::<#ty>(&mut __entries, #name, #field_name, #default)?
            }
        });
        let skipped = self.skipped.iter().map(|field| {
            let Field { ident, .. } = field;
            let made = self.made(field);
            quote!(#ident: #made)
        });
        let mutable = (!self.fields.is_empty()).then(|| quote!(mut));
        let unused = self.fields.is_empty().then(|| quote!(let _ = __entries;));
        quote! {
            let #mutable __entries = #private::entries(#name, __value)?;
            #unused
            #private::Ok(Self { #(#fields,)* #(#skipped,)* })
        }
    }

    fn edit(&self) -> TokenStream {
        let private = &self.private;
        let type_name = &self.input.name;
        let arms = self.fields.iter().map(|field| {
            let Field {
                ident, ty, name, ..
            } = field;
            let default = self.default(field);
            let function = match field.read_only {
                None => quote!(edit_field),
                Some(_) => quote!(edit_read_only),
            };
            quote_spanned! {span(ty)=>
                #name => return #private::#function::<#ty>(
                    &mut self.#ident, #name, __deeper, __edit, __author, #default,
                ),
            }
        });
        let deeper = if self.fields.is_empty() {
            quote!(..)
        } else {
            quote!(__deeper @ ..)
        };
        quote! {
            if let [#private::Segment::Key(__key), #deeper] = __path {
                match __key.as_str() {
                    #(#arms)*
                    _ => {}
                }
            }
            #private::edit_struct(self, #type_name, __path, __edit, __author)
        }
    }

    fn admit(&self) -> TokenStream {
        let private = &self.private;
        let fields = self.fields.iter().map(|field| {
            let Field { ident, ty, name, .. } = field;
            let old = quote!(__old.map(|__old| &__old.#ident));
            if field.read_only.is_some() {
                let default = self.default(field);
                quote_spanned!(span(ty)=> #private::admit_read_only::<#ty>(&self.#ident, #old, #default, #name)?;)
            } else {
                quote_spanned!(span(ty)=> #private::admit_field::<#ty>(&self.#ident, #old, #name)?;)
            }
        });
        quote! {
            let _ = &__old;
            #(#fields)*
            #private::Ok(())
        }
    }

    fn inherit(&self) -> TokenStream {
        let private = &self.private;
        let fields = self.fields.iter().map(|Field { ident, ty, .. }| {
            quote_spanned!(span(ty)=> <#ty as #private::Synced>::inherit(&mut self.#ident, &mut __old.#ident);)
        });
        let skipped = self.skipped.iter().map(
            |Field { ident, .. }| quote!(::core::mem::swap(&mut self.#ident, &mut __old.#ident);),
        );
        quote! {
            let _ = &__old;
            #(#fields)*
            #(#skipped)*
        }
    }

    fn check(&self) -> TokenStream {
        let private = &self.private;
        let fields = self.fields.iter().map(|field| {
            let Field { ident, ty, .. } = field;
            let at = self.at(field);
            let rules = self.rules(field);
            let check = quote_spanned! {span(ty)=>
                <#ty as #private::Synced>::check(&self.#ident, __field, __out);
            };
            quote!({ let __field = &#at; #rules #check })
        });
        let rule = self.own_rule();
        quote! {
            let _ = (&__at, &__out);
            #(#fields)*
            #rule
        }
    }

    fn ty(&self) -> TokenStream {
        let private = &self.private;
        let name = &self.input.name;
        let fields = self
            .declared
            .iter()
            .filter(|field| field.skip.is_none())
            .map(|field| {
                let Field { ty, name, .. } = field;
                quote_spanned! {span(ty)=>
                    #private::Field {
                        name: #private::String::from(#name),
                        ty: <#ty as #private::Synced>::ty(),
                    }
                }
            });
        quote! {
            #private::Type::Model(#name, || #private::Schema {
                type_name: #private::String::from(#name),
                fields: #private::Vec::from([#(#fields,)*]),
            })
        }
    }

    /// The rules of a field, as statements that use `__field` as its place.
    fn rules(&self, field: &Field) -> TokenStream {
        let private = &self.private;
        let Field { ident, .. } = field;
        let range = field.range.as_ref().map(|range| {
            let expr = &range.value;
            let shown = shown(expr);
            quote_spanned!(range.span=> #private::check_range(&self.#ident, &(#expr), #shown, __field, __out);)
        });
        let validate = field.validate.as_ref().map(|validate| {
            let path = &validate.value;
            quote_spanned!(path.span()=> #private::check_valid(#path(&self.#ident), __field, __out);)
        });
        quote!(#range #validate)
    }

    /// The rule of the struct as a whole.
    fn own_rule(&self) -> Option<TokenStream> {
        let private = &self.private;
        self.input.validate.as_ref().map(|validate| {
            let path = &validate.value;
            quote_spanned!(path.span()=> #private::check_valid(#path(self), __at, __out);)
        })
    }

    fn at(&self, field: &Field) -> TokenStream {
        let private = &self.private;
        let name = &field.name;
        let plain = is_plain(name);
        quote!(#private::at_field(__at, #name, #plain))
    }

    /// A function that makes the field where a value lacks it, as an `Option`.
    fn default(&self, field: &Field) -> TokenStream {
        let private = &self.private;
        if field.default.is_some() || self.input.default.is_some() {
            let made = self.made(field);
            quote!(#private::Some(|| #made))
        } else {
            quote!(#private::None)
        }
    }

    /// What a field starts as without a value.
    fn made(&self, field: &Field) -> TokenStream {
        let private = &self.private;
        let Field { ident, ty, .. } = field;
        match (&field.default, &self.input.default) {
            (Some(default), _) => match &default.value {
                Default::Trait => {
                    quote_spanned!(default.span=> <#ty as #private::Default>::default())
                }
                Default::Function(path) => quote_spanned!(path.span()=> #path()),
            },
            (None, Some(default)) => match &default.value {
                Default::Trait => {
                    quote_spanned!(default.span=> <Self as #private::Default>::default().#ident)
                }
                Default::Function(path) => quote_spanned!(path.span()=> #path().#ident),
            },
            // Only asked for when the field is skipped.
            (None, None) => quote_spanned!(span(ty)=> <#ty as #private::Default>::default()),
        }
    }
}

/// A newtype is its field, through and through.
fn newtype(input: &Input, ty: &Type) -> TokenStream {
    let private = private(&input.krate);
    let ident = &input.ident;
    let generics = bounded(&input.generics, &private);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let inner = quote_spanned!(span(ty)=> <#ty as #private::Synced>);
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Synced for #ident #ty_generics #where_clause {
            type Shadow = #inner::Shadow;

            fn shadow(&self) -> Self::Shadow {
                #inner::shadow(&self.0)
            }

            fn update(&self, __shadow: &mut Self::Shadow) {
                #inner::update(&self.0, __shadow);
            }

            #[inline]
            fn same(&self, __shadow: &Self::Shadow) -> ::core::primitive::bool {
                #inner::same(&self.0, __shadow)
            }

            #[inline]
            fn diff(
                &mut self,
                __shadow: &mut Self::Shadow,
                __at: &#private::At<'_>,
                __out: &mut #private::Changes,
            ) {
                #inner::diff(&mut self.0, __shadow, __at, __out);
            }

            #[inline]
            fn write(&self, __settled: #private::Option<&Self::Shadow>, __out: &mut #private::Writer) {
                #inner::write(&self.0, __settled, __out);
            }

            fn read(__value: #private::Value) -> #private::Result<Self, #private::EditError> {
                #private::Ok(Self(#inner::read(__value)?))
            }

            fn edit(
                &mut self,
                __path: &[#private::Segment],
                __edit: #private::Edit,
                __author: #private::Author,
            ) -> #private::Result<#private::Edit, #private::EditError> {
                #inner::edit(&mut self.0, __path, __edit, __author)
            }

            fn admit(&self, __old: #private::Option<&Self>) -> #private::Result<(), #private::EditError> {
                #inner::admit(&self.0, __old.map(|__old| &__old.0))
            }

            fn inherit(&mut self, __old: &mut Self) {
                #inner::inherit(&mut self.0, &mut __old.0);
            }

            fn check(&self, __at: &#private::At<'_>, __out: &mut #private::Changes) {
                #inner::check(&self.0, __at, __out);
            }

            fn ty() -> #private::Type {
                #inner::ty()
            }
        }
    }
}

/// An enum without data is one of a few texts.
fn unit_enum(input: &Input, variants: &[Variant]) -> TokenStream {
    let private = private(&input.krate);
    let ident = &input.ident;
    let names: Vec<_> = variants.iter().map(|variant| &variant.name).collect();
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let expected = format!(
        "one of the Strs {}",
        names
            .iter()
            .map(|name| format!("{name:?}"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    quote! {
        impl #impl_generics #ident #ty_generics #where_clause {
            #[inline]
            const fn __synced_name(&self) -> &'static ::core::primitive::str {
                match self {
                    #(Self::#idents => #names,)*
                }
            }

            fn __synced_named(__name: &::core::primitive::str) -> #private::Option<Self> {
                match __name {
                    #(#names => #private::Some(Self::#idents),)*
                    _ => #private::None,
                }
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::Key for #ident #ty_generics #where_clause {
            fn text(&self) -> #private::Cow<'_, ::core::primitive::str> {
                #private::Cow::Borrowed(self.__synced_name())
            }

            fn parse(__text: &::core::primitive::str) -> #private::Option<Self> {
                Self::__synced_named(__text)
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::Synced for #ident #ty_generics #where_clause {
            type Shadow = &'static ::core::primitive::str;

            fn shadow(&self) -> Self::Shadow {
                self.__synced_name()
            }

            #[inline]
            fn same(&self, __shadow: &Self::Shadow) -> ::core::primitive::bool {
                #private::same_name(self.__synced_name(), __shadow)
            }

            #[inline]
            fn diff(
                &mut self,
                __shadow: &mut Self::Shadow,
                __at: &#private::At<'_>,
                __out: &mut #private::Changes,
            ) {
                #private::diff_leaf(self, __shadow, __at, __out);
            }

            fn write(&self, _: #private::Option<&Self::Shadow>, __out: &mut #private::Writer) {
                __out.str(self.__synced_name());
            }

            fn read(__value: #private::Value) -> #private::Result<Self, #private::EditError> {
                #private::read_named(&__value, Self::__synced_named, #expected)
            }

            fn edit(
                &mut self,
                __path: &[#private::Segment],
                __edit: #private::Edit,
                __author: #private::Author,
            ) -> #private::Result<#private::Edit, #private::EditError> {
                #private::edit_leaf(self, __path, __edit, __author)
            }

            fn ty() -> #private::Type {
                #private::Type::Str
            }
        }
    }
}

/// Where to complain about a field's type.
fn span(ty: &Type) -> Span {
    ty.span()
}

/// Whether a name needs no escaping in any codec.
fn is_plain(name: &str) -> bool {
    name.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

/// An expression as it stands in a message: without the spaces that tokens get.
fn shown(expr: &syn::Expr) -> String {
    quote!(#expr).to_string().replace(' ', "")
}
