//! Four 32-bit lanes, as vectors of WebAssembly and x86-64: compilers do not vectorise a digest
//! over lanes by themselves.

use std::ops::{Add, BitAnd, BitOr, BitXor, Not};

/// Number of lanes.
pub(crate) const N: usize = 4;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector {
    use core::arch::wasm32 as arch;

    #[derive(Clone, Copy)]
    pub(crate) struct Lanes(arch::v128);

    impl Lanes {
        #[inline(always)]
        pub(crate) fn new(values: [u32; 4]) -> Self {
            Self(arch::u32x4(values[0], values[1], values[2], values[3]))
        }

        /// Sixteen bytes as words with the low byte first.
        #[inline(always)]
        pub(crate) fn load(bytes: &[u8; 16]) -> Self {
            // SAFETY: the reference is good for 16 bytes, and loads need no alignment.
            Self(unsafe { arch::v128_load(bytes.as_ptr().cast()) })
        }

        /// The words with their bytes in the other order.
        #[inline(always)]
        pub(crate) fn swap_bytes(self) -> Self {
            Self(arch::i8x16_shuffle::<
                3,
                2,
                1,
                0,
                7,
                6,
                5,
                4,
                11,
                10,
                9,
                8,
                15,
                14,
                13,
                12,
            >(self.0, self.0))
        }

        /// The first words of all four, then the second ones, and so on.
        #[inline(always)]
        pub(crate) fn transposed([a, b, c, d]: [Self; 4]) -> [Self; 4] {
            use arch::{i32x4_shuffle as words, i64x2_shuffle as halves};
            let (low, low2) = (words::<0, 4, 1, 5>(a.0, b.0), words::<0, 4, 1, 5>(c.0, d.0));
            let (high, high2) = (words::<2, 6, 3, 7>(a.0, b.0), words::<2, 6, 3, 7>(c.0, d.0));
            [
                Self(halves::<0, 2>(low, low2)),
                Self(halves::<1, 3>(low, low2)),
                Self(halves::<0, 2>(high, high2)),
                Self(halves::<1, 3>(high, high2)),
            ]
        }

        #[inline(always)]
        pub(crate) fn values(self) -> [u32; 4] {
            use arch::u32x4_extract_lane as lane;
            [
                lane::<0>(self.0),
                lane::<1>(self.0),
                lane::<2>(self.0),
                lane::<3>(self.0),
            ]
        }

        #[inline(always)]
        pub(crate) fn rotate_left(self, bits: u32) -> Self {
            Self(arch::v128_or(
                arch::u32x4_shl(self.0, bits),
                arch::u32x4_shr(self.0, 32 - bits),
            ))
        }

        #[inline(always)]
        pub(crate) fn add(self, other: Self) -> Self {
            Self(arch::u32x4_add(self.0, other.0))
        }

        /// The lower halves of the products.
        #[inline(always)]
        pub(crate) fn mul(self, other: Self) -> Self {
            Self(arch::u32x4_mul(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn min(self, other: Self) -> Self {
            Self(arch::u32x4_min(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn bitand(self, other: Self) -> Self {
            Self(arch::v128_and(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn bitor(self, other: Self) -> Self {
            Self(arch::v128_or(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn bitxor(self, other: Self) -> Self {
            Self(arch::v128_xor(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn not(self) -> Self {
            Self(arch::v128_not(self.0))
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod vector {
    use core::arch::x86_64 as arch;

    // SAFETY of all blocks: SSE2 is part of x86-64, and its loads and stores need no alignment.
    #[derive(Clone, Copy)]
    pub(crate) struct Lanes(arch::__m128i);

    impl Lanes {
        #[inline(always)]
        pub(crate) fn new(values: [u32; 4]) -> Self {
            // SAFETY: as above; the array has 16 bytes.
            Self(unsafe { arch::_mm_loadu_si128(values.as_ptr().cast()) })
        }

        /// Sixteen bytes as words with the low byte first.
        #[inline(always)]
        pub(crate) fn load(bytes: &[u8; 16]) -> Self {
            // SAFETY: as above; the reference is good for 16 bytes.
            Self(unsafe { arch::_mm_loadu_si128(bytes.as_ptr().cast()) })
        }

        #[inline(always)]
        pub(crate) fn values(self) -> [u32; 4] {
            let mut values = [0; 4];
            // SAFETY: as above; the array has 16 bytes.
            unsafe { arch::_mm_storeu_si128(values.as_mut_ptr().cast(), self.0) };
            values
        }

        /// The words with their bytes in the other order.
        #[inline(always)]
        pub(crate) fn swap_bytes(self) -> Self {
            Self::new(self.values().map(u32::swap_bytes))
        }

        /// The first words of all four, then the second ones, and so on.
        #[inline(always)]
        pub(crate) fn transposed(lanes: [Self; 4]) -> [Self; 4] {
            let values = lanes.map(Self::values);
            std::array::from_fn(|i| Self::new(values.map(|lane| lane[i])))
        }

        #[inline(always)]
        pub(crate) fn rotate_left(self, bits: u32) -> Self {
            // SAFETY: as above.
            unsafe {
                let left = arch::_mm_sll_epi32(self.0, arch::_mm_cvtsi32_si128(bits as i32));
                let right = arch::_mm_srl_epi32(self.0, arch::_mm_cvtsi32_si128(32 - bits as i32));
                Self(arch::_mm_or_si128(left, right))
            }
        }

        #[inline(always)]
        pub(crate) fn add(self, other: Self) -> Self {
            // SAFETY: as above.
            Self(unsafe { arch::_mm_add_epi32(self.0, other.0) })
        }

        /// The lower halves of the products.
        #[inline(always)]
        pub(crate) fn mul(self, other: Self) -> Self {
            let (a, b) = (self.values(), other.values());
            Self::new(std::array::from_fn(|i| a[i].wrapping_mul(b[i])))
        }

        #[inline(always)]
        pub(crate) fn min(self, other: Self) -> Self {
            let (a, b) = (self.values(), other.values());
            Self::new(std::array::from_fn(|i| a[i].min(b[i])))
        }

        #[inline(always)]
        pub(crate) fn bitand(self, other: Self) -> Self {
            // SAFETY: as above.
            Self(unsafe { arch::_mm_and_si128(self.0, other.0) })
        }

        #[inline(always)]
        pub(crate) fn bitor(self, other: Self) -> Self {
            // SAFETY: as above.
            Self(unsafe { arch::_mm_or_si128(self.0, other.0) })
        }

        #[inline(always)]
        pub(crate) fn bitxor(self, other: Self) -> Self {
            // SAFETY: as above.
            Self(unsafe { arch::_mm_xor_si128(self.0, other.0) })
        }

        #[inline(always)]
        pub(crate) fn not(self) -> Self {
            // SAFETY: as above.
            Self(unsafe { arch::_mm_xor_si128(self.0, arch::_mm_set1_epi32(-1)) })
        }
    }
}

// Not inlined: of hundreds of steps on arrays a compiler makes one block that takes it minutes.
#[cfg(not(any(
    all(target_arch = "wasm32", target_feature = "simd128"),
    target_arch = "x86_64"
)))]
mod vector {
    #[derive(Clone, Copy)]
    pub(crate) struct Lanes([u32; 4]);

    impl Lanes {
        #[inline(never)]
        pub(crate) fn new(values: [u32; 4]) -> Self {
            Self(values)
        }

        /// Sixteen bytes as words with the low byte first.
        #[inline(never)]
        pub(crate) fn load(bytes: &[u8; 16]) -> Self {
            let words = bytes.as_chunks::<4>().0;
            Self(std::array::from_fn(|i| u32::from_le_bytes(words[i])))
        }

        /// The words with their bytes in the other order.
        #[inline(never)]
        pub(crate) fn swap_bytes(self) -> Self {
            Self(self.0.map(u32::swap_bytes))
        }

        /// The first words of all four, then the second ones, and so on.
        #[inline(never)]
        pub(crate) fn transposed(lanes: [Self; 4]) -> [Self; 4] {
            std::array::from_fn(|i| Self(lanes.map(|lane| lane.0[i])))
        }

        #[inline(never)]
        pub(crate) fn values(self) -> [u32; 4] {
            self.0
        }

        #[inline(never)]
        pub(crate) fn rotate_left(self, bits: u32) -> Self {
            Self(self.0.map(|value| value.rotate_left(bits)))
        }

        #[inline(never)]
        fn with(self, other: Self, f: impl Fn(u32, u32) -> u32) -> Self {
            Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
        }

        #[inline(never)]
        pub(crate) fn add(self, other: Self) -> Self {
            self.with(other, u32::wrapping_add)
        }

        /// The lower halves of the products.
        #[inline(never)]
        pub(crate) fn mul(self, other: Self) -> Self {
            self.with(other, u32::wrapping_mul)
        }

        #[inline(never)]
        pub(crate) fn min(self, other: Self) -> Self {
            self.with(other, u32::min)
        }

        #[inline(never)]
        pub(crate) fn bitand(self, other: Self) -> Self {
            self.with(other, |a, b| a & b)
        }

        #[inline(never)]
        pub(crate) fn bitor(self, other: Self) -> Self {
            self.with(other, |a, b| a | b)
        }

        #[inline(never)]
        pub(crate) fn bitxor(self, other: Self) -> Self {
            self.with(other, |a, b| a ^ b)
        }

        #[inline(never)]
        pub(crate) fn not(self) -> Self {
            Self(self.0.map(|value| !value))
        }
    }
}

pub(crate) use vector::Lanes;

/// Two vectors that go through the same steps: while one waits for the result of a step, the
/// processor works on the other. Not an array: compilers keep that in memory.
#[derive(Clone, Copy)]
pub(crate) struct Pair(Lanes, Lanes);

/// Words of several messages side by side.
pub(crate) trait Vector:
    Copy
    + Add<Output = Self>
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + BitXor<Output = Self>
    + Not<Output = Self>
{
    /// What it consists of.
    const PARTS: usize;

    /// Each part by its number.
    fn of(part: impl Fn(usize) -> Lanes) -> Self;
    fn part(self, i: usize) -> Lanes;
    fn rotate_left(self, bits: u32) -> Self;

    /// The same value in all lanes.
    #[inline(always)]
    fn all(value: u32) -> Self {
        Self::of(|_| Lanes::new([value; N]))
    }
}

impl Vector for Lanes {
    const PARTS: usize = 1;

    #[inline(always)]
    fn of(part: impl Fn(usize) -> Lanes) -> Self {
        part(0)
    }

    #[inline(always)]
    fn part(self, _: usize) -> Lanes {
        self
    }

    #[inline(always)]
    fn rotate_left(self, bits: u32) -> Self {
        Lanes::rotate_left(self, bits)
    }
}

impl Vector for Pair {
    const PARTS: usize = 2;

    #[inline(always)]
    fn of(part: impl Fn(usize) -> Lanes) -> Self {
        Self(part(0), part(1))
    }

    #[inline(always)]
    fn part(self, i: usize) -> Lanes {
        if i == 0 { self.0 } else { self.1 }
    }

    #[inline(always)]
    fn rotate_left(self, bits: u32) -> Self {
        Self(self.0.rotate_left(bits), self.1.rotate_left(bits))
    }
}

macro_rules! operators {
    ($($operator:ident, $method:ident;)*) => {
        $(impl $operator for Lanes {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.$method(other)
            }
        }

        impl $operator for Pair {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0), self.1.$method(other.1))
            }
        })*
    };
}

operators! {
    Add, add;
    BitAnd, bitand;
    BitOr, bitor;
    BitXor, bitxor;
}

impl Not for Lanes {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        self.not()
    }
}

impl Not for Pair {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(self.0.not(), self.1.not())
    }
}
