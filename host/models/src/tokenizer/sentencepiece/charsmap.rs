//! The table by which a model first replaces characters: a double array of the Darts library, and
//! the replacements.

use crate::error::damaged;

#[derive(Debug)]
pub(crate) struct Charsmap {
    units: Vec<u32>,
    replacements: String,
    /// For each byte below 128, whether it is unchanged when another such byte, or nothing,
    /// follows.
    plain: [bool; 128],
}

/// Number of rules starting at the same place that sentencepiece considers.
const MOST: usize = 32;
/// The label bits of a unit; the highest marks the unit as a value.
const LABEL: u32 = 1 << 31 | 0xff;

/// The offset from a unit to its children.
fn offset(unit: u32) -> usize {
    (unit >> 10 << ((unit & 1 << 9) >> 6)) as usize
}

impl Charsmap {
    /// Reads the table.
    ///
    /// # Errors
    /// When it is damaged.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let wrong = || damaged("the table of characters");
        let (size, rest) = bytes.split_first_chunk::<4>().ok_or_else(wrong)?;
        let size = u32::from_le_bytes(*size) as usize;
        if size < 1024 || !size.is_multiple_of(1024) {
            return Err(wrong());
        }
        let (units, replacements) = rest.split_at_checked(size).ok_or_else(wrong)?;
        let units: Vec<u32> = units
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        let replacements = std::str::from_utf8(replacements).map_err(|_| wrong())?;
        if !replacements.ends_with('\0') {
            return Err(wrong());
        }
        let mut map = Self {
            units,
            replacements: replacements.to_owned(),
            plain: [false; 128],
        };
        if !map.is_sound() {
            return Err(wrong());
        }
        for byte in 1..128u8 {
            let alone = map.longest(&[byte]).is_none();
            map.plain[usize::from(byte)] =
                alone && (0..128).all(|next| map.walk(&[byte, next], |_, _| true) < 2);
        }
        Ok(map)
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        4 * self.units.len() + self.replacements.len()
    }

    /// Checks what sentencepiece checks: no walk leaves the array, and every value is the start of
    /// a replacement.
    fn is_sound(&self) -> bool {
        let stays = |at: usize, unit: u32| (at ^ offset(unit) | 0xff) < self.units.len();
        let is_value = |at: usize| self.units.get(at).is_some_and(|unit| unit >> 31 == 1);
        let root = self.units[0];
        root & (LABEL | 1 << 8) == 0
            && offset(root) != 0
            && stays(0, root)
            && self
                .units
                .iter()
                .enumerate()
                .skip(1)
                .all(|(at, &unit)| match unit >> 31 {
                    0 => stays(at, unit) && (unit >> 8 & 1 == 0 || is_value(at ^ offset(unit))),
                    _ => {
                        self.replacements
                            .is_char_boundary((unit & !(1 << 31)) as usize)
                            && (unit & !(1 << 31)) < self.replacements.len() as u32
                    }
                })
    }

    /// Whether `byte` is unchanged when another byte below 128, or nothing, follows.
    #[inline(always)]
    pub(crate) fn is_plain(&self, byte: u8) -> bool {
        self.plain.get(usize::from(byte)) == Some(&true)
    }

    /// The number of bytes at the start of `text` that the longest rule replaces, and the
    /// replacement.
    #[inline]
    pub(crate) fn longest(&self, text: &[u8]) -> Option<(usize, &str)> {
        let (mut found, mut matches) = (None, 0);
        self.walk(text, |length, value| {
            found = Some((length, value));
            matches += 1;
            matches < MOST
        });
        let (length, start) = found?;
        let replacement = self.replacements.get(start..)?;
        Some((length, &replacement[..replacement.find('\0')?]))
    }

    /// Walks down the trie along `text`. Calls `rule` with length and value of each rule on the way
    /// until it returns false; returns the number of bytes walked.
    #[inline(always)]
    fn walk(&self, text: &[u8], mut rule: impl FnMut(usize, usize) -> bool) -> usize {
        let mut place = offset(self.units[0]);
        for (at, &byte) in text.iter().enumerate() {
            place ^= usize::from(byte);
            let Some(&unit) = self
                .units
                .get(place)
                .filter(|&&unit| unit & LABEL == u32::from(byte))
            else {
                return at;
            };
            place ^= offset(unit);
            if unit >> 8 & 1 == 1 {
                let Some(&value) = self.units.get(place) else {
                    return at;
                };
                if !rule(at + 1, (value & !(1 << 31)) as usize) {
                    return at + 1;
                }
            }
        }
        text.len()
    }
}
