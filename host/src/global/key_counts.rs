//! Counts, for each key of each row, the rows of the dataset that have it, in bounded memory.
//!
//! As for duplicates, each scan of the key files covers the keys whose table fits the memory. If
//! there are several scans, counts so far wait in a file per partition.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

use anyhow::{Context, Result};

use super::Tables;
use super::dedup::{Build, entry, pass_of, passes, room};
use super::mask::{Counts, Mask};

/// Key → number of rows, and the row counted last: a row counts once, however often it has the key.
type Seen = HashMap<[u32; 2], (u32, u32), Build>;
const ENTRY: usize = entry(16);

fn words(hash: u64) -> [u32; 2] {
    [hash as u32, (hash >> 32) as u32]
}

/// Fills each mask with the counts of its rows' keys. Compares hashes, not keys: among 10^9
/// different keys about one in 10^10 is mistaken for another. Files that do not fit the memory go
/// to `scratch`. Returns the bytes of the table.
pub fn count_keys(
    tables: Tables<'_>,
    masks: &mut [Mask],
    memory: usize,
    scratch: &Path,
) -> Result<usize> {
    let mut keys = 0;
    let mut rows = 0u64;
    for (p, mask) in masks.iter().enumerate() {
        tables(p)?.each_list(|_, list| keys += list.len())?;
        rows += mask.rows() as u64;
    }
    u32::try_from(rows).context("internal error: too many rows for one table")?;
    let passes = passes(keys, ENTRY, memory);
    let mut found: Vec<Option<File>> = masks.iter().map(|_| None).collect();
    let mut used = 0;
    for pass in 0..passes {
        let is_here = |hash: u64| hash != 0 && pass_of(hash, passes) == pass;
        let mut seen =
            Seen::with_capacity_and_hasher(room(keys, passes).min(1 << 20), Build::default());
        let mut start = 0u32;
        for (p, mask) in masks.iter().enumerate() {
            tables(p)?.each_list(|row, list| {
                let id = start + row + 1;
                for hash in list
                    .iter()
                    .copied()
                    .filter(|hash| is_here(*hash) && mask.is_kept(row as usize))
                {
                    let (rows, last) = seen.entry(words(hash)).or_default();
                    if *last != id {
                        (*rows, *last) = (*rows + 1, id);
                    }
                }
            })?;
            start += mask.rows() as u32;
        }
        used = used.max(seen.capacity() * (16 + 1) * 8 / 7);
        for (p, mask) in masks.iter_mut().enumerate() {
            let mut counts = match &mut found[p] {
                Some(file) => read(file)?,
                None => Vec::new(),
            };
            let mut lens = Vec::with_capacity(mask.rows());
            let mut at = 0;
            tables(p)?.each_list(|_, list| {
                lens.push(list.len() as u32);
                for hash in list {
                    if counts.len() == at {
                        counts.push(0);
                    }
                    if is_here(*hash) {
                        counts[at] = seen.get(&words(*hash)).map_or(0, |found| found.0);
                    }
                    at += 1;
                }
            })?;
            if pass + 1 == passes {
                mask.counts = Some(Counts::new(&lens, counts));
            } else {
                write(&mut found[p], &counts, scratch)?;
            }
        }
    }
    Ok(used)
}

fn read(file: &mut File) -> Result<Vec<u32>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)
        .context("cannot read a temporary file")?;
    Ok(bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect())
}

/// Overwrites the file, which has no name and vanishes with the process.
fn write(file: &mut Option<File>, counts: &[u32], scratch: &Path) -> Result<()> {
    let bytes: Vec<u8> = counts
        .iter()
        .flat_map(|count| count.to_le_bytes())
        .collect();
    let open = match file {
        Some(open) => open,
        None => file.insert(
            tempfile::tempfile_in(scratch)
                .with_context(|| format!("cannot write to `{}`", scratch.display()))?,
        ),
    };
    open.rewind()?;
    open.write_all(&bytes)
        .with_context(|| format!("cannot write to `{}`", scratch.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::global::keys::{KeyTable, KeysWriter};
    use crate::wasm::{Output, key_hashes};
    use arrow::array::{ListBuilder, StringBuilder};

    #[test]
    fn a_row_counts_once_whatever_the_memory() {
        let partitions: [&[&[&str]]; 3] = [
            &[&["a", "b", "a"], &[]],
            &[&["b", "", "c"]],
            &[&["a"], &["c", "c"], &["d"]],
        ];
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
        for memory in [1, 100, 1 << 20] {
            let mut masks: Vec<Mask> = (0..3)
                .map(|p| Mask::new(0, tables(p).unwrap().accepted()))
                .collect();
            count_keys(&tables, &mut masks, memory, &std::env::temp_dir()).unwrap();
            let got: Vec<Vec<Vec<u32>>> = masks
                .iter()
                .map(|m| {
                    (0..m.rows())
                        .map(|row| m.counts.as_ref().unwrap().of(row).to_vec())
                        .collect()
                })
                .collect();
            assert_eq!(
                got,
                [
                    vec![vec![2, 2, 2], vec![]],
                    vec![vec![2, 0, 2]],
                    vec![vec![2], vec![2, 2], vec![1]]
                ]
            );
        }
    }
}
