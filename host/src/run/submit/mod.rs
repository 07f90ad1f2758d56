//! Runs a job on a Ray cluster that this machine is no node of: `djhost run` packs it, submits it by
//! Ray's interface for jobs, shows what it prints there, and ends as it ends.

mod package;
mod zip;

use std::time::Duration;

use anyhow::Result;

use super::{Draft, Outcome, RunOptions};
use crate::config::{Place, Resolved};
use crate::error::{Stopped, UserError, exit};
use crate::remote::{Failure, RayJob, RayJobs};
use crate::rundir::StopFlag;
use crate::sanitize::printable;
use crate::term::say;
use package::{Package, run_command, stop_command};

/// How often it is asked how the job is.
const POLL: Duration = Duration::from_millis(700);
/// How often the cluster may leave a question unanswered while the job runs.
const PATIENCE: u32 = 5;

/// Submits the job, whose recipe and operators have been checked, and follows it until it ends. Its
/// dataset and its run directory are looked at on the cluster. A `stop` asks it there to stop.
pub fn submit(draft: Draft, options: &RunOptions, stop: &StopFlag) -> Result<Outcome> {
    let resolved = draft.resolved();
    let Place::Submit { url, client } = &resolved.place.place else {
        return Err(anyhow::anyhow!(
            "internal error: the job is not for submitting"
        ));
    };
    if options.list_tasks.is_some() {
        return Err(
            UserError::new("--list-tasks", format!("the job runs behind `{url}`"))
                .hint("list its tasks on a machine that sees its run directory")
                .into(),
        );
    }
    let place = resolved.place("ray_address");
    let unreachable = |failure: Failure| reach(failure, &place, client.as_deref());
    let jobs =
        RayJobs::new(url).map_err(|why| UserError::new(&place, format!("`{url}`: {why}")))?;
    let version = jobs.version().map_err(unreachable)?;
    draft
        .notes()
        .iter()
        .for_each(|note| tracing::warn!("{note}"));
    let package = Package::of(resolved)?;
    let at = |failure: Failure| failure.at(&place);
    jobs.put_package(&package.name, &package.content)
        .map_err(at)?;
    let id = free_id(&jobs, resolved).map_err(at)?;
    let command = run_command(resolved, options)?;
    jobs.submit(&id, &package.name, &command).map_err(at)?;
    if !options.quiet {
        say(&format!(
            "job {}: submitted as `{id}` to the Ray {} cluster behind {url}\n",
            resolved.dirs.job_id,
            printable(&version)
        ));
    }
    let code = Followed {
        jobs: &jobs,
        id: &id,
        resolved,
        package: &package.name,
        shown: 0,
    }
    .follow(stop)?;
    match code {
        exit::STOPPED => Err(Stopped.into()),
        code => Ok(Outcome { code }),
    }
}

/// The error for a cluster that does not answer.
fn reach(failure: Failure, place: &str, client: Option<&str>) -> UserError {
    let error = failure.at(place);
    match client {
        Some(client) => UserError {
            message: format!(
                "`{client}`: jobs are not sent to Ray's client, and {}",
                error.message
            ),
            ..error
        }
        .hint("give the address of the dashboard, `http://HOST:8265`"),
        None if error.hint.is_none() => error.hint("is it the address of the cluster's dashboard?"),
        None => error,
    }
}

/// The first name of the job that no submission has.
fn free_id(jobs: &RayJobs, resolved: &Resolved) -> Result<String, Failure> {
    let mut number = 1;
    loop {
        let id = format!("djhost-{}-{number}", resolved.dirs.job_id);
        if jobs.find(&id)?.is_none() {
            return Ok(id);
        }
        number += 1;
    }
}

/// What Ray prints before it begins the command of a job.
const BEGINS: &str = "Running entrypoint for job ";

/// A submitted job.
struct Followed<'a> {
    jobs: &'a RayJobs,
    id: &'a str,
    resolved: &'a Resolved,
    package: &'a str,
    /// How many bytes of what it printed are shown.
    shown: usize,
}

impl Followed<'_> {
    /// Shows what it prints until it ends; returns its exit code.
    fn follow(mut self, stop: &StopFlag) -> Result<u8> {
        let mut asked_to_stop = false;
        let mut failures = 0;
        loop {
            if stop.requested() && !asked_to_stop {
                asked_to_stop = true;
                self.ask_to_stop()?;
            }
            // What it printed before it ended is asked for after that is known.
            let job = self.jobs.find(self.id);
            let logs = self.jobs.logs(self.id);
            match (job, logs) {
                (Ok(job), Ok(logs)) => {
                    failures = 0;
                    let is_over = job.as_ref().is_none_or(RayJob::is_over);
                    self.show(&logs, is_over);
                    let Some(job) = job else {
                        return Err(anyhow::anyhow!(
                            "the cluster knows nothing of the job `{}` any more",
                            self.id
                        ));
                    };
                    if job.is_over() {
                        return Ok(self.ended(&job));
                    }
                }
                (Err(failure), _) | (_, Err(failure)) => {
                    failures += 1;
                    if failures == PATIENCE {
                        return Err(anyhow::Error::from(failure).context(format!(
                            "the job `{}` may still run on the cluster; the same command follows a new attempt at it",
                            self.id
                        )));
                    }
                }
            }
            std::thread::sleep(POLL);
        }
    }

    fn ask_to_stop(&self) -> Result<()> {
        say("asks the job on the cluster to stop\n");
        let id = format!("{}-stop", self.id);
        let asked = self
            .jobs
            .submit(&id, self.package, &stop_command(self.resolved)?);
        if let Err(failure) = asked {
            tracing::warn!("it is not asked to stop: {failure}");
        }
        Ok(())
    }

    /// Shows what is new of `logs`: whole lines, unless that `is_all`.
    fn show(&mut self, logs: &str, is_all: bool) {
        if self.shown == 0 {
            // What Ray says of the package is of interest only if the command never begins.
            let begins = logs
                .find(BEGINS)
                .and_then(|at| Some(at + logs[at..].find('\n')? + 1));
            match begins {
                Some(at) => self.shown = at,
                None if !is_all => return,
                None => {}
            }
        }
        let mut new = logs.get(self.shown..).unwrap_or_default();
        if !is_all {
            new = &new[..new.rfind('\n').map_or(0, |end| end + 1)];
        }
        self.shown += new.len();
        for line in new.lines() {
            say(&format!("{}\n", printable(line)));
        }
    }

    /// The exit code of the job, which has ended so.
    fn ended(&self, job: &RayJob) -> u8 {
        match (job.status.as_str(), job.driver_exit_code) {
            ("SUCCEEDED", _) => exit::DONE,
            (_, Some(code)) if (1..=255).contains(&code) => code as u8,
            (status, _) => {
                let message = job.message.as_deref().unwrap_or_default();
                let first = message.lines().next().unwrap_or_default();
                tracing::error!("the job `{}` is {status}: {}", self.id, printable(first));
                exit::FAILED
            }
        }
    }
}
