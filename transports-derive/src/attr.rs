//! `#[synced(...)]` as typed values that remember where they stand. The only list of attribute names.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprPath, Ident, LitStr, Path, Token};

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

/// All that can be said of a type, a field or a variant. What may be said of which is checked in [`Attrs::parse`].
#[derive(Default)]
pub(crate) struct Attrs {
    pub(crate) rename: Option<Word<String>>,
    pub(crate) rename_all: Option<Word<Case>>,
    pub(crate) skip: Option<Word<()>>,
    pub(crate) default: Option<Word<Default>>,
    pub(crate) read_only: Option<Word<()>>,
    pub(crate) range: Option<Word<Expr>>,
    pub(crate) validate: Option<Word<Path>>,
    pub(crate) krate: Option<Word<Path>>,
}

/// What an attribute stands on.
#[derive(Clone, Copy)]
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
            Self::Struct => &["rename", "rename_all", "default", "validate", "crate"],
            Self::Enum => &["rename", "rename_all", "crate"],
            Self::Field => &[
                "rename",
                "skip",
                "default",
                "read_only",
                "range",
                "validate",
            ],
            Self::Variant => &["rename"],
        }
    }
}

const ALL: &[&str] = &[
    "rename",
    "rename_all",
    "skip",
    "default",
    "read_only",
    "range",
    "validate",
    "crate",
];

/// One `name` or `name = value`.
struct Item {
    name: Ident,
    value: Option<Expr>,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // `crate` is a keyword and still a name here.
        let name = input.call(syn::ext::IdentExt::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        Ok(Self { name, value })
    }
}

impl Attrs {
    /// Reads all `#[synced(...)]` of one place; what is wrong with them goes to `errors`.
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
                        if let Err(error) = attrs.add(item, place) {
                            errors.push(error);
                        }
                    }
                }
            }
        }
        attrs
    }

    fn add(&mut self, item: Item, place: Place) -> syn::Result<()> {
        let span = item.name.span();
        let name = item.name.to_string();
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
        match name.as_str() {
            "rename" => put(&mut self.rename, &item, |item| Ok(text(item)?.value())),
            "rename_all" => put(&mut self.rename_all, &item, |item| {
                let text = text(item)?;
                Case::named(&text.value()).ok_or_else(|| {
                    let message = format!("no such case; there are: {}", Case::names().join(", "));
                    syn::Error::new(text.span(), message)
                })
            }),
            "skip" => put(&mut self.skip, &item, flag),
            "read_only" => put(&mut self.read_only, &item, flag),
            "range" => put(&mut self.range, &item, |item| {
                let value = value(item, "range = 0..=100")?;
                match value {
                    Expr::Range(_) => Ok(value.clone()),
                    other => Err(syn::Error::new(
                        other.span(),
                        "a range is written like `0..=100`",
                    )),
                }
            }),
            "validate" => put(&mut self.validate, &item, |item| {
                path(item, "validate = function")
            }),
            "crate" => put(&mut self.krate, &item, |item| {
                path(item, "crate = \"path\"")
            }),
            "default" => put(&mut self.default, &item, |item| match item.value {
                None => Ok(Default::Trait),
                Some(_) => path(item, "default = function").map(Default::Function),
            }),
            _ => unreachable!("all names are listed above"),
        }
    }
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

fn flag(item: &Item) -> syn::Result<()> {
    match &item.value {
        None => Ok(()),
        Some(value) => Err(syn::Error::new(
            value.span(),
            format!("`{}` takes no value", item.name),
        )),
    }
}

fn value<'a>(item: &'a Item, example: &str) -> syn::Result<&'a Expr> {
    let message = || format!("`{}` needs a value: `{example}`", item.name);
    item.value
        .as_ref()
        .ok_or_else(|| syn::Error::new(item.name.span(), message()))
}

fn text(item: &Item) -> syn::Result<LitStr> {
    let example = format!("{} = \"...\"", item.name);
    match value(item, &example)? {
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => Ok(text.clone()),
        other => Err(syn::Error::new(
            other.span(),
            format!("a text is needed: `{example}`"),
        )),
    }
}

/// A path, bare or, as serde has it, in quotes.
fn path(item: &Item, example: &str) -> syn::Result<Path> {
    match value(item, example)? {
        Expr::Path(ExprPath {
            qself: None, path, ..
        }) => Ok(path.clone()),
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => text.parse_with(Path::parse_mod_style),
        other => Err(syn::Error::new(
            other.span(),
            format!("a path is needed: `{example}`"),
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
