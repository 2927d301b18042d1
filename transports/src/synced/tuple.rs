//! Tuples: lists of a fixed length whose items have types of their own.

use super::{Synced, edit_whole};
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::Value;
use crate::writer::Writer;

macro_rules! tuple {
    ($len:literal: $($T:ident $index:tt)+) => {
        impl<$($T: Synced),+> Synced for ($($T,)+) {
            type Shadow = ($($T::Shadow,)+);

            fn shadow(&self) -> Self::Shadow {
                ($(self.$index.shadow(),)+)
            }

            fn update(&self, shadow: &mut Self::Shadow) {
                $(self.$index.update(&mut shadow.$index);)+
            }

            #[inline]
            fn same(&self, shadow: &Self::Shadow) -> bool {
                $(self.$index.same(&shadow.$index))&&+
            }

            fn diff(&mut self, shadow: &mut Self::Shadow, at: &At<'_>, out: &mut Changes) {
                $(self.$index.diff(&mut shadow.$index, &at.index($index), out);)+
            }

            fn write(&self, settled: Option<&Self::Shadow>, out: &mut Writer) {
                out.list($len);
                $(self.$index.write(settled.map(|shadow| &shadow.$index), out);)+
                out.end_list();
            }

            fn read(value: Value) -> Result<Self, EditError> {
                let Value::List(items) = value else {
                    return Err(EditError::expected("a List", &value));
                };
                if items.len() != $len {
                    return Err(EditError::new(Reason::FixedLength { len: $len }));
                }
                let mut items = items.into_iter();
                Ok(($(
                    {
                        let item = items.next().expect("the length was checked above");
                        $T::read(item).map_err(|error| error.below($index))?
                    },
                )+))
            }

            fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
                match (path, edit) {
                    ([], edit) => edit_whole(self, edit, author, Reason::FixedLength { len: $len }),
                    ([Segment::Key(_), ..], _) => Err(EditError::new(Reason::NotAMap)),
                    ([Segment::Index(_)], Edit::Remove) => Err(EditError::new(Reason::RemoveIndex)),
                    ([Segment::Index(index), deeper @ ..], edit) => match *index {
                        $($index => self.$index.edit(deeper, edit, author),)+
                        index => return Err(EditError::new(Reason::IndexOutOfBounds { index, len: $len })),
                    }
                    .map_err(|error| error.below(*index)),
                }
            }

            fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
                $(
                    self.$index
                        .admit(old.map(|old| &old.$index))
                        .map_err(|error| error.below($index))?;
                )+
                Ok(())
            }

            fn inherit(&mut self, old: &mut Self) {
                $(self.$index.inherit(&mut old.$index);)+
            }

            fn check(&self, at: &At<'_>, out: &mut Changes) {
                $(self.$index.check(&at.index($index), out);)+
            }

            fn reveal(&self, settled: Option<&Self::Shadow>, at: &At<'_>, out: &mut Changes) {
                $(self.$index.reveal(settled.map(|shadow| &shadow.$index), &at.index($index), out);)+
            }

            fn ty() -> Type {
                Type::Tuple(vec![$($T::ty()),+])
            }
        }
    };
}

tuple!(1: A 0);
tuple!(2: A 0 B 1);
tuple!(3: A 0 B 1 C 2);
tuple!(4: A 0 B 1 C 2 D 3);
tuple!(5: A 0 B 1 C 2 D 3 E 4);
tuple!(6: A 0 B 1 C 2 D 3 E 4 F 5);
tuple!(7: A 0 B 1 C 2 D 3 E 4 F 5 G 6);
tuple!(8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
