//! What a process that runs tasks is told, and what it tells: one JSON value in a line each.
//!
//! ```text
//! → init                      ← ready, or refused: the process ends then
//! → task, …                   ← event, log, progress, committed, … and at the end of each task done or failed
//! → cancel: ends a task       ← failed, with `stopped`
//! → stop: ends all tasks, then the process
//! ```
//!
//! The end of the input ends the process at once. A task that was not answered is run again, by
//! whichever process: that is harmless, because a file is there once its manifest is, and files of
//! one key are the same.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::checkpoint::Manifest;
use crate::error::{Final, Stopped, UserError};
use crate::exec::barrier_task::{BarrierTask, MadeFile};
use crate::exec::damage::Damaged;
use crate::exec::meter::Share;
use crate::plan::lineage_key::Key;
use crate::rundir::events::Event;

/// Version of the protocol. A process that is told another one refuses.
pub(crate) const PROTOCOL: u32 = 3;

/// What is said to a process. The first line is [`Init`](Self::Init).
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToWorker {
    /// Which job it works on.
    Init(Init),
    /// Something to do.
    Task(Task),
    /// Nobody wants the result of this task any more.
    Cancel(String),
    /// Nothing more is to be done.
    Stop,
}

/// The job that a process works on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Init {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// The working directory, which the paths of the recipe begin at.
    pub directory: PathBuf,
    /// The run directory. It has the recipe and the table of partitions.
    pub run: PathBuf,
    /// The address of the run directory, if it is in a bucket: the process makes a copy of its own,
    /// and `run` is that of the process that runs the job.
    #[serde(default)]
    pub address: Option<String>,
    /// Whether it goes away with the job, so that nothing has to survive a power cut.
    #[serde(default)]
    pub temporary: bool,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// The digest of the plan; the process refuses if it plans otherwise. None: it only says what it
    /// plans.
    #[serde(default)]
    pub plan: Option<String>,
    /// What says of each op what it does: if the plans differ, the first op that does something else
    /// is named.
    #[serde(default)]
    pub ops: Vec<Key>,
    /// How many tasks it will have at a time.
    pub threads: usize,
    /// Which worker of the attempt it is, from 1, where another one may be at work on the same task:
    /// its data files have this number in their names. None: nobody else is.
    #[serde(default)]
    pub worker: Option<usize>,
    /// Directories that came with the program: each, and the one in its place, below `$DJHOST_CARRIED`.
    #[serde(default)]
    pub carried: Vec<(PathBuf, String)>,
}

/// A task.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    /// `steps.SEGMENT.PARTITION`, `split.OP.GROUP` or `find.OP.PIECE`; the answers repeat it.
    pub id: String,
    /// What is to be done.
    pub work: Work,
}

/// What is left of a partition in a segment.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StepsTask {
    /// The segment, from 0.
    pub segment: usize,
    /// The partition, from 0.
    pub partition: usize,
    /// The ops after which rows are stored.
    pub stored: Vec<usize>,
    /// Number of the segment's first step within the job.
    pub stage: usize,
    /// What there is of the partition already.
    pub manifests: Vec<Manifest>,
}

/// The kinds of tasks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Work {
    /// What is left of a partition in a segment.
    Steps(StepsTask),
    /// A piece of what concerns all partitions.
    Barrier(BarrierTask),
}

/// What a process says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromWorker {
    /// It waits for tasks.
    Ready(Ready),
    /// It cannot work on this job, and ends.
    Refused {
        /// Why, for the user.
        reason: String,
    },
    /// Something happened, in a thread of this number.
    Event {
        /// What.
        event: Event,
        /// Where.
        thread: u64,
    },
    /// A line for the log.
    Log {
        /// How important it is.
        level: LogLevel,
        /// Whether an operator said it.
        guest: bool,
        /// The line.
        text: String,
    },
    /// What was counted since it said so last: now and then, and before a task ends.
    Progress(Share),
    /// A file of a task is there.
    Committed {
        /// The task.
        id: String,
        /// The file.
        manifest: Box<Manifest>,
    },
    /// The file of a piece of a barrier's work is there.
    Made {
        /// The task.
        id: String,
        /// The file.
        file: MadeFile,
    },
    /// All files of a task are there.
    Done {
        /// The task.
        id: String,
    },
    /// A task has failed.
    Failed {
        /// The task.
        id: String,
        /// Why.
        failure: Failure,
    },
}

/// What a process is and plans.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// The digest of its plan.
    pub plan: String,
    /// Its number on its machine.
    pub process: u32,
    /// The name of its machine.
    pub host: String,
    /// The processor's architecture.
    pub arch: String,
}

/// How important a line of a log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the levels of `tracing`")]
pub(crate) enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// An error of a task, as far as it matters who must act.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Failure {
    kind: FailureKind,
    error: String,
    /// The file that is damaged, if that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    damaged: Option<Damaged>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FailureKind {
    /// The task was cancelled.
    Stopped,
    /// The user can fix it.
    User,
    /// It would happen again however often the task is retried.
    Final,
    /// The system refused something.
    Io,
    Other,
}

impl Failure {
    /// What is left of `error` for another process.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let kind = if error.chain().any(|e| e.is::<Stopped>()) {
            FailureKind::Stopped
        } else if error.chain().any(|e| e.is::<UserError>()) {
            FailureKind::User
        } else if error.chain().any(|e| e.is::<Final>()) {
            FailureKind::Final
        } else if error.chain().any(|e| e.is::<std::io::Error>()) {
            FailureKind::Io
        } else {
            FailureKind::Other
        };
        Self {
            kind,
            error: format!("{error:#}"),
            damaged: Damaged::of(error).cloned(),
        }
    }

    /// Whether the system refused something: a store that is asked too much, a disk, memory.
    pub(crate) fn is_of_system(&self) -> bool {
        matches!(self.kind, FailureKind::Io)
    }

    /// The error in this process.
    pub(crate) fn into_error(self) -> anyhow::Error {
        if let Some(damaged) = self.damaged {
            return damaged.into();
        }
        match self.kind {
            FailureKind::Stopped => Stopped.into(),
            FailureKind::User => UserError::new("", self.error).into(),
            FailureKind::Final => Final(self.error).into(),
            FailureKind::Io => std::io::Error::other(self.error).into(),
            FailureKind::Other => anyhow::Error::msg(self.error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_who_must_act() {
        let sent = |error: anyhow::Error| {
            let line = serde_json::to_string(&Failure::of(&error)).unwrap();
            let failure: Failure = serde_json::from_str(&line).unwrap();
            failure.into_error()
        };
        assert!(sent(Stopped.into()).is::<Stopped>());
        let last = anyhow::Error::from(Final("no use".into())).context("op 3");
        let last = sent(last);
        assert!(last.is::<Final>());
        assert_eq!(format!("{last:#}"), "op 3: no use");
        let disk = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert!(sent(disk.into()).is::<std::io::Error>());
        assert_eq!(sent(anyhow::anyhow!("else")).to_string(), "else");
    }
}
