//! Finding duplicates by fingerprints over all partitions, in bounded memory: the first row in input order stays.
//!
//! Fingerprints are looked at in passes. A pass takes those that fall to it by their hash, so that its table fits the memory; the key
//! files are read once per pass.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use anyhow::{Context, Result};
use xxhash_rust::xxh3::xxh3_64;

use super::{Mask, Tables};

/// Bytes per entry in a hash table of fingerprints: 16 + 8, at the lowest load after growing (7/16), and its control byte.
const ENTRY: usize = 56;

/// Fingerprints come from an operator, which may be anybody's: they are hashed again.
#[derive(Default)]
struct FingerprintHasher(u64);

impl Hasher for FingerprintHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }
}

type Build = BuildHasherDefault<FingerprintHasher>;

fn passes(masks: &[Mask], memory: usize) -> u64 {
    let rows: usize = masks.iter().map(Mask::rows).sum();
    (rows.saturating_mul(ENTRY)).div_ceil(memory.max(1)).max(1) as u64
}

/// The pass that a fingerprint belongs to. High bits of its hash: the tables use the low ones.
fn pass_of(fingerprint: u128, passes: u64) -> u64 {
    if passes == 1 { 0 } else { (xxh3_64(&fingerprint.to_le_bytes()) >> 32) % passes }
}

/// One fingerprint per row: a row whose fingerprint came before is taken away.
pub fn first_of_keys(tables: Tables<'_>, masks: &mut [Mask], memory: usize) -> Result<()> {
    let passes = passes(masks, memory);
    for pass in 0..passes {
        let mut seen: HashSet<u128, Build> = HashSet::default();
        for (p, mask) in masks.iter_mut().enumerate() {
            let mut again = Vec::new();
            tables(p)?.each(0, |row, fingerprint| {
                if pass_of(fingerprint, passes) == pass && mask.is_kept(row as usize) && !seen.insert(fingerprint) {
                    again.push(row);
                }
            })?;
            mask.clear_all(&again);
        }
    }
    Ok(())
}

/// Several fingerprints per row: rows that share one are in one group, transitively; of each group the first row stays.
pub fn first_of_groups(tables: Tables<'_>, masks: &mut [Mask], per_row: usize, memory: usize) -> Result<()> {
    let mut start = Vec::with_capacity(masks.len());
    let mut total = 0u64;
    for mask in masks.iter() {
        start.push(total);
        total += mask.rows() as u64;
    }
    let mut groups = Groups::new(u32::try_from(total).context("more than 2^32 rows cannot be grouped")?);
    let passes = passes(masks, memory);
    for band in 0..per_row {
        for pass in 0..passes {
            let mut first: HashMap<u128, u32, Build> = HashMap::default();
            for (p, mask) in masks.iter().enumerate() {
                tables(p)?.each(band, |row, fingerprint| {
                    if pass_of(fingerprint, passes) == pass && mask.is_kept(row as usize) {
                        let id = (start[p] + u64::from(row)) as u32;
                        groups.join(*first.entry(fingerprint).or_insert(id), id);
                    }
                })?;
            }
        }
    }
    for (p, mask) in masks.iter_mut().enumerate() {
        let again: Vec<u32> = mask
            .kept()
            .map(|row| row as u32)
            .filter(|row| groups.root((start[p] + u64::from(*row)) as u32) != (start[p] + u64::from(*row)) as u32)
            .collect();
        mask.clear_all(&again);
    }
    Ok(())
}

/// Union-find whose roots are the smallest members.
struct Groups {
    parent: Vec<u32>,
}

impl Groups {
    fn new(n: u32) -> Self {
        Self { parent: (0..n).collect() }
    }

    fn root(&mut self, mut x: u32) -> u32 {
        while self.parent[x as usize] != x {
            // Halving the path on the way keeps later walks short.
            self.parent[x as usize] = self.parent[self.parent[x as usize] as usize];
            x = self.parent[x as usize];
        }
        x
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        let (small, large) = if a < b { (a, b) } else { (b, a) };
        self.parent[large as usize] = small;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::global::{KeyTable, KeysWriter};
    use crate::op::Output;

    /// Partitions of rows, each with its fingerprints.
    fn kept(partitions: &[&[&[u64]]], memory: usize) -> Vec<Vec<usize>> {
        let per_row = partitions.iter().flat_map(|p| p.iter()).map(|r| r.len()).next().unwrap();
        let files: Vec<Vec<u8>> = partitions
            .iter()
            .map(|rows| {
                let data = rows.iter().flat_map(|r| r.iter().flat_map(|f| f.to_le_bytes())).collect();
                let mut keys = KeysWriter::new();
                keys.add(rows.len(), Some(Output::Fingerprints { width: 8, per_row, data, valid: None }), &[]).unwrap();
                keys.finish().unwrap()
            })
            .collect();
        let tables = |p: usize| KeyTable::from_bytes(&files[p]);
        let mut masks: Vec<Mask> = (0..files.len()).map(|p| Mask::new(0, tables(p).unwrap().accepted())).collect();
        match per_row {
            1 => first_of_keys(&tables, &mut masks, memory).unwrap(),
            n => first_of_groups(&tables, &mut masks, n, memory).unwrap(),
        }
        masks.iter().map(|m| m.kept().collect()).collect()
    }

    #[test]
    fn the_first_of_equal_rows_stays_whatever_the_memory() {
        let rows: &[&[&[u64]]] = &[&[&[1], &[2], &[1]], &[&[3], &[2], &[4]], &[&[4], &[5]]];
        for memory in [1, 100, 1 << 20] {
            assert_eq!(kept(rows, memory), [vec![0, 1], vec![0, 2], vec![1]]);
        }
    }

    #[test]
    fn groups_are_transitive_over_bands_and_partitions() {
        // 0 ~ 2 by band 0, 2 ~ 3 by band 1, 1 alone; band 0 of row 4 equals band 1 of row 0, which is no match.
        let rows: &[&[&[u64]]] = &[&[&[1, 10], &[2, 20]], &[&[1, 30], &[4, 30]], &[&[10, 50]]];
        for memory in [1, 1 << 20] {
            assert_eq!(kept(rows, memory), [vec![0, 1], vec![], vec![0]]);
        }
    }
}
