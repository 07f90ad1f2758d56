//! Reads the files of a trace.

use std::path::Path;

use anyhow::{Context, Result};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type,
};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use serde_json::Value;

use super::Fate;
use super::schema::{
    AFTER, BEFORE, FATE, FIELD, OP, PARTNER, PIECE, REASON, ROW_ID, ROWS, stat_key,
};
use crate::rundir::own_files::open_regular;

/// What one op did with one row; see the [table](super).
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The row of the input.
    pub row_id: u64,
    /// Which of several rows with this id.
    pub piece: Option<u32>,
    /// The op; None: the reader, or the export.
    pub op: Option<usize>,
    /// What it did.
    pub fate: Fate,
    /// The row that stands for this one.
    pub partner: Option<u64>,
    /// The number of rows that were made of it.
    pub rows: Option<u32>,
    /// Why it is in quarantine.
    pub reason: Option<String>,
    /// A field that a mapper changed, its value before, and after.
    pub change: Option<[String; 3]>,
    /// The stats that the op computed, by key.
    pub stats: Vec<(String, Value)>,
}

/// The entries that a reader wants; what is None does not matter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Of these rows, ascending.
    pub(crate) rows: Option<Vec<u64>>,
    /// Of this op.
    pub(crate) op: Option<usize>,
    /// With one of these fates.
    pub(crate) fates: Option<Vec<Fate>>,
}

impl Wanted {
    fn has_row(&self, row: u64) -> bool {
        self.rows
            .as_ref()
            .is_none_or(|rows| rows.binary_search(&row).is_ok())
    }

    fn has_fate(&self, fate: Fate) -> bool {
        self.fates
            .as_ref()
            .is_none_or(|fates| fates.contains(&fate))
    }

    /// The numbers of the row groups that may have such entries.
    pub(super) fn groups(&self, metadata: &ParquetMetaData) -> Vec<usize> {
        let groups = metadata.row_groups().iter().enumerate();
        groups
            .filter(|(_, group)| self.may_be_in(group))
            .map(|(number, _)| number)
            .collect()
    }

    /// Whether a row group may have such entries, by its statistics.
    fn may_be_in(&self, group: &RowGroupMetaData) -> bool {
        let statistics = |name: &str| {
            let column = group
                .columns()
                .iter()
                .find(|c| c.column_path().string() == name)?;
            column.statistics()
        };
        let rows = match (&self.rows, statistics(ROW_ID)) {
            (Some(rows), Some(Statistics::Int64(range))) => {
                // The bits of an unsigned number; ids are below 2^63 but for half a million files.
                match (range.min_opt(), range.max_opt()) {
                    (Some(min), Some(max)) => {
                        let (min, max) = (min.cast_unsigned(), max.cast_unsigned());
                        let from = rows.partition_point(|row| *row < min);
                        rows.get(from).is_some_and(|row| *row <= max)
                    }
                    _ => true,
                }
            }
            _ => true,
        };
        let op = match (self.op, statistics(OP)) {
            (Some(op), Some(Statistics::Int32(range))) => {
                let at = op as i32;
                range.min_opt().is_none_or(|min| *min <= at)
                    && range.max_opt().is_none_or(|max| at <= *max)
            }
            _ => true,
        };
        rows && op
    }
}

/// Calls `each` with the wanted entries of a file until it says that it has enough. Returns whether
/// it wants more. Reads only the row groups that can have them.
pub(crate) fn each_entry(
    path: &Path,
    wanted: &Wanted,
    mut each: impl FnMut(Entry) -> Result<bool>,
) -> Result<bool> {
    let at = || format!("cannot read `{}`", path.display());
    let file = open_regular(path).with_context(at)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).with_context(at)?;
    let groups = wanted.groups(builder.metadata());
    if groups.is_empty() {
        return Ok(true);
    }
    let mut builder = builder.with_row_groups(groups);
    if let Some(rows) = wanted.rows.clone() {
        // Only the ids of other rows are unpacked.
        let mask = ProjectionMask::columns(builder.parquet_schema(), [ROW_ID]);
        let is_in = ArrowPredicateFn::new(mask, move |table: RecordBatch| {
            let ids = cast(table.column(0), &DataType::UInt64)?;
            let ids = ids.as_primitive::<UInt64Type>().values().iter();
            Ok(ids.map(|id| Some(rows.binary_search(id).is_ok())).collect())
        });
        builder = builder.with_row_filter(RowFilter::new(vec![Box::new(is_in)]));
    }
    for table in builder.build().with_context(at)? {
        let table = Table::new(&table.with_context(at)?).with_context(at)?;
        for row in 0..table.rows {
            if let Some(entry) = table.entry(row, wanted)
                && !each(entry)?
            {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The columns of some entries.
struct Table {
    rows: usize,
    columns: Vec<(String, ArrayRef)>,
    row_id: ArrayRef,
    op: ArrayRef,
    fate: ArrayRef,
}

impl Table {
    fn new(table: &RecordBatch) -> Result<Self> {
        let column = |name: &str, ty: &DataType| {
            let values = table
                .column_by_name(name)
                .with_context(|| format!("it has no column `{name}`"))?;
            Ok::<_, anyhow::Error>(cast(values, ty)?)
        };
        let schema = table.schema();
        let columns = schema.fields().iter().zip(table.columns());
        Ok(Self {
            rows: table.num_rows(),
            row_id: column(ROW_ID, &DataType::UInt64)?,
            op: column(OP, &DataType::Int32)?,
            fate: column(FATE, &DataType::Utf8)?,
            columns: columns
                .filter(|(_, values)| values.null_count() < values.len())
                .map(|(field, values)| (field.name().clone(), plain(values)))
                .collect(),
        })
    }

    fn entry(&self, row: usize, wanted: &Wanted) -> Option<Entry> {
        let row_id = self.row_id.as_primitive::<UInt64Type>().value(row);
        if !wanted.has_row(row_id) {
            return None;
        }
        let op = (self.op.is_valid(row))
            .then(|| self.op.as_primitive::<Int32Type>().value(row) as usize);
        if wanted.op.is_some() && op != wanted.op {
            return None;
        }
        let fate = Fate::of_word(self.fate.as_string::<i32>().value(row))?;
        if !wanted.has_fate(fate) {
            return None;
        }
        let [field, before, after] = [FIELD, BEFORE, AFTER].map(|name| self.text(name, row));
        Some(Entry {
            row_id,
            piece: self.number(PIECE, row).map(|n| n as u32),
            op,
            fate,
            partner: self.number(PARTNER, row),
            rows: self.number(ROWS, row).map(|n| n as u32),
            reason: self.text(REASON, row),
            change: field
                .map(|field| [field, before.unwrap_or_default(), after.unwrap_or_default()]),
            stats: self.stats(row),
        })
    }

    fn valid(&self, name: &str, row: usize) -> Option<&ArrayRef> {
        let column = self.columns.iter().find(|(column, _)| column == name);
        column
            .map(|(_, values)| values)
            .filter(|values| values.is_valid(row))
    }

    fn number(&self, name: &str, row: usize) -> Option<u64> {
        let values = self.valid(name, row)?;
        match values.data_type() {
            DataType::UInt32 => Some(values.as_primitive::<UInt32Type>().value(row).into()),
            DataType::UInt64 => Some(values.as_primitive::<UInt64Type>().value(row)),
            _ => None,
        }
    }

    fn text(&self, name: &str, row: usize) -> Option<String> {
        let values = self.valid(name, row)?.as_string_opt::<i32>()?;
        Some(values.value(row).to_owned())
    }

    fn stats(&self, row: usize) -> Vec<(String, Value)> {
        let stats = self
            .columns
            .iter()
            .filter(|(_, values)| values.is_valid(row));
        stats
            .filter_map(|(name, values)| Some((stat_key(name)?.to_owned(), value(values, row))))
            .collect()
    }
}

/// Texts of any layout as Utf8.
fn plain(values: &ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Utf8View | DataType::LargeUtf8 => {
            cast(values, &DataType::Utf8).unwrap_or_else(|_| values.clone())
        }
        _ => values.clone(),
    }
}

/// A stat as JSON; what JSON has no number for is its name.
pub(crate) fn value(values: &ArrayRef, row: usize) -> Value {
    if values.is_null(row) {
        return Value::Null;
    }
    match values.data_type() {
        DataType::Float64 => {
            let number = values.as_primitive::<Float64Type>().value(row);
            serde_json::Number::from_f64(number)
                .map_or_else(|| number.to_string().into(), Value::Number)
        }
        DataType::Int64 => values.as_primitive::<Int64Type>().value(row).into(),
        DataType::Boolean => values.as_boolean().value(row).into(),
        DataType::Utf8 => values.as_string::<i32>().value(row).into(),
        DataType::Utf8View => values.as_string_view().value(row).into(),
        DataType::Float32 => {
            let number = values.as_primitive::<Float32Type>().value(row);
            // The digits of single precision.
            let text = number.to_string();
            text.parse().map_or_else(|_| text.into(), Value::Number)
        }
        DataType::Binary => hex::encode(values.as_binary::<i32>().value(row)).into(),
        DataType::BinaryView => hex::encode(values.as_binary_view().value(row)).into(),
        DataType::List(_) | DataType::FixedSizeList(..) => {
            let items = match values.as_list_opt::<i32>() {
                Some(lists) => lists.value(row),
                None => values.as_fixed_size_list().value(row),
            };
            (0..items.len()).map(|item| value(&items, item)).collect()
        }
        _ => Value::Null,
    }
}
