//! Collects why rows were unusable, and finds the most common reason.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::lines::place;
use crate::data::Dataset;
use crate::jobs::reasons::masked;
use crate::term::count;

/// The place of a row in the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    /// Given by its id.
    Row(u64),
    /// File and line, as in the quarantine.
    Line(String, u64),
}

/// Unusable rows, by who failed on them and why. Reasons that differ only in numbers are one.
#[derive(Debug, Default)]
pub(crate) struct Reasons(BTreeMap<(Option<String>, String), Why>);

#[derive(Debug, Serialize, Deserialize)]
struct Why {
    rows: u64,
    /// The reason as the first such row has it.
    reason: String,
    first: Place,
    /// Field names in the first such rows.
    fields: Vec<String>,
}

/// One reason, for another process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reason {
    op: Option<String>,
    masked: String,
    why: Why,
}

/// Number of different reasons kept; operators may give one for each row.
const MAX_REASONS: usize = 200;
/// Rows per reason whose field names are collected.
const LOOKED_AT: u64 = 20;
/// Names shown.
const MAX_FIELDS: usize = 12;

impl Reasons {
    /// Adds a row that `op` (None: the reader) could not use.
    pub(crate) fn note(&mut self, op: Option<&str>, reason: &str, at: Place, row: Option<&[u8]>) {
        let key = (op.map(str::to_owned), masked(reason));
        if self.0.len() >= MAX_REASONS && !self.0.contains_key(&key) {
            return;
        }
        let why = self.0.entry(key).or_insert_with(|| Why {
            rows: 0,
            reason: reason.to_owned(),
            first: at,
            fields: Vec::new(),
        });
        why.rows += 1;
        let row = row.filter(|_| why.rows <= LOOKED_AT);
        for name in row.map(names).unwrap_or_default() {
            if why.fields.len() < MAX_FIELDS && !why.fields.contains(&name) {
                why.fields.push(name);
            }
        }
    }

    /// The reasons one by one.
    pub(crate) fn into_list(self) -> Vec<Reason> {
        let list = self.0.into_iter();
        list.map(|((op, masked), why)| Reason { op, masked, why })
            .collect()
    }

    /// Adds what another process has collected.
    pub(crate) fn add(&mut self, reason: Reason) {
        let Reason { op, masked, why } = reason;
        let key = (op, masked);
        let has_room = self.0.len() < MAX_REASONS;
        match self.0.get_mut(&key) {
            Some(known) => {
                known.rows += why.rows;
                for name in why.fields {
                    if known.fields.len() < MAX_FIELDS && !known.fields.contains(&name) {
                        known.fields.push(name);
                    }
                }
            }
            None if has_room => drop(self.0.insert(key, why)),
            None => {}
        }
    }

    /// Number of rows that the reader refused, or of all others.
    pub(crate) fn rows(&self, of_reader: bool) -> u64 {
        self.0
            .iter()
            .filter(|((op, _), _)| op.is_none() == of_reader)
            .map(|(_, why)| why.rows)
            .sum()
    }

    /// Reads the reasons from the files of a quarantine.
    pub(crate) fn of_files<'a>(files: impl Iterator<Item = &'a Path>) -> Result<Self> {
        let mut reasons = Self::default();
        for file in files {
            for line in std::io::BufReader::new(std::fs::File::open(file)?).lines() {
                let entry: serde_json::Value = serde_json::from_str(&line?)?;
                let text = |key: &str| entry[key].as_str();
                let op = text("operation_name")
                    .map(|name| format!("op {} `{name}`", entry["operation_idx"]));
                let at = Place::Line(
                    text("file").unwrap_or_default().to_owned(),
                    entry["line"].as_u64().unwrap_or(0),
                );
                let row = text("row").filter(|_| op.is_none()).map(str::as_bytes);
                reasons.note(op.as_deref(), text("reason").unwrap_or_default(), at, row);
            }
        }
        Ok(reasons)
    }

    /// The most common reason of the reader, or of operators, among `rows` rows, with its first
    /// row; None if there is none.
    pub(crate) fn commonest(
        &self,
        of_reader: bool,
        rows: u64,
        dataset: &Dataset,
    ) -> Option<String> {
        let of_these = self
            .0
            .iter()
            .filter(|((op, _), _)| op.is_none() == of_reader);
        let ((op, _), why) = of_these.max_by_key(|(_, why)| why.rows)?;
        let first = match &why.first {
            Place::Row(id) => place(dataset, *id),
            Place::Line(file, line) => (file.clone(), *line),
        };
        let first = format!("first: {}, {} {}", first.0, dataset.unit(), first.1);
        let Some(op) = op else {
            let reason = why
                .reason
                .strip_suffix(" is missing")
                .map_or_else(|| why.reason.clone(), |field| format!("no field {field}"));
            let have = if why.fields.is_empty() {
                String::new()
            } else {
                format!("; the rows have {}", quoted(&why.fields))
            };
            return Some(format!(
                "{} of {} rows: {reason}{have} ({first})",
                count(why.rows),
                count(rows)
            ));
        };
        Some(format!(
            "{op}: {} ({first}; {} of {} times)",
            why.reason,
            count(why.rows),
            count(self.rows(false))
        ))
    }
}

/// The field names in a row, which may not be JSON.
fn names(row: &[u8]) -> Vec<String> {
    let map: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_slice(row).ok();
    map.map(|map| {
        map.into_iter()
            .map(|(name, _)| crate::sanitize::printable(&name))
            .collect()
    })
    .unwrap_or_default()
}

fn quoted(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_differ_in_numbers_are_one() {
        let mut reasons = Reasons::default();
        reasons.note(None, "invalid UTF-8 at byte 17", Place::Row(0), None);
        reasons.note(None, "invalid UTF-8 at byte 4", Place::Row(1), None);
        reasons.note(
            None,
            "`text` is missing",
            Place::Row(2),
            Some(br#"{"content": 1}"#),
        );
        assert_eq!(
            (reasons.0.len(), reasons.rows(true), reasons.rows(false)),
            (2, 3, 0)
        );
    }
}
