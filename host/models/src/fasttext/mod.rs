//! Supervised models of fastText.

use crate::mapped::Bytes;
use crate::{Info, Kind};

/// A classifier.
#[derive(Debug)]
pub struct Model {
    bytes: Bytes,
}

/// Whether a file begins as a model of fastText does.
pub(crate) fn is_one(start: &[u8]) -> bool {
    start.starts_with(&793_712_314i32.to_le_bytes())
}

impl Model {
    pub(crate) fn read(_: Bytes) -> Result<Self, String> {
        Err("models of fastText are not read yet".into())
    }

    /// The `k` best labels of a text, best first, as places in [`labels`](Self::labels), and their
    /// scores. Fewer if the model has fewer, none for a text without anything that the model knows.
    /// Line feeds count as spaces.
    pub fn classify(&self, _text: &str, _k: u32) -> Vec<(u32, f32)> {
        Vec::new()
    }

    /// The labels, without their prefix `__label__`.
    pub fn labels(&self) -> &[String] {
        &[]
    }

    pub(crate) fn info(&self) -> Info {
        Info {
            kind: Kind::Fasttext,
            bytes: self.bytes.len() as u64,
            resident: 0,
            vocabulary: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }
}
