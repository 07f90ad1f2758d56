//! Reads the files of a trace by columns: for sums over millions of entries.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int32Array, RecordBatch, StringArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt32Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter};

use super::Fate;
use super::reader::Wanted;
use super::schema::{FATE, OP, PARTNER, PIECE, ROW_ID, stat_key};
use crate::rundir::own_files::open_regular;

/// Entries that are unpacked at a time.
const AT_ONCE: usize = 16 << 10;

/// Entries of one op and one fate that follow each other in a file.
pub(crate) struct Run<'a> {
    pub(crate) op: Option<usize>,
    pub(crate) fate: Fate,
    /// Which entries of `table`.
    range: Range<usize>,
    table: &'a Columns,
}

struct Columns {
    rows: UInt64Array,
    ops: Int32Array,
    fates: StringArray,
    partners: Option<UInt64Array>,
    pieces: Option<ArrayRef>,
    stats: Vec<(String, Float64Array)>,
}

impl Run<'_> {
    /// The ids of the rows.
    pub(crate) fn rows(&self) -> &[u64] {
        &self.table.rows.values()[self.range.clone()]
    }

    /// The rows that stand for them; None where that is not known.
    pub(crate) fn partners(&self) -> impl Iterator<Item = Option<u64>> {
        let partners = self.table.partners.as_ref();
        self.range.clone().map(move |at| {
            let known = partners.filter(|all| all.is_valid(at));
            known.map(|all| all.value(at))
        })
    }

    /// Which of several rows with its id each of them is; None: the first.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Option<u32>> {
        let pieces = self.table.pieces.as_ref();
        let pieces = pieces.and_then(|all| all.as_primitive_opt::<UInt32Type>());
        self.range.clone().map(move |at| {
            let known = pieces.filter(|all| all.is_valid(at));
            known.map(|all| all.value(at))
        })
    }

    /// Whether some of the rows are one of several with their id.
    pub(crate) fn has_pieces(&self) -> bool {
        let pieces = self.table.pieces.as_ref();
        pieces.is_some_and(|all| {
            all.slice(self.range.start, self.range.len()).null_count() < self.range.len()
        })
    }

    /// The stats that are numbers and that some row of the file has, by key: as many as rows, NaN where a row has none.
    pub(crate) fn stats(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = f64>)> {
        self.table.stats.iter().map(|(key, values)| {
            let value = |at: usize| match values.is_valid(at) {
                true => values.value(at),
                false => f64::NAN,
            };
            (key.as_str(), self.range.clone().map(value))
        })
    }
}

/// Calls `each` with all entries of a file that have one of `fates`.
pub(crate) fn each_run(
    path: &Path,
    fates: &[Fate],
    each: impl FnMut(&Run<'_>) -> Result<()>,
) -> Result<()> {
    let wanted = |name: &str, ty: &DataType| match name {
        ROW_ID | OP | FATE | PARTNER | PIECE => true,
        name => stat_key(name).is_some() && matches!(ty, DataType::Float64 | DataType::Int64),
    };
    let at = || format!("cannot read `{}`", path.display());
    let file = open_regular(path).with_context(at)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).with_context(at)?;
    runs(builder, wanted, fates, each).with_context(at)
}

/// The same for the entries of one op, with those stats only for which `is_wanted`. Reads only the
/// row groups that have entries of the op, and of these only what is needed.
pub(crate) fn each_run_of(
    path: &Path,
    op: usize,
    is_wanted: impl Fn(&str) -> bool,
    fates: &[Fate],
    each: impl FnMut(&Run<'_>) -> Result<()>,
) -> Result<()> {
    let at = || format!("cannot read `{}`", path.display());
    let file = open_regular(path).with_context(at)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).with_context(at)?;
    let of_op = Wanted {
        op: Some(op),
        ..Wanted::default()
    };
    let groups = of_op.groups(builder.metadata());
    if groups.is_empty() {
        return Ok(());
    }
    let wanted = |name: &str, ty: &DataType| match name {
        ROW_ID | OP | FATE | PIECE => true,
        name => {
            stat_key(name).is_some_and(&is_wanted)
                && matches!(ty, DataType::Float64 | DataType::Int64)
        }
    };
    let mask = ProjectionMask::columns(builder.parquet_schema(), [OP]);
    let is_op = ArrowPredicateFn::new(mask, move |table: RecordBatch| {
        let ops = cast(table.column(0), &DataType::Int32)?;
        let ops: &Int32Array = ops.as_primitive();
        Ok(ops.iter().map(|at| Some(at == Some(op as i32))).collect())
    });
    let builder = builder
        .with_row_groups(groups)
        .with_row_filter(RowFilter::new(vec![Box::new(is_op)]));
    runs(builder, wanted, fates, each).with_context(at)
}

/// Calls `each` with the entries of a file that have one of `fates`, and their `wanted` columns.
fn runs(
    builder: ParquetRecordBatchReaderBuilder<std::fs::File>,
    wanted: impl Fn(&str, &DataType) -> bool,
    fates: &[Fate],
    mut each: impl FnMut(&Run<'_>) -> Result<()>,
) -> Result<()> {
    let schema = builder.schema();
    let fields = schema.fields().iter().enumerate();
    let roots: Vec<usize> = fields
        .filter(|(_, field)| wanted(field.name(), field.data_type()))
        .map(|(at, _)| at)
        .collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(AT_ONCE)
        .build();
    for table in reader? {
        let table = Columns::new(&table?)?;
        let (mut start, rows) = (0, table.rows.len());
        while start < rows {
            let same = |other: usize| {
                table.fates.value(other) == table.fates.value(start)
                    && table.op(other) == table.op(start)
            };
            let end = (start + 1..rows)
                .find(|other| !same(*other))
                .unwrap_or(rows);
            // A word of a newer version is passed over.
            if let Some(fate) = Fate::of_word(table.fates.value(start))
                && fates.contains(&fate)
            {
                each(&Run {
                    op: table.op(start),
                    fate,
                    range: start..end,
                    table: &table,
                })?;
            }
            start = end;
        }
    }
    Ok(())
}

impl Columns {
    fn new(table: &RecordBatch) -> Result<Self> {
        let column = |name: &str, ty: &DataType| {
            let values = table
                .column_by_name(name)
                .with_context(|| format!("it has no column `{name}`"))?;
            Ok::<_, anyhow::Error>(cast(values, ty)?)
        };
        let mut stats = Vec::new();
        for (field, values) in table.schema().fields().iter().zip(table.columns()) {
            if let Some(key) = stat_key(field.name())
                && values.null_count() < values.len()
            {
                let numbers = cast(values, &DataType::Float64)?;
                stats.push((key.to_owned(), numbers.as_primitive().clone()));
            }
        }
        let partners = table.column_by_name(PARTNER);
        Ok(Self {
            rows: column(ROW_ID, &DataType::UInt64)?.as_primitive().clone(),
            ops: column(OP, &DataType::Int32)?.as_primitive().clone(),
            fates: column(FATE, &DataType::Utf8)?.as_string().clone(),
            partners: partners.and_then(|values| values.as_primitive_opt().cloned()),
            pieces: table.column_by_name(PIECE).cloned(),
            stats,
        })
    }

    fn op(&self, at: usize) -> Option<usize> {
        let op = self.ops.is_valid(at).then(|| self.ops.value(at));
        op.and_then(|op| usize::try_from(op).ok())
    }
}
