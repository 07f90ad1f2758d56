//! Finds rows of the dataset with the same key, in bounded memory. A group takes the place of its
//! first row, the leader.
//!
//! As for duplicates, each scan of the keys covers those whose table fits the memory. It writes the
//! leader of each row to a file per partition. Then ranges of leaders with as many rows as fit are
//! collected, each in one scan of these files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::Tables;
use super::dedup::{Build, Print, entry, in_pass, passes, print, room};
use super::mask::{Mask, take_number};
use crate::rundir::varint::{put, take};

/// Leaders are counted in blocks of this many rows.
const PIECE: u32 = 4096;
/// The leader of a rejected row.
const NONE: u32 = u32::MAX;

/// The groups of one partition: those whose leader is one of its rows.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Groups {
    /// Number of groups.
    pub count: u64,
    /// For each group the number of its rows, then each row as its distance from the previous one,
    /// as `varint`s. Rows are numbered from 0 over all partitions.
    bytes: Vec<u8>,
}

impl Groups {
    pub(super) fn push(&mut self, rows: impl ExactSizeIterator<Item = u64>) {
        self.count += 1;
        put(rows.len() as u64, &mut self.bytes);
        let mut before = 0;
        for row in rows {
            put(row - before, &mut self.bytes);
            before = row;
        }
    }

    /// The bytes of the file.
    pub(crate) fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads the groups of a file. Calls `each` with an iterator over the rows of each group, which
    /// it must exhaust.
    pub(crate) fn each(
        mut bytes: &[u8],
        mut each: impl FnMut(&mut dyn ExactSizeIterator<Item = Result<u64>>) -> Result<()>,
    ) -> Result<()> {
        while !bytes.is_empty() {
            let mut members = Members {
                left: take_number(&mut bytes)?,
                row: 0,
                bytes: &mut bytes,
            };
            each(&mut members)?;
            ensure!(
                members.left == 0,
                "internal error: {} rows of a group were passed over",
                members.left
            );
        }
        Ok(())
    }
}

struct Members<'a, 'b> {
    left: u32,
    row: u64,
    bytes: &'a mut &'b [u8],
}

impl Iterator for Members<'_, '_> {
    type Item = Result<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let step = take(self.bytes).context("groups end too early");
        Some(step.and_then(|step| {
            self.row = self
                .row
                .checked_add(step)
                .context("a row of a group is too large a number")?;
            Ok(self.row)
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Members<'_, '_> {}

/// Calls a function with the rows of a partition that follow a leader, and the leader.
pub(crate) type EachMember<'a> = &'a mut dyn FnMut(&mut dyn FnMut(u32, u64)) -> Result<()>;

fn each_member(file: &mut File, start: u32, see: &mut dyn FnMut(u32, u64)) -> Result<()> {
    each_leader(file, |row, leader| {
        if leader != start + row {
            see(row, leader.into());
        }
    })
}

/// Groups the rows of all partitions; `accepted` says which of them have a key. Calls
/// `each(partition, groups, members)` for all partitions in order. Returns the bytes of the tables.
pub(crate) fn group(
    tables: Tables<'_>,
    accepted: &[Mask],
    memory: usize,
    scratch: &Path,
    mut each: impl FnMut(usize, Groups, EachMember<'_>) -> Result<()>,
) -> Result<usize> {
    let mut starts = vec![0u32];
    for mask in accepted {
        let end = u32::try_from(mask.rows())
            .ok()
            .and_then(|rows| starts[starts.len() - 1].checked_add(rows));
        starts.push(
            end.filter(|end| *end < NONE)
                .context("internal error: too many rows for one table")?,
        );
    }
    let (mut leaders, mut used) = leaders(tables, accepted, &starts, memory, scratch)?;
    let rows = starts[accepted.len()];
    // How many rows the leaders of each block have.
    let mut sizes = vec![0u64; (rows / PIECE + 1) as usize];
    for file in &mut leaders {
        each_leader(file, |_, leader| sizes[(leader / PIECE) as usize] += 1)?;
    }
    let (mut partition, mut groups, mut piece) = (0, Groups::default(), 0);
    while piece < sizes.len() {
        let first = piece;
        let mut members = 0;
        while piece < sizes.len()
            && (piece == first || (members + sizes[piece]) * 8 <= memory as u64)
        {
            members += sizes[piece];
            piece += 1;
        }
        let range = first as u32 * PIECE..(piece as u32).saturating_mul(PIECE);
        let mut pairs: Vec<u64> = Vec::with_capacity(members as usize);
        // No member comes before its leader.
        let from = starts
            .partition_point(|start| *start <= range.start)
            .saturating_sub(1)
            .min(leaders.len());
        for (file, start) in leaders[from..].iter_mut().zip(&starts[from..]) {
            each_leader(file, |row, leader| {
                if range.contains(&leader) {
                    pairs.push(u64::from(leader) << 32 | u64::from(start + row));
                }
            })?;
        }
        pairs.sort_unstable();
        used = used.max(pairs.len() * 8);
        for group in pairs.chunk_by(|a, b| a >> 32 == b >> 32) {
            while (group[0] >> 32) as u32 >= starts[partition + 1] {
                let start = starts[partition];
                each(partition, std::mem::take(&mut groups), &mut |see| {
                    each_member(&mut leaders[partition], start, see)
                })?;
                partition += 1;
            }
            groups.push(group.iter().map(|pair| u64::from(*pair as u32)));
        }
    }
    for partition in partition..accepted.len() {
        let start = starts[partition];
        each(partition, std::mem::take(&mut groups), &mut |see| {
            each_member(&mut leaders[partition], start, see)
        })?;
    }
    Ok(used)
}

/// Makes an unnamed file for each partition with the leader of each row, in four bytes.
fn leaders(
    tables: Tables<'_>,
    accepted: &[Mask],
    starts: &[u32],
    memory: usize,
    scratch: &Path,
) -> Result<(Vec<File>, usize)> {
    let rows: usize = accepted.iter().map(Mask::rows).sum();
    let passes = passes(rows, entry(20), memory);
    let mut files: Vec<File> = Vec::with_capacity(accepted.len());
    let mut used = 0;
    for pass in 0..passes {
        let mut first: HashMap<Print<4>, u32, Build> =
            HashMap::with_capacity_and_hasher(room(rows, passes).min(1 << 20), Build::default());
        for (p, mask) in accepted.iter().enumerate() {
            let mut found = vec![NONE; mask.rows()];
            if pass > 0 {
                each_leader(&mut files[p], |row, leader| found[row as usize] = leader)?;
            }
            tables(p)?.each(0, |row, key| {
                if in_pass(key, pass, passes) && mask.is_kept(row as usize) {
                    found[row as usize] = *first.entry(print(key)).or_insert(starts[p] + row);
                }
            })?;
            if pass == 0 {
                files.push(
                    tempfile::tempfile_in(scratch)
                        .with_context(|| format!("cannot write to `{}`", scratch.display()))?,
                );
            }
            write(&mut files[p], &found)
                .with_context(|| format!("cannot write to `{}`", scratch.display()))?;
        }
        used = used.max(first.capacity() * (20 + 1) * 8 / 7);
    }
    Ok((files, used))
}

fn write(file: &mut File, leaders: &[u32]) -> std::io::Result<()> {
    file.rewind()?;
    let mut out = BufWriter::with_capacity(256 << 10, file);
    leaders
        .iter()
        .try_for_each(|leader| out.write_all(&leader.to_le_bytes()))?;
    out.flush()
}

/// Calls `each(row, leader)` for the rows with a leader.
fn each_leader(file: &mut File, mut each: impl FnMut(u32, u32)) -> Result<()> {
    file.rewind()?;
    let mut from = BufReader::with_capacity(256 << 10, file);
    let mut word = [0; 4];
    let mut row = 0;
    loop {
        match from.read_exact(&mut word) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error).context("cannot read a temporary file"),
        }
        let leader = u32::from_le_bytes(word);
        if leader != NONE {
            each(row, leader);
        }
        row += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::global::keys::{KeyTable, KeysWriter};
    use crate::wasm::Output;

    /// Groups by partition, each as its rows, from keys by partition; None = rejected.
    fn grouped(partitions: &[Vec<Option<u32>>], memory: usize) -> Vec<Vec<Vec<u64>>> {
        let files: Vec<Vec<u8>> = partitions
            .iter()
            .map(|keys| {
                let mut writer = KeysWriter::new();
                let data = keys
                    .iter()
                    .flat_map(|key| u128::from(key.unwrap_or(0)).to_le_bytes())
                    .collect();
                let rejected: Vec<usize> =
                    (0..keys.len()).filter(|row| keys[*row].is_none()).collect();
                if !keys.is_empty() {
                    writer
                        .add(
                            keys.len(),
                            Some(Output::Fingerprints {
                                width: 16,
                                per_row: 1,
                                data,
                                valid: None,
                            }),
                            &rejected,
                        )
                        .unwrap();
                }
                writer.finish().unwrap()
            })
            .collect();
        let tables = |p: usize| KeyTable::from_bytes(files[p].clone());
        let accepted: Vec<Mask> = (0..files.len())
            .map(|p| Mask::new(0, tables(p).unwrap().accepted()))
            .collect();
        let mut found = Vec::new();
        let dir = tempfile::tempdir().unwrap();
        group(
            &tables,
            &accepted,
            memory,
            dir.path(),
            |partition, groups, members| {
                assert_eq!(partition, found.len());
                let mut others = 0;
                members(&mut |row, leader| {
                    assert!(
                        accepted[partition].is_kept(row as usize) && leader < u64::from(u32::MAX)
                    );
                    others += 1;
                })?;
                assert_eq!(others + groups.count, accepted[partition].count() as u64);
                let mut here = Vec::new();
                Groups::each(groups.to_bytes(), |rows| {
                    here.push(rows.collect::<Result<Vec<u64>>>()?);
                    Ok(())
                })?;
                assert_eq!(here.len() as u64, groups.count);
                found.push(here);
                Ok(())
            },
        )
        .unwrap();
        found
    }

    #[test]
    fn a_group_is_where_its_first_row_is() {
        let partitions = [
            vec![Some(1), Some(2), None, Some(1)],
            vec![],
            vec![Some(3), Some(2), Some(3), None],
            vec![Some(1)],
        ];
        let expected = vec![
            vec![vec![0, 3, 8], vec![1, 5]],
            vec![],
            vec![vec![4, 6]],
            vec![],
        ];
        for memory in [1, 100, 1 << 20] {
            assert_eq!(grouped(&partitions, memory), expected, "{memory}");
        }
        assert_eq!(
            grouped(&[vec![], vec![]], 100),
            [Vec::<Vec<u64>>::new(), vec![]]
        );
    }

    #[test]
    fn little_memory_gives_the_same_groups() {
        let partitions: Vec<Vec<Option<u32>>> = (0..5u32)
            .map(|p| {
                (0..3000u32)
                    .map(|row| (row % 97 != 0).then_some((row * 7 + p) % 5000 / (1 + row % 3)))
                    .collect()
            })
            .collect();
        let expected = grouped(&partitions, 1 << 30);
        assert!(expected.iter().all(|groups| !groups.is_empty()));
        for memory in [1 << 10, 20_000, 100_000] {
            assert_eq!(grouped(&partitions, memory), expected, "{memory}");
        }
    }
}
