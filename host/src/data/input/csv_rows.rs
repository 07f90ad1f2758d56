//! Converts CSV and TSV to JSON lines. As in Data-Juicer's loader (pandas) a column has one type
//! for the whole file: numbers, booleans, otherwise text; an empty field is null. A number keeps
//! all its digits.
//!
//! A row that has more or fewer fields than the header, or is not UTF-8, becomes a list with the
//! reason and the text. That is not a JSON object, so the reader of the rows puts it into
//! quarantine.

use super::csv_quarantine::Sieve;
use super::source_lines::LineWriter;
use crate::data::json::write_string;
use anyhow::{Context, Result};
use csv::{Reader, ReaderBuilder, StringRecord};
use std::io::{Read, Write};
use std::path::Path;

/// Writes the rows, and the table line in which each begins. Calls `open` twice: once to find the
/// types, once to read.
pub(crate) fn to_lines<R: Read>(
    open: impl Fn() -> Result<R>,
    delimiter: u8,
    path: &Path,
    out: &mut impl Write,
    source_lines: &mut LineWriter,
) -> Result<()> {
    let context = || format!("`{}` is not a valid table", path.display());
    let reader = |sieve| ReaderBuilder::new().delimiter(delimiter).from_reader(sieve);
    let mut found = reader(Sieve::new(open()?, delimiter)?);
    let types = types(&mut found).with_context(context)?;
    let keys: Vec<Vec<u8>> = found
        .headers()
        .with_context(context)?
        .iter()
        .map(key)
        .collect();
    if keys.is_empty() {
        return Ok(());
    }
    let sieve = Sieve::new(open()?, delimiter)?;
    let rows_read = sieve.rows_read();
    let mut rows = reader(sieve);
    let (mut record, mut line, mut row) = (StringRecord::new(), Vec::new(), 0);
    while rows.read_record(&mut record).with_context(context)? {
        {
            let mut rows_read = rows_read.borrow_mut();
            rows_read.write_bad_before(row, out, source_lines)?;
            source_lines.row(
                rows_read
                    .next_line()
                    .context("internal error: a row of a table without its line")?,
            )?;
        }
        line.clear();
        for (i, ((key, ty), value)) in keys.iter().zip(&types).zip(&record).enumerate() {
            line.push(if i == 0 { b'{' } else { b',' });
            line.extend_from_slice(key);
            ty.write(value, &mut line);
        }
        line.extend_from_slice(b"}\n");
        out.write_all(&line)?;
        row += 1;
    }
    rows_read
        .borrow_mut()
        .write_bad_before(u64::MAX, out, source_lines)
}

fn key(name: &str) -> Vec<u8> {
    let mut key = Vec::new();
    write_string(name, &mut key);
    key.push(b':');
    key
}

/// What kinds of values a column has had so far.
#[derive(Clone, Copy, Default)]
struct Seen {
    booleans: bool,
    whole: bool,
    fractions: bool,
    /// NaN and infinities: numbers in a column of numbers, words in a column of words.
    constants: bool,
    words: bool,
}

/// The type of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Boolean,
    Whole,
    Number,
    Text,
}

fn types<R: Read>(rows: &mut Reader<R>) -> Result<Vec<Type>> {
    let mut columns = vec![Seen::default(); rows.headers()?.len()];
    let mut record = StringRecord::new();
    while rows.read_record(&mut record)? {
        columns
            .iter_mut()
            .zip(&record)
            .for_each(|(column, value)| column.add(value));
    }
    Ok(columns.into_iter().map(Seen::ty).collect())
}

impl Seen {
    fn add(&mut self, value: &str) {
        if value.is_empty() || self.words {
            return;
        }
        if is_whole(value) {
            self.whole = true;
        } else if is_fraction(value) {
            self.fractions = true;
        } else if constant(value).is_some() {
            self.constants = true;
        } else if boolean(value).is_some() {
            self.booleans = true;
        } else {
            self.words = true;
        }
    }

    fn ty(self) -> Type {
        let numbers = self.whole || self.fractions;
        match self {
            Self { words: true, .. } => Type::Text,
            Self {
                booleans: true,
                constants: false,
                ..
            } if !numbers => Type::Boolean,
            Self { booleans: true, .. } => Type::Text,
            Self {
                fractions: false,
                constants: false,
                ..
            } if numbers => Type::Whole,
            _ if numbers => Type::Number,
            _ => Type::Text,
        }
    }
}

impl Type {
    /// Appends a value of the column as JSON.
    fn write(self, value: &str, out: &mut Vec<u8>) {
        if value.is_empty() {
            out.extend_from_slice(b"null");
            return;
        }
        match self {
            Self::Boolean => out.extend_from_slice(if boolean(value) == Some(true) {
                b"true"
            } else {
                b"false"
            }),
            Self::Whole | Self::Number => match constant(value) {
                Some(constant) => out.extend_from_slice(constant.as_bytes()),
                None => write_number(value, self == Self::Number, out),
            },
            Self::Text => write_string(value, out),
        }
    }
}

/// Appends a number with all its digits. `fraction`: its column has fractions, so a whole number is
/// written as one (`1.0`), unless a double would change it.
fn write_number(value: &str, fraction: bool, out: &mut Vec<u8>) {
    let (sign, digits) = if value.starts_with('-') {
        ("-", unsigned(value))
    } else {
        ("", unsigned(value))
    };
    let (mantissa, exponent) = digits
        .find(['e', 'E'])
        .map_or((digits, ""), |at| digits.split_at(at));
    let (whole, rest) = mantissa
        .split_once('.')
        .map_or((mantissa, None), |(whole, rest)| (whole, Some(rest)));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let is_whole = rest.is_none() && exponent.is_empty();
    if !(is_whole && whole == "0" && !fraction) {
        out.extend_from_slice(sign.as_bytes());
    }
    out.extend_from_slice(whole.as_bytes());
    match rest {
        Some(rest) => {
            out.push(b'.');
            out.extend_from_slice(if rest.is_empty() {
                b"0"
            } else {
                rest.as_bytes()
            });
        }
        None if fraction && is_whole && is_exact(whole) => out.extend_from_slice(b".0"),
        None => {}
    }
    out.extend_from_slice(exponent.as_bytes());
}

/// Whether a double holds exactly this number.
fn is_exact(digits: &str) -> bool {
    digits
        .parse::<u64>()
        .is_ok_and(|n| (n as f64) as u128 == u128::from(n))
}

fn unsigned(value: &str) -> &str {
    value.strip_prefix(['-', '+']).unwrap_or(value)
}

fn is_whole(value: &str) -> bool {
    let digits = unsigned(value);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether it has a point, an exponent or both.
fn is_fraction(value: &str) -> bool {
    let digits = unsigned(value);
    let (mantissa, exponent) = digits.find(['e', 'E']).map_or((digits, None), |at| {
        (&digits[..at], Some(&digits[at + 1..]))
    });
    let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    are_digits(whole)
        && are_digits(rest)
        && !(whole.is_empty() && rest.is_empty())
        && exponent.is_none_or(is_whole)
}

/// Python's spelling of what JSON has no number for. Case-insensitive, as in pandas and DuckDB.
fn constant(value: &str) -> Option<&'static str> {
    let negative = value.starts_with('-');
    match unsigned(value).to_ascii_lowercase().as_str() {
        "nan" if !negative => Some("NaN"),
        "inf" | "infinity" => Some(if negative { "-Infinity" } else { "Infinity" }),
        _ => None,
    }
}

fn boolean(value: &str) -> Option<bool> {
    match value {
        _ if value.eq_ignore_ascii_case("true") => Some(true),
        _ if value.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(table: &str) -> Vec<String> {
        let mut out = Vec::new();
        let mut source_lines = LineWriter::new(tempfile::tempfile().unwrap());
        to_lines(
            || Ok(table.as_bytes()),
            b',',
            Path::new("t.csv"),
            &mut out,
            &mut source_lines,
        )
        .unwrap();
        String::from_utf8(out)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(
            lines(
                "a,b\n007,+1\n-0,1.50\n18446744073709551616,9007199254740993\n,.5\n1,-2.e5\n2,1e999\n"
            ),
            [
                r#"{"a":7,"b":1.0}"#,
                r#"{"a":0,"b":1.50}"#,
                r#"{"a":18446744073709551616,"b":9007199254740993}"#,
                r#"{"a":null,"b":0.5}"#,
                r#"{"a":1,"b":-2.0e5}"#,
                r#"{"a":2,"b":1e999}"#,
            ]
        );
    }

    #[test]
    fn a_column_has_one_type() {
        assert_eq!(
            lines("flag,x,word,mixed,none\nTRUE,NaN,nan,1,\nfalse,-inf,inf,true,\n,2,x,3,\n"),
            [
                r#"{"flag":true,"x":NaN,"word":"nan","mixed":"1","none":null}"#,
                r#"{"flag":false,"x":-Infinity,"word":"inf","mixed":"true","none":null}"#,
                r#"{"flag":null,"x":2.0,"word":"x","mixed":"3","none":null}"#,
            ]
        );
        assert_eq!(lines("a\nnan\ninf\n"), [r#"{"a":"nan"}"#, r#"{"a":"inf"}"#]);
        assert_eq!(lines("a\n1e\n.\n-\n1-2\n")[0], r#"{"a":"1e"}"#);
    }
}
