//! The packs of operators that are embedded in the program.

#[cfg(feature = "builtin-ops")]
pub(super) use djhost_builtin_ops::{Pack, packs};

#[cfg(not(feature = "builtin-ops"))]
pub(super) use none::{Pack, packs};

#[cfg(not(feature = "builtin-ops"))]
mod none {
    /// As in a program with packs.
    #[derive(Clone, Copy)]
    pub(in crate::op) struct Pack {
        pub(in crate::op) name: &'static str,
        pub(in crate::op) operators: &'static [&'static str],
        pub(in crate::op) component: &'static [u8],
    }

    /// None.
    pub(in crate::op) fn packs() -> impl Iterator<Item = Pack> {
        std::iter::empty()
    }
}
