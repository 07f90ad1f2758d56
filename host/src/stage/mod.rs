//! One task: the rows of one partition through a run of ops, from where they are stored to where they are stored next.
//!
//! ```text
//! source ─► ops (isolate, apply) ─► sink
//!    └──────────┴─► quarantine        account: where every row went
//! ```

mod apply;
mod breaker;
mod chain;
mod determinism;
mod env;
mod gather;
mod input;
mod isolate;
mod masked;
mod meter;
mod places;
mod quarantine;
mod reasons;
mod rewrite;
mod sink;
mod source;
mod step;

pub use breaker::{Ratios, Seen};
pub use determinism::{Checked, Determinism};
pub use env::Env;
pub use gather::gather;
pub use input::checksum as content_checksum;
pub use meter::Tally;
pub use source::Base;
pub use step::{Step, run};
