//! Kills the built program at all kinds of moments, changes its inputs, damages what it left
//! behind, and compares the results with an undisturbed run.
//!
//! `DJHOST_TEST_KILLS=500 cargo test --release --test all crash` kills that often at random, and at
//! every write instead of a few.

#![allow(
    clippy::type_complexity,
    clippy::needless_range_loop,
    reason = "tables of cases"
)]

pub(crate) mod bench;
mod calls;
mod changes;
mod damage;
pub(crate) mod kills;
mod same;
mod trace;
