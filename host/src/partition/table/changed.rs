//! Keeps as much as possible of an earlier table when the dataset has changed.

use std::collections::HashMap;

use anyhow::Result;

use super::keys::input_key;
use super::{Chosen, same_file};
use crate::checkpoint::Store;
use crate::config::{Count, PartitionMode, Resolved};
use crate::data::{Dataset, InputFile, Slice};
use crate::partition::identity::checksum;
use crate::partition::split::split_like;
use crate::plan::Prepared;
use crate::plan::lineage_key::Key;
use crate::rundir::RunPaths;

/// Returns partitions for a changed dataset, cut where it was cut before, or None if it must be cut
/// afresh.
pub(super) fn cut_as_before(
    resolved: &Resolved,
    dataset: &Dataset,
    earlier: &Chosen,
) -> Result<Option<Chosen>> {
    let config = &resolved.config;
    let exact = matches!(config.partition.num_of_partitions, Some(Count::Exactly(_)));
    if matches!(config.partition_mode(), PartitionMode::Manual)
        && !exact
        && config.partition.size.is_some()
    {
        // Cuts after a number of rows are at the same places anyway.
        return Ok(None);
    }
    let exact = exact || matches!(config.partition_mode(), PartitionMode::Manual);
    let files = earlier
        .files
        .iter()
        .zip(&dataset.files)
        .take_while(|(a, b)| a.path == b.path && a.format == b.format)
        .count();
    let mut ends: Vec<(usize, u64)> = Vec::new();
    for partition in &earlier.partitions {
        let before = ends.last().copied().unwrap_or((0, 0));
        ends.push(partition.slices.last().map_or(before, |s| (s.file, s.end)));
    }
    let Some(end) = ends.pop() else {
        return Ok(None);
    };
    let size = |files: &[InputFile]| files.iter().map(|f| f.bytes).sum::<u64>();
    if size(&dataset.files) > 4 * size(&earlier.files).max(1) {
        return Ok(None);
    }
    let Some(partitions) = split_like(dataset, files, &ends, end, exact)? else {
        return Ok(None);
    };
    let mut why = earlier.why.clone();
    let word = "the input has changed: cut at the places of the earlier attempt, so that what is unchanged need not be done again";
    if !why.iter().any(|w| w == word) {
        why.push(word.to_owned());
    }
    Ok(Some(Chosen::new(
        earlier.settings.clone(),
        dataset,
        partitions,
        why,
    )))
}

/// Copies the identity of earlier partitions to those that have the same input.
pub(super) fn inherit(
    chosen: &mut Chosen,
    earlier: &Chosen,
    prepared: &Prepared,
    dataset: &Dataset,
    paths: &RunPaths,
) -> Result<()> {
    let places = |slices: &[Slice]| -> Vec<(usize, u64, u64)> {
        slices.iter().map(|s| (s.file, s.start, s.end)).collect()
    };
    let known: HashMap<_, &Key> = earlier
        .partitions
        .iter()
        .map(|p| places(&p.slices))
        .zip(&earlier.identities)
        .collect();
    let mut contents: Option<HashMap<Key, String>> = None;
    for (partition, identity) in chosen.partitions.iter().zip(&mut chosen.identities) {
        let Some(before) = known.get(&places(&partition.slices)) else {
            continue;
        };
        let files = |test: &dyn Fn(&InputFile, &InputFile) -> bool| {
            partition.slices.iter().all(|s| {
                earlier
                    .files
                    .get(s.file)
                    .is_some_and(|a| test(a, &dataset.files[s.file]))
            })
        };
        if files(&same_file) {
            *identity = (*before).clone();
        } else if !dataset.is_columnar() && files(&|a, b| a.path == b.path && a.format == b.format)
        {
            // The file was touched, has grown, or changed somewhere: its bytes decide.
            let contents = contents.get_or_insert_with(|| contents_read(paths));
            let then = contents.get(&input_key(before, prepared));
            if then.is_some() && then == checksum(dataset, partition)?.as_ref() {
                *identity = (*before).clone();
            }
        }
    }
    Ok(())
}

/// Returns the checksums of the inputs of all partitions that earlier attempts read, by the key of
/// the input.
fn contents_read(paths: &RunPaths) -> HashMap<Key, String> {
    let checkpoints = paths
        .manifests()
        .unwrap_or_default()
        .into_iter()
        .map(|(.., path)| path);
    let parts = paths.part_manifests().unwrap_or_default();
    let manifests = checkpoints
        .chain(parts)
        .filter_map(|path| Store::read_manifest(&path).ok().flatten());
    manifests
        .filter_map(|m| m.account.input)
        .map(|i| (i.key, i.checksum))
        .collect()
}
