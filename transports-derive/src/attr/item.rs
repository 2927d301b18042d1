//! One `name`, `name = value` or `name(list)`.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Expr, ExprPath, Ident, LitStr, Path, Token};

pub(super) struct Item {
    pub(super) name: Ident,
    pub(super) value: Option<Expr>,
    pub(super) list: Option<TokenStream>,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // `crate` is a keyword and still a name here.
        let name = input.call(syn::ext::IdentExt::parse_any)?;
        let (mut value, mut list) = (None, None);
        if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            value = Some(input.parse()?);
        } else if input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            list = Some(content.parse()?);
        }
        Ok(Self { name, value, list })
    }
}

pub(super) fn flag(item: &Item) -> syn::Result<()> {
    let given = match (&item.value, &item.list) {
        (None, None) => return Ok(()),
        (Some(value), _) => value.span(),
        (None, Some(_)) => item.name.span(),
    };
    Err(syn::Error::new(
        given,
        format!("`{}` takes no value", item.name),
    ))
}

pub(super) fn value<'a>(item: &'a Item, example: &str) -> syn::Result<&'a Expr> {
    let message = || format!("`{}` needs a value: `{example}`", item.name);
    item.value
        .as_ref()
        .ok_or_else(|| syn::Error::new(item.name.span(), message()))
}

pub(super) fn text(item: &Item) -> syn::Result<LitStr> {
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
pub(super) fn path(item: &Item, example: &str) -> syn::Result<Path> {
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
