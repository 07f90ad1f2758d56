//! Datasets in and out: finds the input files, reads rows as [`Batch`]es, writes export parts, and
//! assembles the export.

pub(crate) mod batch;
pub(crate) mod columns;
pub(crate) mod export;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
pub(crate) mod given;
pub(crate) mod input;
pub(crate) mod io;
pub(crate) mod json;
pub(crate) mod losses;
pub(crate) mod refresh;
pub(crate) mod rows;
pub(crate) mod taken;
#[cfg(test)]
mod tests;
pub(crate) mod views;

pub use batch::{Batch, Column};
pub(crate) use batch::{STATS, Stat};
pub(crate) use columns::convert::is_text;
pub(crate) use columns::grouped::Grouped;
pub(crate) use columns::out::{logical_bytes, show_json_rows};
pub(crate) use export::{
    Ahead, Card, ExportFormat, ExportOptions, ExportTarget, Exported, PartInfo, PartWriter,
    Published, assemble, publish, push,
};
pub(crate) use input::{Compression, Dataset, Format, InputFile, PageSettings, Refetched, read};
pub(crate) use json::extract::{FieldType, ReadField, extract};
pub(crate) use json::row_text::{Spliced, render};
pub(crate) use json::standard::{standard, standard_texts};
pub(crate) use rows::{BadRow, Partition, ReadOptions, Slice};
