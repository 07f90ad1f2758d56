//! The names of a run directory as keys of objects in a bucket: which files go there, and how.

use super::RunPaths;
use crate::rundir::mirror::Kind;

impl RunPaths {
    /// The name of `lock` in a bucket, where it is the lease of the run directory.
    pub(crate) const LOCK: &'static str = "lock";

    /// Directories in which manifests name the other files.
    pub(crate) const OF_MANIFESTS: [&'static str; 2] = ["checkpoints", "parts"];

    /// Directories of which commands that only look need everything; empty: the run directory.
    pub(crate) const LOOKED_AT: [&'static str; 4] = ["", "metadata", "logs", "partitions"];

    /// Directories that say how a job is planned.
    pub(crate) const OF_THE_PLAN: [&'static str; 2] = ["metadata", "partitions"];

    /// Returns how a file of a copy, by its name in the run directory, goes to the bucket. None: it
    /// stays where it is, because it is unfinished, can be made again from the input, or is no
    /// djhost's file.
    pub(crate) fn mirrored_as(key: &str) -> Option<Kind> {
        let (dir, name) = key.rsplit_once('/').unwrap_or(("", key));
        if name.starts_with('.') {
            return None;
        }
        match dir {
            "" => match name {
                "job_summary.json" | "dag_execution_plan.json" | "stop_request.json" => {
                    Some(Kind::Document)
                }
                _ => None,
            },
            // Those of workers are read by others.
            "checkpoints" if Self::is_of_barrier(name) && !Self::is_of_writer(name) => None,
            "checkpoints" | "parts" => Some(match Self::is_manifest(name) {
                true => Kind::Manifest,
                false => Kind::Data,
            }),
            "quarantine" | "trace" => Some(Kind::Data),
            "partitions" if Self::is_of_unpacked_input(name) => None,
            "metadata" if name == "dataset_mapping.json" => Some(Kind::Progress),
            "partitions" | "metadata" | "metadata/fallbacks" => Some(Kind::Document),
            _ => None,
        }
    }

    /// Whether a file of this name is what it is in the bucket. Else it is of the copy alone.
    pub(crate) fn is_mirrored(key: &str) -> bool {
        Self::mirrored_as(key).is_some() || Self::grows(key)
    }

    fn grows(key: &str) -> bool {
        let is_log = |name: &str| name.starts_with("attempt_") && name.ends_with(".txt");
        match key.split_once('/') {
            None => Self::is_event_file(key) && key.ends_with(".jsonl"),
            Some((dir, name)) => dir == "logs" && is_log(name),
        }
    }

    /// Returns the key of a piece of a file that grows.
    pub(crate) fn piece(key: &str, number: u32) -> String {
        format!("{key}.{number:06}")
    }

    /// Returns of which file an object is a piece, and which.
    pub(crate) fn of_piece(key: &str) -> Option<(&str, u32)> {
        let (name, number) = key.rsplit_once('.')?;
        let number = number.parse().ok().filter(|_| number.len() >= 6)?;
        Self::grows(name).then_some((name, number))
    }

    /// Returns the name of an object by which a bucket is tried.
    pub(crate) fn probe(nonce: &str) -> String {
        format!(".probe-{nonce}")
    }

    /// Whether an object is one that was left of a trial.
    pub(crate) fn is_probe(key: &str) -> bool {
        key.starts_with(".probe-")
    }

    /// Whether a file of this name is of a checkpoint, of keys or of a mask.
    pub(crate) fn is_of_checkpoint(key: &str) -> bool {
        key.starts_with("checkpoints/")
    }

    /// Whether a file of this name has the finished rows of a partition.
    pub(crate) fn is_rows_of_part(key: &str) -> bool {
        key.starts_with("parts/") && !Self::is_manifest(key)
    }

    /// Whether an object is worth nothing without a manifest that names it.
    pub(crate) fn is_named_by_manifest(key: &str) -> bool {
        Self::mirrored_as(key) == Some(Kind::Data)
    }

    /// Returns the run directory, by its key, of which an object is the summary.
    pub(crate) fn of_summary(key: &str) -> Option<&str> {
        Self::of_file(key, "job_summary.json")
    }

    /// Returns the run directory, by its key, of which an object is the lease.
    pub(crate) fn of_lock(key: &str) -> Option<&str> {
        Self::of_file(key, Self::LOCK)
    }

    fn of_file<'k>(key: &'k str, name: &str) -> Option<&'k str> {
        let dir = key.strip_suffix(name)?;
        match dir.strip_suffix('/') {
            Some(dir) => Some(dir),
            None if dir.is_empty() => Some(""),
            None => None,
        }
    }
}
