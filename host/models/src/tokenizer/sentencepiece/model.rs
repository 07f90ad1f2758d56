//! A whole model.

use super::bpe::{Bpe, Workspace};
use super::charsmap::Charsmap;
use super::decode::Decoder;
use super::normalizer::{Normalizer, Symbols};
use super::pairs::Pairs;
use super::parse::{Piece, Type, byte_piece, parse};
use super::simple::Simple;
use super::trie::{NONE, Trie};
use super::unigram::{Lattice, Unigram};
use crate::error::damaged;
use crate::pool::Pool;

/// Larger buffers are not kept for the next text.
const LARGE: usize = 1 << 20;

/// A model of sentencepiece.
#[derive(Debug)]
pub(crate) struct SentencePiece {
    normalizer: Normalizer,
    symbols: Symbols,
    kind: Kind,
    /// The numbers of the pieces for bytes, if unknown characters are written as these.
    bytes: Option<Box<[u32; 256]>>,
    /// The numbers of the unknown piece, and of those for start and end of a sentence.
    unknown: u32,
    bos: Option<u32>,
    eos: Option<u32>,
    decoder: Decoder,
    buffers: Pool<Buffers>,
}

#[derive(Debug)]
enum Kind {
    Unigram(Unigram),
    Bpe(Bpe),
    Simple(Simple),
}

#[derive(Debug, Default)]
struct Buffers {
    normal: String,
    lattice: Lattice,
    bpe: Workspace,
}

impl SentencePiece {
    /// Reads a model.
    ///
    /// # Errors
    /// When it is damaged or is not a sentencepiece model.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let (spec, pieces) = parse(bytes)?;
        let normalizer = Normalizer {
            charsmap: (!spec.charsmap.is_empty())
                .then(|| Charsmap::read(spec.charsmap))
                .transpose()?,
            add_dummy_prefix: spec.add_dummy_prefix,
            remove_extra_whitespaces: spec.remove_extra_whitespaces,
            escape_whitespaces: spec.escape_whitespaces,
            whitespace_as_suffix: spec.whitespace_as_suffix,
        };
        let symbols = Symbols::new(&keys(&pieces, |kind| kind == Type::UserDefined)?)?;
        let kind = match spec.model_type {
            1 => Kind::Unigram(unigram(&pieces)?),
            2 => Kind::Bpe(bpe(&pieces)?),
            // An unused word or character counts as unknown.
            3 | 4 => Kind::Simple(Simple {
                trie: Trie::new(&keys(&pieces, |kind| {
                    matches!(kind, Type::Normal | Type::UserDefined)
                })?)?,
                words: spec.model_type == 3,
            }),
            other => return Err(format!("a model of type {other} is not known")),
        };
        let number = |wanted: &dyn Fn(&Piece<'_>) -> bool| {
            pieces.iter().position(wanted).map(|number| number as u32)
        };
        let control = |name: &[u8]| {
            number(&|piece| piece.kind == Type::Control && piece.text.as_bytes() == name)
        };
        let mut numbers = Box::new([NONE; 256]);
        for (piece, number) in pieces.iter().zip(0..) {
            if piece.kind == Type::Byte {
                let byte = (0..=255).find(|byte| byte_piece(*byte) == piece.text);
                numbers[usize::from(byte.unwrap_or_default())] = number;
            }
        }
        Ok(Self {
            normalizer,
            symbols,
            kind,
            bytes: spec.byte_fallback.then_some(numbers),
            unknown: number(&|piece| piece.kind == Type::Unknown).unwrap_or_default(),
            bos: control(spec.bos),
            eos: control(spec.eos),
            decoder: Decoder::new(&spec, &pieces),
            buffers: Pool::default(),
        })
    }

    /// The number of pieces.
    pub(crate) fn len(&self) -> usize {
        self.decoder.len()
    }

    /// Memory that it takes, in bytes, without buffers.
    pub(crate) fn memory(&self) -> usize {
        let kind = match &self.kind {
            Kind::Unigram(model) => model.trie.memory() + 4 * model.scores.len(),
            Kind::Bpe(model) => model.trie.memory() + 5 * model.ranks.len() + (1 << 15),
            Kind::Simple(model) => model.trie.memory(),
        };
        let table = self.normalizer.charsmap.as_ref();
        kind + table.map_or(0, Charsmap::memory) + self.decoder.memory()
    }

    /// Calls `visit` with each piece of `text`, as `encode_as_pieces` returns them, and its number.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub(crate) fn pieces(&self, text: &str, visit: impl FnMut(&str, u32)) -> Result<(), String> {
        let keep = |buffers: &Buffers| {
            buffers.normal.capacity() < LARGE
                && buffers.lattice.is_small()
                && buffers.bpe.is_small()
        };
        self.buffers
            .with(keep, |buffers| self.cut(text, buffers, visit))
    }

    /// The numbers of the pieces of `text`, with start and end of a sentence if the model has them
    /// and `special` says so.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub(crate) fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, String> {
        let mut numbers = Vec::with_capacity(text.len() / 4 + 2);
        numbers.extend(self.bos.filter(|_| special));
        self.pieces(text, |_, number| numbers.push(number))?;
        numbers.extend(self.eos.filter(|_| special));
        Ok(numbers)
    }

    /// The number of the numbers that `encode` returns.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub(crate) fn count(&self, text: &str, special: bool) -> Result<usize, String> {
        let around = [self.bos, self.eos].into_iter().flatten().count();
        let mut count = if special { around } else { 0 };
        self.pieces(text, |_, _| count += 1)?;
        Ok(count)
    }

    /// The text of some pieces, as `decode` of the package returns it.
    ///
    /// # Errors
    /// When the model rewrites texts that it puts together.
    pub(crate) fn decode(&self, pieces: &[u32]) -> Result<String, String> {
        self.decoder.decode(pieces)
    }

    fn cut(
        &self,
        text: &str,
        buffers: &mut Buffers,
        mut visit: impl FnMut(&str, u32),
    ) -> Result<(), String> {
        let Buffers {
            normal,
            lattice,
            bpe,
        } = buffers;
        self.normalizer.normalize(text, &self.symbols, normal)?;
        let normal: &str = normal;
        let part = |start: usize, end: usize| normal.get(start..end).unwrap_or_default();
        // Start and end of a run of unknown characters, which is one piece.
        let mut run = (0, 0);
        let each = |start: usize, end: usize, piece: u32| match (piece, &self.bytes) {
            (NONE, Some(numbers)) => normal.as_bytes()[start..end]
                .iter()
                .for_each(|&byte| visit(byte_piece(byte), numbers[usize::from(byte)])),
            (NONE, None) if run.1 == start && run.1 > run.0 => run.1 = end,
            (NONE, None) => run = (start, end),
            _ => {
                if run.1 > run.0 {
                    visit(part(run.0, run.1), self.unknown);
                    run = (0, 0);
                }
                visit(part(start, end), piece);
            }
        };
        match &self.kind {
            Kind::Unigram(model) => model.encode(normal.as_bytes(), lattice, each)?,
            Kind::Bpe(model) => model.encode(normal, &self.symbols, bpe, each)?,
            Kind::Simple(model) => model.encode(normal, &self.symbols, each),
        }
        if run.1 > run.0 {
            visit(part(run.0, run.1), self.unknown);
        }
        Ok(())
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
    let keys = keys(pieces, |kind| {
        matches!(kind, Type::Normal | Type::UserDefined)
    })?;
    Ok(Unigram {
        trie: Trie::new(&keys)?,
        scores: pieces.iter().map(score).collect(),
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
