//! Unigram models: the pieces whose scores have the greatest sum.

use crate::trie::{NONE, Trie};
use crate::{too_long, width};

#[derive(Debug)]
pub(crate) struct Unigram {
    /// Maps pieces to the bits of their scores, which are needed very often. No score has the bits
    /// of `NONE`.
    pub trie: Trie,
    /// The score of a character that is not a piece.
    pub unknown: f32,
}

/// The best way to cut the text up to some place.
#[derive(Debug, Clone, Copy)]
struct Node {
    score: f32,
    /// The start of its last piece, with `UNKNOWN` if the model has no such piece.
    start: u32,
}

/// Not reached yet: any way is better.
const UNREACHED: Node = Node {
    score: f32::NEG_INFINITY,
    start: 0,
};

const UNKNOWN: u32 = 1 << 31;
/// Sentencepiece restarts the sum where a score gets this large, because sums of large numbers are
/// not exact.
const LARGE: f32 = 100_000.0;

/// Reusable buffers.
#[derive(Debug, Default)]
pub(crate) struct Lattice {
    nodes: Vec<Node>,
    path: Vec<u32>,
}

impl Unigram {
    /// Calls `visit` with start and end of each piece, and whether it is an unknown character. Sums
    /// in the same order and precision as sentencepiece, so that it chooses the same among nearly
    /// equal ways.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub(crate) fn encode(
        &self,
        text: &[u8],
        lattice: &mut Lattice,
        mut visit: impl FnMut(usize, usize, bool),
    ) -> Result<(), String> {
        let Lattice { nodes, path } = lattice;
        // Node i belongs to place `origin + i`; the last node is the farthest place that a piece
        // has reached.
        let (mut origin, mut at) = (0, 0);
        nodes.clear();
        nodes.push(Node {
            score: 0.0,
            ..UNREACHED
        });
        while at < text.len() {
            // All ways pass through this place: what comes before it is decided.
            if at > origin && at - origin + 1 == nodes.len() {
                let score = flush(nodes, path, origin, &mut visit);
                origin = at;
                nodes.clear();
                nodes.push(Node { score, ..UNREACHED });
            }
            let here = at - origin;
            let mut score = nodes[here].score;
            if !(-LARGE..=LARGE).contains(&score) {
                nodes[here..]
                    .iter_mut()
                    .for_each(|node| node.score -= score);
                score = 0.0;
            }
            let single = width(text[at]);
            let mut known = false;
            let mut node = self.trie.root();
            for (i, &byte) in text[at..].iter().enumerate() {
                let Some((next, piece)) = self.trie.step(node, byte) else {
                    break;
                };
                node = next;
                if piece != NONE {
                    let candidate = f32::from_bits(piece) + score;
                    offer(nodes, here + i + 1, candidate, here as u32)?;
                    known |= i + 1 == single;
                }
            }
            if !known {
                offer(
                    nodes,
                    here + single,
                    self.unknown + score,
                    here as u32 | UNKNOWN,
                )?;
            }
            at += single;
        }
        flush(nodes, path, origin, &mut visit);
        Ok(())
    }
}

/// Records a way to `place` if it is better than the known one.
#[inline(always)]
fn offer(nodes: &mut Vec<Node>, place: usize, score: f32, start: u32) -> Result<(), String> {
    if place >= nodes.len() {
        let more = place + 1 - nodes.len();
        if nodes.capacity() - nodes.len() < more {
            nodes.try_reserve(more).map_err(too_long)?;
        }
        nodes.resize(place + 1, UNREACHED);
    }
    let node = &mut nodes[place];
    if score > node.score {
        *node = Node { score, start };
    }
    Ok(())
}

/// Visits the pieces of the best way to the last node; returns its score.
#[inline]
fn flush(
    nodes: &[Node],
    path: &mut Vec<u32>,
    origin: usize,
    visit: &mut impl FnMut(usize, usize, bool),
) -> f32 {
    path.clear();
    let mut at = nodes.len() - 1;
    while at > 0 {
        path.push(at as u32 | nodes[at].start & UNKNOWN);
        at = (nodes[at].start & !UNKNOWN) as usize;
    }
    let mut start = 0;
    for &step in path.iter().rev() {
        let end = (step & !UNKNOWN) as usize;
        visit(origin + start, origin + end, step & UNKNOWN != 0);
        start = end;
    }
    nodes[nodes.len() - 1].score
}
