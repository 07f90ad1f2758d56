//! What the host does with clusters of duplicates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The parameters by which a user says which row of each cluster of duplicates stays, and which
/// fields it gets. The host does it: put this into the operator's struct with `#[serde(flatten)]`,
/// and give it the trait [`takes_clusters`](crate::Traits::takes_clusters).
///
/// ```
/// use djhost_sdk::prelude::*;
///
/// /// Drops texts with the first letter of another one.
/// #[derive(Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default)]
/// struct InitialDeduplicator {
///     #[serde(flatten)]
///     clusters: Clusters,
/// }
///
/// impl Deduplicator for InitialDeduplicator {
///     const NAME: &'static str = "initial_deduplicator";
///     const TRAITS: Traits = Traits::NONE.takes_clusters();
///     type Print = u64;
///
///     fn fingerprints(&mut self, text: &str, out: &mut Vec<u64>) -> Result<(), Reject> {
///         out.extend(text.chars().next().map(u64::from));
///         Ok(())
///     }
/// }
///
/// let op = djhost_sdk::operator!(InitialDeduplicator);
/// Runner::new(op, r#"{"keep": "longest", "cluster_size_field": "copies"}"#).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Clusters {
    /// Which row of a cluster of duplicates stays: `first` or `last` in input order, `longest` (most
    /// characters), `max FIELD` or `min FIELD` (by a number or a date in a field; rows without one
    /// come last), or `all`. Among equals the first stays.
    pub keep: String,
    /// A field for the number of a row's cluster: rows that are no duplicates have one of their own.
    pub cluster_id_field: Option<String>,
    /// A field for the number of rows in a row's cluster, itself included.
    pub cluster_size_field: Option<String>,
}

impl Default for Clusters {
    fn default() -> Self {
        Self {
            keep: "first".into(),
            cluster_id_field: None,
            cluster_size_field: None,
        }
    }
}
