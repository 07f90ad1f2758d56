//! Web pages as rows: the records of WARC files, and HTML files.
//!
//! A WARC file is read in *units*, at whose starts it can be cut: a gzip member or zstd frame with
//! one record, as the standard recommends, or a record of a plain file. A packed file that is not
//! written so is unpacked first. The row is the JSON text that [`page`] makes of a record; from there
//! on it is a JSON row like any other. Its id has the position of its unit, the `offset` of CDX
//! indexes.
//!
//! By hand: the crates `warc` and `fastwarc` end at the first damaged member (of a file of 4,288 pages
//! with 200 flipped bytes fastwarc reads 55, this 4,119), know no place to begin but the start, and have
//! no limit for what a record holds in memory.

mod charset;
mod coding;
mod codings;
mod declared_charset;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod gzip_member;
mod head;
mod html_file;
mod http;
pub(crate) mod layout;
pub(crate) mod page;
mod plain_records;
pub(crate) mod reader;
mod records;
pub(crate) mod refetched;
mod settings;
mod starts;
mod unit;
pub(crate) mod unpacked;
mod window;
mod zstd_frame;
mod zstd_unit;

pub(crate) use settings::PageSettings;
pub(crate) use starts::next_start;
