//! `fasttext_classifier_filter`

use crate::lines::lines_of;
use djhost_sdk::models::Model;
use djhost_sdk::prelude::*;
use djhost_sdk::text::strip;

/// Keeps texts to which a fastText classifier gives a label with a probability in a range.
///
/// For classifiers of quality, such as those of DCLM, FineWeb-Edu and OpenHermes.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FasttextClassifierFilter {
    /// The classifier: a fastText model file, `.bin` or `.ftz`.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "fasttext",
        "published": "for instance https://huggingface.co/mlfoundations/fasttext-oh-eli5"
    }))]
    pub model: String,
    /// The label whose probability counts, with or without `__label__`.
    pub label: String,
    /// The least probability.
    pub min_score: f64,
    /// The greatest probability.
    pub max_score: f64,
    /// How lines become one, which fastText needs.
    pub newlines: Newlines,
    #[serde(skip)]
    found: Option<Found>,
    #[serde(skip)]
    joined: String,
}

/// How lines become one.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Newlines {
    /// White space around the text goes, and lines are joined by a space, as in DCLM.
    Join,
    /// Each line feed becomes a space.
    Space,
}

struct Found {
    model: Model,
    label: u32,
    labels: u32,
}

impl Default for FasttextClassifierFilter {
    fn default() -> Self {
        Self {
            model: String::new(),
            label: "__label__hq".into(),
            min_score: 0.5,
            max_score: 1.0,
            newlines: Newlines::Join,
            found: None,
            joined: String::new(),
        }
    }
}

impl TextFilter for FasttextClassifierFilter {
    const NAME: &'static str = "fasttext_classifier_filter";
    const STAT: Stat = Stat::float("fasttext_score");
    const COST: Cost = Cost::Heavy;

    fn prepare(&mut self) -> Result<(), String> {
        let model = Model::open("model")?;
        let labels = model.labels()?;
        let name = |label: &str| label.trim_start_matches("__label__").to_owned();
        let wanted = name(&self.label);
        let Some(label) = labels.iter().position(|label| name(label) == wanted) else {
            let few: Vec<&str> = labels.iter().take(20).map(String::as_str).collect();
            return Err(format!(
                "`label`: the model has no label `{}`; it has `{}`{}",
                self.label,
                few.join("`, `"),
                if labels.len() > few.len() {
                    " and others"
                } else {
                    ""
                }
            ));
        };
        self.found = Some(Found {
            model,
            label: label as u32,
            labels: labels.len() as u32,
        });
        Ok(())
    }

    fn stat(&mut self, text: &str) -> Result<f64, Reject> {
        let Some(Found {
            model,
            label,
            labels,
        }) = &self.found
        else {
            return Err(Reject("there is no model".into()));
        };
        self.joined.clear();
        match self.newlines {
            Newlines::Join => {
                for (i, line) in lines_of(strip(text)).enumerate() {
                    if i > 0 {
                        self.joined.push(' ');
                    }
                    self.joined.push_str(line);
                }
            }
            Newlines::Space => self.joined.extend(text.chars().map(|c| match c {
                '\n' => ' ',
                c => c,
            })),
        }
        let ranked = model.classify(&self.joined, *labels)?;
        let score = ranked.iter().find(|(found, _)| found == label);
        Ok(score.map_or(0.0, |(_, score)| f64::from(*score)))
    }

    fn range(&self) -> (f64, f64) {
        // Single precision makes a certain label a little more than 1.
        let max = if self.max_score >= 1.0 {
            f64::INFINITY
        } else {
            self.max_score
        };
        (self.min_score, max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::models::{Lend, lend};
    use djhost_sdk::operator;

    struct Quality;

    impl Lend for Quality {
        fn labels(&self) -> Result<Vec<String>, String> {
            Ok(vec!["cc".into(), "hq".into()])
        }
        fn classify(&self, text: &str, k: u32) -> Result<Vec<(u32, f32)>, String> {
            assert_eq!(k, 2);
            Ok(match text {
                "one two" => vec![(1, 0.75), (0, 0.25)],
                " one two " => vec![(0, 1.00001)],
                _ => Vec::new(),
            })
        }
    }

    #[test]
    fn the_score_is_that_of_the_label() {
        let _lent = lend("model", Quality);
        let mut op = Runner::new(operator!(FasttextClassifierFilter), "{}").unwrap();
        let out = op.filter(&["\none\ntwo\n", "", "one two"]);
        assert_eq!(out.stat("fasttext_score"), [0.75, 0.0, 0.75].map(Some));
        assert_eq!(out.keep, [true, false, true]);
        let params = r#"{"newlines": "space", "label": "cc", "min_score": 0.9}"#;
        let mut op = Runner::new(operator!(FasttextClassifierFilter), params).unwrap();
        let out = op.filter(&["\none\ntwo\n", "one two"]);
        assert_eq!(out.keep, [true, false]);
    }

    #[test]
    fn a_label_that_the_model_lacks_is_refused() {
        let _lent = lend("model", Quality);
        let error = Runner::new(operator!(FasttextClassifierFilter), r#"{"label": "good"}"#)
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "`label`: the model has no label `good`; it has `cc`, `hq`"
        );
    }
}
