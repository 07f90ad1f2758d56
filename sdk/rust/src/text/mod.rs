//! Text kernels, fast in WebAssembly and natively, with Python's notions of characters, lines and
//! spaces, on which Data-Juicer's results depend.

mod alphanumeric;
mod charset;
mod count;
mod digits;
mod frequent;
mod lines;
mod lower;
mod ngrams;
#[cfg(feature = "pattern")]
mod pattern;
mod quad;
mod repeats;
mod simd;
mod space;
mod symbols;
mod tables;

pub use alphanumeric::alphanumeric;
pub use charset::{CharSet, class_mask, count_class, decode};
pub use count::code_points;
pub use digits::is_decimal;
pub use frequent::FrequentNgrams;
pub use lines::{Lines, lines, lines_at_most};
pub use lower::lower_into;
pub use ngrams::{NgramCounter, word_hash};
#[cfg(feature = "pattern")]
pub use pattern::{plain_pattern, search_pattern};
pub use simd::{Block, Lanes, blocks};
pub use space::{is_space, strip};
pub use tables::WORD;
