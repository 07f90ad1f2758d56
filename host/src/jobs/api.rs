//! The job API: the functions that `djhost monitor`, `stop`, `jobs` and `logs` are made of.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::find::JobFinder;
use super::progress::{JobProgress, JobState, PartitionProgress};
use super::snapshot::{Facts, snapshot};
use crate::rundir::events::{EventLogs, now, read_events};
use crate::rundir::lock::{Liveness, who_holds};
use crate::rundir::mirror::mirror_dir;
use crate::rundir::{DatasetMapping, JobSummary, ProcessId, RunPaths, Status, StopRequest};

/// A job as its run directory describes it. Only reads; safe while the job runs.
///
/// ```
/// # fn main() -> anyhow::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// # djhost::testing::finished_job(&dir.path().join("my_experiment_001"))?;
/// # let base_dir = dir.path();
/// use djhost::jobs::Job;
/// let job = Job::find("my_experiment", Some(base_dir))?;
/// let summary = job.load_job_summary()?.expect("the job has begun");
/// assert_eq!(summary.job_id, "my_experiment_001");
/// assert_eq!(job.load_event_logs()?.records[0].status.as_deref(), Some("running"));
/// assert_eq!(job.overall_progress()?.partitions.done, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Job {
    paths: RunPaths,
}

impl Job {
    /// Returns the job whose run directory is `paths`. Reads nothing yet.
    pub fn new(paths: RunPaths) -> Self {
        Self { paths }
    }

    /// Finds a job by its id, the beginning of its id, or its path; see [`JobFinder`]. Fails with a
    /// [`UserError`](crate::error::UserError) that names the candidates if none or several match.
    pub fn find(job: &str, base_dir: Option<&Path>) -> Result<Self> {
        JobFinder::new(base_dir).find(job).map(Self::new)
    }

    /// Returns the run directory.
    pub fn paths(&self) -> &RunPaths {
        &self.paths
    }

    /// Reads `job_summary.json`; returns None if the job died before it wrote one.
    pub fn load_job_summary(&self) -> Result<Option<JobSummary>> {
        JobSummary::load(&self.paths)
    }

    /// Reads the events of all attempts, in order.
    pub fn load_event_logs(&self) -> Result<EventLogs> {
        read_events(&self.paths)
    }

    /// Reads `metadata/dataset_mapping.json`; returns None if the dataset is not yet divided.
    pub fn load_dataset_mapping(&self) -> Result<Option<DatasetMapping>> {
        DatasetMapping::load(&self.paths)
    }

    /// Returns the process that runs the job now, if there is one.
    pub fn running_process(&self) -> Result<Option<ProcessId>> {
        Ok(match who_holds(&self.paths)? {
            Liveness::Held(holder) => holder.map(|h| h.process),
            Liveness::Free(_) => None,
        })
    }

    /// Returns the state, current op, rows, ops and checkpoints of each partition.
    pub fn partition_status(&self) -> Result<Vec<PartitionProgress>> {
        Ok(self.overall_progress()?.partition)
    }

    /// Returns the progress of the whole job, partitions included.
    pub fn overall_progress(&self) -> Result<JobProgress> {
        self.paths.refresh()?;
        // Look at the lock first: a job that ends while the files are read then counts as running,
        // not as dead.
        let liveness = who_holds(&self.paths)?;
        let logs = self.load_event_logs()?;
        let summary = JobSummary::load_if_readable(&self.paths)?;
        let mapping = self.load_dataset_mapping()?;
        let stop_requested = match &liveness {
            Liveness::Held(Some(holder)) => StopRequest::is_for(&self.paths, &holder.process),
            _ => false,
        };
        let facts = Facts {
            logs: &logs,
            summary: summary.as_ref(),
            mapping: mapping.as_ref(),
            liveness: &liveness,
            stop_requested,
            now: now(),
        };
        let mut progress = snapshot(&facts);
        // The directory may have been moved since the job ran.
        progress.work_dir = self.paths.show(self.paths.root());
        if progress.job_id.is_empty() {
            progress.job_id = self.paths.job_id();
        }
        if progress.resumption_command.is_none()
            && matches!(
                progress.status,
                JobState::Died | JobState::Failed | JobState::Stopped
            )
        {
            progress.resumption_command = Some(format!("djhost run --resume {}", progress.job_id));
        }
        Ok(progress)
    }
}

/// The name of [`Job`] in Data-Juicer.
pub type JobUtils = Job;

/// Prints the progress of a job and returns it; `detailed` adds the ops and checkpoints of every
/// partition.
///
/// ```
/// # fn main() -> anyhow::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// # let run_directory = dir.path().join("my_experiment_001");
/// # djhost::testing::finished_job(&run_directory)?;
/// # let job_id = run_directory.to_str().unwrap();
/// let progress = djhost::jobs::show_job_progress(job_id, true)?;
/// assert_eq!(progress.fraction, 1.0);
/// # Ok(())
/// # }
/// ```
pub fn show_job_progress(job_id: &str, detailed: bool) -> Result<JobProgress> {
    let progress = Job::find(job_id, None)?.overall_progress()?;
    let text = super::show::render(&progress, detailed, crate::term::Style::plain());
    std::io::Write::write_all(&mut std::io::stdout().lock(), text.as_bytes())?;
    Ok(progress)
}

/// A job in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobEntry {
    /// The job id.
    pub job_id: String,
    /// State of the job.
    pub status: JobState,
    /// Start of the first attempt, seconds since 1970.
    pub start_time: Option<f64>,
    /// Seconds during which attempts ran.
    pub duration: f64,
    /// Share of the work that is done, 0..1.
    pub fraction: f64,
    /// Pid of the process that runs it now.
    pub process_id: Option<u32>,
    /// The run directory.
    pub work_dir: String,
    /// Path of the dataset.
    pub dataset_path: String,
}

/// The jobs that a process runs now, newest first.
///
/// ```
/// for job in djhost::jobs::list_running_jobs()? {
///     println!("{} {:.0} %", job.job_id, 100.0 * job.fraction);
/// }
/// # Ok::<(), anyhow::Error>(())
/// ```
pub fn list_running_jobs() -> Result<Vec<JobEntry>> {
    list_jobs(None, false)
}

/// Returns the jobs below `base_dir`, newest first: those that run now, or with `all` those that do
/// not run, too. If `base_dir` is None, looks at all jobs that this user started on this machine
/// and below `./outputs`. Skips directories that cannot be read as a job, with a warning in the
/// log.
pub fn list_jobs(base_dir: Option<&Path>, all: bool) -> Result<Vec<JobEntry>> {
    Ok(list_some_jobs(base_dir, all, 0, usize::MAX)?.jobs)
}

/// One page of the jobs of [`list_jobs`].
#[derive(Debug, Clone, Default)]
pub struct JobPage {
    /// The jobs on this page.
    pub jobs: Vec<JobEntry>,
    /// Number of jobs on all pages.
    pub total: usize,
}

/// Whether this machine ran a job whose run directory is in a bucket, and to its end: then no server
/// is asked whether it runs.
fn has_ended_here(paths: &RunPaths) -> bool {
    let mirror = paths.address().and_then(|at| mirror_dir(at).ok());
    let summary = mirror.and_then(|dir| JobSummary::load(&RunPaths::new(dir)).ok()?);
    summary.is_some_and(|summary| summary.status != Status::Running)
}

/// Returns `limit` jobs of [`list_jobs`] after the newest `skip`. Only the events of these are
/// read.
pub fn list_some_jobs(
    base_dir: Option<&Path>,
    all: bool,
    skip: usize,
    limit: usize,
) -> Result<JobPage> {
    let mut found = Vec::new();
    for paths in JobFinder::new(base_dir).all()? {
        if !all && has_ended_here(&paths) {
            continue;
        }
        if all || !matches!(who_holds(&paths), Ok(Liveness::Free(_))) {
            if let Err(error) = paths.refresh() {
                let place = paths.show(paths.root());
                tracing::warn!("`{place}` is passed over: {error:#}");
                continue;
            }
            let start = JobSummary::load(&paths)
                .ok()
                .flatten()
                .map_or(f64::MAX, |summary| summary.start_time);
            found.push((start, paths));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.root().cmp(b.1.root())));
    let total = found.len();
    let mut jobs = Vec::new();
    for (_, paths) in found.into_iter().skip(skip).take(limit) {
        match Job::new(paths.clone()).overall_progress() {
            Ok(p) if all || p.status.is_running() => jobs.push(JobEntry {
                job_id: p.job_id,
                status: p.status,
                start_time: p.start_time,
                duration: p.duration,
                fraction: p.fraction,
                process_id: p.process_id,
                work_dir: p.work_dir,
                dataset_path: p.dataset_path,
            }),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!("`{}` is passed over: {error:#}", paths.show(paths.root()))
            }
        }
    }
    jobs.sort_by(|a, b| {
        b.start_time
            .unwrap_or(0.0)
            .total_cmp(&a.start_time.unwrap_or(0.0))
            .then_with(|| a.work_dir.cmp(&b.work_dir))
    });
    Ok(JobPage { jobs, total })
}
