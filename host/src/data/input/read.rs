//! Reads the rows of a partition.

use super::file::Dataset;
use super::pages::reader::PageReader;
use super::{columnar, jsonl};
use crate::data::rows::{Block, Partition, ReadOptions};
use anyhow::{Result, bail};

/// The rows of a partition, block by block.
pub(crate) struct RowReader(Box<dyn Iterator<Item = Result<Block>> + Send>);

impl Iterator for RowReader {
    type Item = Result<Block>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// Starts to read `partition`. Uses a few times `batch_bytes` of memory, or of the longest row if
/// that is longer.
pub(crate) fn read(
    dataset: &Dataset,
    partition: &Partition,
    options: &ReadOptions,
) -> Result<RowReader> {
    if let Some(file) = dataset.files.iter().find(|f| !f.is_splittable()) {
        bail!(
            "`{}` must be unpacked before it can be read in pieces",
            file.shown()
        );
    }
    Ok(RowReader(if dataset.is_columnar() {
        Box::new(columnar::ColumnarReader::new(dataset, partition, options)?)
    } else if dataset.is_pages() {
        Box::new(PageReader::new(dataset, partition, options))
    } else {
        Box::new(jsonl::JsonlReader::new(dataset, partition, options))
    }))
}
