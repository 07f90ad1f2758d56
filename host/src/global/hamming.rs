//! Finds 64-bit fingerprints that differ in few bits, over all partitions, in bounded memory: the
//! first row of each cluster stays.
//!
//! The bits are cut into blocks. Two fingerprints within the distance agree in all but `distance`
//! blocks, so they meet in a bucket for some choice of blocks, and all pairs of a bucket are
//! compared. Each choice is a scan of the fingerprints, or several scans of some buckets each if
//! they do not fit the memory.

use anyhow::{Context, Result};
use xxhash_rust::xxh3::xxh3_64;

use super::Tables;
use super::dedup::{numbers, pass_of, passes, room};
use super::duplicates::Duplicates;
use super::joined::Joined;
use super::mask::Mask;

/// A fingerprint as two words, low one first, and the number of its row: 12 bytes, where `(u64,
/// u32)` would take 16.
type Entry = [u32; 3];

fn print([low, high, _]: Entry) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// One fingerprint of 8 bytes per row: rows whose fingerprints differ in at most `distance` bits
/// are in one cluster, transitively, and the first row of each cluster stays. Adds the others to
/// `found`. Returns the bytes of the tables. `distance` must be below 64.
pub fn first_of_near(
    tables: Tables<'_>,
    masks: &mut [Mask],
    distance: u32,
    memory: usize,
    found: &mut Duplicates,
) -> Result<usize> {
    let (mut groups, used) = groups_of_near(tables, masks, distance, memory)?;
    groups.keep_first(masks, &numbers(masks).0, found);
    Ok(used)
}

/// The clusters, and the bytes of the tables.
pub(crate) fn groups_of_near(
    tables: Tables<'_>,
    masks: &[Mask],
    distance: u32,
    memory: usize,
) -> Result<(Joined, usize)> {
    let (start, total) = numbers(masks);
    let mut groups =
        Joined::all(u32::try_from(total).context("internal error: too many rows for one table")?);
    let rows = total as usize;
    let passes = passes(rows, size_of::<Entry>(), memory);
    let fill =
        |entries: &mut Vec<Entry>, masks: &[Mask], wanted: &dyn Fn(u64) -> bool| -> Result<()> {
            entries.clear();
            for (p, mask) in masks.iter().enumerate() {
                tables(p)?.each(0, |row, print| {
                    let print = print as u64;
                    if mask.is_kept(row as usize) && wanted(print) {
                        entries.push([
                            print as u32,
                            (print >> 32) as u32,
                            (start[p] + u64::from(row)) as u32,
                        ]);
                    }
                })?;
            }
            Ok(())
        };
    let mut entries: Vec<Entry> = Vec::with_capacity(room(rows, passes));
    if passes == 1 {
        fill(&mut entries, masks, &|_| true)?;
        // Settles equal fingerprints for good; they are then adjacent, the first row first.
        unite_buckets(&mut entries, u64::MAX, 0, &mut groups);
        entries.dedup_by_key(|entry| print(*entry));
    }
    let mut used = entries.capacity();
    let blocks = block_count(if passes == 1 { entries.len() } else { rows }, distance);
    for mask in choices(blocks, blocks - distance as usize) {
        for pass in 0..passes {
            if passes > 1 {
                fill(&mut entries, masks, &|print| {
                    pass_of(xxh3_64(&(print & mask).to_le_bytes()), passes) == pass
                })?;
                used = used.max(entries.capacity());
            }
            unite_buckets(&mut entries, mask, distance, &mut groups);
        }
    }
    Ok((groups, used * size_of::<Entry>() + rows * 4))
}

/// Unites entries that agree in the bits of `mask` and differ in at most `distance` others.
/// Reorders the entries.
fn unite_buckets(entries: &mut [Entry], mask: u64, distance: u32, groups: &mut Joined) {
    each_pair(entries, mask, distance, |a, b, _| groups.join_members(a, b));
}

/// A fingerprint, and its row.
pub(super) trait Printed: Copy {
    /// The row.
    type Row: Copy + Ord;
    /// The fingerprint.
    fn print(self) -> u64;
    /// The row.
    fn row(self) -> Self::Row;
}

impl Printed for Entry {
    type Row = u32;
    fn print(self) -> u64 {
        print(self)
    }
    fn row(self) -> u32 {
        self[2]
    }
}

impl<R: Copy + Ord> Printed for (u64, R) {
    type Row = R;
    fn print(self) -> u64 {
        self.0
    }
    fn row(self) -> R {
        self.1
    }
}

/// Calls `see(row, row, is_equal)` for entries that agree in the bits of `mask` and differ in at most
/// `distance` others: for each fingerprint with its first row, and for each further row of it with
/// that one. Reorders the entries.
pub(super) fn each_pair<E: Printed>(
    entries: &mut [E],
    mask: u64,
    distance: u32,
    mut see: impl FnMut(E::Row, E::Row, bool),
) {
    entries.sort_unstable_by_key(|entry| (entry.print() & mask, entry.print(), entry.row()));
    for bucket in entries.chunk_by_mut(|a, b| a.print() & mask == b.print() & mask) {
        // Equal entries are adjacent: compares only the first of a run with others.
        let mut distinct = 1;
        for i in 1..bucket.len() {
            if bucket[i].print() == bucket[distinct - 1].print() {
                see(bucket[distinct - 1].row(), bucket[i].row(), true);
            } else {
                // Swaps with a duplicate, which is united already but must not be lost.
                bucket.swap(distinct, i);
                distinct += 1;
            }
        }
        for (at, &a) in bucket[..distinct].iter().enumerate() {
            for &b in &bucket[at + 1..distinct] {
                if (a.print() ^ b.print()).count_ones() <= distance {
                    see(a.row(), b.row(), false);
                }
            }
        }
    }
}

/// The best number of blocks to cut the bits into. More blocks make larger keys, hence smaller
/// buckets, but more choices.
pub(super) fn block_count(numbers: usize, distance: u32) -> usize {
    let cost = |blocks: usize| {
        let equal = blocks - distance as usize;
        let tables = (0..equal).fold(1.0, |c, i| c * (blocks - i) as f64 / (i + 1) as f64);
        let numbers = numbers as f64;
        // Sorting a number costs about as much as a hundred comparisons.
        tables * numbers * (100.0 + numbers / 2.0 / 2f64.powf(64.0 * equal as f64 / blocks as f64))
    };
    let first = distance as usize + 1;
    (first..=(first + 4).min(64))
        .min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
        .unwrap_or(first)
}

/// The masks of all choices of `chosen` out of `blocks` blocks of bits.
pub(super) fn choices(blocks: usize, chosen: usize) -> Vec<u64> {
    let block = |i: usize| {
        let (low, high) = (64 * i / blocks, 64 * (i + 1) / blocks);
        (low..high).fold(0u64, |mask, bit| mask | 1 << bit)
    };
    let mut found = vec![(0u64, 0usize)];
    for taken in 0..chosen {
        // Leaves room for the blocks still to be chosen.
        let last = blocks - (chosen - taken);
        found = found
            .iter()
            .flat_map(|&(mask, next)| (next..=last).map(move |i| (mask | block(i), i + 1)))
            .collect();
    }
    found.into_iter().map(|(mask, _)| mask).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::global::keys::{KeyTable, KeysWriter};
    use crate::wasm::Output;

    fn kept(prints: &[u64], partition: usize, distance: u32, memory: usize) -> Vec<bool> {
        let files: Vec<Vec<u8>> = prints
            .chunks(partition)
            .map(|prints| {
                let data = prints
                    .iter()
                    .flat_map(|print| print.to_le_bytes())
                    .collect();
                let mut keys = KeysWriter::new();
                keys.add(
                    prints.len(),
                    Some(Output::Fingerprints {
                        width: 8,
                        per_row: 1,
                        data,
                        valid: None,
                    }),
                    &[],
                )
                .unwrap();
                keys.finish().unwrap()
            })
            .collect();
        let tables = |p: usize| KeyTable::from_bytes(files[p].clone());
        let mut masks: Vec<Mask> = (0..files.len())
            .map(|p| Mask::new(0, tables(p).unwrap().accepted()))
            .collect();
        first_of_near(
            &tables,
            &mut masks,
            distance,
            memory,
            &mut Duplicates::ignored(),
        )
        .unwrap();
        masks
            .iter()
            .flat_map(|mask| (0..mask.rows()).map(|row| mask.is_kept(row)))
            .collect()
    }

    #[test]
    fn choices_are_all_there_are() {
        assert_eq!(choices(6, 2).len(), 15);
        assert_eq!(
            choices(5, 1).iter().fold(0, |all, mask| all ^ mask),
            u64::MAX
        );
        assert_eq!(choices(1, 1), [u64::MAX]);
        assert!(
            choices(6, 2)
                .iter()
                .all(|mask| (20..=22).contains(&mask.count_ones()))
        );
    }

    #[test]
    fn clusters_are_those_that_all_pairs_give_whatever_the_memory() {
        let mut state = 7u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 29
        };
        for distance in [1, 3, 4, 6, 9] {
            let mut prints: Vec<u64> = Vec::new();
            for i in 0..400 {
                let base = if i < 40 {
                    random()
                } else {
                    prints[random() as usize % prints.len()]
                };
                let flips = random() % 12;
                prints.push((0..flips).fold(base, |print, _| print ^ 1 << (random() >> 32 & 63)));
            }
            let mut groups = Joined::all(400);
            for a in 0..400u32 {
                for b in a + 1..400 {
                    if (prints[a as usize] ^ prints[b as usize]).count_ones() <= distance {
                        groups.join_members(a, b);
                    }
                }
            }
            let expected: Vec<bool> = (0..400)
                .map(|i| groups.root_of(i.into()) == Some(i))
                .collect();
            assert!(
                expected.iter().filter(|first| !**first).count() > 20,
                "too few duplicates at {distance}"
            );
            for (partition, memory) in [(400, 1 << 20), (37, 1 << 20), (150, 1000), (400, 1)] {
                assert_eq!(
                    kept(&prints, partition, distance, memory),
                    expected,
                    "{distance} {partition} {memory}"
                );
            }
        }
        assert_eq!(kept(&[], 4, 4, 1 << 20), [false; 0]);
        assert_eq!(
            kept(&[5, 5, 5 ^ 0b1111, 5 ^ 0b11111], 2, 4, 1 << 20),
            [true, false, false, false]
        );
    }

    #[test]
    fn more_numbers_make_larger_keys() {
        assert!(block_count(1000, 4) < block_count(10_000_000, 4));
    }
}
