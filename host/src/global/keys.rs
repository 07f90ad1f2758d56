//! The key file: the keys of one partition's rows.
//!
//! An Arrow stream with columns `key` (fingerprints as fixed-size binary, or the selector's key),
//! `rejected`, and for the trace `row`, the rows' ids. A partition without rows has an empty file.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, RecordBatch, UInt64Array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use crate::wasm::Output;

/// The column of ids.
const IDS: &str = "row";

/// Keys of some rows, bytes per fingerprint, and fingerprints per row; 0 for selectors.
type Keys = (ArrayRef, usize, usize);

/// Collects the keys of a partition.
#[derive(Default)]
pub struct KeysWriter {
    batches: Vec<(Option<Keys>, Vec<bool>)>,
    /// None where nobody needs them.
    ids: Option<Vec<UInt64Array>>,
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
                write(&DataType::Null, &HashMap::new(), batches, self.ids)
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
            self.ids,
        )
    }
}

fn write(
    ty: &DataType,
    metadata: &HashMap<String, String>,
    batches: Vec<(Option<ArrayRef>, Vec<bool>)>,
    ids: Option<Vec<UInt64Array>>,
) -> Result<Vec<u8>> {
    let mut fields = vec![
        Field::new("key", ty.clone(), true),
        Field::new("rejected", DataType::Boolean, false),
    ];
    let ids = match ids {
        None => None,
        Some(parts) => {
            fields.push(Field::new(IDS, DataType::UInt64, false));
            let parts: Vec<&dyn Array> = parts.iter().map(|ids| ids as &dyn Array).collect();
            Some(arrow::compute::concat(&parts)?)
        }
    };
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
        if let Some(ids) = &ids {
            ensure!(
                start + rows <= ids.len(),
                "internal error: keys of unknown rows"
            );
            columns.push(ids.slice(start, rows));
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
    /// Parses a file that [`KeysWriter`] made.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Ok(Self {
                batches: Vec::new(),
                shape: None,
            });
        }
        let reader = StreamReader::try_new(bytes, None)?;
        let schema = reader.schema();
        let number = |name: &str| {
            schema
                .metadata()
                .get(name)
                .and_then(|n| n.parse::<usize>().ok())
        };
        let shape = number("width")
            .zip(number("per_row"))
            .filter(|(_, per_row)| *per_row > 0);
        Ok(Self {
            batches: reader.collect::<Result<_, _>>()?,
            shape,
        })
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

    /// One bit per row, clear if rejected.
    pub fn accepted(&self) -> BooleanBuffer {
        BooleanBuffer::from_iter(
            self.batches
                .iter()
                .flat_map(|b| b.column(1).as_boolean().iter().map(|r| r != Some(true))),
        )
    }

    /// Calls `each(row, fingerprint)` for fingerprint number `band` of every row that has one.
    pub fn each(&self, band: usize, mut each: impl FnMut(u32, u128)) -> Result<()> {
        let Some((width, _)) = self.shape else {
            return Ok(());
        };
        let mut row = 0u32;
        for batch in &self.batches {
            let keys = batch.column(0).as_fixed_size_binary();
            for i in 0..keys.len() {
                if keys.is_valid(i) {
                    let bytes = &keys.value(i)[band * width..(band + 1) * width];
                    let mut wide = [0u8; 16];
                    wide[..width].copy_from_slice(bytes);
                    each(row, u128::from_le_bytes(wide));
                }
                row = row
                    .checked_add(1)
                    .context("a partition has more than 2^32 rows")?;
            }
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
