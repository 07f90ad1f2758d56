//! Converts the guest's answers to Arrow columns. Trusts nothing: checks lengths, offsets, UTF-8,
//! flags, row numbers and names before use, and refuses a wrong one with a message.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, FixedSizeListArray, Float32Array, Float64Array,
    Int64Array, ListArray, StringArray, UInt32Array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};

use super::types::{self, Column, Utf8Column};
use crate::data::columns::convert::data_type;
use crate::data::views::{bytes_from_offsets, from_offsets};
use crate::data::{FieldType, STATS, Stat, standard};
use crate::sanitize::printable;
use crate::wasm::contract::{Computed, Input, Output, ROW, Rejection, Reply, Signature, Update};

/// Bytes of a path.
const MAX_PATH: usize = 4096;
/// Fields that a signature may name.
const MAX_FIELDS: usize = 256;
/// Numbers in a vector.
const MAX_WIDTH: u32 = 1 << 16;

type Checked<T> = Result<T, String>;

/// Checks the signature and its paths.
pub(crate) fn signature(s: types::Signature) -> Checked<Signature> {
    let path = |p: &str| -> Checked<()> {
        if p.is_empty() || p.len() > MAX_PATH || p.split('.').any(str::is_empty) {
            return Err(format!(
                "`{}` is not a field path",
                p.chars().take(80).collect::<String>().escape_debug()
            ));
        }
        Ok(())
    };
    if s.reads.len() + s.writes.len() + s.writes_stats.len() > MAX_FIELDS {
        return Err(format!("the signature names more than {MAX_FIELDS} fields"));
    }
    s.reads
        .iter()
        .map(|r| &r.path)
        .chain(s.writes.iter().chain(&s.writes_stats).map(|c| &c.path))
        .try_for_each(|p| path(p))?;
    if let Some(write) = s.writes.iter().find(|w| {
        w.path == STATS
            || w.path
                .strip_prefix(STATS)
                .is_some_and(|rest| rest.starts_with('.'))
    }) {
        return Err(format!(
            "it writes the field `{}`, but stats are computed by filters, which declare them in `writes-stats`",
            write.path.escape_debug()
        ));
    }
    let input = |r: types::Input| {
        Ok(Input {
            path: r.path,
            ty: field_type(r.type_)?,
            required: r.required,
        })
    };
    let computed = |c: types::Computed| {
        Ok(Computed {
            path: c.path,
            ty: field_type(c.type_)?,
        })
    };
    let mut reads: Vec<Input> = s.reads.into_iter().map(input).collect::<Checked<_>>()?;
    let mut writes: Vec<Computed> = s.writes.into_iter().map(computed).collect::<Checked<_>>()?;
    if s.whole_rows && reads.iter().all(|read| read.path != ROW) {
        reads.push(Input {
            path: ROW.into(),
            ty: FieldType::Utf8,
            required: true,
        });
    }
    if s.whole_rows && writes.iter().all(|write| write.path != ROW) {
        writes.push(Computed {
            path: ROW.into(),
            ty: FieldType::Utf8,
        });
    }
    Ok(Signature {
        reads,
        writes,
        writes_stats: s
            .writes_stats
            .into_iter()
            .map(computed)
            .collect::<Checked<_>>()?,
        whole_rows: s.whole_rows,
        json_constants: false,
    })
}

fn field_type(ty: types::ColumnType) -> Checked<FieldType> {
    Ok(match ty {
        types::ColumnType::Utf8 => FieldType::Utf8,
        types::ColumnType::Json => FieldType::Json,
        types::ColumnType::F64 => FieldType::F64,
        types::ColumnType::S64 => FieldType::S64,
        types::ColumnType::Boolean => FieldType::Boolean,
        types::ColumnType::Utf8List => FieldType::Utf8List,
        types::ColumnType::F64List => FieldType::F64List,
        types::ColumnType::S64List => FieldType::S64List,
        types::ColumnType::Bytes => FieldType::Bytes,
        types::ColumnType::BytesList => FieldType::BytesList,
        types::ColumnType::Vector(width) if (1..=MAX_WIDTH).contains(&width) => {
            FieldType::Vector(width)
        }
        types::ColumnType::Vector(width) => {
            return Err(format!(
                "the signature has vectors of width {width}; 1 to {MAX_WIDTH} are allowed"
            ));
        }
    })
}

/// Converts the answer to a batch of `rows` rows from an operator with this signature. The caller
/// checks that the case fits the operator's kind.
pub(crate) fn reply(signature: &Signature, rows: usize, output: types::Output) -> Checked<Reply> {
    let (output, rejected) = match output {
        types::Output::Filtered(f) => {
            let keep = BooleanArray::from(flags(&f.keep, rows, "keep")?);
            let stats = f
                .stats
                .into_iter()
                .map(|s| {
                    let ty = declared(&signature.writes_stats, &s.path)?;
                    Ok(Stat {
                        data: typed(s.values, ty, rows, signature)
                            .map_err(|m| format!("stat `{}`: {m}", s.path))?,
                        key: s.path,
                    })
                })
                .collect::<Checked<Vec<_>>>()?;
            (Output::Filtered { keep, stats }, f.rejected)
        }
        types::Output::Updated(u) => {
            let updates = u
                .updates
                .into_iter()
                .map(|u| {
                    let ty = declared(&signature.writes, &u.path)?;
                    let len = match &u.rows {
                        Some(list) => {
                            rising(list, rows, true)
                                .map_err(|m| format!("rows of `{}`: {m}", u.path))?;
                            list.len()
                        }
                        None => rows,
                    };
                    let values = typed(u.values, ty, len, signature)
                        .map_err(|m| format!("field `{}`: {m}", u.path))?;
                    Ok(Update {
                        path: u.path,
                        rows: u.rows.map(UInt32Array::from),
                        values,
                        json: ty == FieldType::Json,
                    })
                })
                .collect::<Checked<Vec<_>>>()?;
            (Output::Updated(updates), u.rejected)
        }
        types::Output::Rows(r) => {
            rising(&r.origins, rows, false).map_err(|m| format!("origins: {m}"))?;
            let len = r.origins.len();
            let fields = r
                .fields
                .into_iter()
                .map(|f| {
                    let ty = declared(&signature.writes, &f.path)?;
                    let values = typed(f.values, ty, len, signature)
                        .map_err(|m| format!("field `{}`: {m}", f.path))?;
                    Ok(Update {
                        path: f.path,
                        rows: None,
                        values,
                        json: ty == FieldType::Json,
                    })
                })
                .collect::<Checked<Vec<_>>>()?;
            (
                Output::Rows {
                    origins: r.origins.into(),
                    fields,
                },
                r.rejected,
            )
        }
        types::Output::Fingerprints(f) => {
            let (width, per_row) = (f.width as usize, f.per_row as usize);
            if !matches!(width, 8 | 16) || per_row == 0 {
                return Err(format!(
                    "fingerprints of {width} bytes, {per_row} per row; 8 or 16 bytes and at least 1 are allowed"
                ));
            }
            if Some(f.data.len()) != rows.checked_mul(per_row).and_then(|n| n.checked_mul(width)) {
                return Err(format!(
                    "{} bytes of fingerprints for {rows} rows of {per_row} times {width}",
                    f.data.len()
                ));
            }
            let valid = nulls(f.validity, rows)?.map(|n| BooleanArray::new(n.into_inner(), None));
            (
                Output::Fingerprints {
                    width,
                    per_row,
                    data: f.data,
                    valid,
                },
                f.rejected,
            )
        }
        types::Output::Keys(k) => (
            Output::Keys(array(k.keys, rows, signature.json_constants)?),
            k.rejected,
        ),
    };
    Ok(Reply {
        output,
        rejected: rejections(rejected, rows)?,
        dropped: Vec::new(),
        beyond: 0,
    })
}

fn declared(computed: &[Computed], path: &str) -> Checked<FieldType> {
    match computed.iter().find(|c| c.path == path) {
        Some(computed) => Ok(computed.ty),
        None => Err(format!("`{}` is not in the signature", path.escape_debug())),
    }
}

fn typed(column: Column, ty: FieldType, rows: usize, signature: &Signature) -> Checked<ArrayRef> {
    let given = match &column {
        Column::Utf8(_) => FieldType::Utf8,
        Column::Json(_) => FieldType::Json,
        Column::F64(_) => FieldType::F64,
        Column::S64(_) => FieldType::S64,
        Column::Boolean(_) => FieldType::Boolean,
        Column::Utf8List(_) => FieldType::Utf8List,
        Column::F64List(_) => FieldType::F64List,
        Column::S64List(_) => FieldType::S64List,
        Column::Bytes(_) => FieldType::Bytes,
        Column::BytesList(_) => FieldType::BytesList,
        Column::Vector(c) => FieldType::Vector(c.width),
    };
    if given == ty {
        array(column, rows, signature.json_constants)
    } else {
        Err(format!(
            "values of type {given:?} where the signature says {ty:?}"
        ))
    }
}

fn rejections(list: Vec<types::Rejection>, rows: usize) -> Checked<Vec<Rejection>> {
    let mut rejected: Vec<Rejection> = list
        .into_iter()
        .map(|r| Rejection {
            row: r.row,
            reason: printable(&r.reason),
        })
        .collect();
    rejected.sort_by_key(|r| r.row);
    let numbers: Vec<u32> = rejected.iter().map(|r| r.row).collect();
    rising(&numbers, rows, true).map_err(|m| format!("rejected rows: {m}"))?;
    Ok(rejected)
}

/// Checks that row numbers are in range and ascending, `strictly` if each may occur only once.
fn rising(list: &[u32], rows: usize, strictly: bool) -> Checked<()> {
    if let Some(pair) = list
        .windows(2)
        .find(|w| w[0] > w[1] || (strictly && w[0] == w[1]))
    {
        return Err(format!(
            "row {} does not come after row {}",
            pair[1], pair[0]
        ));
    }
    match list.last() {
        Some(last) if *last as usize >= rows => Err(format!("row {last} of a batch of {rows}")),
        _ => Ok(()),
    }
}

/// One flag per row, each 0 or 1.
pub(crate) fn flags(bytes: &[u8], rows: usize, what: &str) -> Checked<Vec<bool>> {
    expect_len(bytes.len(), rows, what)?;
    match bytes.iter().find(|b| **b > 1) {
        Some(bad) => Err(format!("`{what}` flag {bad}; 0 or 1 is allowed")),
        None => Ok(bytes.iter().map(|b| *b == 1).collect()),
    }
}

fn expect_len(len: usize, rows: usize, what: &str) -> Checked<()> {
    if len == rows {
        Ok(())
    } else {
        Err(format!("{len} {what} values for {rows} rows"))
    }
}

fn nulls(validity: Option<Vec<u8>>, rows: usize) -> Checked<Option<NullBuffer>> {
    let Some(bits) = validity else {
        return Ok(None);
    };
    if bits.len() != rows.div_ceil(8) {
        return Err(format!("{} bytes of validity for {rows} rows", bits.len()));
    }
    Ok(Some(NullBuffer::new(BooleanBuffer::new(
        Buffer::from_vec(bits),
        0,
        rows,
    ))))
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

/// `constants`: JSON texts may have `NaN` and infinities in them.
fn array(column: Column, rows: usize, constants: bool) -> Checked<ArrayRef> {
    Ok(match column {
        Column::Utf8(c) => {
            let (offsets, data, nulls) = utf8(c, rows)?;
            Arc::new(from_offsets(&offsets, data, nulls))
        }
        Column::Json(c) => {
            let (offsets, data, nulls) = utf8(c, rows)?;
            let values = from_offsets(&offsets, data, nulls);
            // It is spliced into rows verbatim, so it must be JSON.
            match values
                .iter()
                .flatten()
                .find(|v| !(is_json(v.as_bytes()) || constants && is_json(&standard(v.as_bytes()))))
            {
                Some(bad) => {
                    return Err(format!(
                        "`{}` is not JSON",
                        bad.chars().take(80).collect::<String>().escape_debug()
                    ));
                }
                None => Arc::new(values),
            }
        }
        Column::F64(c) => {
            expect_len(c.values.len(), rows, "f64")?;
            Arc::new(Float64Array::new(c.values.into(), nulls(c.validity, rows)?))
        }
        Column::S64(c) => {
            expect_len(c.values.len(), rows, "s64")?;
            Arc::new(Int64Array::new(c.values.into(), nulls(c.validity, rows)?))
        }
        Column::Boolean(c) => {
            let values = flags(&c.values, rows, "boolean")?;
            Arc::new(BooleanArray::new(values.into(), nulls(c.validity, rows)?))
        }
        Column::Utf8List(c) => {
            let elements = c.values.offsets.len().saturating_sub(1);
            let offsets = list_offsets(&c.offsets, rows, elements)?;
            let (value_offsets, data, inner) = utf8(c.values, elements)?;
            if inner.is_some() {
                return Err("a list of strings has null elements".into());
            }
            let value_offsets = list_offsets(&value_offsets, elements, data.len())?;
            // SAFETY: `utf8` checked offsets and UTF-8 of every value.
            let values =
                unsafe { StringArray::new_unchecked(value_offsets, Buffer::from_vec(data), None) };
            lists(offsets, Arc::new(values), nulls(c.validity, rows)?)
        }
        Column::F64List(c) => {
            let offsets = list_offsets(&c.offsets, rows, c.values.len())?;
            let values = Arc::new(Float64Array::from(c.values));
            lists(offsets, values, nulls(c.validity, rows)?)
        }
        Column::S64List(c) => {
            let offsets = list_offsets(&c.offsets, rows, c.values.len())?;
            let values = Arc::new(Int64Array::from(c.values));
            lists(offsets, values, nulls(c.validity, rows)?)
        }
        Column::Bytes(c) => {
            check_offsets(&c.offsets, rows, c.data.len())?;
            let nulls = nulls(c.validity, rows)?;
            Arc::new(bytes_from_offsets(&c.offsets, c.data, nulls))
        }
        Column::BytesList(c) => {
            let elements = c.values.offsets.len().saturating_sub(1);
            let offsets = list_offsets(&c.offsets, rows, elements)?;
            if c.values.validity.is_some() {
                return Err("a list of bytes has null elements".into());
            }
            let ends = list_offsets(&c.values.offsets, elements, c.values.data.len())?;
            let values = BinaryArray::try_new(ends, Buffer::from_vec(c.values.data), None)
                .map_err(|e| e.to_string())?;
            lists(offsets, Arc::new(values), nulls(c.validity, rows)?)
        }
        Column::Vector(c) => vectors(c, rows)?,
    })
}

fn lists(offsets: OffsetBuffer<i32>, values: ArrayRef, nulls: Option<NullBuffer>) -> ArrayRef {
    let item = Field::new_list_field(values.data_type().clone(), true);
    Arc::new(ListArray::new(Arc::new(item), offsets, values, nulls))
}

/// The signature has the width, which was checked.
fn vectors(c: types::VectorColumn, rows: usize) -> Checked<ArrayRef> {
    let width = c.width as usize;
    if rows.checked_mul(width) != Some(c.values.len()) {
        return Err(format!(
            "{} numbers for {rows} vectors of width {width}",
            c.values.len()
        ));
    }
    let DataType::FixedSizeList(item, size) = data_type(FieldType::Vector(c.width)) else {
        return Err(format!("vectors of width {width}"));
    };
    let values = Arc::new(Float32Array::from(c.values));
    let vectors =
        FixedSizeListArray::try_new_with_length(item, size, values, nulls(c.validity, rows)?, rows);
    Ok(Arc::new(vectors.map_err(|e| e.to_string())?))
}

fn check_offsets(offsets: &[u32], rows: usize, end: usize) -> Checked<()> {
    if offsets.len() != rows + 1 {
        return Err(format!("{} offsets for {rows} rows", offsets.len()));
    }
    if offsets[0] != 0 || offsets[rows] as usize != end {
        return Err(format!(
            "offsets from {} to {} over {end} values",
            offsets[0], offsets[rows]
        ));
    }
    match offsets.windows(2).find(|w| w[0] > w[1]) {
        Some(pair) => Err(format!("offsets fall from {} to {}", pair[0], pair[1])),
        None => Ok(()),
    }
}

fn list_offsets(offsets: &[u32], rows: usize, end: usize) -> Checked<OffsetBuffer<i32>> {
    check_offsets(offsets, rows, end)?;
    if end > i32::MAX as usize {
        return Err(format!("{end} values in one column"));
    }
    Ok(OffsetBuffer::new(ScalarBuffer::from(
        offsets.iter().map(|o| *o as i32).collect::<Vec<_>>(),
    )))
}

fn utf8(c: Utf8Column, rows: usize) -> Checked<(Vec<u32>, Vec<u8>, Option<NullBuffer>)> {
    check_offsets(&c.offsets, rows, c.data.len())?;
    // Valid as a whole and cut only at character boundaries: then every value is valid.
    let text =
        simdutf8::basic::from_utf8(&c.data).map_err(|_| "text that is not UTF-8".to_owned())?;
    match c
        .offsets
        .iter()
        .find(|o| !text.is_char_boundary(**o as usize))
    {
        Some(bad) => Err(format!("offset {bad} stands inside a character")),
        None => Ok((c.offsets, c.data, nulls(c.validity, rows)?)),
    }
}
