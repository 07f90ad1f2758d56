//! Finds places that no piece can cross: between two characters that are adjacent in no piece.

/// A set of pairs of characters; may claim to contain others, too.
#[derive(Debug)]
pub(crate) struct Pairs(Vec<u64>);

const BITS: u32 = 18;

#[inline(always)]
fn place(a: char, b: char) -> usize {
    let mixed = (u64::from(u32::from(a)) << 32 | u64::from(u32::from(b)))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (64 - BITS)) as usize
}

impl Pairs {
    pub(crate) fn of<'a>(pieces: impl Iterator<Item = &'a str>) -> Self {
        let mut bits = vec![0; 1 << (BITS - 6)];
        for piece in pieces {
            for (a, b) in piece.chars().zip(piece.chars().skip(1)) {
                let place = place(a, b);
                bits[place / 64] |= 1 << (place % 64);
            }
        }
        Self(bits)
    }

    /// Calls `visit` with start and end of each part of the text that no piece extends beyond.
    #[inline]
    pub(crate) fn cut(
        &self,
        text: &str,
        mut visit: impl FnMut(usize, usize) -> Result<(), String>,
    ) -> Result<(), String> {
        let (mut start, mut before) = (0, None);
        for (at, c) in text.char_indices() {
            if let Some(before) = before {
                let place = place(before, c);
                if self.0[place / 64] >> (place % 64) & 1 == 0 {
                    visit(start, at)?;
                    start = at;
                }
            }
            before = Some(c);
        }
        visit(start, text.len())
    }
}
