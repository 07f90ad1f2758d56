//! The plan: what will be done, resolved and immutable. All mistakes of the user surface while it
//! is built.

pub(crate) mod advice;
mod build;
pub(crate) mod document;
mod granted_files;
mod grants;
pub(crate) mod lineage_key;
mod places;
mod prepared;
mod segments;
mod stats;
pub(crate) mod text;

use crate::config::OnError;
use crate::data::ReadField;
use crate::wasm::{Kind, OpPool};
use lineage_key::Key;

pub(crate) use build::{add_fallback, build};
pub(crate) use grants::{grants_of_params, reads_media};
pub(crate) use places::check_places;
pub use prepared::Prepared;
pub(crate) use segments::{End, Segment};
pub(crate) use stats::{StatsFrom, overlap};

/// One op of the recipe.
pub struct PlannedOp {
    /// Its 0-based place in the recipe; the same number in file names and events.
    pub index: usize,
    /// Its name as written in the recipe.
    pub name: String,
    /// Where it stands in the recipe, for messages.
    pub place: String,
    /// Its instances.
    pub pool: OpPool,
    /// What happens to rows that it cannot process.
    pub on_error: OnError,
    /// Bytes beyond `output_ratio` times each row that it may make in the whole job, apart from as
    /// many times the dataset.
    pub job_output: u64,
    /// Operators that get, one after the other, the rows that it cannot process: what `quarantine
    /// retry` asked for.
    pub fallbacks: Vec<OpPool>,
    /// Name, parameters, component and contract version, of the fallbacks too, and where its stats
    /// come from.
    pub identity: Key,
    /// Where the stats come from that it is given; None = it computes them.
    pub stats_from: Option<StatsFrom>,
    /// Fields that it uses and that earlier ops may have changed from inside or outside.
    pub refreshes: Vec<ReadField>,
    /// Why a checkpoint follows it; None = none follows.
    pub checkpoint: Option<String>,
}

impl PlannedOp {
    /// What it does with rows.
    pub fn kind(&self) -> Kind {
        self.pool.descriptor().kind
    }

    /// Whether it is a barrier on the keys of all partitions.
    pub fn is_global(&self) -> bool {
        self.kind().is_global()
    }

    /// Whether it makes new rows of the rows of all partitions.
    pub fn is_grouper(&self) -> bool {
        self.kind() == Kind::Grouper
    }

    /// Whether rows have other fields, or fields of other types, behind it than before it.
    pub fn changes_shape(&self) -> bool {
        self.is_grouper() || self.pool.descriptor().rewrites_rows()
    }
}

/// What will be done.
pub struct Plan {
    /// The ops in order.
    pub ops: Vec<PlannedOp>,
    /// The runs of ops between global ops, in order; the last one ends in the export.
    pub segments: Vec<Segment>,
    /// What the reader takes out of each row of the input.
    pub fields: Vec<ReadField>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// What the plan was before each of its fallbacks was added, the oldest first.
    pub earlier: Vec<Earlier>,
}

/// A plan with fewer fallbacks: what it made is good where no row was put into quarantine by the
/// ops that have got more.
pub struct Earlier {
    /// Of all ops.
    pub identities: Vec<Key>,
    /// The op that got a fallback then.
    pub op: usize,
}

impl Plan {
    /// Fields to take out of stored rows for op `first` and those after it: the same as from the
    /// input, but none is required any more.
    pub fn fields_after(&self, first: usize) -> Vec<ReadField> {
        build::fields(&self.ops[first..], false)
    }

    /// Fields to take out of the rows that op `op` has made, which have another shape than those
    /// before: what later ops require is looked for.
    pub fn fields_of_new(&self, op: usize) -> Vec<ReadField> {
        build::fields(&self.ops[op + 1..], true)
    }

    /// Whether rows of columns become JSON rows on their way: groups and whole rows are made as
    /// text.
    pub fn makes_json_rows(&self) -> bool {
        self.ops.iter().any(PlannedOp::changes_shape)
    }

    /// Keys under `__dj__stats__` that ops are given as the rows of the input have them.
    pub fn input_stats(&self) -> impl Iterator<Item = &str> {
        build::stats_of_input(&self.ops).map(|s| s.path.as_str())
    }
}
