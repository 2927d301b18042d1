//! What the wire has of a text.

/// Texts of up to so many bytes lie in the shadow itself, which then takes no more than a `String` and its memory do.
const SHORT: usize = 30;

/// The shadow of a `String`. A name or a unit is short: it is kept and compared in place.
#[derive(Debug)]
pub struct TextShadow(Kept);

#[derive(Debug)]
enum Kept {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(String),
}

/// How a text of type `T` is kept.
pub(super) trait Keep<T> {
    fn of(text: &T) -> Self;

    fn renew(&mut self, text: &T);

    fn kept(&self) -> &[u8];
}

impl<T: Clone + AsRef<str>> Keep<T> for T {
    fn of(text: &T) -> Self {
        text.clone()
    }

    #[inline]
    fn renew(&mut self, text: &T) {
        self.clone_from(text);
    }

    #[inline]
    fn kept(&self) -> &[u8] {
        self.as_ref().as_bytes()
    }
}

impl Keep<String> for TextShadow {
    fn of(text: &String) -> Self {
        let mut kept = Kept::Short {
            len: 0,
            bytes: [0; SHORT],
        };
        if !kept.fits(text) {
            kept = Kept::Long(text.clone());
        }
        Self(kept)
    }

    #[inline]
    fn renew(&mut self, text: &String) {
        if !self.0.fits(text) {
            self.0.lengthen(text);
        }
    }

    #[inline]
    fn kept(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Kept::Long(text) => text.as_bytes(),
        }
    }
}

impl Kept {
    /// Keeps a short text in place, if there is a place. What was long once stays so, and keeps its memory.
    #[inline]
    fn fits(&mut self, text: &str) -> bool {
        let text = text.as_bytes();
        let Self::Short { len, bytes } = self else {
            return false;
        };
        let Some(place) = bytes.get_mut(..text.len()) else {
            return false;
        };
        // The two ends overlap where the length is less than twice theirs.
        match text.len() {
            8..16 => ends::<8>(place, text),
            16.. => ends::<16>(place, text),
            4..8 => ends::<4>(place, text),
            _ => {
                for (new, old) in place.iter_mut().zip(text) {
                    *new = *old;
                }
            }
        }
        *len = text.len() as u8;
        true
    }

    #[cold]
    #[inline(never)]
    fn lengthen(&mut self, text: &String) {
        match self {
            Self::Short { .. } => *self = Self::Long(text.clone()),
            Self::Long(kept) => kept.clone_from(text),
        }
    }
}

/// Copies a text of `N` to `2 * N` bytes.
#[inline]
fn ends<const N: usize>(place: &mut [u8], text: &[u8]) {
    if let (Some(place), Some(text)) = (place.first_chunk_mut::<N>(), text.first_chunk()) {
        *place = *text;
    }
    if let (Some(place), Some(text)) = (place.last_chunk_mut::<N>(), text.last_chunk()) {
        *place = *text;
    }
}

#[cfg(test)]
mod tests {
    use super::{Keep, TextShadow};

    #[test]
    fn texts_of_any_length_are_kept_one_after_the_other() {
        let text: String = ('!'..='~').collect();
        let mut grown = TextShadow::of(&String::new());
        for len in 0..text.len() {
            let text = text[..len].to_owned();
            assert_eq!(TextShadow::of(&text).kept(), text.as_bytes());
            grown.renew(&text);
            assert_eq!(grown.kept(), text.as_bytes());
        }
        for len in [3, 0, 40, 17] {
            let text = text[text.len() - len..].to_owned();
            grown.renew(&text);
            assert_eq!(grown.kept(), text.as_bytes());
        }
        assert_eq!(size_of::<TextShadow>(), 32);
    }
}
