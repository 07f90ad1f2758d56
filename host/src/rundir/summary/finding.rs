//! What a job found out about its recipe.

use serde::{Deserialize, Serialize};

/// Something that deserves a look when a job is done: no mistake for certain, but often one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `empty_result`, `dropped_everything`, `dropped_nothing`, `changed_nothing`, `constant_stat`,
    /// `field_missing`.
    pub kind: String,
    /// The op that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<usize>,
    /// One sentence.
    pub message: String,
}

/// A demand of `expect`, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// Its key in the recipe.
    pub key: String,
    /// The least value that meets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// What is the case; None: there is no row to tell.
    pub value: Option<f64>,
    /// Whether it is met.
    pub is_met: bool,
}
