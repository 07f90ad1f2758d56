//! The shuffle of NumPy's default generator, with which Data-Juicer chooses at random: equal seeds
//! choose equal rows.
//!
//! The generator is PCG64 (XSL-RR, <https://www.pcg-random.org>), seeded by NumPy's `SeedSequence`.

struct Pcg64 {
    state: u128,
    increment: u128,
    /// The upper half of the last 64 bits, if unused.
    half: Option<u32>,
}

const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

impl Pcg64 {
    fn new(seed: u64) -> Self {
        let words = seed_words(seed);
        let mut rng = Self {
            state: 0,
            increment: (u128::from(words[2]) << 64 | u128::from(words[3])) << 1 | 1,
            half: None,
        };
        rng.step();
        rng.state = rng
            .state
            .wrapping_add(u128::from(words[0]) << 64 | u128::from(words[1]));
        rng.step();
        rng
    }

    fn step(&mut self) {
        self.state = self
            .state
            .wrapping_mul(MULTIPLIER)
            .wrapping_add(self.increment);
    }

    fn next_u64(&mut self) -> u64 {
        self.step();
        ((self.state >> 64) as u64 ^ self.state as u64).rotate_right((self.state >> 122) as u32)
    }

    fn next_u32(&mut self) -> u32 {
        self.half.take().unwrap_or_else(|| {
            let bits = self.next_u64();
            self.half = Some((bits >> 32) as u32);
            bits as u32
        })
    }

    /// Draws a number in `0..=max`: draws masked bits until they fit.
    fn up_to(&mut self, max: u32) -> u32 {
        let mask = u32::MAX >> max.leading_zeros();
        loop {
            let number = self.next_u32() & mask;
            if number <= max {
                return number;
            }
        }
    }
}

/// Four words of state from a seed, as `numpy.random.SeedSequence(seed).generate_state(4, uint64)`.
fn seed_words(seed: u64) -> [u64; 4] {
    let hash = |value: u32, constant: &mut u32, multiplier: u32| {
        let value = value ^ *constant;
        *constant = constant.wrapping_mul(multiplier);
        let value = value.wrapping_mul(*constant);
        value ^ value >> 16
    };
    let mut constant = 0x43b0_d7e5;
    let mut pool =
        [seed as u32, (seed >> 32) as u32, 0, 0].map(|word| hash(word, &mut constant, 0x931e_8875));
    for from in 0..4 {
        for to in 0..4 {
            if from != to {
                let other = hash(pool[from], &mut constant, 0x931e_8875);
                let mixed = pool[to]
                    .wrapping_mul(0xca01_f9dd)
                    .wrapping_sub(other.wrapping_mul(0x4973_f715));
                pool[to] = mixed ^ mixed >> 16;
            }
        }
    }
    let mut constant = 0x8b51_f9dd;
    let mut word = |i: usize| u64::from(hash(pool[i % 4], &mut constant, 0x58f3_8ded));
    std::array::from_fn(|i| {
        let low = word(2 * i);
        low | word(2 * i + 1) << 32
    })
}

/// `numpy.random.default_rng(seed).permutation(rows)`.
pub(crate) fn permutation(seed: u64, rows: u32) -> Vec<u32> {
    let mut rng = Pcg64::new(seed);
    let mut order: Vec<u32> = (0..rows).collect();
    for i in (1..rows).rev() {
        order.swap(i as usize, rng.up_to(i) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::permutation;

    #[test]
    fn shuffles_as_numpy_does() {
        assert_eq!(permutation(42, 10), NUMPY_42);
        assert_eq!(permutation(1 << 40 | 7, 10), NUMPY_BIG);
        assert_eq!(permutation(0, 1), [0]);
        // The first and the last five of a longer one.
        let long = permutation(42, 100_000);
        assert_eq!(
            (&long[..5], &long[99_995..]),
            (&NUMPY_LONG[..5], &NUMPY_LONG[5..])
        );
    }

    const NUMPY_42: [u32; 10] = [5, 6, 0, 7, 3, 2, 4, 9, 1, 8];
    const NUMPY_BIG: [u32; 10] = [6, 2, 8, 7, 9, 3, 4, 1, 5, 0];
    const NUMPY_LONG: [u32; 10] = [
        45262, 49850, 30394, 90177, 95569, 34957, 70338, 5668, 22113, 75400,
    ];
}
