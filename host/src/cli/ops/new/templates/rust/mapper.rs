//! The operator `@NAME@`.

use djhost_sdk::prelude::*;

/// Cuts texts after a number of characters.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct @TYPE@ {
    /// How many characters stay.
    max_chars: usize,
}

impl Default for @TYPE@ {
    fn default() -> Self {
        Self { max_chars: 8 }
    }
}

impl TextMapper for @TYPE@ {
    const NAME: &'static str = "@NAME@";

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        // A text that is short enough stays as it is.
        let Some((end, _)) = text.char_indices().nth(self.max_chars) else { return Ok(false) };
        out.push_str(&text[..end]);
        Ok(true)
    }
}

djhost_sdk::export!(@TYPE@);
