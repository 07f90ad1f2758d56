//! Doubles of models, for unit tests of operators, which run natively and have no host.

use super::{Tensor, TensorInfo};
use crate::Texts;
use std::cell::RefCell;
use std::rc::Rc;

/// A double of a model. Each kind of model has some of these; the others fail.
pub trait Lend: 'static {
    /// See [`Model::score`](super::Model::score).
    ///
    /// # Errors
    /// When it has none.
    fn score(&self, _sentence: &str) -> Result<f64, String> {
        Err(another())
    }

    /// See [`Model::labels`](super::Model::labels).
    ///
    /// # Errors
    /// When it has none.
    fn labels(&self) -> Result<Vec<String>, String> {
        Err(another())
    }

    /// See [`Model::classify`](super::Model::classify).
    ///
    /// # Errors
    /// When it has none.
    fn classify(&self, _text: &str, _k: u32) -> Result<Vec<(u32, f32)>, String> {
        Err(another())
    }

    /// See [`Model::count`](super::Model::count): by default the number of tokens of
    /// [`encode`](Self::encode).
    ///
    /// # Errors
    /// When it has none.
    fn count(&self, text: &str, special: bool) -> Result<u32, String> {
        self.encode(text, special).map(|ids| ids.len() as u32)
    }

    /// See [`Model::encode`](super::Model::encode).
    ///
    /// # Errors
    /// When it has none.
    fn encode(&self, _text: &str, _special: bool) -> Result<Vec<u32>, String> {
        Err(another())
    }

    /// See [`Model::pieces`](super::Model::pieces).
    ///
    /// # Errors
    /// When it has none.
    fn pieces(&self, _text: &str) -> Result<Vec<String>, String> {
        Err(another())
    }

    /// See [`Model::decode`](super::Model::decode).
    ///
    /// # Errors
    /// When it has none.
    fn decode(&self, _ids: &[u32]) -> Result<String, String> {
        Err(another())
    }

    /// See [`Model::inputs`](super::Model::inputs).
    fn inputs(&self) -> Vec<TensorInfo> {
        Vec::new()
    }

    /// See [`Model::outputs`](super::Model::outputs).
    fn outputs(&self) -> Vec<TensorInfo> {
        Vec::new()
    }

    /// See [`Model::run`](super::Model::run).
    ///
    /// # Errors
    /// When it has none.
    fn run(&self, _inputs: Vec<Tensor>) -> Result<Vec<Tensor>, String> {
        Err(another())
    }

    /// See [`Model::contains`](super::Model::contains).
    ///
    /// # Errors
    /// When it is no list.
    fn contains(&self, _text: &str) -> Result<bool, String> {
        Err(another())
    }

    /// See [`Model::occurrences`](super::Model::occurrences).
    ///
    /// # Errors
    /// When it is no list.
    fn occurrences(&self, _text: &str, _most: u32) -> Result<u32, String> {
        Err(another())
    }
}

fn another() -> String {
    "this is a model of another kind".into()
}

thread_local! {
    static LENT: RefCell<Vec<(String, Rc<dyn Lend>)>> = const { RefCell::new(Vec::new()) };
}

/// Lends a double to the operators of this thread, until the answer is dropped.
pub fn lend(parameter: &str, double: impl Lend) -> Lent {
    let double: Rc<dyn Lend> = Rc::new(double);
    LENT.with_borrow_mut(|lent| lent.push((parameter.into(), Rc::clone(&double))));
    Lent(double)
}

/// Ends the loan when it is dropped.
#[must_use = "the double is lent until this is dropped"]
pub struct Lent(Rc<dyn Lend>);

impl Drop for Lent {
    fn drop(&mut self) {
        LENT.with_borrow_mut(|lent| lent.retain(|(_, double)| !Rc::ptr_eq(double, &self.0)));
    }
}

/// The parameters that have a double.
pub(super) fn lent() -> Vec<String> {
    LENT.with_borrow(|lent| {
        lent.iter()
            .map(|(parameter, _)| parameter.clone())
            .collect()
    })
}

/// A handle to a double.
pub(super) struct Handle(Rc<dyn Lend>);

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a double")
    }
}

impl Handle {
    pub(super) fn open(parameter: &str) -> Result<Self, String> {
        LENT.with_borrow(|lent| {
            // The newest one, as with variables.
            let found = lent.iter().rev().find(|(name, _)| name == parameter);
            found
                .map(|(_, double)| Self(Rc::clone(double)))
                .ok_or_else(|| "the recipe lends this operator no model for that parameter".into())
        })
    }

    pub(super) fn score(
        &self,
        sentences: Texts,
        _begin: bool,
        _end: bool,
    ) -> Result<Vec<f64>, String> {
        let values = sentences.iter().map(Option::unwrap_or_default);
        values.map(|sentence| self.0.score(sentence)).collect()
    }

    pub(super) fn labels(&self) -> Result<Vec<String>, String> {
        self.0.labels()
    }

    pub(super) fn classify(&self, text: Texts, k: u32) -> Result<Vec<(u32, f32)>, String> {
        self.0.classify(text.value(0), k)
    }

    pub(super) fn count(&self, text: Texts, special: bool) -> Result<u32, String> {
        self.0.count(text.value(0), special)
    }

    pub(super) fn encode(&self, text: Texts, special: bool) -> Result<Vec<u32>, String> {
        self.0.encode(text.value(0), special)
    }

    pub(super) fn pieces(&self, text: Texts) -> Result<Texts, String> {
        let pieces = self.0.pieces(text.value(0))?;
        Ok(pieces.iter().map(String::as_str).collect())
    }

    pub(super) fn decode(&self, ids: &[u32]) -> Result<String, String> {
        self.0.decode(ids)
    }

    pub(super) fn inputs(&self) -> Vec<TensorInfo> {
        self.0.inputs()
    }

    pub(super) fn outputs(&self) -> Vec<TensorInfo> {
        self.0.outputs()
    }

    pub(super) fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, String> {
        self.0.run(inputs)
    }

    pub(super) fn contains(&self, texts: Texts) -> Result<Vec<bool>, String> {
        let values = texts.iter().map(Option::unwrap_or_default);
        values.map(|text| self.0.contains(text)).collect()
    }

    pub(super) fn occurrences(&self, texts: Texts, most: u32) -> Result<Vec<u32>, String> {
        let values = texts.iter().map(Option::unwrap_or_default);
        values.map(|text| self.0.occurrences(text, most)).collect()
    }
}
