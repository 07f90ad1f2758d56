//! The types of the fields of JSON rows, as far as a columnar export must know them.

use super::json::{Odd, elements, members, standard};
use crate::error::UserError;
use anyhow::{Context, Result};
use arrow::datatypes::{DataType, Field, Fields};
use memchr::memmem;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// More columns than this make no usable table.
const MAX_COLUMNS: usize = 10_000;

/// An object with more different keys than this is data, not structure: it is kept as text.
const MAX_KEYS: usize = 1_000;

/// Values that nest deeper are kept as text.
const MAX_LEVELS: usize = 32;

/// The fields of all rows seen, in the order in which they first came.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    fields: Vec<(String, Kind)>,
}

/// What values a field has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Only null.
    Null,
    Boolean,
    /// Whole numbers of 64 bits with sign.
    /// `wide`: a double does not hold them all.
    Int {
        negative: bool,
        #[serde(default)]
        wide: bool,
    },
    /// Whole numbers, none negative, some above the largest `Int`. `wide`: a double does not hold them all.
    Uint {
        wide: bool,
    },
    /// Numbers that doubles hold. `widened`: some are whole.
    Float {
        widened: bool,
    },
    Text,
    List(Box<Kind>),
    Object(Vec<(String, Kind)>),
    /// No one type: strings as they are, other values as JSON text.
    Mixed,
}

impl Shape {
    /// Takes in rows, each ended by a line feed.
    pub(super) fn add_rows(&mut self, lines: &[u8]) -> Result<()> {
        for line in lines.split_inclusive(|&b| b == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if self.add_row(line).is_err() {
                self.add_row(&standard(line)).ok().context("a row of the output is not a JSON object")?;
            }
        }
        if self.fields.len() > MAX_COLUMNS {
            let message = format!("the rows have more than {MAX_COLUMNS} different fields, too many for columns");
            return Err(UserError::new("export_path", message).hint("export as `.jsonl`").into());
        }
        Ok(())
    }

    fn add_row(&mut self, row: &[u8]) -> Result<(), Odd> {
        let mut kinds = Vec::new();
        let mut bad = false;
        members(simdutf8::basic::from_utf8(row).map_err(|_| Odd)?, |name, value| match Kind::of(value, 1) {
            Ok(kind) => kinds.push((name, kind)),
            Err(Odd) => bad = true,
        })?;
        if bad {
            return Err(Odd);
        }
        for (i, (name, kind)) in kinds.into_iter().enumerate() {
            merge_field(&mut self.fields, i, &name, kind);
        }
        Ok(())
    }

    /// Takes in what later rows have.
    pub(super) fn merge(&mut self, later: &Self) {
        for (i, (name, kind)) in later.fields.iter().enumerate() {
            merge_field(&mut self.fields, i, name, kind.clone());
        }
    }

    pub(super) fn fields(&self) -> &[(String, Kind)] {
        &self.fields
    }

    /// The columns; every one may be null.
    pub(super) fn columns(&self) -> Fields {
        self.fields.iter().map(|(name, kind)| Field::new(name, kind.data_type(), true)).collect()
    }

    /// Which columns hold values of more than one type, and what was made of them.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (name, kind) in &self.fields {
            kind.notes(name, &mut notes);
        }
        notes
    }
}

/// Rows mostly have their fields in the same order: the field is looked for at position `near` first.
fn merge_field(fields: &mut Vec<(String, Kind)>, near: usize, name: &str, kind: Kind) {
    let at = if fields.get(near).is_some_and(|f| f.0 == name) { Some(near) } else { fields.iter().position(|f| f.0 == name) };
    match at {
        Some(at) => {
            let known = &mut fields[at].1;
            if *known != kind {
                *known = std::mem::replace(known, Kind::Null).with(kind);
            }
        }
        None => fields.push((name.to_owned(), kind)),
    }
}

impl Kind {
    fn of(value: &str, level: usize) -> Result<Self, Odd> {
        Ok(match value.as_bytes()[0] {
            b'n' => Self::Null,
            b't' | b'f' => Self::Boolean,
            // A lone surrogate shows here and not only when the column is built.
            b'"' if memmem::find(value.as_bytes(), b"\\u").is_some() => {
                serde_json::from_str::<String>(value).map(|_| Self::Text).map_err(|_| Odd)?
            }
            b'"' => Self::Text,
            b'[' | b'{' if level >= MAX_LEVELS => Self::Mixed,
            b'[' => {
                let mut item = Ok(Self::Null);
                elements(value, |v| {
                    if let Ok(known) = &mut item {
                        match Self::of(v, level + 1) {
                            Ok(kind) if kind == *known => {}
                            Ok(kind) => item = Ok(std::mem::replace(known, Self::Null).with(kind)),
                            Err(e) => item = Err(e),
                        }
                    }
                })?;
                Self::List(Box::new(item?))
            }
            b'{' => {
                let mut fields: Vec<(String, Self)> = Vec::new();
                let mut bad = false;
                let mut i = 0;
                members(value, |name, v| match Self::of(v, level + 1) {
                    Ok(kind) => {
                        // Past the limit the object is text anyway.
                        if fields.len() <= MAX_KEYS {
                            merge_field(&mut fields, i, &name, kind);
                        }
                        i += 1;
                    }
                    Err(Odd) => bad = true,
                })?;
                if bad {
                    return Err(Odd);
                }
                if fields.len() > MAX_KEYS { Self::Mixed } else { Self::Object(fields) }
            }
            _ if value.contains(['.', 'e', 'E']) => Self::Float { widened: false },
            _ => match value.parse::<i64>() {
                Ok(n) => Self::Int { negative: value.starts_with('-'), wide: is_wide(n.into()) },
                Err(_) => value.parse::<u64>().map_or(Self::Mixed, |n| Self::Uint { wide: is_wide(n.into()) }),
            },
        })
    }

    /// The narrowest kind that holds both.
    fn with(self, other: Self) -> Self {
        use Kind::*;
        match (self, other) {
            (a, b) if a == b => a,
            (Null, kind) | (kind, Null) => kind,
            (Int { negative, wide }, Int { negative: other, wide: also }) => Int { negative: negative || other, wide: wide || also },
            (Uint { wide }, Uint { wide: also } | Int { negative: false, wide: also }) => Uint { wide: wide || also },
            (Int { negative: false, wide }, Uint { wide: also }) => Uint { wide: wide || also },
            (Float { widened }, Float { widened: other }) => Float { widened: widened || other },
            (Float { .. }, Int { wide: false, .. } | Uint { wide: false }) => Float { widened: true },
            (Int { wide: false, .. } | Uint { wide: false }, Float { .. }) => Float { widened: true },
            (List(a), List(b)) => List(Box::new(a.with(*b))),
            (Object(mut a), Object(b)) => {
                for (i, (name, kind)) in b.into_iter().enumerate() {
                    merge_field(&mut a, i, &name, kind);
                }
                if a.len() > MAX_KEYS { Mixed } else { Object(a) }
            }
            _ => Mixed,
        }
    }

    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int { .. } => DataType::Int64,
            Self::Uint { .. } => DataType::UInt64,
            Self::Float { .. } => DataType::Float64,
            Self::List(item) => DataType::List(Arc::new(Field::new_list_field(item.data_type(), true))),
            Self::Object(fields) => DataType::Struct(fields.iter().map(|(name, kind)| Field::new(name, kind.data_type(), true)).collect()),
            Self::Null | Self::Text | Self::Mixed => DataType::Utf8,
        }
    }

    fn notes(&self, path: &str, notes: &mut Vec<String>) {
        match self {
            Self::Mixed => notes.push(format!(
                "column `{path}` holds values of several types, of no columnar one, or whole numbers beside fractions that a double does not hold: \
                 written as text"
            )),
            Self::Float { widened: true } => notes.push(format!("column `{path}` holds whole numbers and fractions: written as doubles")),
            Self::List(item) => item.notes(&format!("{path}[]"), notes),
            Self::Object(fields) => fields.iter().for_each(|(name, kind)| kind.notes(&format!("{path}.{name}"), notes)),
            _ => {}
        }
    }
}

/// Whether a double does not hold `n`.
fn is_wide(n: i128) -> bool {
    (n as f64) as i128 != n
}
