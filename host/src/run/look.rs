//! Looks at some rows before the work begins: if operators read a field that no row has, its name
//! is most likely misspelt.

use std::collections::BTreeSet;

use anyhow::Result;
use arrow::array::Array;
use arrow::datatypes::DataType;

use crate::config::{OpSpec, Resolved};
use crate::data::input::describe::guarded;
use crate::data::input::parquet_pages::RowGroups;
use crate::data::{Batch, Dataset, FieldType, Format, ReadField, ReadOptions, STATS, read};
use crate::error::did_you_mean;
use crate::partition::{SplitBy, split};
use crate::plan::{Plan, PlannedOp, overlap};
use crate::term::count;
use crate::wasm::Input;
use crate::wasm::contract::ROW;

/// Number of places in the dataset that are looked at, and number of rows at each.
const PLACES: u32 = 16;
const ROWS: usize = 64;
/// Number of names that a message shows.
const SHOWN: usize = 12;

/// Returns a sentence for each field that an op reads but that no earlier op writes and no sampled
/// row has. Returns nothing if the sample cannot be read.
pub fn unmet_fields(resolved: &Resolved, plan: &Plan, dataset: &Dataset) -> Vec<String> {
    let wanted = wanted(plan);
    if wanted.is_empty() || !dataset.is_splittable() || dataset.bytes() == 0 {
        return Vec::new();
    }
    if footer_has(dataset, wanted.iter().map(|(_, read)| read.path.as_str())) {
        return Vec::new();
    }
    // Errors in the dataset are reported by the tasks, which read all of it.
    let sample =
        Sample::of(dataset, wanted.iter().map(|(_, read)| read.path.as_str())).unwrap_or_default();
    if sample.rows == 0 {
        return Vec::new();
    }
    let is_absent = |read: &Input| !sample.present.contains(&read.path);
    let mut sentences = Vec::new();
    for op in &plan.ops {
        let of_op: Vec<&Input> = wanted
            .iter()
            .filter(|(index, _)| *index == op.index)
            .map(|(_, read)| *read)
            .collect();
        let all_absent = of_op.len() == op.pool.signature().reads.len()
            && of_op.iter().all(|read| is_absent(read));
        for read in of_op.into_iter().filter(|read| is_absent(read)) {
            if read.required || all_absent || is_named(&resolved.ops[op.index], &read.path) {
                sentences.push(sample.sentence(op, read));
            }
        }
    }
    sentences
}

/// Whether the footer of the first Parquet file says that all of `paths` have values: then no page
/// needs to be decoded.
fn footer_has<'a>(dataset: &Dataset, mut paths: impl Iterator<Item = &'a str>) -> bool {
    let first = dataset.files.first();
    let Some(file) = first.filter(|file| file.format == Format::Parquet) else {
        return false;
    };
    let groups = guarded(&file.shown().to_string(), || RowGroups::open(file));
    groups.is_ok_and(|groups| paths.all(|path| groups.has_values(path)))
}

/// Returns the fields of the input that ops read, with the number of the op.
fn wanted(plan: &Plan) -> Vec<(usize, &Input)> {
    let mut wanted = Vec::new();
    let mut written: Vec<String> = Vec::new();
    for op in &plan.ops {
        let signature = op.pool.signature();
        let is_own = |read: &Input| {
            !read.required
                && signature
                    .writes
                    .iter()
                    .any(|write| overlap(&write.path, &read.path))
        };
        let reads = signature
            .reads
            .iter()
            .filter(|read| read.path != ROW && !is_own(read));
        wanted.extend(
            reads
                .filter(|read| !written.iter().any(|path| overlap(path, &read.path)))
                .map(|read| (op.index, read)),
        );
        if op.changes_shape() {
            break;
        }
        written.extend(signature.writes.iter().map(|write| write.path.clone()));
        written.extend(
            signature
                .writes_stats
                .iter()
                .map(|stat| format!("{STATS}.{}", stat.path)),
        );
    }
    wanted
}

/// Returns whether the recipe names this path in the operator's parameters, alone or in an
/// expression.
fn is_named(spec: &OpSpec, path: &str) -> bool {
    fn within(value: &serde_json::Value, path: &str) -> bool {
        match value {
            serde_json::Value::String(text) => text.contains(path),
            serde_json::Value::Array(list) => list.iter().any(|value| within(value, path)),
            serde_json::Value::Object(map) => map.values().any(|value| within(value, path)),
            _ => false,
        }
    }
    let host = &spec.host;
    let keys = [
        &host.text_key,
        &host.image_key,
        &host.image_bytes_key,
        &host.audio_key,
        &host.video_key,
    ];
    spec.params.values().any(|value| within(value, path))
        || keys.into_iter().flatten().any(|key| key == path)
}

/// What a sample of the rows has.
#[derive(Default)]
struct Sample {
    rows: usize,
    /// The paths looked for that some row has.
    present: BTreeSet<String>,
    /// Paths of all fields of the sampled rows, members of objects included.
    names: Vec<String>,
}

impl Sample {
    fn of<'a>(dataset: &Dataset, paths: impl Iterator<Item = &'a str>) -> Result<Self> {
        let paths: BTreeSet<&str> = paths.collect();
        let field = |path: &&str| ReadField {
            path: (*path).to_owned(),
            ty: FieldType::Json,
            required: false,
        };
        let mut options = ReadOptions::new(paths.iter().map(field).collect());
        options.batch_bytes = 64 << 10;
        if dataset.is_pages() {
            options.max_row_bytes = 4 << 20;
        }
        let mut sample = Self::default();
        // All pages have the same fields, and each takes a while to unpack.
        let places = if dataset.is_pages() { 2 } else { PLACES };
        for piece in split(dataset, SplitBy::Count(places))?
            .iter()
            .filter(|piece| !piece.slices.is_empty())
        {
            let Some(block) = read(dataset, piece, &options)?.next() else {
                continue;
            };
            let batch = block?.batch;
            sample.look_at(&batch.slice(0, batch.rows().min(ROWS)), &paths);
        }
        Ok(sample)
    }

    fn look_at(&mut self, batch: &Batch, paths: &BTreeSet<&str>) {
        self.rows += batch.rows();
        for path in paths {
            if batch
                .column(path)
                .is_some_and(|column| column.data.null_count() < batch.rows())
            {
                self.present.insert((*path).to_owned());
            }
        }
        let Some(raw) = &batch.raw else {
            let read = batch.columns.iter().filter(|column| {
                !paths.contains(column.path.as_str()) || self.present.contains(&column.path)
            });
            let names: Vec<String> = read
                .flat_map(|column| {
                    names_of(
                        &column.path,
                        column.native.as_ref().unwrap_or(&column.data).data_type(),
                    )
                })
                .collect();
            return names.into_iter().for_each(|name| self.name(name));
        };
        for row in raw.iter().flatten() {
            let Ok(row) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(row)
            else {
                continue;
            };
            for (name, value) in row {
                if let serde_json::Value::Object(members) = value {
                    members
                        .keys()
                        .for_each(|member| self.name(format!("{name}.{member}")));
                }
                self.name(name);
            }
        }
    }

    fn name(&mut self, name: String) {
        // In some datasets keys are data and their number has no bound: 1000 are enough.
        if self.names.len() < 1000 && !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    fn sentence(&self, op: &PlannedOp, read: &Input) -> String {
        let path = &read.path;
        let outer = |name: &&String| !name.contains('.') || path.contains('.');
        let shown: Vec<String> = self
            .names
            .iter()
            .filter(outer)
            .take(SHOWN)
            .map(|name| format!("`{}`", crate::sanitize::printable(name)))
            .collect();
        let near = did_you_mean(path, self.names.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| {
            format!(": did you mean `{}`?", crate::sanitize::printable(near))
        });
        let verb = if read.required { "requires" } else { "reads" };
        let rows = if self.rows == 1 {
            "the row looked at has no value there".to_owned()
        } else {
            format!(
                "none of the {} rows looked at has it",
                count(self.rows as u64)
            )
        };
        format!(
            "op {} `{}` {verb} the field `{path}`, but {rows}; fields there are {}{near}",
            op.index,
            op.name,
            shown.join(", ")
        )
    }
}

/// Adds the path of a column and, if it is a struct, of its members.
fn names_of(path: &str, data_type: &DataType) -> Vec<String> {
    let mut names = vec![path.to_owned()];
    if let DataType::Struct(members) = data_type {
        names.extend(
            members
                .iter()
                .map(|member| format!("{path}.{}", member.name())),
        );
    }
    names
}
