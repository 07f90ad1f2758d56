//! Chooses the row of each cluster of duplicates that stays, and says of the rows that stay which
//! cluster they are and how large it is.

use anyhow::{Context, Result, ensure};

use super::Tables;
use super::duplicates::Duplicates;
use super::joined::Joined;
use super::mask::Mask;
use crate::rundir::varint::{put, take};
use crate::wasm::{Clusters, Keep};

/// The clusters of the rows of a partition that stay, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clustered {
    /// The number of the cluster's first row among the rows of all partitions that came to the op.
    pub ids: Vec<u64>,
    /// The number of its rows.
    pub sizes: Vec<u32>,
}

impl Clustered {
    /// Appends for each row both numbers, as `varint`s.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        for (id, size) in self.ids.iter().zip(&self.sizes) {
            put(*id, bytes);
            put(u64::from(*size), bytes);
        }
    }

    /// Takes those of `rows` rows from what [`write`](Self::write) made.
    pub(crate) fn read(bytes: &mut &[u8], rows: usize) -> Result<Self> {
        let mut number = || take(bytes).context("clusters end too early");
        let mut clustered = Self::default();
        for _ in 0..rows {
            clustered.ids.push(number()?);
            let size = u32::try_from(number()?).context("the size of a cluster is too large")?;
            clustered.sizes.push(size);
        }
        ensure!(bytes.is_empty(), "clusters of more than {rows} rows");
        Ok(clustered)
    }
}

/// What is known of a cluster, at the place of its first row among those that are joined.
struct Choices {
    /// The number of its rows.
    sizes: Vec<u32>,
    /// The place of the row that stays.
    stays: Vec<u32>,
    /// The rank of that row, where rows are ranked.
    ranks: Vec<f64>,
}

/// Leaves of each of `groups` the rows that `wanted` says, and adds the others to `found`, each with
/// the row that stays. `start` has the number of each partition's first row. Returns the bytes of
/// the tables: 8 for each row that is joined, and 8 more where rows are ranked.
pub(crate) fn choose(
    groups: &mut Joined,
    wanted: &Clusters,
    tables: Tables<'_>,
    masks: &mut [Mask],
    start: &[u64],
    found: &mut Duplicates,
) -> Result<usize> {
    let rows = groups.len();
    let ranked = wanted.keep.ranks();
    let mut choices = Choices {
        sizes: vec![0; rows],
        stays: vec![0; rows],
        ranks: vec![0.0; if ranked { rows } else { 0 }],
    };
    for (p, mask) in masks.iter().enumerate() {
        let ranks = match ranked {
            true => tables(p)?.ranks()?,
            false => Vec::new(),
        };
        for row in mask.kept() {
            let id = start[p] + row as u64;
            let Some(member) = groups.index(id) else {
                // It is alone.
                continue;
            };
            let root = groups.root(member) as usize;
            choices.sizes[root] += 1;
            let is_first = choices.sizes[root] == 1;
            // Ties go to the first row, so only a greater rank wins.
            let is_better = match ranked {
                true => is_first || ranks[row] > choices.ranks[root],
                false => is_first || wanted.keep == Keep::Last,
            };
            if is_better {
                choices.stays[root] = member;
                if ranked {
                    choices.ranks[root] = ranks[row];
                }
            }
        }
    }
    for (p, mask) in masks.iter_mut().enumerate() {
        let (mut gone, mut clustered) = (Vec::new(), Clustered::default());
        for row in mask.kept() {
            let id = start[p] + row as u64;
            let (first, size, stays) = match groups.root_of(id) {
                Some(root) => {
                    let (size, stays) =
                        (choices.sizes[root as usize], choices.stays[root as usize]);
                    (groups.row(root), size, groups.row(stays))
                }
                None => (id, 1, id),
            };
            if stays == id || wanted.keep == Keep::All {
                if wanted.has_fields() {
                    clustered.ids.push(first);
                    clustered.sizes.push(size);
                }
            } else {
                gone.push(row as u32);
                found.add(p, row as u32, stays);
            }
        }
        mask.clear_all(&gone);
        mask.clusters = wanted.has_fields().then_some(clustered);
    }
    Ok(rows * if ranked { 16 } else { 8 })
}
