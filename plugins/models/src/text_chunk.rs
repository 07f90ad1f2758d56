//! `text_chunk_mapper`

use crate::matches::each_match;
use djhost_sdk::models::Model;
use djhost_sdk::prelude::*;
use djhost_sdk::text::{code_points, plain_pattern, strip};
use regex::Regex;
use std::borrow::Cow;

/// Makes several rows of a long text: at matches of a pattern, after a number of characters, or
/// both.
///
/// With both a chunk ends at the last match within `max_len` characters, or after so many where
/// there is none. With `tokenizer` lengths are numbers of tokens, and a chunk that ends after so
/// many of them is what the tokenizer makes of these: some write texts in another way, or cut
/// characters in two.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TextChunkMapper {
    /// The greatest number of characters, or tokens, of a chunk; null: no limit.
    #[schemars(range(min = 1))]
    pub max_len: Option<u64>,
    /// A regular expression for what lies between chunks; null: none.
    pub split_pattern: Option<String>,
    /// How many characters, or tokens, two chunks share where the text was not cut at a match. Must
    /// be less than `max_len`.
    pub overlap_len: u64,
    /// A Hugging Face tokenizer, to count tokens and not characters: a `tokenizer.json`, or a
    /// directory with one, also below a model directory under the name that the Hugging Face hub
    /// has for it. Nothing is downloaded. Tokenizers of tiktoken and DashScope are none.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "tokenizer", "optional": true,
        "published": "https://huggingface.co/{tokenizer} (`tokenizer.json`)"
    }))]
    pub tokenizer: Option<String>,
    /// Goes with `tokenizer`; without effect.
    pub trust_remote_code: bool,
    #[serde(skip)]
    split: Option<Regex>,
    #[serde(skip)]
    tokens: Option<Model>,
}

impl Default for TextChunkMapper {
    fn default() -> Self {
        Self {
            max_len: None,
            split_pattern: Some(r"\n\n".into()),
            overlap_len: 0,
            tokenizer: None,
            trust_remote_code: false,
            split: None,
            tokens: None,
        }
    }
}

impl Expander for TextChunkMapper {
    const NAME: &'static str = "text_chunk_mapper";

    fn prepare(&mut self) -> Result<(), String> {
        self.tokens = Model::open_if_lent("tokenizer")?;
        match self.max_len {
            None if self.split_pattern.is_none() => {
                return Err("`max_len` and `split_pattern` are both null: give one of them".into());
            }
            Some(0) => return Err("`max_len` is 0: give a number from 1 on".into()),
            Some(max) if self.overlap_len >= max => {
                return Err(format!(
                    "`overlap_len` is {}: it must be less than `max_len`, {max}",
                    self.overlap_len
                ));
            }
            _ => {}
        }
        self.split = self
            .split_pattern
            .as_ref()
            .map(|pattern| plain_pattern("split_pattern", pattern))
            .transpose()?;
        Ok(())
    }

    fn expand(&mut self, text: &str, out: &mut NewRows) -> Result<(), Reject> {
        let overlap = self.overlap_len as usize;
        match (&self.split, self.max_len, &self.tokens) {
            (Some(split), None, _) => split_all(split, text, out),
            (None, Some(max), None) => windows(text, max as usize, overlap, out),
            (None, Some(max), Some(tokenizer)) => {
                token_windows(tokenizer, text, max as usize, overlap, out)?
            }
            (Some(split), Some(max), None) => cut(split, text, max as usize, overlap, out)?,
            (Some(split), Some(max), Some(tokenizer)) => {
                token_cut(tokenizer, split, text, max as usize, overlap, out)?
            }
            (None, None, _) => out.push(text),
        }
        Ok(())
    }
}

/// Splits at matches. As in Python's `re.split` the groups of a match come out, too; blank pieces
/// are left out.
fn split_all(split: &Regex, text: &str, out: &mut NewRows) {
    let mut push = |piece: &str| {
        if !strip(piece).is_empty() {
            out.push(piece);
        }
    };
    let mut done = 0;
    for (start, end) in each_match(text, |from| {
        split.find_at(text, from).map(|m| (m.start(), m.end()))
    }) {
        push(&text[done..start]);
        if split.captures_len() > 1
            && let Some(groups) = split.captures_at(text, start)
        {
            groups
                .iter()
                .skip(1)
                .flatten()
                .for_each(|group| push(group.as_str()));
        }
        done = end;
    }
    push(&text[done..]);
}

/// The bytes of the first `chars` characters, None if there are no more.
fn head(text: &str, chars: usize) -> Option<usize> {
    // Every character has at least one byte.
    if text.len() <= chars {
        return None;
    }
    text.char_indices().nth(chars).map(|(at, _)| at)
}

/// Chunks of `max` characters that begin `max - overlap` characters after each other. As in
/// Data-Juicer the last one may contain only what it shares with the one before.
fn windows(text: &str, max: usize, overlap: usize, out: &mut NewRows) {
    if head(text, max).is_none() {
        return out.push(text);
    }
    let mut rest = text;
    while !rest.is_empty() {
        out.push(&rest[..head(rest, max).unwrap_or(rest.len())]);
        rest = &rest[head(rest, max - overlap).unwrap_or(rest.len())..];
    }
}

const NOTHING: &str =
    "`split_pattern` matches nothing at the start of a chunk: the text cannot be cut";

/// Chunks that end at the last match within `max` characters. The last chunk may be empty, as in
/// Data-Juicer.
fn cut(
    split: &Regex,
    text: &str,
    max: usize,
    overlap: usize,
    out: &mut NewRows,
) -> Result<(), Reject> {
    let mut rest = text;
    while let Some(end) = head(rest, max) {
        let window = &rest[..end];
        let (chunk, next) = match each_match(window, |from| {
            split.find_at(window, from).map(|m| (m.start(), m.end()))
        })
        .last()
        {
            Some((_, 0)) => return Err(Reject(NOTHING.into())),
            Some((start, end)) => (&window[..start], end),
            None => (window, head(rest, max - overlap).unwrap_or(end)),
        };
        if !strip(chunk).is_empty() {
            out.push(chunk);
        }
        rest = &rest[next..];
    }
    out.push(rest);
    Ok(())
}

/// Like `windows`, by tokens.
fn token_windows(
    tokenizer: &Model,
    text: &str,
    max: usize,
    overlap: usize,
    out: &mut NewRows,
) -> Result<(), Reject> {
    let tokens = tokenizer.encode(text, false)?;
    if tokens.len() <= max {
        out.push(text);
        return Ok(());
    }
    for start in (0..tokens.len()).step_by(max - overlap) {
        out.push(&tokenizer.decode(&tokens[start..tokens.len().min(start.saturating_add(max))])?);
    }
    Ok(())
}

/// Most bytes that `token_cut` passes to a tokenizer for one text: about twenty seconds.
const MOST_WORK: usize = if cfg!(test) { 1 << 16 } else { 32 << 20 };

/// Like `cut`, by tokens. After a match it continues in the text, as many characters on as the
/// tokens up to it make.
fn token_cut(
    tokenizer: &Model,
    split: &Regex,
    text: &str,
    max: usize,
    overlap: usize,
    out: &mut NewRows,
) -> Result<(), Reject> {
    let mut rest = Cow::Borrowed(text);
    let mut tokens = tokenizer.encode(&rest, false)?;
    // The whole rest is tokenized for each chunk, so the work grows with the square of the
    // length.
    let mut work = rest.len();
    while work <= MOST_WORK {
        if tokens.len() <= max {
            out.push(&rest);
            return Ok(());
        }
        let window = tokenizer.decode(&tokens[..max])?;
        let (chunk, next) = match each_match(&window, |from| {
            split.find_at(&window, from).map(|m| (m.start(), m.end()))
        })
        .last()
        {
            Some((_, 0)) => return Err(Reject(NOTHING.into())),
            Some((start, end)) => {
                let next = head(&rest, code_points(&window[..end])).unwrap_or(rest.len());
                (&window[..start], rest[next..].to_owned())
            }
            None => (&window[..], tokenizer.decode(&tokens[max - overlap..])?),
        };
        if !strip(chunk).is_empty() {
            out.push(chunk);
        }
        tokens = tokenizer.encode(&next, false)?;
        // A tokenizer may make ever more tokens of its own output: that ends, too.
        work += next.len().max(1 << 10);
        rest = Cow::Owned(next);
    }
    Err(Reject(
        "the text is too long for `split_pattern` with a `tokenizer`: raise `max_len`, or cut it with `split_pattern` alone first".into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lent::lend_models;
    use djhost_sdk::operator;

    fn run(params: &str, text: &str) -> Vec<String> {
        let _lent = lend_models(operator!(TextChunkMapper), params);
        Runner::new(operator!(TextChunkMapper), params)
            .unwrap()
            .map(&[text])
    }

    #[test]
    fn texts_are_cut() {
        assert_eq!(
            run("{}", "one\n\n two\n\n\n\n  \n\nthree\n"),
            ["one", " two", "three\n"]
        );
        assert_eq!(
            run(r#"{"split_pattern": "([,;])"}"#, "a,b;c"),
            ["a", ",", "b", ";", "c"]
        );
        let windows = |more: &str, text: &str| {
            run(
                &format!(r#"{{"split_pattern": null, "max_len": 3{more}}}"#),
                text,
            )
        };
        assert_eq!(windows("", "日本語のテ"), ["日本語", "のテ"]);
        assert_eq!(
            windows(r#", "overlap_len": 1"#, "abcdefg"),
            ["abc", "cde", "efg", "g"]
        );
        assert_eq!(windows("", ""), [""]);
        let both = |more: &str, text: &str| {
            run(
                &format!(r#"{{"split_pattern": " ", "max_len": 6{more}}}"#),
                text,
            )
        };
        assert_eq!(both("", "to be or not"), ["to be", "or not"]);
        assert_eq!(
            both(r#", "overlap_len": 2"#, "abcdefghij kl"),
            ["abcdef", "efghij", "ij kl"]
        );
    }

    #[test]
    fn texts_are_cut_by_tokens() {
        let params = |more: &str| format!(r#"{{"tokenizer": "../examples/files", {more}}}"#);
        let text = "We go for a walk. It is nice, and we walk!";
        assert_eq!(
            run(&params(r#""split_pattern": null, "max_len": 5"#), text),
            ["we go for a walk", ". it is nice,", "and we walk!"]
        );
        assert_eq!(
            run(&params(r#""split_pattern": "\\.", "max_len": 8"#), text),
            ["we go for a walk", " It is nice, and we walk!"]
        );
    }

    #[test]
    fn texts_that_would_take_too_long_are_refused() {
        let params = r#"{"tokenizer": "../examples/files", "split_pattern": "x", "max_len": 2}"#;
        let _lent = lend_models(operator!(TextChunkMapper), params);
        let mut op = Runner::new(operator!(TextChunkMapper), params).unwrap();
        let text = "we go ".repeat(4000);
        let batch = Runner::text_batch(&[&text]);
        let answer = format!("{:?}", op.process(&batch).unwrap());
        assert!(answer.contains("is too long for `split_pattern` with a `tokenizer`"));
    }

    #[test]
    fn a_pattern_that_matches_nothing_ends() {
        assert_eq!(
            run(r#"{"split_pattern": "^", "max_len": 2}"#, "abcdef"),
            [""; 0]
        );
    }
}
