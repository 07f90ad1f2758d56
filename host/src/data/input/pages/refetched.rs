//! Makes single rows again, for checkpoints that store only what ops have changed of them.

use super::html_file;
use super::page::{Made, row};
use super::records::Records;
use crate::data::input::file::{Dataset, Format};
use anyhow::{Result, bail};

/// Rows were accepted before, so no limit matters but that of a buffer.
const LIMIT: usize = 1 << 30;

/// Makes the rows of one file of pages again.
pub(crate) struct Refetched<'a> {
    dataset: &'a Dataset,
    file: usize,
    records: Option<Records>,
}

impl<'a> Refetched<'a> {
    /// For rows of the file of this number.
    pub(crate) fn new(dataset: &'a Dataset, file: usize) -> Self {
        Self {
            dataset,
            file,
            records: None,
        }
    }

    /// The text of the row at `offset`.
    pub(crate) fn row(&mut self, offset: u64) -> Result<Vec<u8>> {
        let (input, window) = (&self.dataset.files[self.file], self.dataset.zstd_window);
        let settings = &self.dataset.pages;
        let mut text = Vec::new();
        let missing = || format!("`{}` has no row at byte {offset}", input.path.display());
        if input.format == Format::Html {
            match html_file::row(input, settings, LIMIT, window, &mut text)? {
                Ok(()) => return Ok(text),
                Err((reason, _)) => bail!("{}: {reason}", missing()),
            }
        }
        let records = match &mut self.records {
            Some(records) => {
                records.seek(offset, offset + 1)?;
                records
            }
            none => none.insert(Records::open(input, offset, offset + 1, LIMIT, window)?),
        };
        let Some(item) = records.next()? else {
            bail!("{}", missing());
        };
        let record = records.bytes(item.range);
        match row(record, item.size, settings, LIMIT, &mut text) {
            Made::Row if item.fault.is_none() => Ok(text),
            Made::Bad(reason) => bail!("{}: {reason}", missing()),
            _ => bail!("{}", missing()),
        }
    }
}
