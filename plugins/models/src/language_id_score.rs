//! `language_id_score_filter`

use crate::detector;
use djhost_sdk::models::Model;
use djhost_sdk::prelude::*;
use djhost_sdk::text::lower_into;

/// Keeps texts in given languages whose score is high enough.
///
/// The stats are the label of the language (`en`, `zh`, …) and the score. With `model` these are
/// what fastText predicts. Without, a detector of 79 languages that ships gives them; its scores
/// are from 0 to 1 and are not those of a fastText model. A text of no language, as one without
/// letters, has an empty label and the score 0.
///
/// What to expect of the detector that ships: right are 80 % of texts below 20 characters, 92 %
/// from 20 to 39, 97 % from 40 to 79 and 99 % of longer ones; of those with a score of 0.8 or more,
/// 99 %. Close languages are told apart least: Catalan and Spanish, Czech and Slovak, Danish and
/// Norwegian, Hindi and Nepali. Of a text above 4 KB, pieces that are spread over it are looked at.
/// A text in two scripts has a lower score.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LanguageIdScoreFilter {
    /// The languages to keep, one label or several; empty: all.
    pub lang: Languages,
    /// The least score.
    pub min_score: f64,
    /// A fastText model file, `.bin` or `.ftz`, such as `lid.176.ftz`. Empty: Data-Juicer's
    /// `lid.176.bin` if a model directory has it, or else the detector that ships.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "fasttext", "file": "lid.176.bin", "optional": true,
        "published": "https://dl.fbaipublicfiles.com/fasttext/supervised-models/lid.176.bin"
    }))]
    pub model: String,
    #[serde(skip)]
    fasttext: Option<Fasttext>,
    #[serde(skip)]
    lower: String,
}

struct Fasttext {
    model: Model,
    labels: Vec<String>,
}

/// One label or several.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the variants say it")]
pub enum Languages {
    One(String),
    Many(Vec<String>),
    None(()),
}

impl Languages {
    fn accept(&self, label: &str) -> bool {
        match self {
            Self::One(lang) => lang.is_empty() || lang == label,
            Self::Many(langs) => langs.is_empty() || langs.iter().any(|lang| lang == label),
            Self::None(()) => true,
        }
    }
}

impl Default for LanguageIdScoreFilter {
    fn default() -> Self {
        Self {
            lang: Languages::One(String::new()),
            min_score: 0.8,
            model: String::new(),
            fasttext: None,
            lower: String::new(),
        }
    }
}

impl LanguageIdScoreFilter {
    /// The label and the score of a text.
    fn judge(&mut self, text: &str) -> Result<(&str, f64), Reject> {
        let answer = match &self.fasttext {
            Some(Fasttext { model, labels }) => {
                self.lower.clear();
                lower_into(text, &mut self.lower);
                let best = model.classify(&self.lower, 1)?.into_iter().next();
                best.and_then(|(label, score)| {
                    Some((labels.get(label as usize)?.as_str(), f64::from(score)))
                })
            }
            None => detector::detect(text),
        };
        Ok(answer.unwrap_or(("", 0.0)))
    }
}

const LANG: &str = "lang";
const SCORE: &str = "lang_score";

impl Operator for LanguageIdScoreFilter {
    const NAME: &'static str = "language_id_score_filter";
    const KIND: Kind = Kind::Filter;
    const COST: Cost = Cost::Heavy;

    fn prepare(&mut self) -> Result<(), String> {
        if let Some(model) = Model::open_if_lent("model")? {
            let labels = model.labels()?;
            self.fasttext = Some(Fasttext { model, labels });
        }
        Ok(())
    }

    fn signature(&self, common: &Common) -> Signature {
        Signature {
            reads: vec![Input::required(&common.text_key, ColumnType::Utf8)],
            writes_stats: vec![
                Computed::new(LANG, ColumnType::Utf8),
                Computed::new(SCORE, ColumnType::F64),
            ],
            ..Signature::default()
        }
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let texts = batch.texts(0)?;
        // Stats that the rows already have follow the text.
        let given = |key: &str| {
            batch.fields[1..]
                .iter()
                .find(|f| f.path.rsplit('.').next() == Some(key))
                .map(|f| &f.values)
        };
        let (given_lang, given_score) = (given(LANG).and_then(Column::texts), given(SCORE));
        let mut langs = Texts::with_capacity(batch.rows(), 3 * batch.rows());
        let mut scores = Vec::with_capacity(batch.rows());
        let mut keep = Vec::with_capacity(batch.rows());
        for row in 0..batch.rows() {
            let known = (
                given_lang.and_then(|langs| langs.get(row)),
                given_score.and_then(|scores| scores.number(row)),
            );
            let (lang, score) = match known {
                (Some(lang), Some(score)) => (lang, score),
                (known_lang, known_score) => {
                    let (lang, score) = self
                        .judge(texts.value(row))
                        .map_err(|reject| OpError::Failed(reject.0))?;
                    // Keeps what a row has.
                    langs.push(known_lang.unwrap_or(lang));
                    scores.push(known_score.unwrap_or(score));
                    (langs.value(row), scores[row])
                }
            };
            keep.push(u8::from(
                self.lang.accept(lang) && common.keeps(score, self.min_score, f64::INFINITY),
            ));
            if let (Some(lang), Some(score)) = known {
                langs.push(lang);
                scores.push(score);
            }
        }
        let stats = vec![
            Field {
                path: LANG.into(),
                values: Column::Utf8(langs),
            },
            Field {
                path: SCORE.into(),
                values: Column::F64(scores.into()),
            },
        ];
        Ok(Output::Filtered {
            keep,
            stats,
            rejected: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::models::{Lend, lend};
    use djhost_sdk::{Filtered, operator};

    fn langs(answer: &Filtered) -> Vec<Option<&str>> {
        answer.stats[0].values.texts().unwrap().iter().collect()
    }

    #[test]
    fn the_detector_that_ships_knows_languages() {
        let mut op = Runner::new(
            operator!(LanguageIdScoreFilter),
            r#"{"lang": ["en", "zh"]}"#,
        )
        .unwrap();
        let texts = [
            "The weather is nice today, and we are going for a walk in the park.",
            "今天天气很好,我们去公园散步。",
            "Das Wetter ist heute schön, und wir gehen im Park spazieren.",
            "123 --",
            "",
        ];
        let answer = op.filter(&texts);
        assert_eq!(langs(&answer), ["en", "zh", "de", "", ""].map(Some));
        assert_eq!(answer.keep, [true, true, false, false, false]);
        assert_eq!(answer.stat(SCORE)[3], Some(0.0));
        for all in [r#"{"lang": null}"#, r#"{"lang": []}"#, "{}"] {
            assert_eq!(
                Runner::new(operator!(LanguageIdScoreFilter), all)
                    .unwrap()
                    .filter(&texts)
                    .keep[..3],
                [true, true, true],
                "{all}"
            );
        }
    }

    #[test]
    fn stats_that_a_row_has_are_used_and_kept() {
        let mut op = Runner::new(operator!(LanguageIdScoreFilter), r#"{"lang": "fr"}"#).unwrap();
        let english = "The weather is nice today, and we are going for a walk.";
        let row = |stats: &str| format!(r#"{{"text": "{english}", "__dj__stats__": {stats}}}"#);
        let rows = [
            row(r#"{"lang": "fr", "lang_score": 0.9}"#),
            row(r#"{"lang": "fr"}"#),
            row(r#"{"lang_score": 0.1}"#),
        ];
        let answer = op.filter_json(&rows.each_ref().map(String::as_str));
        assert_eq!(langs(&answer), ["fr", "fr", "en"].map(Some));
        assert!(answer.keep[0]);
        assert!(!answer.keep[2]);
        assert_eq!(
            (answer.stat(SCORE)[0], answer.stat(SCORE)[2]),
            (Some(0.9), Some(0.1))
        );
    }

    #[test]
    fn a_model_that_is_lent_takes_the_place_of_the_detector() {
        struct Upper;
        impl Lend for Upper {
            fn labels(&self) -> Result<Vec<String>, String> {
                Ok(vec!["one".into(), "two".into()])
            }
            fn classify(&self, text: &str, k: u32) -> Result<Vec<(u32, f32)>, String> {
                assert_eq!((text, k), ("the weather", 1));
                Ok(vec![(1, 0.75)])
            }
        }
        let _lent = lend("model", Upper);
        let mut op = Runner::new(operator!(LanguageIdScoreFilter), r#"{"lang": "two"}"#).unwrap();
        let answer = op.filter(&["The WEATHER"]);
        assert_eq!(langs(&answer), [Some("two")]);
        assert_eq!(answer.stat(SCORE), [Some(0.75)]);
        assert_eq!(answer.keep, [false], "below 0.8");
    }
}
