//! Extracts the fields that ops read from raw JSON rows, as columns.

use super::lenient::check;
use super::paths::Paths;
use super::scan::{Found, Scanner};
use super::top::elements;
use crate::data::batch::Column;
use anyhow::Result;
use arrow::array::{
    ArrayRef, BinaryBuilder, BinaryViewArray, BooleanArray, FixedSizeListArray, Float32Array,
    Float64Array, Float64Builder, Int64Array, Int64Builder, ListBuilder, StringBuilder,
    StringViewArray, UInt64Array, make_view,
};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// The type that a field is wanted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// A string.
    Utf8,
    /// Any value, as its JSON text, which may have `NaN`, `Infinity` and `-Infinity` in it.
    Json,
    /// Any number; one beyond a double's range becomes infinite.
    F64,
    /// A whole number of 64 bits, including one written as `3.0`.
    S64,
    /// `true` or `false`.
    Boolean,
    /// A list of strings.
    Utf8List,
    /// A list of numbers.
    F64List,
    /// A list of whole numbers of 64 bits.
    S64List,
    /// Bytes; in JSON a string of hexadecimal digits, as djhost writes them.
    Bytes,
    /// A list of bytes. Of columns also the bytes of files, and a single value as a list of one.
    BytesList,
    /// So many numbers of single precision.
    Vector(u32),
}

impl FieldType {
    /// The name in messages; types that differ have different ones.
    pub fn name(self) -> Cow<'static, str> {
        let name = match self {
            Self::Utf8 => "a string",
            Self::Json => "a JSON value",
            Self::F64 => "a number",
            Self::S64 => "a whole number of 64 bits",
            Self::Boolean => "true or false",
            Self::Utf8List => "a list of strings",
            Self::F64List => "a list of numbers",
            Self::S64List => "a list of whole numbers of 64 bits",
            Self::Bytes => "bytes",
            Self::BytesList => "a list of bytes",
            Self::Vector(width) => return format!("a vector of {width} numbers").into(),
        };
        name.into()
    }
}

/// A field that an op reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadField {
    /// Names joined by dots. A top-level key with dots in its name takes precedence.
    pub path: String,
    /// The wanted type.
    pub ty: FieldType,
    /// Whether a row is bad where the field is absent, null or of another type; otherwise the value
    /// is null there.
    pub required: bool,
}

/// The result of [`extract`].
#[derive(Debug)]
pub(crate) struct Extracted {
    /// One per field, in their order, each as long as the rows.
    pub columns: Vec<Column>,
    /// Rows that are not JSON objects or lack a required field: number and reason. Their values are
    /// null.
    pub bad: Vec<(u32, String)>,
}

/// Extracts fields from rows that were read before, for instance from a checkpoint, by the same
/// rules as the reader.
pub(crate) fn extract(raw: &BinaryViewArray, fields: &[ReadField]) -> Result<Extracted> {
    let buffers = raw.data_buffers();
    let mut extractor = Extractor::new(fields, buffers.len() as u32);
    let mut bad = Vec::new();
    for (i, view) in raw.views().iter().enumerate() {
        let len = *view as u32 as usize;
        let result = if len <= 12 {
            let row = raw.value(i);
            utf8(row).and_then(|()| extractor.row(row, 0, len, None))
        } else {
            let (buffer, offset) = ((view >> 64) as u32, (view >> 96) as usize);
            let bytes = &buffers[buffer as usize][..];
            utf8(&bytes[offset..offset + len])
                .and_then(|()| extractor.row(bytes, offset, offset + len, Some(buffer)))
        };
        if let Err(reason) = result {
            extractor.null_row();
            bad.push((i as u32, reason));
        }
    }
    Ok(Extracted {
        columns: extractor.finish(buffers),
        bad,
    })
}

pub(crate) fn utf8(row: &[u8]) -> Result<(), String> {
    match simdutf8::compat::from_utf8(row) {
        Ok(_) => Ok(()),
        Err(e) => Err(format!("invalid UTF-8 at byte {}", e.valid_up_to())),
    }
}

/// Collects the columns row by row. Strings without escapes are views into the rows; the others go
/// to a separate side buffer.
pub(crate) struct Extractor {
    fields: Vec<ReadField>,
    paths: Paths,
    slots: Vec<Option<Found>>,
    side: Vec<u8>,
    side_index: u32,
    columns: Vec<Collected>,
    rows: usize,
}

struct Collected {
    values: Values,
    valid: Vec<bool>,
    /// `start << 32 | length`; 0 where the row has no such field.
    spans: Vec<u64>,
}

enum Values {
    View(Vec<u128>),
    F64(Vec<f64>),
    S64(Vec<i64>),
    Boolean(Vec<bool>),
    Utf8List(Vec<Option<Vec<String>>>),
    F64List(Vec<Option<Vec<f64>>>),
    S64List(Vec<Option<Vec<i64>>>),
    Bytes(Vec<Option<Vec<u8>>>),
    BytesList(Vec<Option<Vec<Vec<u8>>>>),
    /// The width, and the values of all rows; zeros for null.
    Vector(usize, Vec<f32>),
}

impl Extractor {
    /// `side_index` is the number of buffers that hold the rows themselves.
    pub(crate) fn new(fields: &[ReadField], side_index: u32) -> Self {
        let paths = Paths::new(
            fields
                .iter()
                .map(|f| (f.path.as_str(), f.ty == FieldType::Utf8)),
        );
        let slots = vec![None; paths.slots()];
        let columns = fields.iter().map(|f| Collected::new(f.ty)).collect();
        Self {
            fields: fields.to_vec(),
            paths,
            slots,
            side: Vec::new(),
            side_index,
            columns,
            rows: 0,
        }
    }

    /// Appends the row at `start..end` of `bytes`, which must be UTF-8 there. `buffer` is the
    /// number of the Arrow buffer that holds `bytes`; None if the bytes will not stay. A bad row
    /// leaves no trace.
    pub(crate) fn row(
        &mut self,
        bytes: &[u8],
        start: usize,
        end: usize,
        buffer: Option<u32>,
    ) -> Result<(), String> {
        let mark = self.side.len();
        let result = self.try_row(bytes, start, end, buffer);
        match result {
            Ok(()) => self.rows += 1,
            Err(_) => {
                self.side.truncate(mark);
                for column in &mut self.columns {
                    column.truncate(self.rows);
                }
            }
        }
        result
    }

    fn try_row(
        &mut self,
        bytes: &[u8],
        start: usize,
        end: usize,
        buffer: Option<u32>,
    ) -> Result<(), String> {
        let mark = self.side.len();
        if Scanner::new(bytes, start, end, &self.paths)
            .scan(&mut self.slots, &mut self.side)
            .is_err()
        {
            self.side.truncate(mark);
            check(
                &bytes[start..end],
                &self.paths,
                &mut self.slots,
                &mut self.side,
            )?;
        }
        for (i, (field, column)) in self.fields.iter().zip(&mut self.columns).enumerate() {
            let Some(found) = self.paths.effective(i, &self.slots) else {
                if field.required {
                    return Err(format!("`{}` is missing", field.path));
                }
                column.push_null(0);
                continue;
            };
            let span = (u64::from(found.start) << 32) | u64::from(found.len);
            let at = start + found.start as usize;
            let text = &bytes[at..at + found.len as usize];
            let done = match &mut column.values {
                Values::View(views) => {
                    let view = match (field.ty, text[0]) {
                        (FieldType::Utf8, b'"') => Some(match (found.side, buffer) {
                            (Some((from, len)), _) => make_view(
                                &self.side[from as usize..][..len as usize],
                                self.side_index,
                                from,
                            ),
                            (None, Some(buffer)) => {
                                make_view(&text[1..text.len() - 1], buffer, at as u32 + 1)
                            }
                            (None, None) => copy_to_side(
                                &text[1..text.len() - 1],
                                &mut self.side,
                                self.side_index,
                            ),
                        }),
                        (FieldType::Json, b'n') => None,
                        // Who requires a value and takes standard JSON only would get none.
                        (FieldType::Json, _) if field.required && is_constant(text) => None,
                        (FieldType::Json, _) => Some(match buffer {
                            Some(buffer) => make_view(text, buffer, at as u32),
                            None => copy_to_side(text, &mut self.side, self.side_index),
                        }),
                        _ => None,
                    };
                    view.map(|v| views.push(v))
                }
                Values::F64(values) => number(text).map(|v| values.push(v)),
                Values::S64(values) => whole(text).map(|v| values.push(v)),
                Values::Boolean(values) => match text {
                    b"true" => Some(true),
                    b"false" => Some(false),
                    _ => None,
                }
                .map(|v| values.push(v)),
                Values::Utf8List(values) => serde_json::from_slice(text)
                    .ok()
                    .map(|v| values.push(Some(v))),
                Values::F64List(values) => list(text, number).map(|v| values.push(Some(v))),
                Values::S64List(values) => list(text, whole).map(|v| values.push(Some(v))),
                Values::Bytes(values) => hex_bytes(text).map(|v| values.push(Some(v))),
                Values::BytesList(values) => list(text, hex_bytes).map(|v| values.push(Some(v))),
                Values::Vector(width, values) => list(text, single)
                    .filter(|vector| vector.len() == *width)
                    .map(|vector| values.extend(vector)),
            };
            match done {
                Some(()) => {
                    column.valid.push(true);
                    column.spans.push(span);
                }
                None if field.required => {
                    return Err(format!(
                        "`{}` is {}, not {}",
                        field.path,
                        kind(text[0]),
                        field.ty.name()
                    ));
                }
                None => column.push_null(span),
            }
        }
        Ok(())
    }

    /// Appends a row of nulls.
    pub(crate) fn null_row(&mut self) {
        for column in &mut self.columns {
            column.push_null(0);
        }
        self.rows += 1;
    }

    /// Returns the columns so far and empties the extractor. `buffers` are those of the rows.
    pub(crate) fn finish(&mut self, buffers: &[Buffer]) -> Vec<Column> {
        let mut all = buffers.to_vec();
        all.push(Buffer::from_vec(std::mem::take(&mut self.side)));
        let all: Arc<[Buffer]> = all.into();
        self.rows = 0;
        self.fields
            .iter()
            .zip(&mut self.columns)
            .map(|(field, column)| {
                std::mem::replace(column, Collected::new(field.ty)).finish(field, &all)
            })
            .collect()
    }
}

/// Whether a value is `NaN` or infinite.
fn is_constant(text: &[u8]) -> bool {
    matches!(text, [b'N' | b'I', ..] | [b'-', b'I', ..])
}

/// Copies `text` to the side buffer and returns a view of the copy.
fn copy_to_side(text: &[u8], side: &mut Vec<u8>, side_index: u32) -> u128 {
    let from = side.len() as u32;
    side.extend_from_slice(text);
    make_view(text, side_index, from)
}

/// Accepts Python's `NaN`, `Infinity` and `-Infinity`, too. A string is not a number.
fn number(text: &[u8]) -> Option<f64> {
    matches!(text[0], b'-' | b'0'..=b'9' | b'N' | b'I')
        .then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

/// A number in single precision, the nearest one.
fn single(text: &[u8]) -> Option<f32> {
    matches!(text[0], b'-' | b'0'..=b'9' | b'N' | b'I')
        .then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

/// Bytes from a string of hexadecimal digits.
fn hex_bytes(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    hex::decode(digits).ok()
}

/// A list of values, each read by `value`; None if one of them is something else.
fn list<T>(text: &[u8], value: impl Fn(&[u8]) -> Option<T>) -> Option<Vec<T>> {
    let mut list = Some(Vec::new());
    let each = |text: &str| match (&mut list, value(text.as_bytes())) {
        (Some(list), Some(value)) => list.push(value),
        (list, _) => *list = None,
    };
    elements(std::str::from_utf8(text).ok()?, each).ok()?;
    list
}

fn whole(text: &[u8]) -> Option<i64> {
    if !matches!(text[0], b'-' | b'0'..=b'9') {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().or_else(|| {
        let value: f64 = text.parse().ok()?;
        (value.fract() == 0.0 && value.abs() < 9.007_199_254_740_992e15).then_some(value as i64)
    })
}

/// Names the kind of a value by its first byte.
fn kind(first: u8) -> &'static str {
    match first {
        b'"' => "a string",
        b'{' => "an object",
        b'[' => "a list",
        b't' | b'f' => "a boolean",
        b'n' => "null",
        _ => "a number",
    }
}

impl Collected {
    fn new(ty: FieldType) -> Self {
        let values = match ty {
            FieldType::Utf8 | FieldType::Json => Values::View(Vec::new()),
            FieldType::F64 => Values::F64(Vec::new()),
            FieldType::S64 => Values::S64(Vec::new()),
            FieldType::Boolean => Values::Boolean(Vec::new()),
            FieldType::Utf8List => Values::Utf8List(Vec::new()),
            FieldType::F64List => Values::F64List(Vec::new()),
            FieldType::S64List => Values::S64List(Vec::new()),
            FieldType::Bytes => Values::Bytes(Vec::new()),
            FieldType::BytesList => Values::BytesList(Vec::new()),
            FieldType::Vector(width) => Values::Vector(width as usize, Vec::new()),
        };
        Self {
            values,
            valid: Vec::new(),
            spans: Vec::new(),
        }
    }

    fn push_null(&mut self, span: u64) {
        match &mut self.values {
            Values::View(v) => v.push(0),
            Values::F64(v) => v.push(0.0),
            Values::S64(v) => v.push(0),
            Values::Boolean(v) => v.push(false),
            Values::Utf8List(v) => v.push(None),
            Values::F64List(v) => v.push(None),
            Values::S64List(v) => v.push(None),
            Values::Bytes(v) => v.push(None),
            Values::BytesList(v) => v.push(None),
            Values::Vector(width, v) => v.resize(v.len() + *width, 0.0),
        }
        self.valid.push(false);
        self.spans.push(span);
    }

    fn truncate(&mut self, rows: usize) {
        match &mut self.values {
            Values::View(v) => v.truncate(rows),
            Values::F64(v) => v.truncate(rows),
            Values::S64(v) => v.truncate(rows),
            Values::Boolean(v) => v.truncate(rows),
            Values::Utf8List(v) => v.truncate(rows),
            Values::F64List(v) => v.truncate(rows),
            Values::S64List(v) => v.truncate(rows),
            Values::Bytes(v) => v.truncate(rows),
            Values::BytesList(v) => v.truncate(rows),
            Values::Vector(width, v) => v.truncate(rows * *width),
        }
        self.valid.truncate(rows);
        self.spans.truncate(rows);
    }

    fn finish(self, field: &ReadField, buffers: &Arc<[Buffer]>) -> Column {
        let nulls = nulls(self.valid);
        let data: ArrayRef = match self.values {
            // SAFETY: `make_view` made every view over UTF-8 bytes of the buffer that it names, cut
            // next to ASCII quotes or at the ends of a JSON value; nulls are empty views.
            Values::View(v) => Arc::new(unsafe {
                StringViewArray::new_unchecked(ScalarBuffer::from(v), Arc::clone(buffers), nulls)
            }),
            Values::F64(v) => Arc::new(Float64Array::new(v.into(), nulls)),
            Values::S64(v) => Arc::new(Int64Array::new(v.into(), nulls)),
            Values::Boolean(v) => Arc::new(BooleanArray::new(v.into(), nulls)),
            Values::Utf8List(v) => {
                let mut builder = ListBuilder::new(StringBuilder::new());
                v.into_iter()
                    .for_each(|row| builder.append_option(row.map(|r| r.into_iter().map(Some))));
                Arc::new(builder.finish())
            }
            Values::F64List(v) => {
                let mut builder = ListBuilder::new(Float64Builder::new());
                v.into_iter()
                    .for_each(|row| builder.append_option(row.map(|r| r.into_iter().map(Some))));
                Arc::new(builder.finish())
            }
            Values::S64List(v) => {
                let mut builder = ListBuilder::new(Int64Builder::new());
                v.into_iter()
                    .for_each(|row| builder.append_option(row.map(|r| r.into_iter().map(Some))));
                Arc::new(builder.finish())
            }
            Values::Bytes(v) => Arc::new(v.into_iter().collect::<BinaryViewArray>()),
            Values::BytesList(v) => {
                let mut builder = ListBuilder::new(BinaryBuilder::new());
                v.into_iter()
                    .for_each(|row| builder.append_option(row.map(|r| r.into_iter().map(Some))));
                Arc::new(builder.finish())
            }
            Values::Vector(width, v) => {
                let item = Arc::new(Field::new_list_field(DataType::Float32, true));
                let values = Arc::new(Float32Array::from(v));
                Arc::new(FixedSizeListArray::new(item, width as i32, values, nulls))
            }
        };
        let present = self.spans.iter().map(|&s| s != 0).collect();
        let span = UInt64Array::new(self.spans.into(), self::nulls(present));
        Column {
            path: field.path.clone(),
            data,
            changed: None,
            span: Some(span),
            native: None,
            json: field.ty == FieldType::Json,
            original: None,
        }
    }
}

fn nulls(valid: Vec<bool>) -> Option<NullBuffer> {
    valid.contains(&false).then(|| NullBuffer::from(valid))
}
