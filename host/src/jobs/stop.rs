//! Stops a job from the outside: asks, waits, and kills only if told to.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::api::Job;
use super::progress::{JobState, PartitionProgress};
use crate::error::UserError;
use crate::rundir::lock::{Liveness, if_free, who_holds};
use crate::rundir::process::{Signal, host_name};
use crate::rundir::{Holder, Status, StopRequest};

/// How often the lock is checked while waiting.
const LOOK: Duration = Duration::from_millis(50);

/// The result of a request to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopOutcome {
    /// The process has ended, and everything complete is committed.
    Stopped,
    /// The process was killed.
    Killed,
    /// The job completed before it saw the request.
    Finished,
    /// The timeout passed while the process still worked on what it had begun. The request stays in
    /// place.
    StillRunning,
    /// No process ran the job: it had completed, failed or been stopped before.
    NotRunning,
    /// No process ran the job: its process had died.
    Died,
}

/// The result of [`stop_job`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StopReport {
    /// The job id.
    pub job_id: String,
    /// The result of the request.
    pub outcome: StopOutcome,
    /// State of the job afterwards.
    pub status: JobState,
    /// The process that was asked.
    pub process_id: Option<u32>,
    /// What still runs and a kill would lose, one sentence per partition.
    pub at_work: Vec<String>,
    /// The command that continues the job.
    pub resumption_command: Option<String>,
}

/// Asks the process that runs the job to stop and waits up to `timeout`: it finishes the batches in
/// flight, commits what is complete and ends with code 3. With `force` it is killed at once; what
/// is committed stays, and the job can be resumed all the same. Only the process that holds the
/// job's lock, verified by pid and start time, is ever signalled, and none that does more than this
/// job, such as a Python program: with `force` that is a [`UserError`].
///
/// ```
/// # fn main() -> anyhow::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// # let run_directory = dir.path().join("my_experiment_001");
/// # djhost::testing::finished_job(&run_directory)?;
/// # let job_id = run_directory.to_str().unwrap();
/// use djhost::jobs::{StopOutcome, stop_job};
/// use std::time::Duration;
/// let report = stop_job(job_id, false, Duration::from_secs(30))?;
/// assert_eq!(report.outcome, StopOutcome::NotRunning);
/// # Ok(())
/// # }
/// ```
pub fn stop_job(job_id: &str, force: bool, timeout: Duration) -> Result<StopReport> {
    stop_job_in(job_id, None, force, timeout)
}

/// Does what [`stop_job`] does, but looks for the job below `base_dir`.
pub fn stop_job_in(
    job_id: &str,
    base_dir: Option<&Path>,
    force: bool,
    timeout: Duration,
) -> Result<StopReport> {
    let job = Job::find(job_id, base_dir)?;
    let Liveness::Held(holder) = who_holds(job.paths())? else {
        let outcome = if job.overall_progress()?.status == JobState::Died {
            StopOutcome::Died
        } else {
            StopOutcome::NotRunning
        };
        return report(&job, outcome, None);
    };
    // Between taking the lock and writing its name, a process is unknown for a moment.
    let holder = match holder {
        Some(holder) => holder,
        None => match wait_for_holder(&job)? {
            Some(holder) => holder,
            None => return report(&job, StopOutcome::NotRunning, None),
        },
    };
    if force {
        let outcome = kill(&job, &holder, timeout)?;
        return report(&job, outcome, Some(&holder));
    }
    ask(&job, &holder)?;
    if wait_until_free(&job, &holder, timeout)? {
        let status = job.overall_progress()?.status;
        let outcome = match status {
            JobState::Completed | JobState::Failed => StopOutcome::Finished,
            _ => StopOutcome::Stopped,
        };
        StopRequest::clear(job.paths())?;
        return report(&job, outcome, Some(&holder));
    }
    report(&job, StopOutcome::StillRunning, Some(&holder))
}

/// Writes the request file first, so that the process finds it when the signal arrives. A repeated
/// request sends no signal: a second one would end the process at once. A process that does more
/// than this job gets none at all: it looks for the file.
fn ask(job: &Job, holder: &Holder) -> Result<()> {
    let asked_before = StopRequest::is_for(job.paths(), &holder.process);
    StopRequest::write(job.paths(), holder.process.clone())?;
    if holder.host == host_name() && !asked_before && !holder.does_more {
        // A missing process has ended since the look at the lock. One of another user cannot be
        // signalled but sees the file.
        match holder.process.signal(Signal::Terminate) {
            Err(error) if error.kind() != std::io::ErrorKind::PermissionDenied => {
                Err(error).context("cannot signal the process")?
            }
            _ => {}
        }
    }
    Ok(())
}

fn kill(job: &Job, holder: &Holder, timeout: Duration) -> Result<StopOutcome> {
    if holder.host != host_name() {
        bail!(
            "process {} runs on `{}`: kill it there",
            holder.process.pid,
            holder.host
        );
    }
    if holder.does_more {
        return Err(UserError::new(
            "",
            format!(
                "the job runs in process {}, a program that does more than this job: it is not killed",
                holder.process.pid
            ),
        )
        .hint("stop it without `--force`, or end that program yourself; the job can be continued in either case")
        .into());
    }
    if !holder
        .process
        .signal(Signal::Kill)
        .with_context(|| format!("cannot kill process {}", holder.process.pid))?
    {
        // It ended by itself just before.
        return Ok(StopOutcome::NotRunning);
    }
    if !wait_until_free(job, holder, timeout.max(LOOK))? {
        return Ok(StopOutcome::StillRunning);
    }
    if job.paths().address().is_some() {
        // Its summary is its own until somebody continues it.
        StopRequest::clear(job.paths())?;
        return Ok(StopOutcome::Killed);
    }
    // A killed process cannot write its state. If someone resumes the job meanwhile, they hold the
    // lock and own the summary.
    if_free(job.paths(), || {
        if let Some(mut summary) = job
            .load_job_summary()?
            .filter(|s| s.status == Status::Running)
        {
            summary.finish(Status::Stopped, None);
            summary.stop_reason = Some("killed".to_owned());
            summary.save(job.paths())?;
        }
        StopRequest::clear(job.paths())
    })?;
    Ok(StopOutcome::Killed)
}

fn wait_for_holder(job: &Job) -> Result<Option<Holder>> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        match who_holds(job.paths())? {
            Liveness::Held(Some(holder)) => return Ok(Some(holder)),
            Liveness::Held(None) => std::thread::sleep(LOOK),
            Liveness::Free(_) => return Ok(None),
        }
    }
    bail!(
        "job `{}` is locked, but its lock file does not say by whom",
        job.paths().job_id()
    )
}

/// Waits until `holder` has released the lock; returns false after `timeout`.
fn wait_until_free(job: &Job, holder: &Holder, timeout: Duration) -> Result<bool> {
    let start = Instant::now();
    loop {
        match who_holds(job.paths())? {
            Liveness::Held(None) => {}
            Liveness::Held(Some(now))
                if now.process == holder.process && now.attempt == holder.attempt => {}
            _ => return Ok(true),
        }
        if start.elapsed() >= timeout {
            return Ok(false);
        }
        std::thread::sleep(LOOK.min(timeout));
    }
}

fn report(job: &Job, outcome: StopOutcome, holder: Option<&Holder>) -> Result<StopReport> {
    let progress = job.overall_progress()?;
    let at_work = if outcome == StopOutcome::StillRunning {
        let running = progress
            .partition
            .iter()
            .filter(|p| p.current_ops.is_some());
        let sentence = |p: &PartitionProgress| {
            let since = p.checkpoints.last().map_or("its start".to_owned(), |c| {
                format!("the checkpoint after op {} `{}`", c.op.index, c.op.name)
            });
            let op = p.current_op.as_ref().map_or(String::new(), |op| {
                format!(" in op {} `{}`", op.index, op.name)
            });
            format!("partition {}{op}: its work since {since}", p.partition_id)
        };
        running.map(sentence).collect()
    } else {
        Vec::new()
    };
    Ok(StopReport {
        job_id: progress.job_id,
        outcome,
        status: progress.status,
        process_id: holder.map(|h| h.process.pid),
        at_work,
        resumption_command: progress.resumption_command,
    })
}
