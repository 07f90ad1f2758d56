//! The committed files that today's plan can use.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::checkpoint::{Artifact, Manifest};

/// The files of one partition, by artifact and op (0 for parts). Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held(BTreeMap<(Artifact, usize), Arc<Manifest>>);

impl Held {
    /// Adds a committed file of the partition.
    pub(crate) fn insert(&mut self, manifest: Arc<Manifest>) {
        let place = (manifest.artifact, manifest.place());
        self.0.insert(place, manifest);
    }

    /// The manifest, if there is such a file.
    pub(crate) fn get(&self, artifact: Artifact, op: usize) -> Option<&Manifest> {
        self.0.get(&(artifact, op)).map(AsRef::as_ref)
    }

    /// Whether there is such a file.
    pub(crate) fn has(&self, artifact: Artifact, op: usize) -> bool {
        self.0.contains_key(&(artifact, op))
    }

    /// All manifests.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.0.values().map(AsRef::as_ref)
    }
}

/// The files of all partitions. Thread-safe.
#[derive(Default)]
pub(crate) struct Index(Mutex<BTreeMap<usize, Held>>);

impl Index {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Held>> {
        self.0.lock().expect("no panic while held")
    }

    /// Adds a committed file.
    pub(crate) fn insert(&self, manifest: Manifest) {
        let mut partitions = self.lock();
        let held = partitions.entry(manifest.partition).or_default();
        held.insert(Arc::new(manifest));
    }

    /// The files of a partition.
    pub(crate) fn of(&self, partition: usize) -> Held {
        self.lock().get(&partition).cloned().unwrap_or_default()
    }

    /// The manifest, if there is such a file.
    pub(crate) fn get(&self, artifact: Artifact, op: usize, partition: usize) -> Option<Manifest> {
        self.lock().get(&partition)?.get(artifact, op).cloned()
    }

    /// Whether there is such a file.
    pub(crate) fn has(&self, artifact: Artifact, op: usize, partition: usize) -> bool {
        let partitions = self.lock();
        let held = partitions.get(&partition);
        held.is_some_and(|held| held.has(artifact, op))
    }

    /// All manifests.
    pub(crate) fn manifests(&self) -> Vec<Arc<Manifest>> {
        let partitions = self.lock();
        let all = partitions.values().flat_map(|held| held.0.values());
        all.cloned().collect()
    }

    /// Removes a file's entry.
    pub(crate) fn remove(&self, artifact: Artifact, op: usize, partition: usize) {
        if let Some(held) = self.lock().get_mut(&partition) {
            held.0.remove(&(artifact, op));
        }
    }

    /// Number of files of one kind.
    pub(crate) fn count(&self, artifact: Artifact) -> usize {
        let partitions = self.lock();
        let all = partitions.values().flat_map(|held| held.0.keys());
        all.filter(|(kind, _)| *kind == artifact).count()
    }
}
