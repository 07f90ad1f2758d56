//! Numbers at any place of a file, aligned or not.

/// The number at a place, if the bytes reach as far.
#[inline(always)]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The number at a place, if the bytes reach as far.
#[inline(always)]
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The number at a place, if the bytes reach as far.
#[inline(always)]
pub(crate) fn f32_at(bytes: &[u8], at: usize) -> Option<f32> {
    u32_at(bytes, at).map(f32::from_bits)
}

/// The floats in some bytes.
#[inline(always)]
pub(crate) fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
}

/// Whether all floats in some bytes are numbers.
pub(crate) fn all_finite(bytes: &[u8]) -> bool {
    // In blocks, and without leaving one early: many at a time.
    bytes.chunks(1 << 14).all(|block| {
        floats(block).fold(true, |all, value| {
            all & (value.to_bits() & 0x7f80_0000 != 0x7f80_0000)
        })
    })
}

/// Takes remainders by a fixed number with multiplications (Lemire, Kaser and Kurz 2019).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remainder {
    divisor: u32,
    inverse: u64,
}

impl Remainder {
    /// For a divisor that is not 0.
    pub(crate) fn by(divisor: u32) -> Self {
        let divisor = divisor.max(1);
        Self {
            divisor,
            inverse: (u64::MAX / u64::from(divisor)).wrapping_add(1),
        }
    }

    #[inline(always)]
    pub(crate) fn of(self, number: u32) -> u32 {
        let fraction = self.inverse.wrapping_mul(u64::from(number));
        ((u128::from(fraction) * u128::from(self.divisor)) >> 64) as u32
    }

    #[inline(always)]
    pub(crate) fn of_long(self, number: u64) -> u32 {
        (number % u64::from(self.divisor)) as u32
    }
}

/// The same for long numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LongRemainder {
    divisor: u64,
    inverse: u128,
}

impl LongRemainder {
    /// For a divisor that is not 0.
    pub(crate) fn by(divisor: u64) -> Self {
        let divisor = divisor.max(1);
        Self {
            divisor,
            inverse: (u128::MAX / u128::from(divisor)).wrapping_add(1),
        }
    }

    #[inline(always)]
    pub(crate) fn of(self, number: u64) -> u64 {
        let fraction = self.inverse.wrapping_mul(u128::from(number));
        let divisor = u128::from(self.divisor);
        let low = (u128::from(fraction as u64) * divisor) >> 64;
        (((fraction >> 64) * divisor + low) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_are_those_of_a_division() {
        for divisor in [1, 2, 3, 7, 1 << 16, 2_000_000, u32::MAX - 1, u32::MAX] {
            let remainder = Remainder::by(divisor);
            for number in (0..1000).flat_map(|n| [n, n * 4_294_967, u32::MAX - n]) {
                assert_eq!(remainder.of(number), number % divisor, "{number} {divisor}");
            }
        }
    }

    #[test]
    fn long_remainders_are_those_of_a_division() {
        for divisor in [
            1,
            2,
            3,
            1 << 32,
            1_000_003,
            u64::MAX / 3,
            u64::MAX - 1,
            u64::MAX,
        ] {
            let remainder = LongRemainder::by(divisor);
            for number in (0..1000).flat_map(|n| [n, n * (u64::MAX / 999), u64::MAX - n]) {
                assert_eq!(remainder.of(number), number % divisor, "{number} {divisor}");
            }
        }
    }

    #[test]
    fn what_is_no_number_is_found() {
        let mut bytes = vec![0; 4 * 10_000];
        assert!(all_finite(&bytes));
        for bits in [f32::NAN.to_bits(), f32::INFINITY.to_bits(), 0xff80_0001] {
            bytes[4 * 7_000..][..4].copy_from_slice(&bits.to_le_bytes());
            assert!(!all_finite(&bytes));
        }
    }
}
