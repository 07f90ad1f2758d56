//! `token_num_filter`

use crate::huggingface::{self, HfTokenizer};
use djhost_sdk::prelude::*;

/// Keeps texts whose number of tokens lies in a range.
///
/// Tokens are those of a Hugging Face tokenizer, without the special ones that it puts around a
/// text.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TokenNumFilter {
    /// The tokenizer: a `tokenizer.json`, or a directory with one. Nothing is downloaded: get the
    /// file of the tokenizer once and name it.
    #[schemars(extend("format" = "read-path", "x-if-missing" = huggingface::GET_IT))]
    pub hf_tokenizer: String,
    /// The least number of tokens.
    pub min_num: i64,
    /// The greatest number of tokens.
    pub max_num: i64,
    #[serde(skip)]
    tokenizer: Option<HfTokenizer>,
}

impl Default for TokenNumFilter {
    fn default() -> Self {
        Self {
            hf_tokenizer: huggingface::DEFAULT.into(),
            min_num: 10,
            max_num: i64::MAX,
            tokenizer: None,
        }
    }
}

impl TextFilter for TokenNumFilter {
    const NAME: &'static str = "token_num_filter";
    const STAT: Stat = Stat::integer("num_token");
    const COST: Cost = Cost::Heavy;

    fn prepare(&mut self) -> Result<(), String> {
        self.tokenizer = Some(HfTokenizer::of_parameter(
            "hf_tokenizer",
            &self.hf_tokenizer,
        )?);
        Ok(())
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        match &mut self.tokenizer {
            Some(tokenizer) => Ok(tokenizer.count(text)? as f64),
            None => Err(Reject("there is no tokenizer".into())),
        }
    }

    fn range(&self) -> (f64, f64) {
        (self.min_num as f64, self.max_num as f64)
    }
}
