//! Datasets in and out: find the input files, read rows as [`Batch`]es, write parts, assemble the export.

mod arrow_file;
pub mod batch;
mod columnar;
mod columns_out;
mod columns_schema;
mod compress;
mod conform;
mod convert;
mod describe;
mod discover;
mod export;
mod extract;
mod file;
mod grouped;
mod hashed;
mod hugging_face;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
pub mod json;
mod json_columns;
mod json_encoders;
mod jsonl;
mod parquet_file;
mod part;
mod path_text;
mod read;
mod row_text;
mod rows;
mod shape;
mod sniff;
mod staged;
mod storable;
mod stream;
mod table;
mod target;
mod unique;
mod widen;
#[cfg(test)]
mod tests;

pub use batch::{Batch, Column, STATS, Stat};
pub(crate) use columns_out::{json_rows, write_json_rows};
pub(crate) use convert::is_text;
pub(crate) use describe::row_count;
pub use export::{Exported, assemble};
pub use extract::{Extracted, FieldType, ReadField, extract};
pub use file::{Compression, Dataset, Format, InputFile, Origin};
pub use grouped::Grouped;
pub use part::{ExportOptions, PartContent, PartInfo, PartWriter};
pub use read::{RowReader, read};
pub use row_text::render;
pub use rows::{BadRow, Block, Partition, ReadOptions, Slice};
pub use shape::Shape;
pub(crate) use sniff::open_unpacked;
pub use target::{ExportFormat, ExportTarget};
pub(crate) use unique::repeated;
