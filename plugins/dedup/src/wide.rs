//! The permutations of datatrove's MinHash: `(a · h + b) mod 2^61 - 1` of hashes of 64 bits.

use crate::permutations::PRIME;
use crate::twister::Mt19937;

/// A family of hash functions, and the smallest value of each over a set of hashes.
#[derive(Debug, Default)]
pub(crate) struct WidePermutations {
    factors: Vec<(u64, u64)>,
}

impl WidePermutations {
    /// Draws from NumPy's `RandomState(1)`: first `count` numbers a from 1 to PRIME - 1, then `count` numbers
    /// b from 0 to PRIME - 1.
    pub(crate) fn new(count: usize) -> Self {
        let mut rng = Mt19937::new(1);
        let a: Vec<u64> = (0..count).map(|_| 1 + rng.up_to(PRIME - 2)).collect();
        let b = (0..count).map(|_| rng.up_to(PRIME - 1));
        Self {
            factors: a.into_iter().zip(b).collect(),
        }
    }

    /// The minima over `hashes`, one per permutation; all ones without hashes.
    pub(crate) fn minima(&self, hashes: &[u64], out: &mut Vec<u64>) {
        out.clear();
        out.extend(self.factors.iter().map(|&(a, b)| {
            let value = |&hash: &u64| {
                // The product wraps at 2^64 before the remainder is taken, as NumPy's does.
                let x = a.wrapping_mul(hash).wrapping_add(b);
                let folded = (x & PRIME) + (x >> 61);
                (folded + ((folded + 1) >> 61)) & PRIME
            };
            hashes.iter().map(value).min().unwrap_or(u64::MAX)
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_numpy_draws() {
        let drawn = WidePermutations::new(3);
        assert_eq!(
            drawn.factors,
            [
                (775_169_054_918_279_404, 965_365_488_286_768_773),
                (1_758_426_461_858_698_313, 401_325_382_989_534_144),
                (2_109_959_069_025_162, 1_703_346_441_743_126_657)
            ]
        );
    }

    #[test]
    fn values_are_remainders() {
        for b in [
            0,
            1,
            PRIME - 1,
            PRIME,
            PRIME + 7,
            2 * PRIME,
            u64::MAX,
            7 << 61,
        ] {
            let permutations = WidePermutations {
                factors: vec![(1, b)],
            };
            let mut out = Vec::new();
            permutations.minima(&[0], &mut out);
            assert_eq!(out, [b % PRIME], "{b:#x}");
        }
    }
}
