//! A filter with a model that the recipe lends.

use djhost_sdk::models::Model;
use djhost_sdk::prelude::*;

/// Keeps texts that a language model of KenLM finds probable.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct FluencyFilter {
    /// The language model.
    #[schemars(extend("format" = "model", "x-model" = {"kind": "kenlm"}))]
    model: String,
    /// The least logarithm to base 10 of the probability of a text.
    #[schemars(range(max = 0))]
    min_score: f64,
    #[serde(skip)]
    lent: Option<Model>,
}

impl Default for FluencyFilter {
    fn default() -> Self {
        Self {
            model: String::new(),
            min_score: -2.3,
            lent: None,
        }
    }
}

impl TextFilter for FluencyFilter {
    const NAME: &'static str = "rust_fluency_filter";
    const STAT: Stat = Stat::float("rust_log_probability");

    fn prepare(&mut self) -> Result<(), String> {
        self.lent = Some(Model::open("model")?);
        Ok(())
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        let model = self.lent.as_ref();
        model
            .ok_or_else(|| Reject("there is no model".into()))?
            .score(text)
    }

    fn range(&self) -> (f64, f64) {
        (self.min_score, f64::INFINITY)
    }
}
