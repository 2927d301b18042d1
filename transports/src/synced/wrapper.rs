//! `Box` and `Option`.

use super::{Synced, edit_whole};
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::Value;
use crate::writer::Writer;

impl<T: Synced> Synced for Box<T> {
    type Shadow = Box<T::Shadow>;

    fn shadow(&self) -> Self::Shadow {
        Box::new(T::shadow(self))
    }

    fn update(&self, shadow: &mut Self::Shadow) {
        T::update(self, shadow);
    }

    #[inline]
    fn same(&self, shadow: &Self::Shadow) -> bool {
        T::same(self, shadow)
    }

    #[inline]
    fn diff(&mut self, shadow: &mut Self::Shadow, at: &At<'_>, out: &mut Changes) {
        T::diff(self, shadow, at, out);
    }

    fn write(&self, settled: Option<&Self::Shadow>, out: &mut Writer) {
        T::write(self, settled.map(|shadow| &**shadow), out);
    }

    fn read(value: Value) -> Result<Self, EditError> {
        T::read(value).map(Self::new)
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        T::edit(self, path, edit, author)
    }

    fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
        T::admit(self, old.map(|old| &**old))
    }

    fn inherit(&mut self, old: &mut Self) {
        T::inherit(self, old);
    }

    fn check(&self, at: &At<'_>, out: &mut Changes) {
        T::check(self, at, out);
    }

    fn reveal(&self, settled: Option<&Self::Shadow>, at: &At<'_>, out: &mut Changes) {
        T::reveal(self, settled.map(|settled| &**settled), at, out);
    }

    fn ty() -> Type {
        T::ty()
    }
}

/// `None` is `Null` on the wire. What else is `Null` there reads back as `None`: a number that is not finite, an inner
/// `None`.
impl<T: Synced> Synced for Option<T> {
    type Shadow = Option<T::Shadow>;

    fn shadow(&self) -> Self::Shadow {
        self.as_ref().map(T::shadow)
    }

    fn update(&self, shadow: &mut Self::Shadow) {
        match (self, shadow) {
            (Some(value), Some(shadow)) => value.update(shadow),
            (_, shadow) => *shadow = self.shadow(),
        }
    }

    #[inline]
    fn same(&self, shadow: &Self::Shadow) -> bool {
        match (self, shadow) {
            (None, None) => true,
            (Some(value), Some(shadow)) => value.same(shadow),
            _ => false,
        }
    }

    #[inline]
    fn diff(&mut self, shadow: &mut Self::Shadow, at: &At<'_>, out: &mut Changes) {
        match (&mut *self, &mut *shadow) {
            (None, None) => {}
            (Some(value), Some(shadow)) => value.diff(shadow, at, out),
            _ => {
                out.set(at, self);
                *shadow = self.shadow();
            }
        }
    }

    fn write(&self, settled: Option<&Self::Shadow>, out: &mut Writer) {
        match self {
            None => out.null(),
            Some(value) => value.write(settled.and_then(Option::as_ref), out),
        }
    }

    fn read(value: Value) -> Result<Self, EditError> {
        match value {
            Value::Null => Ok(None),
            value => T::read(value).map(Some),
        }
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        if let (true, Edit::Set(_)) = (path.is_empty(), &edit) {
            return edit_whole(self, edit, author, Reason::NotAList);
        }
        match self {
            Some(value) => value.edit(path, edit, author),
            None => super::edit_leaf(self, path, edit, author),
        }
    }

    fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
        match self {
            Some(value) => value.admit(old.and_then(Self::as_ref)),
            None => Ok(()),
        }
    }

    fn inherit(&mut self, old: &mut Self) {
        if let (Some(value), Some(old)) = (self, old) {
            value.inherit(old);
        }
    }

    fn check(&self, at: &At<'_>, out: &mut Changes) {
        if let Some(value) = self {
            value.check(at, out);
        }
    }

    fn reveal(&self, settled: Option<&Self::Shadow>, at: &At<'_>, out: &mut Changes) {
        if let Some(value) = self {
            value.reveal(settled.and_then(Option::as_ref), at, out);
        }
    }

    fn ty() -> Type {
        Type::Optional(Box::new(T::ty()))
    }
}
