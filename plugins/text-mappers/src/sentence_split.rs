//! `sentence_split_mapper`

use crate::punkt::{Params, Punkt};
use djhost_sdk::prelude::*;

/// Puts each sentence on a line of its own.
///
/// Sentences are found by Punkt, as the Python package nltk does it. With `model` its sentences are
/// the same; without, lists of abbreviations and of common words that ship tell where a full stop
/// ends no sentence. White space between sentences goes; line feeds within a sentence stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SentenceSplitMapper {
    /// The language: `de`, `en`, `es`, `fr`, `it` or `pt`. With `model` it means nothing.
    pub lang: String,
    /// A directory with the parameters of one language in nltk's format, such as
    /// `nltk_data/tokenizers/punkt_tab/english`. Empty: the lists that ship.
    #[schemars(extend("format" = "read-dir"))]
    pub model: String,
    #[serde(skip)]
    punkt: Punkt,
}

impl Default for SentenceSplitMapper {
    fn default() -> Self {
        Self {
            lang: "en".into(),
            model: String::new(),
            punkt: Punkt::default(),
        }
    }
}

impl TextMapper for SentenceSplitMapper {
    const NAME: &'static str = "sentence_split_mapper";

    fn prepare(&mut self) -> Result<(), String> {
        let params = match self.model.as_str() {
            "" => Params::of(&self.lang)?,
            dir => Params::read(dir).map_err(|error| format!("`model`: {error}"))?,
        };
        self.punkt = Punkt::new(params);
        Ok(())
    }

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let start = out.len();
        self.punkt.sentences(text, |sentence| {
            if out.len() > start {
                out.push('\n');
            }
            out.push_str(sentence);
        });
        Ok(out[start..] != *text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn split(params: &str, text: &str) -> Vec<String> {
        let mut runner = Runner::new(operator!(SentenceSplitMapper), params).unwrap();
        runner
            .map(&[text])
            .remove(0)
            .split('\n')
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_lists_that_ship_know_abbreviations() {
        for (lang, sentences) in [
            (
                "en",
                &[
                    "Dr. Smith met J. S. Bach at 3 p.m. on Monday.",
                    "He paid $3.50, i.e. nothing!",
                    "(Really?)",
                    "Acme Inc. It is big.",
                ][..3],
            ),
            (
                "en",
                &[
                    "It cost 3 million etc.",
                    "The price rose.",
                    "\"Why?\"",
                    "she asked.",
                    "I live in the U.S.",
                    "He does not.",
                ],
            ),
            (
                "de",
                &[
                    "Am 3. Oktober kam Prof. Dr. Weber, z. B. mit Hrn. Meier.",
                    "Das war gut.",
                ],
            ),
            (
                "fr",
                &[
                    "M. Dupont est arrivé av. J.-C. chez Mme. Durand.",
                    "Il est parti.",
                    "« Ah ! »",
                ],
            ),
            (
                "es",
                &[
                    "El Sr. García vive en la Av. Central, núm. 5.",
                    "Ella no.",
                    "¿Qué?",
                    "¡Sí!",
                ],
            ),
            (
                "it",
                &[
                    "Il sig. Rossi e l'ing. Bianchi, ecc. sono qui.",
                    "Non lo so.",
                ],
            ),
            ("pt", &["O Sr. Silva mora na av. Brasil, n. 3.", "Ela não."]),
        ] {
            assert_eq!(
                split(&format!(r#"{{"lang": "{lang}"}}"#), &sentences.join(" ")),
                sentences,
                "{lang}"
            );
        }
    }

    #[test]
    fn texts_without_ends_stay() {
        for text in [
            "",
            " ",
            "no end",
            "One.",
            "a.b.c",
            "line\nline",
            "e.g. this",
        ] {
            assert_eq!(split("{}", text).join("\n"), text.trim_end(), "{text:?}");
        }
        let mut runner = Runner::new(operator!(SentenceSplitMapper), "{}").unwrap();
        assert_eq!(runner.map(&[" a"]), [" a"]);
    }

    #[test]
    fn hostile_texts_take_no_time() {
        for part in [
            ".", "?!", ". ", "a.", ".\u{a0}", "?\"", "..", " . .", "\n.\n", "x.)", "-.", "''",
            "A. ",
        ] {
            let text = part.repeat(2_000_000 / part.len());
            assert!(!split("{}", &text).is_empty(), "{part:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let refused = |params: &str| {
            Runner::new(operator!(SentenceSplitMapper), params)
                .unwrap_err()
                .to_string()
        };
        assert!(
            refused(r#"{"lang": "tlh"}"#)
                .contains("`lang` is `tlh`: there are lists for `de`, `en`")
        );
        assert!(
            refused(r#"{"model": "/does/not/exist"}"#)
                .contains("`model`: `/does/not/exist`: cannot read `abbrev_types.txt`")
        );
    }
}
