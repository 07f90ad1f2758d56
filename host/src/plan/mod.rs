//! The plan: what a job will do, resolved and immutable. Every mistake of the user is found while
//! it is built.

pub(crate) mod advice;
pub(crate) mod analysis;
mod bounds;
mod build;
pub(crate) mod document;
mod elsewhere;
mod expect;
mod file_params;
mod granted_files;
mod granted_models;
mod grants;
pub(crate) mod lineage_key;
mod names;
mod order;
mod places;
mod prepared;
mod refreshed;
mod segments;
mod stats;
pub(crate) mod text;

use crate::config::OnError;
use crate::data::ReadField;
use crate::wasm::{Kind, OpPool};
use lineage_key::Key;

pub(crate) use bounds::{bound_params, bounds};
pub(crate) use build::{add_fallback, build};
pub(crate) use expect::{Demand, Expect, What};
pub(crate) use grants::{grants_of_params, reads_media};
pub(crate) use places::check_places;
pub use prepared::Prepared;
pub(crate) use segments::{End, Segment};
pub(crate) use stats::{StatsFrom, overlap};

/// One op of the recipe.
pub struct PlannedOp {
    /// Its place in the order in which ops run, from 0; file names and events use the same number.
    pub index: usize,
    /// Its place in `process` as written, from 0.
    pub position: usize,
    /// Its name as written in the recipe.
    pub name: String,
    /// Where it is in the recipe, for messages.
    pub place: String,
    /// Its Wasm instances.
    pub pool: OpPool,
    /// What happens to rows that it cannot process.
    pub on_error: OnError,
    /// Bytes that it may make beyond `output_ratio` times each row in the whole job, in addition to
    /// `output_ratio` times the dataset.
    pub job_output: u64,
    /// Operators that get, one after the other, the rows that it cannot process, as `quarantine
    /// retry` asked for.
    pub fallbacks: Vec<OpPool>,
    /// Key of name, parameters, component and contract version, of its fallbacks too, and of where
    /// its stats come from.
    pub identity: Key,
    /// Where the stats that it is given come from; None if it computes them.
    pub stats_from: Option<StatsFrom>,
    /// The stats that someone reads, where it leaves out others; None if it computes all.
    pub wanted_stats: Option<Vec<String>>,
    /// Fields that it uses and that earlier ops may have changed from inside or outside.
    pub refreshes: Vec<ReadField>,
    /// Why a checkpoint follows it; None if none does.
    pub checkpoint: Option<String>,
}

impl PlannedOp {
    /// Returns what kind of operator it is.
    pub fn kind(&self) -> Kind {
        self.pool.descriptor().kind
    }

    /// Returns whether it is a barrier: it needs the keys of all partitions.
    pub fn is_global(&self) -> bool {
        self.kind().is_global()
    }

    /// Returns whether it makes new rows from the rows of all partitions.
    pub fn is_grouper(&self) -> bool {
        self.kind() == Kind::Grouper
    }

    /// Returns whether rows have other fields, or fields of other types, after it than before it.
    pub fn changes_shape(&self) -> bool {
        self.is_grouper() || self.pool.signature().whole_rows
    }
}

/// What a job will do.
pub struct Plan {
    /// The ops, in order.
    pub ops: Vec<PlannedOp>,
    /// The runs of ops between global ops, in order. The last one ends in the export.
    pub segments: Vec<Segment>,
    /// The fields that the reader extracts from each row of the input.
    pub fields: Vec<ReadField>,
    /// Notes for the user.
    pub notes: Vec<String>,
    /// An analysis: the share of the rows that is looked at. Filters keep all of them, and none goes
    /// into the result. None: a job that processes rows.
    pub analysis: Option<f64>,
    /// Where ops run in another order than that of the recipe, for the user.
    pub order: Vec<String>,
    /// What must hold when the job is done.
    pub expect: Expect,
    /// The plan before each of its fallbacks was added, oldest first.
    pub earlier: Vec<Earlier>,
}

/// A plan with fewer fallbacks. Its results are still valid where the ops that got more fallbacks
/// since then put no row into quarantine.
pub struct Earlier {
    /// Identities of all ops.
    pub identities: Vec<Key>,
    /// The op that got a fallback next.
    pub op: usize,
}

impl Plan {
    /// Returns the number of the first step of a segment. No two steps of the job have the same number,
    /// wherever rows are stored on the way; a grouper's rows are made in one more.
    pub(crate) fn first_stage(&self, segment: usize) -> usize {
        let makes_rows = |end| matches!(end, End::Keys(op) if self.ops[op].is_grouper());
        let before = self.segments[..segment].iter();
        before
            .map(|segment| segment.steps() + usize::from(makes_rows(segment.end)))
            .sum()
    }

    /// Returns the fields to extract from stored rows for op `first` and those after it. They are
    /// the same as for the input, but none is required any more.
    pub fn fields_after(&self, first: usize) -> Vec<ReadField> {
        build::fields(&self.ops[first..], false)
    }

    /// Returns the fields to extract from the rows that op `op` made. Their shape is new, so what
    /// later ops require must be checked.
    pub fn fields_of_new(&self, op: usize) -> Vec<ReadField> {
        build::fields(&self.ops[op + 1..], true)
    }

    /// Returns whether columnar rows become JSON rows on their way: groups and whole rows are made
    /// as text.
    pub fn makes_json_rows(&self) -> bool {
        self.ops.iter().any(PlannedOp::changes_shape)
    }

    /// Returns the memory that the models of all ops take, each of them once, in bytes.
    pub fn model_bytes(&self) -> u64 {
        let mut seen: Vec<&str> = Vec::new();
        let granted = self.ops.iter().flat_map(|op| &op.pool.grants().models);
        granted
            .filter(|granted| {
                let is_new = !seen.contains(&granted.model.digest.as_str());
                seen.push(&granted.model.digest);
                is_new
            })
            .map(|granted| granted.model.info.resident)
            .sum()
    }

    /// Returns the keys under `__dj__stats__` that ops take from the rows of the input.
    pub fn input_stats(&self) -> impl Iterator<Item = &str> {
        build::stats_of_input(&self.ops).map(|s| s.path.as_str())
    }
}
