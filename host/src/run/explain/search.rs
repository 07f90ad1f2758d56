//! Finds the rows in which a field has a value, on all processors.
//!
//! Rows of JSON are searched as bytes for what each row with the value must have
//! ([`Sought::pattern`]), and only lines with that are scanned for the field: a row of the last of 10
//! million lines is found in a third of the time that it takes to scan all of them. Of Parquet files
//! the row groups are read that may have the value.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use arrow::array::{Array, AsArray};
use regex::bytes::Regex;
use rustix::io::pread;

use super::sought::Sought;
use crate::data::batch::row_id;
use crate::data::columns::convert::convert;
use crate::data::input::handle::Handle;
use crate::data::input::parquet_values::{Kind, Values, groups_with};
use crate::data::json::extract::utf8;
use crate::data::json::lenient::check;
use crate::data::json::paths::Paths;
use crate::data::json::scan::{Found, Scanner};
use crate::data::{
    Dataset, FieldType, Format, Partition, ReadField, ReadOptions, Slice, is_text, read,
};
use crate::partition::{SplitBy, split};
use crate::threads::inherit;

/// Bytes of a file that are searched at a time.
const PIECE: u64 = 4 << 20;
/// Rows with the value that are found, if they follow within so many pieces.
pub(super) const MOST: usize = 6;
const AFTER: usize = 16;
/// Parts into which a file without row groups is cut, that has no lines of JSON.
const PARTS: u32 = 64;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The ids of the first rows that have the value, ascending: up to [`MOST`], of those behind the
/// first only such as follow closely. The dataset is splittable.
pub(super) fn find(dataset: &Dataset, sought: &Sought, max_row_bytes: usize) -> Result<Vec<u64>> {
    find_by(PIECE, dataset, sought, max_row_bytes)
}

/// The same, by pieces of so many bytes.
fn find_by(
    piece: u64,
    dataset: &Dataset,
    sought: &Sought,
    max_row_bytes: usize,
) -> Result<Vec<u64>> {
    // Only lines of JSON can be searched as bytes.
    if dataset
        .files
        .iter()
        .any(|file| file.format != Format::Jsonl)
    {
        let parts = parts(dataset, sought)?;
        return in_order(parts.len(), |part, _| {
            in_rows(dataset, &parts[part], sought, max_row_bytes)
        });
    }
    let pieces: Vec<Slice> = dataset
        .files
        .iter()
        .enumerate()
        .flat_map(|(file, input)| {
            let starts = (0..input.bytes).step_by(piece as usize);
            starts.map(move |start| {
                let end = (start + piece).min(input.bytes);
                Slice { file, start, end }
            })
        })
        .collect();
    let pattern = sought.pattern();
    let lines = Lines {
        pattern: &pattern,
        paths: Paths::new([(sought.field(), false)]),
        sought,
        max_row_bytes,
    };
    in_order(pieces.len(), |piece, bytes| {
        lines.of(dataset, pieces[piece], bytes)
    })
}

/// What `work` finds in the first pieces that have something, in order. It gets the number of the
/// piece, and memory for its bytes.
fn in_order(
    pieces: usize,
    work: impl Fn(usize, &mut Vec<u8>) -> Result<Vec<u64>> + Sync,
) -> Result<Vec<u64>> {
    let (next, first) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let found: Mutex<BTreeMap<usize, Result<Vec<u64>>>> = Mutex::default();
    let search = || {
        let mut bytes = Vec::new();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            let last = first.load(Ordering::Relaxed).saturating_add(AFTER);
            if piece >= pieces || piece > last {
                return;
            }
            let here = work(piece, &mut bytes);
            if !matches!(&here, Ok(rows) if rows.is_empty()) {
                first.fetch_min(piece, Ordering::Relaxed);
                found
                    .lock()
                    .expect("no panic while held")
                    .insert(piece, here);
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 1..workers.min(pieces) {
            scope.spawn(inherit(search));
        }
        search();
    });
    let found = found.into_inner().expect("no panic while held");
    let last = first.into_inner().saturating_add(AFTER);
    let mut rows = Vec::new();
    for (_, here) in found.into_iter().take_while(|(piece, _)| *piece <= last) {
        rows.extend(here?);
        if rows.len() >= MOST {
            break;
        }
    }
    rows.truncate(MOST);
    Ok(rows)
}

/// Searches lines of JSON.
struct Lines<'a> {
    pattern: &'a Regex,
    paths: Paths,
    sought: &'a Sought,
    max_row_bytes: usize,
}

impl Lines<'_> {
    /// The rows with the value among those that begin in `piece`.
    fn of(&self, dataset: &Dataset, piece: Slice, bytes: &mut Vec<u8>) -> Result<Vec<u64>> {
        let input = &dataset.files[piece.file];
        let context = || format!("cannot read `{}`", input.path.display());
        let file = Handle::open(input).with_context(context)?;
        // The byte before the piece may be the end of a line.
        let base = piece.start.saturating_sub(1);
        bytes.clear();
        fill(&file, bytes, base, (piece.end - base) as usize).with_context(context)?;
        let end = bytes.len();
        // To the end of the last line, unless that is too long for a row.
        while bytes.last() != Some(&b'\n') && bytes.len() <= end + self.max_row_bytes + 2 {
            let (from, more) = (base + bytes.len() as u64, 64 << 10);
            let had = bytes.len();
            fill(&file, bytes, from, more).with_context(context)?;
            if bytes.len() == had {
                break;
            }
            if let Some(at) = memchr::memchr(b'\n', &bytes[had..]) {
                bytes.truncate(had + at + 1);
            }
        }
        let mut at = match piece.start {
            0 if bytes.starts_with(BOM) => BOM.len(),
            0 => 0,
            _ => memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1),
        };
        let (mut rows, mut slots, mut side) = (Vec::new(), vec![None; self.paths.slots()], vec![]);
        // A line that begins behind the piece is of the next one.
        while at < end && rows.len() < MOST {
            let Some(found) = self.pattern.find_at(bytes, at) else {
                break;
            };
            let start =
                memchr::memrchr(b'\n', &bytes[at..found.start()]).map_or(at, |n| at + n + 1);
            let rest = &bytes[start..];
            let line = memchr::memchr(b'\n', rest).map_or(rest, |length| &rest[..length]);
            at = start + line.len() + 1;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if start < end && self.is_in(line, &mut slots, &mut side) {
                rows.push(row_id(piece.file, base + start as u64));
            }
        }
        Ok(rows)
    }

    /// Whether the line is a row with the value, by the rules of the reader.
    fn is_in(&self, line: &[u8], slots: &mut [Option<Found>], side: &mut Vec<u8>) -> bool {
        if line.len() > self.max_row_bytes || utf8(line).is_err() {
            return false;
        }
        side.clear();
        let scanner = Scanner::new(line, 0, line.len(), &self.paths);
        if scanner.scan(slots, side).is_err() && check(line, &self.paths, slots, side).is_err() {
            return false;
        }
        let Some(value) = self.paths.effective(0, slots) else {
            return false;
        };
        let value = &line[value.start as usize..][..value.len as usize];
        std::str::from_utf8(value).is_ok_and(|value| self.sought.is(value))
    }
}

/// Reads up to `most` bytes from `from` on to the end of `bytes`; fewer only at the end of the file.
fn fill(file: &Handle, bytes: &mut Vec<u8>, from: u64, most: usize) -> Result<()> {
    bytes.reserve(most);
    let start = bytes.len();
    while bytes.len() < start + most {
        let had = bytes.len();
        let left = start + most - had;
        let at = from + (had - start) as u64;
        let file = match file {
            Handle::Local(file) => file,
            Handle::Remote(remote) => {
                let piece = remote.bytes_at(at, left)?;
                if piece.is_empty() {
                    break;
                }
                bytes.extend_from_slice(&piece[..piece.len().min(left)]);
                continue;
            }
        };
        let spare = &mut bytes.spare_capacity_mut()[..left];
        let got = match pread(file, spare, at) {
            Ok((read, _)) => read.len(),
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        if got == 0 {
            break;
        }
        // SAFETY: `pread` has initialised that many bytes of the spare capacity.
        unsafe { bytes.set_len(had + got) };
    }
    Ok(())
}

/// The parts of files without lines of JSON that may have the value.
fn parts(dataset: &Dataset, sought: &Sought) -> Result<Vec<Partition>> {
    let mut parts = Vec::new();
    for (file, input) in dataset.files.iter().enumerate() {
        let one = Dataset {
            files: vec![input.clone()],
            ..dataset.clone()
        };
        let ranges = match input.format {
            Format::Parquet => groups_with(input, sought.field(), |v| may_have(v, sought))?,
            _ => split(&one, SplitBy::Count(PARTS))?
                .into_iter()
                .flat_map(|part| part.slices)
                .map(|slice| slice.start..slice.end)
                .collect(),
        };
        parts.extend(joined(ranges).into_iter().map(|rows| Partition {
            id: 0,
            slices: vec![Slice {
                file,
                start: rows.start,
                end: rows.end,
            }],
        }));
    }
    Ok(parts)
}

/// Ranges that follow each other as one, up to a share of all rows: each part reads the footer.
fn joined(ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let most = ranges.last().map_or(0, |last| last.end) / u64::from(PARTS);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start && range.end - last.start <= most => {
                last.end = range.end;
            }
            _ => joined.push(range),
        }
    }
    joined
}

/// Whether values of a row group of Parquet may be the sought one.
fn may_have(values: &Values<'_>, sought: &Sought) -> bool {
    let value = sought.value();
    match values.kind() {
        _ if value == "null" => true,
        Kind::Whole => sought.whole().is_some_and(|n| values.may_be_whole(n)),
        Kind::Text => {
            let quoted = serde_json::from_str::<String>(value);
            values.may_be_text(value) || quoted.is_ok_and(|text| values.may_be_text(&text))
        }
        Kind::Other => true,
    }
}

/// The rows with the value in a part of a dataset, read as any rows.
fn in_rows(
    dataset: &Dataset,
    part: &Partition,
    sought: &Sought,
    max_row_bytes: usize,
) -> Result<Vec<u64>> {
    let field = sought.field();
    let mut options = ReadOptions {
        max_row_bytes,
        ..ReadOptions::new(Vec::new())
    };
    // Columns are read in their own types: to write all values as JSON takes longer.
    if dataset.is_columnar() {
        options.columns = Some(vec![field.to_owned(), head(field).to_owned()]);
    } else {
        options.fields.push(ReadField {
            path: field.to_owned(),
            ty: FieldType::Json,
            required: false,
        });
    }
    let quoted = serde_json::from_str::<String>(sought.value()).ok();
    let mut rows = Vec::new();
    for block in read(dataset, part, &options)? {
        let batch = block?.batch;
        let Some(column) = batch.field(field) else {
            continue;
        };
        let is_plain = dataset.is_columnar() && is_text(column.data_type());
        let texts = match (dataset.is_columnar(), is_plain) {
            (false, _) => column.clone(),
            (true, true) => convert(Some(&column), FieldType::Utf8, batch.rows())?,
            (true, false) => convert(Some(&column), FieldType::Json, batch.rows())?,
        };
        let texts = texts.as_string_view();
        for row in 0..batch.rows() {
            let is_it = match is_plain {
                _ if column.is_null(row) => sought.value() == "null",
                true => {
                    let text = texts.value(row);
                    text == sought.value() || Some(text) == quoted.as_deref()
                }
                false => texts.is_valid(row) && sought.is(texts.value(row)),
            };
            if is_it && rows.len() < MOST {
                rows.push(batch.ids.value(row));
            }
        }
        if rows.len() >= MOST {
            break;
        }
    }
    Ok(rows)
}

/// The column that has the field.
fn head(field: &str) -> &str {
    field.split('.').next().unwrap_or(field)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;
    use crate::data::{Compression, InputFile};

    /// A JSON string, with escapes where `bits` say so.
    fn quoted(text: &str, bits: u32) -> String {
        let mut out = "\"".to_owned();
        for (at, c) in text.chars().enumerate() {
            let is_escaped = bits >> (at % 32) & 1 == 1;
            match c {
                '/' if is_escaped => out.push_str("\\/"),
                '\n' if is_escaped => out.push_str("\\n"),
                c if is_escaped || c < ' ' || c == '"' || c == '\\' => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out += &match bits >> 31 {
                            1 => format!("\\u{unit:04X}"),
                            _ => format!("\\u{unit:04x}"),
                        };
                    }
                }
                c => out.push(c),
            }
        }
        out + "\""
    }

    const TEXTS: [&str; 12] = [
        "a",
        "id",
        "seven words",
        "7",
        "caf\u{e9}",
        "\u{65e5}\u{672c}",
        "\u{1f600}x",
        "x=y \"q\"",
        "back\\slash",
        "a/b",
        "line\nend",
        "",
    ];
    const OTHERS: [&str; 16] = [
        "7",
        "7.0",
        "70e-1",
        "0.7E1",
        "-7",
        "12345",
        "1.2345e4",
        "123450e-1",
        "0",
        "-0.0",
        "true",
        "null",
        "[1, 2]",
        "{\"id\": 7}",
        "NaN",
        "1e400",
    ];
    const KEYS: [&str; 5] = ["id", "meta", "n\u{e4}me", "meta.id", "x/y"];

    /// The text of a value, or a nested object with one of the keys.
    fn value() -> impl Strategy<Value = String> {
        let text = (0..TEXTS.len(), prop_oneof![Just(0), any::<u32>()]);
        prop_oneof![
            text.prop_map(|(at, bits)| quoted(TEXTS[at], bits)),
            (0..OTHERS.len()).prop_map(|at| OTHERS[at].to_owned()),
        ]
    }

    fn line() -> impl Strategy<Value = String> {
        let space = prop_oneof![Just(""), Just(" "), Just("\t ")];
        let key = (0..KEYS.len(), prop_oneof![3 => Just(0), 1 => any::<u32>()]);
        let key = key.prop_map(|(at, bits)| quoted(KEYS[at], bits));
        let member = (key, space, value())
            .prop_map(|(key, space, value)| format!("{key}{space}:{space}{value}"));
        let object = prop::collection::vec(member, 0..4)
            .prop_map(|all| format!("{{{}}}", all.join(",")))
            .boxed();
        let nested = (object.clone(), object).prop_map(|(one, two)| {
            let start = &one[..one.len() - 1];
            let comma = if start.len() > 1 { ", " } else { "" };
            format!("{start}{comma}\"meta\": {two}}}")
        });
        prop_oneof![8 => nested, 1 => Just(String::new()), 1 => Just("{\"id\": 7".to_owned()), 1 => Just("[7]".to_owned())]
    }

    /// The value of a field by serde_json alone.
    fn plainly(row: &str, path: &str, is_top: bool) -> Option<String> {
        let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(row).ok()?;
        if let (true, Some(value)) = (is_top, fields.get(path)) {
            return Some(value.get().to_owned());
        }
        match path.split_once('.') {
            Some((head, rest)) => plainly(fields.get(head)?.get(), rest, false),
            None => Some(fields.get(path)?.get().to_owned()),
        }
    }

    fn is_it(text: &str, value: &str) -> bool {
        let number = |text: &str| match serde_json::from_str::<serde_json::Number>(text) {
            Ok(number) => number.as_f64().filter(|n| n.is_finite()),
            Err(_) => None,
        };
        text == value
            || serde_json::from_str::<String>(text).is_ok_and(|text| text == value)
            || number(text).is_some_and(|n| number(value) == Some(n))
    }

    proptest! {
        #[test]
        fn rows_are_those_that_are_found_plainly(
            lines in prop::collection::vec((line(), any::<bool>()), 0..12),
            (key, text, other) in (0..KEYS.len(), 0..TEXTS.len(), 0..OTHERS.len()),
            is_text in any::<bool>(),
            piece in 1_u64..200,
        ) {
            let (field, value) = (KEYS[key], if is_text { TEXTS[text] } else { OTHERS[other] });
            let (mut bytes, mut expected) = (Vec::new(), Vec::new());
            for (line, carriage) in lines {
                let offset = bytes.len() as u64;
                // The plain way knows no NaN.
                let plain = line.replace("NaN", "\"_NaN_\"");
                let found = plainly(&plain, field, true).map(|text| text.replace("\"_NaN_\"", "NaN"));
                if found.is_some_and(|text| is_it(&text, value)) {
                    expected.push(offset);
                }
                bytes.extend(line.bytes());
                bytes.extend(if carriage { &b"\r\n"[..] } else { b"\n" });
            }
            expected.truncate(MOST);
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("in.jsonl");
            std::fs::write(&path, &bytes).unwrap();
            let file = InputFile {
                path,
                format: Format::Jsonl,
                compression: Compression::None,
                bytes: bytes.len() as u64,
                modified_ns: 0,
                by_record: false,
                version: None,
                origin: None,
            };
            let dataset = Dataset {
                files: vec![file],
                notes: Vec::new(),
                zstd_window: 0,
                pages: Default::default(),
                features: None,
                losses: Default::default(),
            };
            let sought = Sought::new(field, value);
            let mut found = find_by(piece.max(bytes.len() as u64 / AFTER as u64), &dataset, &sought, 1 << 20).unwrap();
            found.truncate(MOST);
            prop_assert_eq!(found, expected, "{}={} in {}", field, value, String::from_utf8_lossy(&bytes));
        }
    }
}
