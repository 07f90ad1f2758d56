//! Which rows of a Parquet file can be decoded alone: row groups, and pages within them.

use super::chunks::Chunks;
use super::handle::FileAt;
use std::ops::Range;

use anyhow::{Context, Result};
use parquet::file::reader::{FileReader, SerializedFileReader};

/// Unpacked bytes of a page from which on unpacking it for each of two partitions costs more than the
/// work of a light operator.
const LARGE: u64 = 32 << 20;

/// Pages of a column that are counted.
const MOST: u64 = 64;

/// The row groups of a file.
pub(crate) struct RowGroups {
    file: SerializedFileReader<Chunks>,
    is_remote: bool,
}

impl RowGroups {
    /// Reads the footer.
    pub(crate) fn open<'a>(at: impl Into<FileAt<'a>>) -> Result<Self> {
        let at = at.into();
        let path = at.path();
        let file = Chunks::open(at).with_context(|| format!("cannot open `{}`", path.display()))?;
        let is_remote = file.is_remote();
        let file = SerializedFileReader::new(file).with_context(|| {
            format!("the Parquet footer of `{}` is not readable", path.display())
        })?;
        Ok(Self { file, is_remote })
    }

    /// In how many places, at least, rows can be decoded without the pages of the others. Looks no
    /// further once there are `enough`.
    pub(crate) fn places(&self, enough: u64) -> Result<u64> {
        let mut places = 0;
        for group in 0..self.file.num_row_groups() {
            if places >= enough {
                break;
            }
            places += self.places_in(group)?;
        }
        Ok(places)
    }

    /// Bytes of a page of the largest column of a row group, unpacked, about.
    pub(crate) fn page_bytes(&self, group: usize) -> Result<u64> {
        let Some(metadata) = self.file.metadata().row_groups().get(group) else {
            return Ok(0);
        };
        let columns = metadata.columns();
        let largest = columns.iter().map(|c| c.uncompressed_size().max(0)).max();
        Ok(largest.unwrap_or(0) as u64 / self.places_in(group)?)
    }

    /// Whether some row has a value in the top-level column `name`, as the statistics say.
    pub(crate) fn has_values(&self, name: &str) -> bool {
        let columns = self
            .file
            .metadata()
            .row_groups()
            .iter()
            .flat_map(|g| g.columns());
        columns
            .filter(|column| column.column_path().parts() == [name])
            .any(|column| {
                let nulls = column.statistics().and_then(|s| s.null_count_opt());
                nulls.is_some_and(|nulls| (nulls as i64) < column.num_values())
            })
    }

    /// The rows of the row group with `row` if they had better be decoded together, because a column
    /// is a single page, or has pages of [`LARGE`] and more. DuckDB writes such row groups, of 122,880
    /// rows in pages of 100 MB.
    pub(crate) fn whole_group(&self, row: u64) -> Result<Option<Range<u64>>> {
        let mut first = 0;
        for (i, group) in self.file.metadata().row_groups().iter().enumerate() {
            let end = first + group.num_rows().max(0) as u64;
            if row < end {
                let is_whole = self.places_in(i)? == 1 || self.page_bytes(i)? >= LARGE;
                return Ok(is_whole.then_some(first..end));
            }
            first = end;
        }
        Ok(None)
    }

    /// Number of pages of the largest column of a row group, at most [`MOST`]. Reads their headers:
    /// the first page alone says little, because pages end by bytes and rows differ.
    fn places_in(&self, group: usize) -> Result<u64> {
        if self.is_remote {
            // Each page's header would cost a request.
            return Ok(1);
        }
        let columns = self.file.metadata().row_group(group).columns();
        let largest = columns
            .iter()
            .enumerate()
            .max_by_key(|(_, column)| column.uncompressed_size());
        let Some((column, _)) = largest else {
            return Ok(1);
        };
        let reader = self.file.get_row_group(group)?;
        let mut pages = reader.get_column_page_reader(column)?;
        let mut count = 0;
        while count < MOST
            && let Some(page) = pages.peek_next_page()?
        {
            count += u64::from(!page.is_dict);
            pages.skip_next_page()?;
        }
        Ok(count.max(1))
    }
}
