//! `naive_reverse_grouper`

use crate::split::pieces;
use djhost_sdk::ROW;
use djhost_sdk::prelude::*;

/// Makes many rows of one, the way back from a grouper: each row gets one value of the list of
/// every field.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NaiveReverseGrouper {
    /// Data-Juicer writes what aggregators have noted of a group (`__dj__batch_meta__`) to this
    /// file. Only `null` is supported: the notes go.
    pub batch_meta_export_path: Option<String>,
}

/// Aggregators' notes on a group; not a field of its rows.
const BATCH_META: &str = "\"__dj__batch_meta__\"";

impl Operator for NaiveReverseGrouper {
    const NAME: &'static str = "naive_reverse_grouper";
    const KIND: Kind = Kind::Mapper;
    const COST: Cost = Cost::Light;

    fn prepare(&mut self) -> Result<(), String> {
        match self.batch_meta_export_path {
            Some(_) => Err("`batch_meta_export_path` is not supported: leave it out, and take the field `__dj__batch_meta__` from the export of a job \
                            without this operator"
                .into()),
            None => Ok(()),
        }
    }

    fn signature(&self, _common: &Common) -> Signature {
        Signature {
            whole_rows: true,
            ..Signature::default()
        }
    }

    fn process(&mut self, _common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let given = batch.texts(0)?;
        let (mut origins, mut rows, mut rejected) = (Vec::new(), Texts::default(), Vec::new());
        for row in 0..batch.rows() {
            match lists(given.value(row)) {
                Ok(fields) => {
                    for i in 0..fields.len {
                        rows.push_with(|out| fields.write(i, out));
                        origins.push(row as u32);
                    }
                }
                Err(Reject(reason)) => rejected.push(Rejection {
                    row: row as u32,
                    reason,
                }),
            }
        }
        let fields = vec![Field {
            path: ROW.into(),
            values: Column::Utf8(rows),
        }];
        Ok(Output::Rows {
            origins,
            fields,
            rejected,
        })
    }
}

/// A field of a group: its key with the quotes, and the values as [`pieces`] returns them; None if
/// the field is null.
type List<'a> = (&'a str, Option<Vec<(&'a str, &'a str)>>);

/// The fields of a group.
struct Lists<'a> {
    /// Number of its rows.
    len: usize,
    fields: Vec<List<'a>>,
}

impl Lists<'_> {
    /// Appends row number `i`.
    fn write(&self, i: usize, out: &mut String) {
        out.push('{');
        for (n, (key, values)) in self.fields.iter().enumerate() {
            if n > 0 {
                out.push_str(", ");
            }
            out.push_str(key);
            out.push_str(": ");
            out.push_str(values.as_ref().map_or("null", |values| values[i].1));
        }
        out.push('}');
    }
}

fn lists(row: &str) -> Result<Lists<'_>, Reject> {
    let members = pieces(row).ok_or("the row is not an object")?;
    let mut fields: Vec<List<'_>> = Vec::new();
    let mut len: Option<(&str, usize)> = None;
    // The last of equal keys counts.
    let mut last = std::collections::HashMap::new();
    for (i, (key, _)) in members.iter().enumerate() {
        last.insert(*key, i);
    }
    let mut size = 0usize;
    for (_, (key, value)) in members
        .into_iter()
        .enumerate()
        .filter(|(i, (key, _))| last[key] == *i && *key != BATCH_META)
    {
        let values = if value == "null" {
            None
        } else {
            Some(
                pieces(value)
                    .filter(|_| value.starts_with('['))
                    .ok_or_else(|| not_a_list(key))?,
            )
        };
        if let Some(values) = &values {
            match len {
                Some((first, len)) if len != values.len() => {
                    return Err(Reject(format!(
                        "the lists have no one length: {first} has {len} values, {key} has {}",
                        values.len()
                    )));
                }
                _ => len = Some((key, values.len())),
            }
        }
        size += key.len() + 8;
        fields.push((key, values));
    }
    let (_, len) = len.ok_or("no field is a list")?;
    // Keys are written once per row: a long key and a long list would make gigabytes.
    if size.saturating_mul(len) > MAX_KEYS.max(4 * row.len()) {
        return Err(Reject(format!(
            "{len} rows with keys of {size} bytes each are more than can be made of a row of {} bytes",
            row.len()
        )));
    }
    Ok(Lists { len, fields })
}

/// Bytes of keys that a row may always expand to.
const MAX_KEYS: usize = 64 << 20;

fn not_a_list(key: &str) -> Reject {
    Reject(format!("{key} is not a list"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn made(row: &str) -> Result<Vec<String>, String> {
        let mut runner = Runner::new(operator!(NaiveReverseGrouper), "{}").unwrap();
        let rows: Texts = [row].into_iter().collect();
        let batch = Batch {
            row_ids: vec![0],
            fields: vec![Field {
                path: ROW.into(),
                values: Column::Utf8(rows),
            }],
        };
        match runner.process(&batch).unwrap() {
            Output::Rows {
                fields, rejected, ..
            } => match rejected.into_iter().next() {
                Some(rejection) => Err(rejection.reason),
                None => Ok(fields[0]
                    .values
                    .texts()
                    .unwrap()
                    .iter()
                    .map(|row| row.unwrap().to_owned())
                    .collect()),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_stay_as_they_are_spelled() {
        let row = r#"{"text":["a","b\n"] , "n": [1.0, 1e400], "o": [{"x": [1,2]}, null], "nothing": null, "__dj__batch_meta__": {"x": 1}}"#;
        assert_eq!(
            made(row).unwrap(),
            [
                r#"{"text": "a", "n": 1.0, "o": {"x": [1,2]}, "nothing": null}"#,
                r#"{"text": "b\n", "n": 1e400, "o": null, "nothing": null}"#
            ]
        );
        assert_eq!(made(r#"{"a": [], "b": []}"#).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_group_is_rejected() {
        for (row, reason) in [
            (r#"{"a": [1], "b": "x"}"#, "\"b\" is not a list"),
            (r#"{"a": [1], "b": {"c": [1]}}"#, "\"b\" is not a list"),
            (
                r#"{"a": [1, 2], "b": [1]}"#,
                "\"a\" has 2 values, \"b\" has 1",
            ),
            (r#"{"__dj__batch_meta__": [1]}"#, "no field is a list"),
            ("{}", "no field is a list"),
        ] {
            assert!(
                made(row).unwrap_err().contains(reason),
                "{row}: {:?}",
                made(row)
            );
        }
    }

    #[test]
    fn keys_cannot_make_gigabytes() {
        let row = format!(
            r#"{{"{}": [{}1]}}"#,
            "k".repeat(1 << 20),
            "1,".repeat(1 << 20)
        );
        assert!(made(&row).unwrap_err().contains("more than can be made"));
    }
}
