//! Orders the values of a field: numbers by size, texts as strings, and texts that are all points
//! in time by time.
//!
//! A field of several kinds has an order, too: numbers first, then texts that are not numbers, then
//! rows without a value. Which kinds occur is known only after all rows, so keys contain the values
//! themselves.

use crate::{duration, time, value};
use djhost_sdk::json::{Number, Value};
use djhost_sdk::prelude::*;
use std::cmp::Ordering;

/// The keys of a batch: `#` and a number, `"` and a text, or nothing. All are empty without a
/// `field_key`.
pub(crate) fn keys(batch: &Batch, field_key: &str) -> Output {
    let mut keys = Texts::with_capacity(batch.rows(), 0);
    let mut rejected = Vec::new();
    for row in 0..batch.rows() {
        let json = if field_key.is_empty() {
            None
        } else {
            batch.row(row).text(0)
        };
        if let Err(Reject(reason)) =
            keys.push_with(|out| json.map_or(Ok(()), |json| key(json, field_key, out)))
        {
            rejected.push(Rejection {
                row: row as u32,
                reason,
            });
        }
    }
    Output::Keys {
        keys: Column::Utf8(keys),
        rejected,
    }
}

fn key(json: &str, field_key: &str, out: &mut String) -> Result<(), Reject> {
    let mut number = |text: &str| {
        out.push('#');
        out.push_str(text);
    };
    match json.as_bytes().first() {
        Some(b'0'..=b'9' | b'-' | b'I') => number(json),
        Some(b't') => number("1"),
        Some(b'f') => number("0"),
        Some(b'"') if !json.contains('\\') => {
            out.push('"');
            out.push_str(&json[1..json.len() - 1]);
        }
        Some(b'"' | b'[') => match value::parse(json, field_key)? {
            Value::String(text) => {
                out.push('"');
                out.push_str(text.as_str());
            }
            list => value::mean(&list)
                .into_iter()
                .for_each(|mean| number(&mean.to_string())),
        },
        // Nothing, `NaN`, or an object.
        _ => {}
    }
    Ok(())
}

/// The value in a key.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kept {
    Nothing,
    Text,
    /// A point in time or a duration, in seconds and nanoseconds.
    Time(i64, u32),
    /// The nearest double; the text of the key tells apart what it is the nearest of.
    Number(f64),
}

/// The values of all rows of the dataset.
pub(crate) struct Values<'a> {
    texts: &'a Texts,
    kept: Vec<Kept>,
}

impl<'a> Values<'a> {
    /// Parses keys. `name` is that of the field, for the log.
    ///
    /// # Errors
    /// When [`keys`] did not make them.
    pub(crate) fn of(keys: &'a Column, name: &str) -> Result<Self, OpError> {
        let Column::Utf8(texts) = keys else {
            return Err(OpError::Failed(
                "it was given keys that it did not make".into(),
            ));
        };
        let mut kept: Vec<Kept> = (0..texts.len()).map(|i| kept(texts.value(i))).collect();
        let text = |i: usize| &texts.value(i)[1..];
        let is_text = |i: &usize| kept[*i] == Kept::Text;
        let all: Vec<usize> = (0..kept.len()).filter(is_text).collect();
        let first = all.first().copied();
        let times = [time::parse, duration::parse]
            .into_iter()
            .find_map(|parse| {
                let times = all.iter().map(|&i| parse(text(i)));
                times.collect::<Option<Vec<(i64, u32)>>>()
            });
        for (i, (seconds, nanos)) in all.into_iter().zip(times.into_iter().flatten()) {
            kept[i] = Kept::Time(seconds, nanos);
        }
        if let (Some(first), true) = (
            first,
            kept.iter().any(|kept| matches!(kept, Kept::Number(_))),
        ) {
            let shown: String = text(first).chars().take(40).collect();
            eprintln!(
                "`{name}` has numbers and texts that are no numbers, such as `{shown}`: these come after the numbers"
            );
        }
        Ok(Self { texts, kept })
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// 0 for a number, 1 for a text, 2 for nothing.
    pub(crate) fn kind(&self, row: u32) -> u8 {
        match self.kept[row as usize] {
            Kept::Number(_) => 0,
            Kept::Text | Kept::Time(..) => 1,
            Kept::Nothing => 2,
        }
    }

    /// Compares two values of one kind.
    pub(crate) fn compare(&self, a: u32, b: u32) -> Ordering {
        match (self.kept[a as usize], self.kept[b as usize]) {
            (Kept::Number(near), Kept::Number(other)) => near
                .total_cmp(&other)
                .then_with(|| exactly(self.spelled(a), self.spelled(b))),
            (Kept::Time(a, nanos), Kept::Time(b, other)) => (a, nanos).cmp(&(b, other)),
            (Kept::Text, Kept::Text) => self
                .texts
                .value(a as usize)
                .cmp(self.texts.value(b as usize)),
            _ => Ordering::Equal,
        }
    }

    /// How the number of this row is spelled.
    fn spelled(&self, row: u32) -> &str {
        self.texts
            .value(row as usize)
            .get(1..)
            .unwrap_or_default()
            .trim()
    }
}

/// The order of two numbers by their digits.
fn exactly(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    match (Number::parse(a), Number::parse(b)) {
        (Some(a), Some(b)) => a.compare(&b).unwrap_or(Ordering::Equal),
        _ => Ordering::Equal,
    }
}

fn kept(key: &str) -> Kept {
    match key.split_at_checked(1) {
        Some(("#", text)) => number(text).unwrap_or(Kept::Nothing),
        Some((_, text)) => number(text.trim()).unwrap_or(Kept::Text),
        None => Kept::Nothing,
    }
}

/// Parses a number; None for other texts.
fn number(text: &str) -> Option<Kept> {
    let number: f64 = text.parse().ok()?;
    // Without the sign of -0, which is no smaller than 0.
    (!number.is_nan()).then_some(Kept::Number(number + 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(json: &[&str]) -> Vec<usize> {
        let mut texts = Texts::default();
        json.iter()
            .for_each(|json| texts.push_with(|out| key(json, "f", out)).unwrap());
        let column = Column::Utf8(texts);
        let values = Values::of(&column, "f").unwrap();
        let mut order: Vec<u32> = (0..json.len() as u32).collect();
        order.sort_by(|&a, &b| {
            values
                .kind(a)
                .cmp(&values.kind(b))
                .then_with(|| values.compare(a, b))
        });
        order.into_iter().map(|i| i as usize).collect()
    }

    #[test]
    fn numbers_however_they_are_written() {
        assert_eq!(
            sorted(&[
                "3",
                r#"" 2.5 ""#,
                "true",
                "[1, 2, [3, 6]]",
                "-Infinity",
                "1e999",
                r#""-7""#
            ]),
            [4, 6, 2, 1, 0, 3, 5]
        );
        // Beyond the precision of a double.
        assert_eq!(
            sorted(&[
                "9007199254740993",
                "9007199254740992",
                "9007199254740992.0",
                r#""9007199254740994""#
            ]),
            [1, 2, 0, 3]
        );
        assert_eq!(
            sorted(&["18446744073709551615", "18446744073709551614", "-0.0", "0"]),
            [2, 3, 1, 0]
        );
    }

    #[test]
    fn numbers_beyond_a_double() {
        for (rising, what) in [
            (
                [
                    "123456789012345678.11",
                    "123456789012345678.12",
                    "123456789012345678.120000000001",
                ],
                "decimals",
            ),
            (
                [
                    "0.1234567890123456789012",
                    r#""0.12345678901234567890125""#,
                    "0.1234567890123456789013",
                ],
                "fractions",
            ),
            (["-1e401", "-1e400", r#"" -1e399""#], "below all doubles"),
            (["0", "1e-401", "1e-400"], "near 0"),
            (["1e400", "2e400", "Infinity"], "above all doubles"),
            (["-Infinity", "-1e400", "-5"], "infinities"),
            (["5", "1e400", r#""inf""#], "texts"),
            (
                [
                    "1000000000000000000000000000000",
                    "1000000000000000000000000000001",
                    "1000000000000000000000000000001.5",
                ],
                "whole numbers",
            ),
        ] {
            let [a, b, c] = rising;
            assert_eq!(sorted(&[a, b, c]), [0, 1, 2], "{what}");
            assert_eq!(sorted(&[c, a, b]), [1, 2, 0], "{what}");
        }
    }

    #[test]
    fn durations_as_times() {
        assert_eq!(
            sorted(&[r#""PT9S""#, r#""PT100S""#, r#""-PT5S""#, r#""PT0.25S""#]),
            [2, 3, 0, 1]
        );
        assert_eq!(
            sorted(&[r#""P1D""#, r#""PT23H""#, r#""P1M""#, r#""P2W""#]),
            [1, 0, 3, 2]
        );
        // One that is none makes all of them strings.
        assert_eq!(
            sorted(&[r#""PT9S""#, r#""PT100S""#, r#""soon""#]),
            [1, 0, 2]
        );
    }

    #[test]
    fn texts_as_strings_and_times_as_times() {
        assert_eq!(
            sorted(&[r#""2024-05-01""#, r#""2019-05-01""#, r#""2021-12-31""#]),
            [1, 2, 0]
        );
        assert_eq!(
            sorted(&[
                r#""b""#,
                r#""B""#,
                r#""ä""#,
                r#""10 m""#,
                r#""9 m""#,
                r#""\u0061""#
            ]),
            [3, 4, 1, 5, 0, 2]
        );
        let times = [
            r#""2024-10-27T02:15:00+01:00""#,
            r#""2024-10-27T02:30:00+02:00""#,
            r#""2024-10-27 00:30:00.5Z""#,
        ];
        assert_eq!(sorted(&times), [1, 2, 0]);
        // A single text that is no time makes all of them strings.
        assert_eq!(
            sorted(&[
                r#""2024-10-27T02:30:00+02:00""#,
                r#""2024-10-27T02:15:00+01:00""#,
                r#""soon""#
            ]),
            [1, 0, 2]
        );
    }

    #[test]
    fn kinds_follow_each_other() {
        assert_eq!(
            sorted(&[
                "null", r#""n/a""#, "7", r#""nan""#, "{}", "NaN", "[]", r#""""#, r#""12""#
            ]),
            [2, 8, 7, 1, 3, 0, 4, 5, 6]
        );
    }
}
