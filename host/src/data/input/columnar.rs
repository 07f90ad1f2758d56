//! Reads columns: all of them pass through unchanged, and those that an op reads are also converted
//! to the type that it asked for.

use super::describe::guarded;
use super::file::{Dataset, Format, InputFile};
use super::handle::Handle;
use super::parquet_twice::take_lost;
use super::{arrow_file, parquet_file};
use crate::data::batch::{Batch, Column, inside, row_id};
use crate::data::columns::conform::fit;
use crate::data::columns::convert::convert;
use crate::data::columns::null_keys::with_null_key;
use crate::data::columns::out::logical_bytes;
use crate::data::columns::to_json::unwritable;
use crate::data::json::extract::FieldType;
use crate::data::rows::{BadRow, Block, Partition, ReadOptions, Slice};
use anyhow::{Context, Result, bail};
use arrow::array::{Array, ArrayRef, BooleanArray, UInt64Array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Fields, Schema};
use arrow::record_batch::RecordBatch;

pub(crate) struct ColumnarReader {
    files: Vec<InputFile>,
    slices: std::vec::IntoIter<Slice>,
    options: ReadOptions,
    open: Option<Open>,
}

struct Open {
    batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send>,
    /// The rest of a batch that is too large for one block.
    rest: Option<RecordBatch>,
    name: String,
    index: usize,
    first: u64,
    next: u64,
    end: u64,
}

impl ColumnarReader {
    pub(crate) fn new(
        dataset: &Dataset,
        partition: &Partition,
        options: &ReadOptions,
    ) -> Result<Self> {
        Ok(Self {
            files: dataset.files.clone(),
            slices: partition.slices.clone().into_iter(),
            options: options.clone(),
            open: None,
        })
    }

    fn next_block(&mut self) -> Result<Option<Block>> {
        loop {
            if let Some(open) = &mut self.open {
                if let Some(batch) = open.next_batch(self.options.batch_bytes)? {
                    return open.block(batch, &self.options).map(Some);
                }
                self.open = None;
            }
            let Some(slice) = self.slices.next() else {
                return Ok(None);
            };
            self.open = Some(Open::new(&self.files[slice.file], slice, &self.options)?);
        }
    }
}

impl Iterator for ColumnarReader {
    type Item = Result<Block>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_block().transpose()
    }
}

impl Open {
    fn new(file: &InputFile, slice: Slice, options: &ReadOptions) -> Result<Self> {
        let name = file.path.display().to_string();
        let found = Handle::open(file)
            .and_then(|handle| handle.bytes())
            .with_context(|| format!("cannot open `{name}`"))?;
        if found != file.bytes {
            bail!(
                "`{name}` has changed since the job was planned: {} bytes then, {found} now",
                file.bytes
            );
        }
        let range = slice.start..slice.end;
        let batches = guarded(
            &name,
            || -> Result<Box<dyn Iterator<Item = Result<RecordBatch>> + Send>> {
                Ok(match file.format {
                    Format::Parquet => parquet_file::rows(
                        file,
                        range,
                        options.batch_bytes,
                        options.columns.as_deref(),
                    )?,
                    _ => arrow_file::rows(file, range)?,
                })
            },
        )?;
        Ok(Self {
            batches,
            rest: None,
            name,
            index: slice.file,
            first: slice.start,
            next: slice.start,
            end: slice.end,
        })
    }

    fn next_batch(&mut self, batch_bytes: usize) -> Result<Option<RecordBatch>> {
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => match guarded(&self.name, || self.batches.next().transpose())? {
                Some(batch) => batch,
                None if self.next == self.end => return Ok(None),
                None => bail!(
                    "`{}` gave {} rows of {}: it is damaged",
                    self.name,
                    self.next - self.first,
                    self.end - self.first
                ),
            },
        };
        let rows = batch.num_rows();
        let bytes: u64 = batch.columns().iter().map(|c| logical_bytes(c)).sum();
        // Up to twice the requested size is close enough.
        if bytes > 2 * batch_bytes as u64 && rows > 1 {
            let take = (rows as u128 * batch_bytes as u128 / bytes as u128).max(1) as usize;
            self.rest = Some(batch.slice(take, rows - take));
            return Ok(Some(batch.slice(0, take)));
        }
        Ok(Some(batch))
    }

    fn block(&mut self, read: RecordBatch, options: &ReadOptions) -> Result<Block> {
        let (read, lost) = take_lost(read);
        let read = &read;
        let rows = read.num_rows();
        let first = self.next;
        self.next += rows as u64;
        let mut reasons: Vec<Option<String>> = vec![None; rows];
        for (row, reason) in lost {
            reasons[row] = Some(reason);
        }
        let given = given(read, options.schema.as_deref(), &mut reasons)?;
        let column = |path: &str, data: &ArrayRef| Column {
            path: path.to_owned(),
            data: data.clone(),
            changed: None,
            span: None,
            native: None,
            json: false,
            original: None,
        };
        let mut columns: Vec<Column> = given
            .iter()
            .map(|(name, data)| column(name, data))
            .collect();
        for column in &columns {
            if options.as_json {
                refuse(&column.path, &column.data, &mut reasons)?;
            }
            for (row, why) in with_null_key(&column.path, &column.data) {
                reasons[row].get_or_insert(why);
            }
        }
        for field in &options.fields {
            let top = columns.iter().position(|c| c.path == field.path);
            let found = top.map(|i| columns[i].data.clone()).or_else(|| {
                let (head, rest) = field.path.split_once('.')?;
                let (_, outer) = given.iter().find(|(name, _)| name == head)?;
                inside(outer.clone(), rest)
            });
            let data = convert(found.as_ref(), field.ty, rows)?;
            if field.required {
                for (row, reason) in reasons
                    .iter_mut()
                    .enumerate()
                    .filter(|(row, reason)| data.is_null(*row) && reason.is_none())
                {
                    *reason = Some(match &found {
                        Some(native) if native.is_valid(row) => {
                            format!(
                                "`{}` is {}, not {}",
                                field.path,
                                native.data_type(),
                                field.ty.name()
                            )
                        }
                        _ => format!("`{}` is missing", field.path),
                    });
                }
            }
            let json = field.ty == FieldType::Json;
            if let Some(native) = found.as_ref().filter(|_| json && !options.as_json) {
                refuse(&field.path, native, &mut reasons)?;
            }
            match top {
                Some(i) if columns[i].data.data_type() == data.data_type() && !json => {}
                Some(i) => {
                    let native = std::mem::replace(&mut columns[i].data, data);
                    columns[i].json = json;
                    columns[i].native = Some(native);
                }
                None => columns.push(Column {
                    json,
                    ..column(&field.path, &data)
                }),
            }
        }
        let ids = (first..self.next)
            .map(|row| row_id(self.index, row))
            .collect::<Vec<_>>();
        let mut batch = Batch {
            ids: UInt64Array::from(ids),
            raw: None,
            origin: None,
            stored: None,
            columns,
            stats: Vec::new(),
        };
        let mut bad = Vec::new();
        if reasons.iter().any(Option::is_some) {
            for (row, reason) in reasons
                .iter()
                .enumerate()
                .filter_map(|(row, r)| Some((row, r.clone()?)))
            {
                let offset = first + row as u64;
                let mut raw = Vec::new();
                crate::data::columns::out::show_json_rows(&read.slice(row, 1), &mut raw)?;
                raw.truncate(raw.trim_ascii_end().len());
                let id = row_id(self.index, offset);
                bad.push(BadRow { id, raw, reason });
            }
            let keep: BooleanBuffer = reasons.iter().map(Option::is_none).collect();
            batch = batch.filter(&BooleanArray::new(keep, None))?;
        }
        let bytes = read.columns().iter().map(|c| logical_bytes(c)).sum();
        Ok(Block::new(batch, bad, bytes))
    }
}

/// Notes the rows in which the column at `path` has a value that cannot be written as JSON.
fn refuse(path: &str, column: &ArrayRef, reasons: &mut [Option<String>]) -> Result<()> {
    for (row, why) in unwritable(path, column)? {
        reasons[row].get_or_insert(why);
    }
    Ok(())
}

/// The columns by name, in the types of `schema` if there is one. A row that loses a value by the
/// cast gets a reason.
fn given(
    read: &RecordBatch,
    schema: Option<&Schema>,
    reasons: &mut [Option<String>],
) -> Result<Vec<(String, ArrayRef)>> {
    let own = read.schema();
    let names = |fields: &Fields| fields.iter().map(|f| f.name().clone()).collect::<Vec<_>>();
    let Some(schema) = schema.filter(|schema| schema.fields() != own.fields()) else {
        return Ok(names(own.fields())
            .into_iter()
            .zip(read.columns().iter().cloned())
            .collect());
    };
    let fitted = fit(read, schema)?;
    fitted
        .bad
        .into_iter()
        .for_each(|(row, reason)| reasons[row] = Some(reason));
    Ok(names(schema.fields())
        .into_iter()
        .zip(fitted.columns)
        .collect())
}
