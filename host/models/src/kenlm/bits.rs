//! Numbers of any number of bits at any bit of a file.

use crate::numbers::u64_at;

/// The number of bits of a number.
pub(crate) fn width(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// The number of `width` bits, at most 57, at a bit. None if it is not followed by up to 8 bytes
/// within the file.
#[inline(always)]
pub(crate) fn read(bytes: &[u8], bit: u64, width: u32) -> Option<u64> {
    let word = u64_at(bytes, usize::try_from(bit >> 3).ok()?)?;
    Some(word >> (bit & 7) & ((1 << width) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_any_bit() {
        let bytes: Vec<u8> = (0..32).map(|n| n * 37 + 11).collect();
        let bit = |at: u64| u64::from(bytes[at as usize / 8] >> (at % 8) & 1);
        for at in 0..190 {
            for width in 0..=57 {
                let expected = (0..width).fold(0, |n, i| n | bit(at + u64::from(i)) << i);
                let readable = at / 8 + 8 <= 32;
                assert_eq!(read(&bytes, at, width), readable.then_some(expected));
            }
        }
        assert_eq!(read(&bytes, u64::MAX, 5), None);
    }

    #[test]
    fn widths_are_those_of_the_largest_number() {
        let widths = [0, 1, 2, 3, 4, 255, 256].map(width);
        assert_eq!(widths, [0, 1, 2, 2, 3, 8, 9]);
    }
}
