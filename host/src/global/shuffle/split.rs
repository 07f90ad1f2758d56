//! The first step: the keys of a group of partitions, by section.

use anyhow::{Result, ensure};
use arrow::buffer::BooleanBuffer;

use super::layout::{Layout, Matching};
use super::sections::Made;
use crate::global::Tables;
use crate::global::keys::KeyTable;

/// Returns the file of a group: its entries by section, and in the last section which rows of each
/// partition take part.
pub(crate) fn split(layout: &Layout, group: usize, tables: Tables<'_>) -> Result<Vec<u8>> {
    let partitions = layout.partitions(group);
    let mut sizes = vec![0; layout.sections() + 1];
    // The section of each entry, so that no hash is made twice.
    let mut sections: Vec<u32> = Vec::new();
    let mut taking_part = Vec::new();
    for p in partitions.clone() {
        let table = tables(p)?;
        let accepted = accepted(layout, &table)?;
        each(layout, &table, &accepted, |band, _, masked, _| {
            let section = layout.section(band, masked);
            sizes[section] += layout.entry();
            sections.push(section as u32);
        })?;
        taking_part.extend_from_slice(&(accepted.len() as u64).to_le_bytes());
        let bytes = accepted.len().div_ceil(8);
        taking_part.extend_from_slice(&accepted.sliced().as_slice()[..bytes]);
    }
    sizes[layout.sections()] = taking_part.len();
    let mut made = Made::new(sizes);
    made.push(layout.sections(), &taking_part);
    let mut sections = sections.into_iter();
    let mut entry = vec![0; layout.entry()];
    for p in partitions {
        let table = tables(p)?;
        let accepted = accepted(layout, &table)?;
        each(layout, &table, &accepted, |_, row, _, print| {
            let (key, place) = entry.split_at_mut(layout.width);
            key.copy_from_slice(&print.to_le_bytes()[..layout.width]);
            place[..4].copy_from_slice(&(p as u32).to_le_bytes());
            place[4..].copy_from_slice(&row.to_le_bytes());
            if let Some(section) = sections.next() {
                made.push(section as usize, &entry);
            }
        })?;
    }
    Ok(made.finish())
}

/// Which rows take part. Fails if they have other fingerprints than those of other partitions.
fn accepted(layout: &Layout, table: &KeyTable) -> Result<BooleanBuffer> {
    if layout.matching != Matching::Counted
        && let Some((width, _)) = table.shape()
    {
        ensure!(
            width == layout.width,
            "its fingerprints have different shapes for different partitions"
        );
    }
    Ok(table.accepted())
}

/// Calls `each(band, row, masked, print)` for each entry: what is compared of a fingerprint, and all
/// of it.
fn each(
    layout: &Layout,
    table: &KeyTable,
    accepted: &BooleanBuffer,
    mut each: impl FnMut(usize, u32, u128, u128),
) -> Result<()> {
    if layout.matching == Matching::Counted {
        return table.each_list(|row, hashes| {
            if accepted.value(row as usize) {
                // No key has this hash.
                let hashes = hashes.iter().filter(|hash| **hash != 0);
                hashes.for_each(|hash| each(0, row, u128::from(*hash), u128::from(*hash)));
            }
        });
    }
    for (band, mask) in layout.masks().into_iter().enumerate() {
        let number = match layout.matching {
            Matching::Near { .. } => 0,
            _ => band,
        };
        table.each(number, |row, print| {
            if accepted.value(row as usize) {
                each(band, row, print & mask, print);
            }
        })?;
    }
    Ok(())
}
