//! The operator `@NAME@`.

use djhost_sdk::prelude::*;

/// Keeps texts that have enough lines.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct @TYPE@ {
    /// The least number of lines.
    min_num: u32,
}

impl Default for @TYPE@ {
    fn default() -> Self {
        Self { min_num: 2 }
    }
}

impl TextFilter for @TYPE@ {
    const NAME: &'static str = "@NAME@";
    const STAT: Stat = Stat::integer("num_lines");

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        Ok((text.matches('\n').count() + 1) as f64)
    }

    fn range(&self) -> (f64, f64) {
        (self.min_num.into(), f64::INFINITY)
    }
}

djhost_sdk::export!(@TYPE@);
