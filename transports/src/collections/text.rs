//! A text that knows whether it was changed.

use std::fmt;
use std::ops::{AddAssign, Bound, Deref, Range, RangeBounds};
use std::sync::atomic::{self, AtomicBool};

use super::Instance;
use crate::changes::{Changes, Splice};
use crate::edit::{Author, Edit, EditError};
use crate::path::{At, Segment};
use crate::schema::Type;
use crate::synced::{self, Synced};
use crate::value::Value;
use crate::writer::{Leaf, Writer};

/// A `String` that is not compared at a sync and has no copy beside it: it knows whether it was changed.
///
/// It derefs to `String` for everything that looks, and has the methods of `String` that change. A changed text goes
/// out as a whole, or as the part that changed to peers that know the op [`Splice`](crate::Op::Splice). Worth it for
/// texts of many kilobytes; shorter ones are as well a `String`.
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
    told: Told,
}

/// What is still known of the text that the wire has, which the present one has taken the place of.
#[derive(Clone, Copy, Default)]
struct Told {
    /// Its characters, if they were counted.
    chars: Option<usize>,
    /// Its bytes.
    len: usize,
    /// So many bytes at its start still stand at the start of the present one.
    start: usize,
    /// So many bytes at its end still stand at the end.
    end: usize,
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
    ///
    /// What it did is not known, so the text goes out as a whole to everybody.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut String) -> R) -> R {
        let len = self.text.len();
        self.part(0..len, change)
    }

    /// Does something to a range of bytes, which is all that changes.
    fn part<R>(&mut self, range: Range<usize>, change: impl FnOnce(&mut String) -> R) -> R {
        let behind = self.text.len().saturating_sub(range.end);
        if self.is_changed() {
            self.told.start = self.told.start.min(range.start);
            self.told.end = self.told.end.min(behind);
        } else {
            // A change that the wire saw in passing was not counted.
            let counted = self.told.chars.filter(|_| !self.changed);
            self.told = Told {
                chars: Some(counted.unwrap_or_else(|| self.text.chars().count())),
                len: self.text.len(),
                start: range.start,
                end: behind,
            };
        }
        *self.settled.get_mut() = false;
        self.changed = true;
        change(&mut self.text)
    }

    /// The text as a part of what the wire has and what takes its place, and its characters.
    fn splice(&self) -> Option<(Splice<'_>, usize)> {
        let Told {
            chars,
            len,
            start,
            end,
        } = self.told;
        let count = |range: Range<usize>| Some(self.text.get(range)?.chars().count());
        let (chars, stop) = (chars?, self.text.len().checked_sub(end)?);
        let insert = self.text.get(start..stop)?;
        let at = if start == len {
            chars
        } else {
            count(0..start)?
        };
        let delete = chars
            .checked_sub(at)?
            .checked_sub(count(stop..self.text.len())?)?;
        let splice = Splice { at, delete, insert };
        Some((splice, chars - delete + insert.chars().count()))
    }

    /// Adds a character at the end.
    pub fn push(&mut self, letter: char) {
        self.part(self.text.len()..self.text.len(), |text| text.push(letter));
    }

    /// Adds a text at the end.
    pub fn push_str(&mut self, more: &str) {
        if !more.is_empty() {
            self.part(self.text.len()..self.text.len(), |text| text.push_str(more));
        }
    }

    /// Takes the last character.
    pub fn pop(&mut self) -> Option<char> {
        let last = self.text.chars().next_back()?;
        let len = self.text.len();
        self.part(len - last.len_utf8()..len, String::pop)
    }

    /// Puts a character in at a byte position.
    ///
    /// # Panics
    /// If that is not between two characters.
    pub fn insert(&mut self, at: usize, letter: char) {
        self.part(at..at, |text| text.insert(at, letter));
    }

    /// Puts a text in at a byte position.
    ///
    /// # Panics
    /// If that is not between two characters.
    pub fn insert_str(&mut self, at: usize, more: &str) {
        self.part(at..at, |text| text.insert_str(at, more));
    }

    /// Takes the character at a byte position out.
    ///
    /// # Panics
    /// If no character begins there.
    pub fn remove(&mut self, at: usize) -> char {
        let letter = self.text.get(at..).and_then(|rest| rest.chars().next());
        let end = at.saturating_add(letter.map_or(0, char::len_utf8));
        self.part(at..end, |text| text.remove(at))
    }

    /// Puts another text in the place of a range of bytes.
    ///
    /// # Panics
    /// If the range does not begin and end between characters.
    pub fn replace_range(&mut self, range: impl RangeBounds<usize>, with: &str) {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => self.text.len(),
        };
        self.part(start..end, |text| text.replace_range(range, with));
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
            self.part(len..self.text.len(), |text| text.truncate(len));
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
            self.tell(shadow, at, out);
        } else if self.changed {
            self.told.chars = None;
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
        synced::edit_text(self, path, edit, author, Self::replace_range)
    }

    fn ty() -> Type {
        Type::Str
    }
}

impl Text {
    /// Tells the part that changed, where somebody wants it and it is less than the whole.
    fn tell(&mut self, shadow: &mut TextShadow, at: &At<'_>, out: &mut Changes) {
        let chars = match self.splice().filter(|_| self.instance == shadow.0) {
            Some((splice, chars)) => {
                if out.wants_splices() && splice.insert.len() + AROUND < self.text.len() {
                    out.splice(at, &self.text, splice);
                } else {
                    out.set_leaf(at, Leaf::Str(&self.text));
                }
                Some(chars)
            }
            None => {
                out.set_leaf(at, Leaf::Str(&self.text));
                None
            }
        };
        self.told.chars = chars;
        shadow.0 = self.instance;
    }
}

/// A splice is about so much longer than a `Set` of the same text.
const AROUND: usize = 32;

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
            told: Told::default(),
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

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl AddAssign<&str> for Text {
    fn add_assign(&mut self, more: &str) {
        self.push_str(more);
    }
}

impl Extend<char> for Text {
    fn extend<I: IntoIterator<Item = char>>(&mut self, letters: I) {
        self.part(self.text.len()..self.text.len(), |text| {
            text.extend(letters)
        });
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
