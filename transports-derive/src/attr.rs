//! `#[synced(...)]`, and what of `#[serde(...)]` means the same, as typed values that remember where they stand. The
//! only list of attribute names.

mod item;
mod serde;

use proc_macro2::Span;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, LitStr, Path, Token, Type, WherePredicate};

use self::item::{Item, flag, path, text, value};
use crate::case::Case;
use crate::model::Errors;

/// Something the user wrote, and the word to underline when it does not fit.
#[derive(Clone)]
pub(crate) struct Word<T> {
    pub(crate) span: Span,
    pub(crate) value: T,
}

/// Where a missing value comes from.
#[derive(Clone)]
pub(crate) enum Default {
    Trait,
    Function(Path),
}

/// In which form a field travels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum With {
    /// Its type's own, as without the attribute; overrides serde's `with`.
    Synced,
    /// What serde makes of it.
    Serde,
}

/// `name: Type = path`, the result of a method that travels like a field.
#[derive(Clone)]
pub(crate) struct Computed {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) path: Path,
    /// Who sees it; everybody if nothing is said.
    pub(crate) view: Option<String>,
}

/// What stands in `computed(...)`.
enum InComputed {
    Field(Box<Computed>),
    /// `view = "staff"`, which holds for all fields beside it.
    View(Word<String>),
}

/// All that can be said of a type, a field or a variant. What may be said of which is in [`Place::allowed`].
#[derive(Default)]
pub(crate) struct Attrs {
    pub(crate) rename: Option<Word<String>>,
    pub(crate) rename_all: Option<Word<Case>>,
    pub(crate) rename_all_fields: Option<Word<Case>>,
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
    pub(crate) computed: Vec<Word<Computed>>,
    pub(crate) tag: Option<Word<String>>,
    pub(crate) content: Option<Word<String>>,
    pub(crate) bound: Option<Word<Vec<WherePredicate>>>,
    pub(crate) krate: Option<Word<Path>>,
}

/// What an attribute stands on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Struct,
    Enum,
    Field,
    Variant,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Struct => "a struct",
            Self::Enum => "an enum",
            Self::Field => "a field",
            Self::Variant => "a variant",
        }
    }

    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Struct => &[
                "rename",
                "rename_all",
                "default",
                "validate",
                "computed",
                "bound",
                "crate",
            ],
            Self::Enum => &[
                "rename",
                "rename_all",
                "rename_all_fields",
                "validate",
                "tag",
                "content",
                "bound",
                "crate",
            ],
            Self::Field => &[
                "rename",
                "alias",
                "skip",
                "default",
                "flatten",
                "with",
                "key",
                "read_only",
                "view",
                "range",
                "length",
                "validate",
            ],
            Self::Variant => &["rename", "rename_all", "alias"],
        }
    }
}

const ALL: &[&str] = &[
    "rename",
    "rename_all",
    "rename_all_fields",
    "alias",
    "skip",
    "default",
    "flatten",
    "with",
    "key",
    "read_only",
    "view",
    "range",
    "length",
    "validate",
    "computed",
    "tag",
    "content",
    "bound",
    "crate",
];

pub(crate) const UNTAGGED: &str = "an untagged enum cannot be synced: a peer could not tell which variant a change is \
     for; `tag = \"type\"` names it beside the fields";

impl Attrs {
    /// Reads all attributes of one place; what is wrong with them goes to `errors`.
    pub(crate) fn parse(attributes: &[Attribute], place: Place, errors: &mut Errors) -> Self {
        let mut attrs = Self::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("synced"))
        {
            match attribute.parse_args_with(Punctuated::<Item, Token![,]>::parse_terminated) {
                Err(error) => errors.push(error),
                Ok(items) => {
                    for item in items {
                        if let Err(error) = attrs.add(&item, place) {
                            errors.push(error);
                        }
                    }
                }
            }
        }
        serde::honour(&mut attrs, attributes, place, errors);
        attrs
    }

    fn add(&mut self, item: &Item, place: Place) -> syn::Result<()> {
        let span = item.name.span();
        let name = item.name.to_string();
        if name == "untagged" && matches!(place, Place::Enum | Place::Variant) {
            return Err(syn::Error::new(span, UNTAGGED));
        }
        if !ALL.contains(&name.as_str()) {
            return Err(syn::Error::new(span, unknown(&name, place)));
        }
        if !place.allowed().contains(&name.as_str()) {
            let message = format!(
                "`{name}` says nothing about {}; here go: {}",
                place.name(),
                place.allowed().join(", ")
            );
            return Err(syn::Error::new(span, message));
        }
        self.put(&name, item)
    }

    /// Takes in one known attribute.
    fn put(&mut self, name: &str, item: &Item) -> syn::Result<()> {
        match name {
            "rename" => put(&mut self.rename, item, |item| Ok(text(item)?.value())),
            "rename_all" => put(&mut self.rename_all, item, case),
            "rename_all_fields" => put(&mut self.rename_all_fields, item, case),
            "tag" => put(&mut self.tag, item, |item| Ok(text(item)?.value())),
            "content" => put(&mut self.content, item, |item| Ok(text(item)?.value())),
            "skip" => put(&mut self.skip, item, flag),
            "flatten" => put(&mut self.flatten, item, flag),
            "read_only" => put(&mut self.read_only, item, flag),
            "view" => put(&mut self.view, item, |item| view(&text(item)?)),
            "with" => put(&mut self.with, item, with),
            "key" => put(&mut self.key, item, key),
            "range" => put(&mut self.range, item, |item| range(item, "range = 0..=100")),
            "length" => put(&mut self.length, item, |item| {
                range(item, "length = 1..=20")
            }),
            "validate" => put(&mut self.validate, item, |item| {
                path(item, "validate = function")
            }),
            "crate" => put(&mut self.krate, item, |item| path(item, "crate = \"path\"")),
            "bound" => put(&mut self.bound, item, |item| {
                let predicates = Punctuated::<WherePredicate, Token![,]>::parse_terminated;
                let text = text(item)?;
                let message = "bounds are written as after `where`: `bound = \"T: Trait\"`";
                match text.parse_with(predicates) {
                    Ok(bounds) => Ok(bounds.into_iter().collect()),
                    Err(_) => Err(syn::Error::new(text.span(), message)),
                }
            }),
            "default" => put(&mut self.default, item, |item| match item.value {
                None => Ok(Default::Trait),
                Some(_) => path(item, "default = function").map(Default::Function),
            }),
            "alias" => {
                let value = text(item)?.value();
                self.alias.push(Word {
                    span: item.name.span(),
                    value,
                });
                Ok(())
            }
            "computed" => self.add_computed(item),
            _ => unreachable!("all names are listed above"),
        }
    }

    fn add_computed(&mut self, item: &Item) -> syn::Result<()> {
        let span = item.name.span();
        let Some(list) = &item.list else {
            let message = "`computed` lists names with their types and methods: `computed(total: f64 = Self::total)`";
            return Err(syn::Error::new(span, message));
        };
        let parser = Punctuated::<InComputed, Token![,]>::parse_terminated;
        let (mut fields, mut seen_by) = (Vec::new(), None);
        for item in parser.parse2(list.clone())? {
            match item {
                InComputed::Field(field) => fields.push(field),
                InComputed::View(view) if seen_by.is_some() => {
                    return Err(syn::Error::new(view.span, "`view` is given twice"));
                }
                InComputed::View(view) => seen_by = Some(view.value),
            }
        }
        for field in fields {
            self.computed.push(Word {
                span: field.name.span(),
                value: Computed {
                    view: seen_by.clone(),
                    ..*field
                },
            });
        }
        Ok(())
    }
}

impl syn::parse::Parse for InComputed {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.call(syn::ext::IdentExt::parse_any)?;
        if name == "view" && input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            let text: LitStr = input.parse()?;
            return Ok(Self::View(Word {
                span: name.span(),
                value: view(&text)?,
            }));
        }
        if !input.peek(Token![:]) {
            let message =
                format!("a computed field needs its type: `computed({name}: f64 = Self::{name})`");
            return Err(syn::Error::new(name.span(), message));
        }
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        input.parse::<Token![=]>()?;
        let path = input.parse()?;
        Ok(Self::Field(Box::new(Computed {
            name,
            ty,
            path,
            view: None,
        })))
    }
}

/// The first paragraph of a doc comment, as one line.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .filter_map(
            |attribute| match &attribute.meta.require_name_value().ok()?.value {
                Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
        );
    let text = lines.collect::<Vec<_>>().join("\n");
    text.lines()
        .map(str::trim)
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn put<T>(
    slot: &mut Option<Word<T>>,
    item: &Item,
    value: impl FnOnce(&Item) -> syn::Result<T>,
) -> syn::Result<()> {
    let span = item.name.span();
    if slot.is_some() {
        return Err(syn::Error::new(
            span,
            format!("`{}` is given twice", item.name),
        ));
    }
    *slot = Some(Word {
        span,
        value: value(item)?,
    });
    Ok(())
}

fn case(item: &Item) -> syn::Result<Case> {
    let text = text(item)?;
    Case::named(&text.value()).ok_or_else(|| {
        let message = format!("no such case; there are: {}", Case::names().join(", "));
        syn::Error::new(text.span(), message)
    })
}

/// The name of a view.
fn view(text: &LitStr) -> syn::Result<String> {
    if text.value().is_empty() {
        let message = "a view has a name: `view = \"staff\"`";
        return Err(syn::Error::new(text.span(), message));
    }
    Ok(text.value())
}

fn with(item: &Item) -> syn::Result<With> {
    let text = text(item)?;
    match text.value().as_str() {
        "serde" => Ok(With::Serde),
        "synced" => Ok(With::Synced),
        _ => Err(syn::Error::new(
            text.span(),
            "there is `with = \"serde\"`, for types that serde knows and `Synced` does not",
        )),
    }
}

/// The field by which items are told apart, spanned as it was written, so that a wrong one is underlined.
fn key(item: &Item) -> syn::Result<Ident> {
    let text: LitStr = text(item)?;
    text.parse_with(<Ident as syn::ext::IdentExt>::parse_any)
        .map_err(|_| {
            syn::Error::new(
                text.span(),
                "the name of the items' field is needed: `key = \"id\"`",
            )
        })
}

fn range(item: &Item, example: &str) -> syn::Result<Expr> {
    match value(item, example)? {
        range @ Expr::Range(_) => Ok(range.clone()),
        other => Err(syn::Error::new(
            other.span(),
            "a range is written like `0..=100`",
        )),
    }
}

/// What to say of a name nobody knows: the one that was meant, or all there are.
fn unknown(name: &str, place: Place) -> String {
    let nearest = ALL.iter().map(|known| (distance(name, known), known)).min();
    match nearest {
        Some((distance, known)) if distance <= 1 + name.len() / 3 => {
            format!("unknown attribute `{name}`, did you mean `{known}`?")
        }
        _ => format!(
            "unknown attribute `{name}`; on {} go: {}",
            place.name(),
            place.allowed().join(", ")
        ),
    }
}

/// How many letters have to be inserted, removed or replaced to make one word the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (y, cell) in b.chars().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(x != y);
            diagonal = *cell;
            left = replaced.min(left + 1).min(*cell + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
