//! Which classes a character belongs to.

use crate::classes::{ALPHANUMERIC, CLASSES};
use std::sync::LazyLock;

/// The classes of the Basic Multilingual Plane, by code point.
static PLANE: LazyLock<Box<[u32]>> = LazyLock::new(|| {
    let mut plane = vec![0; 0x1_0000];
    for (i, &(start, flags)) in CLASSES.iter().enumerate() {
        let end = CLASSES.get(i + 1).map_or(u32::MAX, |next| next.0);
        for code in start..end.min(0x1_0000) {
            plane[code as usize] = flags;
        }
    }
    plane.into()
});

/// The classes of characters, to look them up many times.
#[derive(Debug, Clone, Copy)]
pub struct Classes(&'static [u32]);

impl Classes {
    /// The classes.
    pub fn get() -> Self {
        Self(&PLANE)
    }

    /// The classes of `c`: a sum of the constants of [`crate::classes`].
    #[inline]
    pub fn of(self, c: char) -> u32 {
        match self.0.get(c as usize) {
            Some(&flags) => flags,
            None => {
                let next = CLASSES.partition_point(|&(start, _)| start <= c as u32);
                CLASSES[next - 1].1
            }
        }
    }

    /// Whether `c` is in a word for Python's `re`: a letter, a digit or `_`.
    pub fn is_word(self, c: char) -> bool {
        c == '_' || self.has(c, ALPHANUMERIC)
    }

    /// Whether `c` is in one of `classes`.
    #[inline]
    pub fn has(self, c: char, classes: u32) -> bool {
        self.of(c) & classes != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::{CAPITAL, DIGIT, ICON, LETTER, TERMINAL};

    #[test]
    fn characters_of_all_planes_are_found() {
        let classes = Classes::get();
        for (c, class) in [
            ('a', LETTER),
            ('É', CAPITAL),
            ('٣', DIGIT),
            ('😀', ICON),
            ('𑙁', TERMINAL),
            ('𝔘', LETTER),
        ] {
            assert!(classes.has(c, class), "{c}");
        }
        for (c, class) in [
            ('1', LETTER),
            ('é', CAPITAL),
            ('½', DIGIT),
            ('\u{10ffff}', u32::MAX),
            ('\0', LETTER),
        ] {
            assert!(!classes.has(c, class), "{c:?}");
        }
    }
}
