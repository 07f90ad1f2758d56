//! Datasets in and out: find the input files, read rows as [`Batch`]es, write parts, assemble the export.

mod arrow_file;
pub mod batch;
mod columnar;
mod columns_out;
mod columns_schema;
mod compress;
mod convert;
mod describe;
mod discover;
mod export;
mod extract;
mod file;
mod grouped;
mod hashed;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
pub mod json;
mod json_columns;
mod json_encode;
mod jsonl;
mod losses;
mod parquet_file;
mod part;
mod path_text;
mod read;
mod row_text;
mod rows;
mod shape;
mod sniff;
mod staged;
mod stream;
mod table;
mod target;
mod typed;
mod value_text;
#[cfg(test)]
mod tests;

pub use batch::{Batch, Column, STATS, Stat};
pub(crate) use columns_out::show_json_rows;
pub(crate) use describe::row_count;
pub use export::{Exported, assemble};
pub use extract::{Extracted, FieldType, ReadField, extract};
pub use file::{Compression, Dataset, Format, InputFile, Origin};
pub use grouped::Grouped;
pub use losses::Losses;
pub use part::{ExportOptions, PartContent, PartInfo, PartWriter};
pub use read::{RowReader, read};
pub use row_text::render;
pub use rows::{BadRow, Block, Partition, ReadOptions, Slice};
pub use shape::Shape;
pub(crate) use sniff::open_unpacked;
pub use target::{ExportFormat, ExportTarget};
pub use typed::Typed;
