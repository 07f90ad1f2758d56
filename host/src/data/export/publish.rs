//! Puts an export that is whole on the disk to where the user wants it, in a bucket.

use super::target::ExportTarget;
use crate::remote::address::Address;
use crate::remote::{Failure, Unfinished, Upload, list, remove};
use anyhow::{Context, Result};
use std::fs::File;
use std::path::PathBuf;

/// A file of an export, in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    /// Its address.
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// Its version.
    pub(crate) tag: Option<String>,
}

/// Uploads `files` of `target`, which are named as they shall be there, and then makes them appear:
/// a single one at once, shards one after another, in place of an earlier export. `record` is told
/// what a kill would leave behind, before anything is sent and when nothing is. On an error nothing
/// of it is left.
pub(crate) fn publish(
    files: &[PathBuf],
    target: &ExportTarget,
    to: &Address,
    record: impl Fn(&[Unfinished]) -> Result<()>,
) -> Result<Vec<Published>> {
    let mut uploads = Vec::new();
    let done = upload(files, target, to, &record, &mut uploads);
    if done.is_err() {
        let left: Vec<_> = uploads.iter().filter_map(Upload::unfinished).collect();
        let failed = left.iter().filter(|left| left.abort().is_err()).count();
        if failed == 0 {
            record(&[])?;
        }
        // What is left is removed by the next attempt.
    }
    done
}

fn upload(
    files: &[PathBuf],
    target: &ExportTarget,
    to: &Address,
    record: &impl Fn(&[Unfinished]) -> Result<()>,
    uploads: &mut Vec<Upload>,
) -> Result<Vec<Published>> {
    let place = |name: &str| match to.key.rsplit_once('/') {
        Some((above, _)) => to.beside(&format!("{above}/{name}")),
        None => to.beside(name),
    };
    let mut published = Vec::new();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let address = match target.shard_size {
            Some(_) => place(&name),
            None => to.clone(),
        };
        let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
        published.push(Published {
            path: PathBuf::from(&address.text),
            bytes: file.metadata()?.len(),
            tag: None,
        });
        uploads.push(Upload::begin(file, address).with_context(|| cannot(to))?);
    }
    let unfinished: Vec<_> = uploads.iter().filter_map(Upload::unfinished).collect();
    if !unfinished.is_empty() {
        record(&unfinished)?;
    }
    for upload in uploads.iter_mut() {
        upload.send().with_context(|| cannot(to))?;
    }
    for (upload, published) in uploads.iter_mut().zip(&mut published) {
        published.tag = upload.commit().with_context(|| cannot(to))?;
    }
    if target.shard_size.is_some() {
        remove_other_shards(target, to, &published).with_context(|| cannot(to))?;
    }
    if !unfinished.is_empty() {
        record(&[])?;
    }
    Ok(published)
}

fn cannot(to: &Address) -> String {
    format!("cannot put the export to `{to}`")
}

/// Removes the shards of an earlier export. A reader of the prefix would take their rows for rows of
/// this one.
fn remove_other_shards(
    target: &ExportTarget,
    to: &Address,
    published: &[Published],
) -> Result<(), Failure> {
    let above = to.key.rsplit_once('/').map_or("", |(above, _)| above);
    for listed in list(to, above)? {
        let name = listed.key[above.len()..].trim_start_matches('/');
        let address = to.beside(&listed.key);
        let path = PathBuf::from(&address.text);
        if target.is_shard_name(name) && !published.iter().any(|new| new.path == path) {
            tracing::warn!("`{address}` of an earlier export is replaced");
            remove(&address)?;
        }
    }
    Ok(())
}
