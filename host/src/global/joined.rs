//! Rows that are joined to clusters: union-find whose roots are the smallest members.
//!
//! Where all rows of the dataset have a place in the table, its memory is 4 bytes a row, and a place
//! is the row's number. Where the pairs are known before, only rows that have one get a place: 4 bytes
//! each, and a bit and an eighth for each row of the dataset. So rows have numbers of 64 bits, and
//! the rows of clusters of 32.

use anyhow::{Context, Result};

use super::duplicates::Duplicates;
use super::mask::Mask;

/// Words of a block, whose members are counted.
const BLOCK: usize = 8;

/// Some rows of the dataset, which are numbered without gaps.
pub(crate) struct Members {
    /// A bit for each row.
    bits: Vec<u64>,
    /// The number of members before each block.
    before: Vec<u64>,
}

impl Members {
    /// None of `rows` rows.
    pub(crate) fn none_of(rows: u64) -> Self {
        let blocks = rows.div_ceil(64 * BLOCK as u64) as usize;
        Self {
            bits: vec![0; blocks * BLOCK],
            before: Vec::new(),
        }
    }

    /// From now on `row` is one.
    pub(crate) fn insert(&mut self, row: u64) {
        self.bits[(row / 64) as usize] |= 1 << (row % 64);
    }

    /// Numbers them. Returns how many there are.
    fn count(&mut self) -> u64 {
        let mut members = 0;
        let blocks = self.bits.chunks(BLOCK).map(|block| {
            let before = members;
            members += ones(block);
            before
        });
        self.before = blocks.collect();
        members
    }

    /// The number of a row among the members; None: it is none of them.
    fn index(&self, row: u64) -> Option<u32> {
        let (word, bit) = ((row / 64) as usize, row % 64);
        if self.bits[word] >> bit & 1 == 0 {
            return None;
        }
        let block = word / BLOCK;
        let words = ones(&self.bits[block * BLOCK..word]);
        let below = self.bits[word] & ((1 << bit) - 1);
        Some((self.before[block] + words + u64::from(below.count_ones())) as u32)
    }

    /// The row of a member.
    fn row(&self, member: u32) -> u64 {
        let member = u64::from(member);
        let block = self.before.partition_point(|before| *before <= member) - 1;
        let mut left = member - self.before[block];
        let mut word = block * BLOCK;
        while u64::from(self.bits[word].count_ones()) <= left {
            left -= u64::from(self.bits[word].count_ones());
            word += 1;
        }
        let mut bits = self.bits[word];
        for _ in 0..left {
            bits &= bits - 1;
        }
        word as u64 * 64 + u64::from(bits.trailing_zeros())
    }
}

fn ones(words: &[u64]) -> u64 {
    words.iter().map(|word| u64::from(word.count_ones())).sum()
}

/// The clusters of rows. A row that has no place is alone in its own.
pub(crate) struct Joined {
    /// None: all rows.
    members: Option<Members>,
    parent: Vec<u32>,
}

impl Joined {
    /// All of `rows` rows, each alone.
    pub(crate) fn all(rows: u32) -> Self {
        Self {
            members: None,
            parent: (0..rows).collect(),
        }
    }

    /// The rows of `members`, each alone. Fails if there are more than 2^32.
    pub(crate) fn of(mut members: Members) -> Result<Self> {
        let rows = u32::try_from(members.count())
            .context("more than 2^32 rows have a duplicate: drop equal rows before")?;
        Ok(Self {
            members: Some(members),
            parent: (0..rows).collect(),
        })
    }

    /// The number of rows that have a place.
    pub(crate) fn len(&self) -> usize {
        self.parent.len()
    }

    /// The bytes of the table.
    pub(crate) fn bytes(&self) -> usize {
        let members = self.members.as_ref();
        let of = |members: &Members| 8 * (members.bits.len() + members.before.len());
        self.parent.len() * 4 + members.map_or(0, of)
    }

    /// The place of a row.
    pub(crate) fn index(&self, row: u64) -> Option<u32> {
        match &self.members {
            Some(members) => members.index(row),
            None => Some(row as u32),
        }
    }

    /// The row at a place.
    pub(crate) fn row(&self, member: u32) -> u64 {
        match &self.members {
            Some(members) => members.row(member),
            None => member.into(),
        }
    }

    /// The place of the first row of the cluster of a place.
    pub(crate) fn root(&mut self, mut member: u32) -> u32 {
        while self.parent[member as usize] != member {
            // Halving the path keeps later walks short.
            self.parent[member as usize] = self.parent[self.parent[member as usize] as usize];
            member = self.parent[member as usize];
        }
        member
    }

    /// The place of the first row of a row's cluster; None: the row has none.
    pub(crate) fn root_of(&mut self, row: u64) -> Option<u32> {
        self.index(row).map(|member| self.root(member))
    }

    /// Makes one cluster of those of two rows, which have places.
    pub(crate) fn join(&mut self, a: u64, b: u64) {
        if let (Some(a), Some(b)) = (self.index(a), self.index(b)) {
            self.join_members(a, b);
        }
    }

    /// The same by places.
    pub(crate) fn join_members(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        let (small, large) = if a < b { (a, b) } else { (b, a) };
        self.parent[large as usize] = small;
    }

    /// Leaves of each cluster its first row, and adds the others to `found`. `start` has the number
    /// of each partition's first row.
    pub(crate) fn keep_first(&mut self, masks: &mut [Mask], start: &[u64], found: &mut Duplicates) {
        for (p, mask) in masks.iter_mut().enumerate() {
            let mut again = Vec::new();
            for row in mask.kept() {
                let id = start[p] + row as u64;
                let Some(member) = self.index(id) else {
                    continue;
                };
                let root = self.root(member);
                if root != member {
                    again.push(row as u32);
                    found.add(p, row as u32, self.row(root));
                }
            }
            mask.clear_all(&again);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_numbered_by_row_beyond_32_bits() {
        let rows = [
            0,
            1,
            63,
            64,
            511,
            512,
            5_000,
            1 << 32,
            (1 << 32) + 77,
            (1 << 32) + 5_000,
        ];
        let mut members = Members::none_of((1 << 32) + 5_001);
        rows.iter().for_each(|row| members.insert(*row));
        let mut joined = Joined::of(members).unwrap();
        for (member, row) in (0..).zip(rows) {
            assert_eq!(joined.index(row), Some(member), "{row}");
            assert_eq!(joined.row(member), row);
        }
        for other in [2, 62, 65, 513, (1 << 32) - 1, (1 << 32) + 1] {
            assert_eq!(joined.index(other), None, "{other}");
        }
        joined.join(1 << 32, (1 << 32) + 5_000);
        joined.join((1 << 32) + 5_000, 64);
        let root = joined.root_of(1 << 32).unwrap();
        assert_eq!(joined.row(root), 64);
        assert_eq!(joined.root_of((1 << 32) + 77), joined.index((1 << 32) + 77));
    }
}
