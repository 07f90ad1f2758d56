//! Converts values of fixed width (numbers, decimals, dates, times, durations) to JSON texts and
//! back. Every text reads back as the value that it was written from.

mod numbers;
#[cfg(test)]
mod tests;
mod times;

use crate::data::json::Odd;
use arrow::array::ArrowPrimitiveType;
use arrow::array::timezone::Tz;
use arrow::datatypes::{DataType, Float16Type, IntervalUnit, TimeUnit, i256};
use chrono::{Offset, TimeZone};
pub(crate) use numbers::write_f32;
use numbers::*;
use std::io::Write as _;
use std::ops::RangeInclusive;
use times::*;

/// A value that has no JSON text.
#[derive(Debug)]
pub(crate) struct Unwritable {
    /// The number that Arrow stores for it.
    pub(crate) value: String,
    /// Its type.
    pub(crate) ty: DataType,
}

/// The size of a value of this type in bytes; `None` for types whose values have no fixed size.
pub(crate) fn width(ty: &DataType) -> Option<usize> {
    match ty {
        DataType::FixedSizeBinary(width) => usize::try_from(*width).ok(),
        other => other.primitive_width(),
    }
}

/// Appends the JSON text of a value. `NaN` and infinities are spelled as Python spells them.
pub(crate) fn write(ty: &DataType, value: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    use DataType::*;
    match ty {
        Int8 => show(i8::from_ne_bytes(bytes(value)), out),
        Int16 => show(i16::from_ne_bytes(bytes(value)), out),
        Int32 => show(i32::from_ne_bytes(bytes(value)), out),
        Int64 => show(i64::from_ne_bytes(bytes(value)), out),
        UInt8 => show(u8::from_ne_bytes(bytes(value)), out),
        UInt16 => show(u16::from_ne_bytes(bytes(value)), out),
        UInt32 => show(u32::from_ne_bytes(bytes(value)), out),
        UInt64 => show(u64::from_ne_bytes(bytes(value)), out),
        Float16 => write_f32(half(value).to_f32(), out),
        Float32 => write_f32(f32::from_ne_bytes(bytes(value)), out),
        Float64 => crate::data::json::write_f64(f64::from_ne_bytes(bytes(value)), out),
        Decimal32(_, scale) => {
            write_decimal(&i32::from_ne_bytes(bytes(value)).to_string(), *scale, out)
        }
        Decimal64(_, scale) => {
            write_decimal(&i64::from_ne_bytes(bytes(value)).to_string(), *scale, out)
        }
        Decimal128(_, scale) => {
            write_decimal(&i128::from_ne_bytes(bytes(value)).to_string(), *scale, out)
        }
        Decimal256(_, scale) => write_decimal(&wide(value).to_string(), *scale, out),
        Duration(unit) => {
            out.push(b'"');
            let value = i128::from(i64::from_ne_bytes(bytes(value)));
            out.extend_from_slice(if value < 0 { b"-PT" } else { b"PT" });
            write_seconds(value.abs(), digits(unit), out);
            out.extend_from_slice(b"S\"");
        }
        Interval(unit) => write_interval(unit, value, out),
        FixedSizeBinary(_) => write_hex(value, out),
        _ => return write_time(ty, value, out),
    }
    Ok(())
}

/// Appends the value that `text` stands for, in the bytes that a column of type `ty` stores.
pub(crate) fn parse(ty: &DataType, text: &str, out: &mut impl Extend<u8>) -> Result<(), Odd> {
    use DataType::*;
    macro_rules! number {
        ($t:ty) => {
            out.extend(text.parse::<$t>().map_err(|_| Odd)?.to_ne_bytes())
        };
    }
    match ty {
        Int8 => number!(i8),
        Int16 => number!(i16),
        Int32 => number!(i32),
        Int64 => number!(i64),
        UInt8 => number!(u8),
        UInt16 => number!(u16),
        UInt32 => number!(u32),
        UInt64 => number!(u64),
        Float16 => out.extend(
            <Float16Type as ArrowPrimitiveType>::Native::from_f32(float(text)?)
                .to_bits()
                .to_ne_bytes(),
        ),
        Float32 => out.extend(float::<f32>(text)?.to_ne_bytes()),
        Float64 => out.extend(float::<f64>(text)?.to_ne_bytes()),
        Decimal32(precision, scale) => out.extend(
            decimal(text, *precision, *scale)?
                .parse::<i32>()
                .map_err(|_| Odd)?
                .to_ne_bytes(),
        ),
        Decimal64(precision, scale) => out.extend(
            decimal(text, *precision, *scale)?
                .parse::<i64>()
                .map_err(|_| Odd)?
                .to_ne_bytes(),
        ),
        Decimal128(precision, scale) => out.extend(
            decimal(text, *precision, *scale)?
                .parse::<i128>()
                .map_err(|_| Odd)?
                .to_ne_bytes(),
        ),
        Decimal256(precision, scale) => {
            let mut value = decimal(text, *precision, *scale)?
                .parse::<i256>()
                .map_err(|_| Odd)?
                .to_le_bytes();
            if cfg!(target_endian = "big") {
                value.reverse();
            }
            out.extend(value);
        }
        Duration(unit) => {
            let text = quoted(text)?;
            let (negative, text) = text
                .strip_prefix('-')
                .map_or((false, text), |rest| (true, rest));
            let seconds = text
                .strip_prefix("PT")
                .and_then(|t| t.strip_suffix('S'))
                .ok_or(Odd)?;
            let value = scaled(seconds, digits(unit))?;
            out.extend(
                i64::try_from(if negative { -value } else { value })
                    .map_err(|_| Odd)?
                    .to_ne_bytes(),
            );
        }
        Interval(unit) => out.extend(parse_interval(unit, quoted(text)?)?),
        FixedSizeBinary(width) => {
            let value = parse_hex(quoted(text)?)?;
            if usize::try_from(*width) != Ok(value.len()) {
                return Err(Odd);
            }
            out.extend(value);
        }
        Date32 => out.extend(
            i32::try_from(parse_date(quoted(text)?)?)
                .map_err(|_| Odd)?
                .to_ne_bytes(),
        ),
        Date64 => {
            let text = quoted(text)?;
            let value = if text.contains('T') {
                moment(text, 3)?.0
            } else {
                i128::from(parse_date(text)?) * i128::from(DAY) * 1000
            };
            out.extend(i64::try_from(value).map_err(|_| Odd)?.to_ne_bytes());
        }
        Time32(unit) => out.extend(
            i32::try_from(parse_clock(quoted(text)?, digits(unit))?)
                .map_err(|_| Odd)?
                .to_ne_bytes(),
        ),
        Time64(unit) => out.extend(
            i64::try_from(parse_clock(quoted(text)?, digits(unit))?)
                .map_err(|_| Odd)?
                .to_ne_bytes(),
        ),
        Timestamp(unit, zone) => {
            let (value, offset) = moment(quoted(text)?, digits(unit))?;
            if zone.is_some() != offset.is_some() {
                return Err(Odd);
            }
            let value = value - i128::from(offset.unwrap_or(0)) * 10i128.pow(digits(unit));
            out.extend(i64::try_from(value).map_err(|_| Odd)?.to_ne_bytes());
        }
        _ => return Err(Odd),
    }
    Ok(())
}

/// Appends bytes as a JSON string of lower-case hexadecimal digits.
pub(crate) fn write_hex(value: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    out.extend(value.iter().flat_map(|byte| {
        [
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ]
    }));
    out.push(b'"');
}

/// Reads what [`write_hex`] writes, without the quotes.
pub(crate) fn parse_hex(digits: &str) -> Result<Vec<u8>, Odd> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(Odd),
    };
    if !digits.len().is_multiple_of(2) {
        return Err(Odd);
    }
    digits
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| Ok((digit(pair[0])? << 4) | digit(pair[1])?))
        .collect()
}

/// The text between the quotes of a JSON string without escapes.
pub(crate) fn quoted(text: &str) -> Result<&str, Odd> {
    text.strip_prefix('"')
        .and_then(|t| t.strip_suffix('"'))
        .ok_or(Odd)
}

fn bytes<const N: usize>(value: &[u8]) -> [u8; N] {
    value.try_into().expect("a value has the width of its type")
}

fn show(value: impl std::fmt::Display, out: &mut Vec<u8>) {
    write!(out, "{value}").expect("a vector takes everything");
}

fn half(value: &[u8]) -> <Float16Type as ArrowPrimitiveType>::Native {
    <Float16Type as ArrowPrimitiveType>::Native::from_bits(u16::from_ne_bytes(bytes(value)))
}

fn wide(value: &[u8]) -> i256 {
    let mut value: [u8; 32] = bytes(value);
    if cfg!(target_endian = "big") {
        value.reverse();
    }
    i256::from_le_bytes(value)
}
