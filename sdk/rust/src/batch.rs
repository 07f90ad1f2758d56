//! What an operator receives, and what it answers.

use crate::column::{Column, ColumnType, Texts};
use crate::traits::{Needs, Traits};

/// One field of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The path of the field in the row, names joined by dots (`text`, `meta.lang`); of a stat in a
    /// filter's answer, its key.
    pub path: String,
    /// One value per row.
    pub values: Column,
}

/// Some rows of the dataset, in input order.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// One per row: unique in a job, ascending, independent of partitions and batches. Seed random
    /// choices per row with it.
    pub row_ids: Vec<u64>,
    /// The fields that the signature asks for, in its order, then the stats that need not be
    /// computed again.
    pub fields: Vec<Field>,
}

impl Batch {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.row_ids.len()
    }

    /// The strings of field number `field`.
    ///
    /// # Errors
    /// When the batch has no such field or it does not hold strings: the host broke the contract.
    pub fn texts(&self, field: usize) -> Result<&Texts, OpError> {
        let found = self
            .fields
            .get(field)
            .ok_or_else(|| OpError::Failed(format!("the batch has no field number {field}")))?;
        found
            .values
            .texts()
            .ok_or_else(|| OpError::Failed(format!("`{}` does not hold strings", found.path)))
    }

    /// Row `index` of the batch.
    pub fn row(&self, index: usize) -> Row<'_> {
        Row { batch: self, index }
    }
}

/// One row of a batch; fields by their number in the signature.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    batch: &'a Batch,
    index: usize,
}

impl<'a> Row<'a> {
    /// Its place in the batch, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The id of the row; see [`Batch::row_ids`].
    pub fn id(&self) -> u64 {
        self.batch.row_ids[self.index]
    }

    /// The path of field number `field`.
    ///
    /// # Panics
    /// When the signature has no such field.
    pub fn path(&self, field: usize) -> &'a str {
        &self.batch.fields[field].path
    }

    /// Field number `field` as a string (or as JSON text); None if it is null.
    pub fn text(&self, field: usize) -> Option<&'a str> {
        self.column(field).texts().and_then(|t| t.get(self.index))
    }

    /// Field number `field` as a number; None if it is null.
    pub fn number(&self, field: usize) -> Option<f64> {
        self.column(field).number(self.index)
    }

    /// The strings of field number `field`, a list; none if it is null.
    pub fn strings(&self, field: usize) -> impl Iterator<Item = &'a str> {
        let list = match self.column(field) {
            Column::Utf8List(list) => Some(list),
            _ => None,
        };
        list.into_iter().flat_map(|list| list.strings(self.index))
    }

    /// Field number `field` as bytes; None if it is null.
    pub fn bytes(&self, field: usize) -> Option<&'a [u8]> {
        match self.column(field) {
            Column::Bytes(bytes) => bytes.get(self.index),
            _ => None,
        }
    }

    /// The bytes of field number `field`, a list of such; none if it is null.
    pub fn bytes_list(&self, field: usize) -> impl Iterator<Item = &'a [u8]> {
        let list = match self.column(field) {
            Column::BytesList(list) => Some(list),
            _ => None,
        };
        list.into_iter().flat_map(|list| list.values(self.index))
    }

    /// Field number `field` as a vector; None if it is null.
    pub fn vector(&self, field: usize) -> Option<&'a [f32]> {
        match self.column(field) {
            Column::Vector(vectors) => vectors.get(self.index),
            _ => None,
        }
    }

    /// The column of field number `field`.
    ///
    /// # Panics
    /// When the signature has no such field.
    pub fn column(&self, field: usize) -> &'a Column {
        &self.batch.fields[field].values
    }
}

/// A row that the operator cannot judge: it goes to quarantine with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject(pub String);

impl<T: Into<String>> From<T> for Reject {
    fn from(reason: T) -> Self {
        Self(reason.into())
    }
}

/// A rejected row of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Its number in the batch.
    pub row: u32,
    /// Why; shown to the user.
    pub reason: String,
}

/// Why an operator cannot work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpError {
    /// The user must change a parameter. The text names it and says what is valid.
    InvalidParams(String),
    /// The operator cannot process this batch. The host looks for the guilty rows.
    Failed(String),
}

impl std::fmt::Display for OpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InvalidParams(message) | Self::Failed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for OpError {}

/// The kind of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Decides for each row whether it stays, and computes stats.
    Filter,
    /// Changes fields, or makes 0..n rows of each row.
    Mapper,
    /// Finds what rows have in common over the whole dataset; [`Traits`] say by what.
    Deduplicator,
    /// Computes a key per row, then chooses among the keys of the whole dataset.
    Selector,
    /// Computes a key per row; all rows of the dataset with the same key become one.
    Grouper,
}

/// The work per row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Memory speed: lengths, ratios, literal searches.
    Light,
    /// Tens of MB/s: regular expressions, n-grams, hashing.
    Medium,
    /// Less than about 10 MB/s: models, decoding.
    Heavy,
}

/// How an operator describes itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Descriptor {
    /// The name that recipes use.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// One sentence: the first paragraph of the struct's doc comment.
    pub summary: String,
    /// JSON Schema of the parameters, made from the struct.
    pub params_schema: String,
    /// The work per row.
    pub cost: Cost,
    /// What it can do beyond its kind.
    pub traits: Traits,
    /// What it needs beyond its batches.
    pub needs: Needs,
}

/// A field to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The path of the field: names joined by dots. `__dj__stats__.KEY` is a stat.
    pub path: String,
    /// The type that it is wanted in.
    pub column_type: ColumnType,
    /// Without it the row goes to quarantine; otherwise the value is null.
    pub required: bool,
}

impl Input {
    /// A field without which the row goes to quarantine.
    pub fn required(path: impl Into<String>, column_type: ColumnType) -> Self {
        Self {
            path: path.into(),
            column_type,
            required: true,
        }
    }

    /// A field that may be null.
    pub fn optional(path: impl Into<String>, column_type: ColumnType) -> Self {
        Self {
            path: path.into(),
            column_type,
            required: false,
        }
    }
}

/// A field or stat that an operator computes, and the type of all its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// The path of the field, or the key of the stat.
    pub path: String,
    /// Its type.
    pub column_type: ColumnType,
}

impl Computed {
    /// A field or stat of this type.
    pub fn new(path: impl Into<String>, column_type: ColumnType) -> Self {
        Self {
            path: path.into(),
            column_type,
        }
    }
}

/// What an operator reads and writes, given its parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signature {
    /// Fields to read.
    pub reads: Vec<Input>,
    /// Fields that it may change or add.
    pub writes: Vec<Computed>,
    /// Keys of the stats that it computes.
    pub writes_stats: Vec<Computed>,
    /// A mapper that makes whole rows: the field [`ROW`](crate::ROW) follows what it reads, and is the
    /// only one of its answers.
    pub whole_rows: bool,
}

/// New values of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The path of the field.
    pub path: String,
    /// The rows that get a new value, ascending; None = all rows.
    pub rows: Option<Vec<u32>>,
    /// One value per row of `rows`.
    pub values: Column,
}

/// The answer for a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Filter.
    Filtered {
        /// One byte per row: 1 keeps it, 0 drops it.
        keep: Vec<u8>,
        /// The stats; the path is the key.
        stats: Vec<Field>,
        /// Rows that it cannot judge.
        rejected: Vec<Rejection>,
    },
    /// Mapper, rows stay.
    Updated {
        /// New values, by field.
        updates: Vec<Update>,
        /// Rows that it cannot map.
        rejected: Vec<Rejection>,
    },
    /// Mapper, other rows.
    Rows {
        /// For each row of the answer the row of the batch that it was made from, ascending.
        origins: Vec<u32>,
        /// One value per origin; other fields are copied from the origin.
        fields: Vec<Field>,
        /// Rows that it cannot map.
        rejected: Vec<Rejection>,
    },
    /// Deduplicator.
    Fingerprints {
        /// Bytes of one fingerprint: 8 or 16.
        width: u32,
        /// Fingerprints per row.
        per_row: u32,
        /// `rows * per_row * width` bytes.
        data: Vec<u8>,
        /// Rows without a fingerprint have a clear bit; None = all have one.
        validity: Option<Vec<u8>>,
        /// Rows that it cannot judge.
        rejected: Vec<Rejection>,
    },
    /// Selector.
    Keys {
        /// One key per row.
        keys: Column,
        /// Rows that it cannot judge.
        rejected: Vec<Rejection>,
    },
}
