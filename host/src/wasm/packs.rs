//! The operator packs embedded in the program.

#[cfg(feature = "builtin-ops")]
pub(crate) use djhost_builtin_ops::{Pack, packs};

#[cfg(not(feature = "builtin-ops"))]
pub(crate) use none::{Pack, packs};

#[cfg(not(feature = "builtin-ops"))]
mod none {
    /// Mirrors the type of a program with packs.
    #[derive(Clone, Copy)]
    pub(crate) struct Pack {
        pub(crate) name: &'static str,
        pub(crate) operators: &'static [&'static str],
        pub(crate) component: &'static [u8],
    }

    /// No packs.
    pub(crate) fn packs() -> impl Iterator<Item = Pack> {
        std::iter::empty()
    }
}
