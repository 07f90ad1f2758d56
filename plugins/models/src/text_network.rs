//! A tokenizer and a network that takes its tokens.

use crate::tokens::{MOST_TOKENS, Tokens};
use djhost_sdk::models::{Element, Model, Tensor, TensorData, TensorInfo};
use djhost_sdk::prelude::*;

/// What an input of the network is given.
#[derive(Clone, Copy)]
enum Given {
    /// The ids of the tokens.
    Ids,
    /// 1 for each token: rows of one call have equally many.
    Mask,
    /// 0 for each token: there is one sentence.
    Segment,
}

/// A tokenizer and a network that takes its tokens.
pub(crate) struct TextNetwork {
    tokens: Tokens,
    network: Model,
    inputs: Vec<(String, Given)>,
}

impl TextNetwork {
    /// Opens the models of the parameters `tokenizer` and `model`.
    ///
    /// # Errors
    /// When one is not lent, or the network takes something else than tokens.
    pub(crate) fn open(max_length: u32) -> Result<Self, String> {
        let tokenizer = Model::open("tokenizer")?;
        let network = Model::open("model")?;
        let inputs: Result<Vec<(String, Given)>, String> =
            network.inputs().into_iter().map(given).collect();
        let inputs = inputs?;
        if !inputs.iter().any(|(_, given)| matches!(given, Given::Ids)) {
            return Err("`model`: the network has no input `input_ids`: export it with the names of `transformers`".into());
        }
        Ok(Self {
            tokens: Tokens::open(tokenizer, max_length, "max_length")?,
            network,
            inputs,
        })
    }

    /// The outputs that have floats.
    pub(crate) fn outputs(&self) -> Vec<TensorInfo> {
        let mut outputs = self.network.outputs();
        outputs.retain(|output| output.element == Element::F32);
        outputs
    }

    /// Runs the network on the most tokens that it will get, so that what does not fit is found
    /// before any work.
    ///
    /// # Errors
    /// When it cannot.
    pub(crate) fn try_longest(&self, output: &str) -> Result<Tensor, String> {
        let Tokens {
            tokenizer,
            before,
            after,
            max_length,
        } = &self.tokens;
        let filler = tokenizer.encode("a", false).map_err(|Reject(why)| why)?;
        let filler = filler.first().copied().unwrap_or_default();
        let mut ids = before.clone();
        ids.resize(max_length - after.len(), filler.into());
        ids.extend(after);
        self.run(&[ids], output).map_err(|wrong| {
            format!("`model`: the network cannot take `max_length` ({max_length}) tokens: {wrong}")
        })
    }

    /// The tokens of a text, cut to `max_length`, with the special ones around them.
    pub(crate) fn tokens(&self, text: &str) -> Result<Vec<i64>, Reject> {
        self.tokens.of(text)
    }

    /// One output of the network for rows of equally many tokens.
    ///
    /// # Errors
    /// When the network cannot compute it.
    pub(crate) fn run(&self, rows: &[Vec<i64>], output: &str) -> Result<Tensor, String> {
        let length = rows.first().map_or(0, Vec::len);
        let shape = vec![rows.len() as u32, length as u32];
        let inputs = self.inputs.iter().map(|(name, given)| Tensor {
            name: name.clone(),
            shape: shape.clone(),
            data: TensorData::I64(match given {
                Given::Ids => rows.concat(),
                Given::Mask => vec![1; rows.len() * length],
                Given::Segment => vec![0; rows.len() * length],
            }),
        });
        let outputs = self.network.run(inputs.collect())?;
        let found = outputs.into_iter().find(|tensor| tensor.name == output);
        let found = found.ok_or("the network gave no such output")?;
        match found.shape.first() {
            Some(count) if *count as usize == rows.len() => Ok(found),
            _ => Err(format!(
                "the output `{output}` has the shape {:?} for {} texts",
                found.shape,
                rows.len()
            )),
        }
    }

    /// Runs the network on all texts, those of equally many tokens together, and hands each row's
    /// part of the output to `each`: its numbers, and their shape.
    pub(crate) fn run_all<'a>(
        &self,
        texts: impl Iterator<Item = &'a str>,
        output: &str,
        mut each: impl FnMut(usize, Result<(&[f32], &[u32]), Reject>),
    ) {
        let mut rows: Vec<(usize, Vec<i64>)> = Vec::new();
        for (row, text) in texts.enumerate() {
            match self.tokens(text) {
                Ok(ids) => rows.push((row, ids)),
                Err(wrong) => each(row, Err(wrong)),
            }
        }
        rows.sort_by_key(|(row, ids)| (ids.len(), *row));
        for equal in rows.chunk_by(|a, b| a.1.len() == b.1.len()) {
            for part in equal.chunks((MOST_TOKENS / equal[0].1.len()).max(1)) {
                let (numbers, ids): (Vec<usize>, Vec<Vec<i64>>) = part.iter().cloned().unzip();
                match self.run(&ids, output) {
                    Ok(all) => hand_out(&numbers, &all, &mut each),
                    // One of them may be at fault.
                    Err(_) => {
                        for (number, ids) in numbers.iter().zip(ids) {
                            match self.run(&[ids], output) {
                                Ok(one) => hand_out(&[*number], &one, &mut each),
                                Err(wrong) => each(*number, Err(Reject(wrong))),
                            }
                        }
                    }
                }
            }
        }
    }
}

fn hand_out(
    numbers: &[usize],
    all: &Tensor,
    each: &mut impl FnMut(usize, Result<(&[f32], &[u32]), Reject>),
) {
    let TensorData::F32(values) = &all.data else {
        return;
    };
    let size = values.len() / numbers.len();
    for (at, number) in numbers.iter().enumerate() {
        each(*number, Ok((&values[at * size..][..size], &all.shape[1..])));
    }
}

fn given(input: TensorInfo) -> Result<(String, Given), String> {
    let given = match (input.name.as_str(), input.element) {
        ("input_ids", Element::I64) => Given::Ids,
        ("attention_mask", Element::I64) => Given::Mask,
        ("token_type_ids", Element::I64) => Given::Segment,
        (name, _) => {
            return Err(format!(
                "`model`: the network takes `{name}`; for texts it may take integers in `input_ids`, `attention_mask` and `token_type_ids`"
            ));
        }
    };
    Ok((input.name, given))
}
