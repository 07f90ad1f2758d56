//! Writes columns of any type as JSON texts, value by value. A value loses only its type, and
//! [`super::from_json`] restores that where it is known; [`super::value_text`] has the texts.
//!
//! By hand: `arrow-json` 60.1 writes null for NaN and infinities, refuses maps whose keys are not
//! strings, and writes an error text in place of a date that it cannot format, which would become
//! data. Here such a row goes to quarantine.

use super::value_text::{self, Unwritable, width, write_hex};
use crate::data::json::write_string;
use crate::data::losses::{Loss, Losses};
use anyhow::{Context, Result, anyhow, bail};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, BooleanArray, LargeBinaryArray,
    LargeStringArray, RecordBatch, StringArray, StringViewArray, UnionArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Int16Type, Int32Type, Int64Type};
use std::ops::Range;

/// How values without a JSON text are written, and how many there were.
#[derive(Default)]
pub(crate) struct Spelling {
    /// Values without a text are written as the number that they are stored as.
    raw: bool,
    constants: u64,
    bytes: u64,
}

impl Spelling {
    /// For people, who are shown what is there.
    pub(crate) fn raw() -> Self {
        Self {
            raw: true,
            ..Self::default()
        }
    }
}

/// Writes the rows of a record batch.
pub(crate) struct RowEncoder {
    columns: Vec<(String, Vec<u8>, Encoder)>,
}

impl RowEncoder {
    pub(crate) fn new(rows: &RecordBatch) -> Result<Self> {
        let columns =
            rows.schema_ref()
                .fields()
                .iter()
                .zip(rows.columns())
                .map(|(field, column)| {
                    let encoder = Encoder::new(column).with_context(|| {
                        format!("column `{}` cannot be written as JSON", field.name())
                    })?;
                    Ok((field.name().clone(), key(field.name()), encoder))
                });
        Ok(Self {
            columns: columns.collect::<Result<_>>()?,
        })
    }

    /// Appends row `row` as an object, with nulls written out.
    pub(crate) fn write(
        &self,
        row: usize,
        raw: bool,
        losses: &mut Losses,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        out.push(b'{');
        for (i, (name, key, encoder)) in self.columns.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            let mut spelling = Spelling {
                raw,
                ..Spelling::default()
            };
            encoder
                .write(row, &mut spelling, out)
                .map_err(|refused| anyhow!(refused.reason(name)))?;
            losses.add(name, Loss::Constant, spelling.constants);
            losses.add(name, Loss::Bytes, spelling.bytes);
        }
        out.push(b'}');
        Ok(())
    }
}

/// The rows of `column`, called `name`, that cannot be written as JSON, each with the reason.
pub(crate) fn unwritable(name: &str, column: &ArrayRef) -> Result<Vec<(usize, String)>> {
    if !may_be_unwritable(column.data_type()) {
        return Ok(Vec::new());
    }
    let encoder = Encoder::new(column)
        .with_context(|| format!("column `{name}` cannot be written as JSON"))?;
    let mut text = Vec::new();
    let mut refused = Vec::new();
    for row in 0..column.len() {
        text.clear();
        if let Err(why) = encoder.write(row, &mut Spelling::default(), &mut text) {
            refused.push((row, why.reason(name)));
        }
    }
    Ok(refused)
}

/// Whether a type has values without a JSON text.
fn may_be_unwritable(ty: &DataType) -> bool {
    use DataType::*;
    match ty {
        Date32 | Date64 | Time32(_) | Time64(_) | Timestamp(..) => true,
        List(item)
        | LargeList(item)
        | FixedSizeList(item, _)
        | ListView(item)
        | LargeListView(item)
        | RunEndEncoded(_, item) => may_be_unwritable(item.data_type()),
        Dictionary(_, value) => may_be_unwritable(value),
        Struct(fields) => fields.iter().any(|f| may_be_unwritable(f.data_type())),
        Union(fields, _) => fields.iter().any(|(_, f)| may_be_unwritable(f.data_type())),
        Map(..) => true,
        _ => false,
    }
}

impl Unwritable {
    fn reason(&self, column: &str) -> String {
        format!(
            "`{column}` is {} of type {}, which has no text in JSON",
            self.value, self.ty
        )
    }
}

/// Writes the values of one array.
pub(crate) struct Encoder {
    nulls: Option<NullBuffer>,
    values: Values,
}

enum Values {
    Null,
    Boolean(BooleanArray),
    Fixed {
        ty: DataType,
        width: usize,
        values: Buffer,
    },
    Text(StringArray),
    LargeText(LargeStringArray),
    TextView(StringViewArray),
    Bytes(BinaryArray),
    LargeBytes(LargeBinaryArray),
    BytesView(BinaryViewArray),
    List(Ranges, Box<Encoder>),
    Struct(Vec<(Vec<u8>, Encoder)>),
    Map {
        ty: DataType,
        ranges: Ranges,
        keys: Box<Encoder>,
        values: Box<Encoder>,
    },
    /// The value at that place of another array: dictionaries and runs.
    At(Vec<usize>, Box<Encoder>),
    Union(UnionArray, Vec<(i8, Encoder)>),
}

/// Where the elements of each list are.
enum Ranges {
    Offsets(OffsetBuffer<i32>),
    LargeOffsets(OffsetBuffer<i64>),
    Fixed(usize),
    Views(Vec<(usize, usize)>),
}

impl Ranges {
    fn of(&self, row: usize) -> Range<usize> {
        match self {
            Self::Offsets(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
            Self::LargeOffsets(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
            Self::Fixed(len) => row * len..(row + 1) * len,
            Self::Views(views) => views[row].0..views[row].0 + views[row].1,
        }
    }
}

impl Encoder {
    /// Fails for types without a rule.
    pub(crate) fn new(array: &ArrayRef) -> Result<Self> {
        let inner = |array: &ArrayRef| Self::new(array).map(Box::new);
        let values = match array.data_type() {
            DataType::Null => Values::Null,
            DataType::Boolean => Values::Boolean(array.as_boolean().clone()),
            DataType::Utf8 => Values::Text(array.as_string().clone()),
            DataType::LargeUtf8 => Values::LargeText(array.as_string().clone()),
            DataType::Utf8View => Values::TextView(array.as_string_view().clone()),
            DataType::Binary => Values::Bytes(array.as_binary().clone()),
            DataType::LargeBinary => Values::LargeBytes(array.as_binary().clone()),
            DataType::BinaryView => Values::BytesView(array.as_binary_view().clone()),
            DataType::List(_) => Values::List(
                Ranges::Offsets(array.as_list::<i32>().offsets().clone()),
                inner(array.as_list::<i32>().values())?,
            ),
            DataType::LargeList(_) => Values::List(
                Ranges::LargeOffsets(array.as_list::<i64>().offsets().clone()),
                inner(array.as_list::<i64>().values())?,
            ),
            DataType::FixedSizeList(_, len) => Values::List(
                Ranges::Fixed(usize::try_from(*len)?),
                inner(array.as_fixed_size_list().values())?,
            ),
            DataType::ListView(_) => {
                let list = array.as_list_view::<i32>();
                let views = list
                    .offsets()
                    .iter()
                    .zip(list.sizes())
                    .map(|(start, len)| (*start as usize, *len as usize));
                Values::List(Ranges::Views(views.collect()), inner(list.values())?)
            }
            DataType::LargeListView(_) => {
                let list = array.as_list_view::<i64>();
                let views = list
                    .offsets()
                    .iter()
                    .zip(list.sizes())
                    .map(|(start, len)| (*start as usize, *len as usize));
                Values::List(Ranges::Views(views.collect()), inner(list.values())?)
            }
            DataType::Struct(fields) => {
                let children = fields.iter().zip(array.as_struct().columns());
                Values::Struct(
                    children
                        .map(|(field, child)| Ok((key(field.name()), Self::new(child)?)))
                        .collect::<Result<_>>()?,
                )
            }
            ty @ DataType::Map(..) => {
                let map = array.as_map();
                let ranges = Ranges::Offsets(map.offsets().clone());
                Values::Map {
                    ty: ty.clone(),
                    ranges,
                    keys: inner(map.keys())?,
                    values: inner(map.values())?,
                }
            }
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                let places = if dictionary.values().is_empty() {
                    vec![0; array.len()]
                } else {
                    dictionary.normalized_keys()
                };
                Values::At(places, inner(dictionary.values())?)
            }
            DataType::RunEndEncoded(..) => {
                let (places, values) = runs(array).context("a run-end array without runs")?;
                Values::At(places, inner(&values)?)
            }
            DataType::Union(fields, _) => {
                let union = array.as_union().clone();
                let children = fields
                    .iter()
                    .map(|(id, _)| Ok((id, Self::new(union.child(id))?)))
                    .collect::<Result<_>>()?;
                Values::Union(union, children)
            }
            ty => {
                let Some(width) = width(ty) else {
                    bail!("there is no rule for the type {ty}")
                };
                let data = array.to_data();
                let values = data.buffers().first().cloned().unwrap_or_default();
                let values = if data.is_empty() {
                    values
                } else {
                    values.slice_with_length(data.offset() * width, data.len() * width)
                };
                Values::Fixed {
                    ty: ty.clone(),
                    width,
                    values,
                }
            }
        };
        Ok(Self {
            nulls: array.logical_nulls(),
            values,
        })
    }

    /// Whether the value at `row` is null.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the value at `row`.
    pub(crate) fn write(
        &self,
        row: usize,
        spelling: &mut Spelling,
        out: &mut Vec<u8>,
    ) -> Result<(), Unwritable> {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match &self.values {
            Values::Null => out.extend_from_slice(b"null"),
            Values::Boolean(array) => {
                out.extend_from_slice(if array.value(row) { b"true" } else { b"false" })
            }
            Values::Fixed { ty, width, values } => {
                fixed(ty, &values[row * width..(row + 1) * width], spelling, out)?
            }
            Values::Text(array) => write_string(array.value(row), out),
            Values::LargeText(array) => write_string(array.value(row), out),
            Values::TextView(array) => write_string(array.value(row), out),
            Values::Bytes(array) => hex(array.value(row), spelling, out),
            Values::LargeBytes(array) => hex(array.value(row), spelling, out),
            Values::BytesView(array) => hex(array.value(row), spelling, out),
            Values::List(ranges, items) => {
                out.push(b'[');
                for (i, item) in ranges.of(row).enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    items.write(item, spelling, out)?;
                }
                out.push(b']');
            }
            Values::Struct(children) => {
                out.push(b'{');
                for (i, (key, child)) in children.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(key);
                    child.write(row, spelling, out)?;
                }
                out.push(b'}');
            }
            Values::Map {
                ty,
                ranges,
                keys,
                values,
            } => {
                out.push(b'{');
                let mut names = Vec::with_capacity(ranges.of(row).len());
                for (i, entry) in ranges.of(row).enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    let start = out.len();
                    if keys.is_null(entry) && !spelling.raw {
                        return Err(Unwritable {
                            value: "a map with a key that is null".to_owned(),
                            ty: ty.clone(),
                        });
                    }
                    keys.write_key(entry, spelling, out)?;
                    names.push(start..out.len());
                    out.push(b':');
                    values.write(entry, spelling, out)?;
                }
                // Readers of an object keep one of them.
                if !spelling.raw && has_twice(out, names) {
                    return Err(Unwritable {
                        value: "a map with a key that comes twice".to_owned(),
                        ty: ty.clone(),
                    });
                }
                out.push(b'}');
            }
            Values::At(places, values) => values.write(places[row], spelling, out)?,
            Values::Union(array, children) => {
                let id = array.type_id(row);
                match children.iter().find(|(child, _)| *child == id) {
                    Some((_, child)) => child.write(array.value_offset(row), spelling, out)?,
                    None => out.extend_from_slice(b"null"),
                }
            }
        }
        Ok(())
    }

    /// Appends the value at `row` as the key of an object: a value that is not a string becomes a
    /// string of its JSON text.
    fn write_key(
        &self,
        row: usize,
        spelling: &mut Spelling,
        out: &mut Vec<u8>,
    ) -> Result<(), Unwritable> {
        let start = out.len();
        self.write(row, spelling, out)?;
        if out[start] != b'"' {
            let text = String::from_utf8_lossy(&out[start..]).into_owned();
            out.truncate(start);
            write_string(&text, out);
        }
        Ok(())
    }
}

/// Whether two of `names` are the same text.
fn has_twice(out: &[u8], mut names: Vec<Range<usize>>) -> bool {
    let text = |name: &Range<usize>| &out[name.clone()];
    names.sort_unstable_by(|a, b| text(a).cmp(text(b)));
    names.windows(2).any(|two| text(&two[0]) == text(&two[1]))
}

fn key(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 3);
    write_string(name, &mut key);
    key.push(b':');
    key
}

fn hex(value: &[u8], spelling: &mut Spelling, out: &mut Vec<u8>) {
    spelling.bytes += 1;
    write_hex(value, out);
}

fn fixed(
    ty: &DataType,
    value: &[u8],
    spelling: &mut Spelling,
    out: &mut Vec<u8>,
) -> Result<(), Unwritable> {
    match value_text::write(ty, value, out) {
        Ok(()) => {}
        Err(refused) if spelling.raw => out.extend_from_slice(refused.value.as_bytes()),
        Err(refused) => return Err(refused),
    }
    if matches!(ty, DataType::FixedSizeBinary(_)) {
        spelling.bytes += 1;
    } else if ty.is_floating() && !out.last().is_some_and(u8::is_ascii_digit) {
        spelling.constants += 1;
    }
    Ok(())
}

/// For each row the position of its value among the values of the runs, and these values.
fn runs(array: &ArrayRef) -> Option<(Vec<usize>, ArrayRef)> {
    macro_rules! of {
        ($t:ty) => {
            if let Some(runs) = array.as_run_opt::<$t>() {
                return Some((
                    (0..runs.len())
                        .map(|row| runs.get_physical_index(row))
                        .collect(),
                    runs.values().clone(),
                ));
            }
        };
    }
    of!(Int16Type);
    of!(Int32Type);
    of!(Int64Type);
    None
}
