//! A mapper that makes 0..n rows of each row.

use djhost_sdk::prelude::*;

/// Makes a row of each paragraph; blank lines are between them.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct SplitMapper {}

impl Expander for SplitMapper {
    const NAME: &'static str = "rust_split_mapper";

    fn expand(&mut self, text: &str, out: &mut NewRows) -> Result<(), Reject> {
        let blank = |line: &str| line.bytes().all(|b| b" \t\r".contains(&b));
        let lines: Vec<&str> = text.split('\n').collect();
        for paragraph in lines
            .split(|line| blank(line))
            .filter(|lines| !lines.is_empty())
        {
            out.push(&paragraph.join("\n"));
        }
        Ok(())
    }
}
