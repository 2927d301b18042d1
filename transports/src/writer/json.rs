//! A `Set` of a leaf in JSON, by far the most frequent op.
//!
//! Room for a whole op is made at once, and the pieces are put into it: one check of the room for each of them, and no
//! read of what was just written, for which a processor would have to wait.

use super::set::Leaf;
use super::{INFALLIBLE, Writer, json_text};
use crate::path::{At, Step};
use crate::writer::Head;

/// Enough for three steps and a number.
const ROOM: usize = 160;

impl Writer {
    /// The bytes that [`op`](Self::op) makes of such a `Set`.
    #[inline]
    pub(crate) fn json_set_leaf(&mut self, at: &At<'_>, leaf: Leaf<'_>) {
        let out = &mut self.buffer;
        let start = out.len();
        out.extend_from_slice(&[0; ROOM]);
        let written = out.last_chunk_mut().and_then(|room| {
            let mut pen = Pen { room, end: 0 };
            // Only ops stand in this buffer, so one that is not the first follows another.
            pen.path(at, start > 0)?;
            let whole = pen.number(leaf).is_some();
            Some((pen.end, whole))
        });
        match written {
            Some((len, true)) => out.truncate(start + len),
            Some((len, false)) => {
                out.truncate(start + len);
                value(out, leaf);
            }
            None => {
                out.truncate(start);
                self.json_op(Head::Set, at, |out| out.leaf(leaf));
            }
        }
    }
}

/// The end of an op behind its path, for values of any length.
#[inline(never)]
fn value(out: &mut Vec<u8>, leaf: Leaf<'_>) {
    match leaf {
        Leaf::Int(value) => {
            out.extend_from_slice(b"],\"value\":{\"Int\":");
            out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        }
        Leaf::Float(value) if value.is_finite() => {
            out.extend_from_slice(b"],\"value\":{\"Float\":");
            serde_json::to_writer(&mut *out, &value).expect(INFALLIBLE);
        }
        Leaf::Float(_) => return out.extend_from_slice(b"],\"value\":\"Null\"}}"),
        Leaf::Bool(true) => out.extend_from_slice(b"],\"value\":{\"Bool\":true"),
        Leaf::Bool(false) => out.extend_from_slice(b"],\"value\":{\"Bool\":false"),
        Leaf::Str(value) => {
            out.extend_from_slice(b"],\"value\":{\"Str\":");
            json_text(&mut *out, value);
        }
    }
    out.extend_from_slice(b"}}}");
}

/// Writes into a room. What returns `None` has found no space, or nothing that is easily written.
struct Pen<'a> {
    room: &'a mut [u8; ROOM],
    end: usize,
}

impl Pen<'_> {
    /// All of `piece`, of which the first `len` bytes count.
    #[inline(always)]
    fn put<const N: usize>(&mut self, piece: &[u8; N], len: usize) -> Option<()> {
        *self.room.get_mut(self.end..)?.first_chunk_mut()? = *piece;
        self.end += len;
        Some(())
    }

    #[inline(always)]
    fn all<const N: usize>(&mut self, piece: &[u8; N]) -> Option<()> {
        self.put(piece, N)
    }

    /// An op up to the end of the last step of its path.
    #[inline(always)]
    fn path(&mut self, at: &At<'_>, follows: bool) -> Option<()> {
        let Some((above, last)) = at.split() else {
            return self.open(follows);
        };
        let Some((top, middle)) = above.split() else {
            return self.first(last, follows);
        };
        match top.split() {
            None => self.first(middle, follows)?,
            Some((root, first)) => {
                if root.is_root() {
                    self.first(first, follows)?;
                } else {
                    self.far_path(top, follows)?;
                }
                self.step(middle)?;
            }
        }
        self.step(last)
    }

    /// The path to what is deep in a model.
    #[cold]
    #[inline(never)]
    fn far_path(&mut self, at: &At<'_>, follows: bool) -> Option<()> {
        self.path(at, follows)
    }

    #[inline(always)]
    fn open(&mut self, follows: bool) -> Option<()> {
        if follows {
            self.all(b",{\"Set\":{\"path\":[")
        } else {
            self.all(b"{\"Set\":{\"path\":[")
        }
    }

    /// All before the first step, and that.
    #[inline(always)]
    fn first(&mut self, step: &Step<'_>, follows: bool) -> Option<()> {
        if let Step::Field(field) = step {
            let block = field.json_first.as_ref()?;
            // Of a comma in front, which is not wanted before the first op.
            return if follows {
                self.put(block.memory(), block.len())
            } else {
                self.put(block.memory().last_chunk::<63>()?, block.len() - 1)
            };
        }
        self.open(follows)?;
        match *step {
            Step::Key(key) => self.key(key),
            Step::Index(index) => self.index(index),
            Step::Root | Step::Field(_) => None,
        }
    }

    /// A step that follows another.
    #[inline(always)]
    fn step(&mut self, step: &Step<'_>) -> Option<()> {
        if let Step::Field(field) = step {
            let block = field.json.as_ref()?;
            return self.put(block.memory(), block.len());
        }
        self.all(b",")?;
        match *step {
            Step::Key(key) => self.key(key),
            Step::Index(index) => self.index(index),
            Step::Root | Step::Field(_) => None,
        }
    }

    #[inline(always)]
    fn index(&mut self, index: usize) -> Option<()> {
        self.all(b"{\"Index\":")?;
        self.digits(index as u64)?;
        self.all(b"}")
    }

    /// A key that needs no escaping.
    #[inline(always)]
    fn key(&mut self, key: &str) -> Option<()> {
        let bytes = key.as_bytes();
        let plain = bytes.iter().fold(true, |plain, byte| {
            plain & (*byte >= b' ') & (*byte != b'"') & (*byte != b'\\')
        });
        if !plain {
            return None;
        }
        self.all(b"{\"Key\":\"")?;
        let end = self.end + bytes.len();
        self.room.get_mut(self.end..end)?.copy_from_slice(bytes);
        self.end = end;
        self.all(b"\"}")
    }

    /// A value that is a number or truth, and the end of the op.
    #[inline(always)]
    fn number(&mut self, leaf: Leaf<'_>) -> Option<()> {
        let before = self.end;
        let done = match leaf {
            Leaf::Int(value) => self.int(value),
            Leaf::Bool(true) => self.all(b"],\"value\":{\"Bool\":true}}}"),
            Leaf::Bool(false) => self.all(b"],\"value\":{\"Bool\":false}}}"),
            Leaf::Float(_) | Leaf::Str(_) => None,
        };
        if done.is_none() {
            self.end = before;
        }
        done
    }

    #[inline(always)]
    fn int(&mut self, value: i64) -> Option<()> {
        self.all(b"],\"value\":{\"Int\":")?;
        if value < 0 {
            self.all(b"-")?;
        }
        self.digits(value.unsigned_abs())?;
        self.all(b"}}}")
    }

    #[inline(always)]
    fn digits(&mut self, number: u64) -> Option<()> {
        if number < 100_000_000 {
            let (digits, len) = eight_digits(number);
            return self.put(&digits, len);
        }
        self.many_digits(number)
    }

    #[cold]
    #[inline(never)]
    fn many_digits(&mut self, number: u64) -> Option<()> {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number).as_bytes();
        let end = self.end + digits.len();
        self.room.get_mut(self.end..end)?.copy_from_slice(digits);
        self.end = end;
        Some(())
    }
}

/// A number of up to eight digits, and how many it has: all of them worked out side by side in one register, so that
/// they need not be gathered from memory.
#[inline(always)]
const fn eight_digits(number: u64) -> ([u8; 8], usize) {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    // Times 10,486 by 2^20 is a division by 100 for less than 10,000; the lanes do not touch.
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - hundreds * 100) << 16);
    // And times 103 by 2^10 is one by 10 for less than 100.
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | ((twos - tens * 10) << 8);
    // The last digit stays, whatever it is.
    let zeros = (ones | (1 << 56)).trailing_zeros() / 8;
    let text = (ones | 0x3030_3030_3030_3030) >> (8 * zeros);
    (text.to_le_bytes(), 8 - zeros as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Leaf, eight_digits};
    use crate::path::{At, FieldStep};
    use crate::writer::{Format, Head, Writer};

    fn digits(number: u64) -> String {
        let (digits, len) = eight_digits(number);
        String::from_utf8_lossy(&digits[..len]).into_owned()
    }

    #[test]
    fn all_numbers_of_four_digits() {
        for number in 0..10_000 {
            assert_eq!(digits(number), number.to_string());
            let high = number * 10_000;
            assert_eq!(digits(high), high.to_string());
        }
    }

    fn leaves() -> impl Strategy<Value = (Option<i64>, Option<f64>, Option<bool>, String)> {
        any::<(Option<i64>, Option<f64>, Option<bool>, String)>()
    }

    proptest! {
        #[test]
        fn numbers_of_up_to_eight_digits(number in 0..100_000_000_u64) {
            prop_assert_eq!(digits(number), number.to_string());
        }

        #[test]
        fn a_leaf_is_written_as_any_value_is(
            (int, float, truth, text) in leaves(),
            small in any::<i16>(),
            key in "[a-z\"\\\\\u{1}é]{0,90}",
            index in any::<usize>(),
            depth in 0..6_usize,
            shape in any::<u8>(),
        ) {
            let leaf = match (int, float, truth) {
                (Some(value), _, _) if shape & 1 == 0 => Leaf::Int(value),
                (Some(_), _, _) => Leaf::Int(small.into()),
                (_, Some(value), _) => Leaf::Float(value),
                (_, _, Some(value)) => Leaf::Bool(value),
                _ => Leaf::Str(&text),
            };
            let (mut quick, mut any) = (
                Writer::new(Format::Json, Vec::new()),
                Writer::new(Format::Json, Vec::new()),
            );
            let mut both = |at: &At<'_>| {
                for _ in 0..2 {
                    quick.json_set_leaf(at, leaf);
                    any.op(Head::Set, at, |out| out.leaf(leaf));
                }
            };
            fn descend(at: &At<'_>, depth: usize, shape: u8, key: &str, index: usize, both: &mut dyn FnMut(&At<'_>)) {
                if depth == 0 {
                    return both(at);
                }
                let short = const { &FieldStep::new("level") };
                let long = const { &FieldStep::new("a_name_that_is_much_longer_than_a_block_of_memory") };
                let deeper = match (shape as usize + depth) % 4 {
                    0 => at.field(short),
                    1 => at.index(index),
                    2 => at.key(key),
                    _ if shape > 200 => at.field(long),
                    _ => at.index(index % 1000),
                };
                descend(&deeper, depth - 1, shape, key, index, both);
            }
            descend(&At::root(), depth, shape, &key, index, &mut both);
            prop_assert_eq!(quick.bytes(), any.bytes());
        }
    }
}
