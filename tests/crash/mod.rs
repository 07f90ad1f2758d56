//! Kills the built program at all kinds of moments, changes what jobs are made of, damages what
//! they left behind, and compares what comes out with a run that nobody disturbed.
//!
//! `DJHOST_TEST_KILLS=500 cargo test --release --test all crash` kills that often at random, and at
//! every write in place of a few.

#![allow(
    clippy::type_complexity,
    clippy::needless_range_loop,
    reason = "tables of cases"
)]

mod bench;
mod calls;
mod changes;
mod damage;
mod kills;
mod same;
