//! A job that is planned: everything that is known of it before its run directory is touched.

use super::Plan;
use crate::config::Resolved;
use crate::data::{Dataset, ExportOptions, ExportTarget};

/// A job that is planned and has not begun: nothing was written.
pub struct Prepared {
    /// The configuration.
    pub resolved: Resolved,
    /// The plan.
    pub plan: Plan,
    /// The input as the user named it.
    pub dataset: Dataset,
    /// Where the export goes.
    pub target: ExportTarget,
    /// How the export's parts are written.
    pub export: ExportOptions,
}
