//! Which rows of a partition a global op keeps.

use anyhow::{Context, Result, ensure};
use arrow::array::BooleanBufferBuilder;
use arrow::buffer::{BooleanBuffer, Buffer};

/// One bit per row that came to the op, set = kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// The op.
    pub op: usize,
    bits: BooleanBuffer,
}

impl Mask {
    /// A mask with the given bits.
    pub fn new(op: usize, bits: BooleanBuffer) -> Self {
        Self { op, bits }
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

    /// Positions of the kept rows, rising.
    pub fn kept(&self) -> impl Iterator<Item = usize> + '_ {
        self.bits.set_indices()
    }

    /// How many are kept.
    pub fn count(&self) -> usize {
        self.bits.count_set_bits()
    }

    /// Whether a row is kept.
    pub fn is_kept(&self, row: usize) -> bool {
        self.bits.value(row)
    }

    /// Takes rows away; one copy for all.
    pub fn clear_all(&mut self, rows: &[u32]) {
        let mut bits = self.take();
        rows.iter().for_each(|r| bits.set_bit(*r as usize, false));
        self.bits = bits.finish();
    }

    fn take(&mut self) -> BooleanBufferBuilder {
        let mut bits = BooleanBufferBuilder::new(self.bits.len());
        bits.append_buffer(&self.bits);
        bits
    }

    /// The file: number of rows (u64, little endian), then the bits, least significant first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = (self.bits.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(self.bits.sliced().as_slice());
        bytes
    }

    /// The way back.
    pub fn from_bytes(op: usize, bytes: &[u8]) -> Result<Self> {
        let (head, bits) = bytes.split_at_checked(8).context("a mask without its head")?;
        let rows = usize::try_from(u64::from_le_bytes(head.try_into()?))?;
        ensure!(bits.len() >= rows.div_ceil(8), "a mask of {rows} rows in {} bytes", bits.len());
        Ok(Self { op, bits: BooleanBuffer::new(Buffer::from(bits), 0, rows) })
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
    }
}
