//! `token_num_filter`

use djhost_sdk::models::Model;
use djhost_sdk::prelude::*;

/// Keeps texts whose number of tokens lies in a range.
///
/// Tokens are those of a Hugging Face tokenizer, without the special ones that it puts around a
/// text.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TokenNumFilter {
    /// The tokenizer: a `tokenizer.json`, or a directory with one, also below a model directory
    /// under the name that the Hugging Face hub has for it. Nothing is downloaded.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "tokenizer", "file": "{hf_tokenizer}",
        "published": "https://huggingface.co/{hf_tokenizer} (`tokenizer.json`)"
    }))]
    pub hf_tokenizer: String,
    /// The least number of tokens.
    pub min_num: i64,
    /// The greatest number of tokens.
    pub max_num: i64,
    #[serde(skip)]
    tokenizer: Option<Model>,
}

impl Default for TokenNumFilter {
    fn default() -> Self {
        Self {
            hf_tokenizer: "EleutherAI/pythia-6.9b-deduped".into(),
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
        self.tokenizer = Some(Model::open("hf_tokenizer")?);
        Ok(())
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        match &self.tokenizer {
            Some(tokenizer) => Ok(tokenizer.count(text, false)?.into()),
            None => Err(Reject("there is no tokenizer".into())),
        }
    }

    fn range(&self) -> (f64, f64) {
        (self.min_num as f64, self.max_num as f64)
    }
}
