//! CSV and TSV as JSON lines. As in Data-Juicer's loader (pandas) a column has one type for the whole file: whole numbers, numbers,
//! booleans, otherwise text; an empty field is null. A number that a double does not hold is written as it is spelled.
//!
//! A row with another number of fields than the header, or with bytes that are not UTF-8, becomes a list of what is wrong with it and of its
//! text. That is no JSON object, so the reader of the rows puts it into quarantine.

use super::csv_numbers;
use super::csv_sieve::Sieve;
use crate::dataset::json_rows;
use anyhow::{Context, Result};
use arrow::csv::ReaderBuilder;
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, Schema};
use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Rows converted at a time.
const BATCH_ROWS: usize = 1024;

/// Writes the rows. `open` is called twice: once to find the types, once to read.
pub(super) fn to_lines<R: Read>(open: impl Fn() -> Result<R>, delimiter: u8, path: &Path, out: &mut impl Write) -> Result<()> {
    let context = || format!("`{}` is not a valid table", path.display());
    let format = Format::default().with_header(true).with_delimiter(delimiter);
    let (found, _) = format.infer_schema(Sieve::new(open()?, delimiter)?, None).with_context(context)?;
    let fields = found.fields().iter().map(|f| match f.data_type() {
        ty @ (DataType::Int64 | DataType::Boolean) => Field::new(f.name(), ty.clone(), true),
        DataType::Float64 => csv_numbers::field(f.name()),
        // Dates stay as they are spelled.
        _ => Field::new(f.name(), DataType::Utf8, true),
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    if schema.fields().is_empty() {
        return Ok(());
    }
    let sieve = Sieve::new(open()?, delimiter)?;
    let bad = sieve.bad();
    let reader = ReaderBuilder::new(schema).with_format(format).with_batch_size(BATCH_ROWS).build_buffered(BufReader::new(sieve))?;
    let (mut lines, mut row) = (Vec::new(), 0);
    for batch in reader {
        lines.clear();
        json_rows(&batch.with_context(context)?, csv_numbers::encoders(), &mut lines)?;
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            bad.borrow_mut().write_before(row, out)?;
            out.write_all(line)?;
            row += 1;
        }
    }
    bad.borrow_mut().write_before(u64::MAX, out)
}
