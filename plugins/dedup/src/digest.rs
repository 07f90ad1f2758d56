//! SHA-1 and MD5 of four messages at a time, each in its lane of a vector: shingles are short and
//! there are many.

use crate::lanes::{Lanes, N};

/// One of the two functions (RFC 3174 and RFC 1321): they share the shape of their messages.
pub(crate) trait Digest {
    /// Whether words are stored with the low byte first.
    const LITTLE_ENDIAN: bool;
    const START: [u32; 5];

    /// Mixes one block of 16 words into the state.
    fn compress(state: &mut [[u32; N]; 5], block: &[[u32; N]; 16]);
}

/// SHA-1.
#[derive(Debug)]
pub(crate) struct Sha1;

/// MD5.
#[derive(Debug)]
pub(crate) struct Md5;

impl Digest for Sha1 {
    const LITTLE_ENDIAN: bool = false;
    const START: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];

    #[inline]
    fn compress(state: &mut [[u32; N]; 5], block: &[[u32; N]; 16]) {
        let mut w: [Lanes; 16] = block.map(Lanes::new);
        let [mut a, mut b, mut c, mut d, mut e] = state.map(Lanes::new);
        macro_rules! round {
            ($t:expr, $mix:expr, $k:literal) => {
                let word = if $t < 16 {
                    w[$t]
                } else {
                    let next =
                        (w[($t + 13) & 15] ^ w[($t + 8) & 15] ^ w[($t + 2) & 15] ^ w[$t & 15])
                            .rotate_left(1);
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
            *old = (Lanes::new(*old) + new).values();
        }
    }
}

/// The integer part of 2^32 · |sin(i + 1)|, RFC 1321 §3.4.
#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

impl Digest for Md5 {
    const LITTLE_ENDIAN: bool = true;
    const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0];

    #[inline]
    fn compress(state: &mut [[u32; N]; 5], block: &[[u32; N]; 16]) {
        let w: [Lanes; 16] = block.map(Lanes::new);
        let [mut a, mut b, mut c, mut d, _] = state.map(Lanes::new);
        // Unrolled, so that words, constants and shifts are known in each step.
        macro_rules! step {
            ($i:expr, $mix:expr, $factor:literal, $offset:literal, $shift:literal) => {
                let sum = a + $mix + Lanes::all(SINES[$i]) + w[($i * $factor + $offset) & 15];
                (a, d, c, b) = (d, c, b, b + sum.rotate_left($shift));
            };
        }
        macro_rules! rounds {
            ($first:literal, $mix:expr, $factor:literal, $offset:literal, $s0:literal, $s1:literal, $s2:literal, $s3:literal) => {
                rounds!(@ $first, $mix, $factor, $offset, $s0, $s1, $s2, $s3, 0, 4, 8, 12)
            };
            (@ $first:literal, $mix:expr, $factor:literal, $offset:literal, $s0:literal, $s1:literal, $s2:literal, $s3:literal, $($four:literal),*) => {
                $(
                    step!($first + $four, $mix, $factor, $offset, $s0);
                    step!($first + $four + 1, $mix, $factor, $offset, $s1);
                    step!($first + $four + 2, $mix, $factor, $offset, $s2);
                    step!($first + $four + 3, $mix, $factor, $offset, $s3);
                )*
            };
        }
        rounds!(0, d ^ (b & (c ^ d)), 1, 0, 7, 12, 17, 22);
        rounds!(16, c ^ (d & (b ^ c)), 5, 1, 5, 9, 14, 20);
        rounds!(32, b ^ c ^ d, 3, 5, 4, 11, 16, 23);
        rounds!(48, c ^ (b | !d), 7, 0, 6, 10, 15, 21);
        for (old, new) in state.iter_mut().zip([a, b, c, d]) {
            *old = (Lanes::new(*old) + new).values();
        }
    }
}

/// Bytes that must follow a message in its buffer, so that short messages are copied in steps of
/// fixed size, without a call.
pub(crate) const SLACK: usize = 128;

/// The longest messages that fit one block and two, with at least nine bytes of padding.
const SHORT: [usize; 2] = [55, 119];

/// A mask: slices of it keep as many bytes as a message has.
const KEPT: [u8; 2 * SLACK] = {
    let mut bytes = [0; 2 * SLACK];
    let mut i = 0;
    while i < SLACK {
        bytes[i] = 0xff;
        i += 1;
    }
    bytes
};

/// A waiting message with its padding: in `short` if it has one block or two, else in `long`.
#[derive(Debug)]
struct Slot {
    short: [u8; SLACK],
    long: Vec<u8>,
    blocks: usize,
}

impl Slot {
    fn block(&self, block: usize) -> Option<&[u8]> {
        let bytes = if self.blocks <= 2 {
            &self.short[..]
        } else {
            &self.long
        };
        if block < self.blocks {
            bytes.get(block * 64..block * 64 + 64)
        } else {
            None
        }
    }

    /// Stores a message as [`Queue::push`] receives it.
    #[inline]
    fn fill<D: Digest>(&mut self, bytes: &[u8], len: usize) {
        let bits = len as u64 * 8;
        let bits = if D::LITTLE_ENDIAN {
            bits.to_le_bytes()
        } else {
            bits.to_be_bytes()
        };
        self.blocks = (len + 9).div_ceil(64);
        if len <= SHORT[1] {
            let end = if len <= SHORT[0] { 64 } else { 128 };
            let kept = &KEPT[SLACK - len..];
            for (to, (byte, kept)) in self.short[..64]
                .iter_mut()
                .zip(bytes[..64].iter().zip(&kept[..64]))
            {
                *to = byte & kept;
            }
            if len > SHORT[0] {
                for (to, (byte, kept)) in self.short[64..]
                    .iter_mut()
                    .zip(bytes[64..SLACK].iter().zip(&kept[64..SLACK]))
                {
                    *to = byte & kept;
                }
            }
            self.short[len] = 0x80;
            self.short[end - 8..end].copy_from_slice(&bits);
        } else {
            self.long.clear();
            self.long.extend_from_slice(&bytes[..len]);
            self.long.push(0x80);
            self.long.resize(self.blocks * 64 - 8, 0);
            self.long.extend_from_slice(&bits);
        }
    }
}

/// Messages waiting to be digested together.
#[derive(Debug)]
struct Group {
    waiting: [Slot; N],
    count: usize,
}

impl Group {
    /// Computes the digests of the messages.
    #[inline]
    fn finish<D: Digest>(&mut self, mut done: impl FnMut([u32; 2])) {
        let waiting = &self.waiting[..self.count];
        let blocks = waiting.iter().map(|slot| slot.blocks).max().unwrap_or(0);
        let mut state = D::START.map(|word| [word; N]);
        let mut digests = [[0; 2]; N];
        for block in 0..blocks {
            let mut words = [[0; N]; 16];
            for (lane, slot) in waiting.iter().enumerate() {
                // A finished message continues with zeros; its digest was taken.
                let Some(bytes) = slot.block(block) else {
                    continue;
                };
                for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    word[lane] = if D::LITTLE_ENDIAN {
                        u32::from_le_bytes(*bytes)
                    } else {
                        u32::from_be_bytes(*bytes)
                    };
                }
            }
            D::compress(&mut state, &words);
            for (lane, slot) in waiting.iter().enumerate() {
                if slot.blocks == block + 1 {
                    digests[lane] = [state[0][lane], state[1][lane]];
                }
            }
        }
        digests[..self.count]
            .iter()
            .for_each(|&digest| done(digest));
        self.count = 0;
    }
}

/// Computes the first two words of the digests of a stream of messages, four at a time. Messages
/// of one block, of two and of more wait separately, so short ones do not wait for the longest.
/// Digests of messages with equal numbers of blocks come in order, others do not.
#[derive(Debug)]
pub(crate) struct Queue<D> {
    groups: [Group; 3],
    digest: std::marker::PhantomData<D>,
}

impl<D> Default for Queue<D> {
    fn default() -> Self {
        let slot = |_| Slot {
            short: [0; SLACK],
            long: Vec::new(),
            blocks: 1,
        };
        let groups = std::array::from_fn(|_| Group {
            waiting: std::array::from_fn(slot),
            count: 0,
        });
        Self {
            groups,
            digest: std::marker::PhantomData,
        }
    }
}

impl<D: Digest> Queue<D> {
    /// Adds the message in the first `len` of `bytes`, which continue for at least [`SLACK`] bytes.
    /// Calls `done` with the digests that are ready.
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8], len: usize, done: impl FnMut([u32; 2])) {
        let blocks = SHORT.iter().filter(|longest| len > **longest).count();
        let group = &mut self.groups[blocks];
        group.waiting[group.count].fill::<D>(bytes, len);
        group.count += 1;
        if group.count == N {
            group.finish::<D>(done);
        }
    }

    /// Computes the digests of the waiting messages.
    pub(crate) fn finish(&mut self, mut done: impl FnMut([u32; 2])) {
        self.groups
            .iter_mut()
            .for_each(|group| group.finish::<D>(&mut done));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests<D: Digest>(messages: &[&[u8]]) -> Vec<[u32; 2]> {
        let mut queue = Queue::<D>::default();
        let mut found: Vec<[u32; 2]> = Vec::new();
        for message in messages {
            // Bytes after a message must not matter.
            let bytes = [message, [0xa5; SLACK].as_slice()].concat();
            queue.push(&bytes, message.len(), |digest| found.push(digest));
        }
        queue.finish(|digest| found.push(digest));
        found.sort_unstable();
        found
    }

    #[test]
    fn the_digests_are_those_of_the_standards() {
        let long = vec![b'a'; 1000];
        let messages: [&[u8]; 7] = [
            b"",
            b"abc",
            b"message digest",
            &[b'a'; 55],
            &[b'a'; 56],
            &[b'a'; 64],
            &long,
        ];
        // Python's hashlib.
        let mut sha1 = [
            [0xda39_a3ee, 0x5e6b_4b0d],
            [0xa999_3e36, 0x4706_816a],
            [0xc122_52ce, 0xda8b_e899],
            [0xc1c8_bbdc, 0x2279_6e28],
            [0xc2db_330f, 0x6083_854c],
            [0x0098_ba82, 0x4b5c_1642],
            [0x291e_9a6c, 0x6699_4949],
        ];
        let mut md5 = [
            [0xd98c_1dd4, 0x04b2_008f],
            [0x9850_0190, 0xb04f_d23c],
            [0x7d69_6bf9, 0x8d93_b77c],
            [0xb672_17ef, 0x22a1_f9df],
            [0xc78a_0c3b, 0xb028_f803],
            [0xd442_4801, 0x4971_b580],
            [0xdc45_beca, 0x665b_aec9],
        ];
        sha1.sort_unstable();
        md5.sort_unstable();
        assert_eq!(digests::<Sha1>(&messages), sha1);
        assert_eq!(digests::<Md5>(&messages), md5);
    }

    #[test]
    fn messages_of_all_lengths_do_not_disturb_each_other() {
        let long: Vec<u8> = (0..400).map(|i| (i * 7 % 251) as u8).collect();
        let messages: Vec<&[u8]> = (0..200).map(|i| &long[i..i + i * 37 % 190]).collect();
        let mut alone: Vec<[u32; 2]> = messages
            .iter()
            .map(|&message| digests::<Md5>(&[message])[0])
            .collect();
        alone.sort_unstable();
        assert_eq!(digests::<Md5>(&messages), alone);
        // Python's hashlib, of the longest that fit one block and two, and of those with one byte
        // more.
        let edges: [&[u8]; 4] = [&[b'a'; 55], &[b'a'; 56], &[b'a'; 119], &[b'a'; 120]];
        let first = edges.map(|message| digests::<Md5>(&[message])[0][0].swap_bytes());
        assert_eq!(first, [0xef17_72b6, 0x3b0c_8ac7, 0x8a7b_d073, 0x5f61_c0cc]);
    }
}
