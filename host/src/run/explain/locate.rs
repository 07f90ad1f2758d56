//! Finds a row of the input: by file and line, by its id, or by a value.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use anyhow::{Context, Result};
use serde::Serialize;

use super::search::{MOST, find};
use super::sought::Sought;
use crate::data::batch::{row_id, split_id};
use crate::data::input::handle::{Handle, whole};
use crate::data::input::source_lines::LineReader;
use crate::data::{
    BadRow, Batch, Dataset, Format, Partition, ReadOptions, Slice, read, render, show_json_rows,
};
use crate::error::{UserError, did_you_mean};
use crate::exec::lines::places;
use crate::partition::{SplitBy, split};

/// What the user says of the row.
#[derive(Debug, Clone, PartialEq)]
pub enum Which {
    /// A file of the dataset, and a line of it (for Parquet and Arrow: a row), from 1.
    Line(String, u64),
    /// The id that the trace has.
    Id(u64),
    /// The first row in which a field has a value.
    Where(String, String),
}

/// A row of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Located {
    /// Its id.
    pub row_id: u64,
    /// Its file.
    pub file: String,
    /// Its line, or its number in a file of columns, from 1; None: it was not counted.
    pub line: Option<u64>,
}

/// Up to here lines are counted for a row that was not asked for by line.
const COUNTED: u64 = 2 << 30;

/// Finds the row. The text says of others to which the same applies.
pub(super) fn locate(
    dataset: &Dataset,
    which: &Which,
    max_row_mb: u64,
) -> Result<(Located, Option<String>)> {
    let found = match which {
        Which::Id(id) => {
            let (file, offset) = split_id(*id);
            let size = match dataset.files.get(file) {
                Some(_) if dataset.is_columnar() => rows_of(dataset, file)?,
                Some(file) => file.bytes,
                None => 0,
            };
            if offset >= size {
                return Err(UserError::new(
                    "ROW",
                    format!("no row of the dataset has the id {id}"),
                )
                .hint("ids are in `row_id` of the trace and of quarantine; a line is FILE:LINE")
                .into());
            }
            located(dataset, *id)
        }
        Which::Line(name, line) => by_line(dataset, name, *line)?,
        Which::Where(field, value) => return by_value(dataset, field, value, max_row_mb),
    };
    Ok((found, None))
}

/// Number of rows of a file of columns.
fn rows_of(dataset: &Dataset, file: usize) -> Result<u64> {
    let parts = split(dataset, SplitBy::Count(1))?;
    let slices = parts.iter().flat_map(|part| &part.slices);
    let ends = slices
        .filter(|slice| slice.file == file)
        .map(|slice| slice.end);
    Ok(ends.max().unwrap_or(0))
}

/// The row with this id.
pub(crate) fn located(dataset: &Dataset, id: u64) -> Located {
    let (file, _) = split_id(id);
    Located {
        row_id: id,
        file: dataset
            .files
            .get(file)
            .map(|f| f.shown().to_string())
            .unwrap_or_default(),
        line: line_of(dataset, id),
    }
}

/// The rows with these ids, by id.
pub(crate) fn all_located(
    dataset: &Dataset,
    ids: impl Iterator<Item = u64>,
) -> BTreeMap<u64, Located> {
    let ids: Vec<u64> = ids.collect::<BTreeSet<u64>>().into_iter().collect();
    let is_counted = |id: &u64| dataset.is_columnar() || split_id(*id).1 <= COUNTED;
    let (counted, others): (Vec<u64>, Vec<u64>) = ids.into_iter().partition(is_counted);
    let places = places(dataset, &counted);
    let counted = counted.into_iter().zip(places);
    let counted = counted.map(|(row_id, (file, line))| Located {
        row_id,
        file,
        line: (line > 0).then_some(line),
    });
    let others = others.into_iter().map(|id| located(dataset, id));
    counted.chain(others).map(|row| (row.row_id, row)).collect()
}

/// The line of a row, or its number; None where counting takes long.
fn line_of(dataset: &Dataset, id: u64) -> Option<u64> {
    let (_, offset) = split_id(id);
    if dataset.is_pages() {
        return Some(offset);
    }
    if !dataset.is_columnar() && offset > COUNTED {
        return None;
    }
    let (_, line) = crate::exec::lines::place(dataset, id);
    (line > 0).then_some(line)
}

fn by_line(dataset: &Dataset, name: &str, line: u64) -> Result<Located> {
    let names: Vec<String> = dataset
        .files
        .iter()
        .map(|f| f.shown().to_string())
        .collect();
    let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let exact = names.iter().position(|known| known == name);
    let fitting: Vec<usize> = (0..names.len())
        .filter(|i| names[*i].ends_with(&format!("/{name}")) || base(&names[*i]) == name)
        .collect();
    let absolute = std::path::absolute(name).unwrap_or_default();
    let same = dataset.files.iter().position(|file| {
        std::path::absolute(file.shown().to_string()).is_ok_and(|p| p == absolute)
    });
    let file = match (exact.or(same), &fitting[..]) {
        (Some(file), _) => file,
        (None, [one]) => *one,
        (None, []) => {
            let short: Vec<String> = names.iter().map(|path| base(path)).collect();
            let error = UserError::new("ROW", format!("`{name}` is no file of the dataset"));
            let all = names.iter().chain(&short).map(String::as_str);
            let few = names
                .iter()
                .take(5)
                .map(|n| format!("`{n}`"))
                .collect::<Vec<_>>();
            return Err(match did_you_mean(name, all) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("its files: {}", few.join(", "))),
            }
            .into());
        }
        (None, several) => {
            let several: Vec<String> = several.iter().map(|i| format!("`{}`", names[*i])).collect();
            return Err(
                UserError::new("ROW", format!("several files are called `{name}`"))
                    .hint(format!("name one of {}", several.join(", ")))
                    .into(),
            );
        }
    };
    let place = &names[file];
    if dataset.is_pages() {
        return at_byte(dataset, file, line);
    }
    let none = |last: u64, what: &str| {
        let message = format!("`{place}` has no {what} {line}");
        UserError::new("ROW", message).hint(format!("its last {what} is {last}"))
    };
    if line == 0 {
        return Err(UserError::new("ROW", "there is no line 0")
            .hint("lines count from 1")
            .into());
    }
    if dataset.is_columnar() {
        let rows = rows_of(dataset, file)?;
        if line > rows {
            return Err(none(rows, "row").into());
        }
        return Ok(Located {
            row_id: row_id(file, line - 1),
            file: place.clone(),
            line: Some(line),
        });
    }
    let path = &dataset.files[file].path;
    let context = || format!("cannot read `{}`", path.display());
    let mut wanted = line - 1;
    if dataset.files[file].origin.is_some()
        && let Some(mut lines) = LineReader::of(path).with_context(context)?
    {
        // The row that was made of this line.
        let mut row = 0;
        loop {
            match lines.line(row)? {
                Some(at) if at < line => row += 1,
                Some(at) if at == line => break,
                _ => return Err(none(line, "row at line").into()),
            }
        }
        wanted = row;
    }
    let mut input = whole(&dataset.files[file]).with_context(context)?;
    let (mut offset, mut seen, mut buffer) = (0u64, 0u64, vec![0u8; 1 << 20]);
    while seen < wanted {
        let n = input.read(&mut buffer).with_context(context)?;
        if n == 0 {
            return Err(none(seen, "line").into());
        }
        let here = memchr::memchr_iter(b'\n', &buffer[..n]).count() as u64;
        if seen + here >= wanted {
            let last = (wanted - seen - 1) as usize;
            let at = memchr::memchr_iter(b'\n', &buffer[..n])
                .nth(last)
                .unwrap_or(0);
            offset += at as u64 + 1;
            seen = wanted;
        } else {
            (seen, offset) = (seen + here, offset + n as u64);
        }
    }
    let found = first_row(dataset, file, offset)?;
    match found {
        Some(id) => Ok(Located {
            row_id: id,
            file: place.clone(),
            line: Some(line),
        }),
        None => Err(
            UserError::new("ROW", format!("`{place}` has no row in line {line}"))
                .hint("the line is empty, or the file ends before it")
                .into(),
        ),
    }
}

/// The row at a position of a file of pages.
fn at_byte(dataset: &Dataset, file: usize, at: u64) -> Result<Located> {
    let place = dataset.files[file].shown().to_string();
    let found = match at < dataset.files[file].bytes {
        true => read_row(dataset, row_id(file, at), &ReadOptions::new(Vec::new()))?,
        false => None,
    };
    match found {
        Some(_) => Ok(Located {
            row_id: row_id(file, at),
            file: place,
            line: Some(at),
        }),
        None => Err(UserError::new(
            "ROW",
            format!("`{place}` has no row at byte {at}"),
        )
        .hint(
            "a record of a WARC file is named by its position, as CDX indexes have it, and has to be of a type that becomes a row; an HTML file is FILE:0",
        )
        .into()),
    }
}

/// The id of the row in the line that begins at `offset`.
fn first_row(dataset: &Dataset, file: usize, offset: u64) -> Result<Option<u64>> {
    let end = line_end(dataset, file, offset)?;
    if end <= offset {
        return Ok(None);
    }
    let slices = vec![Slice {
        file,
        start: offset,
        end,
    }];
    for block in read(
        dataset,
        &Partition { id: 0, slices },
        &ReadOptions::new(Vec::new()),
    )? {
        let block = block?;
        let bad = block.bad.first().map(|row| row.id);
        if let Some(id) = block.batch.ids.values().first().copied().or(bad) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Where the line ends that has the byte at `offset`, its line end included.
fn line_end(dataset: &Dataset, file: usize, offset: u64) -> Result<u64> {
    let path = &dataset.files[file].path;
    let context = || format!("cannot read `{}`", path.display());
    let input = Handle::open(&dataset.files[file]).with_context(context)?;
    let (mut at, mut buffer) = (offset, vec![0u8; 64 << 10]);
    loop {
        let n = input.read_at(&mut buffer, at).with_context(context)?;
        match memchr::memchr(b'\n', &buffer[..n]) {
            Some(found) => return Ok(at + found as u64 + 1),
            None if n == 0 => return Ok(at),
            None => at += n as u64,
        }
    }
}

/// The part of the dataset that has just the row with this id.
pub(super) fn part_of(dataset: &Dataset, id: u64) -> Result<Partition> {
    let (file, start) = split_id(id);
    let end = match dataset.is_columnar() {
        true => start + 1,
        false if dataset.files[file].format == Format::Html => dataset.files[file].bytes,
        false if dataset.is_pages() => start + 1,
        false => line_end(dataset, file, start)?,
    };
    let slices = vec![Slice { file, start, end }];
    Ok(Partition { id: 0, slices })
}

/// Reads one row; Err: the reader refuses it.
pub(crate) fn read_row(
    dataset: &Dataset,
    id: u64,
    options: &ReadOptions,
) -> Result<Option<Result<Batch, BadRow>>> {
    for block in read(dataset, &part_of(dataset, id)?, options)? {
        let block = block?;
        if block.batch.rows() > 0 {
            return Ok(Some(Ok(block.batch.slice(0, 1))));
        }
        if let Some(bad) = block.bad.into_iter().next() {
            return Ok(Some(Err(bad)));
        }
    }
    Ok(None)
}

/// Row number `row` of a batch as JSON text.
pub(crate) fn row_text(batch: &Batch, row: usize) -> Result<String> {
    let one = batch.slice(row, 1);
    let bytes = match &one.raw {
        Some(_) => render(&one)?.value(0).to_vec(),
        None => {
            let fields = one.columns.iter().map(|c| {
                (
                    c.path.clone(),
                    c.native.clone().unwrap_or_else(|| c.data.clone()),
                    true,
                )
            });
            let table = arrow::array::RecordBatch::try_from_iter_with_nullable(fields)?;
            let mut text = Vec::new();
            show_json_rows(&table, &mut text)?;
            text
        }
    };
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

/// The first row in which the field has the value, and what to say of the others.
fn by_value(
    dataset: &Dataset,
    field: &str,
    value: &str,
    max_row_mb: u64,
) -> Result<(Located, Option<String>)> {
    let sought = Sought::new(field, value);
    let found = find(dataset, &sought, (max_row_mb as usize) << 20)?;
    let places = places(dataset, &found);
    let Some(((file, line), more)) = places.split_first() else {
        return Err(none_has(dataset, &sought)?.into());
    };
    let first = Located {
        row_id: found[0],
        file: file.clone(),
        line: (*line > 0).then_some(*line),
    };
    let more: Vec<String> = more
        .iter()
        .map(|(file, line)| format!("{file}:{line}"))
        .collect();
    let note = match more.len() {
        0 => return Ok((first, None)),
        1 => format!("another row has this value, too: {}", more[0]),
        n if found.len() < MOST => format!("{n} more rows have this value: {}", more.join(", ")),
        n => format!(
            "more rows have this value; the next {n} of them: {}",
            more.join(", ")
        ),
    };
    Ok((first, Some(note)))
}

/// Rows whose fields are named in an error.
const LOOKED_AT: usize = 1000;

/// Says that no row has the value, or the field.
fn none_has(dataset: &Dataset, sought: &Sought) -> Result<UserError> {
    let (field, value) = (sought.field(), sought.value());
    let known = fields(dataset)?;
    if known.is_empty() || known.contains(field) {
        let message = format!("no row of the dataset has `{value}` in `{field}`");
        let hint = "the whole value is compared, as in the input; `FIELD=VALUE` with a field inside of others is `meta.id=7`";
        return Ok(UserError::new("--where", message).hint(hint));
    }
    let message = format!(
        "no row of the dataset has `{value}` in `{field}`, and the first rows have no such field"
    );
    let near = did_you_mean(field, known.iter().map(String::as_str));
    let near = near
        .map(|name| format!("did you mean `{name}`? "))
        .unwrap_or_default();
    let names: Vec<&str> = known.iter().take(30).map(String::as_str).collect();
    let more = known.len().saturating_sub(names.len());
    let more = match more {
        0 => String::new(),
        n => format!(", and {n} more"),
    };
    Ok(UserError::new("--where", message)
        .hint(format!("{near}their fields: {}{more}", names.join(", "))))
}

/// The fields of the first rows, those inside of others with their whole path.
fn fields(dataset: &Dataset) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let options = ReadOptions {
        as_json: true,
        ..ReadOptions::new(Vec::new())
    };
    let mut left = LOOKED_AT;
    'files: for part in split(dataset, SplitBy::Count(1))? {
        for block in read(dataset, &part, &options)? {
            let batch = block?.batch;
            for row in 0..batch.rows().min(left) {
                if let Ok(value) = serde_json::from_str(&row_text(&batch, row)?) {
                    add_fields("", &value, &mut found);
                }
            }
            left = left.saturating_sub(batch.rows());
            if left == 0 {
                break 'files;
            }
        }
    }
    Ok(found)
}

fn add_fields(outer: &str, value: &serde_json::Value, found: &mut BTreeSet<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = format!("{outer}{name}");
        add_fields(&format!("{path}."), value, found);
        found.insert(path);
    }
}
