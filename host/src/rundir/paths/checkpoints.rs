//! The names of what partitions leave behind: checkpoints, keys, masks and parts, each with a manifest
//! without which it does not count.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{MANIFEST, RunPaths};

impl RunPaths {
    /// `checkpoints/`.
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoints")
    }

    /// `checkpoints/checkpoint_op_…`: rows of one partition after op `op` (0-based over the whole
    /// recipe). `ext` says format and compression (`parquet`, `jsonl.gz`).
    pub fn checkpoint(&self, op: usize, partition: usize, ext: &str) -> PathBuf {
        self.checkpoints().join(format!(
            "checkpoint_op_{op:04}_partition_{partition:04}.{ext}"
        ))
    }

    /// The manifest of [`checkpoint`](Self::checkpoint). The checkpoint exists if and only if this
    /// file does.
    pub fn checkpoint_manifest(&self, op: usize, partition: usize) -> PathBuf {
        self.checkpoints().join(format!(
            "checkpoint_op_{op:04}_partition_{partition:04}.manifest.json"
        ))
    }

    /// The keys of one partition's rows for the global op `op`.
    pub fn keys(&self, op: usize, partition: usize) -> PathBuf {
        self.checkpoints()
            .join(format!("keys_op_{op:04}_partition_{partition:04}.arrow"))
    }

    /// The same for a grouper, which stores the rows together with their keys.
    pub fn keys_with_rows(&self, op: usize, partition: usize) -> PathBuf {
        self.checkpoints()
            .join(format!("keys_op_{op:04}_partition_{partition:04}.rows"))
    }

    /// The manifest of [`keys`](Self::keys) or [`keys_with_rows`](Self::keys_with_rows).
    pub fn keys_manifest(&self, op: usize, partition: usize) -> PathBuf {
        self.checkpoints().join(format!(
            "keys_op_{op:04}_partition_{partition:04}.manifest.json"
        ))
    }

    /// The rows of one partition that the global op `op` keeps, as a bitmap.
    pub fn mask(&self, op: usize, partition: usize) -> PathBuf {
        self.checkpoints()
            .join(format!("mask_op_{op:04}_partition_{partition:04}.bin"))
    }

    /// The manifest of [`mask`](Self::mask).
    pub fn mask_manifest(&self, op: usize, partition: usize) -> PathBuf {
        self.checkpoints().join(format!(
            "mask_op_{op:04}_partition_{partition:04}.manifest.json"
        ))
    }

    /// The keys of a group of partitions by section, while the barrier of op `op` is at work.
    pub(crate) fn split(&self, op: usize, group: usize) -> PathBuf {
        self.checkpoints()
            .join(format!("split_op_{op:04}_group_{group:04}.bin"))
    }

    /// What a piece of work of the barrier of op `op` has found.
    pub(crate) fn found(&self, op: usize, piece: usize) -> PathBuf {
        self.checkpoints()
            .join(format!("found_op_{op:04}_piece_{piece:04}.bin"))
    }

    /// Whether a file of this name is of no use after a barrier: one of [`split`](Self::split) or
    /// [`found`](Self::found).
    pub(crate) fn is_of_barrier(name: &str) -> bool {
        name.starts_with("split_op_") || name.starts_with("found_op_")
    }

    /// Lists the files of barriers.
    pub(crate) fn files_of_barriers(&self) -> Result<Vec<PathBuf>> {
        self.list(&self.checkpoints(), Self::is_of_barrier)
    }

    /// Lists all manifests in `checkpoints/`, sorted: kind (`checkpoint`, `keys` or `mask`), op and
    /// partition from the file name, and the path.
    pub fn manifests(&self) -> Result<Vec<(String, usize, usize, PathBuf)>> {
        let found = self.list(&self.checkpoints(), |name| name.ends_with(MANIFEST))?;
        Ok(found
            .into_iter()
            .filter_map(|path| {
                let name = path.file_name()?.to_str()?;
                let (kind, rest) = name.split_once("_op_")?;
                let (op, rest) = rest.split_once("_partition_")?;
                let (partition, _) = rest.split_once('.')?;
                Some((
                    kind.to_owned(),
                    op.parse().ok()?,
                    partition.parse().ok()?,
                    path,
                ))
            })
            .collect())
    }

    /// Lists the `(op, partition)` of every checkpoint manifest, sorted.
    pub fn checkpoint_manifests(&self) -> Result<Vec<(usize, usize)>> {
        let mut found: Vec<_> = self
            .list(&self.checkpoints(), |name| name.ends_with(MANIFEST))?
            .iter()
            .filter_map(|path| parse_checkpoint(path.file_name()?.to_str()?))
            .collect();
        found.sort_unstable();
        Ok(found)
    }

    /// `checkpoints/discarded/`: checkpoint files that cannot be used.
    pub fn discarded(&self) -> PathBuf {
        self.checkpoints().join("discarded")
    }

    /// Where attempt `attempt` moves a file called `name` that cannot be used.
    pub(crate) fn discarded_file(&self, attempt: u32, name: &str) -> PathBuf {
        self.discarded()
            .join(format!("attempt_{attempt:04}_{name}"))
    }

    /// `parts/`.
    pub fn parts(&self) -> PathBuf {
        self.root.join("parts")
    }

    /// The finished rows of one partition, in the export format.
    pub fn part(&self, partition: usize, ext: &str) -> PathBuf {
        self.parts().join(format!("part_{partition:04}.{ext}"))
    }

    /// The manifest of [`part`](Self::part).
    pub fn part_manifest(&self, partition: usize) -> PathBuf {
        self.parts()
            .join(format!("part_{partition:04}.manifest.json"))
    }

    /// Lists the manifests of all parts.
    pub fn part_manifests(&self) -> Result<Vec<PathBuf>> {
        self.list(&self.parts(), |name| name.ends_with(MANIFEST))
    }

    /// The data file of worker `worker` of attempt `attempt` in place of `path`, which has no number
    /// of theirs: no two writers ever have the same one.
    pub(crate) fn of_writer(path: &Path, (attempt, worker): (u32, usize)) -> PathBuf {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (stem, ext) = name.split_once('.').unwrap_or((&name, ""));
        path.with_file_name(format!("{stem}.a{attempt}w{worker}.{ext}"))
    }

    /// Whether a file of this name is one of [`of_writer`](Self::of_writer).
    pub(crate) fn is_of_writer(name: &str) -> bool {
        let mut parts = name.split('.').skip(1);
        let (writer, ext) = (parts.next(), parts.next());
        let numbers = writer.and_then(|w| w.strip_prefix('a')?.split_once('w'));
        let is_number = |text: &str| text.parse::<u32>().is_ok();
        ext.is_some() && numbers.is_some_and(|(a, w)| is_number(a) && is_number(w))
    }

    /// Lists the files of [`of_writer`](Self::of_writer).
    pub(crate) fn data_of_writers(&self) -> Result<Vec<PathBuf>> {
        let mut found = self.list(&self.checkpoints(), Self::is_of_writer)?;
        found.append(&mut self.list(&self.parts(), Self::is_of_writer)?);
        Ok(found)
    }

    /// Returns whether a file with this name is a manifest.
    pub(crate) fn is_manifest(name: &str) -> bool {
        name.ends_with(MANIFEST)
    }

    /// Returns what the names of a manifest and of its data file have in common, dot included.
    pub(crate) fn manifest_stem(name: &str) -> String {
        format!("{}.", name.trim_end_matches(MANIFEST))
    }
}

fn parse_checkpoint(name: &str) -> Option<(usize, usize)> {
    let (op, rest) = name
        .strip_prefix("checkpoint_op_")?
        .split_once("_partition_")?;
    let (partition, _) = rest.split_once('.')?;
    Some((op.parse().ok()?, partition.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_writers_are_told_apart_and_keep_their_stem() {
        let path = RunPaths::new("run").checkpoint(4, 12, "jsonl.gz");
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let of = name(&RunPaths::of_writer(&path, (2, 17)));
        assert_eq!(of, "checkpoint_op_0004_partition_0012.a2w17.jsonl.gz");
        assert!(RunPaths::is_of_writer(&of) && !RunPaths::is_of_writer(&name(&path)));
        let manifest = RunPaths::new("run").checkpoint_manifest(4, 12);
        assert!(of.starts_with(&RunPaths::manifest_stem(&name(&manifest))));
        assert!(!RunPaths::is_of_writer(&name(&manifest)));
    }

    #[test]
    fn checkpoints_are_listed_in_the_order_of_ops_and_partitions() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        paths.create().unwrap();
        for (op, partition) in [(9, 0), (4, 10_000), (4, 2)] {
            std::fs::write(paths.checkpoint_manifest(op, partition), "{}").unwrap();
            std::fs::write(paths.checkpoint(op, partition, "parquet"), "").unwrap();
        }
        assert_eq!(
            paths.checkpoint_manifests().unwrap(),
            [(4, 2), (4, 10_000), (9, 0)]
        );
    }
}
