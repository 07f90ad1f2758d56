//! Completes the progress of a job from its summary.

use crate::jobs::progress::{JobProgress, JobState};
use crate::rundir::{JobSummary, Status};

/// Adds what the events lack: logging may be off, and a job may die before its first event.
pub(super) fn add_summary(progress: &mut JobProgress, summary: &JobSummary) {
    let or = |text: &mut String, other: &str| {
        if text.is_empty() {
            other.clone_into(text);
        }
    };
    or(&mut progress.job_id, &summary.job_id);
    or(&mut progress.dataset_path, &summary.dataset_path);
    or(&mut progress.export_path, &summary.export_path);
    or(&mut progress.work_dir, &summary.work_dir);
    progress.attempt = progress
        .attempt
        .max(summary.attempts.last().map_or(0, |a| a.attempt));
    progress.start_time = progress.start_time.or(Some(summary.start_time));
    if !progress.status.is_running() {
        progress.end_time = progress
            .end_time
            .into_iter()
            .chain(summary.end_time)
            .reduce(f64::max);
        if progress.duration == 0.0 {
            progress.duration = summary.duration.unwrap_or(0.0);
        }
        progress.error_message = progress
            .error_message
            .take()
            .or(summary.error_message.clone());
        let command = Some(summary.resumption_command.clone()).filter(|c| !c.is_empty());
        progress.resumption_command = progress
            .resumption_command
            .take()
            .filter(|c| !c.is_empty())
            .or(command);
    }
    if progress.status == JobState::Completed && summary.status == Status::Completed {
        progress.rows.read = summary.ledger.read;
        progress.rows.output = summary.ledger.output;
        progress.rows.quarantined = summary.ledger.quarantined;
    }
    if progress.partition.is_empty() {
        progress.partitions.total = summary.totals.partitions;
        if summary.status == Status::Completed {
            progress.partitions.done = progress.partitions.total;
        }
        progress.partitions.waiting = progress.partitions.total - progress.partitions.done;
    }
}
