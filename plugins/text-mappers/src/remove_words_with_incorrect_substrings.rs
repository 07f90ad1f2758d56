//! `remove_words_with_incorrect_substrings_mapper`

use crate::words::{keep_words, strip_special};
use aho_corasick::{AhoCorasick, MatchKind};
use djhost_sdk::models::Model;
use djhost_sdk::prelude::*;

/// Removes words that contain one of some strings.
///
/// The special characters at the ends of a word do not count. Runs of spaces, tabs and line feeds
/// become one. With `tokenization` the pieces of a model are the words: a text of which none goes
/// stays as it is, and in others the words stand without spaces, as in Data-Juicer.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RemoveWordsWithIncorrectSubstringsMapper {
    /// The language, by which the model for `tokenization` is found.
    pub lang: String,
    /// Take the pieces of a sentencepiece model for words.
    pub tokenization: bool,
    /// The model for `tokenization`: a sentencepiece model file. Empty: that of the language in a
    /// model directory, such as `en.sp.model`.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "tokenizer", "file": "{lang}.sp.model", "when": "tokenization",
        "published": "https://huggingface.co/edugp/kenlm/resolve/main/wikipedia/{lang}.sp.model"
    }))]
    pub tokenizer_model: String,
    /// The strings; null gives the default.
    pub substrings: Option<Vec<String>>,
    #[serde(skip)]
    search: Option<AhoCorasick>,
    #[serde(skip)]
    model: Option<Model>,
    #[serde(skip)]
    word: String,
}

const SUBSTRINGS: [&str; 5] = ["http", "www", ".com", "href", "//"];

impl Default for RemoveWordsWithIncorrectSubstringsMapper {
    fn default() -> Self {
        Self {
            lang: "en".into(),
            tokenization: false,
            tokenizer_model: String::new(),
            substrings: Some(SUBSTRINGS.map(String::from).into()),
            search: None,
            model: None,
            word: String::new(),
        }
    }
}

impl TextMapper for RemoveWordsWithIncorrectSubstringsMapper {
    const NAME: &'static str = "remove_words_with_incorrect_substrings_mapper";

    fn prepare(&mut self) -> Result<(), String> {
        if self.tokenization {
            self.model = Some(Model::open("tokenizer_model")?);
        }
        let substrings = self
            .substrings
            .get_or_insert_with(|| SUBSTRINGS.map(String::from).into());
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(substrings);
        self.search =
            Some(search.map_err(|error| format!("`substrings` cannot be searched for: {error}"))?);
        Ok(())
    }

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let Some(search) = &self.search else {
            return Ok(false);
        };
        if let Some(model) = &self.model {
            let (from, mut removed) = (out.len(), false);
            for piece in model.pieces(text)?.iter().flatten() {
                self.word.clear();
                piece
                    .split('\u{2581}')
                    .for_each(|part| self.word.push_str(part));
                match search.is_match(strip_special(&self.word)) {
                    true => removed = true,
                    false => out.push_str(&self.word),
                }
            }
            return Ok(removed && out[from..] != *text);
        }
        let find = |from: usize| {
            search
                .find(&text[from..])
                .map_or(usize::MAX, |found| from + found.start())
        };
        // The start of the next match: words before it need no check.
        let mut next = find(0);
        let keep = |word: &str, start: usize| {
            if next < start {
                next = find(start);
            }
            next >= start + word.len() || !search.is_match(strip_special(word))
        };
        Ok(keep_words(text, out, keep))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::models::{Lend, lend};
    use djhost_sdk::operator;

    fn run(params: &str, text: &str) -> String {
        Runner::new(operator!(RemoveWordsWithIncorrectSubstringsMapper), params)
            .unwrap()
            .map(&[text])
            .remove(0)
    }

    #[test]
    fn words_with_substrings_go() {
        assert_eq!(
            run(
                "{}",
                "see http://a.b, or\twww.x\n// (//) x//y z.com .comx end "
            ),
            "see or\n// (//) .comx end"
        );
        assert_eq!(run(r#"{"substrings": null}"#, "a HTTP http"), "a HTTP");
        assert_eq!(run(r#"{"substrings": ["日", "b"]}"#, "a 日本 ab c"), "a c");
        assert_eq!(run(r#"{"substrings": ["a b", "b"]}"#, "a b a c"), "a a c");
        assert_eq!(run(r#"{"substrings": []}"#, "a  http"), "a http");
        assert_eq!(run(r#"{"substrings": [""]}"#, "a b"), "");
    }

    #[test]
    fn the_pieces_of_a_model_are_words() {
        struct Pieces;
        impl Lend for Pieces {
            fn pieces(&self, _text: &str) -> Result<Vec<String>, String> {
                Ok(["\u{2581}see", "\u{2581}www", ".a", "b"]
                    .map(String::from)
                    .into())
            }
        }
        let _lent = lend("tokenizer_model", Pieces);
        assert_eq!(run(r#"{"tokenization": true}"#, "see www.ab"), "see.ab");
    }
}
