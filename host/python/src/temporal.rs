//! Dates, times and decimals as Python objects.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Int64Type, TimeUnit};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDelta, PyDict};

/// Makes the object for a row whose value is not null.
pub(crate) type Maker<'py> = Box<dyn Fn(usize) -> PyResult<Bound<'py, PyAny>> + 'py>;

/// The day 1970-01-01 as Python counts days.
const EPOCH: i64 = 719_163;

/// Returns what makes objects of the values in `column`.
pub(crate) fn maker<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Maker<'py>> {
    let datetime = py.import("datetime")?;
    Ok(match column.data_type() {
        DataType::Date32 | DataType::Date64 => {
            let per_day = match column.data_type() {
                DataType::Date64 => 86_400_000,
                _ => 1,
            };
            let days = numbers(column)?;
            let from_ordinal = datetime.getattr("date")?.getattr("fromordinal")?;
            Box::new(move |i| from_ordinal.call1((EPOCH + days.value(i).div_euclid(per_day),)))
        }
        DataType::Time32(unit) | DataType::Time64(unit) => {
            let (times, unit) = (numbers(column)?, *unit);
            let time = datetime.getattr("time")?;
            Box::new(move |i| {
                let micros = micros(times.value(i), unit)?;
                let (seconds, micros) =
                    (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
                time.call1((seconds / 3600, seconds / 60 % 60, seconds % 60, micros))
            })
        }
        DataType::Duration(unit) => {
            let (spans, unit) = (numbers(column)?, *unit);
            Box::new(move |i| Ok(delta(py, micros(spans.value(i), unit)?)?.into_any()))
        }
        DataType::Timestamp(unit, zone) => {
            let (times, unit) = (numbers(column)?, *unit);
            let zone = zone
                .as_deref()
                .map(|zone| time_zone(py, zone))
                .transpose()?;
            let utc = datetime.getattr("timezone")?.getattr("utc")?;
            let tz = PyDict::new(py);
            tz.set_item("tzinfo", zone.as_ref().map(|_| utc))?;
            let epoch = datetime
                .getattr("datetime")?
                .call((1970, 1, 1), Some(&tz))?;
            Box::new(move |i| {
                let time = epoch.add(delta(py, micros(times.value(i), unit)?)?)?;
                match &zone {
                    Some(zone) => time.call_method1("astimezone", (zone,)),
                    None => Ok(time),
                }
            })
        }
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => {
            decimals(py, &cast_to(column, &DataType::Decimal128(38, *scale))?)?
        }
        DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => decimals(py, column)?,
        other => {
            let message = format!(
                "a column of {other} has no Python objects: take the result with `to_arrow()`"
            );
            return Err(PyTypeError::new_err(message));
        }
    })
}

fn cast_to(column: &ArrayRef, ty: &DataType) -> PyResult<ArrayRef> {
    cast(column, ty).map_err(|error| PyTypeError::new_err(error.to_string()))
}

/// The numbers behind a column of dates or times.
fn numbers(column: &ArrayRef) -> PyResult<PrimitiveArray<Int64Type>> {
    let numbers = match column.data_type() {
        DataType::Date32 | DataType::Time32(_) => cast_to(column, &DataType::Int32)?,
        _ => column.clone(),
    };
    Ok(cast_to(&numbers, &DataType::Int64)?.as_primitive().clone())
}

fn decimals<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Maker<'py>> {
    let decimal = py.import("decimal")?.getattr("Decimal")?;
    Ok(match column.data_type() {
        DataType::Decimal256(_, _) => {
            let numbers = column.as_primitive::<Decimal256Type>().clone();
            Box::new(move |i| decimal.call1((numbers.value_as_string(i),)))
        }
        _ => {
            let numbers = column.as_primitive::<Decimal128Type>().clone();
            Box::new(move |i| decimal.call1((numbers.value_as_string(i),)))
        }
    })
}

/// Python's times have microseconds: finer ones are refused, not rounded.
fn micros(number: i64, unit: TimeUnit) -> PyResult<i64> {
    let micros = match unit {
        TimeUnit::Second => number.checked_mul(1_000_000),
        TimeUnit::Millisecond => number.checked_mul(1000),
        TimeUnit::Microsecond => Some(number),
        TimeUnit::Nanosecond if number % 1000 == 0 => Some(number / 1000),
        TimeUnit::Nanosecond => None,
    };
    micros.ok_or_else(|| {
        PyValueError::new_err(
            "a time with nanoseconds, or too far away, is no `datetime`: take the result with `to_arrow()`",
        )
    })
}

fn delta<'py>(py: Python<'py>, micros: i64) -> PyResult<Bound<'py, PyDelta>> {
    const DAY: i64 = 86_400_000_000;
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let days = i32::try_from(days).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let (seconds, micros) = (rest / 1_000_000, rest % 1_000_000);
    PyDelta::new(py, days, seconds as i32, micros as i32, false)
}

/// `+02:00`, or a name such as `Europe/Berlin`.
fn time_zone<'py>(py: Python<'py>, zone: &str) -> PyResult<Bound<'py, PyAny>> {
    let offset = |zone: &str| {
        let (sign, rest) = zone.split_at_checked(1)?;
        let (hours, minutes) = rest.split_once(':')?;
        let minutes = 60 * hours.parse::<i64>().ok()? + minutes.parse::<i64>().ok()?;
        match sign {
            "+" => Some(minutes),
            "-" => Some(-minutes),
            _ => None,
        }
    };
    let datetime = py.import("datetime")?;
    match (zone, offset(zone)) {
        ("UTC" | "Z", _) => datetime.getattr("timezone")?.getattr("utc"),
        (_, Some(minutes)) => datetime
            .getattr("timezone")?
            .call1((delta(py, minutes * 60_000_000)?,)),
        (_, None) => py.import("zoneinfo")?.getattr("ZoneInfo")?.call1((zone,)),
    }
}
