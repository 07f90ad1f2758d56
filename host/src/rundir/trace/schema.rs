//! The columns of the table.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

pub(super) const ROW_ID: &str = "row_id";
pub(super) const PIECE: &str = "piece";
pub(super) const OP: &str = "op";
pub(super) const FATE: &str = "fate";
pub(super) const PARTNER: &str = "partner";
pub(super) const ROWS: &str = "rows";
pub(super) const REASON: &str = "reason";
pub(super) const FIELD: &str = "field";
pub(super) const BEFORE: &str = "before";
pub(super) const AFTER: &str = "after";

/// Prefix of the columns of stats.
const STAT: &str = "stat.";

/// The column of one stat.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StatColumn {
    /// The stat's key.
    pub(crate) key: String,
    /// The type of its values.
    pub(crate) ty: DataType,
    /// The name of the column: `stat.KEY`.
    pub(crate) name: String,
}

/// The columns of all stats of a plan, in the order in which ops compute them. Ops that compute the
/// same stat share a column: their entries tell them apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct StatColumns(Vec<StatColumn>);

impl StatColumns {
    /// Adds the column of a stat unless it is there.
    pub(crate) fn add(&mut self, key: &str, ty: &DataType) {
        if self.of(key, ty).is_some() {
            return;
        }
        let is_first = self.0.iter().all(|column| column.key != key);
        // Another type of the same key is another column.
        let name = match is_first {
            true => format!("{STAT}{key}"),
            false => format!("{STAT}{key} ({ty})"),
        };
        let (key, ty) = (key.to_owned(), ty.clone());
        self.0.push(StatColumn { key, ty, name });
    }

    /// The column of a stat.
    pub(crate) fn of(&self, key: &str, ty: &DataType) -> Option<&StatColumn> {
        self.0.iter().find(|c| c.key == key && c.ty == *ty)
    }

    /// The schema of files with these columns.
    pub(super) fn schema(&self) -> SchemaRef {
        let mut fields = vec![
            Field::new(ROW_ID, DataType::UInt64, false),
            Field::new(PIECE, DataType::UInt32, true),
            Field::new(OP, DataType::Int32, true),
            Field::new(FATE, DataType::Utf8, false),
            Field::new(PARTNER, DataType::UInt64, true),
            Field::new(ROWS, DataType::UInt32, true),
            Field::new(REASON, DataType::Utf8, true),
            Field::new(FIELD, DataType::Utf8, true),
            Field::new(BEFORE, DataType::Utf8, true),
            Field::new(AFTER, DataType::Utf8, true),
        ];
        let stats = self.0.iter();
        fields.extend(stats.map(|c| Field::new(&c.name, c.ty.clone(), true)));
        Arc::new(Schema::new(fields))
    }
}

/// The key of the stat in the column `name`; None for another column.
pub(super) fn stat_key(name: &str) -> Option<&str> {
    let key = name.strip_prefix(STAT)?;
    Some(key.split_once(" (").map_or(key, |(key, _)| key))
}
