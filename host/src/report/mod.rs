//! What a job did, on one page of HTML: its rows through the recipe, stats with thresholds that can
//! be moved, duplicates, quarantine, time and memory, and the recipe.
//!
//! [`Document::of_job`] computes the data from the run directory, [`Page`] makes the file. `page/`
//! has the script and the style sheet, which need no build step.

mod analysis;
mod curve;
mod document;
mod examples;
mod html;
mod live;
mod serve;
mod stats;
#[cfg(test)]
mod tests;
mod what_if;

pub use analysis::{Analysis, Correlation, Group, GroupNumbers, Groups, Overlap, Suggestion};
pub use curve::Histogram;
pub use document::{Depth, Document};
pub use html::{MARK, Page};
pub use live::LiveStats;
pub use serve::{Describe, Server};
pub use stats::StatTable;
pub use what_if::{OpWhatIf, WhatIf};
