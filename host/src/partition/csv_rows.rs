//! CSV and TSV as JSON lines. As in Data-Juicer's loader (pandas) a column has one type for the whole file: whole numbers, numbers,
//! booleans, otherwise text; an empty field is null.
//!
//! A row with another number of fields than the header, or with bytes that are not UTF-8, becomes a list of what is wrong with it and of its
//! text. That is no JSON object, so the reader of the rows puts it into quarantine.

use super::csv_sieve::Sieve;
use crate::dataset::{LineWriter, write_json_rows};
use anyhow::{Context, Result};
use arrow::csv::ReaderBuilder;
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, Schema};
use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Rows converted at a time.
const BATCH_ROWS: usize = 1024;

/// Writes the rows, and in which lines of the table they begin. `open` is called twice: once to find the types, once to read.
pub(super) fn to_lines<R: Read>(
    open: impl Fn() -> Result<R>,
    delimiter: u8,
    path: &Path,
    out: &mut impl Write,
    source_lines: &mut LineWriter,
) -> Result<()> {
    let context = || format!("`{}` is not a valid table", path.display());
    let format = Format::default().with_header(true).with_delimiter(delimiter);
    let (found, _) = format.infer_schema(Sieve::new(open()?, delimiter)?, None).with_context(context)?;
    let fields = found.fields().iter().map(|f| {
        let ty = match f.data_type() {
            ty @ (DataType::Int64 | DataType::Float64 | DataType::Boolean) => ty.clone(),
            // Dates stay as they are spelled.
            _ => DataType::Utf8,
        };
        Field::new(f.name(), ty, true)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    if schema.fields().is_empty() {
        return Ok(());
    }
    let sieve = Sieve::new(open()?, delimiter)?;
    let rows_read = sieve.rows_read();
    let reader = ReaderBuilder::new(schema).with_format(format).with_batch_size(BATCH_ROWS).build_buffered(BufReader::new(sieve))?;
    let (mut lines, mut row) = (Vec::new(), 0);
    for batch in reader {
        lines.clear();
        write_json_rows(&batch.with_context(context)?, &mut lines)?;
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let mut rows_read = rows_read.borrow_mut();
            rows_read.write_bad_before(row, out, source_lines)?;
            source_lines.row(rows_read.next_line().context("internal error: a row of a table without its line")?)?;
            out.write_all(line)?;
            row += 1;
        }
    }
    rows_read.borrow_mut().write_bad_before(u64::MAX, out, source_lines)
}
