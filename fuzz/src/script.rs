//! Input that is more than one thing: a list of steps.

/// Steps, each a number that says what to do and bytes to do it with.
///
/// Written as the number, two bytes of length (low one first), and the bytes. `seeds.py` writes the same.
pub(crate) struct Script<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Script<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[number, low, high], rest) = self.0.split_first_chunk()?;
        let length = usize::from(u16::from_le_bytes([low, high]));
        let (bytes, rest) = rest.split_at(length.min(rest.len()));
        self.0 = rest;
        Some((number, bytes))
    }
}
