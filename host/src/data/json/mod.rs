//! JSON rows without a tree: where the requested values stand in a row's bytes, and how to put
//! others in their place.
//!
//! What counts as a row: one JSON object per line, as RFC 8259 has it, plus what Python's `json`
//! writes and reads beyond it: `NaN`, `Infinity` and `-Infinity`. Of equal keys in one object the
//! last one counts (Python and serde_json agree). A lone surrogate (`\ud800`) may stand in a field
//! that nobody reads; a string that is read must be Unicode. Numbers of any size pass.

pub(crate) mod edit;
pub(crate) mod extract;
pub(crate) mod lenient;
pub(crate) mod paths;
pub(crate) mod row_text;
pub(crate) mod scan;
pub(crate) mod schema_inference;
pub(crate) mod standard;
pub(crate) mod string;
pub(crate) mod top;

pub(crate) use edit::{obstacle, write_f64};
pub(crate) use scan::Odd;
pub(crate) use string::find_special;
pub(crate) use string::{read_string, write_string};
pub(crate) use top::{constants, elements, has_constant, members, top_level, unquoted};

/// Rows that nest deeper go to quarantine. Python's own parser gives up near 1,000; the bound keeps
/// every later consumer off its limits.
pub(crate) const MAX_DEPTH: usize = 512;
