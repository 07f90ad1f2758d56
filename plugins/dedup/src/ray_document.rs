//! `ray_document_deduplicator`

use crate::document::DocumentDeduplicator;
use crate::ray::NumberOrAuto;
use djhost_sdk::prelude::*;

/// The same as `document_deduplicator`, under the name of Data-Juicer's distributed variant.
///
/// The parameters that steer Ray's work are accepted and have no effect.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RayDocumentDeduplicator {
    /// No effect.
    pub backend: Option<String>,
    /// No effect.
    pub redis_address: Option<String>,
    /// No effect.
    pub dedup_set_num: NumberOrAuto,
    /// The parameters that `document_deduplicator` has.
    #[serde(flatten)]
    pub document: DocumentDeduplicator,
}

impl Deduplicator for RayDocumentDeduplicator {
    const NAME: &'static str = "ray_document_deduplicator";
    const TRAITS: Traits = Traits::NONE.takes_clusters();
    const COST: Cost = DocumentDeduplicator::COST;
    type Print = u128;

    fn fingerprints(&mut self, text: &str, out: &mut Vec<u128>) -> Result<(), Reject> {
        self.document.fingerprints(text, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn takes_rays_parameters() {
        let params = r#"{"backend": "redis", "redis_address": "redis://localhost:6379", "dedup_set_num": "auto", "lowercase": true}"#;
        let mut op = Runner::new(operator!(RayDocumentDeduplicator), params).unwrap();
        assert_eq!(op.deduplicate(&["a", "A ", "b"]), [true, false, true]);
    }
}
