//! Sixteen bytes at a time, with the same code for WebAssembly and for the host, and on top of that
//! blocks of 64 bytes as bit masks.
//!
//! Masks make text kernels fast in WebAssembly: one bit per byte, then 64-bit arithmetic that every
//! engine compiles well.

#[cfg(target_arch = "wasm32")]
mod lanes {
    use core::arch::wasm32 as arch;

    /// Sixteen bytes. Comparisons return all ones or all zeros per byte.
    #[derive(Clone, Copy, Debug)]
    pub struct Lanes(arch::v128);

    impl Lanes {
        /// The first sixteen bytes.
        #[inline(always)]
        pub fn load(bytes: &[u8; 16]) -> Self {
            // SAFETY: the reference is good for 16 bytes, and loads need no alignment.
            Self(unsafe { arch::v128_load(bytes.as_ptr().cast()) })
        }

        /// Whether each byte is `b`.
        #[inline(always)]
        pub fn eq(self, b: u8) -> Self {
            Self(arch::u8x16_eq(self.0, arch::u8x16_splat(b)))
        }

        /// Whether each byte is in `low..=high`.
        #[inline(always)]
        pub fn within(self, low: u8, high: u8) -> Self {
            let shifted = arch::u8x16_sub(self.0, arch::u8x16_splat(low));
            Self(arch::u8x16_le(shifted, arch::u8x16_splat(high - low)))
        }

        /// Both.
        #[inline(always)]
        pub fn or(self, other: Self) -> Self {
            Self(arch::v128_or(self.0, other.0))
        }

        /// Each byte with the bits of `b` set.
        #[inline(always)]
        pub fn with_bits(self, b: u8) -> Self {
            Self(arch::v128_or(self.0, arch::u8x16_splat(b)))
        }

        /// The top bit of each byte; byte 0 is bit 0.
        #[inline(always)]
        pub fn bitmask(self) -> u16 {
            arch::u8x16_bitmask(self.0)
        }
    }

    /// Moves those of eight bytes that have a bit in `mask` to the front.
    #[inline(always)]
    pub(super) fn front(bytes: u64, mask: u8) -> u64 {
        arch::u64x2_extract_lane::<0>(arch::u8x16_swizzle(
            arch::u64x2(bytes, 0),
            arch::u64x2(super::FRONT[usize::from(mask)], 0),
        ))
    }
}

#[cfg(target_arch = "x86_64")]
mod lanes {
    use core::arch::x86_64 as arch;

    /// Sixteen bytes. Comparisons return all ones or all zeros per byte.
    #[derive(Clone, Copy, Debug)]
    pub struct Lanes(arch::__m128i);

    impl Lanes {
        /// The first sixteen bytes.
        #[inline(always)]
        pub fn load(bytes: &[u8; 16]) -> Self {
            // SAFETY: the reference is good for 16 bytes, and the load needs no alignment. SSE2 is
            // part of x86-64.
            Self(unsafe { arch::_mm_loadu_si128(bytes.as_ptr().cast()) })
        }

        /// Whether each byte is `b`.
        #[inline(always)]
        pub fn eq(self, b: u8) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            Self(unsafe { arch::_mm_cmpeq_epi8(self.0, arch::_mm_set1_epi8(b as i8)) })
        }

        /// Whether each byte is in `low..=high`.
        #[inline(always)]
        pub fn within(self, low: u8, high: u8) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            unsafe {
                let shifted = arch::_mm_sub_epi8(self.0, arch::_mm_set1_epi8(low as i8));
                Self(arch::_mm_cmpeq_epi8(
                    arch::_mm_min_epu8(shifted, arch::_mm_set1_epi8((high - low) as i8)),
                    shifted,
                ))
            }
        }

        /// Both.
        #[inline(always)]
        pub fn or(self, other: Self) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            Self(unsafe { arch::_mm_or_si128(self.0, other.0) })
        }

        /// Each byte with the bits of `b` set.
        #[inline(always)]
        pub fn with_bits(self, b: u8) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            Self(unsafe { arch::_mm_or_si128(self.0, arch::_mm_set1_epi8(b as i8)) })
        }

        /// The top bit of each byte; byte 0 is bit 0.
        #[inline(always)]
        pub fn bitmask(self) -> u16 {
            // SAFETY: SSE2 is part of x86-64.
            unsafe { arch::_mm_movemask_epi8(self.0) as u16 }
        }
    }
}

#[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64")))]
mod lanes {
    /// Sixteen bytes. Comparisons return all ones or all zeros per byte.
    #[derive(Clone, Copy, Debug)]
    pub struct Lanes([u8; 16]);

    impl Lanes {
        /// The first sixteen bytes.
        #[inline(always)]
        pub fn load(bytes: &[u8; 16]) -> Self {
            Self(*bytes)
        }

        /// Whether each byte is `b`.
        #[inline(always)]
        pub fn eq(self, b: u8) -> Self {
            Self(self.0.map(|x| if x == b { 0xff } else { 0 }))
        }

        /// Whether each byte is in `low..=high`.
        #[inline(always)]
        pub fn within(self, low: u8, high: u8) -> Self {
            Self(self.0.map(|x| {
                if x.wrapping_sub(low) <= high - low {
                    0xff
                } else {
                    0
                }
            }))
        }

        /// Both.
        #[inline(always)]
        pub fn or(self, other: Self) -> Self {
            Self(std::array::from_fn(|i| self.0[i] | other.0[i]))
        }

        /// Each byte with the bits of `b` set.
        #[inline(always)]
        pub fn with_bits(self, b: u8) -> Self {
            Self(self.0.map(|x| x | b))
        }

        /// The top bit of each byte; byte 0 is bit 0.
        #[inline(always)]
        pub fn bitmask(self) -> u16 {
            self.0
                .iter()
                .enumerate()
                .map(|(i, x)| u16::from(x >> 7) << i)
                .sum()
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod scalar {
    /// Moves those of eight bytes that have a bit in `mask` to the front.
    #[inline(always)]
    pub(super) fn front(bytes: u64, mask: u8) -> u64 {
        let places = super::FRONT[usize::from(mask)].to_le_bytes();
        u64::from_le_bytes(places.map(|place| {
            if place < 8 {
                (bytes >> (8 * place)) as u8
            } else {
                0
            }
        }))
    }
}

#[cfg(target_arch = "wasm32")]
use lanes::front;
#[cfg(not(target_arch = "wasm32"))]
use scalar::front;

pub use lanes::Lanes;

/// For each mask of eight bits the numbers of the set ones, a byte each, then bytes that are not
/// valid numbers.
const FRONT: [u64; 256] = {
    let mut table = [0; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut places, mut set, mut bit) = (0x8080_8080_8080_8080u64, 0, 0u64);
        while bit < 8 {
            if mask >> bit & 1 == 1 {
                places = places & !(0xff << (8 * set)) | bit << (8 * set);
                set += 1;
            }
            bit += 1;
        }
        table[mask] = places;
        mask += 1;
    }
    table
};

/// Up to 64 bytes of a text; zeros fill up the last block.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    bytes: &'a [u8; 64],
    /// Position of the block in the text.
    pub start: usize,
    /// A bit for each byte of the text.
    pub valid: u64,
}

impl Block<'_> {
    /// A mask of the bytes for which `test` returns ones; byte 0 is bit 0. Bytes beyond the end of
    /// the text have zeros.
    #[inline(always)]
    pub fn mask(&self, test: impl Fn(Lanes) -> Lanes) -> u64 {
        let part = |i: usize| {
            let bytes: &[u8; 16] = self.bytes[i * 16..i * 16 + 16]
                .try_into()
                .expect("16 bytes");
            u64::from(test(Lanes::load(bytes)).bitmask()) << (16 * i)
        };
        (part(0) | part(1) | part(2) | part(3)) & self.valid
    }

    /// Writes the bytes that have a bit in `mask` to the front of `to`, which must have at least 64
    /// bytes, and returns their number. Overwrites the rest of these 64 bytes.
    #[inline(always)]
    pub fn pick(&self, mask: u64, to: &mut [u8]) -> usize {
        let to: &mut [u8; 64] = to.first_chunk_mut().expect("room for a block");
        if mask == !0 {
            *to = *self.bytes;
            return 64;
        }
        let mut written = 0;
        for (bytes, mask) in self.bytes.as_chunks::<8>().0.iter().zip(mask.to_le_bytes()) {
            let picked = front(u64::from_le_bytes(*bytes), mask);
            to[written..written + 8].copy_from_slice(&picked.to_le_bytes());
            written += mask.count_ones() as usize;
        }
        written
    }

    /// The bytes above 127.
    #[inline(always)]
    pub fn non_ascii(&self) -> u64 {
        self.mask(|lanes| lanes)
    }

    /// The bytes that start a code point.
    #[inline(always)]
    pub fn starts(&self) -> u64 {
        self.valid & !self.mask(|lanes| lanes.within(0x80, 0xbf))
    }
}

/// Calls `visit` with each block of 64 bytes of `text`, in order.
#[inline(always)]
pub fn blocks(text: &str, mut visit: impl FnMut(Block<'_>)) {
    let (whole, rest) = text.as_bytes().as_chunks::<64>();
    for (i, bytes) in whole.iter().enumerate() {
        visit(Block {
            bytes,
            start: i * 64,
            valid: !0,
        });
    }
    if !rest.is_empty() {
        let mut bytes = [0; 64];
        bytes[..rest.len()].copy_from_slice(rest);
        visit(Block {
            bytes: &bytes,
            start: whole.len() * 64,
            valid: (1 << rest.len()) - 1,
        });
    }
}
