//! What an operator can do beyond its kind, and what it needs beyond its batches.

use serde_json::Value;

/// How a deduplicator finds what to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// Rows with equal fingerprints at the same place are duplicates.
    Equal,
    /// One fingerprint of 8 bytes per row: those of duplicates differ in at most as many bits as this
    /// parameter says.
    Hamming(&'static str),
    /// It answers with lists of keys, then receives the number of rows with each, in the field
    /// [`COUNTS`](crate::COUNTS), and changes rows.
    Counted,
    /// It answers with lists of keys, then receives how many of them earlier rows have, in the field
    /// [`SEEN`](crate::SEEN), and changes rows.
    Seen,
}

/// What an operator can do beyond its kind, and what it reads: an operator says so with
/// `const TRAITS: Traits = Traits::NONE.takes_clusters();`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// For deduplicators.
    pub matching: Matching,
    /// See [`Traits::leaves_out_stats`].
    pub leaves_out_stats: bool,
    /// See [`Traits::gives_drop_reasons`].
    pub gives_drop_reasons: bool,
    /// See [`Traits::takes_clusters`].
    pub takes_clusters: bool,
    /// See [`Traits::json_constants`].
    pub json_constants: bool,
    /// See [`Traits::reads_media`].
    pub reads_media: bool,
}

impl Traits {
    /// None of them, and equal fingerprints.
    pub const NONE: Self = Self {
        matching: Matching::Equal,
        leaves_out_stats: false,
        gives_drop_reasons: false,
        takes_clusters: false,
        json_constants: false,
        reads_media: false,
    };

    /// A filter that leaves out stats that no one reads, which
    /// [`Common::wants`](crate::Common::wants) tells, and decides faster without them.
    pub const fn leaves_out_stats(self) -> Self {
        Self {
            leaves_out_stats: true,
            ..self
        }
    }

    /// A mapper that says why it makes no row of one:
    /// [`NewRows::drop_because`](crate::NewRows::drop_because).
    pub const fn gives_drop_reasons(self) -> Self {
        Self {
            gives_drop_reasons: true,
            ..self
        }
    }

    /// A deduplicator by fingerprints with the parameters of [`Clusters`](crate::Clusters), which the
    /// host carries out.
    pub const fn takes_clusters(self) -> Self {
        Self {
            takes_clusters: true,
            ..self
        }
    }

    /// It takes `NaN`, `Infinity` and `-Infinity` in JSON texts, and may answer with them.
    pub const fn json_constants(self) -> Self {
        Self {
            json_constants: true,
            ..self
        }
    }

    /// It opens files that rows name. In a recipe a plugin's operator gets them by
    /// `grants: {media: true}`.
    pub const fn reads_media(self) -> Self {
        Self {
            reads_media: true,
            ..self
        }
    }

    /// A deduplicator whose fingerprints may differ in as many bits as `parameter` says.
    pub const fn hamming(self, parameter: &'static str) -> Self {
        Self {
            matching: Matching::Hamming(parameter),
            ..self
        }
    }

    /// A deduplicator by [`Matching::Counted`] keys.
    pub const fn counted_keys(self) -> Self {
        Self {
            matching: Matching::Counted,
            ..self
        }
    }

    /// A deduplicator by [`Matching::Seen`] keys.
    pub const fn seen_keys(self) -> Self {
        Self {
            matching: Matching::Seen,
            ..self
        }
    }
}

/// What an operator needs beyond its batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Files that rows name.
    pub media: bool,
    /// Files that parameters name.
    pub files: bool,
    /// Models that parameters name.
    pub models: bool,
}

impl Needs {
    /// Those of an operator with these traits and parameters.
    pub(crate) fn of(traits: Traits, schema: &Value) -> Self {
        let mut needs = Self {
            media: traits.reads_media,
            ..Self::default()
        };
        let properties = schema["properties"].as_object();
        for (_, property) in properties.into_iter().flatten() {
            for format in [&property["format"], &property["items"]["format"]] {
                match format.as_str() {
                    Some("read-file" | "read-dir" | "read-path") => needs.files = true,
                    Some("model") => needs.models = true,
                    _ => {}
                }
            }
        }
        needs
    }
}
