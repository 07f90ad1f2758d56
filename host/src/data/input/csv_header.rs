//! Checks the headers of tables before a job starts.

use super::csv_quarantine::without_mark;
use super::file::{Dataset, Format};
use super::packing::open_unpacked;
use crate::data::columns::unique::repeated;
use crate::error::UserError;
use anyhow::Result;
use csv::{ByteRecord, ReaderBuilder};

/// Fails if two columns of a table have the same name, because a row has room for one of them.
/// Other faults of a table show when it is unpacked.
pub(crate) fn check_headers(dataset: &Dataset) -> Result<()> {
    for file in &dataset.files {
        let delimiter = match file.format {
            Format::Csv => b',',
            Format::Tsv => b'\t',
            _ => continue,
        };
        let Ok(input) =
            open_unpacked(file, file.compression, dataset.zstd_window).and_then(without_mark)
        else {
            continue;
        };
        let mut header = ByteRecord::new();
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(input);
        let Ok(true) = reader.read_byte_record(&mut header) else {
            continue;
        };
        let Ok(names) = header
            .iter()
            .map(std::str::from_utf8)
            .collect::<Result<Vec<_>, _>>()
        else {
            continue;
        };
        if let Some(message) = repeated(names.into_iter()) {
            return Err(
                UserError::new(format!("{}:1", file.path.display()), message)
                    .hint("give each column a name of its own")
                    .into(),
            );
        }
    }
    Ok(())
}
