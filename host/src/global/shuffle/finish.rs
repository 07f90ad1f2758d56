//! The last step: what was found becomes masks, clusters or groups.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use arrow::array::BooleanBufferBuilder;
use arrow::buffer::{BooleanBuffer, Buffer};

use super::At;
use super::find::{counts, pairs};
use super::layout::Layout;
use super::sections::Open;
use crate::global::Tables;
use crate::global::dedup::numbers;
use crate::global::duplicates::Duplicates;
use crate::global::groups::{EachMember, Groups};
use crate::global::joined::{Joined, Members};
use crate::global::mask::{Counts, Mask};

/// What both steps before have made.
pub(crate) struct Finish<'a> {
    layout: &'a Layout,
    /// The files of all groups.
    splits: Open<'a>,
    /// The files of all pieces.
    found: Open<'a>,
    pieces: usize,
}

impl<'a> Finish<'a> {
    /// Of files that `splits` and `found` open.
    pub(crate) fn new(layout: &'a Layout, splits: Open<'a>, found: Open<'a>) -> Self {
        Self {
            layout,
            splits,
            found,
            pieces: layout.pieces().len(),
        }
    }

    /// Whether rows have several ways to be equal, so that pairs make clusters.
    pub(crate) fn joins(&self) -> bool {
        self.layout.joins()
    }

    /// The rows of all partitions that take part, as masks of op `op`.
    pub(crate) fn masks(&self, op: usize) -> Result<Vec<Mask>> {
        let mut masks = Vec::new();
        for group in 0..self.layout.groups() {
            let last = self.layout.sections();
            let (_, bytes) = (self.splits)(group)?.read(last..last + 1)?;
            let mut rest = &bytes[..];
            for _ in self.layout.partitions(group) {
                let cut = "a file of sections ends too early";
                let (rows, after) = rest.split_at_checked(8).context(cut)?;
                let rows = super::number(rows) as usize;
                let (bits, after) = after.split_at_checked(rows.div_ceil(8)).context(cut)?;
                rest = after;
                let bits = BooleanBuffer::new(Buffer::from(bits), 0, rows);
                masks.push(Mask::new(op, bits));
            }
            ensure!(rest.is_empty(), "a file of sections has too many rows");
        }
        Ok(masks)
    }

    /// The bytes of section `section` of each piece's file, one after another.
    fn each_section(&self, section: usize, mut see: impl FnMut(&[u8])) -> Result<()> {
        for piece in 0..self.pieces {
            let (_, bytes) = (self.found)(piece)?.read(section..section + 1)?;
            see(&bytes);
        }
        Ok(())
    }

    /// Leaves the first of equal rows, and adds the others to `found`. Returns the bytes of the
    /// tables.
    pub(crate) fn first(&self, masks: &mut [Mask], found: &mut Duplicates) -> Result<usize> {
        let (start, rows) = numbers(masks);
        let mut bits: Vec<BooleanBufferBuilder> = masks.iter().map(Mask::to_builder).collect();
        self.each_section(0, |bytes| {
            for [[p, row], first] in pairs(bytes) {
                bits[p as usize].set_bit(row as usize, false);
                found.add(p as usize, row, number_of(first, &start));
            }
        })?;
        for (mask, mut bits) in masks.iter_mut().zip(bits) {
            mask.set_bits(bits.finish());
        }
        Ok(rows as usize / 8)
    }

    /// The clusters of rows that have a pair.
    pub(crate) fn joined(&self, masks: &[Mask]) -> Result<Joined> {
        let (start, rows) = numbers(masks);
        let mut members = Members::none_of(rows);
        self.each_section(0, |bytes| {
            for row in pairs(bytes).flatten() {
                members.insert(number_of(row, &start));
            }
        })?;
        let mut joined = Joined::of(members)?;
        self.each_section(0, |bytes| {
            for [row, first] in pairs(bytes) {
                joined.join(number_of(first, &start), number_of(row, &start));
            }
        })?;
        Ok(joined)
    }

    /// Fills each mask with the counts of its rows' keys. Returns the bytes of the tables.
    pub(crate) fn counted(&self, masks: &mut [Mask], tables: Tables<'_>) -> Result<usize> {
        let mut used = 0;
        for group in 0..self.layout.groups() {
            let mut several: HashMap<u64, u32> = HashMap::new();
            self.each_section(group, |bytes| several.extend(counts(bytes)))?;
            used = used.max(several.capacity() * 14);
            for p in self.layout.partitions(group) {
                let mask = &mut masks[p];
                let (mut lens, mut values) = (Vec::with_capacity(mask.rows()), Vec::new());
                tables(p)?.each_list(|row, list| {
                    let alone = u32::from(mask.is_kept(row as usize));
                    lens.push(list.len() as u32);
                    values.extend(list.iter().map(|hash| match hash {
                        0 => 0,
                        hash => several.get(hash).copied().unwrap_or(alone),
                    }));
                })?;
                mask.counts = Some(Counts::new(&lens, values));
            }
        }
        Ok(used)
    }

    /// Calls `each` with the groups that begin in each partition, in order; `accepted` says which
    /// rows have a key. Returns the bytes of the tables.
    pub(crate) fn grouped(
        &self,
        accepted: &[Mask],
        mut each: impl FnMut(usize, Groups, EachMember<'_>) -> Result<()>,
    ) -> Result<usize> {
        let (start, _) = numbers(accepted);
        let (groups, mut used) = (self.layout.groups(), 0);
        for group in 0..groups {
            // Rows of these partitions that follow an earlier one, and rows that follow one of these.
            let (mut follow, mut followers) = (Vec::new(), Vec::new());
            self.each_section(group, |bytes| follow.extend(pairs(bytes)))?;
            self.each_section(groups + group, |bytes| {
                followers.extend(pairs(bytes).map(|[row, first]| [first, row]));
            })?;
            follow.sort_unstable();
            followers.sort_unstable();
            used = used.max((follow.capacity() + followers.capacity()) * size_of::<[At; 2]>());
            let (mut follow, mut followers) = (&follow[..], &followers[..]);
            for p in self.layout.partitions(group) {
                let mine = take(&mut follow, |[row, _]| row[0] as usize == p);
                let mut groups = Groups::default();
                let mut later = mine.iter().map(|[row, _]| row[1] as usize).peekable();
                for row in accepted[p].kept() {
                    if later.next_if_eq(&row).is_some() {
                        continue;
                    }
                    let leader = [p as u32, row as u32];
                    let others = take(&mut followers, |[first, _]| *first == leader);
                    let others: Vec<u64> = std::iter::once(leader)
                        .chain(others.iter().map(|[_, row]| *row))
                        .map(|row| number_of(row, &start))
                        .collect();
                    groups.push(others.into_iter());
                }
                each(p, groups, &mut |see| {
                    mine.iter()
                        .for_each(|[row, first]| see(row[1], number_of(*first, &start)));
                    Ok(())
                })?;
            }
        }
        Ok(used)
    }
}

/// Takes the first ones for which `is` holds.
fn take<'t>(all: &mut &'t [[At; 2]], is: impl Fn(&[At; 2]) -> bool) -> &'t [[At; 2]] {
    let end = all.iter().position(|pair| !is(pair)).unwrap_or(all.len());
    let (taken, rest) = all.split_at(end);
    *all = rest;
    taken
}

/// The number of a row in the dataset.
fn number_of([partition, row]: At, start: &[u64]) -> u64 {
    start[partition as usize] + u64::from(row)
}
