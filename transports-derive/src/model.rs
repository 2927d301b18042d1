//! The type as we understand it, built from syn.

mod this;

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Expr, Fields, Generics, Ident, Member, Path, Type, WherePredicate,
    parse_quote,
};

use self::this::without_self;
use crate::attr::{Attrs, Computed, Default, Place, With, Word, doc};
use crate::case::Case;

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

    pub(crate) fn compile_errors(&self) -> impl Iterator<Item = TokenStream> {
        self.0.iter().map(syn::Error::to_compile_error)
    }
}

/// A type that derives `Synced`.
pub(crate) struct Input {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The name on the wire.
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) krate: Path,
    pub(crate) default: Option<Word<Default>>,
    pub(crate) validate: Option<Word<Path>>,
    /// What the user wants instead of `T: Synced` for every parameter.
    pub(crate) bound: Option<Word<Vec<WherePredicate>>>,
    pub(crate) computed: Vec<Word<Computed>>,
    pub(crate) shape: Shape,
}

pub(crate) enum Shape {
    /// The type is on the wire what its only field, which has no name, is.
    Newtype(Box<Field>),
    /// Any other struct.
    Struct(Record),
    /// Variants without data: one of a few texts.
    Names(Vec<Variant>),
    /// Variants, at least one of them with data or with a tag of its own.
    Enum(Tagging, Vec<Variant>),
}

/// The fields of a struct or variant.
pub(crate) struct Record {
    pub(crate) style: Style,
    /// In the order of their declaration.
    pub(crate) fields: Vec<Field>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Nothing at all.
    Unit,
    /// One field without a name.
    Newtype,
    /// Several fields without names: a list.
    Tuple,
    /// Fields with names: a map.
    Named,
}

/// serde's representations of enums.
pub(crate) enum Tagging {
    External,
    Internal { tag: String },
    Adjacent { tag: String, content: String },
}

pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    /// The name on the wire.
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) alias: Vec<Word<String>>,
    pub(crate) skip: Option<Word<()>>,
    pub(crate) default: Option<Word<Default>>,
    pub(crate) flatten: Option<Word<()>>,
    pub(crate) with: Option<Word<With>>,
    pub(crate) key: Option<Word<Ident>>,
    pub(crate) read_only: Option<Word<()>>,
    pub(crate) view: Option<Word<String>>,
    pub(crate) range: Option<Word<Expr>>,
    pub(crate) length: Option<Word<Expr>>,
    pub(crate) validate: Option<Word<Path>>,
    /// The name as it was given, where it was.
    pub(crate) rename: Option<Word<String>>,
}

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    /// The text on the wire.
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) alias: Vec<Word<String>>,
    pub(crate) record: Record,
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
        let shape = parse_shape(&input.data, &attrs, &mut errors);
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
            doc: doc(&input.attrs),
            krate: attrs
                .krate
                .map_or_else(|| parse_quote!(::transports), |krate| krate.value),
            default: attrs.default,
            validate: attrs.validate,
            bound: attrs.bound,
            computed: attrs.computed,
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            shape,
        })
    }
}

fn parse_shape(data: &Data, attrs: &Attrs, errors: &mut Errors) -> Option<Shape> {
    match data {
        Data::Union(data) => {
            let message =
                "a union cannot be synced: nobody knows which of its fields holds; use an enum";
            errors.at(data.union_token.span, message);
            None
        }
        Data::Struct(data) => {
            let case = attrs.rename_all.as_ref().map(|case| case.value);
            let mut record = parse_record(&data.fields, case, errors);
            if record.style != Style::Newtype {
                return Some(Shape::Struct(record));
            }
            newtypes_have_no_names(attrs, errors);
            if is_phantom(&data.fields.iter().next()?.ty) {
                record.style = Style::Tuple;
                return Some(Shape::Struct(record));
            }
            record
                .fields
                .pop()
                .map(|field| Shape::Newtype(Box::new(field)))
        }
        Data::Enum(data) => {
            let mut variants: Vec<_> = data
                .variants
                .iter()
                .map(|variant| parse_variant(variant, attrs, errors))
                .collect();
            let without_data = variants
                .iter()
                .all(|variant| variant.record.style == Style::Unit);
            let tagging = tagging(attrs, errors);
            if let Tagging::Internal { .. } = tagging {
                variants.iter_mut().for_each(make_room_for_a_tag);
            }
            Some(match tagging {
                Tagging::External if without_data => Shape::Names(variants),
                tagging => Shape::Enum(tagging, variants),
            })
        }
    }
}

fn tagging(attrs: &Attrs, errors: &mut Errors) -> Tagging {
    match (&attrs.tag, &attrs.content) {
        (None, None) => Tagging::External,
        (Some(tag), None) => Tagging::Internal {
            tag: tag.value.clone(),
        },
        (Some(tag), Some(content)) => {
            if tag.value == content.value {
                errors.at(
                    content.span,
                    "`tag` and `content` need names that differ: both stand in one map",
                );
            }
            Tagging::Adjacent {
                tag: tag.value.clone(),
                content: content.value.clone(),
            }
        }
        (None, Some(content)) => {
            errors.at(
                content.span,
                "`content` is for enums with a `tag`: `tag = \"type\", content = \"value\"`",
            );
            Tagging::External
        }
    }
}

/// A tag inside is one of the fields: what a newtype variant holds is flattened to stand beside it.
fn make_room_for_a_tag(variant: &mut Variant) {
    let record = &mut variant.record;
    if let (Style::Newtype, Some(field)) = (record.style, record.fields.first_mut()) {
        field.flatten = Some(Word {
            span: field.ty.span(),
            value: (),
        });
    }
    if let Style::Newtype | Style::Unit = record.style {
        record.style = Style::Named;
    }
}

/// A newtype is its field, and has nothing that these could be about.
fn newtypes_have_no_names(attrs: &Attrs, errors: &mut Errors) {
    for span in [
        attrs.rename_all.as_ref().map(|word| word.span),
        attrs.default.as_ref().map(|word| word.span),
        attrs.validate.as_ref().map(|word| word.span),
        attrs.computed.first().map(|word| word.span),
    ]
    .into_iter()
    .flatten()
    {
        errors.at(
            span,
            "this is for structs with named fields, and a newtype has none",
        );
    }
}

fn parse_record(fields: &Fields, case: Option<Case>, errors: &mut Errors) -> Record {
    let style = match fields {
        Fields::Unit => Style::Unit,
        Fields::Named(_) => Style::Named,
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Style::Newtype,
        Fields::Unnamed(_) => Style::Tuple,
    };
    let fields = fields
        .members()
        .zip(fields)
        .map(|(member, field)| parse_field(member, field, case, errors))
        .collect();
    Record { style, fields }
}

fn parse_field(
    member: Member,
    field: &syn::Field,
    case: Option<Case>,
    errors: &mut Errors,
) -> Field {
    let attrs = Attrs::parse(&field.attrs, Place::Field, errors);
    let plain = match &member {
        Member::Named(ident) => ident.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    };
    let name = match (&attrs.rename, case) {
        (Some(rename), _) => rename.value.clone(),
        (None, Some(case)) => case.field(&plain),
        (None, None) => plain,
    };
    // Nothing has no place on the wire.
    let skip = attrs.skip.or_else(|| {
        is_phantom(&field.ty).then(|| Word {
            span: field.ty.span(),
            value: (),
        })
    });
    Field {
        ty: field.ty.clone(),
        doc: doc(&field.attrs),
        member,
        name,
        skip,
        alias: attrs.alias,
        default: attrs.default,
        flatten: attrs.flatten,
        with: attrs.with,
        key: attrs.key,
        read_only: attrs.read_only,
        view: attrs.view,
        range: attrs.range,
        length: attrs.length,
        validate: attrs.validate,
        rename: attrs.rename,
    }
}

fn is_phantom(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "PhantomData"),
        _ => false,
    }
}

fn parse_variant(variant: &syn::Variant, container: &Attrs, errors: &mut Errors) -> Variant {
    let attrs = Attrs::parse(&variant.attrs, Place::Variant, errors);
    let plain = variant.ident.unraw().to_string();
    let name = match (attrs.rename, &container.rename_all) {
        (Some(rename), _) => rename.value,
        (None, Some(case)) => case.value.variant(&plain),
        (None, None) => plain,
    };
    let case = attrs
        .rename_all
        .or_else(|| container.rename_all_fields.clone());
    Variant {
        record: parse_record(&variant.fields, case.map(|case| case.value), errors),
        ident: variant.ident.clone(),
        doc: doc(&variant.attrs),
        name,
        alias: attrs.alias,
    }
}

impl Input {
    /// All fields there are, in whatever variant.
    pub(crate) fn fields(&self) -> Box<dyn Iterator<Item = &Field> + '_> {
        match &self.shape {
            Shape::Newtype(field) => Box::new(std::iter::once(&**field)),
            Shape::Struct(record) => Box::new(record.fields.iter()),
            Shape::Names(variants) | Shape::Enum(_, variants) => Box::new(
                variants
                    .iter()
                    .flat_map(|variant| variant.record.fields.iter()),
            ),
        }
    }
}

impl Field {
    /// The type of the items, if this is a `Vec` or a `VecDeque`.
    pub(crate) fn item(&self) -> Option<&Type> {
        let Type::Path(path) = &self.ty else {
            return None;
        };
        let list = path.path.segments.last()?;
        if list.ident != "Vec" && list.ident != "VecDeque" {
            return None;
        }
        match &list.arguments {
            syn::PathArguments::AngleBracketed(arguments) => match arguments.args.first()? {
                syn::GenericArgument::Type(item) => Some(item),
                _ => None,
            },
            _ => None,
        }
    }
}
