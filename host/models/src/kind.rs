//! The kinds of models, and how a file shows its kind.

use crate::fasttext;
use crate::kenlm;

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A language model of n-grams: an ARPA file, or a binary of KenLM.
    Kenlm,
    /// A classifier of fastText: `.bin` or `.ftz`.
    Fasttext,
    /// A tokenizer: a `tokenizer.json`, or a `.model` of sentencepiece.
    Tokenizer,
    /// A network in ONNX.
    Onnx,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Kenlm, Self::Fasttext, Self::Tokenizer, Self::Onnx];

    /// The name in lower case, as [`FromStr`](std::str::FromStr) reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kenlm => "kenlm",
            Self::Fasttext => "fasttext",
            Self::Tokenizer => "tokenizer",
            Self::Onnx => "onnx",
        }
    }

    /// The kind of a file, by its first bytes.
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        let text = start.trim_ascii_start();
        if kenlm::is_one(start) {
            Some(Self::Kenlm)
        } else if fasttext::is_one(start) {
            Some(Self::Fasttext)
        } else if text.starts_with(b"{") || sentencepiece(start) {
            Some(Self::Tokenizer)
        } else if start.starts_with(&[0x08]) {
            // The first field of ONNX's message is a number.
            Some(Self::Onnx)
        } else {
            None
        }
    }
}

/// The first field of the message is a piece, whose first field is its text.
fn sentencepiece(start: &[u8]) -> bool {
    start.first() == Some(&0x0a) && start[1..].iter().take(3).any(|&byte| byte == 0x0a)
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| {
                format!("`{name}` is no kind of model: use kenlm, fasttext, tokenizer or onnx")
            })
    }
}
