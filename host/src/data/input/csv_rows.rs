//! CSV and TSV as JSON lines. As in Data-Juicer's loader (pandas) a column has one type for the
//! whole dataset: numbers, booleans, otherwise text; an empty field is null. A number keeps all its
//! digits, however many it has.
//!
//! A row that has more or fewer fields than the header, or is not UTF-8, becomes a list with the
//! reason and the text. That is not a JSON object, so the reader of the rows puts it into
//! quarantine.

use super::csv_quarantine::Sieve;
use super::csv_types::{ColumnTypes, Type, boolean, constant, unsigned};
use super::source_lines::LineWriter;
use crate::data::json::write_string;
use crate::data::losses::{Loss, Losses};
use anyhow::{Context, Result};
use csv::{ReaderBuilder, StringRecord};
use std::io::{Read, Write};
use std::path::Path;

/// Writes the rows of a table, and in which of its lines they begin. Returns what the rows do not
/// keep.
pub(crate) fn to_lines(
    table: impl Read,
    (delimiter, types): (u8, &ColumnTypes),
    path: &Path,
    out: &mut impl Write,
    source_lines: &mut LineWriter<impl Write>,
) -> Result<Losses> {
    let context = || format!("`{}` is not a valid table", path.display());
    let sieve = Sieve::new(table, delimiter)?;
    let rows_read = sieve.rows_read();
    let mut rows = ReaderBuilder::new().delimiter(delimiter).from_reader(sieve);
    let names = rows.headers().with_context(context)?.clone();
    let keys: Vec<Vec<u8>> = names.iter().map(key).collect();
    let types: Vec<Type> = names.iter().map(|name| types.ty(name)).collect();
    let mut respelled = vec![0; keys.len()];
    if keys.is_empty() {
        return Ok(Losses::default());
    }
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
            respelled[i] += u64::from(ty.is_number() && is_respelled(value));
        }
        line.extend_from_slice(b"}\n");
        out.write_all(&line)?;
        row += 1;
    }
    rows_read
        .borrow_mut()
        .write_bad_before(u64::MAX, out, source_lines)?;
    let mut losses = Losses::default();
    for (name, count) in names.iter().zip(respelled) {
        losses.add(name, Loss::Spelling, count);
    }
    Ok(losses)
}

fn key(name: &str) -> Vec<u8> {
    let mut key = Vec::new();
    write_string(name, &mut key);
    key.push(b':');
    key
}

impl Type {
    fn is_number(self) -> bool {
        matches!(self, Self::Whole | Self::Number)
    }

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

/// Whether a number is spelled as JSON does not have it, and its digits say more than its value: an
/// identifier perhaps.
fn is_respelled(value: &str) -> bool {
    let digits = unsigned(value).as_bytes();
    value.starts_with('+') || matches!(digits, [b'0', b'0'..=b'9', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(table: &str) -> Vec<String> {
        let mut out = Vec::new();
        let mut source_lines = LineWriter::new(Vec::new());
        let path = Path::new("t.csv");
        let types = ColumnTypes::of_table(|| Ok(table.as_bytes()), b',', path).unwrap();
        to_lines(
            table.as_bytes(),
            (b',', &types),
            path,
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
