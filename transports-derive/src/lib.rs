//! `#[derive(Synced)]` for the crate `transports`, which re-exports it. This crate has nothing else.

mod attr;
mod case;
mod check;
mod expand;
mod fallback;
mod model;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct or a unit-only enum stay the same on every peer.
///
/// Works on structs with named fields, on newtypes (`struct Id(u64)`, transparent on the wire) and on enums without
/// data (their names, as text). Generic parameters have to be `Synced` themselves.
///
/// ```
/// use transports::Synced;
///
/// #[derive(Synced)]
/// struct Lamp {
///     name: String,
///     #[synced(range = 0..=100)]
///     brightness: i64,
///     #[synced(rename = "mode")]
///     state: State,
///     #[synced(skip)]
///     socket: Option<std::net::TcpStream>,
/// }
///
/// #[derive(Synced)]
/// #[synced(rename_all = "snake_case")]
/// enum State {
///     Steady,
///     FadingOut,
/// }
/// ```
///
/// # On a struct or enum
///
/// | attribute | what it does |
/// |---|---|
/// | `rename = "Name"` | the type's name on the wire |
/// | `rename_all = "camelCase"` | the case of all fields or variants; serde's eight names |
/// | `default` | missing fields are taken from the type's `Default` |
/// | `validate = path` | a rule over the whole struct, `fn(&Self) -> Result<(), impl Display>`, for clients' edits |
/// | `crate = "path"` | where the crate `transports` is, if it is not `::transports` |
///
/// # On a field
///
/// | attribute | what it does |
/// |---|---|
/// | `rename = "name"` | the name on the wire |
/// | `skip` | never travels; made by `Default` in a value that arrives |
/// | `default`, `default = path` | made by `Default` or by the function where it is missing or removed |
/// | `read_only` | clients may not change it |
/// | `range = 0..=100` | clients may not leave this range; for numbers, also in an `Option` |
/// | `validate = path` | a rule, `fn(&Field) -> Result<(), impl Display>`, for clients' edits |
///
/// Rules bind clients. The host is free to do as it likes.
///
/// # On a variant
///
/// | attribute | what it does |
/// |---|---|
/// | `rename = "name"` | the text on the wire |
#[proc_macro_derive(Synced, attributes(synced, serde))]
pub fn derive_synced(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let expanded = model::Input::parse(&input)
        .and_then(check::check)
        .map_or_else(
            |errors| fallback::expand(&input, &errors),
            |model| expand::expand(&model),
        );
    expanded.into()
}
