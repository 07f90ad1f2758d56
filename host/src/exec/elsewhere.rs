//! Files of tasks in a run directory that is in a bucket, of which each process on a cluster has a copy
//! of its own: what one has put into the bucket the others learn of by manifests. Nothing happens
//! where all see one directory.

use std::path::PathBuf;

use anyhow::Result;

use super::context::TaskContext;
use super::segment::data_of;
use crate::checkpoint::{Artifact, Manifest};

/// Learns of a manifest that a worker has committed, and of all files that it names. They are fetched
/// by whoever reads them.
pub(super) fn adopt_all(env: &TaskContext<'_>, manifest: &Manifest) -> Result<()> {
    let paths = &env.store.paths;
    let Some(mirror) = paths.mirror() else {
        return Ok(());
    };
    let (op, p) = (manifest.op.unwrap_or(0), manifest.partition);
    let own = match manifest.artifact {
        Artifact::Rows => paths.checkpoint_manifest(op, p),
        Artifact::Keys => paths.keys_manifest(op, p),
        Artifact::Mask => paths.mask_manifest(op, p),
        Artifact::Part => paths.part_manifest(p),
    };
    let account = &manifest.account;
    let quarantine = account.quarantine.iter().map(|file| &file.name);
    let trace = account.trace.iter().filter_map(|file| file.name.as_ref());
    let mut named: Vec<PathBuf> = vec![data_of(env, manifest)];
    named.extend(quarantine.map(|name| paths.quarantine().join(name)));
    named.extend(trace.map(|name| paths.trace().join(name)));
    named.iter().try_for_each(|path| mirror.adopt(path))?;
    // Of an earlier attempt, or of a worker that was lost, there may be another one.
    mirror.adopt_anew(&own)
}

/// Learns of the data of the manifests that a task begins with.
pub(crate) fn adopt(env: &TaskContext<'_>, manifests: &[Manifest]) -> Result<()> {
    let Some(mirror) = env.store.paths.mirror() else {
        return Ok(());
    };
    let mut data = manifests.iter().map(|manifest| data_of(env, manifest));
    data.try_for_each(|path| mirror.adopt(&path))
}

/// Makes sure that others can learn of what this process has committed.
pub(crate) fn share(env: &TaskContext<'_>) -> Result<()> {
    env.store.paths.flush()
}

/// Removes the data of manifests from the copy: a worker would have those of all of its tasks in the
/// end.
pub(crate) fn leave<'m>(
    env: &TaskContext<'_>,
    manifests: impl IntoIterator<Item = &'m Manifest>,
) -> Result<()> {
    let Some(mirror) = env.store.paths.mirror() else {
        return Ok(());
    };
    let mut data = manifests.into_iter().map(|manifest| data_of(env, manifest));
    data.try_for_each(|path| mirror.leave(&path))
}
