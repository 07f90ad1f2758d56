//! Auto mode: chooses the size of partitions from measurements of a sample. A pure function: the
//! caller reads the rows and asks the machine.
//!
//! The rules are those of Data-Juicer's `PartitionSizeOptimizer` (1.6.1), including the parts that
//! have no effect there: the sample is spread over the dataset, operators count by their cost
//! class, memory multipliers apply, and available memory and `max_size_mb` are honoured.

mod facts;
mod modality;
#[cfg(test)]
mod tests;

pub(crate) use facts::{
    AutoOptions, DatasetSize, Machine, OpCosts, RowCount, SampledRow, sample_rows,
};
pub use modality::Modality;

use crate::term::{bytes, count, counted};

/// Bytes per MB of the options `target_size_mb` and `max_size_mb`, as in Data-Juicer.
const MB: f64 = 1_048_576.0;

/// Fewest rows per partition: with fewer, overhead is all that counts (Data-Juicer's lower limit).
const MIN_ROWS: f64 = 10.0;

/// Partitions per worker for datasets worth splitting. With four rounds, the last one, where
/// workers run out of work, is a small share.
const ROUNDS: u64 = 4;

/// Smallest partition worth splitting off: smaller ones cost more in files and fsyncs (some
/// milliseconds) than in reading and the lightest operators (300 MB/s).
const SMALL_BYTES: f64 = 4.0 * MB;

/// Share of the available memory that partitions in work may take (as in Data-Juicer).
const MEMORY_SHARE: f64 = 0.8;

/// If the spread of row sizes (standard deviation over mean, at most 1) is above this, partitions
/// are made smaller by a fifth (as in Data-Juicer).
const UNEVEN: f64 = 0.7;

/// The size of partitions that auto mode chose.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AutoSize {
    /// Modality of the dataset; `Text` if there is no sample.
    pub modality: Modality,
    /// Number of partitions, at least 1. The caller balances them by bytes or rows.
    pub partitions: u64,
    /// Approximate rows per partition.
    pub rows: u64,
    /// Approximate bytes of input per partition.
    pub bytes: u64,
    /// Whether the analysis failed, so that `size` and `max_size_mb` decided.
    pub fell_back: bool,
    /// What was measured and why it led to this result, one line each, for `djhost plan`.
    pub why: Vec<String>,
}

/// Chooses the number of partitions. `sample` has rows from all over the dataset, or the reason why
/// there are none.
pub(crate) fn choose(
    sample: Result<&[SampledRow], &str>,
    dataset: DatasetSize,
    costs: OpCosts,
    machine: Machine,
    options: AutoOptions,
) -> AutoSize {
    match sample {
        Ok([]) => fall_back(
            "the dataset has no rows to sample",
            dataset,
            machine,
            options,
        ),
        Ok(rows) => analyse(rows, dataset, costs, machine, options),
        Err(reason) => fall_back(reason, dataset, machine, options),
    }
}

fn analyse(
    sample: &[SampledRow],
    dataset: DatasetSize,
    costs: OpCosts,
    machine: Machine,
    options: AutoOptions,
) -> AutoSize {
    let mut why = Vec::new();
    let modality = most_frequent(sample, &mut why);
    let measured = Measured::new(sample, dataset, &mut why);
    let rows = measured.rows;
    let per_partition = rows_per_partition(measured, modality, costs, machine, options, &mut why);
    finish(
        AutoSize {
            modality,
            partitions: (rows / per_partition).ceil() as u64,
            rows: rows.round() as u64,
            bytes: dataset.bytes,
            fell_back: false,
            why,
        },
        machine,
        options,
    )
}

/// What a sample tells about the rows of a dataset.
#[derive(Debug, Clone, Copy)]
struct Measured {
    /// Number of rows in the dataset.
    rows: f64,
    /// Average bytes of a row.
    mean: f64,
    /// Standard deviation of the bytes of a row over their mean, at most 1.
    spread: f64,
}

impl Measured {
    fn new(sample: &[SampledRow], dataset: DatasetSize, why: &mut Vec<String>) -> Self {
        let n = sample.len() as f64;
        let sampled = (sample.iter().map(|r| r.bytes as f64).sum::<f64>() / n).max(1.0);
        let variance = sample
            .iter()
            .map(|r| (r.bytes as f64 - sampled).powi(2))
            .sum::<f64>()
            / n;
        let spread = (variance.sqrt() / sampled).min(1.0);
        let mean = dataset.row_bytes.unwrap_or(sampled).max(1.0);
        let mut lengths: Vec<u64> = sample.iter().map(|r| r.bytes).collect();
        lengths.sort_unstable();
        let p90 = lengths[(lengths.len() - 1) * 9 / 10];
        let chars = sample.iter().map(|r| r.text_chars as f64).sum::<f64>() / n;
        let rows = dataset
            .rows
            .map_or(dataset.bytes as f64 / mean, |rows| rows.number() as f64)
            .max(1.0);
        why.push(format!(
            "a row has {} on average ({} at the 90th percentile), {} of text; the dataset has {}{}, {}",
            bytes(mean as u64),
            bytes(p90),
            counted(chars.round() as u64, "character"),
            if matches!(dataset.rows, Some(RowCount::Exact(_))) {
                ""
            } else {
                "about "
            },
            n_rows(rows),
            bytes(dataset.bytes),
        ));
        Self { rows, mean, spread }
    }
}

/// Returns how many rows a partition should have, before the number of workers counts.
fn rows_per_partition(
    measured: Measured,
    modality: Modality,
    costs: OpCosts,
    machine: Machine,
    options: AutoOptions,
    why: &mut Vec<String>,
) -> f64 {
    let sizes = modality.sizes();
    let complexity = costs.complexity();
    let memory = measured.mean * sizes.memory;
    let target = options.target_size_mb as f64 * MB;
    let mut rows = target / (memory * complexity);
    why.push(format!(
        "target {} (`target_size_mb` {}) / ({} a row × {} for {modality} × complexity {complexity:.1} of {} light, {} medium, {} heavy operators) = {}",
        bytes(target as u64),
        options.target_size_mb,
        bytes(measured.mean as u64),
        sizes.memory,
        costs.light,
        costs.medium,
        costs.heavy,
        n_rows(rows),
    ));
    if measured.spread > UNEVEN {
        rows *= 0.8;
        why.push(format!(
            "rows differ much in size (spread {:.2}): a fifth less, {}",
            measured.spread,
            n_rows(rows)
        ));
    }
    if let Some(available) = machine.memory {
        let share = MEMORY_SHARE * available as f64 / machine.workers.max(1) as f64;
        if rows * memory > share {
            rows = share / memory;
            why.push(format!(
                "{} of memory for {} allow {} a partition: {}",
                bytes(available),
                counted(machine.workers as u64, "worker"),
                bytes(share as u64),
                n_rows(rows)
            ));
        }
    }
    if rows > sizes.max_rows as f64 {
        rows = sizes.max_rows as f64;
        why.push(format!("at most {} for {modality}", n_rows(rows)));
    }
    if rows < MIN_ROWS {
        rows = MIN_ROWS;
        why.push(format!("at least {MIN_ROWS} rows"));
    }
    rows
}

fn fall_back(
    reason: &str,
    dataset: DatasetSize,
    machine: Machine,
    options: AutoOptions,
) -> AutoSize {
    let mut why = vec![format!("no analysis: {reason}")];
    let largest = options.max_size_mb as f64 * MB;
    let by_bytes = (dataset.bytes as f64 / largest).ceil() as u64;
    let per_partition = options.size.unwrap_or(Modality::Text.sizes().default_rows);
    let by_rows = dataset
        .rows
        .map_or(0, |rows| rows.number().div_ceil(per_partition));
    why.push(match dataset.rows {
        Some(rows) => {
            let (rows, partitions) = (counted(rows.number(), "row"), counted(by_rows, "partition"));
            format!(
                "{rows} / {} (`partition.size`) = {partitions}",
                count(per_partition)
            )
        }
        None => "the number of rows is not known, so `partition.size` does not help".to_owned(),
    });
    let partitions = counted(by_bytes, "partition");
    why.push(format!(
        "{} / {} (`max_size_mb` {}) = {partitions}",
        bytes(dataset.bytes),
        bytes(largest as u64),
        options.max_size_mb
    ));
    let rows = dataset.rows.map_or(0, RowCount::number);
    let partitions = by_rows.max(by_bytes);
    finish(
        AutoSize {
            modality: Modality::Text,
            partitions,
            rows,
            bytes: dataset.bytes,
            fell_back: true,
            why,
        },
        machine,
        options,
    )
}

/// Adjusts the number of partitions: enough for the workers, at most what was asked for, and no
/// more than rows. Then turns the totals into sizes per partition.
fn finish(mut auto: AutoSize, machine: Machine, options: AutoOptions) -> AutoSize {
    let workers = machine.workers.max(1) as u64;
    auto.partitions = auto.partitions.max(1);
    let worthwhile = (auto.bytes as f64 / SMALL_BYTES).floor() as u64;
    let wanted = (ROUNDS * workers).min(worthwhile);
    if auto.partitions < wanted {
        auto.partitions = wanted;
        auto.why.push(format!(
            "{ROUNDS} partitions for each of {}, as far as each has {}: {wanted}",
            counted(workers, "worker"),
            bytes(SMALL_BYTES as u64)
        ));
    } else if workers > 1
        && auto.partitions > workers
        && auto.partitions < 2 * ROUNDS * workers
        && !auto.partitions.is_multiple_of(workers)
    {
        auto.partitions = auto.partitions.next_multiple_of(workers);
        auto.why.push(format!(
            "a multiple of {}: {}",
            counted(workers, "worker"),
            auto.partitions
        ));
    }
    if let Some(most) = options.most.filter(|most| auto.partitions > *most) {
        auto.partitions = most.max(1);
        auto.why
            .push(format!("at most {most} (`partition.num_of_partitions`)"));
    }
    if auto.rows > 0 && auto.partitions > auto.rows {
        auto.partitions = auto.rows;
        auto.why.push(format!("not more than rows: {}", auto.rows));
    }
    auto.rows = auto.rows.div_ceil(auto.partitions);
    auto.bytes = auto.bytes.div_ceil(auto.partitions);
    let rows = if auto.rows > 0 {
        format!("{}, ", counted(auto.rows, "row"))
    } else {
        String::new()
    };
    auto.why.push(format!(
        "{} of about {rows}{}",
        counted(auto.partitions, "partition"),
        bytes(auto.bytes)
    ));
    auto
}

fn most_frequent(sample: &[SampledRow], why: &mut Vec<String>) -> Modality {
    let mut counts = Modality::ALL.map(|m| (sample.iter().filter(|r| r.modality == m).count(), m));
    // The sort is stable: among equal counts, the order of the table decides.
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let shares: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, m)| format!("{m} {:.0} %", 100.0 * *count as f64 / sample.len() as f64))
        .collect();
    why.push(format!(
        "{} sampled over the whole dataset: {}",
        counted(sample.len() as u64, "row"),
        shares.join(", ")
    ));
    counts[0].1
}

fn n_rows(n: f64) -> String {
    counted(n.max(0.0).round() as u64, "row")
}
