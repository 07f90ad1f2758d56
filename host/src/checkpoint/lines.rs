//! Stores rows as JSON lines, for people with `jq` and the like. Reading returns exactly the rows
//! that were written.
//!
//! A line is the whole row with a last field `__dj__row__`: the row's `id`, its `stats`, and what
//! else is needed to restore the row exactly. `around` has the white space around a JSON row;
//! `bytes` has, in base64, a row with numbers that only Python knows (`NaN`, `Infinity`) and that
//! is therefore not JSON. The first row of a batch has the number of its `rows` and, in `arrow`,
//! what JSON cannot hold exactly: the stats of JSON rows, and all of a batch of columns, whose
//! values in the lines are only for reading.

use std::io::{BufRead, Write};

use anyhow::{Context, Result, ensure};
use arrow::array::{AsArray, BinaryViewBuilder, RecordBatch};
use arrow::datatypes::{Field, UInt64Type};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use memchr::memmem;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::codec::{RAW, ROW, Stored, from_table};
use super::columns;
use crate::data::{Batch, STATS, Stat, show_json_rows};

/// The field at the end of a line. In a text its quotes would be escaped, so the last occurrence of
/// these bytes is the field.
const FIELD: &[u8] = b"\"__dj__row__\":";

/// The content of the field.
#[derive(Serialize, Deserialize)]
struct Row<'a> {
    id: u64,
    /// For people; not read back.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    stats: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    around: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arrow: Option<String>,
}

/// Writes a batch given in its stored columns. JSON rows must all be present.
pub(crate) fn write(out: &mut impl Write, table: &RecordBatch) -> Result<()> {
    let schema = table.schema();
    let ids = table
        .column_by_name(ROW)
        .context("rows without ids")?
        .as_primitive::<UInt64Type>();
    let own = |name: &str| {
        schema
            .fields()
            .iter()
            .position(|f| f.name() == name && !columns::is_column(f))
    };
    let raw = own(RAW).map(|at| table.column(at).as_binary_view());
    let picked = |keep: &dyn Fn(&Field) -> bool| -> Result<RecordBatch> {
        let at: Vec<usize> = (0..table.num_columns())
            .filter(|i| keep(schema.field(*i)))
            .collect();
        Ok(table.project(&at)?)
    };
    let is_stat = |f: &Field| {
        !columns::is_column(f)
            && f.name()
                .strip_prefix(STATS)
                .is_some_and(|key| key.starts_with('.'))
    };
    let stats = picked(&is_stat)?;
    let exact = if raw.is_none() {
        Some(table.clone())
    } else {
        Some(stats.clone()).filter(|stats| stats.num_columns() > 0)
    };
    let mut arrow = exact
        .map(|exact| to_stream(&exact))
        .transpose()?
        .map(|stream| BASE64.encode(stream));
    let shown = if raw.is_none() {
        objects(&picked(&|f| {
            f.name() != ROW && !is_stat(f) && columns::has_values(f)
        })?)
    } else {
        Vec::new()
    };
    let stats = if stats.num_columns() > 0 {
        objects(&stats)
    } else {
        Vec::new()
    };
    for i in 0..table.num_rows() {
        let stats: Option<Box<RawValue>> = stats
            .get(i)
            .and_then(|s| RawValue::from_string(s.replace(&format!("\"{STATS}."), "\"")).ok());
        let mut row = Row {
            id: ids.value(i),
            stats: stats.as_deref(),
            around: None,
            bytes: None,
            rows: None,
            arrow: None,
        };
        if i == 0 {
            row.rows = Some(table.num_rows());
            row.arrow = arrow.take();
        }
        let object = match raw {
            None => shown.get(i).map_or("{}", String::as_str),
            Some(raw) => {
                let text = std::str::from_utf8(raw.value(i)).context("a row is not UTF-8")?;
                let (before, rest) = text.split_at(text.len() - text.trim_start().len());
                let (object, after) = rest.split_at(rest.trim_end().len());
                if !before.is_empty() || !after.is_empty() {
                    row.around = Some((before.to_owned(), after.to_owned()));
                }
                let is_json = object.starts_with('{')
                    && object.ends_with('}')
                    && (!["NaN", "Infinity"].iter().any(|word| memmem::find(object.as_bytes(), word.as_bytes()).is_some())
                        // It may be a word within a text.
                        || serde_json::from_str::<serde::de::IgnoredAny>(object).is_ok());
                if is_json {
                    object
                } else {
                    (row.around, row.bytes) = (None, Some(BASE64.encode(text)));
                    "{}"
                }
            }
        };
        let open = &object[..object.len() - 1];
        // An object with nothing but blanks takes no comma.
        let comma = if open[1..].trim_ascii().is_empty() {
            ""
        } else {
            ","
        };
        write!(out, "{open}{comma}")?;
        out.write_all(FIELD)?;
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"}\n")?;
    }
    Ok(())
}

/// The rows as JSON objects, as far as JSON can hold them.
fn objects(table: &RecordBatch) -> Vec<String> {
    let mut lines = Vec::new();
    // A value without a JSON form is in `arrow` anyway.
    if show_json_rows(table, &mut lines).is_err() {
        return Vec::new();
    }
    let text = String::from_utf8(lines).unwrap_or_default();
    text.lines()
        .map(str::to_owned)
        .filter(|line| line.starts_with('{') && line.ends_with('}'))
        .collect()
}

/// Reads the next batch; None at the end.
pub(crate) fn read(lines: &mut dyn BufRead) -> Result<Option<Stored>> {
    let (mut line, mut left) = (Vec::new(), None);
    let mut exact = None;
    let (mut ids, mut raws) = (Vec::new(), BinaryViewBuilder::new());
    while left != Some(0) {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            ensure!(left.is_none(), "rows are missing at the end");
            return Ok(None);
        }
        let at = memmem::rfind(&line, FIELD).context("a line without `__dj__row__`")?;
        let end = line
            .iter()
            .rposition(|byte| *byte == b'}')
            .context("a line that does not end")?;
        let row: Row<'_> = serde_json::from_slice(
            line.get(at + FIELD.len()..end)
                .context("a line that does not end")?,
        )?;
        if left.is_none() {
            left = Some(
                row.rows
                    .context("the first row of a batch does not say how many there are")?,
            );
            exact = row
                .arrow
                .map(|stream| from_stream(&BASE64.decode(stream)?))
                .transpose()?;
        }
        left = left.map(|left| left.saturating_sub(1));
        ids.push(row.id);
        if let Some(bytes) = row.bytes {
            raws.append_value(BASE64.decode(bytes)?);
            continue;
        }
        let open = line[..at].strip_suffix(b",").unwrap_or(&line[..at]);
        let (before, after) = row.around.unwrap_or_default();
        raws.append_value([before.as_bytes(), open, b"}".as_slice(), after.as_bytes()].concat());
    }
    let stats = match exact {
        Some(table) if table.column_by_name(ROW).is_some() => return from_table(&table).map(Some),
        Some(table) => stats_of(&table),
        None => Vec::new(),
    };
    let batch = Batch {
        ids: ids.into(),
        raw: Some(raws.finish()),
        origin: None,
        stored: None,
        columns: Vec::new(),
        stats,
    };
    Ok(Some(Stored { batch, patch: None }))
}

fn stats_of(table: &RecordBatch) -> Vec<Stat> {
    let key = |name: &str| {
        name.strip_prefix(STATS)
            .and_then(|n| n.strip_prefix('.'))
            .unwrap_or(name)
            .to_owned()
    };
    table
        .schema()
        .fields()
        .iter()
        .zip(table.columns())
        .map(|(f, a)| Stat {
            key: key(f.name()),
            data: std::sync::Arc::clone(a),
        })
        .collect()
}

fn to_stream(table: &RecordBatch) -> Result<Vec<u8>> {
    let mut writer = StreamWriter::try_new(Vec::new(), &table.schema())?;
    writer.write(table)?;
    Ok(writer.into_inner()?)
}

fn from_stream(bytes: &[u8]) -> Result<RecordBatch> {
    StreamReader::try_new(bytes, None)?
        .next()
        .context("an empty Arrow stream")?
        .map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Array, ArrayRef, BinaryViewArray, Float64Array, StringArray, TimestampSecondArray,
        UInt64Array,
    };
    use arrow::datatypes::{Field, Schema};

    use super::*;

    fn table(columns: &[(&str, ArrayRef)]) -> RecordBatch {
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, a)| Field::new(*name, a.data_type().clone(), true))
            .collect();
        RecordBatch::try_new(
            Arc::new(Schema::new(fields)),
            columns.iter().map(|(_, a)| Arc::clone(a)).collect(),
        )
        .unwrap()
    }

    fn written(table: &RecordBatch) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, table).unwrap();
        out
    }

    #[test]
    fn json_rows_come_back_byte_for_byte_and_each_line_is_the_row() {
        let rows: [&[u8]; 8] = [
            b"{\"text\": \"a\", \"n\": 1.0}",
            b" {\"text\":\"b\"} \r",
            b"{}",
            b"{ }",
            b"{\"text\": \"say \\\"__dj__row__\\\":\", \"__dj__row__\": {\"id\": 9}}",
            b"{\"text\": NaN}",
            b"{\"text\": \"NaN and Infinity\", \"big\": 1.50e30}",
            b"[1]",
        ];
        let stats: ArrayRef = Arc::new(Float64Array::from(vec![
            Some(0.1),
            None,
            Some(f64::NAN),
            Some(1.0),
            None,
            None,
            None,
            Some(-0.0),
        ]));
        let raw: ArrayRef = Arc::new(BinaryViewArray::from_iter_values(rows));
        let ids: ArrayRef = Arc::new(UInt64Array::from(
            (0..8).map(|i| u64::MAX - i).collect::<Vec<_>>(),
        ));
        let one = table(&[
            (ROW, ids),
            (RAW, raw),
            ("__dj__stats__.text_len", Arc::clone(&stats)),
        ]);
        let bytes = [written(&one), written(&one.slice(0, 3))].concat();
        for (line, row) in bytes.split(|b| *b == b'\n').zip(rows) {
            let shown: serde_json::Value = serde_json::from_slice(line).unwrap();
            let Ok(serde_json::Value::Object(row)) = serde_json::from_slice(row) else {
                continue;
            };
            assert!(
                row.iter()
                    .filter(|(key, _)| *key != "__dj__row__")
                    .all(|(key, value)| shown[key] == *value),
                "{shown}"
            );
        }
        let mut reader = &bytes[..];
        let first = read(&mut reader).unwrap().unwrap();
        let second = read(&mut reader).unwrap().unwrap();
        assert!(read(&mut reader).unwrap().is_none());
        assert_eq!((first.batch.rows(), second.batch.rows()), (8, 3));
        let raw = first.batch.raw.unwrap();
        assert_eq!(raw.iter().map(Option::unwrap).collect::<Vec<_>>(), rows);
        assert_eq!(first.batch.ids.value(7), u64::MAX - 7);
        assert_eq!(
            (
                first.batch.stats[0].key.as_str(),
                first.batch.stats[0].data.to_data()
            ),
            ("text_len", stats.to_data())
        );
    }

    #[test]
    fn columns_can_be_read_and_come_back_with_their_types() {
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
        // The second has no JSON form.
        let time: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, i64::MAX]));
        let ids: ArrayRef = Arc::new(UInt64Array::from(vec![1, 2]));
        let one = table(&[(ROW, Arc::clone(&ids)), ("text", Arc::clone(&text))]);
        let line = written(&one);
        let shown: serde_json::Value =
            serde_json::from_slice(line.split(|b| *b == b'\n').next().unwrap()).unwrap();
        assert_eq!(
            (&shown["text"], &shown["__dj__row__"]["id"]),
            (&"a".into(), &1.into())
        );
        for table in [one, table(&[(ROW, ids), ("text", text), ("time", time)])] {
            let back = read(&mut &written(&table)[..]).unwrap().unwrap().batch;
            let columns: Vec<_> = back
                .columns
                .iter()
                .map(|c| (c.path.clone(), c.data.to_data()))
                .collect();
            let expected: Vec<_> = table
                .schema()
                .fields()
                .iter()
                .zip(table.columns())
                .skip(1)
                .map(|(f, a)| (f.name().clone(), a.to_data()))
                .collect();
            assert_eq!(columns, expected);
        }
    }

    #[test]
    fn a_file_that_was_cut_is_refused() {
        let ids: ArrayRef = Arc::new(UInt64Array::from(vec![1, 2]));
        let raw: ArrayRef = Arc::new(BinaryViewArray::from_iter_values([b"{}", b"{}"]));
        let bytes = written(&table(&[(ROW, ids), (RAW, raw)]));
        let first = bytes.iter().position(|b| *b == b'\n').unwrap() + 1;
        assert!(read(&mut &bytes[..first]).is_err() && read(&mut &bytes[..first - 3]).is_err());
    }
}
