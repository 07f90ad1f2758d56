//! Writes rows as JSON lines: the original bytes, with new values spliced in.

use super::edit::{append, is_plain, set_member, set_path, write_f64};
use super::standard::standard;
use super::string::write_string;
use crate::data::batch::{Batch, Column, STATS, Stat};
use crate::data::columns::value_text::{write_f32, write_hex};
use crate::data::losses::{Loss, Losses};
use anyhow::{Context, Result, bail};
use arrow::array::{Array, AsArray, BinaryViewArray, Float64Array, make_view};
use arrow::buffer::{BooleanBuffer, Buffer};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type};
use memchr::memmem;

/// Appends every row of `batch` and a line feed to `out`. A row without changes keeps its original
/// bytes. If asked, writes stats under [`STATS`], replacing the row's own of the same name. Adds
/// new values that are NaN or infinite to `losses`.
pub(crate) fn write_rows(
    batch: &Batch,
    raw: &BinaryViewArray,
    keep_stats: bool,
    losses: &mut Losses,
    out: &mut Vec<u8>,
) -> Result<()> {
    let changed: Vec<(&Column, &BooleanBuffer)> = batch
        .columns
        .iter()
        .filter_map(|c| Some((c, c.changed.as_ref()?)))
        .collect();
    let changed: Vec<_> = changed
        .into_iter()
        .filter(|(_, bits)| bits.count_set_bits() > 0)
        .collect();
    let stats = if keep_stats { &batch.stats[..] } else { &[] };
    for (column, bits) in &changed {
        let is_written = |row: usize| bits.value(row);
        losses.add(
            &column.path,
            Loss::Constant,
            constants(&column.data, is_written),
        );
        losses.add(
            &column.path,
            Loss::Bytes,
            byte_values(&column.data, is_written),
        );
    }
    for stat in stats {
        losses.add(
            &format!("{STATS}.{}", stat.key),
            Loss::Constant,
            constants(&stat.data, |_| true),
        );
    }
    let mut run = Run::default();
    let mut scratch = Scratch::default();
    for row in 0..batch.rows() {
        if stats.is_empty() && !changed.iter().any(|(_, bits)| bits.value(row)) {
            run.push(raw, row, out);
            continue;
        }
        run.flush(raw, out);
        scratch.fields(raw.value(row), row, &changed)?;
        scratch.stats(row, stats, losses)?;
        out.extend_from_slice(&scratch.row);
        out.push(b'\n');
    }
    run.flush(raw, out);
    Ok(())
}

/// The rows of a batch with all changes spliced in, one by one. Stats are not written.
pub(crate) struct Spliced<'a> {
    raw: &'a BinaryViewArray,
    changed: Vec<(&'a Column, &'a BooleanBuffer)>,
    scratch: Scratch,
}

impl<'a> Spliced<'a> {
    /// For JSON rows.
    pub(crate) fn new(batch: &'a Batch) -> Result<Self> {
        Ok(Self {
            raw: batch.raw.as_ref().context("columnar rows have no text")?,
            changed: batch
                .columns
                .iter()
                .filter_map(|c| Some((c, c.changed.as_ref()?)))
                .collect(),
            scratch: Scratch::default(),
        })
    }

    /// The rows without changes.
    pub(crate) fn raw(&self) -> &'a BinaryViewArray {
        self.raw
    }

    /// Whether a value of the row has changed.
    pub(crate) fn is_changed(&self, row: usize) -> bool {
        self.changed.iter().any(|(_, bits)| bits.value(row))
    }

    /// The row with its changes.
    pub(crate) fn row(&mut self, row: usize) -> Result<&[u8]> {
        let raw = self.raw.value(row);
        if !self.is_changed(row) {
            return Ok(raw);
        }
        self.scratch.fields(raw, row, &self.changed)?;
        Ok(&self.scratch.row)
    }
}

/// The rows of `batch` with all changes spliced in. Rows without changes are shared, not copied.
/// Stats are not written.
pub(crate) fn render(batch: &Batch) -> Result<BinaryViewArray> {
    let mut spliced = Spliced::new(batch)?;
    let raw = spliced.raw();
    let rows: Vec<usize> = (0..batch.rows())
        .filter(|row| spliced.is_changed(*row))
        .collect();
    if rows.is_empty() {
        return Ok(raw.clone());
    }
    let mut views = raw.views().to_vec();
    let mut side = Vec::new();
    let number = u32::try_from(raw.data_buffers().len())?;
    for row in rows {
        let text = spliced.row(row)?;
        let at = u32::try_from(side.len()).context("rows of more than 4 GiB in one batch")?;
        views[row] = make_view(text, number, at);
        side.extend_from_slice(text);
    }
    let buffers: Vec<Buffer> = raw
        .data_buffers()
        .iter()
        .cloned()
        .chain([Buffer::from_vec(side)])
        .collect();
    Ok(BinaryViewArray::try_new(views.into(), buffers, None)?)
}

/// Consecutive rows of the read buffer, separated by line feeds: copied as one piece.
#[derive(Default)]
struct Run {
    buffer: usize,
    start: usize,
    end: usize,
}

impl Run {
    fn push(&mut self, raw: &BinaryViewArray, row: usize, out: &mut Vec<u8>) {
        let view = raw.views()[row];
        let len = view as u32 as usize;
        if len <= 12 {
            self.flush(raw, out);
            out.extend_from_slice(raw.value(row));
            out.push(b'\n');
            return;
        }
        let (buffer, start) = ((view >> 64) as u32 as usize, (view >> 96) as usize);
        let follows = self.end > self.start
            && buffer == self.buffer
            && start == self.end + 1
            && raw.data_buffers()[buffer][self.end] == b'\n';
        if !follows {
            self.flush(raw, out);
            (self.buffer, self.start) = (buffer, start);
        }
        self.end = start + len;
    }

    fn flush(&mut self, raw: &BinaryViewArray, out: &mut Vec<u8>) {
        if self.end > self.start {
            out.extend_from_slice(&raw.data_buffers()[self.buffer][self.start..self.end]);
            out.push(b'\n');
        }
        *self = Self::default();
    }
}

/// Buffers for assembling a row, reused from row to row.
#[derive(Default)]
struct Scratch {
    row: Vec<u8>,
    value: Vec<u8>,
    edits: Vec<(usize, usize, usize)>,
}

impl Scratch {
    /// Writes the row with its changed fields.
    fn fields(
        &mut self,
        raw: &[u8],
        row: usize,
        changed: &[(&Column, &BooleanBuffer)],
    ) -> Result<()> {
        self.row.clear();
        self.edits.clear();
        let mut rest = Vec::new();
        for (i, (column, bits)) in changed.iter().enumerate() {
            if !bits.value(row) {
                continue;
            }
            match &column.span {
                Some(spans) if spans.is_valid(row) => {
                    let span = spans.value(row);
                    self.edits
                        .push(((span >> 32) as usize, span as u32 as usize, i));
                }
                _ => rest.push(i),
            }
        }
        self.edits.sort_unstable();
        if self.edits.windows(2).any(|w| w[0].0 + w[0].1 > w[1].0) {
            // One value contains another: set the outer ones first, then look up each inner one
            // again.
            self.row.extend_from_slice(raw);
            rest.extend(self.edits.drain(..).map(|e| e.2));
            rest.sort_by_key(|&i| changed[i].0.path.matches('.').count());
            return rest
                .iter()
                .try_for_each(|&i| self.set(changed[i].0, row, false));
        }
        let mut from = 0;
        for &(start, len, i) in &self.edits {
            let before = raw.get(from..start).with_context(|| {
                format!("the span of `{}` is not in its row", changed[i].0.path)
            })?;
            self.row.extend_from_slice(before);
            write_value(&changed[i].0.data, row, changed[i].0.json, &mut self.row)?;
            from = start + len;
        }
        self.row
            .extend_from_slice(raw.get(from..).context("a span ends behind its row")?);
        rest.iter()
            .try_for_each(|&i| self.set(changed[i].0, row, changed[i].0.span.is_some()))
    }

    /// Sets a field without a known position. `absent`: the reader has seen that the row lacks it.
    fn set(&mut self, column: &Column, row: usize, absent: bool) -> Result<()> {
        self.value.clear();
        write_value(&column.data, row, column.json, &mut self.value)?;
        self.put(&column.path, absent);
        Ok(())
    }

    /// Puts `value` at `path`.
    fn put(&mut self, path: &str, absent: bool) {
        if absent && !path.contains('.') {
            let mut grown = Vec::with_capacity(self.row.len() + self.value.len() + path.len() + 8);
            append(&self.row, path, &self.value, &mut grown);
            self.row = grown;
        } else {
            self.row = set_path(&self.row, path, &self.value);
        }
    }

    fn stats(&mut self, row: usize, stats: &[Stat], losses: &mut Losses) -> Result<()> {
        if stats.iter().all(|s| s.data.is_null(row)) {
            return Ok(());
        }
        let has_some = memmem::find(&self.row, STATS.as_bytes()).is_some();
        if has_some && is_plain(&self.row, STATS) {
            losses.add(STATS, Loss::Replaced, 1);
        }
        let mut object = vec![b'{'];
        for stat in stats.iter().filter(|s| s.data.is_valid(row)) {
            self.value.clear();
            write_value(&stat.data, row, false, &mut self.value)?;
            if has_some {
                self.row = set_member(&self.row, STATS, &stat.key, &self.value);
            } else {
                if object.len() > 1 {
                    object.extend_from_slice(b", ");
                }
                write_string(&stat.key, &mut object);
                object.extend_from_slice(b": ");
                object.extend_from_slice(&self.value);
            }
        }
        if !has_some {
            object.push(b'}');
            self.value = object;
            self.put(STATS, true);
        }
        Ok(())
    }
}

/// Counts the values of bytes in a column, in the rows that `is_written` names. As JSON they are
/// strings, which nothing tells from others.
fn byte_values(data: &dyn Array, is_written: impl Fn(usize) -> bool) -> u64 {
    let written = (0..data.len()).filter(|row| data.is_valid(*row) && is_written(*row));
    match data.data_type() {
        DataType::BinaryView | DataType::Binary => written.count() as u64,
        DataType::List(item) if item.data_type() == &DataType::Binary => {
            let lists = data.as_list::<i32>();
            written.map(|row| lists.value_length(row) as u64).sum()
        }
        _ => 0,
    }
}

/// Counts the NaN and infinite values of a column, in the rows that `is_written` names.
fn constants(data: &dyn Array, is_written: impl Fn(usize) -> bool) -> u64 {
    let count =
        |values: &Float64Array| values.iter().flatten().filter(|v| !v.is_finite()).count() as u64;
    match data.data_type() {
        DataType::Float64 => {
            let values = data.as_primitive::<Float64Type>();
            let odd = |row: usize| values.is_valid(row) && !values.value(row).is_finite();
            (0..values.len())
                .filter(|row| odd(*row) && is_written(*row))
                .count() as u64
        }
        DataType::List(item) if item.data_type() == &DataType::Float64 => {
            let lists = data.as_list::<i32>();
            let written = (0..lists.len()).filter(|row| lists.is_valid(*row) && is_written(*row));
            written
                .map(|row| count(lists.value(row).as_primitive()))
                .sum()
        }
        DataType::FixedSizeList(..) => {
            let vectors = data.as_fixed_size_list();
            let written =
                (0..vectors.len()).filter(|row| vectors.is_valid(*row) && is_written(*row));
            let odd = |row: usize| {
                let vector = vectors.value(row);
                let values = vector.as_primitive_opt::<Float32Type>();
                values.map_or(0, |v| v.iter().flatten().filter(|v| !v.is_finite()).count())
            };
            written.map(|row| odd(row) as u64).sum()
        }
        _ => 0,
    }
}

/// Appends one value as JSON. `json`: strings are JSON texts.
pub(crate) fn write_value(
    data: &dyn Array,
    row: usize,
    json: bool,
    out: &mut Vec<u8>,
) -> Result<()> {
    if data.is_null(row) {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match data.data_type() {
        DataType::Utf8View => write_text(data.as_string_view().value(row), json, out)?,
        DataType::Utf8 => write_text(data.as_string::<i32>().value(row), json, out)?,
        DataType::LargeUtf8 => write_text(data.as_string::<i64>().value(row), json, out)?,
        DataType::Float64 => write_f64(data.as_primitive::<Float64Type>().value(row), out),
        DataType::Int64 => out.extend_from_slice(
            data.as_primitive::<Int64Type>()
                .value(row)
                .to_string()
                .as_bytes(),
        ),
        DataType::Boolean => out.extend_from_slice(if data.as_boolean().value(row) {
            b"true"
        } else {
            b"false"
        }),
        DataType::Float32 => write_f32(data.as_primitive::<Float32Type>().value(row), out),
        DataType::BinaryView => write_hex(data.as_binary_view().value(row), out),
        DataType::Binary => write_hex(data.as_binary::<i32>().value(row), out),
        DataType::List(_) => write_list(&data.as_list::<i32>().value(row), out)?,
        DataType::FixedSizeList(..) => write_list(&data.as_fixed_size_list().value(row), out)?,
        other => bail!("a column of type {other} cannot be written into a JSON row"),
    }
    Ok(())
}

fn write_list(values: &dyn Array, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'[');
    for i in 0..values.len() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        write_value(values, i, false, out)?;
    }
    out.push(b']');
    Ok(())
}

/// Appends a JSON text with its line ends replaced by spaces: a row is one line, and a line end in
/// JSON can only be space between tokens.
fn write_text(text: &str, json: bool, out: &mut Vec<u8>) -> Result<()> {
    if !json {
        write_string(text, out);
        return Ok(());
    }
    let check = |text: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(text);
    // With `NaN` and infinities, as rows may have them.
    check(text.as_bytes())
        .or_else(|_| check(&standard(text.as_bytes())))
        .context("a new value is not valid JSON")?;
    out.extend(
        text.trim()
            .bytes()
            .map(|b| if b == b'\n' || b == b'\r' { b' ' } else { b }),
    );
    Ok(())
}
