//! A whole model file.

use crate::bpe::{Bpe, Workspace};
use crate::charsmap::Charsmap;
use crate::damaged;
use crate::normalizer::{Normalizer, Symbols};
use crate::pairs::Pairs;
use crate::proto::{Fields, Value};
use crate::simple::Simple;
use crate::trie::Trie;
use crate::unigram::{Lattice, Unigram};
use std::io::Read;

/// Larger files are not models and would only take time.
const LARGEST: u64 = 64 << 20;
const MOST_PIECES: usize = 1 << 21;
const NO_MODEL: &str =
    "this is not a sentencepiece model: give the `.model` file that the trainer wrote";
/// As in sentencepiece.
const LONGEST_PIECE: usize = 8000;

/// A sentencepiece model with reusable buffers.
#[derive(Debug)]
pub struct SentencePiece {
    normalizer: Normalizer,
    symbols: Symbols,
    kind: Kind,
    byte_fallback: bool,
    normal: String,
}

#[derive(Debug)]
enum Kind {
    Unigram(Unigram, Lattice),
    Bpe(Bpe, Box<Workspace>),
    Simple(Simple),
}

/// The type of a piece; the numbers are those of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

struct Piece<'a> {
    text: &'a str,
    score: f32,
    kind: Type,
}

/// What the file says about cutting texts.
struct Spec<'a> {
    model_type: u64,
    byte_fallback: bool,
    whitespace_as_suffix: bool,
    charsmap: &'a [u8],
    add_dummy_prefix: bool,
    remove_extra_whitespaces: bool,
    escape_whitespaces: bool,
}

impl SentencePiece {
    /// Reads a model file.
    ///
    /// # Errors
    /// When it cannot be read, is damaged or is not a sentencepiece model.
    pub fn open(path: &str) -> Result<Self, String> {
        let cannot = |error: std::io::Error| format!("cannot read it: {error}");
        let file = std::fs::File::open(path).map_err(cannot)?;
        let size = file.metadata().map_err(cannot)?.len();
        if size > LARGEST {
            return Err(format!(
                "it has {size} bytes: no sentencepiece model has more than {LARGEST}"
            ));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).map_err(cannot)?;
        Self::read(&bytes)
    }

    /// Reads the model that the parameter `tokenizer_model` names. `wish` is the parameter, as
    /// written, that requires it.
    ///
    /// # Errors
    /// As for [`open`](Self::open), with the parameter and the file.
    pub fn of_parameter(path: &str, wish: &str) -> Result<Self, String> {
        if path.is_empty() {
            return Err(format!(
                "{wish} needs `tokenizer_model`: name a sentencepiece model file; nothing is downloaded"
            ));
        }
        Self::open(path).map_err(|error| format!("`tokenizer_model`: `{path}`: {error}"))
    }

    /// Reads a model.
    ///
    /// # Errors
    /// When it is damaged or is not a sentencepiece model.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let (mut spec, pieces) = parse(bytes)?;
        check(&pieces, spec.byte_fallback)?;
        let charsmap = std::mem::take(&mut spec.charsmap);
        let normalizer = Normalizer {
            charsmap: (!charsmap.is_empty())
                .then(|| Charsmap::read(charsmap))
                .transpose()?,
            add_dummy_prefix: spec.add_dummy_prefix,
            remove_extra_whitespaces: spec.remove_extra_whitespaces,
            escape_whitespaces: spec.escape_whitespaces,
            whitespace_as_suffix: spec.whitespace_as_suffix,
        };
        let symbols = Symbols::new(&keys(&pieces, |kind| kind == Type::UserDefined)?)?;
        let kind = match spec.model_type {
            1 => Kind::Unigram(unigram(&pieces)?, Lattice::default()),
            2 => Kind::Bpe(bpe(&pieces)?, Box::default()),
            // An unused word or character counts as unknown.
            3 | 4 => Kind::Simple(Simple {
                trie: Trie::new(&keys(&pieces, |kind| {
                    matches!(kind, Type::Normal | Type::UserDefined)
                })?)?,
                words: spec.model_type == 3,
            }),
            other => return Err(format!("a model of type {other} is not known")),
        };
        Ok(Self {
            normalizer,
            symbols,
            kind,
            byte_fallback: spec.byte_fallback,
            normal: String::new(),
        })
    }

    /// Calls `visit` with each piece of `text`, as `encode_as_pieces` returns them.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn pieces(&mut self, text: &str, mut visit: impl FnMut(&str)) -> Result<(), String> {
        let Self {
            normalizer,
            symbols,
            kind,
            byte_fallback,
            normal,
        } = self;
        normalizer.normalize(text, symbols, normal)?;
        let normal: &str = normal;
        let part = |start: usize, end: usize| normal.get(start..end).unwrap_or_default();
        // Start and end of a run of unknown characters, which is one piece.
        let mut run = (0, 0);
        let each = |start: usize, end: usize, unknown: bool| match unknown {
            true if *byte_fallback => normal.as_bytes()[start..end]
                .iter()
                .for_each(|&byte| visit(byte_piece(byte))),
            true if run.1 == start && run.1 > run.0 => run.1 = end,
            true => run = (start, end),
            false => {
                if run.1 > run.0 {
                    visit(part(run.0, run.1));
                    run = (0, 0);
                }
                visit(part(start, end));
            }
        };
        match kind {
            Kind::Unigram(model, lattice) => model.encode(normal.as_bytes(), lattice, each)?,
            Kind::Bpe(model, work) => model.encode(normal, symbols, work, each)?,
            Kind::Simple(model) => model.encode(normal, symbols, each),
        }
        if run.1 > run.0 {
            visit(part(run.0, run.1));
        }
        Ok(())
    }
}

/// The name of a byte's piece, such as `<0x41>`.
fn byte_piece(byte: u8) -> &'static str {
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

fn parse(bytes: &[u8]) -> Result<(Spec<'_>, Vec<Piece<'_>>), String> {
    let mut spec = Spec {
        model_type: 1,
        byte_fallback: false,
        whitespace_as_suffix: false,
        charsmap: &[],
        add_dummy_prefix: true,
        remove_extra_whitespaces: true,
        escape_whitespaces: true,
    };
    let mut pieces = Vec::new();
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
                for field in Fields::of(message) {
                    match field? {
                        (3, Value::Number(number)) => spec.model_type = number,
                        (24, Value::Number(number)) => spec.whitespace_as_suffix = number != 0,
                        (35, Value::Number(number)) => spec.byte_fallback = number != 0,
                        _ => {}
                    }
                }
            }
            (3, Value::Bytes(message)) => {
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
            _ => {}
        }
    }
    if pieces.is_empty() {
        return Err(NO_MODEL.into());
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

/// The sorted texts of the pieces of some types, with their numbers.
fn keys<'a>(
    pieces: &[Piece<'a>],
    wanted: impl Fn(Type) -> bool,
) -> Result<Vec<(&'a [u8], u32)>, String> {
    // A lone NUL occurs in models written by other programs, and never counts.
    let chosen = pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| wanted(piece.kind) && piece.text != "\0");
    let mut keys: Vec<(&[u8], u32)> = chosen
        .map(|(number, piece)| (piece.text.as_bytes(), number as u32))
        .collect();
    keys.sort_unstable();
    match keys.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        true => Err(damaged("two equal pieces")),
        false => Ok(keys),
    }
}

fn unigram(pieces: &[Piece<'_>]) -> Result<Unigram, String> {
    let score = |piece: &Piece<'_>| match piece.kind {
        Type::UserDefined => (0.1 * (piece.text.len() as f64 - 1.0)) as f32,
        _ => piece.score,
    };
    let least = pieces
        .iter()
        .filter(|piece| piece.kind == Type::Normal)
        .map(|piece| piece.score)
        .fold(f32::MAX, f32::min);
    let mut keys = keys(pieces, |kind| {
        matches!(kind, Type::Normal | Type::UserDefined)
    })?;
    keys.iter_mut()
        .for_each(|(_, value)| *value = score(&pieces[*value as usize]).to_bits());
    Ok(Unigram {
        trie: Trie::new(&keys)?,
        unknown: least - 10.0,
    })
}

fn bpe(pieces: &[Piece<'_>]) -> Result<Bpe, String> {
    let is_joined = |kind: Type| matches!(kind, Type::Normal | Type::UserDefined | Type::Unused);
    // Removes the sign of zeros: they are equal and do not compare so.
    let mut scores: Vec<f32> = pieces.iter().map(|piece| piece.score + 0.0).collect();
    scores.sort_unstable_by(f32::total_cmp);
    scores.dedup();
    let rank = |piece: &Piece<'_>| scores.partition_point(|score| *score < piece.score) as u32;
    let has_unused = pieces.iter().any(|piece| piece.kind == Type::Unused);
    Ok(Bpe {
        trie: Trie::new(&keys(pieces, is_joined)?)?,
        ranks: pieces.iter().map(rank).collect(),
        unused: pieces
            .iter()
            .filter(|_| has_unused)
            .map(|piece| piece.kind == Type::Unused)
            .collect(),
        pairs: Pairs::of(
            pieces
                .iter()
                .filter(|piece| is_joined(piece.kind))
                .map(|piece| piece.text),
        ),
    })
}
