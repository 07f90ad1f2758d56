//! Makes the rows of a grouper: one from the rows of each group, which lie anywhere in the dataset.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use arrow::array::{Array, BinaryViewArray, UInt64Array};

use super::context::TaskContext;
use super::meter::Timer;
use super::segment;
use super::sink::Times;
use super::task::commit_rows;
use crate::checkpoint::{Manifest, Memo, RowFile, WrittenRows};
use crate::data::batch::split_id;
use crate::data::{Batch, FieldType, Grouped, ReadField, extract};
use crate::error::{Final, Stopped};
use crate::global::Groups;

/// Maximum of files that a task keeps open.
const OPEN: usize = 64;

/// Writes and commits the rows of grouper `op` whose first members are rows of partition `p`.
/// `groups` is the manifest of its groups; `members` are the manifests of the key files of all
/// partitions, which contain the rows.
pub(crate) fn gather(
    env: &TaskContext<'_>,
    (op, p): (usize, usize),
    groups: &Manifest,
    members: &[Manifest],
) -> Result<Manifest> {
    let timer = Timer::start();
    segment::bring(env, groups)?;
    let path = env.store.paths.checkpoints().join(&groups.data);
    let bytes =
        std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut rows = Rows::of(env, members);
    let mut out = Out {
        env,
        written: env.store.rows(op, p)?,
        rows: Vec::new(),
        ids: Vec::new(),
        bytes: 0,
    };
    let mut row = Vec::new();
    Groups::each(&bytes, |members| {
        let (mut group, all) = (Grouped::default(), members.len());
        let mut leader = None;
        for member in members {
            let id = rows.get(member?, &mut row)?;
            leader.get_or_insert_with(|| (id, row.clone()));
            group.add(&row)?;
            if group.bytes() > env.read.max_row_bytes as u64 {
                let (id, first) = leader.unwrap_or_default();
                return Err(Final(too_large(env, op, (id, &first), group.rows(), all)).into());
            }
            if group.rows().is_multiple_of(1024) && env.stop.requested() {
                return Err(Stopped.into());
            }
        }
        let (id, _) = leader.context("internal error: a group without rows")?;
        out.push(id, group.finish())
    })
    .with_context(|| format!("op {op} `{}`", env.plan.ops[op].name))?;
    out.flush()?;
    let (writing, cpu) = timer.seconds();
    commit_rows(
        env,
        out.written,
        p,
        op,
        &groups.account,
        Times {
            writing,
            cpu,
            stalled: 0.0,
        },
    )
}

/// Reads rows of all partitions by their number in the dataset.
struct Rows<'a> {
    env: &'a TaskContext<'a>,
    members: &'a [Manifest],
    /// Number of the first row of each partition, and of the row after the last.
    starts: Vec<u64>,
    open: HashMap<usize, RowFile>,
}

impl<'a> Rows<'a> {
    fn of(env: &'a TaskContext<'a>, members: &'a [Manifest]) -> Self {
        let mut starts = vec![0];
        starts.extend(members.iter().scan(0, |end, manifest| {
            *end += manifest.rows;
            Some(*end)
        }));
        Self {
            env,
            members,
            starts,
            open: HashMap::new(),
        }
    }

    /// Reads the row into `out`; returns its id.
    fn get(&mut self, row: u64, out: &mut Vec<u8>) -> Result<u64> {
        let q = self.starts.partition_point(|start| *start <= row) - 1;
        ensure!(
            q < self.members.len(),
            "internal error: there is no row {row}"
        );
        if self.open.len() >= OPEN && !self.open.contains_key(&q) {
            self.open.clear();
        }
        let file = match self.open.entry(q) {
            std::collections::hash_map::Entry::Occupied(file) => file.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                segment::bring(self.env, &self.members[q])?;
                place.insert(RowFile::open(
                    &self
                        .env
                        .store
                        .paths
                        .checkpoints()
                        .join(&self.members[q].data),
                )?)
            }
        };
        file.row(row - self.starts[q], out)
    }
}

/// New rows on their way to the checkpoint.
struct Out<'a> {
    env: &'a TaskContext<'a>,
    written: WrittenRows,
    rows: Vec<Vec<u8>>,
    ids: Vec<u64>,
    bytes: usize,
}

impl Out<'_> {
    fn push(&mut self, id: u64, row: Vec<u8>) -> Result<()> {
        self.bytes += row.len();
        self.rows.push(row);
        self.ids.push(id);
        if self.bytes >= self.env.read.batch_bytes {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<()> {
        if self.env.stop.requested() {
            return Err(Stopped.into());
        }
        if self.rows.is_empty() {
            return Ok(());
        }
        let raw = BinaryViewArray::from_iter_values(std::mem::take(&mut self.rows));
        let batch = Batch {
            ids: UInt64Array::from(std::mem::take(&mut self.ids)),
            // The input has other rows at the places of their ids.
            origin: Some(BinaryViewArray::new_null(raw.len())),
            raw: Some(raw),
            stored: None,
            columns: Vec::new(),
            stats: Vec::new(),
        };
        self.bytes = 0;
        self.written.write(&batch, &mut Memo::default())
    }
}

/// The error that names the group and says what the user can do.
fn too_large(
    env: &TaskContext<'_>,
    op: usize,
    (id, first): (u64, &[u8]),
    rows: u64,
    all: usize,
) -> String {
    let planned = &env.plan.ops[op];
    let reads: Vec<ReadField> = planned
        .pool
        .signature()
        .reads
        .iter()
        .map(|read| ReadField {
            path: read.path.clone(),
            ty: FieldType::Json,
            required: false,
        })
        .collect();
    let columns = extract(&BinaryViewArray::from_iter_values([first]), &reads)
        .map(|e| e.columns)
        .unwrap_or_default();
    let values: Vec<String> = columns
        .iter()
        .map(|column| {
            use arrow::array::AsArray;
            let texts = column.data.as_string_view();
            let text: String = if texts.is_null(0) {
                "null".into()
            } else {
                texts.value(0).chars().take(80).collect()
            };
            format!("`{}` = {text}", column.path)
        })
        .collect();
    let (file, offset) = split_id(id);
    let file = env
        .dataset
        .files
        .get(file)
        .map(|f| f.shown().to_string())
        .unwrap_or_default();
    let unit = if env.dataset.is_columnar() {
        "row"
    } else {
        "byte"
    };
    let of = if values.is_empty() {
        String::new()
    } else {
        format!(" with {}", values.join(", "))
    };
    format!(
        "it makes one row of {all} rows{of}, the first of them at {unit} {offset} of `{file}`, and with {rows} of them this has more than {} MiB. Raise \
         `max_row_mb`, or group by something that fewer rows have in common",
        env.read.max_row_bytes >> 20
    )
}
