//! Infers the types of the fields of JSON rows for a columnar export.

use super::rows::rows;
use super::scan::Odd;
use super::string::read_string;
use super::top::{elements, members};
use crate::data::losses::{Loss, Losses};
use crate::error::UserError;
use anyhow::{Context, Result};
use arrow::datatypes::{DataType, Field, Fields};
use memchr::memmem;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A table with more columns is not usable.
const MAX_COLUMNS: usize = 10_000;

/// An object with more different keys is data, not structure: it is kept as text.
const MAX_KEYS: usize = 1_000;

/// Deeper values are kept as text.
const MAX_LEVELS: usize = 32;

/// The fields of all rows seen, in the order in which they first appeared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shape {
    fields: Vec<(String, Kind)>,
}

/// The kind of values that a field has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Only nulls.
    Null,
    Boolean,
    /// Signed whole numbers of 64 bits. `wide`: some are not exact as doubles.
    Int {
        negative: bool,
        #[serde(default)]
        wide: bool,
    },
    /// Whole numbers, none negative, some above the largest `Int`. `wide`: some are not exact as
    /// doubles.
    Uint {
        wide: bool,
    },
    /// Numbers that fit doubles. `widened`: some are whole.
    Float {
        widened: bool,
    },
    Text,
    List(Box<Kind>),
    Object(Vec<(String, Kind)>),
    /// More than one type: strings as they are, other values as JSON text.
    Mixed,
}

impl Shape {
    /// Adds rows, each ended by a line feed. Counts what columns cannot hold of them in `losses`.
    pub(crate) fn add_rows(&mut self, lines: &[u8], losses: &mut Losses) -> Result<()> {
        // Of each field the number of the row that had it last.
        let mut seen = Vec::new();
        for (number, row) in rows(lines).enumerate() {
            self.add_row(row, number, &mut seen, losses)
                .ok()
                .context("a row of the output is not a JSON object")?;
        }
        if self.fields.len() > MAX_COLUMNS {
            let message = format!(
                "the rows have more than {MAX_COLUMNS} different fields, too many for columns"
            );
            return Err(UserError::new("export_path", message)
                .hint("export as `.jsonl`")
                .into());
        }
        Ok(())
    }

    fn add_row(
        &mut self,
        row: &[u8],
        number: usize,
        seen: &mut Vec<usize>,
        losses: &mut Losses,
    ) -> Result<(), Odd> {
        let mut i = 0;
        let mut bad = false;
        members(
            simdutf8::basic::from_utf8(row).map_err(|_| Odd)?,
            |name, value| {
                let path = Path {
                    above: None,
                    name: &name,
                };
                path.check_name(losses);
                match Kind::of(value, 1, &path, losses) {
                    Ok(kind) => {
                        let (at, _) = merge_field(&mut self.fields, i, &name, kind);
                        if seen.len() <= at {
                            seen.resize(at + 1, usize::MAX);
                        }
                        if std::mem::replace(&mut seen[at], number) == number {
                            losses.add(&name, Loss::Repeated, 1);
                        }
                    }
                    Err(Odd) => bad = true,
                }
                i += 1;
            },
        )?;
        if bad { Err(Odd) } else { Ok(()) }
    }

    /// Merges what later rows have.
    pub(crate) fn merge(&mut self, later: &Self) {
        for (i, (name, kind)) in later.fields.iter().enumerate() {
            merge_field(&mut self.fields, i, name, kind.clone());
        }
    }

    /// The columns; every one may be null.
    pub(crate) fn columns(&self) -> Fields {
        self.fields
            .iter()
            .map(|(name, kind)| Field::new(name, kind.data_type(), true))
            .collect()
    }

    /// The losses that remain once all values are known: values written as text lose nothing.
    pub(crate) fn losses(&self, losses: &Losses) -> Losses {
        let mut left = losses.clone();
        left.retain(|path, loss| match self.kind_at(path) {
            Some((Kind::Mixed | Kind::Text, is_all)) => {
                matches!(loss, Loss::Wide | Loss::Surrogate) || (is_all && loss == Loss::Repeated)
            }
            _ => true,
        });
        left
    }

    /// The kind of the values at `path` and `true`, or that of what is around them where it is text
    /// as a whole.
    fn kind_at(&self, path: &str) -> Option<(&Kind, bool)> {
        let mut at = (&self.fields[..], path);
        loop {
            let (name, kind) = at.0.iter().find_map(|(name, kind)| {
                let rest = at.1.strip_prefix(&name[..])?;
                (rest.is_empty() || rest.starts_with(['.', '['])).then_some((name, kind))
            })?;
            let (mut kind, mut rest) = (kind, &at.1[name.len()..]);
            while let (Kind::List(item), Some(inner)) = (kind, rest.strip_prefix("[]")) {
                (kind, rest) = (&**item, inner);
            }
            match (kind, rest.strip_prefix('.')) {
                (Kind::Object(fields), Some(inner)) => at = (fields, inner),
                _ => return Some((kind, rest.is_empty())),
            }
        }
    }

    /// The column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<Field> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(name, kind)| Field::new(name, kind.data_type(), true))
    }

    /// Notes on the columns with values of more than one type, among those for which `inferred`
    /// holds.
    pub(crate) fn notes(&self, inferred: impl Fn(&str) -> bool) -> Vec<String> {
        let mut notes = Vec::new();
        for (name, kind) in self.fields.iter().filter(|(name, _)| inferred(name)) {
            kind.notes(name, &mut notes);
        }
        notes
    }
}

/// Merges a field. Tries position `near` first, because rows mostly have the same order of fields. Returns where it is, and whether it was there before.
fn merge_field(
    fields: &mut Vec<(String, Kind)>,
    near: usize,
    name: &str,
    kind: Kind,
) -> (usize, bool) {
    let at = if fields.get(near).is_some_and(|f| f.0 == name) {
        Some(near)
    } else {
        fields.iter().position(|f| f.0 == name)
    };
    match at {
        Some(at) => {
            let known = &mut fields[at].1;
            if *known != kind {
                *known = std::mem::replace(known, Kind::Null).with(kind);
            }
            (at, true)
        }
        None => {
            fields.push((name.to_owned(), kind));
            (fields.len() - 1, false)
        }
    }
}

/// The place of a value, for messages.
struct Path<'p> {
    above: Option<&'p Path<'p>>,
    /// A name, or `[]`.
    name: &'p str,
}

impl Path<'_> {
    fn text(&self) -> String {
        match self.above {
            None => self.name.to_owned(),
            Some(above) if self.name == "[]" => above.text() + "[]",
            Some(above) => above.text() + "." + self.name,
        }
    }

    /// A lone surrogate in a name becomes U+FFFD.
    fn check_name(&self, losses: &mut Losses) {
        if self.name.contains('\u{fffd}') {
            losses.add(&self.text(), Loss::Surrogate, 1);
        }
    }
}

/// Whether a number is too large or too small for a double: it would become infinite, or 0.
fn is_out_of_range(number: &str) -> bool {
    // Without an exponent it needs more than 300 digits.
    if number.len() < 300 && !number.contains(['e', 'E']) {
        return false;
    }
    let value: f64 = number.parse().unwrap_or(0.0);
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    value.is_infinite() || (value == 0.0 && mantissa.contains(|c: char| ('1'..='9').contains(&c)))
}

impl Kind {
    fn of(value: &str, level: usize, path: &Path<'_>, losses: &mut Losses) -> Result<Self, Odd> {
        Ok(match value.as_bytes()[0] {
            b'n' => Self::Null,
            b't' | b'f' => Self::Boolean,
            b'"' => {
                if memmem::find(value.as_bytes(), b"\\u").is_some() && read_string(value).is_none()
                {
                    losses.add(&path.text(), Loss::Surrogate, 1);
                }
                Self::Text
            }
            b'[' | b'{' if level >= MAX_LEVELS => Self::Mixed,
            b'[' => {
                let mut item = Ok(Self::Null);
                let path = Path {
                    above: Some(path),
                    name: "[]",
                };
                elements(value, |v| {
                    if let Ok(known) = &mut item {
                        match Self::of(v, level + 1, &path, losses) {
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
                members(value, |name, v| {
                    let path = Path {
                        above: Some(path),
                        name: &name,
                    };
                    path.check_name(losses);
                    match Self::of(v, level + 1, &path, losses) {
                        Ok(kind) => {
                            // Above the limit the object becomes text anyway.
                            if fields.len() <= MAX_KEYS
                                && let (_, true) = merge_field(&mut fields, i, &name, kind)
                            {
                                losses.add(&path.text(), Loss::Repeated, 1);
                            }
                            i += 1;
                        }
                        Err(Odd) => bad = true,
                    }
                })?;
                if bad {
                    return Err(Odd);
                }
                if fields.len() > MAX_KEYS {
                    Self::Mixed
                } else {
                    Self::Object(fields)
                }
            }
            b'N' | b'I' => Self::Float { widened: false },
            _ if value == "-Infinity" => Self::Float { widened: false },
            _ if value.contains(['.', 'e', 'E']) => {
                if is_out_of_range(value) {
                    losses.add(&path.text(), Loss::OutOfRange, 1);
                }
                Self::Float { widened: false }
            }
            _ => match (value.parse::<i64>(), value.parse::<u64>()) {
                (Ok(n), _) => Self::Int {
                    negative: value.starts_with('-'),
                    wide: is_wide(n.into()),
                },
                (Err(_), Ok(n)) => Self::Uint {
                    wide: is_wide(n.into()),
                },
                (Err(_), Err(_)) => {
                    losses.add(&path.text(), Loss::Wide, 1);
                    Self::Mixed
                }
            },
        })
    }

    /// The narrowest kind that holds both.
    fn with(self, other: Self) -> Self {
        use Kind::*;
        match (self, other) {
            (a, b) if a == b => a,
            (Null, kind) | (kind, Null) => kind,
            (
                Int { negative, wide },
                Int {
                    negative: other,
                    wide: also,
                },
            ) => Int {
                negative: negative || other,
                wide: wide || also,
            },
            (
                Uint { wide },
                Uint { wide: also }
                | Int {
                    negative: false,
                    wide: also,
                },
            ) => Uint { wide: wide || also },
            (
                Int {
                    negative: false,
                    wide,
                },
                Uint { wide: also },
            ) => Uint { wide: wide || also },
            (Float { widened }, Float { widened: other }) => Float {
                widened: widened || other,
            },
            (Float { .. }, Int { wide: false, .. } | Uint { wide: false }) => {
                Float { widened: true }
            }
            (Int { wide: false, .. } | Uint { wide: false }, Float { .. }) => {
                Float { widened: true }
            }
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

    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int { .. } => DataType::Int64,
            Self::Uint { .. } => DataType::UInt64,
            Self::Float { .. } => DataType::Float64,
            Self::List(item) => {
                DataType::List(Arc::new(Field::new_list_field(item.data_type(), true)))
            }
            Self::Object(fields) => DataType::Struct(
                fields
                    .iter()
                    .map(|(name, kind)| Field::new(name, kind.data_type(), true))
                    .collect(),
            ),
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

/// Whether `n` is not exact as a double.
fn is_wide(n: i128) -> bool {
    (n as f64) as i128 != n
}
