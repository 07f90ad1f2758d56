//! A deduplicator: rows with equal fingerprints are duplicates, and the first one stays.

use djhost_sdk::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

/// Drops texts that begin like an earlier one.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct PrefixDeduplicator {
    /// Characters to compare.
    #[schemars(range(min = 1))]
    length: usize,
}

impl Default for PrefixDeduplicator {
    fn default() -> Self {
        Self { length: 64 }
    }
}

impl Deduplicator for PrefixDeduplicator {
    const NAME: &'static str = "rust_prefix_deduplicator";
    type Print = u128;

    fn fingerprints(&mut self, text: &str, out: &mut Vec<u128>) -> Result<(), Reject> {
        let end = text
            .char_indices()
            .nth(self.length)
            .map_or(text.len(), |(at, _)| at);
        out.push(xxh3_128(&text.as_bytes()[..end]));
        Ok(())
    }
}
