//! Looks up, in input order, which keys earlier groups have, in a Bloom filter: memory is known
//! before, whatever comes.
//!
//! The filter consists of blocks of 256 bits, as Apache Parquet's: the upper half of a key's hash
//! chooses the block, the lower half one bit in each of its eight words. So a key costs one access
//! to memory, where a classical filter of the same rate needs seven to ten.

use anyhow::{Result, ensure};

use super::Tables;
use super::mask::{Counts, Mask};
use crate::wasm::Seen;

/// By which the lower half of a hash is multiplied for the bit of each word: Parquet's constants.
const SALTS: [u32; 8] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

/// A set of hashes that may take others for members.
struct Filter {
    blocks: Vec<[u32; 8]>,
}

impl Filter {
    fn new(blocks: u64) -> Result<Self> {
        let blocks = usize::try_from(blocks)?;
        ensure!(
            blocks <= u32::MAX as usize,
            "a Bloom filter of more than 2^32 blocks"
        );
        Ok(Self {
            // Memory that no key touches is never taken from the system.
            blocks: vec![[0; 8]; blocks],
        })
    }

    /// The place of a hash: its block, and a bit in each word.
    fn place(&self, hash: u64) -> (usize, [u32; 8]) {
        let block = ((hash >> 32) * self.blocks.len() as u64) >> 32;
        let bits = SALTS.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 27));
        (block as usize, bits)
    }

    fn has(&self, hash: u64) -> bool {
        let (block, bits) = self.place(hash);
        let words = self.blocks[block];
        words.iter().zip(bits).all(|(word, bit)| word & bit != 0)
    }

    /// Adds a hash. Whether it was new.
    fn add(&mut self, hash: u64) -> bool {
        let (block, bits) = self.place(hash);
        let mut is_new = false;
        for (word, bit) in self.blocks[block].iter_mut().zip(bits) {
            is_new |= *word & bit == 0;
            *word |= bit;
        }
        is_new
    }
}

/// Fills each mask with two numbers for each group of keys of each row: how many of its keys earlier
/// groups have, and how many keys it has. Hash 0 ends a group. The keys of a group that is a
/// duplicate itself are not added. Clears the bits of rows that are duplicates as a whole. Returns
/// the bytes of the filter, and the number of different keys that it got.
pub(crate) fn look_up(
    tables: Tables<'_>,
    masks: &mut [Mask],
    wanted: &Seen,
) -> Result<(usize, u64)> {
    let mut filter = Filter::new(wanted.blocks())?;
    let mut known = 0;
    for (p, mask) in masks.iter_mut().enumerate() {
        let (mut lens, mut values, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        tables(p)?.each_list(|row, list| {
            let before = values.len();
            if mask.is_kept(row as usize) {
                // What follows the last end of a group is none.
                for group in list.split_inclusive(|hash| *hash == 0) {
                    let Some((0, keys)) = group.split_last() else {
                        continue;
                    };
                    let found = keys.iter().filter(|key| filter.has(**key)).count();
                    if !is_above(found, keys.len(), wanted.threshold) {
                        known += keys.iter().filter(|key| filter.add(**key)).count() as u64;
                    }
                    values.extend([found as u32, keys.len() as u32]);
                }
                let sum = |first: usize| -> usize {
                    let values = values[before..].iter().skip(first).step_by(2);
                    values.map(|n| *n as usize).sum()
                };
                if let Some(most) = wanted.document_threshold
                    && is_above(sum(0), sum(1), most)
                {
                    gone.push(row);
                }
            }
            lens.push((values.len() - before) as u32);
        })?;
        mask.clear_all(&gone);
        mask.counts = Some(Counts::new(&lens, values));
    }
    Ok((filter.blocks.len() * 32, known))
}

/// Whether so many of `all` are more than a share of them; not if there are none.
fn is_above(found: usize, all: usize, share: f64) -> bool {
    all > 0 && found as f64 / all as f64 > share
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::global::keys::{KeyTable, KeysWriter};
    use crate::wasm::{Output, key_hashes};
    use arrow::array::{ListBuilder, StringBuilder};

    fn found(partitions: &[&[&[&str]]], wanted: &Seen) -> (Vec<Vec<u32>>, Vec<bool>, u64) {
        let files: Vec<Vec<u8>> = partitions
            .iter()
            .map(|rows| {
                let mut lists = ListBuilder::new(StringBuilder::new());
                rows.iter()
                    .for_each(|keys| lists.append_value(keys.iter().map(|k| Some(*k))));
                let hashes = key_hashes(&lists.finish()).unwrap();
                let mut writer = KeysWriter::new();
                writer
                    .add(rows.len(), Some(Output::KeyLists(hashes)), &[])
                    .unwrap();
                writer.finish().unwrap()
            })
            .collect();
        let tables = |p: usize| KeyTable::from_bytes(files[p].clone());
        let mut masks: Vec<Mask> = (0..files.len())
            .map(|p| Mask::new(0, tables(p).unwrap().accepted()))
            .collect();
        let (_, known) = look_up(&tables, &mut masks, wanted).unwrap();
        let rows = |mask: &Mask| (0..mask.rows()).collect::<Vec<_>>();
        let each = masks
            .iter()
            .flat_map(|m| rows(m).into_iter().map(move |r| (m, r)));
        let counts = each
            .clone()
            .map(|(m, r)| m.counts.as_ref().unwrap().of(r).to_vec());
        let kept = each.clone().map(|(m, r)| m.is_kept(r));
        (counts.collect(), kept.collect(), known)
    }

    const WANTED: Seen = Seen {
        expected_keys: 1000,
        false_positive_rate: 0.000001,
        threshold: 0.5,
        document_threshold: Some(0.7),
    };

    #[test]
    fn groups_are_compared_with_those_before() {
        let rows: &[&[&str]] = &[
            // Within a row, too; a key twice in a group counts twice.
            &["a", "b", "", "a", "a", "x", "", ""],
            &["c", ""],
            // Two of three known: a duplicate, so `d` stays unknown.
            &["a", "b", "d", ""],
            &["d", "e", "", "tail without an end"],
            &["a", "b", "c", ""],
            &[],
        ];
        let expected = vec![
            vec![0, 2, 2, 3, 0, 0],
            vec![0, 1],
            vec![2, 3],
            vec![0, 2],
            vec![3, 3],
            vec![],
        ];
        let kept = vec![true, true, true, true, false, true];
        for cut in 0..rows.len() {
            let (first, second) = rows.split_at(cut);
            let (counts, stay, known) = found(&[first, second], &WANTED);
            assert_eq!((counts, stay, known), (expected.clone(), kept.clone(), 5));
        }
    }

    #[test]
    fn few_new_keys_are_taken_for_known_ones() {
        let keys: Vec<String> = (0..20_000).map(|i| format!("key {i}")).collect();
        let wanted = Seen {
            expected_keys: 20_000,
            false_positive_rate: 0.01,
            threshold: 1.0,
            document_threshold: None,
        };
        let fill: Vec<&str> = keys.iter().map(String::as_str).chain([""]).collect();
        let others: Vec<String> = (0..20_000).map(|i| format!("other {i}")).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).chain([""]).collect();
        let (counts, _, _) = found(&[&[&fill, &others]], &wanted);
        let wrong = counts[1][0];
        assert!((140..=230).contains(&wrong), "{wrong} of 20,000");
    }
}
