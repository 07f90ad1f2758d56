//! The content of a model file.

use crate::error::damaged;
use crate::proto::{Fields, Value};

const MOST_PIECES: usize = 1 << 21;
const NO_MODEL: &str =
    "this is not a sentencepiece model: give the `.model` file that the trainer wrote";
/// As in sentencepiece.
const LONGEST_PIECE: usize = 8000;

/// The type of a piece; the numbers are those of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// A piece as the file has it.
pub(crate) struct Piece<'a> {
    pub text: &'a str,
    pub score: f32,
    pub kind: Type,
}

/// What the file says about cutting texts.
pub(crate) struct Spec<'a> {
    pub model_type: u64,
    pub byte_fallback: bool,
    pub whitespace_as_suffix: bool,
    pub charsmap: &'a [u8],
    pub add_dummy_prefix: bool,
    pub remove_extra_whitespaces: bool,
    pub escape_whitespaces: bool,
    /// The pieces for the start and the end of a sentence.
    pub bos: &'a [u8],
    pub eos: &'a [u8],
    /// What is written for the piece that is unknown.
    pub unknown: &'a [u8],
    /// Whether tokens are to be rewritten after they were put together.
    pub denormalizes: bool,
}

/// The parts of a file.
///
/// # Errors
/// When it is damaged, or no model that sentencepiece accepts.
pub(crate) fn parse(bytes: &[u8]) -> Result<(Spec<'_>, Vec<Piece<'_>>), String> {
    let mut spec = Spec {
        model_type: 1,
        byte_fallback: false,
        whitespace_as_suffix: false,
        charsmap: &[],
        add_dummy_prefix: true,
        remove_extra_whitespaces: true,
        escape_whitespaces: true,
        bos: b"<s>",
        eos: b"</s>",
        unknown: " \u{2047} ".as_bytes(),
        denormalizes: false,
    };
    // So does a network in ONNX begin.
    if bytes.first() == Some(&0x08) {
        return Err(NO_MODEL.into());
    }
    let mut pieces = Vec::new();
    let (mut has_trainer, mut has_normalizer) = (false, false);
    for field in Fields::of(bytes) {
        // The pieces come first.
        match field.map_err(|error| {
            if pieces.is_empty() {
                NO_MODEL.into()
            } else {
                error
            }
        })? {
            (1, Value::Bytes(message)) => {
                if pieces.len() == MOST_PIECES {
                    return Err("the model has too many pieces".into());
                }
                pieces.push(piece(message)?);
            }
            (2, Value::Bytes(message)) => {
                has_trainer = true;
                for field in Fields::of(message) {
                    match field? {
                        (3, Value::Number(number)) => spec.model_type = number,
                        (24, Value::Number(number)) => spec.whitespace_as_suffix = number != 0,
                        (35, Value::Number(number)) => spec.byte_fallback = number != 0,
                        (44, Value::Bytes(text)) => spec.unknown = text,
                        (46, Value::Bytes(text)) if !text.is_empty() => spec.bos = text,
                        (47, Value::Bytes(text)) if !text.is_empty() => spec.eos = text,
                        _ => {}
                    }
                }
            }
            (3, Value::Bytes(message)) => {
                has_normalizer = true;
                for field in Fields::of(message) {
                    match field? {
                        (2, Value::Bytes(bytes)) => spec.charsmap = bytes,
                        (3, Value::Number(number)) => spec.add_dummy_prefix = number != 0,
                        (4, Value::Number(number)) => spec.remove_extra_whitespaces = number != 0,
                        (5, Value::Number(number)) => spec.escape_whitespaces = number != 0,
                        _ => {}
                    }
                }
            }
            (5, Value::Bytes(message)) => {
                for field in Fields::of(message) {
                    if let (2, Value::Bytes(table)) = field? {
                        spec.denormalizes |= !table.is_empty();
                    }
                }
            }
            _ => {}
        }
    }
    if pieces.is_empty() {
        return Err(NO_MODEL.into());
    }
    check(&pieces, spec.byte_fallback)?;
    // Every trainer writes both, after the pieces: with a file that was cut off, texts would be cut
    // otherwise, and nobody would know.
    if !has_trainer || !has_normalizer {
        return Err(damaged("the end, which says how texts are cut"));
    }
    Ok((spec, pieces))
}

fn piece(message: &[u8]) -> Result<Piece<'_>, String> {
    let mut piece = Piece {
        text: "",
        score: 0.0,
        kind: Type::Normal,
    };
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(text)) => {
                piece.text =
                    std::str::from_utf8(text).map_err(|_| damaged("a piece that is not UTF-8"))?
            }
            (2, Value::Float(score)) => piece.score = score,
            (3, Value::Number(kind)) => {
                let kinds = [
                    Type::Normal,
                    Type::Unknown,
                    Type::Control,
                    Type::UserDefined,
                    Type::Unused,
                    Type::Byte,
                ];
                // Unknown numbers count as absent, as in protocol buffers.
                piece.kind = kinds
                    .into_iter()
                    .find(|known| *known as u64 == kind)
                    .unwrap_or(piece.kind);
            }
            _ => {}
        }
    }
    Ok(piece)
}

/// Checks what sentencepiece demands of a model.
fn check(pieces: &[Piece<'_>], byte_fallback: bool) -> Result<(), String> {
    let mut bytes = [false; 256];
    let mut unknown = 0;
    for piece in pieces {
        if piece.text.is_empty() || piece.text.len() >= LONGEST_PIECE || !piece.score.is_finite() {
            return Err(damaged(
                "a piece without text, of more than 8000 bytes or without a score",
            ));
        }
        unknown += usize::from(piece.kind == Type::Unknown);
        if piece.kind == Type::Byte {
            match (0..=255).find(|&byte| byte_piece(byte) == piece.text) {
                Some(byte) if byte_fallback => bytes[usize::from(byte)] = true,
                _ => return Err(damaged("a piece for a byte")),
            }
        }
    }
    if unknown > 1 || unknown == 0 && !byte_fallback {
        return Err(damaged("the piece for what is unknown"));
    }
    match byte_fallback && bytes.contains(&false) {
        true => Err(damaged("a byte without a piece")),
        false => Ok(()),
    }
}

/// The name of a byte's piece, such as `<0x41>`.
pub(crate) fn byte_piece(byte: u8) -> &'static str {
    const NAMES: [[u8; 6]; 256] = {
        let digits = b"0123456789ABCDEF";
        let mut names = [*b"<0x00>"; 256];
        let mut byte = 0;
        while byte < 256 {
            names[byte][3] = digits[byte >> 4];
            names[byte][4] = digits[byte & 15];
            byte += 1;
        }
        names
    };
    static BYTES: [[u8; 6]; 256] = NAMES;
    std::str::from_utf8(&BYTES[usize::from(byte)]).unwrap_or_default()
}
