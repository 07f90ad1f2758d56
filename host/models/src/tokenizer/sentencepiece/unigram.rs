//! Unigram models: the pieces whose scores have the greatest sum.

use super::trie::{NONE, Trie};
use super::{too_long, width};

#[derive(Debug)]
pub(crate) struct Unigram {
    pub trie: Trie,
    /// By the numbers in the trie.
    pub scores: Vec<f32>,
    /// The score of a character that is not a piece.
    pub unknown: f32,
}

/// The best way to cut the text up to some place.
#[derive(Debug, Clone, Copy)]
struct Node {
    score: f32,
    /// The start of its last piece.
    start: u32,
    /// The number of that piece; `NONE` is unknown.
    piece: u32,
}

/// Not reached yet: any way is better.
const UNREACHED: Node = Node {
    score: f32::NEG_INFINITY,
    start: 0,
    piece: NONE,
};

/// Sentencepiece restarts the sum where a score gets this large, because sums of large numbers are
/// not exact.
const LARGE: f32 = 100_000.0;

/// Reusable buffers.
#[derive(Debug, Default)]
pub(crate) struct Lattice {
    nodes: Vec<Node>,
    path: Vec<(u32, u32)>,
}

impl Lattice {
    /// Whether it is worth keeping for the next text.
    pub(crate) fn is_small(&self) -> bool {
        self.nodes.capacity() + self.path.capacity() < 1 << 17
    }
}

impl Unigram {
    /// Calls `visit` with start, end and number of each piece; `NONE` is an unknown character. Sums
    /// in the same order and precision as sentencepiece, so that it chooses the same among nearly
    /// equal ways.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub(crate) fn encode(
        &self,
        text: &[u8],
        lattice: &mut Lattice,
        mut visit: impl FnMut(usize, usize, u32),
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
                    let candidate = self.scores[piece as usize] + score;
                    offer(nodes, here + i + 1, candidate, here, piece)?;
                    known |= i + 1 == single;
                }
            }
            if !known {
                offer(nodes, here + single, self.unknown + score, here, NONE)?;
            }
            at += single;
        }
        flush(nodes, path, origin, &mut visit);
        Ok(())
    }
}

/// Records a way to `place` if it is better than the known one.
#[inline(always)]
fn offer(
    nodes: &mut Vec<Node>,
    place: usize,
    score: f32,
    start: usize,
    piece: u32,
) -> Result<(), String> {
    if place >= nodes.len() {
        let more = place + 1 - nodes.len();
        if nodes.capacity() - nodes.len() < more {
            nodes.try_reserve(more).map_err(too_long)?;
        }
        nodes.resize(place + 1, UNREACHED);
    }
    let node = &mut nodes[place];
    if score > node.score {
        *node = Node {
            score,
            start: start as u32,
            piece,
        };
    }
    Ok(())
}

/// Visits the pieces of the best way to the last node; returns its score.
#[inline]
fn flush(
    nodes: &[Node],
    path: &mut Vec<(u32, u32)>,
    origin: usize,
    visit: &mut impl FnMut(usize, usize, u32),
) -> f32 {
    path.clear();
    let mut at = nodes.len() - 1;
    while at > 0 {
        path.push((at as u32, nodes[at].piece));
        at = nodes[at].start as usize;
    }
    let mut start = 0;
    for &(end, piece) in path.iter().rev() {
        visit(origin + start, origin + end as usize, piece);
        start = end as usize;
    }
    nodes[nodes.len() - 1].score
}
