//! Chooses partitions for a dataset that has none yet.

use anyhow::Result;

use super::{Chosen, settings};
use crate::config::{Count, PartitionMode, Resolved};
use crate::data::Dataset;
use crate::partition::auto::{self, AutoOptions, AutoSize, DatasetSize, Machine, OpCosts};
use crate::partition::sample::read_sample;
use crate::partition::split::{SplitBy, split};
use crate::partition::survey::survey;
use crate::plan::Plan;
use crate::term::counted;
use crate::wasm::Cost;

/// Number of partitions in manual mode if none is given, as in Data-Juicer.
const MANUAL_DEFAULT: u32 = 4;

/// Cuts the dataset as the recipe asks.
pub(super) fn choose_partitions(
    resolved: &Resolved,
    plan: &Plan,
    dataset: &Dataset,
) -> Result<Chosen> {
    let config = &resolved.config;
    let count = match config.partition.num_of_partitions {
        Some(Count::Exactly(n)) => Some(n),
        _ => None,
    };
    let (by, mut why) = match (config.partition_mode(), count, config.partition.size) {
        (PartitionMode::Manual, Some(n), _) => (
            SplitBy::Count(u32::try_from(n)?),
            vec![format!("manual mode: {}", counted(n, "partition"))],
        ),
        (PartitionMode::Manual, None, Some(size)) => (
            SplitBy::Rows(size),
            vec![format!(
                "manual mode: {} per partition",
                counted(size, "row")
            )],
        ),
        (PartitionMode::Manual, None, None) => (
            SplitBy::Count(MANUAL_DEFAULT),
            vec![format!(
                "manual mode: {MANUAL_DEFAULT} partitions by default"
            )],
        ),
        (PartitionMode::Auto, most, _) => {
            let auto = auto_size(resolved, plan, dataset, most);
            let count = u32::try_from(auto.partitions).unwrap_or(u32::MAX);
            let workers = u32::try_from(config.workers()).unwrap_or(u32::MAX);
            (SplitBy::About { count, workers }, auto.why)
        }
    };
    let partitions = split(dataset, by)?;
    if let SplitBy::About { count, .. } = by
        && partitions.len() < count as usize
    {
        why.push(format!(
            "row groups with a column of a few large pages are decoded as a whole, so they are not cut: {}",
            counted(partitions.len() as u64, "partition")
        ));
    }
    Ok(Chosen::new(settings(resolved), dataset, partitions, why))
}

/// Measures the dataset and lets auto mode choose, with `most` partitions at most.
fn auto_size(resolved: &Resolved, plan: &Plan, dataset: &Dataset, most: Option<u64>) -> AutoSize {
    let config = &resolved.config;
    let survey = survey(dataset).map_err(|e| format!("{e:#}"));
    let sample = survey
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|survey| read_sample(resolved, dataset, survey));
    let options = AutoOptions {
        target_size_mb: config.partition.target_size_mb,
        max_size_mb: config.partition.max_size_mb,
        size: config.partition.size,
        most,
    };
    let rows = survey.as_ref().ok().map(|survey| survey.rows);
    // Columns and packed pages take another amount of memory than of disk, so their size says nothing
    // about a row.
    let row_bytes = match rows {
        Some(rows) if !dataset.is_columnar() && !dataset.is_pages() && rows.number() > 0 => {
            Some(dataset.bytes() as f64 / rows.number() as f64)
        }
        _ => survey.ok().and_then(|survey| survey.row_bytes),
    };
    let size = DatasetSize {
        bytes: dataset.bytes(),
        rows,
        row_bytes,
    };
    let machine = Machine {
        workers: config.workers(),
        memory: available_memory().map(|free| free.saturating_sub(plan.model_bytes())),
    };
    auto::choose(
        sample.as_deref().map_err(|e| e.as_str()),
        size,
        costs(plan),
        machine,
        options,
    )
}

fn costs(plan: &Plan) -> OpCosts {
    let mut costs = OpCosts::default();
    for op in &plan.ops {
        match op.pool.descriptor().cost {
            Cost::Light => costs.light += 1,
            Cost::Medium => costs.medium += 1,
            Cost::Heavy => costs.heavy += 1,
        }
    }
    costs
}

/// Returns the memory that the system and the container's limit leave available; None if unknown.
fn available_memory() -> Option<u64> {
    let number = |text: &str| text.split_whitespace().find_map(|w| w.parse::<u64>().ok());
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let machine = info
        .lines()
        .find(|l| l.starts_with("MemAvailable:"))
        .and_then(number)?
        * 1024;
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|t| number(&t));
    Some(limit.map_or(machine, |l| l.min(machine)))
}
