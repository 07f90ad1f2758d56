//! The tokens of texts for a network: cut to a length, with the special ones around them. Included by the
//! pack `media` too.

use djhost_sdk::models::Model;
use djhost_sdk::prelude::*;

/// The most tokens that a network is given at once.
pub(crate) const MOST_TOKENS: usize = 4096;

/// A tokenizer, and how many tokens a text may have.
pub(crate) struct Tokens {
    pub(crate) tokenizer: Model,
    /// The special tokens that the tokenizer puts before and after a text.
    pub(crate) before: Vec<i64>,
    pub(crate) after: Vec<i64>,
    /// The most tokens of a text, the special ones included.
    pub(crate) max_length: usize,
}

impl Tokens {
    /// `named` is where `max_length` is from, for messages.
    ///
    /// # Errors
    /// When the tokenizer changes a text that it puts tokens around, or `max_length` is too small or
    /// too large.
    pub(crate) fn open(tokenizer: Model, max_length: u32, named: &str) -> Result<Self, String> {
        let (before, after) = around(&tokenizer)?;
        let specials = before.len() + after.len();
        let max_length = max_length as usize;
        if max_length <= specials || max_length > MOST_TOKENS {
            return Err(format!(
                "`{named}`: {max_length} must be more than {specials}, the number of special tokens, and at most {MOST_TOKENS}"
            ));
        }
        Ok(Self {
            tokenizer,
            before,
            after,
            max_length,
        })
    }

    /// The tokens of a text, cut to `max_length`, with the special ones around them.
    pub(crate) fn of(&self, text: &str) -> Result<Vec<i64>, Reject> {
        let room = self.max_length - self.before.len() - self.after.len();
        let ids = self.tokenizer.encode(text, false)?;
        let ids = ids.into_iter().take(room).map(i64::from);
        let mut all = self.before.clone();
        all.extend(ids);
        all.extend(&self.after);
        match all.is_empty() {
            true => Err(Reject("the text has no tokens".into())),
            false => Ok(all),
        }
    }
}

/// The special tokens before and after a text.
fn around(tokenizer: &Model) -> Result<(Vec<i64>, Vec<i64>), String> {
    let encode = |special| -> Result<Vec<i64>, String> {
        let ids = tokenizer.encode("a", special);
        let ids = ids.map_err(|Reject(why)| format!("`tokenizer`: {why}"))?;
        Ok(ids.into_iter().map(i64::from).collect())
    };
    let (plain, whole) = (encode(false)?, encode(true)?);
    let at = whole
        .windows(plain.len().max(1))
        .position(|window| window == plain);
    let at = at.ok_or("`tokenizer`: it changes a text to which it adds special tokens")?;
    Ok((whole[..at].to_vec(), whole[at + plain.len()..].to_vec()))
}
