//! The second step: what some sections of all files have in common.

use std::collections::HashMap;
use std::ops::Range;

use anyhow::{Context, Result};

use super::layout::{Layout, Matching};
use super::sections::{Made, Open};
use super::{At, at, number};
use crate::global::buckets::{self, Buckets};
use crate::global::crew::Crew;
use crate::global::dedup::{Build, Entry, each_again, print};
use crate::global::hamming;

/// Looks through `sections` of the files of all groups, which `open` opens in order. Returns a file
/// with the rows that an earlier row equals, each with that row. For groupers it has a section for
/// each group of the row, and one for each group of the earlier row; for counted keys, a section for
/// each group with the keys of its rows that several rows have, each with their number.
pub(crate) fn find(layout: &Layout, sections: Range<usize>, open: Open<'_>) -> Result<Vec<u8>> {
    match (layout.matching, layout.width) {
        (Matching::Near { distance, .. }, _) => near(layout, sections, distance, open),
        (Matching::Counted, _) => counted(layout, sections, open),
        (_, 8) => equal::<2>(layout, sections, open),
        _ => equal::<4>(layout, sections, open),
    }
}

/// Calls `see(section, entry)` for the entries of all files, those of a section in the order of rows.
fn each_entry(
    layout: &Layout,
    sections: &Range<usize>,
    open: Open<'_>,
    mut see: impl FnMut(usize, &[u8]),
) -> Result<()> {
    for group in 0..layout.groups() {
        let (ends, bytes) = open(group)?.read(sections.clone())?;
        let mut start = 0;
        for (section, end) in ends.into_iter().enumerate() {
            let entries = bytes[start..end].chunks_exact(layout.entry());
            entries.for_each(|entry| see(section, entry));
            start = end;
        }
    }
    Ok(())
}

/// The entries of some sections in buckets, of which there are as many for each.
fn in_buckets<const N: usize>(
    layout: &Layout,
    sections: &Range<usize>,
    open: Open<'_>,
) -> Result<(Buckets<Entry<N, At>>, usize)> {
    let entries = layout.entries_of(sections.len());
    let each = buckets::count(entries / sections.len());
    let mut all = Buckets::new(each * sections.len(), entries);
    each_entry(layout, sections, open, |section, entry| {
        let (fingerprint, row) = (number(&entry[..layout.width]), at(&entry[layout.width..]));
        let bucket = layout.bucket(fingerprint, each);
        let print = print(fingerprint);
        all.push(section * each + bucket, Entry { print, row });
    })?;
    Ok((all, each * sections.len()))
}

fn equal<const N: usize>(
    layout: &Layout,
    sections: Range<usize>,
    open: Open<'_>,
) -> Result<Vec<u8>> {
    let (all, count) = in_buckets::<N>(layout, &sections, open)?;
    let mut pairs = Vec::new();
    each_again(&Crew::new(0, 1), &[all], count, |row, first| {
        pairs.push([row, first]);
    })?;
    Ok(file_of_pairs(layout, pairs))
}

fn near(layout: &Layout, sections: Range<usize>, distance: u32, open: Open<'_>) -> Result<Vec<u8>> {
    let masks = layout.masks();
    let mut all: Vec<Vec<(u64, At)>> = vec![Vec::new(); sections.len()];
    each_entry(layout, &sections, open, |section, entry| {
        all[section].push((number(&entry[..8]) as u64, at(&entry[8..])));
    })?;
    let mut pairs = Vec::new();
    for (section, mut entries) in sections.zip(all) {
        let choice = section / layout.parts();
        let mask = masks[choice] as u64;
        hamming::each_pair(&mut entries, mask, distance, |one, other, is_equal| {
            // Equal ones meet in each choice.
            if is_equal && choice > 0 {
                return;
            }
            pairs.push(match one < other {
                true => [other, one],
                false => [one, other],
            });
        });
    }
    Ok(file_of_pairs(layout, pairs))
}

/// All pairs; for groupers a section for each group of the row, then one for each group of the row
/// before it.
fn file_of_pairs(layout: &Layout, mut pairs: Vec<[At; 2]>) -> Vec<u8> {
    let groups = layout.groups();
    let sections = |[row, first]: &[At; 2]| match layout.matching {
        Matching::Grouped => [
            Some(layout.group_of(row[0])),
            Some(groups + layout.group_of(first[0])),
        ],
        _ => [Some(0), None],
    };
    let mut sizes = vec![0; layout.found_sections()];
    for section in pairs.iter().flat_map(sections).flatten() {
        sizes[section] += PAIR;
    }
    let mut made = Made::new(sizes);
    pairs.sort_unstable();
    for pair in pairs {
        let mut bytes = [0; PAIR];
        for (word, to) in pair.iter().flatten().zip(bytes.chunks_exact_mut(4)) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        for section in sections(&pair).into_iter().flatten() {
            made.push(section, &bytes);
        }
    }
    made.finish()
}

/// Bytes of a row, and the earlier one that it equals.
const PAIR: usize = 16;

/// The rows and the earlier ones of a section of [`find`]'s file.
pub(super) fn pairs(bytes: &[u8]) -> impl Iterator<Item = [At; 2]> + '_ {
    bytes
        .chunks_exact(PAIR)
        .map(|pair| [at(&pair[..8]), at(&pair[8..])])
}

/// Key → the row that was counted last, and the number of rows.
type Rows = HashMap<[u32; 2], (At, u64), Build>;

fn counted(layout: &Layout, sections: Range<usize>, open: Open<'_>) -> Result<Vec<u8>> {
    let (all, count) = in_buckets::<2>(layout, &sections, open)?;
    let mut found: Vec<Vec<u8>> = vec![Vec::new(); layout.groups()];
    let mut rows = Rows::default();
    for bucket in 0..count {
        rows.clear();
        for Entry { print, row } in all.bucket(bucket) {
            // A row counts once, however often it has the key.
            let (last, number) = rows.entry(print).or_insert((row, 1));
            if *last != row {
                (*last, *number) = (row, *number + 1);
            }
        }
        // Again, for the groups that are told of a key: each once.
        for Entry { print, row } in all.bucket(bucket) {
            let Some((last, number)) = rows.get_mut(&print) else {
                continue;
            };
            let group = layout.group_of(row[0]);
            // The last row has been seen, so its place is free for the group that was told last.
            if *number > 1 && *last != [u32::MAX, group as u32] {
                *last = [u32::MAX, group as u32];
                let number = u32::try_from(*number).context(
                    "more than 2^32 rows have one key in common: they cannot be counted",
                )?;
                let to = &mut found[group];
                print.iter().for_each(|word| to.extend(word.to_le_bytes()));
                to.extend(number.to_le_bytes());
            }
        }
    }
    let mut made = Made::new(found.iter().map(Vec::len).collect());
    found
        .iter()
        .enumerate()
        .for_each(|(group, bytes)| made.push(group, bytes));
    Ok(made.finish())
}

/// The keys of a section of [`find`]'s file that several rows have, with the number of the rows.
pub(super) fn counts(bytes: &[u8]) -> impl Iterator<Item = (u64, u32)> + '_ {
    bytes
        .chunks_exact(12)
        .map(|entry| (number(&entry[..8]) as u64, number(&entry[8..]) as u32))
}
