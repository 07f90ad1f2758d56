//! Keeps `metadata/dataset_mapping.json` up to date while partitions run.
//!
//! The file names every partition, so writing it at each change would cost a job of many partitions
//! more than its work. A thread writes it: at once after a change, then not before a pause is over.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::rundir::{DatasetMapping, RunPaths};
use crate::threads::inherit;

/// Shortest time between two versions of the file …
const PAUSE: Duration = Duration::from_secs(1);
/// … and how many times longer than the writing of one it is.
const PAUSE_PER_WRITE: u32 = 50;

/// The mapping and its file. When it is dropped, the file shows the last state.
pub(super) struct MappingFile {
    shared: Arc<Shared>,
    /// None where no thread could be started: then each change is written at once.
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    paths: RunPaths,
}

struct State {
    mapping: DatasetMapping,
    is_dirty: bool,
    has_ended: bool,
}

impl MappingFile {
    /// Starts with `mapping`, which the file already shows.
    pub(super) fn new(mapping: DatasetMapping, paths: &RunPaths) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                mapping,
                is_dirty: false,
                has_ended: false,
            }),
            changed: Condvar::new(),
            paths: paths.clone(),
        });
        let thread = std::thread::Builder::new().name("djhost-mapping".into());
        let theirs = Arc::clone(&shared);
        Self {
            shared,
            thread: thread.spawn(inherit(move || theirs.keep())).ok(),
        }
    }

    /// Changes the mapping.
    pub(super) fn change(&self, change: impl FnOnce(&mut DatasetMapping)) {
        let mut state = self.shared.lock();
        change(&mut state.mapping);
        state.is_dirty = true;
        if self.thread.is_none() {
            self.shared.write(state);
            return;
        }
        drop(state);
        self.shared.changed.notify_one();
    }
}

impl Drop for MappingFile {
    fn drop(&mut self) {
        self.shared.lock().has_ended = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It reports its errors itself and has no result.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while held")
    }

    /// Writes changes until the end; the last state is always written.
    fn keep(&self) {
        loop {
            let waiting = |state: &mut State| !state.is_dirty && !state.has_ended;
            let state = self
                .changed
                .wait_while(self.lock(), waiting)
                .expect("no panic while held");
            let started = Instant::now();
            if state.is_dirty {
                self.write(state);
            } else {
                return;
            }
            let pause = PAUSE.max(started.elapsed() * PAUSE_PER_WRITE);
            drop(
                self.changed
                    .wait_timeout_while(self.lock(), pause, |state| !state.has_ended)
                    .expect("no panic while held"),
            );
        }
    }

    /// Writes the mapping as it is; partitions may change while the file is replaced.
    fn write(&self, mut state: MutexGuard<'_, State>) {
        state.is_dirty = false;
        let json = state.mapping.json();
        drop(state);
        if let Err(error) = json.and_then(|json| DatasetMapping::write(&json, &self.paths)) {
            tracing::warn!("{error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_changes_make_few_files_and_the_last_one_shows_them_all() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        std::fs::create_dir_all(paths.metadata()).unwrap();
        const PARTITIONS: usize = 300;
        let file = MappingFile::new(
            DatasetMapping::new("in.jsonl", vec![(10, None); PARTITIONS]),
            &paths,
        );
        let mut versions = std::collections::BTreeSet::new();
        let started = Instant::now();
        for partition in 0..PARTITIONS {
            file.change(|mapping| mapping.started(partition, 1.0));
            file.change(|mapping| mapping.completed(partition, 2.0, 3, 2));
            versions.extend(std::fs::read(paths.dataset_mapping()));
        }
        let seconds = started.elapsed().as_secs() as usize;
        drop(file);
        assert!(versions.len() <= 2 + seconds, "{}", versions.len());
        let last = DatasetMapping::load(&paths).unwrap().unwrap();
        assert!(last.size_is_exact);
        assert_eq!(last.original_dataset_size, 3 * PARTITIONS as u64);
        assert!(last.partitions.iter().all(|p| p.output_rows == Some(2)));
    }
}
