//! Datasets in and out: find the input files, read rows as [`Batch`]es, write parts, assemble the export.

//mod arrow_file;
pub mod batch;
mod columnar;
mod compress;
mod discover;
mod export;
mod extract;
mod file;
pub mod json;
mod jsonl;
//mod parquet_file;
mod part;
mod path_text;
mod read;
mod row_text;
mod shape;
mod sniff;
mod stream;
mod table;

pub use batch::{Batch, Column, STATS, Stat};
pub(crate) use columnar::row_count;
pub use export::{ExportFormat, ExportTarget, Exported, assemble};
pub use extract::{Extracted, FieldType, ReadField, extract};
pub use file::{Compression, Dataset, Format, InputFile};
pub use part::{ExportOptions, PartInfo, PartWriter};
pub use row_text::render;
pub use read::{BadRow, Block, Partition, ReadOptions, RowReader, Slice, read};
