//! The permutations of MinHash: `(a · h + b) mod 2^61 - 1`, with the numbers a and b that
//! Data-Juicer draws.

/// 2^61 - 1, a Mersenne prime.
const PRIME: u64 = (1 << 61) - 1;
/// Number of permutations computed side by side.
const BLOCK: usize = 16;

/// A family of hash functions, and the smallest value of each over a set of hashes.
#[derive(Debug, Default)]
pub(crate) struct Permutations {
    a: Vec<[u64; BLOCK]>,
    b: Vec<[u64; BLOCK]>,
    count: usize,
}

impl Permutations {
    /// Draws `count` pairs from NumPy's `RandomState(42)`: a from 1 to PRIME - 1, b from 0 to
    /// PRIME - 1.
    pub(crate) fn new(count: usize) -> Self {
        let mut rng = Mt19937::new(42);
        let blocks = count.div_ceil(BLOCK);
        let (mut a, mut b) = (vec![[0; BLOCK]; blocks], vec![[0; BLOCK]; blocks]);
        for i in 0..count {
            a[i / BLOCK][i % BLOCK] = 1 + rng.up_to(PRIME - 2);
            b[i / BLOCK][i % BLOCK] = rng.up_to(PRIME - 1);
        }
        Self { a, b, count }
    }

    /// The minima over `hashes`, one per permutation; all ones without hashes.
    pub(crate) fn minima(&self, hashes: &[u32], out: &mut Vec<u32>) {
        out.clear();
        for (a, b) in self.a.iter().zip(&self.b) {
            let mut least = [u32::MAX; BLOCK];
            for &hash in hashes {
                for i in 0..BLOCK {
                    // The product wraps at 2^64 before the remainder is taken, as NumPy's does.
                    let x = a[i].wrapping_mul(hash.into()).wrapping_add(b[i]);
                    // Below PRIME + 8. Subtracts PRIME unless it is below that, which for the lower
                    // half means adding one.
                    let folded = (x & PRIME) + (x >> 61);
                    least[i] = least[i].min((folded + ((folded + 1) >> 61)) as u32);
                }
            }
            out.extend_from_slice(&least);
        }
        out.truncate(self.count);
    }

    /// Like [`Permutations::minima`], with `a · h + b` in 32 bits (a odd): several times as fast,
    /// different values.
    pub(crate) fn fast_minima(&self, hashes: &[u32], out: &mut Vec<u32>) {
        out.clear();
        for (a, b) in self.a.iter().zip(&self.b) {
            let (a, b) = (a.map(|a| (a >> 16) as u32 | 1), b.map(|b| (b >> 16) as u32));
            let mut least = [u32::MAX; BLOCK];
            for &hash in hashes {
                for i in 0..BLOCK {
                    least[i] = least[i].min(a[i].wrapping_mul(hash).wrapping_add(b[i]));
                }
            }
            out.extend_from_slice(&least);
        }
        out.truncate(self.count);
    }
}

/// The Mersenne Twister of Matsumoto and Nishimura (MT19937), seeded as NumPy's
/// `RandomState(seed)`.
struct Mt19937 {
    state: [u32; 624],
    next: usize,
}

impl Mt19937 {
    fn new(seed: u32) -> Self {
        let mut state = [seed; 624];
        for i in 1..624 {
            state[i] = (state[i - 1] ^ state[i - 1] >> 30)
                .wrapping_mul(1_812_433_253)
                .wrapping_add(i as u32);
        }
        Self { state, next: 624 }
    }

    fn next_u32(&mut self) -> u32 {
        if self.next == 624 {
            for i in 0..624 {
                let y = self.state[i] & 0x8000_0000 | self.state[(i + 1) % 624] & 0x7fff_ffff;
                self.state[i] = self.state[(i + 397) % 624] ^ y >> 1 ^ (0x9908_b0df * (y & 1));
            }
            self.next = 0;
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    /// Draws a number in `0..=max`: draws masked bits until they fit, upper half first.
    fn up_to(&mut self, max: u64) -> u64 {
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
            drawn.a[0][..3],
            [
                2_297_359_619_001_564_596,
                1_973_689_801_170_867_272,
                572_192_888_165_898_362
            ]
        );
        assert_eq!(
            drawn.b[0][..3],
            [
                1_396_682_528_897_996_046,
                1_819_927_849_474_927_636,
                571_748_048_327_668_950
            ]
        );
    }

    #[test]
    fn the_fold_is_the_remainder() {
        let permutations = Permutations::new(33);
        let mut out = Vec::new();
        for hash in [0, 1, 2, 0xffff_ffff, 0x1234_5678] {
            permutations.minima(&[hash], &mut out);
            for (i, &value) in out.iter().enumerate() {
                let (a, b) = (
                    permutations.a[i / BLOCK][i % BLOCK],
                    permutations.b[i / BLOCK][i % BLOCK],
                );
                assert_eq!(
                    value,
                    (a.wrapping_mul(hash.into()).wrapping_add(b) % PRIME) as u32
                );
            }
            assert_eq!(out.len(), 33);
        }
        // Above, at and below the prime after the fold.
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
            let permutations = Permutations {
                a: vec![[0; BLOCK]],
                b: vec![[x; BLOCK]],
                count: 1,
            };
            permutations.minima(&[5], &mut out);
            assert_eq!(out, [(x % PRIME) as u32], "{x:#x}");
        }
        permutations.minima(&[], &mut out);
        assert_eq!(out, [u32::MAX; 33]);
    }

    #[test]
    fn the_minimum_is_over_all_hashes() {
        let permutations = Permutations::new(20);
        let minima = |hashes: &[u32]| {
            let (mut exact, mut fast) = (Vec::new(), Vec::new());
            permutations.minima(hashes, &mut exact);
            permutations.fast_minima(hashes, &mut fast);
            [exact, fast].concat()
        };
        let least: Vec<u32> = minima(&[7])
            .into_iter()
            .zip(minima(&[9]))
            .map(|(a, b)| a.min(b))
            .collect();
        assert_eq!(minima(&[7, 9]), least);
        assert_ne!(minima(&[7]), least);
    }
}
