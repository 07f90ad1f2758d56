//! Merges many rows into one: each field becomes the list of its values. Used by groupers.

use crate::data::json::{top_level, write_string};
use anyhow::Result;
use std::collections::HashMap;

/// A row being built, as JSON. It keeps each value's bytes; a row without a field contributes null.
/// Fields come in the order in which they first appear.
#[derive(Default)]
pub(crate) struct Grouped {
    fields: Vec<Field>,
    places: HashMap<Vec<u8>, usize>,
    rows: u64,
}

struct Field {
    /// JSON text without the quotes.
    name: Vec<u8>,
    /// The values so far, separated by commas.
    values: Vec<u8>,
    /// Number of values.
    count: u64,
    /// Where the last value begins.
    last: usize,
}

/// The separator of Python's `json`.
const COMMA: &[u8] = b", ";
const NULL: &[u8] = b"null";

impl Grouped {
    /// Adds a row, a JSON object.
    pub(crate) fn add(&mut self, row: &[u8]) -> Result<()> {
        let mut next = 0;
        top_level(row, |key, value| {
            let at = self.place(key, next);
            next = at + 1;
            let (field, rows) = (&mut self.fields[at], self.rows);
            if field.count > rows {
                // The last of equal keys counts.
                field.values.truncate(field.last);
                field.count -= 1;
            } else {
                field.fill(rows);
                if field.count > 0 {
                    field.values.extend_from_slice(COMMA);
                }
                field.last = field.values.len();
            }
            field.values.extend_from_slice(value);
            field.count += 1;
            Ok(())
        })?;
        self.rows += 1;
        Ok(())
    }

    /// The position of the field `key`, tried first at `next`, where it is in rows of one shape.
    fn place(&mut self, key: &[u8], next: usize) -> usize {
        if self.fields.get(next).is_some_and(|field| field.name == key) {
            return next;
        }
        let name = plain(key);
        let end = self.fields.len();
        let at = *self.places.entry(name.clone()).or_insert(end);
        if at == end {
            self.fields.push(Field {
                name,
                values: Vec::new(),
                count: 0,
                last: 0,
            });
        }
        at
    }

    /// Number of rows added.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Approximate size of the row in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        let nulls = |field: &Field| (self.rows - field.count) * (NULL.len() + COMMA.len()) as u64;
        self.fields
            .iter()
            .map(|field| (field.name.len() + field.values.len() + 8) as u64 + nulls(field))
            .sum::<u64>()
            + 2
    }

    /// The row as JSON.
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut row = vec![b'{'];
        for mut field in self.fields {
            field.fill(self.rows);
            if row.len() > 1 {
                row.extend_from_slice(COMMA);
            }
            row.push(b'"');
            row.extend_from_slice(&field.name);
            row.extend_from_slice(b"\": [");
            row.append(&mut field.values);
            row.push(b']');
        }
        row.push(b'}');
        row
    }
}

impl Field {
    /// Adds nulls for the rows that did not have the field.
    fn fill(&mut self, rows: u64) {
        while self.count < rows {
            if self.count > 0 {
                self.values.extend_from_slice(COMMA);
            }
            self.values.extend_from_slice(NULL);
            self.count += 1;
        }
    }
}

/// Unescapes the key, so that all spellings of it are equal.
fn plain(key: &[u8]) -> Vec<u8> {
    if !key.contains(&b'\\') {
        return key.to_vec();
    }
    match serde_json::from_slice::<String>(&[b"\"", key, b"\""].concat()) {
        Ok(name) => {
            let mut text = Vec::new();
            write_string(&name, &mut text);
            text[1..text.len() - 1].to_vec()
        }
        Err(_) => key.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(rows: &[&str]) -> String {
        let mut group = Grouped::default();
        rows.iter()
            .for_each(|row| group.add(row.as_bytes()).unwrap());
        assert_eq!(group.rows(), rows.len() as u64);
        let bytes = group.bytes();
        let row = String::from_utf8(group.finish()).unwrap();
        assert!(
            bytes >= row.len() as u64 && bytes <= 2 * row.len() as u64 + 40,
            "{bytes} {row}"
        );
        row
    }

    #[test]
    fn fields_become_lists() {
        assert_eq!(
            grouped(&[r#"{"a": 1.0, "b": "x"}"#, r#"{"b":[ 1,2 ],"a":1e0}"#]),
            r#"{"a": [1.0, 1e0], "b": ["x", [ 1,2 ]]}"#
        );
    }

    #[test]
    fn what_a_row_does_not_have_is_null() {
        assert_eq!(
            grouped(&[r#"{"a": 1}"#, r#"{"b": 2}"#, "{}", r#"{"c": 3, "a": 4}"#]),
            r#"{"a": [1, null, null, 4], "b": [null, 2, null, null], "c": [null, null, null, 3]}"#
        );
        assert_eq!(grouped(&["{}"]), "{}");
    }

    #[test]
    fn of_equal_keys_the_last_counts_however_it_is_spelled() {
        assert_eq!(
            grouped(&[r#"{"a": 1, "\u0061": 2}"#, r#"{"a": 3, "b": 0, "a": 4}"#]),
            r#"{"a": [2, 4], "b": [null, 0]}"#
        );
    }
}
