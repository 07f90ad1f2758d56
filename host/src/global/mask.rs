//! The rows of a partition that a global op keeps.

use anyhow::{Context, Result, ensure};
use arrow::array::BooleanBufferBuilder;
use arrow::buffer::{BooleanBuffer, Buffer};

use super::clusters::Clustered;
use crate::rundir::varint::{put, take};

/// One bit per row that came to the op, set if kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// The op.
    pub op: usize,
    bits: BooleanBuffer,
    /// For an op that counts keys: the counts, which it then gets with the rows.
    pub counts: Option<Counts>,
    /// For a deduplicator that gives the rows that it keeps fields: their clusters.
    pub clusters: Option<Clustered>,
}

/// Set in the number of rows of a file if clusters follow the bits.
const CLUSTERS: u64 = 1 << 63;

/// For each key of each row that came to the op, the number of rows of the dataset with that key.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// Row `i` has `values[offsets[i]..offsets[i + 1]]`.
    offsets: Vec<usize>,
    values: Vec<u32>,
}

impl Counts {
    /// `lens[i]` values belong to row `i`.
    pub fn new(lens: &[u32], values: Vec<u32>) -> Self {
        let mut offsets = vec![0];
        offsets.extend(lens.iter().scan(0, |end, len| {
            *end += *len as usize;
            Some(*end)
        }));
        debug_assert_eq!(offsets.last(), Some(&values.len()));
        Self { offsets, values }
    }

    /// The counts of a row's keys.
    pub fn of(&self, row: usize) -> &[u32] {
        &self.values[self.offsets[row]..self.offsets[row + 1]]
    }
}

/// Takes a number from a file of counts.
pub(crate) fn take_number(bytes: &mut &[u8]) -> Result<u32> {
    u32::try_from(take(bytes).context("counts end too early")?).context("a count is too large")
}

impl Mask {
    /// A mask with the given bits.
    pub fn new(op: usize, bits: BooleanBuffer) -> Self {
        Self {
            op,
            bits,
            counts: None,
            clusters: None,
        }
    }

    /// Number of rows that came to the op.
    pub fn rows(&self) -> usize {
        self.bits.len()
    }

    /// The bits.
    pub fn bits(&self) -> BooleanBuffer {
        self.bits.clone()
    }

    /// The bits of `len` rows from `offset`.
    pub fn slice(&self, offset: usize, len: usize) -> BooleanBuffer {
        self.bits.slice(offset, len)
    }

    /// Positions of the kept rows, ascending.
    pub fn kept(&self) -> impl Iterator<Item = usize> + '_ {
        self.bits.set_indices()
    }

    /// Number of kept rows.
    pub fn count(&self) -> usize {
        self.bits.count_set_bits()
    }

    /// Whether a row is kept.
    pub fn is_kept(&self, row: usize) -> bool {
        self.bits.value(row)
    }

    /// Clears the bits of `rows`, with one copy for all.
    pub fn clear_all(&mut self, rows: &[u32]) {
        let mut bits = self.to_builder();
        rows.iter().for_each(|r| bits.set_bit(*r as usize, false));
        self.bits = bits.finish();
    }

    /// From now on these are the bits.
    pub(crate) fn set_bits(&mut self, bits: BooleanBuffer) {
        self.bits = bits;
    }

    /// A copy of the bits, to change.
    pub(crate) fn to_builder(&self) -> BooleanBufferBuilder {
        let mut bits = BooleanBufferBuilder::new(self.bits.len());
        bits.append_buffer(&self.bits);
        bits
    }

    /// The bytes of the file: number of rows (u64, little endian; the highest bit says that clusters
    /// follow), then the bits, least significant first; with counts, for each row the number of its
    /// counts and the counts, as `varint`s; with clusters, for each kept row its cluster and the
    /// number of rows in it, as `varint`s.
    pub fn to_bytes(&self) -> Vec<u8> {
        let rows = self.bits.len();
        let has_clusters = if self.clusters.is_some() { CLUSTERS } else { 0 };
        let mut bytes = (rows as u64 | has_clusters).to_le_bytes().to_vec();
        bytes.extend_from_slice(&self.bits.sliced().as_slice()[..rows.div_ceil(8)]);
        if let Some(clusters) = &self.clusters {
            clusters.write(&mut bytes);
        }
        if let Some(counts) = &self.counts {
            for row in 0..rows {
                put(counts.of(row).len() as u64, &mut bytes);
                counts
                    .of(row)
                    .iter()
                    .for_each(|count| put(u64::from(*count), &mut bytes));
            }
        }
        bytes
    }

    /// Parses what [`Self::to_bytes`] made.
    pub fn from_bytes(op: usize, bytes: &[u8]) -> Result<Self> {
        let (head, bits) = bytes
            .split_at_checked(8)
            .context("a mask without its head")?;
        let head = u64::from_le_bytes(head.try_into()?);
        let rows = usize::try_from(head & !CLUSTERS)?;
        ensure!(
            bits.len() >= rows.div_ceil(8),
            "a mask of {rows} rows in {} bytes",
            bits.len()
        );
        let (bits, mut rest) = bits.split_at(rows.div_ceil(8));
        let bits = BooleanBuffer::new(Buffer::from(bits), 0, rows);
        let (mut counts, mut clusters) = (None, None);
        if head & CLUSTERS != 0 {
            clusters = Some(Clustered::read(&mut rest, bits.count_set_bits())?);
        } else if !rest.is_empty() {
            let (mut lens, mut values) = (Vec::with_capacity(rows), Vec::new());
            for _ in 0..rows {
                let len = take_number(&mut rest)?;
                lens.push(len);
                for _ in 0..len {
                    values.push(take_number(&mut rest)?);
                }
            }
            ensure!(rest.is_empty(), "counts of more than {rows} rows");
            counts = Some(Counts::new(&lens, values));
        }
        Ok(Self {
            op,
            bits,
            counts,
            clusters,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_survives_its_file() {
        let mut mask = Mask::new(3, BooleanBuffer::from_iter((0..21).map(|i| i % 3 != 0)));
        mask.clear_all(&[1, 2]);
        let back = Mask::from_bytes(3, &mask.to_bytes()).unwrap();
        assert_eq!(back, mask);
        assert_eq!(back.kept().take(2).collect::<Vec<_>>(), [4, 5]);
        assert!(Mask::from_bytes(3, &mask.to_bytes()[..9]).is_err());
        let lens: Vec<u32> = (0..21).map(|row| row % 3).collect();
        mask.counts = Some(Counts::new(
            &lens,
            (0..21).map(|i| i * i * 1_000_000).collect(),
        ));
        let bytes = mask.to_bytes();
        assert_eq!(Mask::from_bytes(3, &bytes).unwrap(), mask);
        assert!(Mask::from_bytes(3, &bytes[..bytes.len() - 1]).is_err());
        assert!(Mask::from_bytes(3, &[bytes.as_slice(), &[0]].concat()).is_err());
        mask.counts = None;
        let ids: Vec<u64> = (0..mask.count() as u64)
            .map(|i| i * 1_000_000_000)
            .collect();
        mask.clusters = Some(Clustered {
            sizes: (1..=ids.len() as u32).collect(),
            ids,
        });
        let bytes = mask.to_bytes();
        assert_eq!(Mask::from_bytes(3, &bytes).unwrap(), mask);
        assert!(Mask::from_bytes(3, &bytes[..bytes.len() - 1]).is_err());
        assert!(Mask::from_bytes(3, &[bytes.as_slice(), &[0]].concat()).is_err());
    }
}
