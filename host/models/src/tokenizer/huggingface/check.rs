//! Refuses files that violate what the library assumes, because it would panic.

use super::NO_TOKENIZER;
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use tokenizers::{NormalizedString, Normalizer, Tokenizer};

/// The checked parts of a file.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    #[serde(default)]
    post_processor: Value,
    #[serde(default)]
    decoder: Value,
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    #[serde(default)]
    dropout: Option<f64>,
    #[serde(default)]
    continuing_subword_prefix: Option<String>,
    #[serde(default)]
    vocab: Vocabulary,
    #[serde(default)]
    merges: Vec<Merge>,
}

/// Two tokens that merge.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Line(String),
}

/// The length of the longest token. The vocabulary itself may be large and is not kept.
#[derive(Default)]
struct Vocabulary {
    longest: usize,
}

impl<'de> Deserialize<'de> for Vocabulary {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Vocabulary;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a vocabulary")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocabulary, A::Error> {
                let mut longest = 0;
                while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
                    longest = longest.max(key.len());
                }
                Ok(Vocabulary { longest })
            }

            // That of a unigram model, which merges nothing.
            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<Vocabulary, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Vocabulary::default())
            }
        }

        deserializer.deserialize_any(Keys)
    }
}

/// Checks the content of a file.
///
/// # Errors
/// A sentence about what is wrong.
pub(super) fn file(bytes: &[u8]) -> Result<(), String> {
    let file: File =
        serde_json::from_slice(bytes).map_err(|error| format!("{NO_TOKENIZER}: {error}"))?;
    let parts = [
        &file.normalizer,
        &file.pre_tokenizer,
        &file.post_processor,
        &file.decoder,
    ];
    parts.into_iter().try_for_each(part)?;
    let model = &file.model;
    if model.dropout.is_some_and(|dropout| dropout > 0.0) {
        return Err("`dropout` is set, so that tokens are chosen by chance: make it null".into());
    }
    let prefix = model
        .continuing_subword_prefix
        .as_deref()
        .unwrap_or_default();
    let is_sound = |merge: &Merge| {
        let (left, right) = match merge {
            Merge::Pair(left, right) => (left.as_str(), right.as_str()),
            Merge::Line(line) => line.split_once(' ').unwrap_or((line, prefix)),
        };
        right
            .get(prefix.len()..)
            .is_some_and(|rest| left.len() + rest.len() <= model.vocab.longest)
    };
    match model.merges.iter().all(is_sound) {
        true => Ok(()),
        false => Err(format!(
            "{NO_TOKENIZER}: tokens are merged to one that is not in the vocabulary"
        )),
    }
}

/// Checks a normalizer, pre-tokenizer, post-processor or decoder, and its parts.
fn part(part: &Value) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{NO_TOKENIZER}: {what}"));
    match part {
        Value::Object(fields) => {
            match fields.get("type").and_then(Value::as_str) {
                Some("Precompiled") => match fields.get("precompiled_charsmap") {
                    Some(Value::String(table)) => {
                        let table = BASE64.decode(table).map_err(|error| {
                            format!("{NO_TOKENIZER}: `precompiled_charsmap`: {error}")
                        })?;
                        crate::tokenizer::sentencepiece::check_charsmap(&table)?;
                    }
                    _ => return wrong("`Precompiled` without `precompiled_charsmap`"),
                },
                Some("FixedLength") if fields.get("length").and_then(Value::as_u64) == Some(0) => {
                    return wrong("a `length` of 0");
                }
                Some("Strip")
                    if fields
                        .get("stop")
                        .and_then(Value::as_u64)
                        .is_some_and(|stop| stop > 0) =>
                {
                    return wrong("a `stop` above 0 is not supported");
                }
                Some("TemplateProcessing") => {
                    let known = fields.get("special_tokens");
                    let is_known = |name: &str| known.is_some_and(|all| all.get(name).is_some());
                    let pieces = ["single", "pair"]
                        .iter()
                        .filter_map(|template| fields.get(*template)?.as_array())
                        .flatten();
                    for piece in pieces {
                        let name = piece.pointer("/SpecialToken/id").and_then(Value::as_str);
                        if name.is_some_and(|name| !is_known(name)) {
                            return wrong(
                                "a template with a token that is not in `special_tokens`",
                            );
                        }
                    }
                }
                _ => {}
            }
            fields.values().try_for_each(self::part)
        }
        Value::Array(parts) => parts.iter().try_for_each(self::part),
        _ => Ok(()),
    }
}

/// Checks that normalizing leaves something of each added token, since an empty one would be found
/// between all characters.
///
/// # Errors
/// A sentence about what is wrong.
pub(super) fn added_tokens(tokenizer: &Tokenizer) -> Result<(), String> {
    let Some(normalizer) = tokenizer.get_normalizer() else {
        return Ok(());
    };
    for token in tokenizer
        .get_added_tokens_decoder()
        .values()
        .filter(|token| token.normalized)
    {
        let mut content = NormalizedString::from(token.content.as_str());
        normalizer
            .normalize(&mut content)
            .map_err(|error| error.to_string())?;
        if content.get().is_empty() {
            return Err(format!(
                "{NO_TOKENIZER}: nothing is left of the token {:?} when it is normalized",
                token.content
            ));
        }
    }
    Ok(())
}
