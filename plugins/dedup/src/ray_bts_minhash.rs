//! `ray_bts_minhash_deduplicator`

use crate::minhash::{Minhash, MinhashParams};
use crate::ray::NumberOrAuto;
use djhost_sdk::prelude::*;

/// The same as `document_minhash_deduplicator`, under the name of Data-Juicer's distributed
/// variant.
///
/// The parameters that steer Ray's work are accepted and have no effect.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RayBtsMinhashDeduplicator {
    /// The parameters.
    #[serde(flatten)]
    pub params: MinhashParams,
    /// What becomes of duplicates.
    #[serde(flatten)]
    pub clusters: Clusters,
    /// No effect.
    pub union_find_parallel_num: NumberOrAuto,
    /// No effect.
    pub union_threshold: Option<u64>,
    /// No effect.
    pub max_pending_edge_buffer_task: Option<u64>,
    /// No effect.
    pub num_edge_buffer_task_returns: Option<u64>,
    /// No effect.
    pub max_pending_filter_tasks: Option<u64>,
    /// No effect.
    pub num_filter_task_returns: Option<u64>,
    /// No effect.
    pub merge_batch_size: Option<u64>,
    /// No effect.
    pub minhash_batch_size: NumberOrAuto,
    /// No effect.
    pub memory_per_sample: Option<f64>,
    /// No effect.
    pub actor_memory: Option<u64>,
    /// No effect.
    pub task_memory: Option<u64>,
    #[serde(skip)]
    minhash: Minhash,
}

impl Deduplicator for RayBtsMinhashDeduplicator {
    const NAME: &'static str = "ray_bts_minhash_deduplicator";
    const TRAITS: Traits = Traits::NONE.takes_clusters();
    const COST: Cost = Cost::Heavy;
    type Print = u64;

    fn prepare(&mut self) -> Result<(), String> {
        self.minhash = Minhash::new(&self.params)?;
        Ok(())
    }

    fn per_row(&self) -> usize {
        self.minhash.bands()
    }

    fn fingerprints(&mut self, text: &str, out: &mut Vec<u64>) -> Result<(), Reject> {
        self.minhash.fingerprints(text, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn takes_rays_parameters() {
        let params = r#"{"union_find_parallel_num": "auto", "minhash_batch_size": 1024, "memory_per_sample": 0.1, "window_size": 1}"#;
        let mut op = Runner::new(operator!(RayBtsMinhashDeduplicator), params).unwrap();
        assert_eq!(op.deduplicate(&["a b", "b a", "c d"]), [true, false, true]);
    }
}
