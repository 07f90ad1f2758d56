//! The committed files that today's plan can use.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::checkpoint::{Artifact, Manifest};

/// By artifact, op (0 for parts) and partition. Thread-safe.
#[derive(Default)]
pub(crate) struct Index(Mutex<BTreeMap<(Artifact, usize, usize), Manifest>>);

impl Index {
    /// Adds a committed file.
    pub(crate) fn insert(&self, manifest: Manifest) {
        let op = if manifest.artifact == Artifact::Part {
            0
        } else {
            manifest.op.unwrap_or(0)
        };
        self.0
            .lock()
            .expect("no panic while held")
            .insert((manifest.artifact, op, manifest.partition), manifest);
    }

    /// The manifest, if there is such a file.
    pub(crate) fn get(&self, artifact: Artifact, op: usize, partition: usize) -> Option<Manifest> {
        self.0
            .lock()
            .expect("no panic while held")
            .get(&(artifact, op, partition))
            .cloned()
    }

    /// Whether there is such a file.
    pub(crate) fn has(&self, artifact: Artifact, op: usize, partition: usize) -> bool {
        self.0
            .lock()
            .expect("no panic while held")
            .contains_key(&(artifact, op, partition))
    }

    /// All manifests.
    pub(crate) fn manifests(&self) -> Vec<Manifest> {
        self.0
            .lock()
            .expect("no panic while held")
            .values()
            .cloned()
            .collect()
    }

    /// Removes a file's entry.
    pub(crate) fn remove(&self, artifact: Artifact, op: usize, partition: usize) {
        self.0
            .lock()
            .expect("no panic while held")
            .remove(&(artifact, op, partition));
    }

    /// Number of files of one kind.
    pub(crate) fn count(&self, artifact: Artifact) -> usize {
        self.0
            .lock()
            .expect("no panic while held")
            .keys()
            .filter(|k| k.0 == artifact)
            .count()
    }
}
