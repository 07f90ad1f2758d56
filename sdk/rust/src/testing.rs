//! Runs an operator natively over rows, through the same code as in a component: for unit tests and
//! for benches.

use crate::batch::{Batch, Field, Input, OpError, Output, Rejection, Signature};
use crate::blobs::{Blobs, Vectors};
use crate::column::{Column, ColumnType, Lists, Texts};
use crate::op::{Entry, Instance};
use serde_json::Value;

/// One operator with its parameters.
///
/// Methods panic where the operator breaks the contract or a row lacks a required field: they are
/// for tests.
#[derive(Debug)]
pub struct Runner {
    instance: Box<dyn Instance>,
    signature: Signature,
}

/// The result of a filter or a deduplicator.
#[derive(Debug, Clone, PartialEq)]
pub struct Filtered {
    /// Which rows stay.
    pub keep: Vec<bool>,
    /// The stats; the path is the key.
    pub stats: Vec<Field>,
    /// Rows that it cannot judge.
    pub rejected: Vec<Rejection>,
}

impl Filtered {
    /// The values of the stat `key`.
    pub fn stat(&self, key: &str) -> Vec<Option<f64>> {
        let field = self
            .stats
            .iter()
            .find(|f| f.path == key)
            .unwrap_or_else(|| panic!("no stat `{key}`"));
        (0..field.values.len())
            .map(|row| field.values.number(row))
            .collect()
    }
}

impl Runner {
    /// The operator with the parameters, a JSON object.
    ///
    /// # Errors
    /// When the operator refuses the parameters.
    pub fn new(entry: Entry, params: &str) -> Result<Self, OpError> {
        let instance = (entry.create)(params)?;
        let mut signature = instance.signature();
        if signature.whole_rows {
            // As the host does.
            let row = Input::required(crate::ROW, ColumnType::Utf8);
            signature.reads.push(row);
        }
        Ok(Self {
            signature,
            instance,
        })
    }

    /// What the operator reads and writes.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The batch of these rows (JSON objects) as the host would make it.
    pub fn batch(&self, rows: &[Value]) -> Batch {
        let mut fields: Vec<Field> = self
            .signature
            .reads
            .iter()
            .map(|input| field(input, rows))
            .collect();
        for stat in &self.signature.writes_stats {
            let path = format!("{}.{}", crate::STATS, stat.path);
            if rows.iter().any(|row| at(row, &path).is_some()) {
                fields.push(field(&Input::optional(path, stat.column_type), rows));
            }
        }
        Batch {
            row_ids: (0..rows.len() as u64).collect(),
            fields,
        }
    }

    /// The batch of rows that have just a text.
    pub fn text_batch(texts: &[&str]) -> Batch {
        let fields = vec![Field {
            path: "text".into(),
            values: Column::Utf8(texts.iter().copied().collect()),
        }];
        Batch {
            row_ids: (0..texts.len() as u64).collect(),
            fields,
        }
    }

    /// Processes one batch.
    ///
    /// # Errors
    /// When the operator cannot process it.
    pub fn process(&mut self, batch: &Batch) -> Result<Output, OpError> {
        self.instance.process(batch)
    }

    /// Filters texts.
    pub fn filter(&mut self, texts: &[&str]) -> Filtered {
        self.filter_batch(&Self::text_batch(texts))
    }

    /// Filters rows, each a JSON object.
    pub fn filter_json(&mut self, rows: &[&str]) -> Filtered {
        self.filter_batch(&self.batch(&parse(rows)))
    }

    fn filter_batch(&mut self, batch: &Batch) -> Filtered {
        match self.instance.process(batch) {
            Ok(Output::Filtered {
                keep,
                stats,
                rejected,
            }) => Filtered {
                keep: keep.into_iter().map(|k| k == 1).collect(),
                stats,
                rejected,
            },
            other => panic!("not a filter's answer: {other:?}"),
        }
    }

    /// Maps texts.
    pub fn map(&mut self, texts: &[&str]) -> Vec<String> {
        let rows: Vec<Value> = texts
            .iter()
            .map(|&text| serde_json::json!({ "text": text }))
            .collect();
        self.map_rows(&rows)
            .into_iter()
            .map(|row| row["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Maps rows, each a JSON object.
    pub fn map_json(&mut self, rows: &[&str]) -> Vec<String> {
        self.map_rows(&parse(rows))
            .iter()
            .map(Value::to_string)
            .collect()
    }

    fn map_rows(&mut self, rows: &[Value]) -> Vec<Value> {
        let batch = self.batch(rows);
        match self.instance.process(&batch) {
            Ok(Output::Updated { updates, .. }) => {
                let mut out = rows.to_vec();
                for update in updates {
                    let all: Vec<u32> = (0..rows.len() as u32).collect();
                    for (i, &row) in update.rows.as_ref().unwrap_or(&all).iter().enumerate() {
                        set(
                            &mut out[row as usize],
                            &update.path,
                            text_at(&update.values, i),
                        );
                    }
                }
                out
            }
            Ok(Output::Rows {
                origins, fields, ..
            }) => {
                if let [Field { path, values }] = &fields[..]
                    && path == crate::ROW
                {
                    let row = |i| {
                        text_at(values, i)
                            .as_str()
                            .and_then(|row| serde_json::from_str(row).ok())
                    };
                    return (0..origins.len())
                        .map(|i| row(i).expect("a row is JSON"))
                        .collect();
                }
                let mut out: Vec<Value> = origins
                    .iter()
                    .map(|&origin| rows[origin as usize].clone())
                    .collect();
                for field in fields {
                    out.iter_mut()
                        .enumerate()
                        .for_each(|(i, row)| set(row, &field.path, text_at(&field.values, i)));
                }
                out
            }
            other => panic!("not a mapper's answer: {other:?}"),
        }
    }

    /// Which texts stay when the first of each group of duplicates is kept.
    pub fn deduplicate(&mut self, texts: &[&str]) -> Vec<bool> {
        self.deduplicate_near(texts, 0)
    }

    /// The same where fingerprints may differ in `distance` bits ([`Matching::Hamming`](crate::Matching::Hamming)).
    pub fn deduplicate_near(&mut self, texts: &[&str], distance: u32) -> Vec<bool> {
        self.deduplicate_batch(&Self::text_batch(texts), distance)
            .keep
    }

    /// The same for rows, each a JSON object. There are no stats.
    pub fn deduplicate_json(&mut self, rows: &[&str], distance: u32) -> Filtered {
        self.deduplicate_batch(&self.batch(&parse(rows)), distance)
    }

    fn deduplicate_batch(&mut self, batch: &Batch, distance: u32) -> Filtered {
        match self.instance.process(batch) {
            Ok(Output::Fingerprints {
                width,
                per_row,
                data,
                validity,
                rejected,
            }) => {
                let bands = per_row as usize;
                let print = |row: usize, band: usize| {
                    &data[(row * bands + band) * width as usize..][..width as usize]
                };
                let near = |a: &[u8], b: &[u8]| {
                    a.iter()
                        .zip(b)
                        .map(|(a, b)| (a ^ b).count_ones())
                        .sum::<u32>()
                        <= distance
                };
                let has = |row: usize| {
                    validity
                        .as_ref()
                        .is_none_or(|bits| bits[row / 8] >> (row % 8) & 1 == 1)
                };
                let mut group: Vec<usize> = (0..batch.rows()).collect();
                for row in 0..batch.rows() {
                    for earlier in 0..row {
                        if has(row)
                            && has(earlier)
                            && (0..bands).any(|band| near(print(row, band), print(earlier, band)))
                        {
                            let (from, to) = (
                                group[row].max(group[earlier]),
                                group[row].min(group[earlier]),
                            );
                            group
                                .iter_mut()
                                .filter(|g| **g == from)
                                .for_each(|g| *g = to);
                        }
                    }
                }
                let keep = group
                    .iter()
                    .enumerate()
                    .map(|(row, &first)| row == first)
                    .collect();
                Filtered {
                    keep,
                    stats: Vec::new(),
                    rejected,
                }
            }
            other => panic!("not a deduplicator's answer: {other:?}"),
        }
    }

    /// Maps texts by the number of texts with their keys, for a deduplicator that counts keys.
    pub fn map_by_counts(&mut self, texts: &[&str]) -> Vec<String> {
        let mut batch = Self::text_batch(texts);
        let lists = match self.instance.process(&batch) {
            Ok(Output::Keys {
                keys: Column::Utf8List(lists),
                ..
            }) => lists,
            other => panic!("not lists of keys: {other:?}"),
        };
        let mut rows_with = std::collections::HashMap::<&str, f64>::new();
        for row in 0..texts.len() {
            let keys: std::collections::HashSet<&str> =
                lists.strings(row).filter(|key| !key.is_empty()).collect();
            keys.into_iter()
                .for_each(|key| *rows_with.entry(key).or_default() += 1.0);
        }
        let (mut offsets, mut counts) = (vec![0], Vec::new());
        for row in 0..texts.len() {
            counts.extend(
                lists
                    .strings(row)
                    .map(|key| rows_with.get(key).copied().unwrap_or_default()),
            );
            offsets.push(counts.len() as u32);
        }
        let values = Column::F64List(
            Lists::<Vec<f64>>::new(offsets, counts, None).expect("a count per key"),
        );
        batch.fields.push(Field {
            path: crate::COUNTS.into(),
            values,
        });
        let mut out: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        match self.instance.process(&batch) {
            Ok(Output::Updated { updates, .. }) => {
                for update in updates {
                    let all: Vec<u32> = (0..texts.len() as u32).collect();
                    for (i, &row) in update.rows.as_ref().unwrap_or(&all).iter().enumerate() {
                        out[row as usize] = text_at(&update.values, i)
                            .as_str()
                            .unwrap_or_default()
                            .to_owned();
                    }
                }
            }
            other => panic!("not new values: {other:?}"),
        }
        out
    }

    /// Which rows, each a JSON object, a selector keeps.
    ///
    /// # Errors
    /// When it cannot choose.
    pub fn select_json(&mut self, rows: &[&str]) -> Result<Vec<bool>, OpError> {
        let batch = self.batch(&parse(rows));
        match self.instance.process(&batch)? {
            Output::Keys { keys, .. } => Ok(self
                .instance
                .select(&keys)?
                .into_iter()
                .map(|k| k == 1)
                .collect()),
            other => panic!("not a selector's answer: {other:?}"),
        }
    }

    /// For a grouper: the groups of rows, each a JSON object, by row number and in the order of
    /// their first rows. A rejected row is in none.
    ///
    /// # Errors
    /// When it cannot compute keys.
    pub fn group_json(&mut self, rows: &[&str]) -> Result<Vec<Vec<usize>>, OpError> {
        let batch = self.batch(&parse(rows));
        let Output::Keys { keys, rejected } = self.instance.process(&batch)? else {
            panic!("not a grouper's answer")
        };
        let keys = keys.texts().expect("keys that are strings");
        let mut places = std::collections::HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for row in (0..rows.len()).filter(|row| rejected.iter().all(|r| r.row as usize != *row)) {
            let place = *places.entry(keys.get(row)).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Vec::new());
            }
            groups[place].push(row);
        }
        Ok(groups)
    }
}

fn parse(rows: &[&str]) -> Vec<Value> {
    rows.iter()
        .map(|row| {
            serde_json::from_str(row).unwrap_or_else(|error| panic!("`{row}` is not JSON: {error}"))
        })
        .collect()
}

/// The value at a path, None if it is absent or null.
fn at<'a>(row: &'a Value, path: &str) -> Option<&'a Value> {
    row.get(path)
        .or_else(|| path.split('.').try_fold(row, |value, name| value.get(name)))
        .filter(|value| !value.is_null())
}

fn field(input: &Input, rows: &[Value]) -> Field {
    if input.path == crate::ROW {
        let texts: Vec<String> = rows.iter().map(Value::to_string).collect();
        return Field {
            path: input.path.clone(),
            values: Column::Utf8(texts.iter().map(String::as_str).collect()),
        };
    }
    let values: Vec<Option<&Value>> = rows.iter().map(|row| at(row, &input.path)).collect();
    if input.required {
        let missing = values.iter().position(Option::is_none);
        assert!(missing.is_none(), "row {missing:?} has no `{}`", input.path);
    }
    let values = match input.column_type {
        ColumnType::Utf8 => {
            Column::Utf8(values.iter().map(|v| v.and_then(Value::as_str)).collect())
        }
        ColumnType::Json => {
            let texts: Vec<Option<String>> =
                values.iter().map(|v| v.map(Value::to_string)).collect();
            Column::Json(texts.iter().map(Option::as_deref).collect())
        }
        ColumnType::F64 => Column::F64(values.iter().map(|v| v.and_then(Value::as_f64)).collect()),
        ColumnType::S64 => Column::S64(values.iter().map(|v| v.and_then(Value::as_i64)).collect()),
        ColumnType::Boolean => Column::Boolean(
            values
                .iter()
                .map(|v| v.and_then(Value::as_bool).map(u8::from))
                .collect(),
        ),
        ColumnType::Utf8List => {
            let (offsets, elements) = flat(&values);
            let texts: Texts = elements.iter().filter_map(|v| v.as_str()).collect();
            Column::Utf8List(
                Lists::<Texts>::new(offsets, texts, validity(&values)).expect("a list of strings"),
            )
        }
        ColumnType::F64List => {
            let (offsets, elements) = flat(&values);
            let numbers: Vec<f64> = elements.iter().filter_map(|v| v.as_f64()).collect();
            Column::F64List(
                Lists::<Vec<f64>>::new(offsets, numbers, validity(&values))
                    .expect("a list of numbers"),
            )
        }
        ColumnType::S64List => {
            let (offsets, elements) = flat(&values);
            let numbers: Vec<i64> = elements.iter().filter_map(|v| v.as_i64()).collect();
            Column::S64List(
                Lists::<Vec<i64>>::new(offsets, numbers, validity(&values))
                    .expect("a list of whole numbers"),
            )
        }
        ColumnType::Bytes => {
            let bytes: Vec<Option<Vec<u8>>> = values.iter().map(|v| v.map(from_hex)).collect();
            Column::Bytes(bytes.iter().map(Option::as_deref).collect())
        }
        ColumnType::BytesList => {
            let (offsets, elements) = flat(&values);
            let mut bytes = Blobs::default();
            elements.iter().for_each(|v| bytes.push(&from_hex(v)));
            Column::BytesList(
                Lists::<Blobs>::new(offsets, bytes, validity(&values)).expect("a list of bytes"),
            )
        }
        ColumnType::Vector(width) => {
            let vector = |value: &Option<&Value>| -> Vec<f32> {
                let numbers = value.and_then(Value::as_array).into_iter().flatten();
                let mut vector: Vec<f32> = numbers
                    .filter_map(Value::as_f64)
                    .map(|v| v as f32)
                    .collect();
                vector.resize(width as usize, 0.0);
                vector
            };
            let numbers = values.iter().flat_map(vector).collect();
            Column::Vector(Vectors::new(width, numbers, validity(&values)).expect("vectors"))
        }
    };
    Field {
        path: input.path.clone(),
        values,
    }
}

/// Bytes in JSON are hexadecimal digits.
fn from_hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap_or_default().as_bytes();
    let digit = |d: u8| (d as char).to_digit(16).expect("a hexadecimal digit") as u8;
    digits
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

/// The bits of the values that are not null.
fn validity(values: &[Option<&Value>]) -> Option<Vec<u8>> {
    let mut bits = vec![0u8; values.len().div_ceil(8)];
    values
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_some())
        .for_each(|(i, _)| bits[i / 8] |= 1 << (i % 8));
    Some(bits)
}

/// The elements of all lists, and the offsets of each list among them.
fn flat<'a>(lists: &[Option<&'a Value>]) -> (Vec<u32>, Vec<&'a Value>) {
    let (mut offsets, mut elements) = (vec![0], Vec::new());
    for list in lists {
        elements.extend(list.and_then(Value::as_array).into_iter().flatten());
        offsets.push(elements.len() as u32);
    }
    (offsets, elements)
}

fn text_at(column: &Column, i: usize) -> Value {
    match column {
        Column::Utf8(texts) => texts.get(i).into(),
        Column::Json(texts) => texts
            .get(i)
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or(Value::Null),
        other => other.number(i).into(),
    }
}

fn set(row: &mut Value, path: &str, value: Value) {
    let mut place = row;
    for name in path.split('.') {
        place = &mut place[name];
    }
    *place = value;
}
