//! The rules that the derive knows.

use std::fmt::{Debug, Display};
use std::ops::RangeBounds;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::changes::Changes;
use crate::path::At;
use crate::schema::{Range, Type};
use crate::views::{is_hidden, is_limited};

/// A range as it is written in an attribute, for a field that is a number or may be one.
#[diagnostic::on_unimplemented(
    message = "this range cannot limit a field of the type `{F}`",
    label = "`range` is for numbers, with limits of the field's type",
    note = "what has a length is limited by `length = 1..=20`, any other rule is a function: `validate = function`"
)]
pub trait RangeOf<F> {
    /// `#[synced(range = ...)]`
    fn check(&self, field: &F, shown: &str, at: &At<'_>, out: &mut Changes);

    /// The same for the schema.
    fn limits(&self) -> Range;
}

macro_rules! ranges {
    ($($Range:ident)+) => {$(
        #[diagnostic::do_not_recommend]
        impl<N: PartialOrd + Debug> RangeOf<N> for std::ops::$Range<N> {
            fn check(&self, field: &N, shown: &str, at: &At<'_>, out: &mut Changes) {
                if !self.contains(field) {
                    out.refuse(at, format_args!("{field:?} is not in {shown}"));
                }
            }

            fn limits(&self) -> Range {
                Range::of(self)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<N: PartialOrd + Debug> RangeOf<Option<N>> for std::ops::$Range<N> {
            fn check(&self, field: &Option<N>, shown: &str, at: &At<'_>, out: &mut Changes) {
                if let Some(number) = field {
                    self.check(number, shown, at, out);
                }
            }

            fn limits(&self) -> Range {
                Range::of(self)
            }
        }
    )+};
}

ranges! { Range RangeInclusive RangeFrom RangeTo RangeToInclusive }

/// What has a length that can be limited.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no length to limit",
    label = "`length` is for texts, lists, maps and sets",
    note = "a number has a `range`, any other rule is a function: `validate = function`"
)]
pub trait Length {
    /// The length, if there is something that has one.
    fn length(&self) -> Option<usize>;
}

macro_rules! length {
    ($([$($param:ident $(: $bound:path)?),*] $ty:ty: |$this:ident| $length:expr;)+) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($param $(: $bound)?),*> Length for $ty {
            fn length(&self) -> Option<usize> {
                let $this = self;
                Some($length)
            }
        }
    )+};
}

length! {
    [] String: |text| text.chars().count();
    [] Box<str>: |text| text.chars().count();
    [] std::sync::Arc<str>: |text| text.chars().count();
    [] std::borrow::Cow<'static, str>: |text| text.chars().count();
    [] &'static str: |text| text.chars().count();
    [T] Vec<T>: |items| items.len();
    [T] std::collections::VecDeque<T>: |items| items.len();
    [T: crate::synced::Synced] crate::collections::List<T>: |items| items.len();
    [] crate::collections::Text: |text| text.chars().count();
    [K: crate::collections::MapKey, V: crate::synced::Synced] crate::collections::Map<K, V>: |entries| entries.len();
    [K, V] std::collections::BTreeMap<K, V>: |entries| entries.len();
    [K, V, S] std::collections::HashMap<K, V, S>: |entries| entries.len();
    [T] std::collections::BTreeSet<T>: |items| items.len();
    [T, S] std::collections::HashSet<T, S>: |items| items.len();
}

#[diagnostic::do_not_recommend]
impl<T: Length> Length for Option<T> {
    fn length(&self) -> Option<usize> {
        self.as_ref().and_then(T::length)
    }
}

/// `#[synced(length = ...)]`
pub fn check_length(
    length: Option<usize>,
    range: &impl RangeBounds<usize>,
    shown: &str,
    at: &At<'_>,
    out: &mut Changes,
) {
    if let Some(length) = length
        && !range.contains(&length)
    {
        out.refuse(at, format_args!("the length {length} is not in {shown}"));
    }
}

/// `#[synced(validate = ...)]`
///
/// A rule that panics has not said yes: the edit is refused, and what it did is taken back as for any other refusal. The
/// panic ends here, as it is a peer's edit that brought it about, and the panic hook has told the host of it.
///
/// What the rule says may quote what it looked at, a `ty`, and is not repeated to who does not see all of it.
pub fn check_valid<E: Display>(
    rule: impl FnOnce() -> Result<(), E>,
    ty: fn() -> Type,
    at: &At<'_>,
    out: &mut Changes,
) {
    // A rule sees the model by a shared reference, and the edit that it looked at goes away.
    let judged = catch_unwind(AssertUnwindSafe(|| {
        rule().map_err(|reason| reason.to_string())
    }));
    match judged {
        Ok(Ok(())) => {}
        Ok(Err(_)) if hides(ty) => out.refuse(at, "a rule for this does not hold"),
        Ok(Err(reason)) => out.refuse(at, reason),
        Err(_) => out.refuse(at, "the rule for this panicked"),
    }
}

/// Whether the client whose edit is being made does not see all of a value of this type.
fn hides(ty: fn() -> Type) -> bool {
    let mut hides = false;
    if is_limited() {
        ty().visit_views(&mut |view, _| hides |= is_hidden(view));
    }
    hides
}
