//! Detects new values without a place in their row: a mapper writes `text.x` where `text` is a
//! string. The row goes to quarantine, because the string must not vanish silently.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};

use crate::data::json::obstacle;
use crate::data::{Batch, Column};
use crate::wasm::{Output, Rejection, Reply};

/// The rows of `batch` for which `reply` has such values, with the reason. Skips rows of columns,
/// whose types are checked during planning.
pub(crate) fn misplaced(batch: &Batch, reply: &Reply) -> BTreeMap<u32, String> {
    let mut bad = BTreeMap::new();
    let Some(raw) = &batch.raw else { return bad };
    let (updates, origins) = match &reply.output {
        Output::Updated(updates) => (updates, None),
        Output::Rows { origins, fields } => (fields, Some(origins)),
        _ => return bad,
    };
    for update in updates.iter().filter(|update| update.path.contains('.')) {
        for i in 0..update.values.len() {
            let at = update.rows.as_ref().map_or(i as u32, |rows| rows.value(i));
            let row = origins.map_or(at, |origins| origins.value(at as usize));
            if bad.contains_key(&row) {
                continue;
            }
            let found = match above(batch, &update.path, row as usize) {
                Some((path, has_room)) => (!has_room).then_some(path),
                None => obstacle(raw.value(row as usize), &update.path),
            };
            if let Some(path) = found {
                bad.insert(
                    row,
                    format!(
                        "`{}` cannot be written, as `{path}` is no object in this row",
                        update.path
                    ),
                );
            }
        }
    }
    bad
}

/// Adds rows to those that `reply` rejects.
pub(crate) fn reject(reply: &mut Reply, bad: BTreeMap<u32, String>) {
    if bad.is_empty() {
        return;
    }
    let mut all: BTreeMap<u32, String> = std::mem::take(&mut reply.rejected)
        .into_iter()
        .map(|r| (r.row, r.reason))
        .collect();
    for (row, reason) in bad {
        // The operator's own reason takes precedence.
        all.entry(row).or_insert(reason);
    }
    reply.rejected = all
        .into_iter()
        .map(|(row, reason)| Rejection { row, reason })
        .collect();
}

/// The innermost field around `path` that an earlier op changed in the row, and whether it has room
/// for `path`; None if no op changed one.
fn above<'a>(batch: &Batch, path: &'a str, row: usize) -> Option<(&'a str, bool)> {
    path.rmatch_indices('.').find_map(|(dot, _)| {
        let around = &path[..dot];
        let column = batch.column(around)?;
        column
            .changed
            .as_ref()?
            .value(row)
            .then(|| (around, has_room(column, row)))
    })
}

fn has_room(column: &Column, row: usize) -> bool {
    column.data.is_null(row)
        || (column.json
            && column
                .data
                .as_string_view_opt()
                .is_some_and(|texts| texts.value(row).trim_start().starts_with(['{', 'n'])))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BinaryViewArray, StringViewArray, UInt32Array, UInt64Array};

    use super::*;
    use crate::wasm::Update;

    fn batch(rows: &[&str]) -> Batch {
        Batch {
            ids: UInt64Array::from_iter_values(0..rows.len() as u64),
            raw: Some(
                rows.iter()
                    .map(|row| Some(row.as_bytes()))
                    .collect::<BinaryViewArray>(),
            ),
            origin: None,
            stored: None,
            columns: Vec::new(),
            stats: Vec::new(),
        }
    }

    fn values(n: usize) -> ArrayRef {
        Arc::new((0..n).map(|_| Some("new")).collect::<StringViewArray>())
    }

    fn rejected(batch: &Batch, output: Output) -> Vec<u32> {
        let mut reply = Reply {
            output,
            rejected: vec![Rejection {
                row: 0,
                reason: "no".into(),
            }],
            dropped: Vec::new(),
            beyond: 0,
        };
        let bad = misplaced(batch, &reply);
        reject(&mut reply, bad);
        reply.rejected.iter().map(|r| r.row).collect()
    }

    #[test]
    fn rows_without_room_are_rejected_with_the_others() {
        let rows = batch(&[
            r#"{"text":{}}"#,
            r#"{"text":"a"}"#,
            r#"{"text":{"x":1}}"#,
            r#"{"text":null}"#,
            r#"{}"#,
            r#"{"text":[1]}"#,
            r#"{"text":"a","text.x":1}"#,
        ]);
        let update = |rows: Option<UInt32Array>, n| Update {
            path: "text.x".into(),
            rows,
            values: values(n),
            json: false,
        };
        assert_eq!(
            rejected(&rows, Output::Updated(vec![update(None, 7)])),
            [0, 1, 5]
        );
        assert_eq!(
            rejected(
                &rows,
                Output::Updated(vec![update(Some(vec![2, 5].into()), 2)])
            ),
            [0, 5]
        );
        assert_eq!(
            rejected(
                &rows,
                Output::Rows {
                    origins: vec![1, 1, 2].into(),
                    fields: vec![update(None, 3)]
                }
            ),
            [0, 1]
        );
        let plain = Update {
            path: "text".into(),
            ..update(None, 7)
        };
        assert_eq!(rejected(&rows, Output::Updated(vec![plain])), [0]);
    }

    #[test]
    fn what_an_earlier_op_has_put_there_counts() {
        let mut rows = batch(&[r#"{"text":"a"}"#, r#"{"text":{}}"#]);
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec![
            Some(r#"{"y": 1}"#),
            Some("a string"),
        ]));
        let update = || {
            Output::Updated(vec![Update {
                path: "text.x".into(),
                rows: None,
                values: values(2),
                json: false,
            }])
        };
        rows.columns.push(Column {
            json: true,
            ..Column::new("text", texts.clone())
        });
        assert_eq!(
            rejected(&rows, update()),
            [0, 1],
            "row 0 is rejected by the guest, row 1 holds a string now"
        );
        rows.columns[0].json = false;
        assert_eq!(rejected(&rows, update()), [0, 1]);
        rows.columns[0].changed = None;
        let reply = Reply {
            output: update(),
            rejected: vec![],
            dropped: Vec::new(),
            beyond: 0,
        };
        assert_eq!(
            misplaced(&rows, &reply).into_keys().collect::<Vec<_>>(),
            [0]
        );
    }
}
