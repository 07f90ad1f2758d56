//! The permutations of MinHash: `(a · h + b) mod 2^61 - 1`, with the numbers a and b that
//! Data-Juicer draws.

use crate::lanes::{Lanes, N};
use crate::twister::Mt19937;

/// 2^61 - 1, a Mersenne prime.
pub(crate) const PRIME: u64 = (1 << 61) - 1;
/// Number of permutations computed side by side, in four vectors.
const SIDE: usize = 4 * N;
/// Number of hashes of which the least value is kept for each permutation.
const GROUP: usize = 16;
/// A value is the lower half of `a · h + b` and at most this much: the remainder adds the three bits
/// above 2^61, and one more if that passes the prime.
const ADDED: u32 = 8;

/// A family of hash functions, and the smallest value of each over a set of hashes.
#[derive(Debug, Default)]
pub(crate) struct Permutations {
    factors: Vec<(u64, u64)>,
    /// The lower halves of the factors, and of the second ones with [`ADDED`].
    halves: Vec<([u32; SIDE], [u32; SIDE])>,
    /// For each group of hashes the least lower halves. Reused from call to call.
    least: Vec<[u32; SIDE]>,
}

impl Permutations {
    /// Draws `count` pairs from NumPy's `RandomState(42)`: a from 1 to PRIME - 1, b from 0 to
    /// PRIME - 1.
    pub(crate) fn new(count: usize) -> Self {
        let mut rng = Mt19937::new(42);
        let factors = (0..count).map(|_| (1 + rng.up_to(PRIME - 2), rng.up_to(PRIME - 1)));
        Self::of(factors.collect())
    }

    fn of(factors: Vec<(u64, u64)>) -> Self {
        let halves = factors.chunks(SIDE).map(|factors| {
            let (mut low_a, mut low_b) = ([0; SIDE], [0; SIDE]);
            for (i, &(a, b)) in factors.iter().enumerate() {
                low_a[i] = a as u32;
                low_b[i] = (b as u32).wrapping_add(ADDED);
            }
            (low_a, low_b)
        });
        Self {
            halves: halves.collect(),
            factors,
            least: Vec::new(),
        }
    }

    /// The minima over `hashes`, one per permutation; all ones without hashes.
    ///
    /// Lower halves need only products of 32 bits, of which a vector of WebAssembly computes four at
    /// a time. Only the groups of hashes where the lower half comes close to the least one can have
    /// the least value, mostly one group, and only there it is computed. In a run over 230 MB with
    /// 112 permutations this takes 0.3 s of CPU, where all values took 0.7.
    pub(crate) fn minima(&mut self, hashes: &[u32], out: &mut Vec<u32>) {
        out.clear();
        for ((low_a, low_b), factors) in self.halves.iter().zip(self.factors.chunks(SIDE)) {
            self.least.clear();
            let mut all = [u32::MAX; SIDE];
            for hashes in hashes.chunks(GROUP) {
                let least = least(low_a, low_b, hashes);
                for i in 0..SIDE {
                    all[i] = all[i].min(least[i]);
                }
                self.least.push(least);
            }
            for (i, &factors) in factors.iter().enumerate() {
                let enough = match all[i] {
                    // A value may pass 2^32, and so be the least, wherever it is.
                    0..ADDED => u32::MAX,
                    least => least.saturating_add(ADDED),
                };
                let close = self.least.iter().zip(hashes.chunks(GROUP));
                let minima = close
                    .filter(|(least, _)| least[i] <= enough)
                    .map(|(_, hashes)| minimum(factors, hashes));
                out.push(minima.min().unwrap_or(u32::MAX));
            }
        }
    }
}

/// The least lower halves over `hashes`. A function of its own: within a larger one its vectors do
/// not stay in registers.
#[inline(never)]
fn least(a: &[u32; SIDE], b: &[u32; SIDE], hashes: &[u32]) -> [u32; SIDE] {
    let vectors = |values: &[u32; SIDE]| {
        let parts = values.as_chunks::<N>().0;
        [0, 1, 2, 3].map(|i| Lanes::new(parts[i]))
    };
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (vectors(a), vectors(b));
    let all = Lanes::new([u32::MAX; N]);
    let (mut m0, mut m1, mut m2, mut m3) = (all, all, all, all);
    // Written out: a compiler puts hashes side by side instead, and runs out of registers.
    for &hash in hashes {
        let hash = Lanes::new([hash; N]);
        m0 = m0.min(a0.mul(hash) + b0);
        m1 = m1.min(a1.mul(hash) + b1);
        m2 = m2.min(a2.mul(hash) + b2);
        m3 = m3.min(a3.mul(hash) + b3);
    }
    let mut least = [0; SIDE];
    for (to, from) in least
        .as_chunks_mut::<N>()
        .0
        .iter_mut()
        .zip([m0, m1, m2, m3])
    {
        *to = from.values();
    }
    least
}

/// The least value of `(a · h + b) mod PRIME`, its lower half, over `hashes`.
fn minimum((a, b): (u64, u64), hashes: &[u32]) -> u32 {
    let value = |&hash: &u32| {
        // The product wraps at 2^64 before the remainder is taken, as NumPy's does.
        let x = a.wrapping_mul(hash.into()).wrapping_add(b);
        // Below PRIME + 8. Subtracts PRIME unless it is below that, which for the lower half means
        // adding one.
        let folded = (x & PRIME) + (x >> 61);
        (folded + ((folded + 1) >> 61)) as u32
    };
    hashes.iter().map(value).min().unwrap_or(u32::MAX)
}

impl Mt19937 {
    /// Draws a number in `0..=max`: draws masked bits until they fit, upper half first.
    pub(crate) fn up_to(&mut self, max: u64) -> u64 {
        let mask = u64::MAX >> max.leading_zeros();
        loop {
            let high = self.next_u32();
            let number = (u64::from(high) << 32 | u64::from(self.next_u32())) & mask;
            if number <= max {
                return number;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_numpy_draws() {
        let drawn = Permutations::new(3);
        assert_eq!(
            drawn.factors,
            [
                (2_297_359_619_001_564_596, 1_396_682_528_897_996_046),
                (1_973_689_801_170_867_272, 1_819_927_849_474_927_636),
                (572_192_888_165_898_362, 571_748_048_327_668_950)
            ]
        );
    }

    /// As NumPy computes it, one value at a time.
    fn expected(permutations: &Permutations, hashes: &[u32]) -> Vec<u32> {
        let least = |&(a, b): &(u64, u64)| {
            let values = hashes
                .iter()
                .map(|&hash| (a.wrapping_mul(hash.into()).wrapping_add(b) % PRIME) as u32);
            values.min().unwrap_or(u32::MAX)
        };
        permutations.factors.iter().map(least).collect()
    }

    #[test]
    fn the_minimum_is_over_all_hashes() {
        let mut permutations = Permutations::new(33);
        let mut out = Vec::new();
        let mut hash = 1u32;
        let hashes: Vec<u32> = std::iter::repeat_with(|| {
            hash = hash.wrapping_mul(0x9e37_79b1).wrapping_add(0x7f4a_7c15);
            hash
        })
        .take(1000)
        .collect();
        for count in [0, 1, 2, 15, 16, 17, 40, 1000] {
            permutations.minima(&hashes[..count], &mut out);
            assert_eq!(out, expected(&permutations, &hashes[..count]), "{count}");
        }
        permutations.minima(&[0, u32::MAX], &mut out);
        assert_eq!(out, expected(&permutations, &[0, u32::MAX]));
    }

    #[test]
    fn the_fold_is_the_remainder() {
        // Above, at and below the prime after the fold: with a hash of 0 the sum is b.
        let edges = [
            PRIME - 1,
            PRIME,
            PRIME + 1,
            2 * PRIME,
            2 * PRIME + 1,
            u64::MAX,
            7 << 61,
            (7 << 61) - 1,
        ];
        for x in edges {
            let mut permutations = Permutations::of(vec![(0, x)]);
            let mut out = Vec::new();
            permutations.minima(&[5], &mut out);
            assert_eq!(out, [(x % PRIME) as u32], "{x:#x}");
        }
    }

    #[test]
    fn lower_halves_close_to_each_other_are_all_looked_at() {
        // The lower halves of hashes in a row differ by one, and the three bits above 2^61 go up and
        // down: wherever the least value is, and whether or not it passes 2^32.
        for start in [0u32, 5, 100, u32::MAX - 60, u32::MAX - 3] {
            for high in [1, 3, 5, 7u64] {
                let factors = (high << 61 | 1, 0);
                let mut permutations = Permutations::of(vec![factors]);
                let hashes: Vec<u32> = (0..60).map(|i| start.wrapping_add(i * 7 % 60)).collect();
                let mut out = Vec::new();
                permutations.minima(&hashes, &mut out);
                assert_eq!(out, expected(&permutations, &hashes), "{start} {high}");
            }
        }
        // Past the prime: the value is 0 though the lower half is the greatest.
        let mut permutations = Permutations::of(vec![(1, PRIME - 40)]);
        let hashes: Vec<u32> = (0..60).rev().collect();
        let mut out = Vec::new();
        permutations.minima(&hashes, &mut out);
        assert_eq!(out, [0]);
    }
}
