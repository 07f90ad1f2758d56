//! Makes and reads the rows that a component is checked with.

use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result};
use arrow::array::{BinaryViewArray, BooleanArray, UInt64Array};
use rustix::fs::{Mode, OFlags, fcntl_setfl};
use serde_json::{Map, Value, json};

use crate::data::{Batch, FieldType, ReadField, extract};
use crate::error::UserError;
use crate::wasm::{Input, Signature};

/// Most rows of a sample file that are used.
const MAX_ROWS: usize = 20_000;

/// Reads the lines of a sample.
pub(crate) fn read(path: &Path) -> Result<Vec<String>> {
    let place = path.display().to_string();
    let file = open(path)
        .map_err(|e| UserError::new(&place, format!("this sample cannot be read: {e}")))?;
    let mut rows = Vec::new();
    for (i, line) in BufReader::new(file).lines().take(MAX_ROWS).enumerate() {
        let line = line.map_err(|e| {
            UserError::new(
                format!("{place}:{}", i + 1),
                format!("this line cannot be read: {e}"),
            )
        })?;
        if !matches!(serde_json::from_str(&line), Ok(Value::Object(_))) {
            return Err(UserError::new(
                format!("{place}:{}", i + 1),
                "this line is not a JSON object",
            )
            .hint("give a file of JSON lines")
            .into());
        }
        rows.push(line);
    }
    if rows.is_empty() {
        return Err(UserError::new(place, "this sample has no rows").into());
    }
    Ok(rows)
}

/// Opens a file, or a pipe that somebody writes to; one that nobody writes to is empty.
fn open(path: &Path) -> std::io::Result<std::fs::File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = std::fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
    fcntl_setfl(&file, OFlags::empty())?;
    Ok(file)
}

/// Returns texts of many kinds.
pub(crate) fn unicode() -> Vec<String> {
    let long = "A long line of words that goes on and on. ".repeat(2_000);
    [
        "The quick brown fox jumps over the lazy dog.",
        "Съешь же ещё этих мягких французских булок",
        "敏捷的棕色狐狸跳过懒狗。",
        "いろはにほへと ちりぬるを",
        "نص عربي من اليمين إلى اليسار",
        "हिन्दी में एक वाक्य",
        "👩‍👩‍👧‍👦 🇩🇪 👍🏽",
        "e\u{301}a\u{308}\u{200d}\u{200b}\u{feff}",
        "one\r\ntwo\r\n\tthree\u{a0}four",
        "\u{0} nul \u{1b}[31m escape \u{7f}",
        "𐍈 𝒜 \u{10ffff} \u{fffd}",
        "ǅ İ ı ß ﬃ Ω",
        "<p>mark&amp;up</p> https://example.org a@example.org",
        &long,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Returns `n` different rows for the fields that the operator reads.
pub(crate) fn ordinary(signature: &Signature, n: usize) -> Vec<String> {
    let kinds = unicode();
    (0..n)
        .map(|i| {
            row(
                signature,
                &format!(
                    "Row {i}: {} {}",
                    kinds[i % 13],
                    "some more words of text ".repeat(i % 17)
                ),
                i,
            )
        })
        .collect()
}

/// Returns a row in which every string that the operator reads is `text` and the other fields have
/// values that depend on `i`.
pub(crate) fn row(signature: &Signature, text: &str, i: usize) -> String {
    let mut row = Map::new();
    for input in &signature.reads {
        let value = match input.ty {
            FieldType::Utf8 | FieldType::Json => json!(text),
            FieldType::F64 => json!(i as f64 / 2.0),
            FieldType::S64 => json!(i),
            FieldType::Boolean => json!(i.is_multiple_of(2)),
            FieldType::Utf8List => json!([text, "second"]),
            FieldType::F64List => json!([i as f64, 0.5]),
            FieldType::S64List => json!([i, 2]),
            FieldType::Bytes => json!(hex::encode(text)),
            FieldType::BytesList => json!([hex::encode(text), "00ff"]),
            FieldType::Vector(width) => json!(vec![i as f64 / 2.0; width as usize]),
        };
        put(&mut row, &input.path, value);
    }
    Value::Object(row).to_string()
}

/// Returns rows with null in every field that may be null, or None if every field is required.
pub(crate) fn nulls(signature: &Signature) -> Option<[String; 2]> {
    let optional: Vec<&Input> = signature.reads.iter().filter(|r| !r.required).collect();
    if optional.is_empty() {
        return None;
    }
    let required = Signature {
        reads: signature
            .reads
            .iter()
            .filter(|r| r.required)
            .cloned()
            .collect(),
        ..Signature::default()
    };
    let absent = row(&required, "a text", 1);
    let mut with_null: Map<String, Value> = serde_json::from_str(&absent).expect("just made");
    optional
        .iter()
        .for_each(|r| put(&mut with_null, &r.path, Value::Null));
    Some([absent, Value::Object(with_null).to_string()])
}

fn put(row: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => drop(row.insert(path.to_owned(), value)),
        Some((head, rest)) => {
            if let Value::Object(inner) =
                row.entry(head).or_insert_with(|| Value::Object(Map::new()))
            {
                put(inner, rest, value);
            }
        }
    }
}

/// Returns the rows as a batch, without those that lack a required field.
pub(crate) fn batch(signature: &Signature, rows: &[String]) -> Result<Batch> {
    let fields: Vec<ReadField> = signature
        .reads
        .iter()
        .map(|r| ReadField {
            path: r.path.clone(),
            ty: r.ty,
            required: r.required,
        })
        .collect();
    let raw: BinaryViewArray = rows.iter().map(|r| Some(r.as_bytes())).collect();
    let extracted = extract(&raw, &fields).context("cannot read the rows")?;
    let mut good = vec![true; rows.len()];
    extracted
        .bad
        .iter()
        .for_each(|(row, _)| good[*row as usize] = false);
    let ids = UInt64Array::from_iter_values((0..rows.len() as u64).map(|i| i * 1000));
    Batch {
        ids,
        raw: Some(raw),
        origin: None,
        stored: None,
        columns: extracted.columns,
        stats: Vec::new(),
    }
    .filter(&BooleanArray::from(good))
}
