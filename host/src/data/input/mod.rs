//! Reading datasets: find the files, detect their formats, read the rows of a partition, unpack
//! what cannot be read from the middle.

pub(crate) mod arrow_file;
pub(crate) mod arrow_footer;
pub(crate) mod chunks;
pub(crate) mod columnar;
pub(crate) mod csv_header;
pub(crate) mod csv_lines;
pub(crate) mod csv_quarantine;
pub(crate) mod csv_rows;
pub(crate) mod csv_types;
pub(crate) mod describe;
pub(crate) mod discover;
pub(crate) mod encoding;
pub(crate) mod file;
pub(crate) mod found_notes;
pub(crate) mod handle;
pub(crate) mod hub;
pub(crate) mod json_rows;
pub(crate) mod jsonl;
pub(crate) mod layouts;
mod look_ahead;
pub(crate) mod metadata;
pub(crate) mod not_data;
pub(crate) mod packing;
pub(crate) mod pages;
pub(crate) mod parquet_file;
pub(crate) mod parquet_pages;
pub(crate) mod parquet_twice;
pub(crate) mod parquet_values;
pub(crate) mod path_text;
pub(crate) mod read;
pub(crate) mod read_error;
mod search_remote;
mod select;
pub(crate) mod several;
pub(crate) mod sniff;
pub(crate) mod source;
pub(crate) mod source_lines;
pub(crate) mod unpack;
pub(crate) mod zstd_frames;

pub(crate) use file::{Compression, Dataset, Format, InputFile};
pub(crate) use pages::PageSettings;
pub(crate) use pages::refetched::Refetched;
pub(crate) use read::read;
