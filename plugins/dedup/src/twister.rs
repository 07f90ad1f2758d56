//! The random numbers of NumPy's `RandomState`. Included by the pack `sound` too.

/// The Mersenne Twister of Matsumoto and Nishimura (MT19937), seeded as NumPy's
/// `RandomState(seed)`.
pub(crate) struct Mt19937 {
    state: [u32; 624],
    next: usize,
}

impl Mt19937 {
    pub(crate) fn new(seed: u32) -> Self {
        let mut state = [seed; 624];
        for i in 1..624 {
            state[i] = (state[i - 1] ^ state[i - 1] >> 30)
                .wrapping_mul(1_812_433_253)
                .wrapping_add(i as u32);
        }
        Self { state, next: 624 }
    }

    /// The next 32 bits.
    pub(crate) fn next_u32(&mut self) -> u32 {
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
}
