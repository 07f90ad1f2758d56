//! SHA-1 and MD5 of four messages at a time, each in its lane of a vector: shingles are short and there are many.

use std::ops::{Add, BitAnd, BitOr, BitXor, Not};

/// Four 32-bit lanes. The loops over the four are what compilers turn into vector instructions.
#[derive(Debug, Clone, Copy, Default)]
struct Lanes([u32; 4]);

impl Lanes {
    #[inline(always)]
    fn all(value: u32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    fn with(self, other: Self, f: impl Fn(u32, u32) -> u32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }

    #[inline(always)]
    fn rotate_left(self, bits: u32) -> Self {
        Self(std::array::from_fn(|i| self.0[i].rotate_left(bits)))
    }
}

impl Add for Lanes {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(other, u32::wrapping_add)
    }
}

impl BitAnd for Lanes {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        self.with(other, |a, b| a & b)
    }
}

impl BitOr for Lanes {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        self.with(other, |a, b| a | b)
    }
}

impl BitXor for Lanes {
    type Output = Self;

    #[inline(always)]
    fn bitxor(self, other: Self) -> Self {
        self.with(other, |a, b| a ^ b)
    }
}

impl Not for Lanes {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(self.0.map(|a| !a))
    }
}

/// One of the two functions (RFC 3174 and RFC 1321): they share the shape of their messages.
pub(crate) trait Digest {
    /// Whether numbers are written with the low byte first.
    const LITTLE_ENDIAN: bool;
    const START: [u32; 5];

    /// Mixes one block of 16 words into the state.
    fn compress(state: &mut [[u32; 4]; 5], block: &[[u32; 4]; 16]);
}

/// SHA-1.
#[derive(Debug)]
pub(crate) struct Sha1;

/// MD5.
#[derive(Debug)]
pub(crate) struct Md5;

impl Digest for Sha1 {
    const LITTLE_ENDIAN: bool = false;
    const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

    #[inline]
    fn compress(state: &mut [[u32; 4]; 5], block: &[[u32; 4]; 16]) {
        let mut w: [Lanes; 16] = block.map(Lanes);
        let [mut a, mut b, mut c, mut d, mut e] = state.map(Lanes);
        macro_rules! round {
            ($t:expr, $mix:expr, $k:literal) => {
                let word = if $t < 16 {
                    w[$t]
                } else {
                    let next = (w[($t + 13) & 15] ^ w[($t + 8) & 15] ^ w[($t + 2) & 15] ^ w[$t & 15]).rotate_left(1);
                    w[$t & 15] = next;
                    next
                };
                let next = a.rotate_left(5) + $mix + e + word + Lanes::all($k);
                (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
            };
        }
        for t in 0..20 {
            round!(t, d ^ (b & (c ^ d)), 0x5a82_7999);
        }
        for t in 20..40 {
            round!(t, b ^ c ^ d, 0x6ed9_eba1);
        }
        for t in 40..60 {
            round!(t, (b & c) | (d & (b | c)), 0x8f1b_bcdc);
        }
        for t in 60..80 {
            round!(t, b ^ c ^ d, 0xca62_c1d6);
        }
        for (old, new) in state.iter_mut().zip([a, b, c, d, e]) {
            *old = (Lanes(*old) + new).0;
        }
    }
}

/// The integer part of 2^32 · |sin(i + 1)|, RFC 1321 §3.4.
static SINES: std::sync::LazyLock<[u32; 64]> =
    std::sync::LazyLock::new(|| std::array::from_fn(|i| ((i as f64 + 1.0).sin().abs() * 4_294_967_296.0) as u32));

impl Digest for Md5 {
    const LITTLE_ENDIAN: bool = true;
    const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0];

    #[inline]
    fn compress(state: &mut [[u32; 4]; 5], block: &[[u32; 4]; 16]) {
        let w: [Lanes; 16] = block.map(Lanes);
        let sines = &*SINES;
        let [mut a, mut b, mut c, mut d, _] = state.map(Lanes);
        macro_rules! rounds {
            ($first:literal, $mix:expr, $factor:literal, $offset:literal, $shifts:expr) => {
                for i in $first..$first + 16 {
                    let sum = a + $mix + Lanes::all(sines[i]) + w[(i * $factor + $offset) & 15];
                    (a, d, c, b) = (d, c, b, b + sum.rotate_left($shifts[i & 3]));
                }
            };
        }
        rounds!(0, d ^ (b & (c ^ d)), 1, 0, [7, 12, 17, 22]);
        rounds!(16, c ^ (d & (b ^ c)), 5, 1, [5, 9, 14, 20]);
        rounds!(32, b ^ c ^ d, 3, 5, [4, 11, 16, 23]);
        rounds!(48, c ^ (b | !d), 7, 0, [6, 10, 15, 21]);
        for (old, new) in state.iter_mut().zip([a, b, c, d]) {
            *old = (Lanes(*old) + new).0;
        }
    }
}

/// The first two words of the digests of a stream of messages, four at a time.
#[derive(Debug)]
pub(crate) struct Queue<D> {
    /// The messages that wait, with their padding.
    waiting: [Vec<u8>; 4],
    count: usize,
    digest: std::marker::PhantomData<D>,
}

impl<D> Default for Queue<D> {
    fn default() -> Self {
        Self { waiting: Default::default(), count: 0, digest: std::marker::PhantomData }
    }
}

impl<D: Digest> Queue<D> {
    /// Takes a message; `done` gets the digests that are ready, in the order of the messages.
    #[inline]
    pub(crate) fn push(&mut self, message: &[u8], done: impl FnMut([u32; 2])) {
        let padded = &mut self.waiting[self.count];
        padded.clear();
        padded.extend_from_slice(message);
        padded.push(0x80);
        padded.resize((message.len() + 9).next_multiple_of(64) - 8, 0);
        let bits = message.len() as u64 * 8;
        padded.extend_from_slice(&if D::LITTLE_ENDIAN { bits.to_le_bytes() } else { bits.to_be_bytes() });
        self.count += 1;
        if self.count == 4 {
            self.finish(done);
        }
    }

    /// Gives the digests of the messages that wait.
    pub(crate) fn finish(&mut self, mut done: impl FnMut([u32; 2])) {
        let waiting = &self.waiting[..self.count];
        let blocks = waiting.iter().map(|padded| padded.len() / 64).max().unwrap_or(0);
        let mut state = D::START.map(|word| [word; 4]);
        let mut digests = [[0; 2]; 4];
        for block in 0..blocks {
            let mut words = [[0; 4]; 16];
            for (lane, padded) in waiting.iter().enumerate() {
                // A message that is over goes on with zeros; its digest has been taken.
                let Some(bytes) = padded.get(block * 64..block * 64 + 64) else { continue };
                for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    word[lane] = if D::LITTLE_ENDIAN { u32::from_le_bytes(*bytes) } else { u32::from_be_bytes(*bytes) };
                }
            }
            D::compress(&mut state, &words);
            for (lane, padded) in waiting.iter().enumerate() {
                if padded.len() == block * 64 + 64 {
                    digests[lane] = [state[0][lane], state[1][lane]];
                }
            }
        }
        digests[..self.count].iter().for_each(|&digest| done(digest));
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests<D: Digest>(messages: &[&[u8]]) -> Vec<[u32; 2]> {
        let mut queue = Queue::<D>::default();
        let mut found = Vec::new();
        messages.iter().for_each(|message| queue.push(message, |digest| found.push(digest)));
        queue.finish(|digest| found.push(digest));
        found
    }

    #[test]
    fn the_digests_are_those_of_the_standards() {
        let long = vec![b'a'; 1000];
        let messages: [&[u8]; 7] = [b"", b"abc", b"message digest", &[b'a'; 55], &[b'a'; 56], &[b'a'; 64], &long];
        // Python's hashlib.
        let sha1 = [
            [0xda39_a3ee, 0x5e6b_4b0d],
            [0xa999_3e36, 0x4706_816a],
            [0xc122_52ce, 0xda8b_e899],
            [0xc1c8_bbdc, 0x2279_6e28],
            [0xc2db_330f, 0x6083_854c],
            [0x0098_ba82, 0x4b5c_1642],
            [0x291e_9a6c, 0x6699_4949],
        ];
        let md5 = [
            [0xd98c_1dd4, 0x04b2_008f],
            [0x9850_0190, 0xb04f_d23c],
            [0x7d69_6bf9, 0x8d93_b77c],
            [0xb672_17ef, 0x22a1_f9df],
            [0xc78a_0c3b, 0xb028_f803],
            [0xd442_4801, 0x4971_b580],
            [0xdc45_beca, 0x665b_aec9],
        ];
        assert_eq!(digests::<Sha1>(&messages), sha1);
        assert_eq!(digests::<Md5>(&messages), md5);
    }
}
