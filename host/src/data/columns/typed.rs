//! Remembers the input's column types while the values are JSON. Operators on whole rows and
//! groupers need rows as text; where the export is columnar again, a column gets its type back if
//! all its values, or the items of its nested lists, still fit it.

use super::from_json::{can_be_made, fits};
use super::schema::{decode_schema, encode_schema};
use crate::data::json::schema_inference::Shape;
use crate::data::json::{elements, members};
use crate::error::UserError;
use anyhow::Result;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Metadata, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// How many levels of lists are examined: each grouper wraps the values in one more.
const LEVELS: u8 = 4;
/// All levels, and the bit for a column without nulls.
const ALL: u8 = (1 << LEVELS) - 1;
const NO_NULL: u8 = 1 << 7;

/// What the columns of the input have become in some rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Typed {
    /// The input's schema, in Arrow's encoding, as hex digits.
    schema: String,
    /// By column: bit `n` is set if all values are nested `n` lists deep, bit 7 if none is null.
    levels: Vec<u8>,
    /// Whether any rows were seen.
    any: bool,
    #[serde(skip)]
    open: Option<Open>,
}

/// State for examining rows.
#[derive(Debug, Clone, PartialEq)]
struct Open {
    schema: SchemaRef,
    index: HashMap<String, usize>,
}

impl Typed {
    /// No rows seen yet.
    pub(crate) fn new(schema: &SchemaRef) -> Result<Self> {
        let index = schema
            .fields()
            .iter()
            .enumerate()
            .map(|(i, field)| (field.name().clone(), i))
            .collect();
        let levels = schema
            .fields()
            .iter()
            .map(|field| {
                if can_be_made(field.data_type()) {
                    ALL | NO_NULL
                } else {
                    0
                }
            })
            .collect();
        let open = Some(Open {
            schema: schema.clone(),
            index,
        });
        Ok(Self {
            schema: encode_schema(schema)?,
            levels,
            any: false,
            open,
        })
    }

    /// Examines rows, each ended by a line feed.
    pub(crate) fn add_rows(&mut self, lines: &[u8]) -> Result<()> {
        let Some(open) = &self.open else {
            anyhow::bail!("internal error: rows for a part that is written")
        };
        for line in std::str::from_utf8(lines)?.lines() {
            self.any = true;
            let mut near = 0;
            let mut seen = vec![false; self.levels.len()];
            // A row that is not an object fails elsewhere.
            let _ = members(line, |name, value| {
                let here = open
                    .schema
                    .fields()
                    .get(near)
                    .is_some_and(|field| *field.name() == *name);
                let Some(at) = (if here {
                    Some(near)
                } else {
                    open.index.get(&*name).copied()
                }) else {
                    return;
                };
                near = at + 1;
                seen[at] = true;
                let levels = &mut self.levels[at];
                if value == "null" {
                    *levels &= !NO_NULL;
                } else {
                    let ty = open.schema.field(at).data_type();
                    *levels &= (0..LEVELS)
                        .filter(|n| *levels >> n & 1 == 1 && is_at(ty, *n, value))
                        .fold(NO_NULL, |all, n| all | 1 << n);
                }
            });
            for (levels, _) in self.levels.iter_mut().zip(seen).filter(|(_, seen)| !seen) {
                *levels &= !NO_NULL;
            }
        }
        Ok(())
    }

    /// Merges what is known of later rows.
    pub(crate) fn merge(&mut self, later: &Self) {
        self.any |= later.any;
        self.levels
            .iter_mut()
            .zip(&later.levels)
            .for_each(|(levels, more)| *levels &= more);
    }

    /// The columns of `shape`, with the input's types where they still fit, and a note for each
    /// column that lost its type.
    pub(crate) fn columns(&self, shape: &Shape) -> Result<(Schema, Vec<String>)> {
        let input = decode_schema(&self.schema)?;
        if !self.any {
            return Ok((input, Vec::new()));
        }
        let lowest = |levels: &u8| (levels & ALL != 0).then(|| (levels & ALL).trailing_zeros());
        // All columns of a group are lists. A column that is empty everywhere fits any level: it
        // gets the level of the others.
        let common = self.levels.iter().filter_map(lowest).max().unwrap_or(0);
        let mut notes = Vec::new();
        let found = shape.columns();
        let fields = found.iter().map(|found| {
            let Ok(at) = input.index_of(found.name()) else { return found.clone() };
            let (field, levels) = (input.field(at), self.levels[at]);
            let Some(lowest) = lowest(&levels) else {
                if !same_text(field.data_type(), found.data_type()) {
                    notes.push(format!(
                        "column `{}` was {} in the input, and what operators made of it is not: written as {}",
                        field.name(),
                        field.data_type(),
                        found.data_type()
                    ));
                }
                return found.clone();
            };
            let level = if levels >> common & 1 == 1 { common } else { lowest };
            let ty = (0..level).fold(field.data_type().clone(), |ty, _| DataType::List(Arc::new(Field::new_list_field(ty, true))));
            let nullable = field.is_nullable() || levels & NO_NULL == 0;
            let metadata = if level == 0 { field.metadata().clone() } else { Metadata::default() };
            Arc::new(Field::new(field.name(), ty, nullable).with_metadata(metadata)) as FieldRef
        });
        let fields: Fields = fields.collect();
        // Format-specific metadata describes the input's columns and is wrong for others.
        let metadata = if fields == *input.fields() {
            input.metadata().clone()
        } else {
            Metadata::default()
        };
        Ok((Schema::new_with_metadata(fields, metadata), notes))
    }
}

/// Fails if a column's type cannot be restored from JSON.
pub(crate) fn check_way_back(schema: &Schema) -> Result<()> {
    let lost = schema
        .fields()
        .iter()
        .filter(|field| !can_be_made(field.data_type()));
    let lost: Vec<String> = lost
        .map(|field| format!("`{}` ({})", field.name(), field.data_type()))
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    let message = format!(
        "an operator of the recipe makes JSON rows, of which these columns do not come back: {}",
        lost.join(", ")
    );
    let hint = "leave out these columns, convert them to another type, or export as `.jsonl`";
    Err(UserError::new("process", message).hint(hint).into())
}

/// Whether `text` is `level` nested lists of values of `ty`. Any element may be null.
fn is_at(ty: &DataType, level: u8, text: &str) -> bool {
    if level == 0 {
        return fits(ty, text);
    }
    let mut all = true;
    elements(text, |value| {
        all = all && (value == "null" || is_at(ty, level - 1, value))
    })
    .is_ok()
        && all
}

/// Whether the types differ only in the layout of strings.
fn same_text(a: &DataType, b: &DataType) -> bool {
    super::convert::is_text(a) && super::convert::is_text(b)
}
