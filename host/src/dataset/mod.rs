//! Datasets in and out.

pub mod batch;

pub use batch::{Batch, Column, STATS, Stat};

/// The type in which a field is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum FieldType {
    /// A string.
    Utf8,
    /// Any JSON value, as its text.
    Json,
    /// A number.
    F64,
    /// An integer.
    S64,
    /// true or false.
    Boolean,
    /// A list of strings.
    Utf8List,
    /// A list of numbers.
    F64List,
}
