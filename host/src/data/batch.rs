//! The batch: some rows in input order, as Arrow columns, on their way from the reader through the
//! ops to the writer.

use anyhow::Result;
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, UInt32Array, UInt64Array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute;

/// Prefix of the fields that hold stats; the path of the stat `text_len` is
/// `__dj__stats__.text_len` (Data-Juicer's name).
pub(crate) const STATS: &str = "__dj__stats__";

/// A row id is the file's number in the dataset (upper bits) and the row's place in that file: byte
/// offset for JSONL, row number for Parquet and Arrow. 44 bits of offset allow files of 16 TiB, 20
/// bits of file number a million files.
pub(crate) const ROW_ID_OFFSET_BITS: u32 = 44;

/// The id of the row at `offset` of file number `file`.
pub(crate) fn row_id(file: usize, offset: u64) -> u64 {
    debug_assert!(offset < 1 << ROW_ID_OFFSET_BITS);
    ((file as u64) << ROW_ID_OFFSET_BITS) | offset
}

/// File number and offset in a row's id.
pub(crate) fn split_id(id: u64) -> (usize, u64) {
    (
        (id >> ROW_ID_OFFSET_BITS) as usize,
        id & ((1 << ROW_ID_OFFSET_BITS) - 1),
    )
}

/// One field of the rows.
#[derive(Debug, Clone)]
pub struct Column {
    /// Names joined by dots: `text`, `meta.lang`.
    pub path: String,
    /// Utf8View (strings, and JSON values as text), Float64, Int64, Boolean, List<Utf8>,
    /// List<Float64>; for Parquet and Arrow input also any other type, which then only passes
    /// through.
    pub data: ArrayRef,
    /// Which rows have a value that differs from the input; None = no row. A bit may be set for a
    /// value that happens to be equal.
    pub changed: Option<BooleanBuffer>,
    /// JSON rows: where in `raw` the value is, as `start << 32 | length` relative to the row; null
    /// where the row has no such field.
    pub span: Option<UInt64Array>,
    /// Parquet and Arrow input: the column as it was read, where `data` has it in another type.
    /// None for a member of a struct column. Rows that did not change are written from it.
    pub native: Option<ArrayRef>,
    /// The strings of `data` are JSON texts of any value.
    pub json: bool,
    /// JSON rows: the strings where an op has found them, in the rows of `raw`. None: no op has
    /// changed any, or they are no strings.
    pub original: Option<ArrayRef>,
}

impl Column {
    /// A column that an op made: a new value in every row.
    pub fn new(path: impl Into<String>, data: ArrayRef) -> Self {
        let changed = Some(BooleanBuffer::new_set(data.len()));
        Self {
            path: path.into(),
            data,
            changed,
            span: None,
            native: None,
            json: false,
            original: None,
        }
    }
}

/// One stat, computed by a filter or found in the input.
#[derive(Debug, Clone)]
pub struct Stat {
    /// The key under `__dj__stats__`.
    pub key: String,
    /// Float64, Int64, Utf8View, Boolean, List<Utf8> or List<Float64>; null where the row has none.
    pub data: ArrayRef,
}

impl PartialEq for Stat {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && *self.data == *other.data
    }
}

/// The field `path` inside of the struct column `outer`; None if there is none of that name. Where
/// an object on the way is null, or absent, so is the field, as in JSON rows
/// ([`extract`](crate::data::json::extract)): what Arrow stores of the field under a null object
/// is no value.
pub(crate) fn inside(outer: ArrayRef, path: &str) -> Option<ArrayRef> {
    path.split('.').try_fold(outer, |outer, name| {
        let outer = outer.as_struct_opt()?;
        masked(outer.column_by_name(name)?, outer.nulls()).ok()
    })
}

/// `field` with nulls where the object that it is of has them.
pub(crate) fn masked(field: &ArrayRef, object: Option<&NullBuffer>) -> Result<ArrayRef> {
    match object.filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => {
            let absent = BooleanArray::new(!nulls.inner(), None);
            Ok(compute::nullif(field, &absent)?)
        }
        None => Ok(field.clone()),
    }
}

/// Some rows in input order. All arrays have the same length.
#[derive(Debug, Clone)]
pub struct Batch {
    /// One id per row, ascending; see [`row_id`]. Rows made from one row share its id.
    pub ids: UInt64Array,
    /// JSON rows: the bytes of each row as they were read, without the line end. None for Parquet
    /// and Arrow input.
    pub raw: Option<BinaryViewArray>,
    /// JSON rows from a checkpoint: the bytes of each row in the input, null where they are not
    /// known. None: they are `raw`.
    pub origin: Option<BinaryViewArray>,
    /// JSON rows: what checkpoints store for each row, valid where no value has changed. None:
    /// unknown.
    pub stored: Option<[BinaryViewArray; 2]>,
    /// JSON rows: the fields that some op reads or writes. Parquet and Arrow: all fields, in the
    /// order of the schema, then new ones.
    pub columns: Vec<Column>,
    /// In the order in which they were computed.
    pub stats: Vec<Stat>,
}

impl Batch {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.ids.len()
    }

    /// The column at `path`.
    pub fn column(&self, path: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.path == path)
    }

    /// The values at `path`: of the column of that path, or of a field inside a struct column
    /// (`meta.lang` of the struct `meta`).
    pub fn field(&self, path: &str) -> Option<ArrayRef> {
        if let Some(column) = self.column(path) {
            return Some(column.data.clone());
        }
        let (head, rest) = path.split_once('.')?;
        inside(self.column(head)?.data.clone(), rest)
    }

    /// The rows whose bit is set, in order.
    pub fn filter(&self, keep: &BooleanArray) -> Result<Self> {
        self.each(
            |a| Ok(compute::filter(a, keep)?),
            |b| Ok(compute::filter(&BooleanArray::new(b.clone(), None), keep)?),
        )
    }

    /// The rows at `indices`, which may repeat.
    pub fn take(&self, indices: &UInt32Array) -> Result<Self> {
        self.each(
            |a| Ok(compute::take(a, indices, None)?),
            |b| {
                Ok(compute::take(
                    &BooleanArray::new(b.clone(), None),
                    indices,
                    None,
                )?)
            },
        )
    }

    /// `len` rows from `offset`, without copying.
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        self.each(
            |a| Ok(a.slice(offset, len)),
            |b| {
                Ok(std::sync::Arc::new(BooleanArray::new(
                    b.slice(offset, len),
                    None,
                )))
            },
        )
        .expect("slicing cannot fail")
    }

    fn each(
        &self,
        array: impl Fn(&dyn Array) -> Result<ArrayRef>,
        bits: impl Fn(&BooleanBuffer) -> Result<ArrayRef>,
    ) -> Result<Self> {
        use arrow::datatypes::UInt64Type;
        Ok(Self {
            ids: array(&self.ids)?.as_primitive::<UInt64Type>().clone(),
            raw: match &self.raw {
                Some(raw) => Some(array(raw)?.as_binary_view().clone()),
                None => None,
            },
            origin: match &self.origin {
                Some(origin) => Some(array(origin)?.as_binary_view().clone()),
                None => None,
            },
            stored: match &self.stored {
                Some([rows, patches]) => Some([
                    array(rows)?.as_binary_view().clone(),
                    array(patches)?.as_binary_view().clone(),
                ]),
                None => None,
            },
            columns: self
                .columns
                .iter()
                .map(|c| {
                    Ok(Column {
                        path: c.path.clone(),
                        data: array(&c.data)?,
                        changed: match &c.changed {
                            Some(b) => Some(bits(b)?.as_boolean().values().clone()),
                            None => None,
                        },
                        span: match &c.span {
                            Some(s) => Some(array(s)?.as_primitive::<UInt64Type>().clone()),
                            None => None,
                        },
                        native: match &c.native {
                            Some(n) => Some(array(n)?),
                            None => None,
                        },
                        json: c.json,
                        original: match &c.original {
                            Some(o) => Some(array(o)?),
                            None => None,
                        },
                    })
                })
                .collect::<Result<_>>()?,
            stats: self
                .stats
                .iter()
                .map(|s| {
                    Ok(Stat {
                        key: s.key.clone(),
                        data: array(&s.data)?,
                    })
                })
                .collect::<Result<_>>()?,
        })
    }
}
