//! `onnx_classifier_filter`

use crate::text_network::TextNetwork;
use djhost_sdk::models::{Element, Model, Tensor, TensorData, TensorInfo};
use djhost_sdk::prelude::*;

/// Keeps rows to which a classifier in ONNX gives a label with a score in a range.
///
/// The classifier reads the text through a tokenizer, or, with `fields`, numbers of the row.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OnnxClassifierFilter {
    /// The classifier: a network in ONNX.
    #[schemars(extend("format" = "model", "x-model" = {"kind": "onnx"}))]
    pub model: String,
    /// The tokenizer of a classifier of texts: a `tokenizer.json`, or a directory with one.
    #[schemars(extend("format" = "model", "x-model" = {"kind": "tokenizer", "optional": true}))]
    pub tokenizer: String,
    /// The fields with the numbers that the classifier takes, in its order; with these there is no
    /// tokenizer.
    pub fields: Vec<String>,
    /// The labels in the classifier's order, by which `label` may name one.
    pub labels: Vec<String>,
    /// The label whose score counts: one of `labels`, or its number from 0.
    pub label: String,
    /// How scores become probabilities.
    pub activation: Activation,
    /// The output with the scores. Empty: `logits`, `probabilities`, or the first one.
    pub output: String,
    /// The least score.
    pub min_score: f64,
    /// The greatest score.
    pub max_score: f64,
    /// The most tokens of a text, special ones included; the rest of the text is not seen.
    #[schemars(range(min = 1, max = 4096))]
    pub max_length: u32,
    #[serde(skip)]
    found: Option<Found>,
}

/// How the numbers of the output become probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// They are logits of which one label is true.
    Softmax,
    /// They are logits of labels that do not exclude each other.
    Sigmoid,
    /// They are scores as they are.
    None,
}

struct Found {
    network: Network,
    output: String,
    label: usize,
}

enum Network {
    Text(TextNetwork),
    Numbers { model: Model, input: String },
}

impl Default for OnnxClassifierFilter {
    fn default() -> Self {
        Self {
            model: String::new(),
            tokenizer: String::new(),
            fields: Vec::new(),
            labels: Vec::new(),
            label: "1".into(),
            activation: Activation::Softmax,
            output: String::new(),
            min_score: 0.5,
            max_score: 1.0,
            max_length: 512,
            found: None,
        }
    }
}

impl OnnxClassifierFilter {
    fn open(&self) -> Result<(Network, Vec<TensorInfo>), String> {
        let has_tokenizer = Model::open_if_lent("tokenizer")?.is_some();
        match (has_tokenizer, self.fields.is_empty()) {
            (true, true) => {
                let network = TextNetwork::open(self.max_length)?;
                let outputs = network.outputs();
                Ok((Network::Text(network), outputs))
            }
            (false, false) => {
                let model = Model::open("model")?;
                let input = numbers_input(&model.inputs(), self.fields.len())?;
                let mut outputs = model.outputs();
                outputs.retain(|output| output.element == Element::F32);
                Ok((Network::Numbers { model, input }, outputs))
            }
            (true, false) => Err("`fields`: with a `tokenizer` the classifier reads the text: name one of both".into()),
            (false, true) => Err("`tokenizer`: name the tokenizer of the classifier, or `fields` with the numbers that it takes".into()),
        }
    }

    /// The place of the label among so many.
    fn place(&self, count: usize) -> Result<usize, String> {
        if !self.labels.is_empty() && self.labels.len() != count {
            return Err(format!(
                "`labels`: there are {}, and the classifier has {count}",
                self.labels.len()
            ));
        }
        let named = self.labels.iter().position(|label| *label == self.label);
        let numbered = || self.label.parse().ok().filter(|number| *number < count);
        named.or_else(numbered).ok_or_else(|| {
            let known = match self.labels.is_empty() {
                true => format!(
                    "use a number from 0 to {}, or give `labels`",
                    count.saturating_sub(1)
                ),
                false => format!("`labels` has `{}`", self.labels.join("`, `")),
            };
            format!("`label`: there is no label `{}`: {known}", self.label)
        })
    }

    fn score(&self, values: &[f32], label: usize) -> Result<f64, String> {
        let of = |at: usize| f64::from(values[at]);
        let score = match self.activation {
            Activation::None => of(label),
            Activation::Sigmoid => 1.0 / (1.0 + (-of(label)).exp()),
            Activation::Softmax => {
                let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let power = |value: f32| f64::from(value - most).exp();
                let sum: f64 = values.iter().map(|value| power(*value)).sum();
                power(values[label]) / sum
            }
        };
        match score.is_finite() {
            true => Ok(score),
            false => Err("the classifier gave no finite score".into()),
        }
    }
}

/// The input for numbers: the only one, of floats, with a place for each field.
fn numbers_input(inputs: &[TensorInfo], fields: usize) -> Result<String, String> {
    let [input] = inputs else {
        return Err(format!(
            "`model`: for `fields` the network must have one input, and it has {}",
            inputs.len()
        ));
    };
    match (input.element, &input.shape[..]) {
        (Element::F32, [_, width]) if width.is_none_or(|width| width as usize == fields) => {
            Ok(input.name.clone())
        }
        (Element::F32, [_, Some(width)]) => Err(format!(
            "`fields`: there are {fields}, and the network takes {width} numbers"
        )),
        _ => Err(format!(
            "`model`: for `fields` the input `{}` must have floats in the shape [rows, numbers]",
            input.name
        )),
    }
}

impl Found {
    /// The classifier's output for some rows of numbers.
    fn of_numbers(
        model: &Model,
        input: &str,
        numbers: Vec<f32>,
        output: &str,
    ) -> Result<Tensor, String> {
        let outputs = model.run(vec![Tensor {
            name: input.to_owned(),
            shape: vec![1, numbers.len() as u32],
            data: TensorData::F32(numbers),
        }])?;
        let found = outputs.into_iter().find(|tensor| tensor.name == output);
        found.ok_or_else(|| "the network gave no such output".into())
    }
}

/// The scores of one row.
fn scores(tensor: &Tensor) -> Result<&[f32], String> {
    match (&tensor.data, &tensor.shape[..]) {
        (TensorData::F32(values), [1, _]) if !values.is_empty() => Ok(values),
        _ => Err(format!(
            "`output`: `{}` has the shape {:?} for one row, and not a score per label",
            tensor.name, tensor.shape
        )),
    }
}

impl Filter for OnnxClassifierFilter {
    const NAME: &'static str = "onnx_classifier_filter";
    const STATS: &'static [Stat] = &[Stat::float("onnx_score")];
    const COST: Cost = Cost::Heavy;

    fn prepare(&mut self) -> Result<(), String> {
        let (network, outputs) = self.open()?;
        let wanted: &[&str] = match self.output.as_str() {
            "" => &["logits", "probabilities"],
            name => &[name],
        };
        let named = wanted
            .iter()
            .find_map(|name| outputs.iter().find(|output| output.name == *name));
        let named = named.or(outputs.first().filter(|_| self.output.is_empty()));
        let Some(output) = named.map(|output| output.name.clone()) else {
            let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
            return Err(format!(
                "`output`: the network has no floats in `{}`; it has `{}`",
                self.output,
                names.join("`, `")
            ));
        };
        // A trial: what does not fit is found before any work, and how many labels there are.
        let tried = match &network {
            Network::Text(network) => network.try_longest(&output)?,
            Network::Numbers { model, input } => {
                let zeros = vec![0.0; self.fields.len()];
                Found::of_numbers(model, input, zeros, &output)
                    .map_err(|wrong| format!("`model`: {wrong}"))?
            }
        };
        let label = self.place(scores(&tried)?.len())?;
        self.found = Some(Found {
            network,
            output,
            label,
        });
        Ok(())
    }

    fn inputs(&self, common: &Common) -> Vec<Input> {
        if self.fields.is_empty() {
            return vec![Input::required(&common.text_key, ColumnType::Utf8)];
        }
        let fields = self.fields.iter();
        fields
            .map(|field| Input::required(field, ColumnType::F64))
            .collect()
    }

    fn stats(&mut self, row: Row<'_>, stats: &mut [f64]) -> Result<(), Reject> {
        let Some(found) = &self.found else {
            return Err(Reject("there is no model".into()));
        };
        let answer = match &found.network {
            Network::Text(network) => {
                let ids = network.tokens(row.text(0).unwrap_or_default())?;
                network.run(&[ids], &found.output)
            }
            Network::Numbers { model, input } => {
                let numbers = (0..self.fields.len()).map(|at| {
                    let number = row.number(at);
                    let number = number
                        .ok_or_else(|| Reject(format!("`{}` is no number", self.fields[at])))?;
                    match (number as f32).is_finite() {
                        true => Ok(number as f32),
                        false => Err(Reject(format!(
                            "`{}` is too large a number",
                            self.fields[at]
                        ))),
                    }
                });
                let numbers = numbers.collect::<Result<Vec<f32>, Reject>>()?;
                Found::of_numbers(model, input, numbers, &found.output)
            }
        };
        let answer = answer.map_err(Reject)?;
        let values = scores(&answer).map_err(Reject)?;
        if values.len() <= found.label {
            return Err(Reject(
                "the classifier gave fewer scores than it has labels".into(),
            ));
        }
        stats[0] = self.score(values, found.label).map_err(Reject)?;
        Ok(())
    }

    fn keep(&self, common: &Common, stats: &[f64]) -> bool {
        common.keeps(stats[0], self.min_score, self.max_score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::models::{Lend, lend};
    use djhost_sdk::operator;

    /// The logits of two numbers are the first one, and their sum.
    struct Sums;

    impl Lend for Sums {
        fn inputs(&self) -> Vec<TensorInfo> {
            vec![info("features", vec![None, Some(2)])]
        }
        fn outputs(&self) -> Vec<TensorInfo> {
            vec![
                info("hidden", vec![None, Some(7)]),
                info("logits", vec![None, Some(2)]),
            ]
        }
        fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, String> {
            let TensorData::F32(values) = &inputs[0].data else {
                return Err("floats".into());
            };
            assert_eq!(inputs[0].shape, [1, 2]);
            let output = |name: &str, values: Vec<f32>| Tensor {
                name: name.into(),
                shape: vec![1, values.len() as u32],
                data: TensorData::F32(values),
            };
            Ok(vec![
                output("hidden", vec![0.0; 7]),
                output("logits", vec![values[0], values[0] + values[1]]),
            ])
        }
    }

    fn info(name: &str, shape: Vec<Option<u32>>) -> TensorInfo {
        TensorInfo {
            name: name.into(),
            element: Element::F32,
            shape,
        }
    }

    fn made(params: &str) -> Result<Runner, String> {
        Runner::new(operator!(OnnxClassifierFilter), params).map_err(|error| error.to_string())
    }

    #[test]
    fn fields_of_numbers_are_classified() {
        let _lent = lend("model", Sums);
        let mut op =
            made(r#"{"fields": ["a", "b"], "labels": ["bad", "good"], "label": "good"}"#).unwrap();
        let rows = [
            r#"{"a": 1, "b": 2}"#,
            r#"{"a": 5, "b": -1.5}"#,
            r#"{"a": 1e300, "b": 0}"#,
        ];
        let out = op.filter_json(&rows);
        assert_eq!(out.keep, [true, false, false]);
        let stats = out.stat("onnx_score");
        for (got, logit) in stats.iter().zip([2.0f64, -1.5]) {
            assert!(
                (got.unwrap() - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-7,
                "{stats:?}"
            );
        }
        assert_eq!(out.rejected[0].reason, "`a` is too large a number");
        let params = r#"{"fields": ["a", "b"], "label": "0", "activation": "none", "min_score": 2, "max_score": 6}"#;
        assert_eq!(
            made(params).unwrap().filter_json(&rows[..2]).keep,
            [false, true]
        );
    }

    #[test]
    fn mistakes_are_named() {
        let _lent = lend("model", Sums);
        let error = |params: &str| made(params).map(|_| ()).unwrap_err();
        for (params, expected) in [
            (
                "{}",
                "`tokenizer`: name the tokenizer of the classifier, or `fields`",
            ),
            (
                r#"{"fields": ["a"]}"#,
                "`fields`: there are 1, and the network takes 2 numbers",
            ),
            (
                r#"{"fields": ["a", "b"], "label": "2"}"#,
                "no label `2`: use a number from 0 to 1, or give `labels`",
            ),
            (
                r#"{"fields": ["a", "b"], "labels": ["x"]}"#,
                "`labels`: there are 1, and the classifier has 2",
            ),
            (
                r#"{"fields": ["a", "b"], "labels": ["x", "y"], "label": "z"}"#,
                "no label `z`: `labels` has `x`, `y`",
            ),
            (
                r#"{"fields": ["a", "b"], "output": "scores"}"#,
                "no floats in `scores`; it has `hidden`, `logits`",
            ),
        ] {
            let message = error(params);
            assert!(message.contains(expected), "{message}");
        }
    }
}
