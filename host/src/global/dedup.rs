//! Finds duplicates by fingerprints over all partitions, in bounded memory: the first row in input
//! order stays.
//!
//! Reads the fingerprints in scans of the key files. A scan takes as many as the memory can hold:
//! several bands if they are small, a part of one, by hash, if it is large. So the number of scans
//! is the size of all fingerprints and their rows, divided by the memory. Each thread of the crew
//! scans some of the files; what they have taken is then looked through bucket by bucket.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Seen;
use std::hash::{BuildHasherDefault, Hasher};

use anyhow::{Context, Result};
use xxhash_rust::xxh3::xxh3_64;

use super::Tables;
use super::buckets::{self, Buckets};
use super::crew::Crew;
use super::duplicates::Duplicates;
use super::joined::Joined;
use super::mask::Mask;

/// A fingerprint as 2 or 4 words of 4 bytes: table entries then need no padding.
pub(crate) type Print<const N: usize> = [u32; N];

/// Hashes fingerprints again, because a hostile operator may have chosen them.
#[derive(Default)]
pub(crate) struct FingerprintHasher(u64);

impl Hasher for FingerprintHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }
    // The number of words is always the same.
    fn write_usize(&mut self, _: usize) {}
}

pub(crate) type Build = BuildHasherDefault<FingerprintHasher>;

/// Bytes per entry of a hash table with entries of `bytes`, including its control byte, at the
/// lowest load (7/16, just after growing).
pub(crate) const fn entry(bytes: usize) -> usize {
    (bytes + 1) * 16 / 7
}

/// The number of passes such that the table of one, for entries of `size` bytes, fits the memory.
pub(crate) fn passes(entries: usize, size: usize, memory: usize) -> u64 {
    entries.saturating_mul(size).div_ceil(memory.max(1)).max(1) as u64
}

/// The pass that a key belongs to, by the middle bits of its hash: tables use the low bits and the
/// highest seven.
pub(crate) fn pass_of(hash: u64, passes: u64) -> u64 {
    if passes == 1 {
        0
    } else {
        ((hash >> 24) & 0xffff_ffff) % passes
    }
}

/// Capacity for one of `passes` tables that share `entries`: somewhat more than the mean, because
/// the spread by hash is not even.
pub(crate) fn room(entries: usize, passes: u64) -> usize {
    let share = entries / passes as usize;
    if passes == 1 {
        share
    } else {
        share + share / 32 + 64
    }
}

pub(crate) fn print<const N: usize>(fingerprint: u128) -> Print<N> {
    std::array::from_fn(|word| (fingerprint >> (32 * word)) as u32)
}

pub(crate) fn in_pass(fingerprint: u128, pass: u64, passes: u64) -> bool {
    passes == 1 || pass_of(xxh3_64(&fingerprint.to_le_bytes()), passes) == pass
}

/// How the fingerprints of a scan are spread: over passes, and those of a pass over buckets.
#[derive(Clone, Copy)]
struct Spread {
    passes: u64,
    buckets: usize,
}

impl Spread {
    /// For `entries` entries of `size` bytes in all.
    fn new(entries: usize, size: usize, memory: usize) -> Self {
        let passes = passes(entries, size, memory);
        Self {
            passes,
            buckets: buckets::count(entries / passes as usize),
        }
    }

    /// The bucket of a fingerprint; None: it belongs to another pass than `pass`.
    fn bucket(self, fingerprint: u128, pass: u64) -> Option<usize> {
        // The table of a bucket uses other bits: the low ones and the highest seven.
        let hash = xxh3_64(&fingerprint.to_le_bytes());
        (pass_of(hash, self.passes) == pass)
            .then(|| ((hash >> 24) & 0xffff_ffff) / self.passes)
            .map(|rest| rest as usize & (self.buckets - 1))
    }
}

/// Takes what `scan(partition, buckets)` puts into `count` buckets, from all partitions: as many sets
/// of buckets as there are threads, in the order of the partitions. `entries` says how many those of
/// some partitions are.
fn scatter<T: Copy + Default + Send>(
    crew: &Crew,
    masks: &[Mask],
    (count, entries): (usize, &(dyn Fn(usize) -> usize + Sync)),
    scan: &(dyn Fn(usize, &mut Buckets<T>) -> Result<()> + Sync),
) -> Result<Vec<Buckets<T>>> {
    let share = masks.len().div_ceil(crew.threads()).max(1);
    crew.map(masks.len().div_ceil(share), |thread| {
        let first = thread * share;
        let mine = first..masks.len().min(first + share);
        let rows = masks[mine.clone()].iter().map(Mask::rows).sum();
        let mut buckets = Buckets::new(count, entries(rows));
        for p in mine {
            scan(p, &mut buckets)?;
        }
        Ok(buckets)
    })
}

/// Buckets that are looked through at a time: what is found in them waits for the next step.
const AT_ONCE: usize = 1024;

/// Calls `see(row, first)` for each row whose fingerprint an earlier one of its bucket has, `first`
/// being the first such one. Returns the bytes of entries and tables.
pub(super) fn each_again<const N: usize, R: Copy + Default + Send + Sync>(
    crew: &Crew,
    sets: &[Buckets<Entry<N, R>>],
    count: usize,
    mut see: impl FnMut(R, R),
) -> Result<usize> {
    let mut table = 0;
    for start in (0..count).step_by(AT_ONCE) {
        let buckets = start..count.min(start + AT_ONCE);
        let share = buckets.len().div_ceil(4 * crew.threads());
        let found = crew.map(buckets.len().div_ceil(share), |part| {
            let first = buckets.start + part * share;
            let (mut seen, mut again) = (HashMap::<Print<N>, R, Build>::default(), Vec::new());
            for bucket in first..buckets.end.min(first + share) {
                seen.clear();
                for Entry { print, row } in sets.iter().flat_map(|set| set.bucket(bucket)) {
                    match seen.entry(print) {
                        Seen::Vacant(place) => drop(place.insert(row)),
                        Seen::Occupied(first) => again.push((row, *first.get())),
                    }
                }
            }
            Ok((again, seen.capacity()))
        })?;
        for (again, capacity) in found {
            table = table.max(capacity);
            again.into_iter().for_each(|(row, first)| see(row, first));
        }
    }
    let entries: usize = sets.iter().map(Buckets::bytes).sum();
    Ok(entries + crew.threads() * table * (size_of::<Entry<N, R>>() + 1) * 8 / 7)
}

/// A fingerprint, and the number of its row or what else tells it: 4 bytes a word, without padding.
#[derive(Clone, Copy)]
pub(super) struct Entry<const N: usize, R> {
    pub(super) print: Print<N>,
    pub(super) row: R,
}

impl<const N: usize, R: Default> Default for Entry<N, R> {
    fn default() -> Self {
        Self {
            print: [0; N],
            row: R::default(),
        }
    }
}

/// One fingerprint of `width` bytes per row: removes each row whose fingerprint occurred before, and
/// adds it to `found`. Returns the bytes of the tables.
pub fn first_of_keys(
    tables: Tables<'_>,
    masks: &mut [Mask],
    width: usize,
    crew: &Crew,
    found: &mut Duplicates,
) -> Result<usize> {
    if width == 8 {
        firsts::<2>(tables, masks, crew, found)
    } else {
        firsts::<4>(tables, masks, crew, found)
    }
}

fn firsts<const N: usize>(
    tables: Tables<'_>,
    masks: &mut [Mask],
    crew: &Crew,
    found: &mut Duplicates,
) -> Result<usize> {
    /// The partition, and the row in it.
    type At = [u32; 2];
    let (starts, _) = numbers(masks);
    let rows: usize = masks.iter().map(Mask::rows).sum();
    let spread = Spread::new(rows, size_of::<Entry<N, At>>(), crew.memory);
    let mut again: Vec<Vec<u32>> = vec![Vec::new(); masks.len()];
    let mut used = 0;
    for pass in 0..spread.passes {
        let all = scatter(
            crew,
            masks,
            (spread.buckets, &|rows| room(rows, spread.passes)),
            &|p, all: &mut Buckets<Entry<N, At>>| {
                tables(p)?.each(0, |row, fingerprint| {
                    if masks[p].is_kept(row as usize)
                        && let Some(bucket) = spread.bucket(fingerprint, pass)
                    {
                        let print = print(fingerprint);
                        let row = [p as u32, row];
                        all.push(bucket, Entry { print, row });
                    }
                })
            },
        )?;
        let bytes = each_again(crew, &all, spread.buckets, |[p, row], [q, first]| {
            again[p as usize].push(row);
            let first = starts[q as usize] + u64::from(first);
            found.add(p as usize, row, first);
        })?;
        used = used.max(bytes);
    }
    for (mask, again) in masks.iter_mut().zip(&again) {
        mask.clear_all(again);
    }
    Ok(used)
}

/// Several fingerprints of `width` bytes per row: rows that share one are in one group,
/// transitively, and the first row of each group stays. Adds the others to `found`. Returns the
/// bytes of the tables.
pub fn first_of_groups(
    tables: Tables<'_>,
    masks: &mut [Mask],
    shape: (usize, usize),
    crew: &Crew,
    found: &mut Duplicates,
) -> Result<usize> {
    let (mut groups, used) = groups_of(tables, masks, shape, crew)?;
    groups.keep_first(masks, &numbers(masks).0, found);
    Ok(used)
}

/// The groups of rows that share a fingerprint, and the bytes of the tables.
pub(crate) fn groups_of(
    tables: Tables<'_>,
    masks: &[Mask],
    (width, per_row): (usize, usize),
    crew: &Crew,
) -> Result<(Joined, usize)> {
    if width == 8 {
        groups::<2>(tables, masks, per_row, crew)
    } else {
        groups::<4>(tables, masks, per_row, crew)
    }
}

/// The number of each partition's first row, and the number of all rows.
pub(crate) fn numbers(masks: &[Mask]) -> (Vec<u64>, u64) {
    let mut total = 0;
    let start = masks.iter().map(|mask| {
        let start = total;
        total += mask.rows() as u64;
        start
    });
    (start.collect(), total)
}

fn groups<const N: usize>(
    tables: Tables<'_>,
    masks: &[Mask],
    per_row: usize,
    crew: &Crew,
) -> Result<(Joined, usize)> {
    let (start, total) = numbers(masks);
    let mut groups =
        Joined::all(u32::try_from(total).context("internal error: too many rows for one table")?);
    let rows = total as usize;
    let size = size_of::<Entry<N, u32>>();
    let at_once = (crew.memory / (rows * size).max(1)).clamp(1, per_row);
    let spread = Spread::new(rows, size, crew.memory);
    let mut used = 0;
    for first_band in (0..per_row).step_by(at_once) {
        let bands = first_band..per_row.min(first_band + at_once);
        let count = bands.len() * spread.buckets;
        for pass in 0..spread.passes {
            let all = scatter(
                crew,
                masks,
                (count, &|rows| room(rows, spread.passes) * bands.len()),
                &|p, all: &mut Buckets<Entry<N, u32>>| {
                    let keys = tables(p)?;
                    for (i, band) in bands.clone().enumerate() {
                        keys.each(band, |row, fingerprint| {
                            if masks[p].is_kept(row as usize)
                                && let Some(bucket) = spread.bucket(fingerprint, pass)
                            {
                                let print = print(fingerprint);
                                let row = (start[p] + u64::from(row)) as u32;
                                all.push(i * spread.buckets + bucket, Entry { print, row });
                            }
                        })?;
                    }
                    Ok(())
                },
            )?;
            let bytes = each_again(crew, &all, count, |row, first| {
                groups.join_members(first, row)
            })?;
            used = used.max(bytes);
        }
    }
    let used = used + groups.len() * 4;
    Ok((groups, used))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::global::keys::{KeyTable, KeysWriter};
    use crate::wasm::Output;

    /// The rows that stay of each partition of rows with these fingerprints, and what stands for the
    /// others.
    type Found = (Vec<Vec<usize>>, Vec<Vec<(u32, u64)>>);

    fn kept(partitions: &[&[&[u64]]], memory: usize) -> Found {
        let per_row = partitions
            .iter()
            .flat_map(|p| p.iter())
            .map(|r| r.len())
            .next()
            .unwrap();
        let files: Vec<Vec<u8>> = partitions
            .iter()
            .map(|rows| {
                let data = rows
                    .iter()
                    .flat_map(|r| r.iter().flat_map(|f| f.to_le_bytes()))
                    .collect();
                let mut keys = KeysWriter::new();
                keys.add(
                    rows.len(),
                    Some(Output::Fingerprints {
                        width: 8,
                        per_row,
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
        let mut found = Duplicates::of(masks.len());
        // Two threads where the memory is an even number.
        let crew = Crew::new(memory, 1 + usize::from(memory.is_multiple_of(2)));
        match per_row {
            1 => first_of_keys(&tables, &mut masks, 8, &crew, &mut found).unwrap(),
            n => first_of_groups(&tables, &mut masks, (8, n), &crew, &mut found).unwrap(),
        };
        (
            masks.iter().map(|m| m.kept().collect()).collect(),
            (0..masks.len()).map(|p| found.take(p)).collect(),
        )
    }

    #[test]
    fn the_first_of_equal_rows_stays_whatever_the_memory() {
        let rows: &[&[&[u64]]] = &[&[&[1], &[2], &[1]], &[&[3], &[2], &[4]], &[&[4], &[5]]];
        for memory in [1, 100, 1 << 20] {
            let (stay, others) = kept(rows, memory);
            assert_eq!(stay, [vec![0, 1], vec![0, 2], vec![1]]);
            assert_eq!(others, [vec![(2, 0)], vec![(1, 1)], vec![(0, 5)]]);
        }
    }

    /// More rows than a bucket takes: the first of equal ones is that which a plain table finds.
    #[test]
    fn the_first_rows_are_the_same_in_any_number_of_buckets() {
        const ROWS: u64 = 30_000;
        let rows: Vec<[u64; 1]> = (0..ROWS).map(|row| [row * row % 9973]).collect();
        let rows: Vec<&[u64]> = rows.iter().map(|row| &row[..]).collect();
        let mut first = HashMap::new();
        let expected: Vec<(u32, u64)> = (0..)
            .zip(&rows)
            .filter_map(|(row, print)| {
                let first = *first.entry(print[0]).or_insert(row);
                (first != row).then_some((row, first.into()))
            })
            .collect();
        let halves = [&rows[..11_000], &rows[11_000..]];
        for memory in [200 << 10, 1 << 20] {
            let (_, others) = kept(&halves, memory);
            let others: Vec<(u32, u64)> = [0, 11_000]
                .into_iter()
                .zip(others)
                .flat_map(|(start, rows)| {
                    rows.into_iter()
                        .map(move |(row, first)| (start + row, first))
                })
                .collect();
            assert_eq!(others, expected);
        }
        // The same as bands: a row is in the group of whichever row has one of its two.
        let bands: Vec<[u64; 2]> = (0..ROWS).map(|row| [row, row / 2 + ROWS]).collect();
        let bands: Vec<&[u64]> = bands.iter().map(|row| &row[..]).collect();
        for memory in [100 << 10, 1 << 20] {
            let (stay, _) = kept(&[&bands], memory);
            assert_eq!(stay[0], (0..ROWS as usize).step_by(2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn groups_are_transitive_over_bands_and_partitions() {
        // 0 ~ 2 by band 0, 2 ~ 3 by band 1, 1 alone; band 0 of row 4 equals band 1 of row 0, which
        // is not a match.
        let rows: &[&[&[u64]]] = &[&[&[1, 10], &[2, 20]], &[&[1, 30], &[4, 30]], &[&[10, 50]]];
        for memory in [1, 200, 1 << 20] {
            let (stay, others) = kept(rows, memory);
            assert_eq!(stay, [vec![0, 1], vec![], vec![0]]);
            assert_eq!(others, [vec![], vec![(0, 0), (1, 0)], vec![]]);
        }
    }
}
