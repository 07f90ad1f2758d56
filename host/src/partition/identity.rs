//! Identifies the input of a partition by its content, so that it is recognised after its file was
//! touched or has grown.

use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};

use crate::checkpoint::InputContent;
use crate::data::input::handle::Handle;
use crate::data::{Dataset, Partition, Slice};
use crate::plan::lineage_key::Key;
use crate::rundir::checksum::Checksum;

/// Bytes per read: large enough that the cost of the calls does not matter.
const PIECE: usize = 1 << 20;

/// Returns the content of `partition`, which has just been read. None for columnar files, whose
/// rows are not ranges of bytes, for remote ones, and if a file has changed since the job began.
pub(crate) fn content(
    dataset: &Dataset,
    partition: &Partition,
    key: &Key,
) -> Result<Option<InputContent>> {
    // The version of a remote file tells as much as its bytes, which would have to be fetched again.
    let is_remote = |slice: &Slice| dataset.files[slice.file].version.is_some();
    if dataset.is_columnar() || partition.slices.iter().any(is_remote) {
        return Ok(None);
    }
    let Some(checksum) = checksum(dataset, partition)? else {
        return Ok(None);
    };
    for slice in &partition.slices {
        let file = &dataset.files[slice.file];
        let found = std::fs::metadata(&file.path)
            .with_context(|| format!("cannot read `{}`", file.path.display()))?;
        let modified = found
            .modified()?
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_nanos() as i128);
        if found.len() != file.bytes || modified != file.modified_ns {
            return Ok(None);
        }
    }
    Ok(Some(InputContent {
        key: key.clone(),
        checksum,
    }))
}

/// Returns the xxh3-128 of the bytes of a partition of JSON rows, in hex; None if a file has become
/// too short.
pub(crate) fn checksum(dataset: &Dataset, partition: &Partition) -> Result<Option<String>> {
    let mut sum = Checksum::default();
    // There may be very many tiny partitions: no more is set to zero than is read.
    let longest = partition
        .slices
        .iter()
        .map(|slice| slice.end - slice.start)
        .max();
    let mut piece = vec![0; PIECE.min(longest.unwrap_or(0) as usize)];
    for slice in &partition.slices {
        let file = &dataset.files[slice.file];
        let context = || format!("cannot read `{}`", file.path.display());
        let file = Handle::open(file).with_context(context)?;
        let mut at = slice.start;
        while at < slice.end {
            let want = piece.len().min((slice.end - at) as usize);
            let got = file.read_at(&mut piece[..want], at).with_context(context)?;
            if got == 0 {
                return Ok(None);
            }
            sum.update(&piece[..got]);
            at += got as u64;
        }
    }
    Ok(Some(sum.hex()))
}
