//! The type as we understand it, built from syn.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Expr, Fields, Generics, Ident, Path, Type, parse_quote};

use crate::attr::{Attrs, Default, Place, Word};

/// Everything that is wrong with an input, so that one compile shows it all.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    pub(crate) fn at(&mut self, span: proc_macro2::Span, message: impl std::fmt::Display) {
        self.push(syn::Error::new(span, message));
    }

    /// The value, if nothing was wrong.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }

    pub(crate) fn compile_errors(&self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }
}

impl From<syn::Error> for Errors {
    fn from(error: syn::Error) -> Self {
        Self(vec![error])
    }
}

/// A type that derives `Synced`.
pub(crate) struct Input {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The name on the wire.
    pub(crate) name: String,
    pub(crate) krate: Path,
    pub(crate) default: Option<Word<Default>>,
    pub(crate) validate: Option<Word<Path>>,
    pub(crate) shape: Shape,
}

pub(crate) enum Shape {
    /// Named fields, in the order of their declaration.
    Struct(Vec<Field>),
    /// One field without a name: the type is on the wire what the field is.
    Newtype(Box<Type>),
    /// Variants without data.
    Enum(Vec<Variant>),
}

pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// The name on the wire.
    pub(crate) name: String,
    pub(crate) skip: Option<Word<()>>,
    pub(crate) default: Option<Word<Default>>,
    pub(crate) read_only: Option<Word<()>>,
    pub(crate) range: Option<Word<Expr>>,
    pub(crate) validate: Option<Word<Path>>,
}

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    /// The text on the wire.
    pub(crate) name: String,
}

impl Input {
    pub(crate) fn parse(input: &DeriveInput) -> Result<Self, Errors> {
        let input = &without_self(input);
        let mut errors = Errors::default();
        let place = match &input.data {
            Data::Enum(_) => Place::Enum,
            _ => Place::Struct,
        };
        let attrs = Attrs::parse(&input.attrs, place, &mut errors);
        let shape = match &input.data {
            Data::Union(data) => {
                let message =
                    "a union cannot be synced: nobody knows which of its fields holds; use an enum";
                errors.at(data.union_token.span, message);
                None
            }
            Data::Struct(data) => parse_fields(&data.fields, &attrs, &mut errors),
            Data::Enum(data) => {
                let variants = data.variants.iter();
                Some(Shape::Enum(
                    variants
                        .map(|variant| parse_variant(variant, &attrs, &mut errors))
                        .collect(),
                ))
            }
        };
        for lifetime in input.generics.lifetimes() {
            let message =
                "a synced type owns its data: use `String` for `&str`, `Vec<T>` for `&[T]`";
            errors.at(lifetime.span(), message);
        }
        let Some(shape) = shape else {
            return errors.finish(()).and_then(|()| unreachable!());
        };
        errors.finish(Self {
            name: attrs
                .rename
                .map_or_else(|| input.ident.unraw().to_string(), |rename| rename.value),
            krate: attrs
                .krate
                .map_or_else(|| parse_quote!(::transports), |krate| krate.value),
            default: attrs.default,
            validate: attrs.validate,
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            shape,
        })
    }
}

/// Types of fields move into another item, where `Self` would mean that one: it is written out.
fn without_self(input: &DeriveInput) -> DeriveInput {
    let (ident, (_, generics, _)) = (&input.ident, input.generics.split_for_impl());
    let this = quote!(#ident #generics);
    let mut input = input.clone();
    let fields: Vec<&mut syn::Field> = match &mut input.data {
        Data::Struct(data) => data.fields.iter_mut().collect(),
        Data::Enum(_) | Data::Union(_) => Vec::new(),
    };
    for field in fields {
        let written = write_out_self(field.ty.to_token_stream(), &this);
        // What was a type stays one.
        if let Ok(ty) = syn::parse2(written) {
            field.ty = ty;
        }
    }
    input
}

fn write_out_self(tokens: TokenStream, this: &TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => this
                .clone()
                .into_iter()
                .map(|mut token| {
                    token.set_span(ident.span());
                    token
                })
                .collect(),
            TokenTree::Group(group) => {
                let stream = write_out_self(group.stream(), this);
                let mut written = proc_macro2::Group::new(group.delimiter(), stream);
                written.set_span(group.span());
                TokenStream::from(TokenTree::from(written))
            }
            token => token.into(),
        })
        .collect()
}

fn parse_fields(fields: &Fields, container: &Attrs, errors: &mut Errors) -> Option<Shape> {
    match fields {
        Fields::Unit => Some(Shape::Struct(Vec::new())),
        Fields::Named(fields) => Some(Shape::Struct(
            fields
                .named
                .iter()
                .map(|field| parse_field(field, container, errors))
                .collect(),
        )),
        Fields::Unnamed(fields) => {
            let mut iter = fields.unnamed.iter();
            let (Some(field), None) = (iter.next(), iter.next()) else {
                let message = "a tuple struct with one field is synced as that field; give several fields names";
                errors.at(fields.span(), message);
                return None;
            };
            let attrs = Attrs::parse(&field.attrs, Place::Field, errors);
            for span in [
                attrs.rename.map(|word| word.span),
                attrs.skip.map(|word| word.span),
                attrs.default.map(|word| word.span),
                attrs.read_only.map(|word| word.span),
                attrs.range.map(|word| word.span),
                attrs.validate.map(|word| word.span),
            ]
            .into_iter()
            .flatten()
            {
                let message = "the field of a newtype has no place of its own on the wire; say this where the newtype is used";
                errors.at(span, message);
            }
            for span in [
                container.rename_all.as_ref().map(|word| word.span),
                container.default.as_ref().map(|word| word.span),
                container.validate.as_ref().map(|word| word.span),
            ]
            .into_iter()
            .flatten()
            {
                errors.at(
                    span,
                    "this is for structs with named fields, and a newtype has none",
                );
            }
            Some(Shape::Newtype(Box::new(field.ty.clone())))
        }
    }
}

fn parse_field(field: &syn::Field, container: &Attrs, errors: &mut Errors) -> Field {
    let attrs = Attrs::parse(&field.attrs, Place::Field, errors);
    let ident = field
        .ident
        .clone()
        .unwrap_or_else(|| format_ident!("unnamed"));
    let plain = ident.unraw().to_string();
    let name = match (attrs.rename, &container.rename_all) {
        (Some(rename), _) => rename.value,
        (None, Some(case)) => case.value.field(&plain),
        (None, None) => plain,
    };
    Field {
        ty: field.ty.clone(),
        ident,
        name,
        skip: attrs.skip,
        default: attrs.default,
        read_only: attrs.read_only,
        range: attrs.range,
        validate: attrs.validate,
    }
}

fn parse_variant(variant: &syn::Variant, container: &Attrs, errors: &mut Errors) -> Variant {
    let attrs = Attrs::parse(&variant.attrs, Place::Variant, errors);
    if !matches!(variant.fields, Fields::Unit) {
        let message = "only variants without data can be synced so far: keep the data in a struct beside the enum";
        errors.at(variant.fields.span(), message);
    }
    let plain = variant.ident.unraw().to_string();
    let name = match (attrs.rename, &container.rename_all) {
        (Some(rename), _) => rename.value,
        (None, Some(case)) => case.value.variant(&plain),
        (None, None) => plain,
    };
    Variant {
        ident: variant.ident.clone(),
        name,
    }
}
