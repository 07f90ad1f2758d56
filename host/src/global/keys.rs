//! The key file: the keys of one partition's rows.
//!
//! An Arrow stream with columns `key` (fingerprints as fixed-size binary, or the selector's key),
//! `rejected`, for the trace `row`, the rows' ids, and `rank` where rows are chosen by a value. A
//! partition without rows has an empty file.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, Float64Array, RecordBatch,
    UInt64Array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, UInt64Type};
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;

use crate::wasm::Output;

/// The column of ids.
const IDS: &str = "row";

/// The column of ranks.
const RANKS: &str = "rank";

/// Keys of some rows, bytes per fingerprint, and fingerprints per row; 0 for selectors.
type Keys = (ArrayRef, usize, usize);

/// Collects the keys of a partition.
#[derive(Default)]
pub struct KeysWriter {
    batches: Vec<(Option<Keys>, Vec<bool>)>,
    /// None where nobody needs them.
    ids: Option<Vec<UInt64Array>>,
    /// None where rows are not ranked.
    ranks: Option<Vec<Float64Array>>,
}

impl KeysWriter {
    /// Starts without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts without rows; the file will have their ids.
    pub fn with_ids() -> Self {
        Self {
            ids: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// Adds the ids of the rows of the next answers, if the file has them.
    pub fn identify(&mut self, ids: &UInt64Array) {
        if let Some(all) = &mut self.ids {
            all.push(ids.clone());
        }
    }

    /// Adds the ranks of the rows of the next answer: the better the greater, null the least.
    pub fn rank(&mut self, ranks: Float64Array) {
        self.ranks.get_or_insert_default().push(ranks);
    }

    /// Adds the answer for `rows` rows; None if the op failed on them. `rejected` are positions.
    pub fn add(&mut self, rows: usize, output: Option<Output>, rejected: &[usize]) -> Result<()> {
        let mut flags = vec![false; rows];
        rejected.iter().for_each(|r| flags[*r] = true);
        let keys: Option<Keys> = match output {
            None => None,
            Some(Output::Fingerprints {
                width,
                per_row,
                data,
                valid,
            }) => {
                let nulls = valid.map(|v| NullBuffer::new(v.values().clone()));
                let array = FixedSizeBinaryArray::try_new(
                    i32::try_from(width * per_row)?,
                    Buffer::from_vec(data),
                    nulls,
                )?;
                Some((Arc::new(array), width, per_row))
            }
            Some(Output::Keys(array)) => Some((array, 0, 0)),
            Some(Output::KeyLists(lists)) => Some((Arc::new(lists), 0, 0)),
            Some(_) => bail!("the op gave the answer of another kind of operator"),
        };
        self.batches.push((keys, flags));
        Ok(())
    }

    /// Returns the bytes of the file.
    pub fn finish(self) -> Result<Vec<u8>> {
        let Some((first, width, per_row)) = self.batches.iter().find_map(|(k, _)| k.as_ref())
        else {
            // No rows, or none with an answer.
            let flags: Vec<bool> = self.batches.into_iter().flat_map(|(_, f)| f).collect();
            return if flags.is_empty() {
                Ok(Vec::new())
            } else {
                let batches = vec![(None, flags)];
                let more = (self.ids, self.ranks);
                write(&DataType::Null, &HashMap::new(), batches, more)
            };
        };
        let metadata = HashMap::from([
            ("width".to_owned(), width.to_string()),
            ("per_row".to_owned(), per_row.to_string()),
        ]);
        let ty = first.data_type().clone();
        write(
            &ty,
            &metadata,
            self.batches
                .into_iter()
                .map(|(k, f)| (k.map(|k| k.0), f))
                .collect(),
            (self.ids, self.ranks),
        )
    }
}

/// Adds a column of all rows.
fn column<A: Array>(
    name: &str,
    ty: DataType,
    parts: Option<Vec<A>>,
    fields: &mut Vec<Field>,
    columns: &mut Vec<ArrayRef>,
) -> Result<()> {
    if let Some(parts) = parts {
        fields.push(Field::new(name, ty, name == RANKS));
        let parts: Vec<&dyn Array> = parts.iter().map(|part| part as &dyn Array).collect();
        columns.push(arrow::compute::concat(&parts)?);
    }
    Ok(())
}

fn write(
    ty: &DataType,
    metadata: &HashMap<String, String>,
    batches: Vec<(Option<ArrayRef>, Vec<bool>)>,
    (ids, ranks): (Option<Vec<UInt64Array>>, Option<Vec<Float64Array>>),
) -> Result<Vec<u8>> {
    let mut fields = vec![
        Field::new("key", ty.clone(), true),
        Field::new("rejected", DataType::Boolean, false),
    ];
    let mut more = Vec::new();
    column(IDS, DataType::UInt64, ids, &mut fields, &mut more)?;
    column(RANKS, DataType::Float64, ranks, &mut fields, &mut more)?;
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata.clone()));
    let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
    let mut start = 0;
    for (keys, flags) in batches {
        let rows = flags.len();
        let keys = keys.unwrap_or_else(|| arrow::array::new_null_array(ty, flags.len()));
        ensure!(
            keys.data_type() == ty,
            "keys of type {} after keys of type {ty}",
            keys.data_type()
        );
        let mut columns = vec![keys, Arc::new(BooleanArray::from(flags)) as ArrayRef];
        for all in &more {
            ensure!(
                start + rows <= all.len(),
                "internal error: keys of unknown rows"
            );
            columns.push(all.slice(start, rows));
        }
        start += rows;
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
    }
    Ok(writer.into_inner()?)
}

/// The keys of one partition.
pub struct KeyTable {
    batches: Vec<RecordBatch>,
    shape: Option<(usize, usize)>,
}

impl KeyTable {
    /// Parses a file that [`KeysWriter`] made, without copying its columns.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        if bytes.is_empty() {
            return Ok(Self {
                batches: Vec::new(),
                shape: None,
            });
        }
        let (mut decoder, mut bytes) = (StreamDecoder::new(), Buffer::from_vec(bytes));
        let mut batches = Vec::new();
        while let Some(batch) = decoder.decode(&mut bytes)? {
            batches.push(batch);
        }
        decoder.finish()?;
        let schema = decoder.schema().context("keys without a schema")?;
        let number = |name: &str| {
            schema
                .metadata()
                .get(name)
                .and_then(|n| n.parse::<usize>().ok())
        };
        let shape = number("width")
            .zip(number("per_row"))
            .filter(|(_, per_row)| *per_row > 0);
        Ok(Self { batches, shape })
    }

    /// Bytes per fingerprint and fingerprints per row; None for selectors and without fingerprints.
    pub fn shape(&self) -> Option<(usize, usize)> {
        self.shape
    }

    /// The ids of all rows; None if the file does not have them.
    pub fn ids(&self) -> Option<Vec<u64>> {
        let mut all = Vec::new();
        for batch in &self.batches {
            let ids = batch
                .column_by_name(IDS)?
                .as_primitive_opt::<UInt64Type>()?;
            all.extend_from_slice(ids.values());
        }
        Some(all)
    }

    /// The ranks of all rows; the least possible one for a row without.
    pub fn ranks(&self) -> Result<Vec<f64>> {
        let mut all = Vec::new();
        for batch in &self.batches {
            let ranks = batch
                .column_by_name(RANKS)
                .and_then(|ranks| ranks.as_primitive_opt::<Float64Type>())
                .context("keys without ranks")?;
            all.extend(ranks.iter().map(|rank| rank.unwrap_or(f64::NEG_INFINITY)));
        }
        Ok(all)
    }

    /// One bit per row, clear if rejected.
    pub fn accepted(&self) -> BooleanBuffer {
        BooleanBuffer::from_iter(
            self.batches
                .iter()
                .flat_map(|b| b.column(1).as_boolean().iter().map(|r| r != Some(true))),
        )
    }

    /// Calls `each(row, fingerprint)` for fingerprint number `band` of every row that has one.
    pub fn each(&self, band: usize, each: impl FnMut(u32, u128)) -> Result<()> {
        match self.shape {
            Some((8, _)) => self.each_of::<8>(band, each),
            Some((16, _)) => self.each_of::<16>(band, each),
            Some((width, _)) => bail!("fingerprints of {width} bytes"),
            None => Ok(()),
        }
    }

    /// The same for fingerprints of `W` bytes, whose number the compiler knows.
    fn each_of<const W: usize>(&self, band: usize, mut each: impl FnMut(u32, u128)) -> Result<()> {
        let mut row = 0u32;
        for batch in &self.batches {
            let keys = batch.column(0).as_fixed_size_binary();
            let end = u32::try_from(keys.len())
                .ok()
                .and_then(|n| row.checked_add(n));
            let end = end.context("a partition has more than 2^32 rows")?;
            let at = band * W..(band + 1) * W;
            let values = keys.value_data().chunks_exact(keys.value_size());
            for (i, value) in values.take(keys.len()).enumerate() {
                if keys.is_valid(i) {
                    let mut wide = [0u8; 16];
                    wide[..W].copy_from_slice(&value[at.clone()]);
                    each(row + i as u32, u128::from_le_bytes(wide));
                }
            }
            row = end;
        }
        Ok(())
    }

    /// Calls `each(row, hashes)` for every row of an op that counts keys, with no hashes for a
    /// rejected one.
    pub fn each_list(&self, mut each: impl FnMut(u32, &[u64])) -> Result<()> {
        let mut row = 0u32;
        for batch in &self.batches {
            let lists = batch.column(0).as_list_opt::<i32>();
            for i in 0..batch.num_rows() {
                match lists.filter(|lists| lists.is_valid(i)) {
                    Some(lists) => each(row, lists.value(i).as_primitive::<UInt64Type>().values()),
                    None => each(row, &[]),
                }
                row = row
                    .checked_add(1)
                    .context("a partition has more than 2^32 rows")?;
            }
        }
        Ok(())
    }

    /// The selector's keys of all rows; None without rows.
    pub fn key_column(&self) -> Result<Option<ArrayRef>> {
        let columns: Vec<&dyn Array> = self.batches.iter().map(|b| b.column(0).as_ref()).collect();
        if columns.is_empty() {
            Ok(None)
        } else {
            Ok(Some(arrow::compute::concat(&columns)?))
        }
    }
}
