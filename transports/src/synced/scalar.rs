//! Booleans and numbers.

use super::{Synced, edit_leaf};
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::Value;
use crate::writer::{Leaf, Writer};

impl Synced for bool {
    type Shadow = Self;

    fn shadow(&self) -> Self {
        *self
    }

    #[inline]
    fn same(&self, shadow: &Self) -> bool {
        self == shadow
    }

    #[inline(always)]
    fn diff(&mut self, shadow: &mut Self, at: &At<'_>, out: &mut Changes) {
        if !self.same(shadow) {
            out.set_leaf(at, Leaf::Bool(*self));
            *shadow = *self;
        }
    }

    #[inline]
    fn write(&self, _: Option<&Self>, out: &mut Writer) {
        out.bool(*self);
    }

    fn read(value: Value) -> Result<Self, EditError> {
        match value {
            Value::Bool(value) => Ok(value),
            other => Err(EditError::expected("a Bool", &other)),
        }
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        edit_leaf(self, path, edit, author)
    }

    fn ty() -> Type {
        Type::Bool
    }
}

/// An integer type all of whose values fit the wire.
macro_rules! narrow {
    ($($int:ty)+) => {$(
        impl Synced for $int {
            type Shadow = Self;

            fn shadow(&self) -> Self {
                *self
            }

            #[inline]
            fn same(&self, shadow: &Self) -> bool {
                self == shadow
            }

            #[inline(always)]
            fn diff(&mut self, shadow: &mut Self, at: &At<'_>, out: &mut Changes) {
                if !self.same(shadow) {
            out.set_leaf(at, Leaf::Int(i64::from(*self)));
            *shadow = *self;
        }
            }

            #[inline]
            fn write(&self, _: Option<&Self>, out: &mut Writer) {
                out.int(i64::from(*self));
            }

            fn read(value: Value) -> Result<Self, EditError> {
                integer(value)
            }

            fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
                edit_leaf(self, path, edit, author)
            }

            fn ty() -> Type {
                Type::Int(i64::from(<$int>::MIN), i64::from(<$int>::MAX))
            }
        }
    )+};
}

narrow!(i8 i16 i32 i64 u8 u16 u32);

/// An integer type that reaches beyond the wire's 64 signed bits. Its shadow is what the wire has: the last value that
/// fitted.
macro_rules! wide {
    ($($int:ty)+) => {$(
        impl Synced for $int {
            type Shadow = i64;

            fn shadow(&self) -> i64 {
                i64::try_from(*self).unwrap_or(if *self > 0 { i64::MAX } else { i64::MIN })
            }

            #[inline]
            fn same(&self, shadow: &i64) -> bool {
                i64::try_from(*self).is_ok_and(|value| value == *shadow)
            }

            #[inline(always)]
            fn diff(&mut self, shadow: &mut i64, at: &At<'_>, out: &mut Changes) {
                match i64::try_from(*self) {
                    Ok(value) if value == *shadow => {}
                    Ok(value) => {
                        out.set_leaf(at, Leaf::Int(value));
                        *shadow = value;
                    }
                    Err(_) => out.fault(
                        at,
                        format_args!("{self} is not in {}..={}, which is what the wire carries", i64::MIN, i64::MAX),
                    ),
                }
            }

            #[inline]
            fn write(&self, settled: Option<&i64>, out: &mut Writer) {
                match (i64::try_from(*self), settled) {
                    (Ok(value), _) => out.int(value),
                    (Err(_), Some(last)) => out.int(*last),
                    (Err(_), None) => out.wide(if *self > 0 { i128::MAX } else { i128::MIN }),
                }
            }

            fn read(value: Value) -> Result<Self, EditError> {
                integer(value)
            }

            fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
                edit_leaf(self, path, edit, author)
            }

            fn ty() -> Type {
                Type::Int(i64::try_from(<$int>::MIN).unwrap_or(i64::MIN), i64::MAX)
            }
        }
    )+};
}

wide!(u64 usize isize u128 i128);

fn integer<T: TryFrom<i64>>(value: Value) -> Result<T, EditError> {
    let Value::Int(int) = value else {
        return Err(EditError::expected("an Int", &value));
    };
    T::try_from(int).map_err(|_| {
        EditError::expected(
            format!("an Int that fits {}", std::any::type_name::<T>()),
            &value,
        )
    })
}

/// Floats: what is not finite goes out as `Null` and comes back as NaN; an `Int` is taken, as browsers do not know
/// `1.0`.
macro_rules! float {
    ($($float:ty: $from_f64:expr, $from_i64:expr;)+) => {$(
        impl Synced for $float {
            type Shadow = Self;

            fn shadow(&self) -> Self {
                *self
            }

            #[inline]
            #[expect(clippy::float_cmp, reason = "any other number is a change")]
            fn same(&self, shadow: &Self) -> bool {
                self == shadow || !(self.is_finite() || shadow.is_finite())
            }

            #[inline(always)]
            fn diff(&mut self, shadow: &mut Self, at: &At<'_>, out: &mut Changes) {
                if !self.same(shadow) {
            out.set_leaf(at, Leaf::Float(f64::from(*self)));
            *shadow = *self;
        }
            }

            #[inline]
            fn write(&self, _: Option<&Self>, out: &mut Writer) {
                out.float(f64::from(*self));
            }

            fn read(value: Value) -> Result<Self, EditError> {
                match value {
                    Value::Float(value) => Ok($from_f64(value)),
                    Value::Int(value) => Ok($from_i64(value)),
                    Value::Null => Ok(Self::NAN),
                    other => Err(EditError::expected("a Float", &other)),
                }
            }

            fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
                edit_leaf(self, path, edit, author)
            }

            /// `Null` stands for a number that cannot travel; only the host can bring one.
            fn admit(&self, old: Option<&Self>) -> Result<(), EditError> {
                if self.is_finite() || old.is_some_and(|old| !old.is_finite()) {
                    Ok(())
                } else {
                    Err(EditError::expected("a Float", &Value::Null))
                }
            }

            fn ty() -> Type {
                Type::Float
            }
        }
    )+};
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the nearest number of the field's type is what is meant, and what goes out again as canonical"
)]
mod floats {
    use super::*;

    float! {
        f64: |value: f64| value, |value: i64| value as f64;
        f32: |value: f64| value as f32, |value: i64| value as f32;
    }
}
