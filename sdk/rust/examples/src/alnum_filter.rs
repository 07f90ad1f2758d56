//! A filter: a stat per row, kept by a range.

use djhost_sdk::prelude::*;

/// Keeps texts whose share of ASCII letters and digits lies in a range.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct AlnumFilter {
    /// The least share.
    #[schemars(range(min = 0, max = 1))]
    min_ratio: f64,
    /// The greatest share.
    #[schemars(range(min = 0, max = 1))]
    max_ratio: f64,
}

impl Default for AlnumFilter {
    fn default() -> Self {
        Self {
            min_ratio: 0.25,
            max_ratio: 1.0,
        }
    }
}

impl TextFilter for AlnumFilter {
    const NAME: &'static str = "rust_alnum_filter";
    const STAT: Stat = Stat::float("rust_alnum_ratio");

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        let alnum = text.bytes().filter(u8::is_ascii_alphanumeric).count();
        Ok(if text.is_empty() {
            0.0
        } else {
            alnum as f64 / text.len() as f64
        })
    }

    fn range(&self) -> (f64, f64) {
        (self.min_ratio, self.max_ratio)
    }
}
