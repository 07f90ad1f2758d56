//! A planned job: everything that is known before its run directory is touched.

use super::Plan;
use crate::config::Resolved;
use crate::data::{Dataset, ExportOptions, ExportTarget};

/// A job that is planned and not yet started. Nothing has been written.
pub struct Prepared {
    /// The configuration.
    pub resolved: Resolved,
    /// The plan.
    pub plan: Plan,
    /// The input as the user named it, not yet unpacked.
    pub dataset: Dataset,
    /// Where the export goes.
    pub target: ExportTarget,
    /// How parts of the export are written.
    pub export: ExportOptions,
}

impl Prepared {
    /// Returns what the user should know, one sentence each: options without effect, guesses, what
    /// the files of the dataset are.
    pub fn notes(&self) -> Vec<String> {
        let notes = [&self.resolved.notes, &self.plan.notes, &self.dataset.notes];
        notes.into_iter().flatten().cloned().collect()
    }
}
