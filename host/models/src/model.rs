//! A model of any kind.

use crate::mapped::Bytes;
use crate::{Error, Info, Kind, fasttext, kenlm, lists, onnx, tokenizer};
use std::path::Path;

/// The first bytes of a file that show its kind; comments may come first.
const START: usize = 1 << 16;

/// A model, ready for use by any number of threads.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a process has few models")]
pub enum Model {
    /// A language model.
    Kenlm(kenlm::Model),
    /// A classifier.
    Fasttext(fasttext::Model),
    /// A tokenizer.
    Tokenizer(tokenizer::Model),
    /// A network.
    Onnx(onnx::Model),
    /// A list.
    List(lists::List),
}

impl Model {
    /// Opens a model file. The kind is known by the first bytes, if it is not given. For a
    /// directory with a `tokenizer.json`, as Hugging Face's tools write it, that one is opened.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or is not a model of the kind.
    pub fn open(path: &Path, kind: Option<Kind>) -> Result<Self, Error> {
        Self::open_with(path, kind, None)
    }

    /// As [`open`](Self::open). A network is computed by `runtime`, if there is one.
    ///
    /// # Errors
    /// As those of [`open`](Self::open).
    pub fn open_with(
        path: &Path,
        kind: Option<Kind>,
        runtime: Option<&'static onnx::Runtime>,
    ) -> Result<Self, Error> {
        let inside = path.join("tokenizer.json");
        let is_directory = matches!(kind, None | Some(Kind::Tokenizer)) && inside.is_file();
        let path = if is_directory { &inside } else { path };
        let wrong = |message: String| Error::new(path, message);
        let bytes = Bytes::map(path).map_err(wrong)?;
        let start = &bytes[..bytes.len().min(START)];
        let kind = match kind.or_else(|| Kind::of(start)) {
            Some(kind) => kind,
            None => return Err(wrong(unknown(start))),
        };
        Self::read(bytes, kind, runtime).map_err(wrong)
    }

    /// Reads a model that is in memory, as for tests.
    ///
    /// # Errors
    /// When the bytes are not a model of the kind, or are damaged.
    pub fn from_bytes(bytes: Vec<u8>, kind: Kind) -> Result<Self, String> {
        Self::read(Bytes::Loaded(bytes), kind, None)
    }

    fn read(
        bytes: Bytes,
        kind: Kind,
        runtime: Option<&'static onnx::Runtime>,
    ) -> Result<Self, String> {
        Ok(match kind {
            Kind::Kenlm => Self::Kenlm(kenlm::Model::read(bytes)?),
            Kind::Fasttext => Self::Fasttext(fasttext::Model::read(bytes)?),
            Kind::Tokenizer => Self::Tokenizer(tokenizer::Model::read(&bytes)?),
            Kind::Onnx => Self::Onnx(onnx::Model::read(bytes, runtime)?),
            Kind::Lines | Kind::Words | Kind::Substrings => {
                Self::List(lists::List::read(bytes, kind)?)
            }
        })
    }

    /// What the model is, and what it takes.
    pub fn info(&self) -> Info {
        match self {
            Self::Kenlm(model) => model.info(),
            Self::Fasttext(model) => model.info(),
            Self::Tokenizer(model) => model.info(),
            Self::Onnx(model) => model.info(),
            Self::List(list) => list.info(),
        }
    }
}

/// The message for a file that is no model.
fn unknown(start: &[u8]) -> String {
    let packed = [
        (&[0x1f, 0x8b][..], "gzip"),
        (b"BZh", "bzip2"),
        (&[0xfd, b'7', b'z'], "xz"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
        (b"PK\x03\x04", "zip"),
    ];
    match packed.iter().find(|(magic, _)| start.starts_with(magic)) {
        Some((_, name)) => format!("it is packed with {name}: unpack it first, to be mapped"),
        None => "this is not a model that is known: name a KenLM model (ARPA or binary), a fastText model (`.bin`, `.ftz`), a tokenizer (`tokenizer.json`, sentencepiece's `.model`), or a network in ONNX".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_may_be_shared_by_threads() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Model>();
    }
}
