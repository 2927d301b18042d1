//! Where in a model something is.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// One step of a [`Path`]: into an entry of a map (a field of a struct is one) or an item of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Segment {
    /// The entry or field of this name.
    Key(String),
    /// The item at this position, counted from 0.
    Index(usize),
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A place in a model, from the root down. The empty path is the model itself.
///
/// ```
/// use transports::Path;
///
/// let path = Path::from_iter(["children".into(), 0.into(), "label".into()]);
/// assert_eq!(path.to_string(), "children[0].label");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The path of the model itself.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Adds a step at the deep end.
    pub fn push(&mut self, segment: impl Into<Segment>) {
        self.0.push(segment.into());
    }

    /// This path, continued by `deeper`.
    #[must_use]
    pub fn join(mut self, deeper: Self) -> Self {
        self.0.extend(deeper.0);
        self
    }

    /// This path below `segment`: what an error does on its way up.
    #[must_use]
    pub(crate) fn below(mut self, segment: Segment) -> Self {
        self.0.insert(0, segment);
        self
    }
}

impl Deref for Path {
    type Target = [Segment];

    fn deref(&self) -> &[Segment] {
        &self.0
    }
}

impl From<Vec<Segment>> for Path {
    fn from(segments: Vec<Segment>) -> Self {
        Self(segments)
    }
}

impl FromIterator<Segment> for Path {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self(segments.into_iter().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the model");
        }
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if is_plain(key) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(key)?;
                }
                Segment::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

/// Whether a key can be shown without quotes.
fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// A path under construction while a model is walked: each step lives on the caller's stack and points at the one
/// above it, so that walking costs nothing and a path is only written out for a change that was found.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    above: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    Root,
    Field(&'static FieldStep),
    Key(&'a str),
    Index(usize),
}

/// The step into a field, as each codec writes it. Made when the program is compiled.
///
/// ```
/// use transports::{At, FieldStep};
///
/// let root = At::root();
/// assert_eq!(root.field(const { &FieldStep::new("level") }).to_string(), "level");
/// ```
#[derive(Debug)]
pub struct FieldStep {
    pub(crate) name: &'static str,
    /// `,{"Set":{"path":[{"Key":"name"}`; as the others, `None` if it is longer than a block.
    pub(crate) json_first: Option<Block<64>>,
    /// `,{"Key":"name"}`
    pub(crate) json: Option<Block<32>>,
    pub(crate) msgpack: Option<Block<32>>,
    pub(crate) cbor: Option<Block<32>>,
}

impl FieldStep {
    /// # Panics
    /// If the name is not printable ASCII without `"` and `\\`.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "runs when the program is compiled")]
    pub const fn new(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            assert!(
                matches!(bytes[at], b' '..=b'~') && bytes[at] != b'"' && bytes[at] != b'\\',
                "the name of a field is printable and needs no escaping"
            );
            at += 1;
        }
        let json_first = Block::of([b",{\"Set\":{\"path\":[{\"Key\":\"", bytes, b"\"}"]);
        let json = Block::of([b",{\"Key\":\"", bytes, b"\"}"]);
        if json.is_none() {
            return Self {
                name,
                json_first,
                json,
                msgpack: None,
                cbor: None,
            };
        }
        // What fits a block of JSON is short enough for a header of one byte.
        let len = bytes.len() as u8;
        Self {
            name,
            json_first,
            json,
            msgpack: Block::of([b"\x81\xa3Key", &[0xa0 | len], bytes]),
            cbor: Block::of([b"\xa1\x63Key", &[0x60 | len], bytes]),
        }
    }
}

/// A piece that is copied with all of the memory it stands in, which is a few moves, and cut to its length then.
#[derive(Debug)]
pub(crate) struct Block<const SIZE: usize> {
    bytes: [u8; SIZE],
    len: usize,
}

impl<const SIZE: usize> Block<SIZE> {
    /// All of `parts`, if there is room.
    #[expect(clippy::indexing_slicing, reason = "runs when the program is compiled")]
    const fn of(parts: [&[u8]; 3]) -> Option<Self> {
        let mut block = Self {
            bytes: [0; SIZE],
            len: 0,
        };
        let mut part = 0;
        while part < parts.len() {
            let mut at = 0;
            while at < parts[part].len() {
                if block.len == SIZE {
                    return None;
                }
                block.bytes[block.len] = parts[part][at];
                block.len += 1;
                at += 1;
            }
            part += 1;
        }
        Some(block)
    }

    /// The piece and what stands behind it.
    #[inline]
    pub(crate) const fn memory(&self) -> &[u8; SIZE] {
        &self.bytes
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }
}

impl<'a> At<'a> {
    /// The model itself.
    #[must_use]
    pub const fn root() -> Self {
        At {
            above: None,
            step: Step::Root,
        }
    }

    /// A field of the struct here, prepared by the derive; any other goes through [`At::key`].
    #[must_use]
    pub const fn field(&'a self, step: &'static FieldStep) -> Self {
        At {
            above: Some(self),
            step: Step::Field(step),
        }
    }

    /// The entry `key` of the map here.
    #[must_use]
    pub const fn key(&'a self, key: &'a str) -> Self {
        At {
            above: Some(self),
            step: Step::Key(key),
        }
    }

    /// The item `index` of the list here.
    #[must_use]
    pub const fn index(&'a self, index: usize) -> Self {
        At {
            above: Some(self),
            step: Step::Index(index),
        }
    }

    /// The path written out.
    #[must_use]
    pub fn to_path(&self) -> Path {
        let mut path = Path::root();
        self.visit(&mut |step| match step {
            Step::Root => {}
            Step::Field(step) => path.push(step.name),
            Step::Key(key) => path.push(key),
            Step::Index(index) => path.push(index),
        });
        path
    }

    /// Calls `visitor` with the steps from the root down.
    pub(crate) fn visit(&self, visitor: &mut impl FnMut(Step<'a>)) {
        if let Some(above) = self.above {
            above.visit(visitor);
            visitor(self.step);
        }
    }

    /// The place above and the step from there; `None` at the root.
    #[inline]
    pub(crate) const fn split(&self) -> Option<(&'a Self, &Step<'a>)> {
        match self.above {
            Some(above) => Some((above, &self.step)),
            None => None,
        }
    }

    pub(crate) const fn is_root(&self) -> bool {
        self.above.is_none()
    }

    /// The number of segments of the path.
    pub(crate) fn len(&self) -> usize {
        let mut len = 0;
        let mut at = self;
        while let Some(above) = at.above {
            len += 1;
            at = above;
        }
        len
    }
}

/// The path of `at` as it would go out, for messages.
impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_path().fmt(f)
    }
}

/// What can be written as a path.
pub(crate) trait WritePath {
    fn steps(&self) -> usize;
    fn each(&self, visitor: &mut impl FnMut(Step<'_>));
}

impl WritePath for At<'_> {
    fn steps(&self) -> usize {
        self.len()
    }

    #[inline]
    fn each(&self, visitor: &mut impl FnMut(Step<'_>)) {
        self.visit(&mut |step| visitor(step));
    }
}

impl WritePath for Path {
    fn steps(&self) -> usize {
        self.0.len()
    }

    fn each(&self, visitor: &mut impl FnMut(Step<'_>)) {
        for segment in &self.0 {
            visitor(match segment {
                Segment::Key(key) => Step::Key(key),
                Segment::Index(index) => Step::Index(*index),
            });
        }
    }
}
