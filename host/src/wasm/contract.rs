//! What operators declare and answer, independent of the version of the WIT contract.

use std::time::Duration;

use arrow::array::{ArrayRef, BooleanArray, ListArray, UInt32Array};
use serde::Serialize;

use crate::data::{FieldType, Stat};

/// The field in which an operator that counts keys receives their counts.
pub(crate) const COUNTS: &str = "__dj__counts__";

/// The field in which a deduplicator that asks for keys seen before receives what was found.
pub(crate) const SEEN: &str = "__dj__seen__";

/// The field in which a mapper that makes no row of one says why.
pub(crate) const DROPPED: &str = "__dj__dropped__";

/// The field in which an operator that rewrites whole rows receives and returns a row.
pub(crate) const ROW: &str = "__dj__row__";

/// What an operator does with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Decides for each row whether it stays, and computes stats.
    Filter,
    /// Changes fields, or makes 0..n rows of each row.
    Mapper,
    /// Computes fingerprints for finding duplicates over the whole dataset.
    Deduplicator,
    /// Returns a key per row, then chooses among the keys of the whole dataset.
    Selector,
    /// Returns a key per row; all rows of the dataset with the same key become one.
    Grouper,
}

impl Kind {
    /// Whether the operator needs all rows of the dataset before any can pass: a barrier on keys.
    pub fn is_global(self) -> bool {
        matches!(self, Kind::Deduplicator | Kind::Selector | Kind::Grouper)
    }

    /// The name shown to users.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Filter => "filter",
            Kind::Mapper => "mapper",
            Kind::Deduplicator => "deduplicator",
            Kind::Selector => "selector",
            Kind::Grouper => "grouper",
        }
    }
}

/// How a deduplicator finds what to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matching {
    /// Rows with equal fingerprints are duplicates.
    Equal,
    /// Fingerprints of duplicates differ in at most as many bits as this parameter says.
    Hamming(String),
    /// It changes rows by the number of rows with their keys, and drops none.
    Counted,
    /// It changes rows by what of them earlier rows have.
    Seen,
}

/// What an operator can do beyond its kind, which the host then asks of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traits {
    /// A filter that is told which of its stats are wanted, and may leave out the others.
    pub leaves_out_stats: bool,
    /// A mapper that says why it makes no row of one.
    pub gives_drop_reasons: bool,
    /// A deduplicator whose parameters `keep`, `cluster_id_field` and `cluster_size_field` are the
    /// host's.
    pub takes_clusters: bool,
    /// It takes `NaN`, `Infinity` and `-Infinity` in JSON texts, and may answer with them.
    pub json_constants: bool,
}

/// What an operator needs beyond its batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// Files that rows name.
    pub media: bool,
    /// Files or directories that parameters name.
    pub files: bool,
    /// Models that parameters name.
    pub models: bool,
}

impl Needs {
    /// The names of those that it needs.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (self.media, "media"),
            (self.files, "files"),
            (self.models, "models"),
        ];
        all.into_iter().filter_map(|(is, name)| is.then_some(name))
    }
}

/// What the host wants of an operator that can do more than its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The keys of the stats that someone reads; None: of all.
    pub(crate) stats: Option<Vec<String>>,
    /// Whether a mapper is to say why it makes no row of one.
    pub(crate) drop_reasons: bool,
}

/// The work per row, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cost {
    /// Memory speed.
    Light,
    /// Tens of MB/s.
    Medium,
    /// Less than about 10 MB/s.
    Heavy,
}

impl Cost {
    /// The name shown to users.
    pub fn as_str(self) -> &'static str {
        match self {
            Cost::Light => "light",
            Cost::Medium => "medium",
            Cost::Heavy => "heavy",
        }
    }
}

/// One operator of a component.
#[derive(Debug, Clone, Serialize)]
pub struct Descriptor {
    /// The name that recipes use.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// One sentence.
    pub summary: String,
    /// JSON Schema of its parameters, with defaults.
    pub params_schema: serde_json::Value,
    /// The work per row.
    pub cost: Cost,
    /// For a deduplicator.
    #[serde(skip)]
    pub matching: Option<Matching>,
    /// What it can do beyond its kind; those of other kinds are false.
    #[serde(skip)]
    pub traits: Traits,
    /// What it needs beyond its batches.
    pub needs: Needs,
}

impl Descriptor {
    /// Whether it is a deduplicator that changes rows by the number of rows with their keys, and
    /// drops none.
    pub fn counts_keys(&self) -> bool {
        self.matching == Some(Matching::Counted)
    }

    /// Whether it is a deduplicator that changes rows by what of them earlier rows have.
    pub fn sees_keys(&self) -> bool {
        self.matching == Some(Matching::Seen)
    }

    /// Whether its schema has the parameter.
    pub(crate) fn has_param(&self, name: &str) -> bool {
        self.params_schema["properties"].get(name).is_some()
    }

    /// For a deduplicator whose fingerprints need not be equal: the parameter with the number of
    /// bits by which those of duplicates may differ.
    pub fn hamming_parameter(&self) -> Option<&str> {
        match &self.matching {
            Some(Matching::Hamming(parameter)) => Some(parameter),
            _ => None,
        }
    }
}

/// A field that an operator reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Input {
    /// Names joined by dots.
    pub path: String,
    /// The type it wants.
    pub ty: FieldType,
    /// Whether a row without it goes to quarantine.
    pub required: bool,
}

/// A field or stat that an operator computes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Computed {
    /// The field, or the key under `__dj__stats__`.
    pub path: String,
    /// The type of all its values.
    pub ty: FieldType,
}

/// What an operator with given parameters reads and writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Signature {
    /// Fields that it reads.
    pub reads: Vec<Input>,
    /// Fields it may change or add.
    pub writes: Vec<Computed>,
    /// Keys under `__dj__stats__` that it computes.
    pub writes_stats: Vec<Computed>,
    /// A mapper that receives and returns whole rows as JSON text, in the field [`ROW`].
    #[serde(skip)]
    pub whole_rows: bool,
    /// [`Traits::json_constants`]
    #[serde(skip)]
    pub json_constants: bool,
}

/// Limits of an operator's instance. Exceeding one ends the instance, not the job.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Linear memory of one instance, in bytes.
    pub memory: usize,
    /// CPU time of one call on up to `batch` bytes; more in proportion for a larger batch.
    pub time: Duration,
    /// CPU time of a call per row, if that is less; more in proportion for a row larger than
    /// `batch`.
    pub row_time: Duration,
    /// Bytes of one reply to up to `batch` bytes; a larger one is refused before it is copied. More
    /// in proportion for a larger batch.
    pub reply: usize,
    /// Largest answer for a row, as a multiple of what the operator received of it; see
    /// [`row_output`](Self::row_output).
    pub ratio: f64,
    /// Bytes that the answer for a row may have on top of that.
    pub row_output: usize,
    /// Bytes of an ordinary batch.
    pub batch: usize,
}

impl Default for Limits {
    /// 256 MiB hold any batch several times over, yet a runaway guest is stopped in about 0.1 s
    /// (filling 1 GiB takes 0.4 s). 60 s is a thousand times what the slowest built-in operator
    /// needs for a batch, 10 s more than any of its rows should. A reply may be larger than its
    /// batch, but not absurdly.
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            time: Duration::from_secs(60),
            row_time: Duration::from_secs(10),
            reply: 128 << 20,
            ratio: 16.0,
            row_output: 1 << 20,
            batch: 512 << 10,
        }
    }
}

impl Limits {
    /// For `describe`, when a component is loaded: returning a few names takes less than a
    /// millisecond.
    pub(crate) const LOADING: Self = Self {
        memory: 256 << 20,
        time: Duration::from_secs(5),
        row_time: Duration::from_secs(5),
        reply: 8 << 20,
        ratio: 16.0,
        row_output: 1 << 20,
        batch: 512 << 10,
    };

    /// Largest linear memory with 32-bit addresses, in bytes.
    pub(crate) const ADDRESSABLE: usize = 4 << 30;

    /// The limits of a call on `bytes`: those of an ordinary batch, or more in proportion.
    pub(crate) fn for_bytes(self, bytes: u64) -> Self {
        let times = (bytes as f64 / self.batch.max(1) as f64).max(1.0);
        // Capped at what a timer and an address can hold.
        let time =
            Duration::try_from_secs_f64(self.time.as_secs_f64() * times).unwrap_or(Duration::MAX);
        Self {
            time,
            reply: (self.reply as f64 * times) as usize,
            ..self
        }
    }

    /// The limits of an instance that receives the keys of the whole dataset, `rows` keys of
    /// `bytes` in all: it holds them twice and sorts them.
    pub(crate) fn for_keys(self, rows: usize, bytes: u64) -> Self {
        let more = usize::try_from(bytes)
            .unwrap_or(usize::MAX)
            .saturating_mul(4)
            .saturating_add(rows.saturating_mul(32));
        Self {
            memory: self
                .memory
                .saturating_add(more)
                .min(Self::ADDRESSABLE)
                .max(self.memory),
            ..self.for_bytes(bytes)
        }
    }

    /// The limits of a call on `rows` rows of `bytes` in all.
    pub(crate) fn for_rows(self, rows: usize, bytes: u64) -> Self {
        let limits = self.for_bytes(bytes);
        let times = (bytes as f64 / self.batch.max(1) as f64).max(1.0);
        let rows = Duration::try_from_secs_f64(self.row_time.as_secs_f64() * rows as f64 * times)
            .unwrap_or(Duration::MAX);
        Self {
            time: limits.time.min(rows),
            ..limits
        }
    }
}

/// A row that the operator rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Its position in the batch.
    pub row: u32,
    /// Why.
    pub reason: String,
}

/// New values of one field.
#[derive(Debug, Clone)]
pub struct Update {
    /// The field.
    pub path: String,
    /// The rows that get a new value, strictly ascending; None = all.
    pub rows: Option<UInt32Array>,
    /// One value per such row.
    pub values: ArrayRef,
    /// Whether the strings are JSON texts.
    pub json: bool,
}

impl PartialEq for Update {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, &self.rows, self.json) == (&other.path, &other.rows, other.json)
            && *self.values == *other.values
    }
}

/// The answer to one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// By kind.
    pub output: Output,
    /// Rows without an answer, strictly ascending; `output` has meaningless values for them.
    pub rejected: Vec<Rejection>,
    /// Rows of which a mapper that says so makes none, strictly ascending, and why.
    pub dropped: Vec<Rejection>,
    /// Bytes by which the answers exceed `output_ratio` times the rows, in all.
    pub beyond: u64,
}

impl Reply {
    /// Why a mapper made no row of row `row` of the batch, if it says so.
    pub fn why_dropped(&self, row: u32) -> Option<&str> {
        let at = self
            .dropped
            .binary_search_by_key(&row, |dropped| dropped.row);
        at.ok().map(|at| self.dropped[at].reason.as_str())
    }
}

/// The answer by kind. All lengths and offsets are checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Filter.
    Filtered {
        /// One bit per row, no nulls.
        keep: BooleanArray,
        /// One value per row each.
        stats: Vec<Stat>,
    },
    /// Mapper that makes new rows.
    Updated(Vec<Update>),
    /// Mapper that makes other rows.
    Rows {
        /// The row that each new row was made from; ascending, within the batch.
        origins: UInt32Array,
        /// The fields, each with one value per new row.
        fields: Vec<Update>,
    },
    /// Deduplicator.
    Fingerprints {
        /// Bytes of one: 8 or 16.
        width: usize,
        /// How many per row.
        per_row: usize,
        /// `rows * per_row * width` bytes.
        data: Vec<u8>,
        /// Rows that have fingerprints; None = all.
        valid: Option<BooleanArray>,
    },
    /// Selector: one key per row.
    Keys(ArrayRef),
    /// Deduplicator that counts keys: hashes of each row's keys, 0 for the empty key.
    KeyLists(ListArray),
}
