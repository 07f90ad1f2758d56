//! Properties that must hold for any bytes in a JSONL file; `tests/fuzz` searches for bytes that
//! break them.

use super::json::standard::standard;
use super::*;
use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, StringViewArray, UInt64Array};
use arrow::buffer::BooleanBuffer;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// serde_json, which judges here, refuses deeper rows.
const DEEP: usize = 100;

fn fields() -> Vec<ReadField> {
    let all = [
        ("text", FieldType::Utf8),
        ("meta.lang", FieldType::Utf8),
        ("a", FieldType::Json),
        ("n", FieldType::F64),
        ("i", FieldType::S64),
        ("b", FieldType::Boolean),
        ("l", FieldType::Utf8List),
        ("f", FieldType::F64List),
    ];
    all.into_iter()
        .map(|(path, ty)| ReadField {
            path: path.into(),
            ty,
            required: false,
        })
        .collect()
}

fn texts(column: &Column) -> &StringViewArray {
    column.data.as_string_view()
}

/// Reads the rows of `data`, changes two of their fields, and writes them.
pub fn rows(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|b| *b == b'\n').collect();
    let raw: BinaryViewArray = lines.iter().map(|line| Some(*line)).collect();
    let extracted = extract(&raw, &fields()).expect("every row is read or refused");
    let refused: HashMap<usize, String> = extracted
        .bad
        .into_iter()
        .map(|(row, why)| (row as usize, why))
        .collect();
    for column in &extracted.columns {
        assert_eq!(column.data.len(), lines.len(), "{}", column.path);
    }
    for (row, line) in lines.iter().enumerate() {
        let object = serde_json::from_slice::<Map<String, Value>>(line);
        if let Some(why) = refused.get(&row) {
            assert!(
                object.is_err(),
                "serde_json takes a row that is refused: {why}"
            );
            continue;
        }
        let plain = standard(line);
        let depth = line.iter().filter(|b| b"[{".contains(b)).count();
        if depth < DEEP {
            assert!(
                serde_json::from_slice::<HashMap<String, IgnoredAny>>(&plain).is_ok(),
                "serde_json refuses a row that is read"
            );
        }
        let Ok(object) = object.map(Value::Object) else {
            continue;
        };
        for column in &extracted.columns[..2] {
            let expected = object.get(&column.path).or_else(|| {
                column
                    .path
                    .split('.')
                    .try_fold(&object, |at, name| at.get(name))
            });
            let got = texts(column)
                .is_valid(row)
                .then(|| texts(column).value(row));
            assert_eq!(
                got,
                expected.and_then(Value::as_str),
                "{} of row {row}",
                column.path
            );
        }
    }
    change(&lines, &raw, extracted.columns, &refused);
}

/// Changes the text of every second good row and `meta.lang` of every third.
fn change(
    lines: &[&[u8]],
    raw: &BinaryViewArray,
    mut columns: Vec<Column>,
    refused: &HashMap<usize, String>,
) {
    let good = |row: usize| !refused.contains_key(&row);
    for (column, step) in columns.iter_mut().zip([2, 3]) {
        let changes: Vec<bool> = (0..lines.len())
            .map(|row| good(row) && row % step == 0)
            .collect();
        let old = texts(column).clone();
        let value = |row: usize| match changes[row] {
            true => Some(format!("{row}\"\\\u{1}\u{1f600} {}", lines[row].len())),
            false => old.is_valid(row).then(|| old.value(row).to_owned()),
        };
        let new: StringViewArray = (0..lines.len()).map(value).collect();
        column.data = Arc::new(new) as ArrayRef;
        column.changed = Some(BooleanBuffer::from(changes));
    }
    let ids = UInt64Array::from_iter_values(0..lines.len() as u64);
    let batch = Batch {
        ids,
        raw: Some(raw.clone()),
        origin: None,
        stored: None,
        columns,
        stats: Vec::new(),
    };
    let written = render(&batch).expect("good rows can be written");
    let again = extract(&written, &fields()).expect("what was written can be read");
    for (row, line) in lines.iter().enumerate() {
        let changed = |column: usize| {
            batch.columns[column]
                .changed
                .as_ref()
                .is_some_and(|bits| bits.value(row))
        };
        if !changed(0) && !changed(1) {
            assert_eq!(written.value(row), *line, "a row that did not change");
            continue;
        }
        assert!(
            again.bad.iter().all(|(bad, _)| *bad as usize != row),
            "a written row is refused"
        );
        for column in [0, 1].into_iter().filter(|column| changed(*column)) {
            let (got, wanted) = (texts(&again.columns[column]), texts(&batch.columns[column]));
            assert!(
                got.is_valid(row) && got.value(row) == wanted.value(row),
                "{} of row {row}",
                again.columns[column].path
            );
        }
        // Nothing else changes.
        let members = |row: &[u8]| {
            let mut object = serde_json::from_slice::<Map<String, Value>>(row).ok()?;
            object.shift_remove("text");
            ["meta", "meta.lang"]
                .iter()
                .filter(|_| changed(1))
                .for_each(|name| drop(object.shift_remove(*name)));
            Some(object)
        };
        if let Some(before) = members(line) {
            assert_eq!(members(written.value(row)), Some(before), "row {row}");
        }
    }
}
