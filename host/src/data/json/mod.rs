//! JSON rows without a tree: finds the requested values in a row's bytes, and puts others in their
//! place.
//!
//! A row is one JSON object per line, as RFC 8259 defines it, plus `NaN`, `Infinity` and
//! `-Infinity`, which Python's `json` writes and reads. Of equal keys in one object the last one
//! counts (Python and serde_json agree). A field that no op reads may contain a lone surrogate
//! (`\ud800`); a string that is read must be Unicode. Numbers of any size pass.

pub(crate) mod edit;
pub(crate) mod extract;
pub(crate) mod lenient;
pub(crate) mod paths;
pub(crate) mod quote;
pub(crate) mod row_text;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod schema_inference;
pub(crate) mod standard;
pub(crate) mod string;
pub(crate) mod top;

pub(crate) use edit::{obstacle, write_f64};
pub(crate) use rows::rows;
pub(crate) use scan::Odd;
pub(crate) use string::find_special;
pub(crate) use string::{Escapes, append_string, read_string, write_escaped, write_string};
pub(crate) use top::{constants, elements, has_constant, members, top_level, unquoted};

/// Rows that nest deeper go to quarantine. Python's own parser gives up near 1,000; the bound keeps
/// later consumers within their limits.
pub(crate) const MAX_DEPTH: usize = 512;
