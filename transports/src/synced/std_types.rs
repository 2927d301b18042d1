//! Times, addresses, paths and numbers that are not zero: leaves, in the form that serde gives them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::NonZero;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{Synced, diff_leaf, edit_leaf};
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError, Reason};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::value::Value;
use crate::writer::Writer;

/// A type whose values travel as values of another one, if they have one.
trait Form: Clone + PartialEq + Send + Sync + 'static {
    /// What travels.
    type As: Synced;

    /// The value as it travels, or why it cannot.
    fn form(&self) -> Result<Self::As, &'static str>;

    /// The value that is meant, if it is one.
    fn from_form(form: Self::As) -> Option<Self>;

    /// Whether the other value travels as the same one.
    fn is(&self, other: &Self) -> bool {
        self == other
    }

    /// What is said of a value that is none.
    const EXPECTED: &'static str;

    /// The same for other languages.
    fn ty() -> Type {
        <Self::As as Synced>::ty()
    }
}

macro_rules! synced {
    ($($leaf:ty)+) => {$(
        impl Synced for $leaf {
            /// The last value that could travel.
            type Shadow = Option<Self>;

            fn shadow(&self) -> Option<Self> {
                self.form().is_ok().then(|| self.clone())
            }

            #[inline]
            fn same(&self, shadow: &Option<Self>) -> bool {
                shadow.as_ref().is_some_and(|shadow| self.is(shadow))
            }

            #[inline]
            fn diff(&mut self, shadow: &mut Option<Self>, at: &At<'_>, out: &mut Changes) {
                if self.same(shadow) {
                    return;
                }
                match self.form() {
                    Ok(_) => diff_leaf(self, shadow, at, out),
                    Err(reason) => out.fault(at, reason),
                }
            }

            fn write(&self, settled: Option<&Option<Self>>, out: &mut Writer) {
                let last = settled.and_then(Option::as_ref);
                match self.form().or_else(|reason| last.ok_or(reason)?.form()) {
                    Ok(form) => form.write(None, out),
                    Err(_) => out.null(),
                }
            }

            fn read(value: Value) -> Result<Self, EditError> {
                <Self as Form>::As::read(value.clone())
                    .ok()
                    .and_then(Self::from_form)
                    .ok_or_else(|| EditError::expected(Self::EXPECTED, &value))
            }

            fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
                match path {
                    [] => edit_leaf(self, path, edit, author),
                    _ => Err(EditError::new(Reason::Rule("this is replaced as a whole".to_owned()))),
                }
            }

            fn ty() -> Type {
                <Self as Form>::ty()
            }
        }
    )+};
}

synced! {
    Duration SystemTime PathBuf
    IpAddr Ipv4Addr Ipv6Addr SocketAddr SocketAddrV4 SocketAddrV6
}

macro_rules! printed {
    ($($leaf:ty: $expected:literal;)+) => {$(
        impl Form for $leaf {
            type As = String;
            const EXPECTED: &'static str = $expected;

            fn form(&self) -> Result<String, &'static str> {
                Ok(self.to_string())
            }

            fn from_form(form: String) -> Option<Self> {
                form.parse().ok()
            }
        }
    )+};
}

printed! {
    IpAddr: "a Str with an IP address";
    Ipv4Addr: "a Str with an IPv4 address";
    Ipv6Addr: "a Str with an IPv6 address";
    SocketAddr: "a Str with an IP address and a port";
    SocketAddrV4: "a Str with an IPv4 address and a port";
    SocketAddrV6: "a Str with an IPv6 address and a port";
}

impl Form for PathBuf {
    type As = String;
    const EXPECTED: &'static str = "a Str";

    fn form(&self) -> Result<String, &'static str> {
        let text = self.to_str().map(str::to_owned);
        text.ok_or("a path that is no text in UTF-8 is not what the wire carries")
    }

    fn from_form(form: String) -> Option<Self> {
        Some(form.into())
    }

    /// Paths are equal that are spelled differently, as `a/b` and `a/b/` are.
    fn is(&self, other: &Self) -> bool {
        self.as_os_str() == other.as_os_str()
    }
}

/// Seconds and nanoseconds as a map, under names that end alike.
macro_rules! time {
    ($leaf:ty, $secs:literal, $nanos:literal, $since:expr, $from:expr) => {
        impl Form for $leaf {
            type As = Value;
            const EXPECTED: &'static str = concat!("a Map of `", $secs, "` and `", $nanos, "`");

            fn form(&self) -> Result<Value, &'static str> {
                let since: Duration = $since(self)?;
                let secs = i64::try_from(since.as_secs())
                    .map_err(|_| "a time this far away is not what the wire carries")?;
                let nanos = i64::from(since.subsec_nanos());
                Ok(Value::from_iter([
                    ($secs, secs.into()),
                    ($nanos, nanos.into()),
                ]))
            }

            fn from_form(form: Value) -> Option<Self> {
                let (Some(Value::Int(secs)), Some(Value::Int(nanos))) =
                    (form.get($secs), form.get($nanos))
                else {
                    return None;
                };
                let nanos = u32::try_from(*nanos)
                    .ok()
                    .filter(|nanos| *nanos < 1_000_000_000)?;
                $from(Duration::new(u64::try_from(*secs).ok()?, nanos))
            }

            fn ty() -> Type {
                Type::Map(Box::new(Type::Int(0, i64::MAX)))
            }
        }
    };
}

time!(
    Duration,
    "secs",
    "nanos",
    |this: &Self| Ok::<Self, &'static str>(*this),
    Some
);
time!(
    SystemTime,
    "secs_since_epoch",
    "nanos_since_epoch",
    |this: &Self| this
        .duration_since(Self::UNIX_EPOCH)
        .map_err(|_| "a time before 1970 is not what the wire carries"),
    |since| Self::UNIX_EPOCH.checked_add(since)
);

macro_rules! non_zero {
    ($($int:ty)+) => {$(
        impl Synced for NonZero<$int> {
            type Shadow = <$int as Synced>::Shadow;

            fn shadow(&self) -> Self::Shadow {
                self.get().shadow()
            }

            #[inline]
            fn same(&self, shadow: &Self::Shadow) -> bool {
                self.get().same(shadow)
            }

            #[inline]
            fn diff(&mut self, shadow: &mut Self::Shadow, at: &At<'_>, out: &mut Changes) {
                self.get().diff(shadow, at, out);
            }

            #[inline]
            fn write(&self, settled: Option<&Self::Shadow>, out: &mut Writer) {
                self.get().write(settled, out);
            }

            fn read(value: Value) -> Result<Self, EditError> {
                Self::new(<$int>::read(value)?)
                    .ok_or_else(|| EditError::expected("an Int other than 0", &Value::Int(0)))
            }

            fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
                edit_leaf(self, path, edit, author)
            }

            fn ty() -> Type {
                <$int>::ty()
            }
        }
    )+};
}

non_zero!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);
