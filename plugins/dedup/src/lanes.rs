//! Four 32-bit lanes, as WebAssembly vectors where available: compilers do not vectorise a digest
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
        pub(super) fn add(self, other: Self) -> Self {
            Self(arch::u32x4_add(self.0, other.0))
        }

        #[inline(always)]
        pub(super) fn and(self, other: Self) -> Self {
            Self(arch::v128_and(self.0, other.0))
        }

        #[inline(always)]
        pub(super) fn or(self, other: Self) -> Self {
            Self(arch::v128_or(self.0, other.0))
        }

        #[inline(always)]
        pub(super) fn xor(self, other: Self) -> Self {
            Self(arch::v128_xor(self.0, other.0))
        }

        #[inline(always)]
        pub(super) fn not(self) -> Self {
            Self(arch::v128_not(self.0))
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod vector {
    #[derive(Clone, Copy)]
    pub(crate) struct Lanes([u32; 4]);

    impl Lanes {
        #[inline(always)]
        pub(crate) fn new(values: [u32; 4]) -> Self {
            Self(values)
        }

        #[inline(always)]
        pub(crate) fn values(self) -> [u32; 4] {
            self.0
        }

        #[inline(always)]
        pub(crate) fn rotate_left(self, bits: u32) -> Self {
            Self(self.0.map(|value| value.rotate_left(bits)))
        }

        #[inline(always)]
        fn with(self, other: Self, f: impl Fn(u32, u32) -> u32) -> Self {
            Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
        }

        #[inline(always)]
        pub(super) fn add(self, other: Self) -> Self {
            self.with(other, u32::wrapping_add)
        }

        #[inline(always)]
        pub(super) fn and(self, other: Self) -> Self {
            self.with(other, |a, b| a & b)
        }

        #[inline(always)]
        pub(super) fn or(self, other: Self) -> Self {
            self.with(other, |a, b| a | b)
        }

        #[inline(always)]
        pub(super) fn xor(self, other: Self) -> Self {
            self.with(other, |a, b| a ^ b)
        }

        #[inline(always)]
        pub(super) fn not(self) -> Self {
            Self(self.0.map(|value| !value))
        }
    }
}

pub(crate) use vector::Lanes;

impl Lanes {
    /// The same value in all lanes.
    #[inline(always)]
    pub(crate) fn all(value: u32) -> Self {
        Self::new([value; N])
    }
}

macro_rules! operators {
    ($($operator:ident, $method:ident, $vector:ident;)*) => {
        $(impl $operator for Lanes {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.$vector(other)
            }
        })*
    };
}

operators! {
    Add, add, add;
    BitAnd, bitand, and;
    BitOr, bitor, or;
    BitXor, bitxor, xor;
}

impl Not for Lanes {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Lanes::not(self)
    }
}
