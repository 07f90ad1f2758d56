//! Parses points in time (ISO 8601 with date, or date and time).

/// Seconds since 1970 in UTC and nanoseconds; None for anything else. A time without a zone counts
/// as UTC, a date as its first moment.
pub(crate) fn parse(text: &str) -> Option<(i64, u32)> {
    let mut rest = text.trim().as_bytes();
    let year = digits(&mut rest, 4)?;
    let month = byte(&mut rest, b"-").and_then(|()| digits(&mut rest, 2))?;
    let day = byte(&mut rest, b"-").and_then(|()| digits(&mut rest, 2))?;
    if !(1..=12).contains(&month) || day < 1 || day > days_of(year, month) {
        return None;
    }
    let days = days_since_1970(year, month, day);
    if rest.is_empty() {
        return Some((days * 86_400, 0));
    }
    byte(&mut rest, b"Tt ")?;
    let hour = digits(&mut rest, 2)?;
    let minute = byte(&mut rest, b":").and_then(|()| digits(&mut rest, 2))?;
    let (mut second, mut nanos) = (0, 0);
    if byte(&mut rest, b":").is_some() {
        second = digits(&mut rest, 2)?;
        if byte(&mut rest, b".,").is_some() {
            let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            if !(1..=9).contains(&length) {
                return None;
            }
            nanos = digits(&mut rest, length)? * 10i64.pow(9 - length as u32);
        }
    }
    if hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    let offset = zone(rest)?;
    Some((
        days * 86_400 + hour * 3600 + minute * 60 + second - offset,
        nanos as u32,
    ))
}

/// Seconds east of UTC.
fn zone(mut rest: &[u8]) -> Option<i64> {
    if let [b' ', more @ ..] = rest {
        rest = more;
    }
    let sign = match rest {
        [] | b"Z" | b"z" | b"UTC" => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    rest = &rest[1..];
    let hours = digits(&mut rest, 2)?;
    let _ = byte(&mut rest, b":");
    let minutes = if rest.is_empty() {
        0
    } else {
        digits(&mut rest, 2)?
    };
    (rest.is_empty() && hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn byte(rest: &mut &[u8], any: &[u8]) -> Option<()> {
    let (first, more) = rest.split_first()?;
    any.contains(first).then(|| *rest = more)
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (head, more) = rest.split_at_checked(count)?;
    if !head.iter().all(u8::is_ascii_digit) {
        return None;
    }
    *rest = more;
    Some(head.iter().fold(0, |n, b| n * 10 + i64::from(b - b'0')))
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the Gregorian calendar. Years begin in March here, so the leap day is the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn points_in_time() {
        // From Python's datetime.fromisoformat(...).timestamp().
        for (text, expected) in [
            ("1970-01-01", (0, 0)),
            ("2024-02-29T12:34:56Z", (1_709_210_096, 0)),
            ("2024-02-29 12:34:56.25+05:30", (1_709_190_296, 250_000_000)),
            ("1969-12-31T23:59:59", (-1, 0)),
            ("2000-03-01T00:00", (951_868_800, 0)),
            ("0001-01-01T00:00:00Z", (-62_135_596_800, 0)),
            (
                "9999-12-31T23:59:59.999999999Z",
                (253_402_300_799, 999_999_999),
            ),
            ("2024-05-01T00:00:00-0700", (1_714_546_800, 0)),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "2024",
            "2024-13-01",
            "2023-02-29",
            "2024-05-01T",
            "2024-05-01 25:00",
            "2024-05-01T10:00:00+25:00",
            "20240501",
            "May 1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
