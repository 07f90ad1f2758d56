//! By what a deduplicator chooses the row of a cluster that stays.

use std::borrow::Cow;

use anyhow::Result;
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use crate::data::{Batch, FieldType};
use crate::plan::PlannedOp;
use crate::wasm::Keep;

/// A number for each row, the better the greater, or null for a row that has none. None if `op` does
/// not choose by a value.
pub(crate) fn ranks(op: &PlannedOp, rows: &Batch) -> Result<Option<Float64Array>> {
    let numbers = |field: &str| -> Result<Float64Array> {
        let values = rows
            .field(field)
            .unwrap_or_else(|| new_null_array(&DataType::Float64, rows.rows()));
        let values = match values.data_type() {
            ty if ty.is_numeric() => values,
            ty if ty.is_temporal() => cast(&values, &DataType::Int64)?,
            DataType::Utf8View => {
                let is_json = rows.column(field).is_some_and(|column| column.json);
                let texts = values.as_string_view().iter();
                let number = |text: &str| match is_json {
                    true => of_json(text),
                    false => seconds_of(text),
                };
                return Ok(texts.map(|text| number(text?)).collect());
            }
            _ => return Ok(none(rows.rows())),
        };
        Ok(cast(&values, &DataType::Float64)?
            .as_primitive::<Float64Type>()
            .clone())
    };
    let of_numbers = |field: &str, sign: f64| -> Result<Option<Float64Array>> {
        let ranks = numbers(field)?;
        let ranks = ranks
            .iter()
            .map(|n| Some(sign * n?))
            .map(|n| n.filter(|n| !n.is_nan()));
        Ok(Some(ranks.collect()))
    };
    match &op.pool.clusters().keep {
        Keep::Max(field) => of_numbers(field, 1.0),
        Keep::Min(field) => of_numbers(field, -1.0),
        Keep::Longest => {
            let mut reads = op.pool.signature().reads.iter();
            let text = reads.find(|read| read.ty == FieldType::Utf8);
            let texts = text.and_then(|text| rows.field(&text.path));
            Ok(Some(texts.map_or_else(
                || Float64Array::new_null(rows.rows()),
                |texts| lengths(&texts),
            )))
        }
        Keep::First | Keep::Last | Keep::All => Ok(None),
    }
}

/// The number that a JSON value is, or the date that it has.
fn of_json(value: &str) -> Option<f64> {
    match value.starts_with('"') {
        true => seconds_of(&serde_json::from_str::<Cow<'_, str>>(value).ok()?),
        false => serde_json::from_str(value).ok(),
    }
}

/// Seconds from 1970 to a date as RFC 3339, ISO 8601 or RFC 2822 have it; in UTC if it names no zone.
fn seconds_of(date: &str) -> Option<f64> {
    let date = date.trim();
    if !date.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    let utc = |date: civil::DateTime| date.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    let at = date
        .parse::<Timestamp>()
        .ok()
        .or_else(|| utc(date.parse().ok()?))
        .or_else(|| Some(rfc2822::parse(date).ok()?.timestamp()))?;
    Some(at.as_microsecond() as f64 / 1e6)
}

/// The number of characters of each text.
fn lengths(texts: &ArrayRef) -> Float64Array {
    let Some(texts) = texts.as_string_view_opt() else {
        return Float64Array::new_null(texts.len());
    };
    // Each character has one byte that does not continue another.
    let count = |text: &str| text.bytes().filter(|byte| *byte as i8 >= -0x40).count();
    texts.iter().map(|text| Some(count(text?) as f64)).collect()
}

/// As many ranks of nothing.
pub(crate) fn none(rows: usize) -> Float64Array {
    Float64Array::new_null(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringViewArray;
    use std::sync::Arc;

    #[test]
    fn dates_are_compared_by_their_time() {
        for (value, seconds) in [
            (r#""1970-01-02""#, Some(86_400.0)),
            (r#""1970-01-01T00:00:01.5Z""#, Some(1.5)),
            (r#""1970-01-01 01:00:00+01:00""#, Some(0.0)),
            (r#""1970-01-01T00:01:00""#, Some(60.0)),
            (r#""Thu, 01 Jan 1970 00:00:09 GMT""#, Some(9.0)),
            ("-2.5e3", Some(-2500.0)),
            (r#""2024""#, None),
            (r#""soon""#, None),
            ("\"\"", None),
            ("null", None),
            ("true", None),
            (r#"["1970-01-02"]"#, None),
        ] {
            assert_eq!(of_json(value), seconds, "{value}");
        }
    }

    #[test]
    fn lengths_are_in_characters() {
        let texts = StringViewArray::from(vec![Some("aé日🙂"), None, Some("")]);
        let texts: ArrayRef = Arc::new(texts);
        let expected = Float64Array::from(vec![Some(4.0), None, Some(0.0)]);
        assert_eq!(lengths(&texts), expected);
    }
}
