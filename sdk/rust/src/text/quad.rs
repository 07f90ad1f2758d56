//! Four 32-bit numbers at a time.

#[cfg(target_arch = "wasm32")]
mod lanes {
    use core::arch::wasm32 as arch;

    /// Four numbers. Comparisons return all ones or all zeros per number.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Quad(arch::v128);

    impl Quad {
        #[inline(always)]
        pub(in super::super) fn load(numbers: &[u32; 4]) -> Self {
            // SAFETY: the reference is good for 16 bytes, and loads need no alignment.
            Self(unsafe { arch::v128_load(numbers.as_ptr().cast()) })
        }

        /// Whether each number is `n`.
        #[inline(always)]
        pub(in super::super) fn eq(self, n: u32) -> Self {
            Self(arch::u32x4_eq(self.0, arch::u32x4_splat(n)))
        }

        /// The bits that each number has in common with `n`.
        #[inline(always)]
        pub(in super::super) fn and(self, n: u32) -> Self {
            Self(arch::v128_and(self.0, arch::u32x4_splat(n)))
        }

        /// The top bit of each number; the first is bit 0.
        #[inline(always)]
        pub(in super::super) fn bitmask(self) -> u8 {
            arch::u32x4_bitmask(self.0)
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod lanes {
    use core::arch::x86_64 as arch;

    /// Four numbers. Comparisons return all ones or all zeros per number.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Quad(arch::__m128i);

    impl Quad {
        #[inline(always)]
        pub(in super::super) fn load(numbers: &[u32; 4]) -> Self {
            // SAFETY: the reference is good for 16 bytes, and the load needs no alignment.
            Self(unsafe { arch::_mm_loadu_si128(numbers.as_ptr().cast()) })
        }

        /// Whether each number is `n`.
        #[inline(always)]
        pub(in super::super) fn eq(self, n: u32) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            Self(unsafe { arch::_mm_cmpeq_epi32(self.0, arch::_mm_set1_epi32(n as i32)) })
        }

        /// The bits that each number has in common with `n`.
        #[inline(always)]
        pub(in super::super) fn and(self, n: u32) -> Self {
            // SAFETY: SSE2 is part of x86-64.
            Self(unsafe { arch::_mm_and_si128(self.0, arch::_mm_set1_epi32(n as i32)) })
        }

        /// The top bit of each number; the first is bit 0.
        #[inline(always)]
        pub(in super::super) fn bitmask(self) -> u8 {
            // SAFETY: SSE2 is part of x86-64.
            unsafe { arch::_mm_movemask_ps(arch::_mm_castsi128_ps(self.0)) as u8 }
        }
    }
}

#[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64")))]
mod lanes {
    /// Four numbers. Comparisons return all ones or all zeros per number.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Quad([u32; 4]);

    impl Quad {
        #[inline(always)]
        pub(in super::super) fn load(numbers: &[u32; 4]) -> Self {
            Self(*numbers)
        }

        /// Whether each number is `n`.
        #[inline(always)]
        pub(in super::super) fn eq(self, n: u32) -> Self {
            Self(self.0.map(|x| if x == n { !0 } else { 0 }))
        }

        /// The bits that each number has in common with `n`.
        #[inline(always)]
        pub(in super::super) fn and(self, n: u32) -> Self {
            Self(self.0.map(|x| x & n))
        }

        /// The top bit of each number; the first is bit 0.
        #[inline(always)]
        pub(in super::super) fn bitmask(self) -> u8 {
            self.0
                .iter()
                .enumerate()
                .map(|(i, x)| ((x >> 31) as u8) << i)
                .sum()
        }
    }
}

pub(super) use lanes::Quad;
