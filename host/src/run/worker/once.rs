//! One task of a job that no process runs just now: `djhost task --run DIR --id ID`, for schedulers
//! that start processes, such as Slurm.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::job::Job;
use crate::error::UserError;
use crate::exec::{Steps, segment};
use crate::rundir::events::EventLog;
use crate::rundir::lock::{Liveness, who_holds};
use crate::rundir::own_files::read_document;
use crate::rundir::{JobSummary, RunPaths, StopFlag, TaskLock};

/// Runs task `id` (`steps.SEGMENT.PARTITION`) of the job in the run directory `run`, from what is
/// committed of it; a task that is done is not done again. `plan` is the digest of the plan that the
/// task is of; None: of what is planned.
///
/// Returns whether there was anything to do. Fails with a [`UserError`] if there is no such task, if
/// it waits for what only the process that runs the job does, or if another process is at work.
pub fn run_task(run: &Path, plan: Option<&str>, id: &str, stop: &StopFlag) -> Result<bool> {
    let (segment, partition) = parse(id).ok_or_else(|| {
        UserError::new("--id", format!("`{id}` is no task"))
            .hint("`djhost run CONFIG --list-tasks` prints the tasks that can run; they are called `steps.0.17`")
    })?;
    let run = std::path::absolute(run)?;
    let paths = RunPaths::new(&run);
    if let Some(directory) = directory(&paths) {
        std::env::set_current_dir(&directory)
            .with_context(|| format!("cannot work in `{}`", directory.display()))?;
    }
    let attempt = JobSummary::load_if_readable(&paths)?.map_or(1, |s| s.attempts.len().max(1));
    let job = Job::load(paths.clone(), attempt as u32, None)?;
    if let Some(difference) = plan.and_then(|plan| job.digest.difference(plan)) {
        return Err(UserError::new("--plan", difference)
            .hint("list the tasks again, with the program that is to run them")
            .into());
    }
    if let Liveness::Held(_) = who_holds(&paths)? {
        return Err(UserError::new(
            paths.root().display().to_string(),
            format!(
                "a process runs job `{}`, and all of its tasks",
                paths.job_id()
            ),
        )
        .hint("run single tasks when it has ended")
        .into());
    }
    let no_such = |what: &str, number: usize, of: usize| {
        UserError::new("--id", format!("`{id}`: there is no {what} {number}"))
            .hint(format!("the job has {of}, counted from 0"))
    };
    let (segments, partitions) = (&job.plan().segments, &job.chosen.partitions);
    let segment = segments
        .get(segment)
        .ok_or_else(|| no_such("segment", segment, segments.len()))?;
    let partition = partitions
        .get(partition)
        .ok_or_else(|| no_such("partition", partition, partitions.len()))?;
    let _alone = TaskLock::alone(&paths, id)?;
    let log = EventLog::disabled(&paths.job_id(), attempt as u32);
    let context = job.context(&log, stop);
    let p = partition.id as usize;
    let index = crate::exec::reconcile::committed(&context, p);
    if segment::is_done(&context, &index, p, segment, &|_| false) {
        return Ok(false);
    }
    if let Some(op) = segment::waits_for(&context, &index, p, segment) {
        let name = &job.plan().ops[op].name;
        return Err(UserError::new(
            "--id",
            format!("`{id}` waits for op {op} `{name}`, which needs all partitions"),
        )
        .hint("when the tasks before it are done, `djhost run CONFIG --list-tasks` does that, and prints the next tasks")
        .into());
    }
    let steps = Steps {
        partition,
        segment,
        stored: &job.stored(segment, partition),
        stage: job.plan().first_stage(segment.index),
        held: index.of(p),
    };
    segment::run(&context, &steps, &|_| {})?;
    Ok(true)
}

/// Segment and partition of a task.
fn parse(id: &str) -> Option<(usize, usize)> {
    let (segment, partition) = id.strip_prefix("steps.")?.split_once('.')?;
    Some((segment.parse().ok()?, partition.parse().ok()?))
}

/// Where the paths of the recipe begin: the working directory of the last attempt.
fn directory(paths: &RunPaths) -> Option<PathBuf> {
    let document = read_document(&paths.environment()).ok()?;
    let environment: Value = serde_json::from_slice(&document).ok()?;
    let directory = environment["working_directory"].as_str()?;
    (!directory.is_empty()).then(|| PathBuf::from(directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_have_two_numbers() {
        assert_eq!(parse("steps.2.17"), Some((2, 17)));
        for bad in [
            "steps.2",
            "steps.a.1",
            "masks.0.1",
            "steps.0.1.2",
            "steps.-1.0",
            "",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
