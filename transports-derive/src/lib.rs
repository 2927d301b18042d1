//! `#[derive(Synced)]` for the crate `transports`, which re-exports it. This crate has nothing else.

mod attr;
mod case;
mod check;
mod expand;
mod fallback;
mod model;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a type one whose values stay the same on every peer.
///
/// A struct is a map of its fields, or a list where they have no names; a newtype (`struct Id(u64)`) is what it holds.
/// Enums are what serde makes of them: without data their names, as text, with data in the external, internal (`tag`)
/// or adjacent (`tag` and `content`) representation. Generic parameters have to be `Synced` themselves.
///
/// The guide `docs/derive.md` walks from a plain struct to nested collections with rules.
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
///     FadingOut { seconds: f64 },
/// }
/// ```
///
/// # On a struct or enum
///
/// | attribute | what it does |
/// |---|---|
/// | `rename = "Name"` | the type's name on the wire |
/// | `rename_all = "camelCase"` | the case of all fields or variants; serde's eight names |
/// | `rename_all_fields = "camelCase"` | the case of the fields of an enum's variants |
/// | `default`, `default = path` | missing fields of a struct are taken from here |
/// | `validate = path` | a rule over the whole, `fn(&Self) -> Result<(), impl Display>`, for clients' edits |
/// | `computed(name: Type = path)` | the result of `fn(&Self) -> Type` travels like a field; `view = "staff"` beside it holds for all in these parentheses |
/// | `tag = "type"` | the name of the variant stands among its fields |
/// | `tag = "type", content = "value"` | the name of the variant stands beside what is in it |
/// | `bound = "T: Trait"` | instead of `T: Synced` for every type parameter |
/// | `crate = "path"` | where the crate `transports` is, if it is not `::transports` |
///
/// # On a field
///
/// | attribute | what it does |
/// |---|---|
/// | `rename = "name"` | the name on the wire |
/// | `alias = "old"` | another name that is read, also in the paths of edits |
/// | `skip` | never travels; made by `Default` in a value that arrives |
/// | `default`, `default = path` | made by `Default` or by the function where it is missing or removed |
/// | `flatten` | its fields or entries stand among the holder's; for structs, enums with a `tag`, `Option`s of them, and one map |
/// | `with = "serde"` | carried as serde writes it, as one leaf |
/// | `key = "id"` | items of a `Vec` or `VecDeque` are told apart by this field of theirs |
/// | `read_only` | clients may not change it |
/// | `view = "staff"` | only those have it who have the view; for all others there is no such field. Implies `default` |
/// | `range = 0..=100` | clients may not leave this range; for numbers, also in an `Option` |
/// | `length = 1..=20` | clients may not make it shorter or longer: characters of a text, items, entries |
/// | `validate = path` | a rule, `fn(&Field) -> Result<(), impl Display>`, for clients' edits |
///
/// Rules bind clients. The host is free to do as it likes.
///
/// # On a variant
///
/// | attribute | what it does |
/// |---|---|
/// | `rename = "name"` | its name on the wire |
/// | `alias = "old"` | another name that is read |
/// | `rename_all = "camelCase"` | the case of its fields |
///
/// # What serde is told
///
/// `#[serde(...)]` attributes of the same names hold here, too, unless a `#[synced(...)]` one says otherwise.
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
