//! Types shared by the operators named after Data-Juicer's Ray variants.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number, or `auto`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum NumberOrAuto {
    /// A number.
    Number(u64),
    /// `auto`.
    Auto(String),
}

impl Default for NumberOrAuto {
    fn default() -> Self {
        Self::Auto("auto".into())
    }
}
