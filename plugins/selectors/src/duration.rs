//! Durations as texts spell them (ISO 8601), which is how the host writes columns of durations and
//! intervals.

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// Seconds, rounded down, and the nanoseconds above them; None for anything else. A day has 24
/// hours, a month 30 days and a year 12 months, as PostgreSQL has them when it compares intervals.
pub(crate) fn parse(text: &str) -> Option<(i64, u32)> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let text = text.strip_prefix('P')?;
    let (days, times) = match text.split_once('T') {
        Some((_, "")) => return None,
        Some((days, times)) => (days, times),
        None => (text, ""),
    };
    if days.is_empty() && times.is_empty() {
        return None;
    }
    let units = [
        ('Y', 360 * DAY),
        ('M', 30 * DAY),
        ('W', 7 * DAY),
        ('D', DAY),
    ];
    let nanos = sum(days, &units)?.checked_add(sum(
        times,
        &[('H', 3600 * SECOND), ('M', 60 * SECOND), ('S', SECOND)],
    )?)?;
    let nanos = if negative { -nanos } else { nanos };
    let seconds = i64::try_from(nanos.div_euclid(SECOND)).ok()?;
    Some((seconds, nanos.rem_euclid(SECOND) as u32))
}

/// The sum of numbers with units, which come in the order of `units`, each at most once.
fn sum(mut text: &str, mut units: &[(char, i128)]) -> Option<i128> {
    let mut sum = 0i128;
    while !text.is_empty() {
        let end = text.find(|c: char| c.is_ascii_alphabetic())?;
        let letter = text[end..].chars().next()?;
        let at = units.iter().position(|(unit, _)| *unit == letter)?;
        sum = sum.checked_add(amount(&text[..end], units[at].1)?)?;
        units = &units[at + 1..];
        text = &text[end + 1..];
    }
    Some(sum)
}

/// `number` times `unit`. Only seconds have a fraction, of at most nine digits.
fn amount(number: &str, unit: i128) -> Option<i128> {
    let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
    let (whole, fraction) = match digits.split_once(['.', ',']) {
        Some((_, fraction)) if unit != SECOND || fraction.is_empty() => return None,
        Some(parts) => parts,
        None => (digits, ""),
    };
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanos: i128 = format!("{fraction:0<9}").parse().ok()?;
    let size = whole.parse::<i128>().ok()?.checked_mul(unit)?;
    let size = size.checked_add(nanos)?;
    Some(if number.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("PT9S", (9, 0)),
            ("PT100S", (100, 0)),
            ("PT1.5S", (1, 500_000_000)),
            ("-PT5S", (-5, 0)),
            ("-PT0.25S", (-1, 750_000_000)),
            ("PT0S", (0, 0)),
            ("P1DT2H3M4S", (93_784, 0)),
            ("P2W", (1_209_600, 0)),
            ("P1Y", (31_104_000, 0)),
            ("P14M-3DT1.5S", (36_028_801, 500_000_000)),
            ("PT-0.000000001S", (-1, 999_999_999)),
            ("PT9223372036854775807S", (i64::MAX, 0)),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "PT1",
            "1S",
            "P1S",
            "PT1D",
            "P1DT",
            "PT1S2S",
            "PT1S2M",
            "P1.5D",
            "PT1.S",
            "PT.5S",
            "PT1.0000000001S",
            "PT1e3S",
            "P--1D",
            "PT9223372036854775808S",
            "P99999999999999999999999999999999999999Y",
            "2024-05-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
