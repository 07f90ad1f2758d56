//! Write operators for djhost.
//!
//! An operator is a struct whose fields are its parameters, a trait that says what it does with a
//! row, and a place in the crate's one [`export!`] line. Compiled for `wasm32-wasip2` as a
//! `cdylib`, the crate is a plugin: djhost finds it in a `--plugins` directory.
//!
//! ```
//! use djhost_sdk::prelude::*;
//!
//! /// Keeps texts that ask something.
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! #[serde(default)]
//! struct QuestionFilter {
//!     /// The least number of question marks.
//!     min_num: u32,
//! }
//!
//! impl Default for QuestionFilter {
//!     fn default() -> Self {
//!         Self { min_num: 1 }
//!     }
//! }
//!
//! impl TextFilter for QuestionFilter {
//!     const NAME: &'static str = "question_filter";
//!     const STAT: Stat = Stat::integer("questions");
//!
//!     fn stat(&mut self, text: &str) -> Result<f64, Reject> {
//!         Ok(text.matches('?').count() as f64)
//!     }
//!
//!     fn range(&self) -> (f64, f64) {
//!         (self.min_num.into(), f64::INFINITY)
//!     }
//! }
//!
//! djhost_sdk::export!(QuestionFilter);
//!
//! # fn main() {
//! let mut runner = Runner::new(operators()[0], r#"{"min_num": 1}"#).unwrap();
//! assert_eq!(runner.filter(&["Why?", "Because."]).keep, [true, false]);
//! # }
//! ```
//!
//! | trait | for |
//! |---|---|
//! | [`TextFilter`] | one stat of the text, kept by a range |
//! | [`Filter`] | several stats, other fields, any rule |
//! | [`TextMapper`] | a new text for the text |
//! | [`Mapper`] | several fields of a row |
//! | [`Expander`] | 0..n rows of each row |
//! | [`Deduplicator`] | fingerprints of the text |
//! | [`Selector`] | a key per row, then a choice among all keys |
//! | [`Grouper`] | a key per row; rows with equal keys become one |
//! | [`Operator`] | any kind, over whole columns |
//!
//! The SDK reads the parameters, makes their schema, reuses stats that the rows already have,
//! applies the range test with `min_closed_interval`, `max_closed_interval` and `reversed_range`,
//! collects rejected rows, and sends back only the texts that a mapper changed. [`Runner`] runs an
//! operator natively through the same code: unit tests need no WebAssembly. [`text`] has fast
//! kernels for work on text.

mod batch;
mod blobs;
mod clusters;
mod column;
mod dedup;
mod filter;
mod group;
pub mod json;
mod mapper;
pub mod models;
mod op;
mod params;
mod select;
mod testing;
pub mod text;
mod traits;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod wasm;

pub use batch::{
    Batch, Computed, Cost, Descriptor, Field, Input, Kind, OpError, Output, Reject, Rejection, Row,
    Signature, Update,
};
pub use blobs::{Blobs, Vectors};
pub use clusters::Clusters;
pub use column::{Column, ColumnType, Lists, Numbers, Texts};
pub use dedup::{Deduplicator, Fingerprint};
pub use filter::{Filter, Stat, TextFilter};
pub use group::Grouper;
pub use mapper::{Changes, Expander, Mapper, NewRows, TextMapper};
pub use op::{Entry, Instance, Operator};
pub use params::{Common, Params};
pub use schemars;
pub use select::{Selector, SelectorKey};
pub use serde;
pub use testing::{Filtered, Runner};
pub use traits::{Matching, Needs, Traits};

/// The field that holds a row's stats.
pub const STATS: &str = "__dj__stats__";

/// The field with the counts of a row's keys (`f64-list`), in the second call of a deduplicator
/// that counts keys ([`Matching::Counted`]).
pub const COUNTS: &str = "__dj__counts__";

/// The field with what was found of a row's keys (`f64-list`), in the second call of a deduplicator
/// that looks up keys of earlier rows ([`Matching::Seen`]): for each group of keys how many of them earlier
/// groups have, and how many it has.
pub const SEEN: &str = "__dj__seen__";

/// The field in which a mapper that says why it drops rows ([`Traits::gives_drop_reasons`]) does so (`utf8`): among
/// the new rows one for each dropped row, with the reason; null for a row that is made.
pub const DROPPED: &str = "__dj__dropped__";

/// The field with a whole row as JSON text (`utf8`), which a mapper that rewrites whole rows
/// ([`Signature::whole_rows`]) reads and writes.
pub const ROW: &str = "__dj__row__";

/// What an operator's file needs: `use djhost_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Batch, Changes, Clusters, Column, ColumnType, Common, Computed, Cost, Deduplicator,
        Expander, Field, Filter, Grouper, Input, Kind, Mapper, NewRows, OpError, Operator, Output,
        Reject, Rejection, Row, Runner, Selector, Signature, Stat, TextFilter, TextMapper, Texts,
        Traits, Update,
    };
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
}

/// What the macros need.
#[doc(hidden)]
pub mod entry {
    pub use crate::dedup::DeduplicatorEntry;
    pub use crate::filter::{FilterEntry, TextFilterEntry};
    pub use crate::group::GrouperEntry;
    pub use crate::mapper::{ExpanderEntry, MapperEntry, TextMapperEntry};
    pub use crate::op::{Of, OperatorEntry};
    pub use crate::select::SelectorEntry;
}

/// The [`Entry`] of an operator type, whichever of the traits it implements.
#[macro_export]
macro_rules! operator {
    ($op:ty) => {{
        #[allow(unused_imports)]
        use $crate::entry::*;
        Of::<$op>::new().entry()
    }};
}

/// Exports operators: makes `pub fn operators()`, and in a build for WebAssembly the component's
/// exports. Once per crate.
#[macro_export]
macro_rules! export {
    ($($op:ty),* $(,)?) => {
        /// The operators of this pack.
        pub fn operators() -> Vec<$crate::Entry> {
            vec![$($crate::operator!($op)),*]
        }

        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Pack;

            impl $crate::wasm::Pack for Pack {
                fn operators() -> Vec<$crate::Entry> {
                    operators()
                }
            }

            $crate::wasm::export_pack!(Pack with_types_in $crate::wasm::bindings);
        };
    };
}

/// The Rust code of the cookbook is run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../COOKBOOK.md")]
struct Cookbook;
