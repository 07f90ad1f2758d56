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
    /// A list whose lines are looked up as they are: domains, URLs.
    Lines,
    /// A list whose lines are looked up without case, and without all but the letters and digits of
    /// ASCII.
    Words,
    /// A list like that of words, whose entries are searched for within texts.
    Substrings,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Kenlm,
        Self::Fasttext,
        Self::Tokenizer,
        Self::Onnx,
        Self::Lines,
        Self::Words,
        Self::Substrings,
    ];

    /// The name in lower case, as [`FromStr`](std::str::FromStr) reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kenlm => "kenlm",
            Self::Fasttext => "fasttext",
            Self::Tokenizer => "tokenizer",
            Self::Onnx => "onnx",
            Self::Lines => "lines",
            Self::Words => "words",
            Self::Substrings => "substrings",
        }
    }

    /// What it is, with its article, for messages: `a kenlm model`.
    pub fn with_article(self) -> String {
        let article = if self == Self::Onnx { "an" } else { "a" };
        format!("{article} {}", self.noun())
    }

    /// What it is, for messages: `kenlm model`, `list of lines`.
    pub fn noun(self) -> String {
        match self {
            Self::Lines | Self::Words | Self::Substrings => format!("list of {}", self.name()),
            model => format!("{} model", model.name()),
        }
    }

    /// The kind of a file, by its first bytes; None for lists, which may have any.
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
                format!("`{name}` is no kind of model: use kenlm, fasttext, tokenizer, onnx, lines, words or substrings")
            })
    }
}
