//! Models that operators are lent: where they are found, and one copy of each for the whole
//! process. What they compute is `djhost-inference`'s; how guests call them is `wasm/services`'.

mod demand;
mod lent;
mod library;
mod runtime;

pub(crate) use demand::Demand;
pub(crate) use lent::{Lent, files_inside};
pub(crate) use library::{Found, Library};
pub(crate) use runtime::runtime;
