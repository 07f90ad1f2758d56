//! Values of fixed width (numbers, decimals, dates, times, durations) as JSON texts, and back. What
//! is written reads back as the same value.

use crate::data::json::Odd;
use arrow::array::ArrowPrimitiveType;
use arrow::array::timezone::Tz;
use arrow::datatypes::{DataType, Float16Type, IntervalUnit, TimeUnit, i256};
use chrono::{Offset, TimeZone};
use std::io::Write as _;
use std::ops::RangeInclusive;

/// A value that has no JSON text.
#[derive(Debug)]
pub(crate) struct Unwritable {
    /// The value, as the number that it is stored as.
    pub(crate) value: String,
    /// Its type.
    pub(crate) ty: DataType,
}

/// Days from 1970-01-01 that have a date with a year of four digits, which is what RFC 3339, Python
/// and pandas know.
const DAYS: RangeInclusive<i64> = -719_528..=2_932_896;
const DAY: i64 = 86_400;

/// Bytes of a value of this type; None for types whose values have no fixed width.
pub(crate) fn width(ty: &DataType) -> Option<usize> {
    match ty {
        DataType::FixedSizeBinary(width) => usize::try_from(*width).ok(),
        other => other.primitive_width(),
    }
}

/// Appends the JSON text of a value. Numbers that are not finite are spelled as Python spells them.
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

/// Appends the value that `text` stands for, as it lies in a column of type `ty`.
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

/// Appends bytes as a JSON string of hexadecimal digits.
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

/// The bytes that hexadecimal digits stand for.
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

/// The shortest text that reads back as the same value of 32 bits.
fn write_f32(value: f32, out: &mut Vec<u8>) {
    if value.is_finite() {
        serde_json::to_writer(out, &value).expect("a vector takes everything");
    } else {
        crate::data::json::write_f64(f64::from(value), out);
    }
}

/// A JSON number, or what Python writes beyond: Rust reads more than that.
fn float<T: std::str::FromStr>(text: &str) -> Result<T, Odd> {
    let is_number = text.bytes().next_back().is_some_and(|b| b.is_ascii_digit());
    if is_number || matches!(text, "NaN" | "Infinity" | "-Infinity") {
        text.parse().map_err(|_| Odd)
    } else {
        Err(Odd)
    }
}

/// `digits` is the value without its point.
fn write_decimal(digits: &str, scale: i8, out: &mut Vec<u8>) {
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits), |rest| ("-", rest));
    out.extend_from_slice(sign.as_bytes());
    let scale_digits = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        out.extend_from_slice(digits.as_bytes());
        if digits != "0" {
            out.resize(out.len() + scale_digits, b'0');
        }
        return;
    }
    match digits
        .len()
        .checked_sub(scale_digits)
        .filter(|whole| *whole > 0)
    {
        Some(whole) => {
            out.extend_from_slice(&digits.as_bytes()[..whole]);
            out.push(b'.');
            out.extend_from_slice(&digits.as_bytes()[whole..]);
        }
        None => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + scale_digits - digits.len(), b'0');
            out.extend_from_slice(digits.as_bytes());
        }
    }
}

/// The digits of `text`, a number, without its point: as a whole number of units of 10^-scale.
/// Fails where that is not exactly the number.
fn decimal(text: &str, precision: u8, scale: i8) -> Result<String, Odd> {
    let (sign, number) = text
        .strip_prefix('-')
        .map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty()
        || !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|b| b.is_ascii_digit())
    {
        return Err(Odd);
    }
    let mut digits = format!("{whole}{fraction}");
    let mut excess = fraction.len() as i64 - i64::from(scale);
    while excess > 0 && digits.ends_with('0') {
        digits.pop();
        excess -= 1;
    }
    if excess > 0 && !digits.is_empty() {
        return Err(Odd);
    }
    digits.extend(std::iter::repeat_n(
        '0',
        usize::try_from(-excess.min(0)).map_err(|_| Odd)?,
    ));
    let digits = digits.trim_start_matches('0');
    match digits {
        "" => Ok("0".to_owned()),
        _ if digits.len() > usize::from(precision) => Err(Odd),
        _ => Ok(format!("{sign}{digits}")),
    }
}

/// Decimal digits of a second that a unit has.
fn digits(unit: &TimeUnit) -> u32 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

/// Appends `value` units of 10^-digits seconds, with no more digits than it needs.
fn write_seconds(value: i128, digits: u32, out: &mut Vec<u8>) {
    let per = 10i128.pow(digits);
    show(value / per, out);
    let fraction = format!("{:0width$}", value % per, width = digits as usize);
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
}

/// The number that `text` spells, in units of 10^-digits. It has no sign.
fn scaled(text: &str, digits: u32) -> Result<i128, Odd> {
    decimal(text, 38, digits as i8)?
        .parse::<i128>()
        .ok()
        .filter(|v| *v >= 0)
        .ok_or(Odd)
}

fn write_interval(unit: &IntervalUnit, value: &[u8], out: &mut Vec<u8>) {
    let int = |at: usize| i32::from_ne_bytes(bytes(&value[at..at + 4]));
    let seconds = |value: i128, digits: u32, out: &mut Vec<u8>| {
        if value < 0 {
            out.push(b'-');
        }
        write_seconds(value.abs(), digits, out);
        out.extend_from_slice(b"S\"");
    };
    match unit {
        IntervalUnit::YearMonth => show(format_args!("\"P{}M\"", int(0)), out),
        IntervalUnit::DayTime => {
            show(format_args!("\"P{}DT", int(0)), out);
            seconds(int(4).into(), 3, out);
        }
        IntervalUnit::MonthDayNano => {
            show(format_args!("\"P{}M{}DT", int(0), int(4)), out);
            seconds(i64::from_ne_bytes(bytes(&value[8..16])).into(), 9, out);
        }
    }
}

fn parse_interval(unit: &IntervalUnit, text: &str) -> Result<Vec<u8>, Odd> {
    let rest = text.strip_prefix('P').ok_or(Odd)?;
    let int = |text: &str| text.parse::<i32>().map(i32::to_ne_bytes).map_err(|_| Odd);
    let seconds = |text: &str, digits: u32| {
        let text = text.strip_suffix('S').ok_or(Odd)?;
        text.strip_prefix('-')
            .map_or_else(|| scaled(text, digits), |text| Ok(-scaled(text, digits)?))
    };
    let mut value = Vec::with_capacity(16);
    match unit {
        IntervalUnit::YearMonth => value.extend(int(rest.strip_suffix('M').ok_or(Odd)?)?),
        IntervalUnit::DayTime => {
            let (days, rest) = rest.split_once("DT").ok_or(Odd)?;
            value.extend(int(days)?);
            value.extend(
                i32::try_from(seconds(rest, 3)?)
                    .map_err(|_| Odd)?
                    .to_ne_bytes(),
            );
        }
        IntervalUnit::MonthDayNano => {
            let (months, rest) = rest.split_once('M').ok_or(Odd)?;
            let (days, rest) = rest.split_once("DT").ok_or(Odd)?;
            value.extend(int(months)?);
            value.extend(int(days)?);
            value.extend(
                i64::try_from(seconds(rest, 9)?)
                    .map_err(|_| Odd)?
                    .to_ne_bytes(),
            );
        }
    }
    Ok(value)
}

/// Dates, times of the day and timestamps.
fn write_time(ty: &DataType, value: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let number = if value.len() == 4 {
        i32::from_ne_bytes(bytes(value)).into()
    } else {
        i64::from_ne_bytes(bytes(value))
    };
    let refused = || Unwritable {
        value: number.to_string(),
        ty: ty.clone(),
    };
    let start = out.len();
    out.push(b'"');
    let written = match ty {
        DataType::Date32 => write_date(number, out),
        DataType::Date64 if number % (DAY * 1000) == 0 => write_date(number / (DAY * 1000), out),
        DataType::Date64 => write_moment(number, 3, 0, out),
        DataType::Time32(unit) | DataType::Time64(unit) => {
            let per = 10i64.pow(digits(unit));
            let is_time = (0..DAY * per).contains(&number);
            if is_time {
                write_clock(
                    number / per,
                    (number % per) * 10i64.pow(9 - digits(unit)),
                    out,
                );
            }
            is_time.then_some(())
        }
        DataType::Timestamp(unit, None) => write_moment(number, digits(unit), 0, out),
        DataType::Timestamp(unit, Some(zone)) => {
            let offset = offset_at(zone, number.div_euclid(10i64.pow(digits(unit))));
            write_moment(number, digits(unit), offset, out).map(|()| match offset {
                0 => out.push(b'Z'),
                offset => {
                    let (sign, offset) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
                    show(
                        format_args!("{sign}{:02}:{:02}", offset / 60, offset % 60),
                        out,
                    );
                }
            })
        }
        _ => None,
    };
    if written.is_none() {
        out.truncate(start);
        return Err(refused());
    }
    out.push(b'"');
    Ok(())
}

/// Seconds east of UTC that `zone` is at `seconds` since 1970. 0 where that is no number of whole
/// minutes, which RFC 3339 cannot say: the text is the same moment then, in UTC.
fn offset_at(zone: &str, seconds: i64) -> i64 {
    let named = || {
        let zone: Tz = zone.parse().ok()?;
        let moment = chrono::DateTime::from_timestamp(seconds, 0)?;
        Some(i64::from(
            zone.offset_from_utc_datetime(&moment.naive_utc())
                .fix()
                .local_minus_utc(),
        ))
    };
    fixed_offset(zone)
        .or_else(named)
        .filter(|offset| offset % 60 == 0)
        .unwrap_or(0)
}

/// Seconds east of UTC of a zone such as `+02:00`; None for a named one.
fn fixed_offset(zone: &str) -> Option<i64> {
    let (sign, digits) = match zone.as_bytes().first()? {
        b'+' => (1, &zone[1..]),
        b'-' => (-1, &zone[1..]),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let minutes = digits
        .get(2..)
        .filter(|m| !m.is_empty())
        .map_or(Ok(0), str::parse::<i64>)
        .ok()?;
    Some(sign * (digits[..2].parse::<i64>().ok()? * 3600 + minutes * 60))
}

/// `value` units of 10^-digits seconds since 1970, shown `offset` seconds later. None if the date
/// has no text.
fn write_moment(value: i64, digits: u32, offset: i64, out: &mut Vec<u8>) -> Option<()> {
    let per = 10i64.pow(digits);
    let seconds = value.div_euclid(per).checked_add(offset)?;
    write_date(seconds.div_euclid(DAY), out)?;
    out.push(b'T');
    write_clock(
        seconds.rem_euclid(DAY),
        value.rem_euclid(per) * 10i64.pow(9 - digits),
        out,
    );
    Some(())
}

/// `YYYY-MM-DD`; None where the year has not four digits.
fn write_date(days: i64, out: &mut Vec<u8>) -> Option<()> {
    if !DAYS.contains(&days) {
        return None;
    }
    // Years begin in March here, so that the leap day is the last; the era has 400 of them.
    let day = days + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    show(format_args!("{year:04}-{month:02}-{day:02}"), out);
    Some(())
}

/// `hh:mm:ss`, then three, six or nine digits, as many as are needed.
fn write_clock(seconds: i64, nanos: i64, out: &mut Vec<u8>) {
    show(
        format_args!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
        out,
    );
    match nanos {
        0 => {}
        _ if nanos % 1_000_000 == 0 => show(format_args!(".{:03}", nanos / 1_000_000), out),
        _ if nanos % 1000 == 0 => show(format_args!(".{:06}", nanos / 1000), out),
        _ => show(format_args!(".{nanos:09}"), out),
    }
}

/// Two or four digits.
fn field(text: &str, len: usize) -> Result<i64, Odd> {
    if text.len() == len && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().map_err(|_| Odd)
    } else {
        Err(Odd)
    }
}

/// Days from 1970-01-01 to `YYYY-MM-DD`.
fn parse_date(text: &str) -> Result<i64, Odd> {
    let mut parts = text.split('-');
    let mut part = |len| field(parts.next().ok_or(Odd)?, len);
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of = [
        31,
        if is_leap { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let valid = parts.next().is_none()
        && (1..=12).contains(&month)
        && (1..=days_of[(month - 1) as usize]).contains(&day);
    if !valid {
        return Err(Odd);
    }
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Ok(era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468)
}

/// `hh:mm:ss[.f]` in units of 10^-digits seconds.
fn parse_clock(text: &str, digits: u32) -> Result<i128, Odd> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = clock.split(':');
    let mut part = || field(parts.next().ok_or(Odd)?, 2);
    let (hour, minute, second) = (part()?, part()?, part()?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return Err(Odd);
    }
    scaled(
        &format!("{}.{fraction}", (hour * 60 + minute) * 60 + second),
        digits,
    )
}

/// `YYYY-MM-DDThh:mm:ss[.f]` in units of 10^-digits seconds since 1970, and the offset that
/// follows, in seconds.
fn moment(text: &str, digits: u32) -> Result<(i128, Option<i64>), Odd> {
    let (date, clock) = text.split_once('T').ok_or(Odd)?;
    let end = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(end);
    let offset = match zone {
        "" => None,
        "Z" => Some(0),
        other => Some(fixed_offset(other).ok_or(Odd)?),
    };
    let day = i128::from(parse_date(date)?) * i128::from(DAY) * 10i128.pow(digits);
    Ok((day + parse_clock(clock, digits)?, offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use DataType::*;

    fn text(ty: &DataType, value: &[u8]) -> Result<String, String> {
        let mut out = Vec::new();
        write(ty, value, &mut out).map_err(|u| format!("{} {}", u.value, u.ty))?;
        let text = String::from_utf8(out).unwrap();
        let mut back = Vec::new();
        parse(ty, &text, &mut back).unwrap_or_else(|_| panic!("{text} is not read back as {ty}"));
        assert_eq!(back, value, "{text} as {ty}");
        Ok(text)
    }

    #[track_caller]
    fn long(ty: DataType, value: i64, expected: &str) {
        assert_eq!(text(&ty, &value.to_ne_bytes()).as_deref(), Ok(expected));
    }

    #[test]
    fn texts_read_back_as_the_same_value() {
        use TimeUnit::*;
        let zone = |zone: &str| Some(zone.into());
        long(Int64, i64::MIN, "-9223372036854775808");
        long(
            Timestamp(Microsecond, None),
            1_577_840_523_000_456,
            "\"2020-01-01T01:02:03.000456\"",
        );
        long(Timestamp(Second, None), -1, "\"1969-12-31T23:59:59\"");
        long(
            Timestamp(Nanosecond, zone("UTC")),
            i64::MAX,
            "\"2262-04-11T23:47:16.854775807Z\"",
        );
        long(
            Timestamp(Nanosecond, None),
            i64::MIN,
            "\"1677-09-21T00:12:43.145224192\"",
        );
        long(
            Timestamp(Millisecond, zone("Europe/Berlin")),
            1_714_557_600_000,
            "\"2024-05-01T12:00:00+02:00\"",
        );
        // An offset of 53 minutes and 28 seconds.
        long(
            Timestamp(Second, zone("Europe/Berlin")),
            -3_000_000_000,
            "\"1874-12-07T18:40:00Z\"",
        );
        long(
            Timestamp(Second, zone("-05:30")),
            1_714_557_600,
            "\"2024-05-01T04:30:00-05:30\"",
        );
        long(
            Timestamp(Second, None),
            253_402_300_799,
            "\"9999-12-31T23:59:59\"",
        );
        long(
            Timestamp(Second, None),
            -62_167_219_200,
            "\"0000-01-01T00:00:00\"",
        );
        long(Date64, 951_782_400_000, "\"2000-02-29\"");
        long(Date64, 951_782_400_001, "\"2000-02-29T00:00:00.001\"");
        long(
            Time64(Nanosecond),
            86_399_999_999_999,
            "\"23:59:59.999999999\"",
        );
        long(Duration(Second), i64::MAX, "\"PT9223372036854775807S\"");
        long(
            Duration(Nanosecond),
            i64::MIN,
            "\"-PT9223372036.854775808S\"",
        );
        long(Duration(Millisecond), 1500, "\"PT1.5S\"");
        assert_eq!(
            text(&Date32, &(-1i32).to_ne_bytes()).unwrap(),
            "\"1969-12-31\""
        );
        assert_eq!(
            text(&Time32(Millisecond), &1i32.to_ne_bytes()).unwrap(),
            "\"00:00:00.001\""
        );
        let interval: Vec<u8> = [(-3i32).to_ne_bytes(), 4i32.to_ne_bytes()].concat();
        assert_eq!(
            text(&Interval(IntervalUnit::DayTime), &interval).unwrap(),
            "\"P-3DT0.004S\""
        );
        let interval: Vec<u8> = [
            &1i32.to_ne_bytes()[..],
            &(-2i32).to_ne_bytes(),
            &(-3i64).to_ne_bytes(),
        ]
        .concat();
        assert_eq!(
            text(&Interval(IntervalUnit::MonthDayNano), &interval).unwrap(),
            "\"P1M-2DT-0.000000003S\""
        );
        assert_eq!(
            text(&Interval(IntervalUnit::YearMonth), &14i32.to_ne_bytes()).unwrap(),
            "\"P14M\""
        );
        assert_eq!(text(&FixedSizeBinary(2), &[0, 255]).unwrap(), "\"00ff\"");
        for value in [
            f64::MAX,
            f64::MIN_POSITIVE,
            -0.0,
            0.1,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            text(&Float64, &value.to_ne_bytes()).unwrap();
        }
        assert_eq!(text(&Float32, &0.1f32.to_ne_bytes()).unwrap(), "0.1");
        assert_eq!(text(&Float16, &0x3c00u16.to_ne_bytes()).unwrap(), "1.0");
    }

    #[test]
    fn decimals_keep_all_digits() {
        let value = |digits: i128| digits.to_ne_bytes();
        assert_eq!(
            text(
                &Decimal128(38, 10),
                &value(-12_345_678_901_234_567_890_123_456)
            )
            .unwrap(),
            "-1234567890123456.7890123456"
        );
        assert_eq!(text(&Decimal128(10, 3), &value(5)).unwrap(), "0.005");
        assert_eq!(text(&Decimal128(10, 3), &value(12_340)).unwrap(), "12.340");
        assert_eq!(text(&Decimal128(10, -2), &value(123)).unwrap(), "12300");
        assert_eq!(text(&Decimal128(10, 0), &value(0)).unwrap(), "0");
        assert_eq!(
            text(&Decimal64(18, 2), &(-1i64).to_ne_bytes()).unwrap(),
            "-0.01"
        );
        let wide = i256::from_string(
            "-12345678901234567890123456789012345678901234567890123456789012345678901234",
        )
        .unwrap();
        assert!(
            text(&Decimal256(76, 2), &wide.to_le_bytes())
                .unwrap()
                .ends_with(".34")
        );
        let fits = |text: &str| parse(&Decimal128(4, 2), text, &mut Vec::new()).is_ok();
        assert!(fits("1.5") && fits("-99.99") && fits("1.5000") && fits("7"));
        assert!(!fits("1.555") && !fits("100.00") && !fits("1e1") && !fits("\"1\"") && !fits(""));
    }

    #[test]
    fn what_has_no_text_is_named() {
        let refused = |ty: DataType, value: i64| text(&ty, &value.to_ne_bytes()).unwrap_err();
        assert_eq!(
            refused(Timestamp(TimeUnit::Microsecond, None), i64::MAX),
            "9223372036854775807 Timestamp(µs)"
        );
        refused(Timestamp(TimeUnit::Second, Some("+01:00".into())), i64::MAX);
        refused(Timestamp(TimeUnit::Second, None), 253_402_300_800);
        refused(Date64, i64::MIN);
        refused(Time64(TimeUnit::Microsecond), -1);
        refused(Time64(TimeUnit::Microsecond), 86_400_000_000);
    }

    #[test]
    fn other_spellings_are_other_values() {
        let odd = |ty: DataType, text: &str| {
            assert!(parse(&ty, text, &mut Vec::new()).is_err(), "{text}")
        };
        odd(Date32, "\"2023-02-29\"");
        odd(Date32, "\"2023-2-09\"");
        odd(
            Timestamp(TimeUnit::Second, None),
            "\"2024-05-01T10:00:00Z\"",
        );
        odd(
            Timestamp(TimeUnit::Second, None),
            "\"2024-05-01T10:00:00.5\"",
        );
        odd(
            Timestamp(TimeUnit::Second, Some("UTC".into())),
            "\"2024-05-01T10:00:00\"",
        );
        odd(Int8, "300");
        odd(Int8, "1.0");
        odd(Float64, "inf");
        odd(FixedSizeBinary(2), "\"00\"");
        odd(Duration(TimeUnit::Second), "\"PT-5S\"");
    }
}
