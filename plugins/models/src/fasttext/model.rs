//! A model file as a whole.

use super::dictionary::{Dictionary, Grams};
use super::matrix::Matrix;
use super::output::Loss;
use super::reader::{Reader, damaged};
use std::io::{BufReader, Read, Seek};

const MAGIC: i32 = 793_712_314;
const SUPERVISED: i32 = 3;
/// No model has longer n-grams; a file that claims so would only take time.
const MAX_GRAM: i32 = 100;

/// A supervised fastText model.
pub struct Model {
    dictionary: Dictionary,
    labels: Vec<String>,
    input: Matrix,
    output: Matrix,
    loss: Loss,
}

/// Reusable buffers.
#[derive(Debug, Default)]
pub struct Scratch {
    rows: Vec<u32>,
    hashes: Vec<u32>,
    word: Vec<u8>,
    hidden: Vec<f32>,
    scores: Vec<f32>,
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// When it cannot be read, is damaged or is not a supervised model.
    pub fn open(path: &str) -> Result<Self, String> {
        let file = std::fs::File::open(path).map_err(|error| format!("cannot read it: {error}"))?;
        Self::read(BufReader::with_capacity(1 << 16, file))
    }

    /// Reads a model.
    ///
    /// # Errors
    /// When it cannot be read, is damaged or is not a supervised model.
    pub fn read(source: impl Read + Seek) -> Result<Self, String> {
        let mut reader = Reader::new(source)?;
        let reader = &mut reader;
        if reader.left() < 8 || reader.i32("head")? != MAGIC {
            return Err("this is not a fastText model: give a `.bin` or `.ftz` file".into());
        }
        let version = reader.i32("head")?;
        if !(11..=12).contains(&version) {
            return Err(format!(
                "the version of the file is {version}: it must be 11 or 12"
            ));
        }
        // dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn, lrUpdateRate
        let mut args = [0; 12];
        for arg in &mut args {
            *arg = reader.i32("arguments")?;
        }
        reader.f64("arguments")?;
        let [dim, _, _, _, _, words, loss, model, buckets, min, max, _] = args;
        if model != SUPERVISED {
            return Err(
                "the model was not trained to predict labels: it must be a supervised one".into(),
            );
        }
        if dim <= 0 || words > MAX_GRAM || max > MAX_GRAM {
            return Err(damaged("arguments"));
        }
        let number = |n: i32| n.max(0) as usize;
        // Before version 12, models with labels had no n-grams of characters.
        let max = if version == 11 { 0 } else { number(max) };
        let buckets = u32::try_from(buckets).map_err(|_| damaged("arguments"))?;
        let grams = Grams {
            words: number(words),
            min: number(min),
            max,
            buckets,
        };
        let dictionary = Dictionary::read(reader, grams)?;
        let quantised = reader.flag("input matrix")?;
        if dictionary.is_pruned() && !quantised {
            return Err(damaged("a pruned dictionary without a quantised matrix"));
        }
        let input = Matrix::read(reader, quantised, "input matrix")?;
        let quantised = reader.flag("output matrix")? && quantised;
        let output = Matrix::read(reader, quantised, "output matrix")?;
        let labels: Vec<String> = (0..dictionary.label_counts().len())
            .map(|label| dictionary.label(label))
            .collect();
        let loss = Loss::new(loss, dictionary.label_counts())?;
        let dim = dim as usize;
        // In a tree only the inner nodes have rows.
        let needed = if matches!(loss, Loss::Tree(_)) {
            labels.len() - 1
        } else {
            labels.len()
        };
        if input.columns() != dim
            || output.columns() != dim
            || (input.rows() as u64) < dictionary.rows()
        {
            return Err(damaged("size of the matrices"));
        }
        if output.rows() < needed || output.rows() > labels.len() {
            return Err(damaged("size of the output matrix"));
        }
        Ok(Self {
            dictionary,
            labels,
            input,
            output,
            loss,
        })
    }

    /// The best label, without its prefix, and its score; None for a text without anything that the
    /// model knows. Line feeds count as spaces.
    pub fn predict(&self, text: &[u8], scratch: &mut Scratch) -> Option<(&str, f64)> {
        let Scratch {
            rows,
            hashes,
            word,
            hidden,
            scores,
        } = scratch;
        self.dictionary.rows_of(text, rows, hashes, word);
        if rows.is_empty() {
            return None;
        }
        hidden.clear();
        hidden.resize(self.input.columns(), 0.0);
        for &row in rows.iter() {
            self.input.add_row(row as usize, hidden);
        }
        let share = (1.0 / rows.len() as f64) as f32;
        hidden.iter_mut().for_each(|value| *value *= share);
        let (label, score) = self.loss.best(&self.output, hidden, scores)?;
        Some((self.labels.get(label)?, score.into()))
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Model({} labels)", self.labels.len())
    }
}
