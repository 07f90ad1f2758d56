//! BPE models: neighbours merge into pieces, the best piece first.

use super::normalizer::Symbols;
use super::pairs::Pairs;
use super::trie::{NONE, Trie};
use super::{too_long, width};
use foldhash::fast::FixedState;
use std::collections::{BinaryHeap, HashMap};

#[derive(Debug)]
pub(crate) struct Bpe {
    pub trie: Trie,
    /// By the numbers in the trie: the better of two pieces has the greater rank, equally good ones
    /// the same.
    pub ranks: Vec<u32>,
    /// By the numbers in the trie: pieces that are merged and split again. Empty if there are none.
    pub unused: Vec<bool>,
    pub pairs: Pairs,
}

/// A piece being built: a part of the text, and its neighbours.
#[derive(Debug, Clone, Copy)]
struct Symbol {
    start: u32,
    /// Equal to `start` after merging with the left neighbour.
    end: u32,
    previous: u32,
    next: u32,
    frozen: bool,
}

const NOBODY: u32 = u32::MAX;
/// How deep sentencepiece goes when it splits pieces again.
const DEEPEST: u32 = 100;
/// The longest remembered part of a text, and how many are remembered.
const LONGEST: usize = 64;
const REMEMBERED: usize = 1 << 16;

/// Two neighbours that make a piece: rank and position for the order, then the right neighbour, and
/// the length of the piece.
type Join = (u64, u32, u32);

/// Reusable buffers.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    symbols: Vec<Symbol>,
    joins: BinaryHeap<Join>,
    /// How short parts of texts are cut: position and number of their pieces in `ends`.
    cache: HashMap<Box<[u8]>, (u32, u8), FixedState>,
    /// Ends of pieces from the start of the part, and their numbers.
    ends: Vec<(u32, u32)>,
    /// How unused pieces were merged: the length of the left half.
    halves: HashMap<u32, u32, FixedState>,
    apart: Vec<(u32, u32, u32)>,
}

impl Workspace {
    /// Whether it is worth keeping for the next text.
    pub(crate) fn is_small(&self) -> bool {
        self.symbols.capacity() + self.joins.capacity() + self.apart.capacity() < 1 << 17
    }
}

impl Bpe {
    /// Calls `visit` with start, end and number of each piece; `NONE` is unknown.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub(crate) fn encode(
        &self,
        text: &str,
        symbols: &Symbols,
        work: &mut Workspace,
        mut visit: impl FnMut(usize, usize, u32),
    ) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        if !self.unused.is_empty() {
            return self.join(text.as_bytes(), symbols, work, visit);
        }
        self.pairs.cut(text, |start, end| {
            let part = &text.as_bytes()[start..end];
            if part.len() > LONGEST {
                return self.join(part, symbols, work, |a, b, piece| {
                    visit(start + a, start + b, piece)
                });
            }
            let (from, count) = match work.cache.get(part) {
                Some(&known) => known,
                None => self.remember(part, symbols, work),
            };
            let mut at = start;
            for &(end, piece) in &work.ends[from as usize..from as usize + usize::from(count)] {
                let next = start + end as usize;
                visit(at, next, piece);
                at = next;
            }
            Ok(())
        })
    }

    #[cold]
    fn remember(&self, part: &[u8], symbols: &Symbols, work: &mut Workspace) -> (u32, u8) {
        if work.cache.len() >= REMEMBERED {
            work.cache.clear();
            work.ends.clear();
        }
        let from = work.ends.len();
        self.join_short(part, symbols, &mut work.ends);
        let found = (from as u32, (work.ends.len() - from) as u8);
        work.cache.insert(part.into(), found);
        found
    }

    /// Like `join`, for at most `LONGEST` bytes and models without unused pieces; adds to `ends`.
    /// Searching all neighbours for the best is faster here than keeping a list of them.
    fn join_short(&self, text: &[u8], fixed: &Symbols, ends: &mut Vec<(u32, u32)>) {
        // Symbol i ends at `bounds[i + 1]`; `ranks[i]` is the rank of merging it with the next one,
        // from 1 on.
        let mut bounds = [0u8; LONGEST + 1];
        let mut frozen = [false; LONGEST];
        let mut ranks = [0u32; LONGEST];
        let mut count = 0;
        while usize::from(bounds[count]) < text.len() {
            let at = usize::from(bounds[count]);
            let symbol = fixed.longest(&text[at..]);
            frozen[count] = symbol.is_some();
            bounds[count + 1] = (at + symbol.unwrap_or_else(|| width(text[at]))) as u8;
            count += 1;
        }
        let part = |bounds: &[u8], from: usize, to: usize| {
            &text[usize::from(bounds[from])..usize::from(bounds[to])]
        };
        let rank =
            |bounds: &[u8], frozen: &[bool], left: usize| match frozen[left] || frozen[left + 1] {
                true => 0,
                false => self
                    .trie
                    .get(part(bounds, left, left + 2))
                    .map_or(0, |piece| self.ranks[piece as usize] + 1),
            };
        (1..count).for_each(|right| ranks[right - 1] = rank(&bounds, &frozen, right - 1));
        while count > 1 {
            // The leftmost of equal ranks.
            let (mut left, mut best) = (0, 0);
            for (i, &rank) in ranks[..count - 1].iter().enumerate() {
                if rank > best {
                    (left, best) = (i, rank);
                }
            }
            if best == 0 {
                break;
            }
            bounds.copy_within(left + 2..=count, left + 1);
            frozen.copy_within(left + 2..count, left + 1);
            ranks.copy_within(left + 1..count - 1, left);
            count -= 1;
            if left > 0 {
                ranks[left - 1] = rank(&bounds, &frozen, left - 1);
            }
            if left + 1 < count {
                ranks[left] = rank(&bounds, &frozen, left);
            }
        }
        for i in 0..count {
            let piece = self.trie.get(part(&bounds, i, i + 1));
            ends.push((bounds[i + 1].into(), piece.unwrap_or(NONE)));
        }
    }

    fn join(
        &self,
        text: &[u8],
        fixed: &Symbols,
        work: &mut Workspace,
        mut visit: impl FnMut(usize, usize, u32),
    ) -> Result<(), String> {
        let Workspace {
            symbols,
            joins,
            halves,
            apart,
            ..
        } = work;
        symbols.clear();
        joins.clear();
        halves.clear();
        let mut at = 0;
        while at < text.len() {
            let symbol = fixed.longest(&text[at..]);
            let end = at + symbol.unwrap_or_else(|| width(text[at]));
            let number = symbols.len() as u32;
            if symbols.len() == symbols.capacity() {
                symbols.try_reserve(1).map_err(too_long)?;
            }
            let next = if end < text.len() { number + 1 } else { NOBODY };
            symbols.push(Symbol {
                start: at as u32,
                end: end as u32,
                previous: number.wrapping_sub(1),
                next,
                frozen: symbol.is_some(),
            });
            at = end;
        }
        for left in 1..symbols.len() as u32 {
            self.offer(text, symbols, joins, halves, left - 1, left)?;
        }
        while let Some((order, right, length)) = joins.pop() {
            let left = !(order as u32);
            let (a, b) = (symbols[left as usize], symbols[right as usize]);
            if a.start == a.end || b.start == b.end || b.end - a.start != length || a.end != b.start
            {
                continue;
            }
            symbols[left as usize].end = b.end;
            symbols[left as usize].next = b.next;
            symbols[right as usize].end = b.start;
            if b.next != NOBODY {
                symbols[b.next as usize].previous = left;
            }
            self.offer(text, symbols, joins, halves, a.previous, left)?;
            self.offer(text, symbols, joins, halves, left, b.next)?;
        }
        let mut at = 0;
        while at != NOBODY {
            let Symbol {
                start, end, next, ..
            } = symbols[at as usize];
            apart.push((start, end, 0));
            while let Some((start, end, depth)) = apart.pop() {
                let piece = self.trie.get(&text[start as usize..end as usize]);
                match piece.filter(|&piece| {
                    depth <= DEEPEST && self.unused.get(piece as usize) == Some(&true)
                }) {
                    None => visit(start as usize, end as usize, piece.unwrap_or(NONE)),
                    Some(piece) => match halves.get(&piece) {
                        None => visit(start as usize, end as usize, NONE),
                        Some(half) => apart.extend([
                            (start + half, end, depth + 1),
                            (start, start + half, depth + 1),
                        ]),
                    },
                }
            }
            at = next;
        }
        Ok(())
    }

    /// Adds two neighbours to the list if they make a piece.
    #[inline]
    fn offer(
        &self,
        text: &[u8],
        symbols: &[Symbol],
        joins: &mut BinaryHeap<Join>,
        halves: &mut HashMap<u32, u32, FixedState>,
        left: u32,
        right: u32,
    ) -> Result<(), String> {
        let (Some(a), Some(b)) = (symbols.get(left as usize), symbols.get(right as usize)) else {
            return Ok(());
        };
        if a.frozen || b.frozen {
            return Ok(());
        }
        let Some(piece) = self.trie.get(&text[a.start as usize..b.end as usize]) else {
            return Ok(());
        };
        if joins.len() == joins.capacity() {
            joins.try_reserve(1).map_err(too_long)?;
        }
        // The leftmost of equal ranks goes first.
        joins.push((
            u64::from(self.ranks[piece as usize]) << 32 | u64::from(!left),
            right,
            b.end - a.start,
        ));
        if self.unused.get(piece as usize) == Some(&true) {
            halves.insert(piece, a.end - a.start);
        }
        Ok(())
    }
}
