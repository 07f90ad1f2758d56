//! Networks that score an image with a text.

use super::processor::Image;
use djhost_sdk::models::{Element, Model, Tensor, TensorData, TensorInfo};

/// What the score of a network says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Score {
    /// How similar image and text are: CLIP.
    Similarity,
    /// How likely it is that they belong together: BLIP.
    Matching,
}

impl Score {
    /// The outputs that have it, the first that is there counts.
    fn outputs(self) -> &'static [&'static str] {
        match self {
            Self::Similarity => &["logits_per_text", "logits_per_image"],
            Self::Matching => &["itm_score"],
        }
    }

    /// The most tokens of a text, where `config.json` does not say.
    pub(super) fn default_length(self) -> u64 {
        match self {
            Self::Similarity => 77,
            Self::Matching => 512,
        }
    }

    /// The score of an output for one image and one text.
    fn of(self, values: &[f32]) -> Option<f32> {
        match (self, values) {
            (Self::Similarity, [logit]) => Some(logit / 100.0),
            (Self::Matching, [no, yes]) => {
                let most = no.max(*yes);
                let (no, yes) = ((no - most).exp(), (yes - most).exp());
                Some(yes / (no + yes))
            }
            _ => None,
        }
    }
}

/// What an input is given.
#[derive(Clone, Copy)]
enum Given {
    Ids,
    Mask,
    Pixels,
}

/// A network that takes an image and the tokens of a text.
pub(super) struct Network {
    model: Model,
    inputs: Vec<(String, Given)>,
    output: String,
    score: Score,
}

impl Network {
    /// Opens the network of the parameter `named`.
    ///
    /// # Errors
    /// When it takes or gives something else.
    pub(super) fn open(named: &str, score: Score) -> Result<Self, String> {
        let model = Model::open(named)?;
        let inputs: Result<Vec<(String, Given)>, String> =
            model.inputs().into_iter().map(given).collect();
        let inputs = inputs.map_err(|wrong| format!("`{named}`: {wrong}"))?;
        for (wanted, is_there) in [
            (
                "input_ids",
                inputs.iter().any(|(_, g)| matches!(g, Given::Ids)),
            ),
            (
                "pixel_values",
                inputs.iter().any(|(_, g)| matches!(g, Given::Pixels)),
            ),
        ] {
            if !is_there {
                return Err(format!(
                    "`{named}`: the network has no input `{wanted}`: export it with images and texts"
                ));
            }
        }
        let outputs = model.outputs();
        let found = score.outputs().iter().find(|name| {
            outputs
                .iter()
                .any(|output| output.name == **name && output.element == Element::F32)
        });
        let output = found.ok_or_else(|| {
            format!(
                "`{named}`: the network has no output of floats `{}`",
                score.outputs().join("` or `")
            )
        })?;
        Ok(Self {
            model,
            inputs,
            output: (*output).to_owned(),
            score,
        })
    }

    /// The score of one image and one text.
    ///
    /// # Errors
    /// When the network cannot compute it.
    pub(super) fn score(&self, ids: &[i64], mut image: Image) -> Result<f32, String> {
        let words = vec![1, ids.len() as u32];
        let inputs = self.inputs.iter().map(|(name, given)| {
            let (shape, data) = match given {
                Given::Ids => (words.clone(), TensorData::I64(ids.to_vec())),
                Given::Mask => (words.clone(), TensorData::I64(vec![1; ids.len()])),
                Given::Pixels => (
                    vec![1, 3, image.height as u32, image.width as u32],
                    TensorData::F32(std::mem::take(&mut image.values)),
                ),
            };
            Tensor {
                name: name.clone(),
                shape,
                data,
            }
        });
        let inputs = inputs.collect();
        let outputs = self.model.run(inputs)?;
        let found = outputs.iter().find(|tensor| tensor.name == self.output);
        let found = found.ok_or("the network gave no such output")?;
        let score = match &found.data {
            TensorData::F32(values) => self.score.of(values),
            _ => None,
        };
        match score {
            Some(score) if score.is_finite() => Ok(score),
            Some(_) => Err("the network gave no finite score".into()),
            None => Err(format!(
                "the output `{}` has the shape {:?} for one image and one text",
                self.output, found.shape
            )),
        }
    }
}

fn given(input: TensorInfo) -> Result<(String, Given), String> {
    let given = match (input.name.as_str(), input.element) {
        ("input_ids", Element::I64) => Given::Ids,
        ("attention_mask", Element::I64) => Given::Mask,
        ("pixel_values", Element::F32) => Given::Pixels,
        (name, _) => {
            return Err(format!(
                "the network takes `{name}`; it may take integers in `input_ids` and `attention_mask`, and floats in `pixel_values`"
            ));
        }
    };
    Ok((input.name, given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_kind_of_network() {
        assert_eq!(Score::Similarity.of(&[25.0]), Some(0.25));
        assert_eq!(Score::Similarity.of(&[1.0, 2.0]), None);
        assert_eq!(Score::Matching.of(&[3.0, 3.0]), Some(0.5));
        let sure = Score::Matching.of(&[-900.0, 900.0]).unwrap();
        assert_eq!(sure, 1.0);
        assert_eq!(Score::Matching.of(&[1.0]), None);
    }
}
