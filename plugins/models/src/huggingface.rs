//! Hugging Face tokenizers: `tokenizer.json` files.

mod check;

use djhost_sdk::Reject;
use std::io::Read;
use std::path::Path;
use tokenizers::Tokenizer;

/// Data-Juicer's default tokenizer, which it downloads.
pub(crate) const DEFAULT: &str = "EleutherAI/pythia-6.9b-deduped";
/// What to do about a name that is not a file.
pub(crate) const GET_IT: &str = "nothing is downloaded: get the `tokenizer.json` of the tokenizer once, as from its page at \
                                 https://huggingface.co, and name the file";
pub(crate) const NO_TOKENIZER: &str = "this is not a `tokenizer.json` that is known";
/// The largest ones have about 35 MB.
const LARGEST: u64 = 64 << 20;

/// A tokenizer.
#[derive(Debug)]
pub struct HfTokenizer(Tokenizer);

impl HfTokenizer {
    /// Reads the tokenizer that a parameter names: a file, or a directory with `tokenizer.json`.
    ///
    /// # Errors
    /// When there is no such file, or it is not a tokenizer; with the parameter and the file.
    pub(crate) fn of_parameter(parameter: &str, name: &str) -> Result<Self, String> {
        let path = Path::new(name);
        let inside = path.join("tokenizer.json");
        let path = if path.is_dir() { &inside } else { path };
        if !path.exists() {
            return Err(format!(
                "`{parameter}`: there is no `{}`; {GET_IT}",
                path.display()
            ));
        }
        Self::open(path).map_err(|error| format!("`{parameter}`: `{}`: {error}", path.display()))
    }

    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// When it cannot be read or is not a tokenizer.
    pub fn open(path: &Path) -> Result<Self, String> {
        let cannot = |error: std::io::Error| format!("cannot read it: {error}");
        let file = std::fs::File::open(path).map_err(cannot)?;
        let size = file.metadata().map_err(cannot)?.len();
        if size > LARGEST {
            return Err(format!(
                "it has {size} bytes: no tokenizer has more than {LARGEST}"
            ));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).map_err(cannot)?;
        Self::read(&bytes)
    }

    /// Reads the content of a `tokenizer.json`.
    ///
    /// # Errors
    /// When it is not a tokenizer.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        check::file(bytes)?;
        let mut tokenizer =
            Tokenizer::from_bytes(bytes).map_err(|error| format!("{NO_TOKENIZER}: {error}"))?;
        // As Data-Juicer calls it, whatever the file says.
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|error| error.to_string())?;
        check::added_tokens(&tokenizer)?;
        Ok(Self(tokenizer))
    }

    /// The number of tokens, without special ones around the text.
    ///
    /// # Errors
    /// When the tokenizer cannot cut the text.
    pub fn count(&self, text: &str) -> Result<usize, Reject> {
        Ok(self.0.encode_fast(text, false).map_err(refused)?.len())
    }

    /// The ids of the tokens, without special ones around the text.
    ///
    /// # Errors
    /// When the tokenizer cannot cut the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Reject> {
        Ok(self
            .0
            .encode_fast(text, false)
            .map_err(refused)?
            .get_ids()
            .to_vec())
    }

    /// Decodes tokens to text.
    ///
    /// # Errors
    /// When the tokenizer cannot decode them.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, Reject> {
        self.0.decode(tokens, false).map_err(refused)
    }
}

fn refused(error: tokenizers::Error) -> Reject {
    Reject(format!("the tokenizer refuses the text: {error}"))
}
