//! Vectors of texts from those of their tokens.

use djhost_sdk::prelude::*;

/// How the vectors of tokens become the vector of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Their mean.
    #[default]
    Mean,
    /// That of the first token.
    Cls,
    /// That of the last token.
    Last,
    /// Their mean, in which the first counts once, the second twice, and so on.
    WeightedMean,
    /// The network does it: its output has one vector per text.
    None,
}

impl Pooling {
    /// The vector of a text, from an output of the shape `[tokens, width]`, or `[width]` if the
    /// network does it.
    ///
    /// # Errors
    /// When the output has another shape, or the vector no finite numbers.
    pub(crate) fn pool(
        self,
        values: &[f32],
        shape: &[u32],
        normalize: bool,
    ) -> Result<Vec<f32>, String> {
        let mut vector: Vec<f64> = match (self, shape) {
            (Self::None, [_]) => values.iter().map(|x| f64::from(*x)).collect(),
            (Self::None, _) => {
                return Err(format!(
                    "`pooling`: none needs one vector per text, and the output has the shape {shape:?} for one: use mean or cls"
                ));
            }
            (_, [_, width]) if !values.is_empty() => {
                let tokens: Vec<&[f32]> = values.chunks_exact(*width as usize).collect();
                let last = tokens.len() - 1;
                match self {
                    Self::Cls => wide(tokens[0]),
                    Self::Last => wide(tokens[last]),
                    Self::WeightedMean => mean(&tokens, |at| (at + 1) as f64),
                    _ => mean(&tokens, |_| 1.0),
                }
            }
            _ => {
                return Err(format!(
                    "the output has the shape {shape:?} for a text, and not a vector per token: use `pooling: none`"
                ));
            }
        };
        if normalize {
            let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
            if norm > 0.0 {
                vector.iter_mut().for_each(|x| *x /= norm);
            }
        }
        match vector.iter().all(|x| x.is_finite()) {
            true => Ok(vector.into_iter().map(|x| x as f32).collect()),
            false => Err("the network gave no finite vector".into()),
        }
    }
}

fn wide(vector: &[f32]) -> Vec<f64> {
    vector.iter().map(|x| f64::from(*x)).collect()
}

fn mean(tokens: &[&[f32]], weight: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; tokens[0].len()];
    let mut total = 0.0;
    for (at, token) in tokens.iter().enumerate() {
        let weight = weight(at);
        total += weight;
        for (sum, x) in sums.iter_mut().zip(*token) {
            *sum += weight * f64::from(*x);
        }
    }
    sums.iter_mut().for_each(|sum| *sum /= total);
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_made_of_those_of_the_tokens() {
        let values = [3.0, 0.0, 1.0, 4.0];
        let pool = |pooling: Pooling| pooling.pool(&values, &[2, 2], false).unwrap();
        assert_eq!(pool(Pooling::Mean), [2.0, 2.0]);
        assert_eq!(pool(Pooling::Cls), [3.0, 0.0]);
        assert_eq!(pool(Pooling::Last), [1.0, 4.0]);
        assert_eq!(pool(Pooling::WeightedMean), [5.0 / 3.0, 8.0 / 3.0]);
        assert_eq!(
            Pooling::None.pool(&[3.0, 4.0], &[2], true).unwrap(),
            [0.6, 0.8]
        );
        assert_eq!(
            Pooling::Mean.pool(&[0.0, 0.0], &[1, 2], true).unwrap(),
            [0.0, 0.0]
        );
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let error = Pooling::Mean.pool(&[1.0], &[1], true).unwrap_err();
        assert!(error.contains("use `pooling: none`"), "{error}");
        let error = Pooling::None.pool(&[1.0], &[1, 1], true).unwrap_err();
        assert!(error.contains("use mean or cls"), "{error}");
        assert!(Pooling::Cls.pool(&[f32::NAN], &[1, 1], true).is_err());
    }
}
