//! A text that knows whether it was changed.

use std::fmt;
use std::ops::{AddAssign, Deref, RangeBounds};
use std::sync::atomic::{self, AtomicBool};

use super::Instance;
use crate::changes::Changes;
use crate::edit::{Author, Edit, EditError};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::synced::{self, Synced};
use crate::value::Value;
use crate::writer::{Leaf, Writer};

/// A `String` that is not compared at a sync and has no copy beside it: it knows whether it was changed.
///
/// It derefs to `String` for everything that looks, and has the methods of `String` that change. A changed text goes
/// out as a whole. Worth it for texts of many kilobytes; shorter ones are as well a `String`.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use transports::collections::Text;
/// use transports::{Changes, Synced, Tracked};
///
/// #[derive(Synced)]
/// struct Log {
///     lines: Text,
/// }
///
/// let mut log = Tracked::new(Log { lines: Text::from("started\n") });
/// let mut changes = Changes::as_ops();
///
/// log.lines += "ready\n";
/// Tracked::collect(&mut log, &mut changes);
/// assert_eq!(changes.ops()[0].value(), Some(&"started\nready\n".into()));
/// # }
/// ```
pub struct Text {
    text: String,
    instance: Instance,
    changed: bool,
    /// The wire has seen the text as it is; set by who only looks.
    settled: AtomicBool,
}

/// What the wire has of a text: which one it was.
#[derive(Debug)]
pub struct TextShadow(Instance);

impl Text {
    /// An empty text.
    #[must_use]
    pub fn new() -> Self {
        Self::from(String::new())
    }

    /// Makes it another text. The same again is no change.
    pub fn set(&mut self, text: impl AsRef<str>) {
        if self.text != text.as_ref() {
            self.edit(|old| text.as_ref().clone_into(old));
        }
    }

    /// Does to the `String` whatever there is no method for here.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut String) -> R) -> R {
        *self.settled.get_mut() = false;
        self.changed = true;
        change(&mut self.text)
    }

    /// Adds a character at the end.
    pub fn push(&mut self, letter: char) {
        self.edit(|text| text.push(letter));
    }

    /// Adds a text at the end.
    pub fn push_str(&mut self, more: &str) {
        if !more.is_empty() {
            self.edit(|text| text.push_str(more));
        }
    }

    /// Takes the last character.
    pub fn pop(&mut self) -> Option<char> {
        if self.text.is_empty() {
            None
        } else {
            self.edit(String::pop)
        }
    }

    /// Puts a character in at a byte position.
    ///
    /// # Panics
    /// If that is not between two characters.
    pub fn insert(&mut self, at: usize, letter: char) {
        self.edit(|text| text.insert(at, letter));
    }

    /// Puts a text in at a byte position.
    ///
    /// # Panics
    /// If that is not between two characters.
    pub fn insert_str(&mut self, at: usize, more: &str) {
        self.edit(|text| text.insert_str(at, more));
    }

    /// Takes the character at a byte position out.
    ///
    /// # Panics
    /// If no character begins there.
    pub fn remove(&mut self, at: usize) -> char {
        self.edit(|text| text.remove(at))
    }

    /// Puts another text in the place of a range of bytes.
    ///
    /// # Panics
    /// If the range does not begin and end between characters.
    pub fn replace_range(&mut self, range: impl RangeBounds<usize>, with: &str) {
        self.edit(|text| text.replace_range(range, with));
    }

    /// Keeps the characters for which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(char) -> bool) {
        self.edit(|text| text.retain(keep));
    }

    /// Cuts the text off after `len` bytes.
    ///
    /// # Panics
    /// If that is within a character.
    pub fn truncate(&mut self, len: usize) {
        if len < self.text.len() {
            self.edit(|text| text.truncate(len));
        }
    }

    /// Makes it the empty text.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// The `String`, tracked no longer.
    #[must_use]
    pub fn into_string(self) -> String {
        self.text
    }

    fn is_changed(&self) -> bool {
        self.changed && !self.settled.load(atomic::Ordering::Relaxed)
    }
}

impl Synced for Text {
    type Shadow = TextShadow;

    fn shadow(&self) -> TextShadow {
        self.settled.store(true, atomic::Ordering::Relaxed);
        TextShadow(self.instance)
    }

    #[inline]
    fn same(&self, shadow: &TextShadow) -> bool {
        self.instance == shadow.0 && !self.is_changed()
    }

    #[inline]
    fn diff(&mut self, shadow: &mut TextShadow, at: &At<'_>, out: &mut Changes) {
        if !self.same(shadow) {
            out.set_leaf(at, Leaf::Str(&self.text));
            shadow.0 = self.instance;
        }
        self.changed = false;
    }

    fn write(&self, _: Option<&TextShadow>, out: &mut Writer) {
        out.str(&self.text);
    }

    fn read(value: Value) -> Result<Self, EditError> {
        String::read(value).map(Self::from)
    }

    fn edit(&mut self, path: &[Segment], edit: Edit, author: Author) -> Result<Edit, EditError> {
        synced::edit_leaf(self, path, edit, author)
    }

    fn ty() -> Type {
        Type::Str
    }
}

impl Deref for Text {
    type Target = String;

    #[inline]
    fn deref(&self) -> &String {
        &self.text
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self {
            text,
            instance: Instance::new(),
            changed: false,
            settled: AtomicBool::new(false),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.text
    }
}

impl AddAssign<&str> for Text {
    fn add_assign(&mut self, more: &str) {
        self.push_str(more);
    }
}

impl Extend<char> for Text {
    fn extend<I: IntoIterator<Item = char>>(&mut self, letters: I) {
        self.edit(|text| text.extend(letters));
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.push_str(more);
        Ok(())
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

/// The copy is another text: put in the place of the first, it is sent.
impl Clone for Text {
    fn clone(&self) -> Self {
        Self::from(self.text.clone())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.text, f)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

impl serde::Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}
