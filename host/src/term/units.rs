//! Numbers in the form that people use. Sizes are in powers of 1000 everywhere; only the `mb` and
//! `kb` of options count 1,048,576 and 1,024 bytes, as in Data-Juicer.

/// Returns `n` with separators: `1,234,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns a number with its noun, which gets an `s` unless there is exactly one: `1 row`, `2,000
/// rows`.
pub(crate) fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// Returns a size in powers of 1000: `12.3 MB`.
pub(crate) fn bytes(n: u64) -> String {
    let mut value = n as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.95 {
            return if unit == "B" {
                format!("{n} B")
            } else {
                format!("{value:.1} {unit}")
            };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// Returns a measured time: `0.04 s`, `4.2 s`, `12 s`, `3 min 5 s`, `12 min`, `2 h 5 min`, `3 d 4
/// h`.
pub(crate) fn seconds(s: f64) -> String {
    match s {
        s if s < 0.005 => "0 s".to_owned(),
        s if s < 0.095 => format!("{s:.2} s"),
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 599.5 => two(s.round() as u64, 60, "min", "s"),
        s => about(s),
    }
}

/// Returns an estimated time: `12 s`, `3 min`, `2 h 5 min`.
pub(crate) fn about(s: f64) -> String {
    match s {
        s if s < 59.5 => format!("{} s", s.round().max(1.0)),
        s if s < 3570.0 => format!("{} min", (s / 60.0).round()),
        s if s < 171_000.0 => two((s / 60.0).round() as u64, 60, "h", "min"),
        s => two((s / 3600.0).round() as u64, 24, "d", "h"),
    }
}

fn two(n: u64, base: u64, large: &str, small: &str) -> String {
    match (n / base, n % base) {
        (0, n) => format!("{n} {small}"),
        (n, 0) => format!("{n} {large}"),
        (n, rest) => format!("{n} {large} {rest} {small}"),
    }
}

/// Returns a time in UTC: `2026-01-01 12:00:00 UTC`.
pub(crate) fn time(seconds: f64) -> String {
    jiff::Timestamp::from_microsecond((seconds * 1e6) as i64).map_or_else(
        |_| "?".to_owned(),
        |t| t.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [0, 1, 2, 1000].map(|n| counted(n, "row")),
            ["0 rows", "1 row", "2 rows", "1,000 rows"]
        );
        assert_eq!(
            [0, 999, 1000, 999_960, 12_345_678].map(bytes),
            ["0 B", "999 B", "1.0 kB", "1.0 MB", "12.3 MB"]
        );
    }

    #[test]
    fn times_are_what_people_say() {
        let measured = [
            0.0, 0.042, 0.42, 4.18, 12.34, 59.7, 180.0, 185.0, 725.0, 7500.0, 273_600.0,
        ]
        .map(seconds);
        let said = [
            "0 s",
            "0.04 s",
            "0.4 s",
            "4.2 s",
            "12 s",
            "1 min",
            "3 min",
            "3 min 5 s",
            "12 min",
            "2 h 5 min",
            "3 d 4 h",
        ];
        assert_eq!(measured, said);
        let guessed = [0.0, 0.7, 12.4, 59.6, 185.0, 3599.0, 7500.0].map(about);
        assert_eq!(
            guessed,
            ["1 s", "1 s", "12 s", "1 min", "3 min", "1 h", "2 h 5 min"]
        );
    }
}
