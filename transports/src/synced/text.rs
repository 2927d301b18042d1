//! Texts and characters.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Synced, diff_leaf, edit_leaf};
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::Value;
use crate::writer::{Leaf, Writer};

macro_rules! text {
    ($($text:ty: $read:expr;)+) => {$(
        impl Synced for $text {
            type Shadow = Self;

            fn shadow(&self) -> Self {
                self.clone()
            }

            #[inline]
            fn update(&self, shadow: &mut Self) {
                Clone::clone_from(shadow, self);
            }

            #[inline]
            fn same(&self, shadow: &Self) -> bool {
                self == shadow
            }

            #[inline(always)]
            fn diff(&mut self, shadow: &mut Self, at: &At<'_>, out: &mut Changes) {
                if self != shadow {
                    out.set_leaf(at, Leaf::Str(self));
                    self.update(shadow);
                }
            }

            #[inline]
            fn write(&self, _: Option<&Self>, out: &mut Writer) {
                out.str(self);
            }

            fn read(value: Value) -> Result<Self, EditError> {
                match value {
                    Value::Str(text) => Ok($read(text)),
                    other => Err(EditError::expected("a Str", &other)),
                }
            }

            fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
                edit_leaf(self, path, edit, author)
            }

            fn ty() -> Type {
                Type::Str
            }
        }
    )+};
}

text! {
    String: |text| text;
    Box<str>: String::into_boxed_str;
    Arc<str>: Arc::from;
    Cow<'static, str>: Cow::Owned;
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
