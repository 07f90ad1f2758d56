//! Writes rows of a columnar dataset: as JSON lines, or as columns with the new values in place.

use super::conform::conform;
use super::new_values::{held, why};
use super::schema::written_type;
use super::to_json::RowEncoder;
use super::widen::unify;
use crate::data::batch::{Batch, Column, STATS, masked};
use crate::data::json::row_text::write_rows;
use crate::data::json::rows;
use crate::data::losses::Losses;
use crate::rundir::AtomicFile;
use crate::rundir::checksum::ChecksumWriter;
use anyhow::{Context, Result, bail};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BinaryViewBuilder, BooleanArray, StructArray,
    new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use std::io::BufWriter;
use std::sync::Arc;

/// Writes one JSON object per row, each ended by a line feed, with nulls written out. For people: a
/// value without a JSON text appears as the number that it is stored as.
pub(crate) fn show_json_rows(rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
    encode_rows(rows, true, &mut Losses::default(), out)
}

fn encode_rows(
    rows: &RecordBatch,
    raw: bool,
    losses: &mut Losses,
    out: &mut Vec<u8>,
) -> Result<()> {
    let encoder = RowEncoder::new(rows)?;
    for row in 0..rows.num_rows() {
        encoder.write(row, raw, losses, out)?;
        out.push(b'\n');
    }
    Ok(())
}

/// Writes the rows as JSON lines: the columns of `schema`, then what operators added. A field that
/// an operator added is left out of rows that got no value.
pub(crate) fn write_json(
    batch: &Batch,
    schema: &SchemaRef,
    keep_stats: bool,
    losses: &mut Losses,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut text = Vec::new();
    encode_rows(&native_rows(batch, schema)?, false, losses, &mut text)?;
    let mut raw = BinaryViewBuilder::new();
    rows(&text).for_each(|row| raw.append_value(row));
    let raw: BinaryViewArray = raw.finish();
    let columns = changed(batch)
        .map(|(c, _)| Column {
            span: None,
            native: None,
            ..c.clone()
        })
        .collect();
    let rows = Batch {
        ids: batch.ids.clone(),
        raw: None,
        origin: None,
        stored: None,
        columns,
        stats: batch.stats.clone(),
    };
    write_rows(&rows, &raw, keep_stats, losses, out)
}

fn changed(batch: &Batch) -> impl Iterator<Item = (&Column, &BooleanBuffer)> {
    batch.columns.iter().filter_map(|c| {
        Some((
            c,
            c.changed
                .as_ref()
                .filter(|bits| bits.count_set_bits() > 0)?,
        ))
    })
}

/// The columns of `schema` as they were read (or as operators left them, where the original was not
/// kept).
fn native_rows(batch: &Batch, schema: &SchemaRef) -> Result<RecordBatch> {
    let rows = batch.rows();
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column(field.name()) {
            Some(column) => conform(
                column.native.as_ref().unwrap_or(&column.data),
                field.data_type(),
            ),
            None => Ok(new_null_array(field.data_type(), rows)),
        });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let mut schema = schema.clone();
    // An operator may have written nulls where the input had none.
    if schema
        .fields()
        .iter()
        .zip(&columns)
        .any(|(field, column)| !field.is_nullable() && column.null_count() > 0)
    {
        let fields = schema.fields().iter().zip(&columns);
        let fields = fields
            .map(|(f, c)| {
                f.as_ref()
                    .clone()
                    .with_nullable(f.is_nullable() || c.null_count() > 0)
            })
            .collect::<Vec<_>>();
        schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    }
    Ok(RecordBatch::try_new_with_options(
        schema,
        columns,
        &RecordBatchOptions::new().with_row_count(Some(rows)),
    )?)
}

/// The columns of `schema` with all new values, then the columns that operators added.
fn output_rows(batch: &Batch, schema: &SchemaRef, keep_stats: bool) -> Result<RecordBatch> {
    let base = native_rows(batch, schema)?;
    let rows = base.num_rows();
    let mut table: Vec<(FieldRef, ArrayRef)> = base
        .schema()
        .fields()
        .iter()
        .cloned()
        .zip(base.columns().iter().cloned())
        .collect();
    let mut changed: Vec<_> = changed(batch).collect();
    // What is around a field goes before it.
    changed.sort_by_key(|(column, _)| column.path.matches('.').count());
    for (column, bits) in changed {
        let top = schema.fields().find(&column.path).is_some();
        let path: Vec<&str> = if top {
            vec![&column.path]
        } else {
            column.path.split('.').collect()
        };
        set(&mut table, &path, column.json, &column.data, bits)
            .with_context(|| format!("cannot put the new values into `{}`", column.path))?;
    }
    for stat in if keep_stats { &batch.stats[..] } else { &[] } {
        let bits = stat
            .data
            .logical_nulls()
            .map_or_else(|| BooleanBuffer::new_set(rows), |n| n.into_inner());
        set(&mut table, &[STATS, &stat.key], false, &stat.data, &bits)
            .with_context(|| format!("cannot write the stat `{}`", stat.key))?;
    }
    let (fields, columns): (Vec<_>, Vec<_>) = table.into_iter().unzip();
    let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    Ok(RecordBatch::try_new_with_options(
        schema,
        columns,
        &RecordBatchOptions::new().with_row_count(Some(rows)),
    )?)
}

/// How many JSON texts the columns of `schema` have no place for: fields that operators added, by
/// their paths. They become columns of text.
pub(crate) fn new_json_texts<'a>(
    batch: &'a Batch,
    schema: &Schema,
) -> impl Iterator<Item = (&'a str, u64)> {
    let has = |path: &str| {
        let mut names = path.split('.');
        let top = names.next().and_then(|name| schema.fields().find(name));
        let nested = top.map(|(_, field)| {
            names.try_fold(field.data_type(), |ty, name| match ty {
                DataType::Struct(fields) => Some(fields.find(name)?.1.data_type()),
                _ => None,
            })
        });
        nested.flatten().is_some() || schema.fields().find(path).is_some()
    };
    changed(batch)
        .filter(move |(column, _)| column.json && !has(&column.path))
        .map(|(column, bits)| (&column.path[..], bits.count_set_bits() as u64))
}

/// Puts `data` at `path` where `bits` is set. Makes missing structs on the way.
fn set(
    table: &mut Vec<(FieldRef, ArrayRef)>,
    path: &[&str],
    json: bool,
    data: &ArrayRef,
    bits: &BooleanBuffer,
) -> Result<()> {
    let (name, rest) = path.split_first().context("an empty path")?;
    let at = table.iter().position(|(field, _)| field.name() == name);
    let old = at.map(|i| &table[i].1);
    let new: ArrayRef = if rest.is_empty() {
        merged(old, json, data, bits)?
    } else {
        let (mut children, valid) = match old.map(|o| (o, o.as_struct_opt())) {
            None => (Vec::new(), BooleanBuffer::new_unset(data.len())),
            Some((old, None)) if old.data_type() == &DataType::Null => {
                (Vec::new(), BooleanBuffer::new_unset(data.len()))
            }
            Some((_, Some(old))) => {
                // An object that was null gets a new field, and no others with it.
                let shown = old
                    .nulls()
                    .map(|nulls| NullBuffer::new(!&(&!nulls.inner() & bits)));
                let children = old.fields().iter().zip(old.columns()).map(|(field, data)| {
                    let data = masked(data, shown.as_ref())?;
                    let nullable = field.is_nullable() || data.null_count() > 0;
                    let field = field.as_ref().clone().with_nullable(nullable);
                    Ok((Arc::new(field), data))
                });
                let children = children.collect::<Result<_>>()?;
                (
                    children,
                    old.nulls()
                        .map_or_else(|| BooleanBuffer::new_set(data.len()), |n| n.inner().clone()),
                )
            }
            Some((other, None)) => bail!("`{name}` is {}, which has no members", other.data_type()),
        };
        set(&mut children, rest, json, data, bits)?;
        let (fields, columns): (Vec<_>, Vec<_>) = children.into_iter().unzip();
        Arc::new(StructArray::try_new(
            fields.into(),
            columns,
            Some(NullBuffer::new(&valid | bits)),
        )?)
    };
    match at {
        Some(i) => {
            let field = table[i].0.as_ref();
            let field = field
                .clone()
                .with_data_type(new.data_type().clone())
                .with_nullable(field.is_nullable() || new.null_count() > 0);
            table[i] = (Arc::new(field), new);
        }
        None => table.push((
            Arc::new(Field::new(*name, new.data_type().clone(), true)),
            new,
        )),
    }
    Ok(())
}

/// `data` where `bits` is set, `old` elsewhere, in the type of `old`.
fn merged(
    old: Option<&ArrayRef>,
    json: bool,
    data: &ArrayRef,
    bits: &BooleanBuffer,
) -> Result<ArrayRef> {
    let mask = BooleanArray::new(bits.clone(), None);
    let Some(old) = old else {
        let data = cast(data, &written_type(data.data_type()))?;
        return Ok(if bits.count_set_bits() == data.len() {
            data
        } else {
            nullif(&data, &BooleanArray::new(!bits, None))?
        });
    };
    let ty = old.data_type();
    let (new, lost) = held(data, json, ty)?;
    if let Some(row) = lost.and_then(|lost| (&lost & bits).set_indices().next()) {
        bail!("a new value is {}", why(data, json, row, ty));
    }
    if bits.count_set_bits() == new.len() {
        Ok(new)
    } else {
        Ok(zip(&mask, &new, old)?)
    }
}

/// Writes the columns of a part as consecutive Arrow IPC streams: a new one starts wherever a batch
/// has other columns.
pub(crate) struct ColumnSink {
    schema: SchemaRef,
    keep_stats: bool,
    /// The union of the schemas of all streams so far.
    all: SchemaRef,
    state: State,
}

enum State {
    Idle(BufWriter<ChecksumWriter<AtomicFile>>),
    Open(
        Box<StreamWriter<BufWriter<ChecksumWriter<AtomicFile>>>>,
        SchemaRef,
    ),
    /// Between two streams, and after an error.
    Broken,
}

impl ColumnSink {
    pub(crate) fn new(
        out: ChecksumWriter<AtomicFile>,
        schema: SchemaRef,
        keep_stats: bool,
    ) -> Self {
        Self {
            all: schema.clone(),
            schema,
            keep_stats,
            state: State::Idle(BufWriter::with_capacity(256 << 10, out)),
        }
    }

    /// Appends the rows and returns their logical size.
    pub(crate) fn write(&mut self, batch: &Batch) -> Result<u64> {
        if batch.rows() == 0 {
            return Ok(0);
        }
        let rows = output_rows(batch, &self.schema, self.keep_stats)?;
        let out = match std::mem::replace(&mut self.state, State::Broken) {
            State::Open(writer, schema) if schema == rows.schema() => {
                self.state = State::Open(writer, schema);
                None
            }
            State::Open(writer, _) => Some(writer.into_inner()?),
            State::Idle(out) => Some(out),
            State::Broken => bail!("the part could not be written before"),
        };
        if let Some(out) = out {
            let unified = unify(&self.all, &rows.schema()).map_err(|clash| {
                anyhow::anyhow!("the types of `{}` do not go together", clash.path)
            })?;
            self.all = Arc::new(unified);
            self.state = State::Open(
                Box::new(StreamWriter::try_new(out, &rows.schema())?),
                rows.schema(),
            );
        }
        let State::Open(writer, _) = &mut self.state else {
            bail!("the part could not be opened")
        };
        writer.write(&rows)?;
        Ok(rows.columns().iter().map(|c| logical_bytes(c)).sum())
    }

    /// Returns the file and the schema that covers all its streams.
    pub(crate) fn finish(self) -> Result<(ChecksumWriter<AtomicFile>, SchemaRef)> {
        let out = match self.state {
            State::Idle(out) => out,
            State::Open(writer, _) => writer.into_inner()?,
            State::Broken => bail!("the part could not be written before"),
        };
        Ok((out.into_inner().map_err(|e| e.into_error())?, self.all))
    }
}

/// Size of the values, as the sum over the rows: the same however the rows are cut into batches, and
/// whatever else lies in their buffers.
pub(crate) fn logical_bytes(array: &dyn Array) -> u64 {
    let rows = array.len() as u64;
    match array.data_type() {
        DataType::Utf8 => rows * 4 + span(array.as_string::<i32>().value_offsets()),
        DataType::LargeUtf8 => rows * 8 + span(array.as_string::<i64>().value_offsets()),
        DataType::Binary => rows * 4 + span(array.as_binary::<i32>().value_offsets()),
        DataType::LargeBinary => rows * 8 + span(array.as_binary::<i64>().value_offsets()),
        DataType::Utf8View => {
            rows * 16 + array.as_string_view().lengths().map(u64::from).sum::<u64>()
        }
        DataType::BinaryView => {
            rows * 16 + array.as_binary_view().lengths().map(u64::from).sum::<u64>()
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let (from, to) = (
                list.value_offsets()[0] as usize,
                list.value_offsets()[list.len()] as usize,
            );
            rows * 4 + logical_bytes(&list.values().slice(from, to - from))
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let (from, to) = (
                list.value_offsets()[0] as usize,
                list.value_offsets()[list.len()] as usize,
            );
            rows * 8 + logical_bytes(&list.values().slice(from, to - from))
        }
        DataType::FixedSizeList(..) => logical_bytes(array.as_fixed_size_list().values()),
        DataType::Map(..) => {
            let map = array.as_map();
            let (from, to) = (
                map.value_offsets()[0] as usize,
                map.value_offsets()[map.len()] as usize,
            );
            rows * 4 + logical_bytes(&map.entries().slice(from, to - from))
        }
        DataType::FixedSizeBinary(n) => rows * u64::from(n.unsigned_abs()),
        DataType::Struct(_) => {
            rows + array
                .as_struct()
                .columns()
                .iter()
                .map(|c| logical_bytes(c))
                .sum::<u64>()
        }
        other => rows * other.primitive_width().unwrap_or(8) as u64,
    }
}

fn span<T: Copy + Into<i64>>(offsets: &[T]) -> u64 {
    let (first, last): (i64, i64) = (offsets[0].into(), offsets[offsets.len() - 1].into());
    (last - first) as u64
}
