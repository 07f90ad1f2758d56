//! Records what becomes of rows while tasks run; [`rundir::trace`](crate::rundir::trace) has the
//! table and says which files count.
//!
//! # How the hard cases are exact
//!
//! - **Batches.** An entry says something about one row and one op, and operators judge a row for
//!   itself. Where several rows have one id, [`Ordinals`] number them in the order in which they come
//!   to the op, across batches.
//! - **Tasks.** Each op of a partition is done by one task, which records it. A task that starts at a
//!   checkpoint records nothing of what came before: the account of the checkpoint names the files.
//!   So where tasks begin and end changes files, not the table.
//! - **Batches that go on to later tasks** (`exec/stage.rs`) enter each task once, in order.
//! - **Masks** of global ops are applied whenever rows are read, perhaps several times. Nothing is
//!   recorded then: the barrier has recorded it ([`barrier`]), with the ids that its keys have.
//! - **Groups.** A row that becomes part of the group of an earlier row is `grouped` with that row as
//!   its partner; the group has the id of its first row. The entry is in the file of the member's
//!   partition.
//! - **Ops that count keys** are called again with counts where rows are read; what they put into
//!   quarantine then is recorded by the task that accounts for it, once ([`Masked`]).
//! - **Fallbacks** of `quarantine retry` answer in place of the op: the entries are the op's. Results
//!   from before that stay valid keep their files.
//! - **Filters that only decide** (`plan/stats.rs`) leave out the stats that nobody reads. Those of
//!   rows that they drop are computed afterwards by an instance that is told nothing of this
//!   ([`explain`]): most rows stay, so most of the gain does, too. Rows that stay have no such stat
//!   with `trace: all`, and with `trace: stats` nothing is left out.
//!   The filter has mostly computed the stat of such a row anyway, where it could not decide by less;
//!   so a filter takes at most twice its time on the rows that it drops.
//! - **`reorder`.** Ops are numbered in the order in which they run, as everywhere; the document says
//!   where each is in the recipe.
//!
//! [`Masked`]: super::apply_masks::Masked

pub(crate) mod barrier;
mod explain;
mod ordinals;
mod recorder;
mod samples;

pub(crate) use ordinals::Ordinals;
pub(crate) use recorder::Recorder;
pub(crate) use samples::text_of;

use arrow::datatypes::{DataType, Field};

use crate::data::FieldType;
use crate::data::columns::convert::data_type;
use crate::plan::Plan;
use crate::rundir::trace::StatColumns;

/// What a job records.
#[derive(Debug, Clone)]
pub(crate) struct Tracing {
    /// Whether rows that stay are recorded, too.
    pub(crate) all: bool,
    /// Number of samples per mapper.
    pub(crate) samples: usize,
    /// By op: whether samples are kept.
    pub(crate) sampled: Vec<bool>,
    /// The columns of stats.
    pub(crate) stats: StatColumns,
}

impl Tracing {
    /// Records for the ops of `plan`. `sampled`: names of the mappers that are sampled; empty: all.
    pub(crate) fn new(plan: &Plan, all: bool, samples: u64, sampled: &[String]) -> Self {
        let mut stats = StatColumns::default();
        for op in &plan.ops {
            for stat in &op.pool.signature().writes_stats {
                stats.add(&stat.path, &arrow_type(stat.ty));
            }
        }
        let is_sampled = |name: &String| sampled.is_empty() || sampled.contains(name);
        Self {
            all,
            samples: samples as usize,
            sampled: plan.ops.iter().map(|op| is_sampled(&op.name)).collect(),
            stats,
        }
    }
}

/// The type of stats that are declared as `ty`.
fn arrow_type(ty: FieldType) -> DataType {
    let list = |item| DataType::List(std::sync::Arc::new(Field::new_list_field(item, true)));
    match ty {
        FieldType::Utf8 | FieldType::Json => DataType::Utf8,
        FieldType::F64 => DataType::Float64,
        FieldType::S64 => DataType::Int64,
        FieldType::Boolean => DataType::Boolean,
        FieldType::Utf8List => list(DataType::Utf8),
        FieldType::F64List => list(DataType::Float64),
        FieldType::S64List => list(DataType::Int64),
        FieldType::Bytes => DataType::Binary,
        FieldType::BytesList => list(DataType::Binary),
        FieldType::Vector(_) => data_type(ty),
    }
}
