//! Dates, times, timestamps, durations and intervals.

use super::*;

/// The days, counted from 1970-01-01, whose year has four digits. RFC 3339 and Python know no others.
const DAYS: RangeInclusive<i64> = -719_528..=2_932_896;
/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// How many decimal digits of a second the unit has.
pub(super) fn digits(unit: &TimeUnit) -> u32 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

/// Writes `value`, in units of 10^-digits seconds, as seconds without trailing zeros.
pub(super) fn write_seconds(value: i128, digits: u32, out: &mut Vec<u8>) {
    let per = 10i128.pow(digits);
    show(value / per, out);
    let fraction = format!("{:0width$}", value % per, width = digits as usize);
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
}

/// Reads a number without a sign; returns it in units of 10^-digits.
pub(super) fn scaled(text: &str, digits: u32) -> Result<i128, Odd> {
    decimal(text, 38, digits as i8)?
        .parse::<i128>()
        .ok()
        .filter(|v| *v >= 0)
        .ok_or(Odd)
}

pub(super) fn write_interval(unit: &IntervalUnit, value: &[u8], out: &mut Vec<u8>) {
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

pub(super) fn parse_interval(unit: &IntervalUnit, text: &str) -> Result<Vec<u8>, Odd> {
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

/// Writes a date, a time of day or a timestamp.
pub(super) fn write_time(ty: &DataType, value: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
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

/// The offset of `zone` from UTC, in seconds to the east, at `seconds` since 1970. RFC 3339 has only
/// whole minutes: for any other offset this returns 0, and the text is the same moment in UTC.
pub(super) fn offset_at(zone: &str, seconds: i64) -> i64 {
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

/// The offset of a zone such as `+02:00`, in seconds to the east; `None` for a named zone.
pub(super) fn fixed_offset(zone: &str) -> Option<i64> {
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

/// Writes the moment `value`, in units of 10^-digits seconds since 1970, as the local time that is
/// `offset` seconds ahead of UTC. Returns `None` if its date is outside [`DAYS`].
pub(super) fn write_moment(value: i64, digits: u32, offset: i64, out: &mut Vec<u8>) -> Option<()> {
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

/// Writes `YYYY-MM-DD`; returns `None` if the year does not have four digits.
pub(super) fn write_date(days: i64, out: &mut Vec<u8>) -> Option<()> {
    if !DAYS.contains(&days) {
        return None;
    }
    // Counts years from March, so that a leap day is the last day of its year, in eras of 400 years.
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

/// Writes `hh:mm:ss`, and the fraction with three, six or nine digits, as many as it needs.
pub(super) fn write_clock(seconds: i64, nanos: i64, out: &mut Vec<u8>) {
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

/// Reads a number of exactly `len` digits.
pub(super) fn field(text: &str, len: usize) -> Result<i64, Odd> {
    if text.len() == len && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().map_err(|_| Odd)
    } else {
        Err(Odd)
    }
}

/// Reads `YYYY-MM-DD`; returns the days since 1970-01-01.
pub(super) fn parse_date(text: &str) -> Result<i64, Odd> {
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

/// Reads `hh:mm:ss[.f]`; returns units of 10^-digits seconds.
pub(super) fn parse_clock(text: &str, digits: u32) -> Result<i128, Odd> {
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

/// Reads `YYYY-MM-DDThh:mm:ss[.f]` and the offset after it. Returns the local time in units of
/// 10^-digits seconds since 1970, and the offset in seconds.
pub(super) fn moment(text: &str, digits: u32) -> Result<(i128, Option<i64>), Odd> {
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
