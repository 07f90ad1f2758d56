//! A model file as a whole.

use super::dictionary::{Dictionary, Grams};
use super::matrix::Matrix;
use super::output::{Best, Loss};
use super::reader::Reader;
use crate::error::damaged;
use crate::mapped::Bytes;
use crate::pool::Pool;
use crate::{Info, Kind};

const MAGIC: i32 = 793_712_314;
const SUPERVISED: i32 = 3;
/// No model has longer n-grams; a file that claims so would only take time.
const MAX_GRAM: i32 = 100;
/// Larger buffers are not kept for the next text.
const LARGE: usize = 1 << 18;

/// A classifier.
pub struct Model {
    file: Bytes,
    dictionary: Dictionary,
    labels: Vec<String>,
    input: Matrix,
    output: Matrix,
    loss: Loss,
    buffers: Pool<Buffers>,
}

#[derive(Debug, Default)]
struct Buffers {
    hashes: Vec<u32>,
    word: Vec<u8>,
    hidden: Vec<f32>,
    scores: Vec<f32>,
}

/// Whether a file begins as a model of fastText does.
pub(crate) fn is_one(start: &[u8]) -> bool {
    start.starts_with(&MAGIC.to_le_bytes())
}

impl Model {
    /// Reads a model; its matrices and words stay in the file.
    ///
    /// # Errors
    /// When the file is damaged or is not a supervised model.
    pub(crate) fn read(file: Bytes) -> Result<Self, String> {
        let mut reader = Reader::new(&file);
        let reader = &mut reader;
        if file.len() < 8 || reader.i32("head")? != MAGIC {
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
        reader.skip(8, "arguments")?;
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
        let dictionary = Dictionary::read(reader, &file, grams)?;
        let quantised = reader.flag("input matrix")?;
        if dictionary.is_pruned() && !quantised {
            return Err(damaged("a pruned dictionary without a quantised matrix"));
        }
        let input = Matrix::read(reader, quantised, "input matrix")?;
        let quantised = reader.flag("output matrix")? && quantised;
        let output = Matrix::read(reader, quantised, "output matrix")?;
        let labels: Vec<String> = (0..dictionary.label_counts().len())
            .map(|label| dictionary.label(&file, label))
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
            buffers: Pool::default(),
            file,
        })
    }

    /// The `k` best labels of a text, best first, as places in [`labels`](Self::labels), and their
    /// scores. Fewer if the model has fewer, none for a text without anything that the model knows.
    /// Line feeds count as spaces.
    pub fn classify(&self, text: &str, k: u32) -> Vec<(u32, f32)> {
        let mut best = Best::new((k as usize).min(self.labels.len()));
        self.buffers.with(
            |buffers| buffers.hashes.capacity() + buffers.word.capacity() < LARGE,
            |buffers| self.find(text.as_bytes(), buffers, &mut best),
        );
        best.scores()
    }

    fn find(&self, text: &[u8], buffers: &mut Buffers, best: &mut Best) {
        let Buffers {
            hashes,
            word,
            hidden,
            scores,
        } = buffers;
        hidden.clear();
        hidden.resize(self.input.columns(), 0.0);
        let file: &[u8] = &self.file;
        let mut count = 0u64;
        self.dictionary.rows_of(file, text, hashes, word, |row| {
            count += 1;
            self.input.add_row(file, row, hidden);
        });
        if count == 0 {
            return;
        }
        let share = (1.0 / count as f64) as f32;
        hidden.iter_mut().for_each(|value| *value *= share);
        self.loss.best(file, &self.output, hidden, scores, best);
    }

    /// The labels, without their prefix `__label__`.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    pub(crate) fn info(&self) -> Info {
        let bytes = self.file.len() as u64;
        Info {
            kind: Kind::Fasttext,
            bytes,
            resident: bytes + self.dictionary.memory() as u64,
            vocabulary: Some(self.dictionary.words() as u64),
            inputs: Vec::new(),
            outputs: Vec::new(),
            runtime: None,
        }
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Model({} labels)", self.labels.len())
    }
}
