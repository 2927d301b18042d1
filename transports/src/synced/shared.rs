//! `Arc`: a value that is shared, and so replaced rather than changed.

use std::sync::Arc;

use super::{Synced, edit_leaf};
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Payload, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::Value;
use crate::writer::Writer;

/// What the wire has of an `Arc`: which one it was, and what was in it. As long as this holds the one, nobody can
/// change it in place.
#[derive(Debug)]
pub struct ArcShadow<T: Synced> {
    seen: Arc<T>,
    shadow: T::Shadow,
}

/// Sent as a whole whenever it is another one with another content. Fields of it that never travel are made anew when
/// a client replaces it.
impl<T: Synced> Synced for Arc<T> {
    type Shadow = ArcShadow<T>;

    fn shadow(&self) -> Self::Shadow {
        ArcShadow {
            seen: Self::clone(self),
            shadow: T::shadow(self),
        }
    }

    #[inline]
    fn same(&self, shadow: &Self::Shadow) -> bool {
        Self::ptr_eq(self, &shadow.seen) || T::same(self, &shadow.shadow)
    }

    fn diff(&mut self, shadow: &mut Self::Shadow, at: &At<'_>, out: &mut Changes) {
        if Self::ptr_eq(self, &shadow.seen) {
            return;
        }
        if T::same(self, &shadow.shadow) {
            shadow.seen = Self::clone(self);
        } else {
            out.set(at, self);
            *shadow = self.shadow();
        }
    }

    fn write(&self, settled: Option<&Self::Shadow>, out: &mut Writer) {
        T::write(self, settled.map(|settled| &settled.shadow), out);
    }

    fn read(value: Value) -> Result<Self, EditError> {
        T::read(value).map(Self::new)
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        match (path, edit) {
            ([], edit) => edit_leaf(self, path, edit, author),
            // Fields that not all see come behind the whole.
            (path, edit) if author == Author::Host => {
                let mut value = Writer::to_value(|out| T::write(self, None, out));
                value.edit(path, edit, author)?;
                let new = Self::new(T::read(value)?);
                Ok(Edit::Set(Payload::taken(std::mem::replace(self, new))))
            }
            // Others hold it, too, and see no change.
            _ => Err(EditError::new(Reason::Rule(
                "this is replaced as a whole".to_owned(),
            ))),
        }
    }

    fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
        T::admit(self, old.map(|old| &**old))
    }

    fn inherit(&mut self, old: &mut Self) {
        if let (Some(new), Some(old)) = (Self::get_mut(self), Self::get_mut(old)) {
            new.inherit(old);
        }
    }

    fn check(&self, at: &At<'_>, out: &mut Changes) {
        T::check(self, at, out);
    }

    fn reveal(&self, settled: Option<&Self::Shadow>, at: &At<'_>, out: &mut Changes) {
        T::reveal(self, settled.map(|settled| &settled.shadow), at, out);
    }

    fn ty() -> Type {
        T::ty()
    }
}
