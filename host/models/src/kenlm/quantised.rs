//! Probabilities and backoffs of a trie: as numbers, or quantised, where a short code stands for a
//! number in a table.

use super::bits;
use super::layout::Layout;
use crate::error::damaged;
use crate::numbers::f32_at;
use std::ops::Range;

const VERSION: u8 = 2;

#[derive(Debug)]
pub(crate) enum Values {
    /// 31 bits without the sign, which is negative, and 32 bits.
    Plain,
    Quantised {
        probability_bits: u32,
        backoff_bits: u32,
        /// The tables of each length from 2 on.
        probabilities: Vec<Range<usize>>,
        backoffs: Vec<Range<usize>>,
    },
}

impl Values {
    /// Finds the tables of a binary with n-grams of up to `order` words.
    pub(crate) fn read(
        layout: &mut Layout,
        file: &[u8],
        order: usize,
        quantised: bool,
    ) -> Result<Self, String> {
        if !quantised {
            return Ok(Self::Plain);
        }
        let what = "quantised values";
        let head = layout.take(8, 1, what)?;
        let &[version, probability, backoff, ..] = &file[head] else {
            return Err(damaged(what));
        };
        if version != VERSION || !(1..=25).contains(&probability) || !(1..=25).contains(&backoff) {
            return Err(damaged(what));
        }
        let (mut probabilities, mut backoffs) = (Vec::new(), Vec::new());
        for words in 2..=order {
            probabilities.push(layout.take(1 << probability, 4, what)?);
            if words < order {
                backoffs.push(layout.take(1 << backoff, 4, what)?);
            }
        }
        Ok(Self::Quantised {
            probability_bits: probability.into(),
            backoff_bits: backoff.into(),
            probabilities,
            backoffs,
        })
    }

    /// The bits of a probability and a backoff.
    pub(crate) fn middle_bits(&self) -> u32 {
        match self {
            Self::Plain => 63,
            Self::Quantised {
                probability_bits,
                backoff_bits,
                ..
            } => probability_bits + backoff_bits,
        }
    }

    /// The bits of a probability.
    pub(crate) fn longest_bits(&self) -> u32 {
        match self {
            Self::Plain => 31,
            Self::Quantised {
                probability_bits, ..
            } => *probability_bits,
        }
    }

    /// Probability and backoff, at a bit, of an n-gram of some number of words.
    #[inline(always)]
    pub(crate) fn middle(
        &self,
        file: &[u8],
        array: &[u8],
        bit: u64,
        words: usize,
    ) -> Option<(f32, f32)> {
        match self {
            Self::Plain => {
                let backoff = bits::read(array, bit + 31, 32)? as u32;
                Some((plain(array, bit)?, f32::from_bits(backoff)))
            }
            Self::Quantised {
                probability_bits,
                backoff_bits,
                probabilities,
                backoffs,
            } => {
                let code = bits::read(array, bit, probability_bits + backoff_bits)?;
                let backoff = code & ((1 << backoff_bits) - 1);
                Some((
                    entry(file, probabilities.get(words - 2)?, code >> backoff_bits)?,
                    entry(file, backoffs.get(words - 2)?, backoff)?,
                ))
            }
        }
    }

    /// The probability, at a bit, of a longest n-gram.
    #[inline(always)]
    pub(crate) fn longest(&self, file: &[u8], array: &[u8], bit: u64) -> Option<f32> {
        match self {
            Self::Plain => plain(array, bit),
            Self::Quantised {
                probability_bits,
                probabilities,
                ..
            } => {
                let code = bits::read(array, bit, *probability_bits)?;
                entry(file, probabilities.last()?, code)
            }
        }
    }
}

#[inline(always)]
fn plain(array: &[u8], bit: u64) -> Option<f32> {
    Some(f32::from_bits(bits::read(array, bit, 31)? as u32 | 1 << 31))
}

#[inline(always)]
fn entry(file: &[u8], table: &Range<usize>, code: u64) -> Option<f32> {
    f32_at(file.get(table.clone())?, 4 * code as usize)
}
