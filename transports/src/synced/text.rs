//! Texts and characters.

mod shadow;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use self::shadow::Keep;
pub use self::shadow::TextShadow;
use super::{Synced, diff_leaf, edit_leaf};
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::Value;
use crate::writer::{Leaf, Writer};

/// The bytes of `delete` characters from character `at` on; `None` if there are not as many.
fn bytes_of(text: &str, at: usize, delete: usize) -> Option<Range<usize>> {
    let start = offset(text, at)?;
    let len = offset(text.get(start..)?, delete)?;
    Some(start..start + len)
}

/// The byte at which character `at` begins, or where the text ends if it has as many.
fn offset(text: &str, at: usize) -> Option<usize> {
    let mut rest = text.chars();
    match at.checked_sub(1) {
        None => Some(0),
        // Skips much faster than `char_indices` does.
        Some(last) => rest.nth(last).map(|_| text.len() - rest.as_str().len()),
    }
}

/// Whether two texts are equal. Names and the like are short, and comparing those takes fewer steps than calling what
/// compares long ones.
#[inline]
fn is_same(new: &str, old: &[u8]) -> bool {
    fn ends<const N: usize>(text: &[u8]) -> Option<([u8; N], [u8; N])> {
        Some((*text.first_chunk()?, *text.last_chunk()?))
    }

    let new = new.as_bytes();
    if new.len() != old.len() {
        return false;
    }
    // The two ends overlap where the length is less than twice theirs.
    match new.len() {
        8..=16 => ends::<8>(new) == ends::<8>(old),
        4..8 => ends::<4>(new) == ends::<4>(old),
        0..4 => new.iter().eq(old),
        17..=32 => ends::<16>(new) == ends::<16>(old),
        _ => new == old,
    }
}

/// The edits of a text. `replace` puts another text in the place of a range of its bytes.
pub(crate) fn edit_text<T: Synced + AsRef<str>>(
    this: &mut T,
    path: &[Segment],
    edit: Edit,
    author: Author,
    replace: impl FnOnce(&mut T, Range<usize>, &str),
) -> Result<Edit, EditError> {
    let Edit::Splice(at, delete, insert) = edit else {
        return edit_leaf(this, path, edit, author);
    };
    if !path.is_empty() {
        return edit_leaf(this, path, Edit::Splice(at, delete, insert), author);
    }
    let text: &str = this.as_ref();
    let range = bytes_of(text, at, delete).ok_or_else(|| {
        EditError::new(Reason::TextOutOfBounds {
            at,
            end: at.saturating_add(delete),
            len: text.chars().count(),
        })
    })?;
    let gone = text.get(range.clone()).unwrap_or_default().to_owned();
    replace(this, range, &insert);
    Ok(Edit::Splice(at, insert.chars().count(), gone))
}

macro_rules! text {
    ($($text:ty, $shadow:ty: $read:expr, $take:expr;)+) => {$(
        impl Synced for $text {
            type Shadow = $shadow;

            fn shadow(&self) -> $shadow {
                Keep::of(self)
            }

            #[inline]
            fn update(&self, shadow: &mut $shadow) {
                Keep::renew(shadow, self);
            }

            #[inline]
            fn same(&self, shadow: &$shadow) -> bool {
                is_same(self, Keep::<Self>::kept(shadow))
            }

            #[inline(always)]
            fn diff(&mut self, shadow: &mut $shadow, at: &At<'_>, out: &mut Changes) {
                if !self.same(shadow) {
                    out.set_leaf(at, Leaf::Str(self));
                    self.update(shadow);
                }
            }

            #[inline]
            fn write(&self, _: Option<&$shadow>, out: &mut Writer) {
                out.str(self);
            }

            fn read(value: Value) -> Result<Self, EditError> {
                match value {
                    Value::Str(text) => Ok($read(text)),
                    other => Err(EditError::expected("a Str", &other)),
                }
            }

            fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
                edit_text(self, path, edit, author, |this, range, with| {
                    let mut text: String = $take(this);
                    text.replace_range(range, with);
                    *this = $read(text);
                })
            }

            fn ty() -> Type {
                Type::Str
            }
        }
    )+};
}

text! {
    String, TextShadow: |text| text, std::mem::take;
    Box<str>, Self: String::into_boxed_str, |text| String::from(std::mem::take(text));
    Arc<str>, Self: Arc::from, |text: &mut Arc<str>| text.to_string();
    Cow<'static, str>, Self: Cow::Owned, |text: &mut Self| std::mem::take(text).into_owned();
}

impl Synced for &'static str {
    type Shadow = Self;

    fn shadow(&self) -> Self {
        self
    }

    fn same(&self, shadow: &Self) -> bool {
        self == shadow
    }

    fn diff(&mut self, shadow: &mut Self, at: &At<'_>, out: &mut Changes) {
        diff_leaf(self, shadow, at, out);
    }

    fn write(&self, _: Option<&Self>, out: &mut Writer) {
        out.str(self);
    }

    /// A text that lives for ever cannot be made from one that arrives.
    fn read(value: Value) -> Result<Self, EditError> {
        Err(EditError::expected(
            "no change: this text is fixed in the program",
            &value,
        ))
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        edit_leaf(self, path, edit, author)
    }

    fn ty() -> Type {
        Type::Str
    }
}

impl Synced for char {
    type Shadow = Self;

    fn shadow(&self) -> Self {
        *self
    }

    #[inline]
    fn same(&self, shadow: &Self) -> bool {
        self == shadow
    }

    fn diff(&mut self, shadow: &mut Self, at: &At<'_>, out: &mut Changes) {
        diff_leaf(self, shadow, at, out);
    }

    fn write(&self, _: Option<&Self>, out: &mut Writer) {
        out.str(self.encode_utf8(&mut [0; 4]));
    }

    fn read(value: Value) -> Result<Self, EditError> {
        if let Value::Str(text) = &value {
            let mut chars = text.chars();
            if let (Some(only), None) = (chars.next(), chars.next()) {
                return Ok(only);
            }
        }
        Err(EditError::expected("a Str of one character", &value))
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        edit_leaf(self, path, edit, author)
    }

    fn ty() -> Type {
        Type::Str
    }
}
