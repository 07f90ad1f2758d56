//! The names inside a run directory. Only this folder formats them: this file the directory itself and
//! its documents, `checkpoints.rs` what partitions leave behind, `keys.rs` the names in a bucket.

mod checkpoints;
mod keys;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::mirror::{Mirror, View, absent};
use super::storage::Storage;
use crate::remote::address::Address;

/// Suffix of every manifest.
const MANIFEST: &str = ".manifest.json";

/// The run directory `{work_dir}/{job_id}` of one job.
///
/// ```
/// let paths = djhost::jobs::RunPaths::new("outputs/20260101_120000_a1b2c3");
/// assert!(paths.checkpoint(4, 3, "parquet").ends_with("checkpoints/checkpoint_op_0004_partition_0003.parquet"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPaths {
    root: PathBuf,
    kept: Kept,
}

/// What the files of a run directory are.
#[derive(Clone)]
enum Kept {
    /// All there is.
    Here,
    /// The same, until this process ends.
    Temporary,
    /// A copy of what is in a bucket, in which this process works.
    Mirror(Arc<Mirror>),
    /// A copy of what is in a bucket, to look at.
    View(Arc<View>),
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Here => f.write_str("here"),
            Self::Temporary => f.write_str("temporary"),
            Self::Mirror(mirror) => write!(f, "mirror of {}", mirror.address()),
            Self::View(view) => write!(f, "view of {}", view.address()),
        }
    }
}

/// As far as paths go: two copies with one root are of one address.
impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Eq for Kept {}

impl RunPaths {
    /// Names that exist in every run directory from its start.
    pub const MARKS: [&'static str; 3] = ["lock", "metadata", "checkpoints"];

    /// Returns the paths of the run directory `root`. Touches no file.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            kept: Kept::Here,
        }
    }

    /// Returns the paths of a copy of the run directory at `address`, to look at. Makes no request:
    /// [`refresh`](Self::refresh) fetches what is there.
    pub(crate) fn at(address: &Address) -> Result<Self> {
        let view = View::new(address)?;
        Ok(Self {
            root: view.root().to_owned(),
            kept: Kept::View(Arc::new(view)),
        })
    }

    /// The same paths, of which the files are put into a bucket.
    #[must_use]
    pub(crate) fn mirrored(self, mirror: Arc<Mirror>) -> Self {
        Self {
            kept: Kept::Mirror(mirror),
            ..self
        }
    }

    /// The address of the run directory, if it is in a bucket.
    pub(crate) fn address(&self) -> Option<&Address> {
        match &self.kept {
            Kept::Here | Kept::Temporary => None,
            Kept::Mirror(mirror) => Some(mirror.address()),
            Kept::View(view) => Some(view.address()),
        }
    }

    /// The copy that is looked at, if this is one.
    pub(crate) fn view(&self) -> Option<&View> {
        match &self.kept {
            Kept::View(view) => Some(view),
            _ => None,
        }
    }

    /// The copy in which the job works, if this is one.
    pub(crate) fn mirror(&self) -> Option<&Mirror> {
        match &self.kept {
            Kept::Mirror(mirror) => Some(mirror),
            _ => None,
        }
    }

    /// Fetches what has changed, if this is a copy to look at.
    pub(crate) fn refresh(&self) -> Result<()> {
        self.view().map_or(Ok(()), View::refresh)
    }

    /// Fetches all documents and manifests, if this is a copy to look at. False if it is one of
    /// nothing.
    pub(crate) fn refresh_manifests(&self) -> Result<bool> {
        self.view().map_or(Ok(true), View::bring_manifests)
    }

    /// Makes sure that the file at `path` can be read, if this is a copy in which a job works.
    pub(crate) fn bring(&self, path: &Path) -> Result<()> {
        self.mirror().map_or(Ok(()), |mirror| mirror.bring(path))
    }

    /// The size of the file at `path`, if this is a copy and the file is in the bucket alone.
    pub(crate) fn absent_bytes(&self, path: &Path) -> Option<u64> {
        self.address().and_then(|_| absent::size(path))
    }

    /// Waits until what was written survives this machine, if it is a copy in which a job works.
    pub(crate) fn flush(&self) -> Result<()> {
        self.mirror().map_or(Ok(()), Mirror::flush)
    }

    /// A path for people: absolute, or an address.
    pub(crate) fn show(&self, path: &Path) -> String {
        match (self.address(), path.strip_prefix(&self.root)) {
            (Some(address), Ok(below)) if below.as_os_str().is_empty() => address.to_string(),
            (Some(address), Ok(below)) => format!("{address}/{}", below.display()),
            _ => std::path::absolute(path)
                .unwrap_or_else(|_| path.to_owned())
                .display()
                .to_string(),
        }
    }

    /// The same for a run directory that goes away with this process: nothing in it has to survive
    /// a power cut, so nobody waits for the disk. A kill is survived all the same.
    #[must_use]
    pub fn temporary(self) -> Self {
        Self {
            kept: Kept::Temporary,
            ..self
        }
    }

    /// Whether nothing in it has to survive a power cut.
    pub(crate) fn is_temporary(&self) -> bool {
        self.kept == Kept::Temporary
    }

    /// Whether what is written has to survive a power cut of this machine.
    pub(crate) fn lasts(&self) -> bool {
        self.kept == Kept::Here
    }

    /// Returns how its files are written.
    pub(crate) fn storage(&self) -> Storage {
        match &self.kept {
            Kept::Here => Storage::new(),
            Kept::Temporary => Storage::temporary(),
            Kept::Mirror(mirror) => mirror.storage(),
            Kept::View(view) => view.storage(),
        }
    }

    /// Returns the run directory of `job_id` below `work_dir`. As in Data-Juicer, a `work_dir` that
    /// already ends in the job id is the run directory.
    pub fn for_job(work_dir: &Path, job_id: &str) -> Self {
        if work_dir.file_name().is_some_and(|name| name == job_id) {
            Self::new(work_dir)
        } else {
            Self::new(work_dir.join(job_id))
        }
    }

    /// `.mirror`: which files of a copy are those of the bucket.
    pub(crate) fn mirror_index(&self) -> PathBuf {
        self.root.join(".mirror")
    }

    /// Creates the run directory and its fixed sub-directories.
    pub fn create(&self) -> Result<()> {
        for dir in self.directories() {
            std::fs::create_dir_all(&dir)
                .with_context(|| format!("cannot create `{}`", dir.display()))?;
        }
        Ok(())
    }

    /// Makes `logs/`, `checkpoints/` and `partitions/` symbolic links to where the recipe wants
    /// them. A directory or link that an earlier attempt left there is kept.
    pub fn place(&self, logs: &Path, checkpoints: &Path, partitions: &Path) -> Result<()> {
        for (own, wanted) in [
            (self.logs(), logs),
            (self.checkpoints(), checkpoints),
            (self.partitions(), partitions),
        ] {
            if own == wanted || own.symlink_metadata().is_ok() {
                continue;
            }
            let wanted = std::path::absolute(wanted)?;
            let context = || format!("cannot create `{}`", wanted.display());
            std::fs::create_dir_all(&wanted).with_context(context)?;
            std::os::unix::fs::symlink(&wanted, &own).with_context(|| {
                format!("cannot link `{}` to `{}`", own.display(), wanted.display())
            })?;
        }
        Ok(())
    }

    /// Returns the fixed sub-directories.
    pub fn directories(&self) -> [PathBuf; 7] {
        [
            self.checkpoints(),
            self.partitions(),
            self.parts(),
            self.logs(),
            self.metadata(),
            self.quarantine(),
            self.trace(),
        ]
    }

    /// Returns the run directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the job id, which is the last component of the run directory.
    pub fn job_id(&self) -> String {
        let absolute = std::path::absolute(&self.root).unwrap_or_else(|_| self.root.clone());
        absolute
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// `job_summary.json`: state, totals, ledger.
    pub fn summary(&self) -> PathBuf {
        self.root.join("job_summary.json")
    }

    /// `dag_execution_plan.json`: the resolved plan.
    pub fn plan(&self) -> PathBuf {
        self.root.join("dag_execution_plan.json")
    }

    /// `lock`: held while a process runs the job.
    pub fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// `tasks.lock`: held by processes that run tasks.
    pub(crate) fn task_lock(&self) -> PathBuf {
        self.root.join("tasks.lock")
    }

    /// `tasks.lock.ID`: held by the process that runs this task alone.
    pub(crate) fn lock_of_task(&self, id: &str) -> PathBuf {
        self.root.join(format!("tasks.lock.{id}"))
    }

    /// Returns the locks of all single tasks.
    pub(crate) fn locks_of_tasks(&self) -> Result<Vec<PathBuf>> {
        self.list(&self.root, |name| name.starts_with("tasks.lock."))
    }

    /// `stop_request.json`: asks the running process to stop.
    pub fn stop_request(&self) -> PathBuf {
        self.root.join("stop_request.json")
    }

    /// Returns the event file of an attempt that started at `stamp` (`YYYYMMDD_HHMMSS`, UTC).
    /// `serial` 0 adds no suffix; further attempts within the same second get `_1`, `_2`, …
    pub fn events(&self, stamp: &str, serial: u32) -> PathBuf {
        let suffix = if serial == 0 {
            String::new()
        } else {
            format!("_{serial}")
        };
        self.root.join(format!("events_{stamp}{suffix}.jsonl"))
    }

    /// Returns whether a file of the run directory with this name holds events.
    pub(crate) fn is_event_file(name: &str) -> bool {
        name.starts_with("events_")
    }

    /// Lists all event files, sorted by name. That is the order of the attempts unless the clock
    /// was set back.
    pub fn event_files(&self) -> Result<Vec<PathBuf>> {
        self.list(&self.root, |name| {
            name.starts_with("events_") && name.ends_with(".jsonl")
        })
    }

    /// `partitions/`.
    pub fn partitions(&self) -> PathBuf {
        self.root.join("partitions")
    }

    /// `partitions/partitions.json`: the descriptors of all partitions.
    pub fn partition_table(&self) -> PathBuf {
        self.partitions().join("partitions.json")
    }

    /// Input file number `file`, unpacked to plain JSONL in `dir` (`partitions/`) because its
    /// format cannot be read from the middle, and its manifest. Without the manifest, the file does
    /// not count.
    pub(crate) fn unpacked_input(dir: &Path, file: usize) -> (PathBuf, PathBuf) {
        (
            dir.join(format!("input_{file:05}.jsonl")),
            dir.join(format!("input_{file:05}{MANIFEST}")),
        )
    }

    /// Returns whether a file of `partitions/` with this name belongs to an unpacked input.
    pub(crate) fn is_of_unpacked_input(name: &str) -> bool {
        name.starts_with("input_")
    }

    /// `quarantine/`.
    pub fn quarantine(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    /// Rows that one task put into quarantine, with reasons. `op` is the first op of the task,
    /// `partition` the number of the partition at that time. `task` is the key of the task's
    /// result, so no other task ever writes this file.
    pub fn quarantine_file(&self, op: usize, partition: usize, task: &str) -> PathBuf {
        let task = &task[..task.len().min(12)];
        self.quarantine().join(format!(
            "quarantine_op_{op:04}_partition_{partition:04}_{task}.jsonl"
        ))
    }

    /// Lists all files in `quarantine/`.
    pub fn quarantine_files(&self) -> Result<Vec<PathBuf>> {
        self.list(&self.quarantine(), |name| {
            name.starts_with("quarantine_") && name.ends_with(".jsonl")
        })
    }

    /// `trace/`.
    pub fn trace(&self) -> PathBuf {
        self.root.join("trace")
    }

    /// What one task did with its rows. `op` is the first op of the task, `partition` the number of
    /// the partition at that time, `task` the key of the task's result, as for
    /// [`quarantine_file`](Self::quarantine_file).
    pub fn trace_file(&self, op: usize, partition: usize, task: &str) -> PathBuf {
        let task = &task[..task.len().min(12)];
        self.trace().join(format!(
            "trace_op_{op:04}_partition_{partition:04}_{task}.parquet"
        ))
    }

    /// Lists all files in `trace/`.
    pub fn trace_files(&self) -> Result<Vec<PathBuf>> {
        self.list(&self.trace(), |name| {
            name.starts_with("trace_") && name.ends_with(".parquet")
        })
    }

    /// `metadata/trace.json`: what a reader of the trace must know beside its files.
    pub fn trace_document(&self) -> PathBuf {
        self.metadata().join("trace.json")
    }

    /// `metadata/croissant.json`: the result for dataset hubs.
    pub fn croissant(&self) -> PathBuf {
        self.metadata().join("croissant.json")
    }

    /// `logs/`.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The log of one attempt (1, 2, …) for people. It ends in `.txt` because Data-Juicer's
    /// documentation says `tail -f logs/*.txt`.
    pub fn log(&self, attempt: u32) -> PathBuf {
        self.logs().join(format!("attempt_{attempt:04}.txt"))
    }

    /// Lists all log files in the order of the attempts.
    pub fn log_files(&self) -> Result<Vec<PathBuf>> {
        self.list(&self.logs(), |name| {
            name.starts_with("attempt_") && name.ends_with(".txt")
        })
    }

    /// `metadata/`.
    pub fn metadata(&self) -> PathBuf {
        self.root.join("metadata")
    }

    /// `metadata/dataset_mapping.json`: the dataset and its partitions, in the shape that
    /// Data-Juicer's monitor reads.
    pub fn dataset_mapping(&self) -> PathBuf {
        self.metadata().join("dataset_mapping.json")
    }

    /// `metadata/config.yaml`: the recipe with every default filled in.
    pub fn resolved_config(&self) -> PathBuf {
        self.metadata().join("config.yaml")
    }

    /// `metadata/recipe.json`: the recipe, where a program gave it as data.
    pub fn given_recipe(&self) -> PathBuf {
        self.metadata().join("recipe.json")
    }

    /// `data/`: rows that a program gave in memory, and the result that it takes back.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Rows that a program gave in memory. `digest` is of the bytes of the file: equal rows have
    /// the same file in every attempt.
    pub(crate) fn given_rows(&self, digest: &str, ext: &str) -> PathBuf {
        self.data().join(format!("given_{digest}.{ext}"))
    }

    /// Returns whether a file of `data/` with this name holds such rows.
    pub(crate) fn is_given_rows(name: &str) -> bool {
        name.starts_with("given_")
    }

    /// Where the result goes if the program names no other place.
    pub fn taken_result(&self, ext: &str) -> PathBuf {
        self.data().join(format!("result.{ext}"))
    }

    /// `metadata/fallbacks.json`: what `quarantine retry` asked for.
    pub fn fallbacks(&self) -> PathBuf {
        self.metadata().join("fallbacks.json")
    }

    /// `metadata/fallbacks/`: copies of the components that [`fallbacks`](Self::fallbacks) uses.
    pub fn fallback_components(&self) -> PathBuf {
        self.metadata().join("fallbacks")
    }

    /// `metadata/result.json`: what a complete job made of which input.
    pub fn result(&self) -> PathBuf {
        self.metadata().join("result.json")
    }

    /// `metadata/uploads.json`: uploads of the export that are not finished.
    pub(crate) fn uploads(&self) -> PathBuf {
        self.metadata().join("uploads.json")
    }

    /// `export/`: the export before it is put to its address.
    pub(crate) fn staged_exports(&self) -> PathBuf {
        self.root.join("export")
    }

    /// The file in it.
    pub(crate) fn staged_export(&self, name: &str) -> PathBuf {
        self.staged_exports().join(name)
    }

    /// `metadata/environment.json`: versions, machine, command line.
    pub fn environment(&self) -> PathBuf {
        self.metadata().join("environment.json")
    }

    fn list(&self, dir: &Path, keep: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
        if let (Some(view), Ok(below)) = (self.view(), dir.strip_prefix(&self.root)) {
            view.bring(&below.to_string_lossy())?;
        }
        let entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot list `{}`", dir.display()));
            }
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list `{}`", dir.display()))?;
            if entry.file_name().to_str().is_some_and(&keep) {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_work_dir_that_ends_in_the_job_id_is_the_run_directory() {
        assert_eq!(
            RunPaths::for_job(Path::new("out"), "j").root(),
            Path::new("out/j")
        );
        assert_eq!(
            RunPaths::for_job(Path::new("out/j"), "j").root(),
            Path::new("out/j")
        );
        assert_eq!(RunPaths::new("out/j/").job_id(), "j");
    }
}
