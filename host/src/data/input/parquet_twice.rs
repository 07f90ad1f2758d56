//! Values of 96 bits in Parquet files: times, which reach further than nanoseconds of 64 bits and
//! are finer than microseconds, and intervals of months, days and milliseconds. The decoder gives
//! the one half of such a value or the other, so a file that has some is read twice, side by side.

use crate::data::columns::logical::each_leaf;
use crate::data::columns::value_text;
use anyhow::{Context, Result, bail, ensure};
use arrow::array::{
    Array, ArrayRef, AsArray, IntervalMonthDayNanoArray, ListArray, MapArray, RecordBatch,
    StringArray, StructArray,
};
use arrow::datatypes::{
    DataType, Field, IntervalDayTimeType, IntervalMonthDayNano, IntervalUnit,
    IntervalYearMonthType, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
    TimestampNanosecondType,
};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{ConvertedType, Type};
use std::sync::Arc;

/// In the metadata of the field of the column that [`Twice::joined`] adds.
const LOST: &str = "djhost:lost";

/// The two readings of a file.
pub(crate) struct Twice {
    /// Times in microseconds, of intervals the days and the milliseconds.
    pub(crate) first: ArrowReaderMetadata,
    /// Times in nanoseconds, of intervals the months.
    pub(crate) second: ArrowReaderMetadata,
    /// The columns that the second one is needed for.
    roots: Vec<usize>,
    /// What both make together.
    pub(crate) schema: SchemaRef,
    /// Of each leaf what it is.
    leaves: Vec<Leaf>,
}

#[derive(Clone, Copy, PartialEq)]
enum Leaf {
    Time,
    Interval,
    Other,
}

/// Rows whose value a column does not hold, and what is wrong with it.
type Lost = Vec<(usize, String)>;

impl Twice {
    /// For a file that does not say in which types it was written. None where one reading is enough.
    pub(crate) fn of(metadata: &ArrowReaderMetadata) -> Result<Option<Self>> {
        let descriptor = metadata.metadata().file_metadata().schema_descr();
        let leaf = |column: &parquet::schema::types::ColumnDescPtr| {
            if column.physical_type() == Type::INT96 {
                Leaf::Time
            } else if column.converted_type() == ConvertedType::INTERVAL {
                Leaf::Interval
            } else {
                Leaf::Other
            }
        };
        let leaves: Vec<Leaf> = descriptor.columns().iter().map(leaf).collect();
        if leaves.iter().all(|leaf| *leaf == Leaf::Other) {
            return Ok(None);
        }
        let mut roots: Vec<usize> = (0..leaves.len())
            .filter(|leaf| leaves[*leaf] != Leaf::Other)
            .map(|leaf| descriptor.get_column_root_idx(leaf))
            .collect();
        roots.dedup();
        let reading = |time: TimeUnit, interval: IntervalUnit| {
            let schema = retyped(metadata.schema(), &leaves, &mut |_| time, interval);
            let options = ArrowReaderOptions::new().with_schema(schema);
            ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)
        };
        Ok(Some(Self {
            first: reading(TimeUnit::Microsecond, IntervalUnit::DayTime)?,
            second: reading(TimeUnit::Nanosecond, IntervalUnit::YearMonth)?,
            roots,
            schema: joined_schema(metadata.schema(), &leaves, &mut |_| TimeUnit::Microsecond),
            leaves,
        }))
    }

    pub(crate) fn has_times(&self) -> bool {
        self.leaves.contains(&Leaf::Time)
    }

    /// The columns of the second reading.
    pub(crate) fn mask(&self) -> ProjectionMask {
        let descriptor = self.first.metadata().file_metadata().schema_descr();
        ProjectionMask::roots(descriptor, self.roots.iter().copied())
    }

    /// Takes nanoseconds for the times of which that loses fewer, to judge by these rows.
    pub(crate) fn choose_units(&mut self, first: &RecordBatch, second: &RecordBatch) {
        let mut losses = Vec::new();
        for (column, name) in second.columns().iter().zip(second.schema_ref().fields()) {
            if let Some(other) = first.column_by_name(name.name()) {
                count_losses(other, column, &mut losses);
            }
        }
        let unit = |time: usize| match losses.get(time) {
            Some((micros, nanos)) if micros > nanos => TimeUnit::Nanosecond,
            _ => TimeUnit::Microsecond,
        };
        self.schema = joined_schema(self.first.schema(), &self.leaves, &mut { unit });
    }

    /// Rows of both readings as one. The last column says what is wrong with rows that lose a value
    /// by that: see [`take_lost`].
    pub(crate) fn joined(&self, first: &RecordBatch, second: &RecordBatch) -> Result<RecordBatch> {
        ensure!(
            first.num_rows() == second.num_rows(),
            "two readings of its rows differ"
        );
        let mut columns = first.columns().to_vec();
        let mut reasons: Vec<Option<String>> = vec![None; first.num_rows()];
        for (root, other) in self.roots.iter().zip(second.columns()) {
            let field = self.schema.field(*root);
            let (new, lost) = join(&columns[*root], other, field.data_type())?;
            columns[*root] = new;
            for (row, why) in lost {
                reasons[row].get_or_insert_with(|| format!("`{}` is {why}", field.name()));
            }
        }
        let mut fields = self.schema.fields().to_vec();
        let marked = Field::new("", DataType::Utf8, true).with_metadata([(LOST, "")]);
        fields.push(Arc::new(marked));
        columns.push(Arc::new(StringArray::from(reasons)));
        Ok(RecordBatch::try_new(
            Arc::new(Schema::new(fields)),
            columns,
        )?)
    }
}

/// The rows without the column that [`Twice::joined`] added; and which of them lost what.
pub(crate) fn take_lost(mut rows: RecordBatch) -> (RecordBatch, Lost) {
    let last = rows.num_columns().wrapping_sub(1);
    let is_marked = rows
        .schema_ref()
        .fields()
        .last()
        .is_some_and(|field| field.metadata().contains_key(LOST));
    if !is_marked {
        return (rows, Lost::new());
    }
    let column = rows.remove_column(last);
    let reasons = column.as_string::<i32>().iter().enumerate();
    let lost = reasons.filter_map(|(row, why)| Some((row, why?.to_owned())));
    (rows, lost.collect())
}

/// `schema` with other types of times and intervals; `unit` is that of the times from the first on.
fn retyped(
    schema: &Schema,
    leaves: &[Leaf],
    unit: &mut dyn FnMut(usize) -> TimeUnit,
    interval: IntervalUnit,
) -> SchemaRef {
    let (mut leaves, mut times) = (leaves.iter(), 0);
    let mut change = |field: Field| match leaves.next() {
        Some(Leaf::Time) => {
            times += 1;
            field.with_data_type(DataType::Timestamp(unit(times - 1), None))
        }
        Some(Leaf::Interval) => field.with_data_type(DataType::Interval(interval)),
        _ => field,
    };
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| each_leaf(field, &mut change))
        .collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn joined_schema(
    schema: &Schema,
    leaves: &[Leaf],
    unit: &mut dyn FnMut(usize) -> TimeUnit,
) -> SchemaRef {
    retyped(schema, leaves, unit, IntervalUnit::MonthDayNano)
}

/// The column of both readings in type `ty`.
fn join(first: &ArrayRef, second: &ArrayRef, ty: &DataType) -> Result<(ArrayRef, Lost)> {
    if first.data_type() == second.data_type() && first.data_type() == ty {
        return Ok((Arc::clone(first), Lost::new()));
    }
    Ok(match ty {
        DataType::Timestamp(unit, None) => {
            let lost = lost_times(first, second, *unit);
            let is_fine = *unit == TimeUnit::Nanosecond;
            (Arc::clone(if is_fine { second } else { first }), lost)
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => intervals(first, second)?,
        DataType::Struct(fields) => {
            let (one, two) = (first.as_struct(), second.as_struct());
            let (mut children, mut lost) = (Vec::new(), Lost::new());
            for ((a, b), field) in one.columns().iter().zip(two.columns()).zip(fields) {
                let (child, more) = join(a, b, field.data_type())?;
                children.push(child);
                lost.extend(more);
            }
            let nulls = one.nulls().cloned();
            let new = StructArray::try_new_with_length(fields.clone(), children, nulls, one.len())?;
            (Arc::new(new), lost)
        }
        DataType::List(item) => {
            let (one, two) = (first.as_list::<i32>(), second.as_list::<i32>());
            let (items, lost) = join(one.values(), two.values(), item.data_type())?;
            let lost = of_rows(lost, one.value_offsets());
            let (offsets, nulls) = (one.offsets().clone(), one.nulls().cloned());
            let new = ListArray::try_new(Arc::clone(item), offsets, items, nulls)?;
            (Arc::new(new), lost)
        }
        DataType::Map(entries, sorted) => {
            let (one, two) = (first.as_map(), second.as_map());
            let pairs: [ArrayRef; 2] =
                [one, two].map(|map| Arc::new(map.entries().clone()) as ArrayRef);
            let (pairs, lost) = join(&pairs[0], &pairs[1], entries.data_type())?;
            let lost = of_rows(lost, one.value_offsets());
            let (offsets, nulls) = (one.offsets().clone(), one.nulls().cloned());
            let pairs = pairs.as_struct().clone();
            let new = MapArray::try_new(Arc::clone(entries), offsets, pairs, nulls, *sorted)?;
            (Arc::new(new), lost)
        }
        other => bail!("internal error: two readings of {other}"),
    })
}

/// Of items the rows that they are in.
fn of_rows(lost: Lost, ends: &[i32]) -> Lost {
    let row = |item: usize| ends.partition_point(|end| *end as usize <= item) - 1;
    lost.into_iter()
        .map(|(item, why)| (row(item), why))
        .collect()
}

/// A time as its microseconds, rounded down, and the nanoseconds above them. Those of 64 bits wrap
/// around where they do not reach, so that the difference is right all the same.
fn parts(first: &dyn Array, second: &dyn Array, row: usize) -> Option<(i64, i64)> {
    let micros = first.as_primitive::<TimestampMicrosecondType>();
    let nanos = second.as_primitive::<TimestampNanosecondType>();
    micros.is_valid(row).then(|| {
        let micros = micros.value(row);
        (
            micros,
            nanos.value(row).wrapping_sub(micros.wrapping_mul(1000)),
        )
    })
}

/// Whether nanoseconds of 64 bits hold the time.
fn is_in_reach((micros, nanos): (i64, i64)) -> bool {
    let whole = micros.checked_mul(1000);
    whole.is_some_and(|whole| whole.checked_add(nanos).is_some())
}

fn lost_times(first: &dyn Array, second: &dyn Array, unit: TimeUnit) -> Lost {
    let is_lost = |time: (i64, i64)| match unit {
        TimeUnit::Nanosecond => !is_in_reach(time),
        _ => time.1 != 0,
    };
    let each = (0..first.len()).filter_map(|row| Some((row, parts(first, second, row)?)));
    let lost = each.filter(|(_, time)| is_lost(*time));
    let ty = DataType::Timestamp(unit, None);
    lost.map(|(row, (micros, nanos))| {
        let coarse = DataType::Timestamp(TimeUnit::Microsecond, None);
        let mut text = Vec::new();
        let text = match value_text::write(&coarse, &micros.to_ne_bytes(), &mut text) {
            Ok(()) => String::from_utf8_lossy(&text).trim_matches('"').to_owned(),
            Err(without) => without.value,
        };
        let nanos = match nanos {
            0 => String::new(),
            nanos => format!(" and {nanos} ns"),
        };
        let why = format!("{text}{nanos} of 96 bits, which {ty} does not hold exactly");
        (row, why)
    })
    .collect()
}

/// For each column of times in order how many microseconds do not hold, and how many nanoseconds.
fn count_losses(first: &ArrayRef, second: &ArrayRef, losses: &mut Vec<(usize, usize)>) {
    match (first.data_type(), second.data_type()) {
        (DataType::Timestamp(TimeUnit::Microsecond, _), DataType::Timestamp(..)) => {
            let times: Vec<_> = (0..first.len())
                .filter_map(|row| parts(first, second, row))
                .collect();
            let fine = times.iter().filter(|time| time.1 != 0).count();
            let far = times.iter().filter(|time| !is_in_reach(**time)).count();
            losses.push((fine, far));
        }
        (DataType::Struct(_), _) => {
            let pairs = first.as_struct().columns().iter();
            pairs
                .zip(second.as_struct().columns())
                .for_each(|(a, b)| count_losses(a, b, losses));
        }
        (DataType::List(_), _) => count_losses(
            first.as_list::<i32>().values(),
            second.as_list::<i32>().values(),
            losses,
        ),
        (DataType::Map(..), _) => {
            let (one, two) = (first.as_map(), second.as_map());
            count_losses(one.keys(), two.keys(), losses);
            count_losses(one.values(), two.values(), losses);
        }
        _ => {}
    }
}

/// Months, days and milliseconds, none of which Parquet has below zero.
fn intervals(first: &ArrayRef, second: &ArrayRef) -> Result<(ArrayRef, Lost)> {
    let days = first.as_primitive_opt::<IntervalDayTimeType>();
    let months = second.as_primitive_opt::<IntervalYearMonthType>();
    let (days, months) = days.zip(months).context("an interval is read as none")?;
    let mut lost = Lost::new();
    let each = (0..days.len()).map(|row| {
        if days.is_null(row) {
            return None;
        }
        let (of_day, months) = (days.value(row), months.value(row));
        if months < 0 || of_day.days < 0 {
            let (months, days) = (months.cast_unsigned(), of_day.days.cast_unsigned());
            let why = format!(
                "P{months}M{days}D of type INTERVAL, which {} does not hold",
                DataType::Interval(IntervalUnit::MonthDayNano)
            );
            lost.push((row, why));
        }
        let millis = i64::from(of_day.milliseconds.cast_unsigned());
        Some(IntervalMonthDayNano::new(
            months,
            of_day.days,
            millis * 1_000_000,
        ))
    });
    let all: IntervalMonthDayNanoArray = each.collect();
    Ok((Arc::new(all), lost))
}
