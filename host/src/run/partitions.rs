//! Which partitions a job has. The choice is kept in the run directory: a resumed job must cut the input at the same places.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::Prepared;
use crate::checkpoint::{Key, KeyBuilder};
use crate::config::{Count, PartitionMode, Resolved, canonical_json};
use crate::dataset::{Dataset, FieldType, InputFile, Partition, ReadField, ReadOptions, Slice, read};
use crate::job::{RunPaths, Storage};
use crate::op::Cost;
use crate::partition::auto::{AutoOptions, DatasetSize, Machine, Modality, OpCosts, SampledRow, choose, sample_rows};
use crate::partition::{SplitBy, split};
use crate::plan::{Chains, Plan};

/// Version of the table.
const FORMAT_VERSION: u32 = 1;
/// Partitions of manual mode without a number, as Data-Juicer has it.
const MANUAL_DEFAULT: u32 = 4;

/// The partitions and why they are what they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Chosen {
    format_version: u32,
    /// The settings that led to it.
    settings: String,
    /// The files, as they were.
    files: Vec<InputFile>,
    /// The partitions, in input order.
    pub partitions: Vec<Partition>,
    /// For the user, a line each.
    pub why: Vec<String>,
}

/// The partitions of an earlier attempt if input and settings are as they were, else new ones.
pub(super) fn load_or_choose(resolved: &Resolved, plan: &Plan, dataset: &Dataset, paths: &RunPaths) -> Result<Chosen> {
    let settings = settings(resolved);
    let earlier: Option<Chosen> = std::fs::read(paths.partition_table()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if let Some(earlier) = earlier
        && earlier.format_version == FORMAT_VERSION
        && earlier.settings == settings
        && earlier.files == dataset.files
    {
        return Ok(earlier);
    }
    let chosen = choose_partitions(resolved, plan, dataset)?;
    Storage::new().write_json(&paths.partition_table(), &chosen)?;
    Ok(chosen)
}

/// As [`choose_partitions`], for a dataset that may not be unpacked yet: then nothing can be measured, and one partition stands for all.
pub(super) fn preview(resolved: &Resolved, plan: &Plan, dataset: &Dataset) -> Result<Chosen> {
    if dataset.is_splittable() {
        return choose_partitions(resolved, plan, dataset);
    }
    let why = vec!["packed or single-piece files are unpacked once when the job runs; how they are cut is decided then".to_owned()];
    let files = dataset.files.clone();
    Ok(Chosen {
        format_version: FORMAT_VERSION,
        settings: settings(resolved),
        files,
        partitions: vec![Partition { id: 0, slices: Vec::new() }],
        why,
    })
}

fn settings(resolved: &Resolved) -> String {
    let config = resolved.config.to_json();
    format!("{} batch {}", canonical_json(&config["partition"]), resolved.config.batch_size_kb)
}

/// Cuts the dataset as the recipe says.
pub(super) fn choose_partitions(resolved: &Resolved, plan: &Plan, dataset: &Dataset) -> Result<Chosen> {
    let config = &resolved.config;
    let settings = settings(resolved);
    let count = match config.partition.num_of_partitions {
        Some(Count::Exactly(n)) => Some(n),
        _ => None,
    };
    let (by, why) = match (config.partition_mode(), count, config.partition.size) {
        (PartitionMode::Manual, Some(n), _) => (SplitBy::Count(u32::try_from(n)?), vec![format!("manual mode: {n} partitions")]),
        (PartitionMode::Manual, None, Some(size)) => (SplitBy::Rows(size), vec![format!("manual mode: {size} rows per partition")]),
        (PartitionMode::Manual, None, None) => {
            (SplitBy::Count(MANUAL_DEFAULT), vec![format!("manual mode: {MANUAL_DEFAULT} partitions by default")])
        }
        (PartitionMode::Auto, most, _) => {
            let sample = sample(resolved, dataset);
            let options = AutoOptions {
                target_size_mb: config.partition.target_size_mb,
                max_size_mb: config.partition.max_size_mb,
                size: config.partition.size,
                most,
            };
            let size = DatasetSize { bytes: dataset.bytes(), rows: None };
            let machine = Machine { workers: config.workers(), memory: available_memory() };
            let auto = choose(sample.as_deref().map_err(|e| e.as_str()), size, costs(plan), machine, options);
            (SplitBy::Count(u32::try_from(auto.partitions).unwrap_or(u32::MAX)), auto.why)
        }
    };
    Ok(Chosen { format_version: FORMAT_VERSION, settings, files: dataset.files.clone(), partitions: split(dataset, by)?, why })
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

/// Memory that the machine and the container's limit leave; None = unknown.
fn available_memory() -> Option<u64> {
    let number = |text: &str| text.split_whitespace().find_map(|w| w.parse::<u64>().ok());
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let machine = info.lines().find(|l| l.starts_with("MemAvailable:")).and_then(number)? * 1024;
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|t| number(&t));
    Some(limit.map_or(machine, |l| l.min(machine)))
}

/// Places at which rows are looked at.
const PLACES: u64 = 64;

/// Rows from places spread over the whole dataset.
fn sample(resolved: &Resolved, dataset: &Dataset) -> Result<Vec<SampledRow>, String> {
    let config = &resolved.config;
    let field = |path: &str, ty: FieldType| ReadField { path: path.to_owned(), ty, required: false };
    let mut options = ReadOptions::new(vec![
        field(config.text_key(), FieldType::Utf8),
        field(&config.image_key, FieldType::Json),
        field(&config.audio_key, FieldType::Json),
        field(&config.video_key, FieldType::Json),
    ]);
    options.batch_bytes = 64 << 10;
    let bytes = dataset.bytes();
    if bytes == 0 {
        return Ok(Vec::new());
    }
    let pieces = split(dataset, SplitBy::Count(PLACES as u32)).map_err(|e| format!("{e:#}"))?;
    // The number of rows is not known yet; 1 KB each is a guess that only decides how many are looked at.
    let per_place = (sample_rows(bytes / 1024) / PLACES).max(4) as usize;
    let mut rows = Vec::new();
    for piece in pieces.iter().filter(|p| !p.slices.is_empty()) {
        let Some(block) = read(dataset, piece, &options).map_err(|e| format!("{e:#}"))?.next() else { continue };
        let batch = block.map_err(|e| format!("{e:#}"))?.batch;
        rows.extend(
            (0..batch.rows().min(per_place))
                .map(|i| sampled(&batch, i, config.text_key(), &[&config.image_key, &config.audio_key, &config.video_key])),
        );
    }
    Ok(rows)
}

fn sampled(batch: &crate::dataset::Batch, row: usize, text_key: &str, media: &[&String; 3]) -> SampledRow {
    use arrow::array::{Array, AsArray};
    let data = batch.field(text_key);
    let text = data.as_ref().and_then(|d| d.as_string_view_opt()).filter(|t| t.is_valid(row)).map_or("", |t| t.value(row));
    let has = |key: &str| {
        batch
            .field(key)
            .is_some_and(|d| d.is_valid(row) && d.as_string_view_opt().is_none_or(|v| !matches!(v.value(row), "[]" | "null" | "\"\"")))
    };
    let bytes = match &batch.raw {
        Some(raw) => raw.value(row).len() as u64,
        None => batch.columns.iter().map(|c| c.data.slice(row, 1).to_data().get_slice_memory_size().unwrap_or(0) as u64).sum(),
    };
    SampledRow {
        bytes,
        text_chars: text.chars().count() as u64,
        modality: Modality::of_row(text, has(media[0]), has(media[1]), has(media[2])),
    }
}

/// The chains of keys of all partitions.
pub(super) fn chains(prepared: &Prepared, dataset: &Dataset, partitions: &[Partition]) -> Chains {
    let export = format!("{:?} stats {}", prepared.target.format, prepared.resolved.config.keep_stats_in_res_ds);
    let reader = canonical_json(&prepared.resolved.config.reader_json());
    let inputs = partitions.iter().map(|p| input_key(dataset, p, &reader, prepared)).collect();
    Chains::new(&prepared.plan, inputs, &export)
}

/// What a partition's rows are made of: files as they were, places in them, and what the reader takes for a good row.
fn input_key(dataset: &Dataset, partition: &Partition, reader: &str, prepared: &Prepared) -> Key {
    let mut key = KeyBuilder::new("input").number(u64::from(FORMAT_VERSION)).with(reader);
    for field in prepared.plan.fields.iter().filter(|f| f.required) {
        key = key.with(&field.path).with(field.ty.name());
    }
    for Slice { file, start, end } in &partition.slices {
        let f = &dataset.files[*file];
        let (path, bytes, modified) = match &f.origin {
            Some(o) => (&o.path, o.bytes, o.modified_ns),
            None => (&f.path, f.bytes, f.modified_ns),
        };
        key = key
            .with(path.as_os_str().as_encoded_bytes())
            .number(bytes)
            .with(modified.to_le_bytes())
            .number(*file as u64)
            .number(*start)
            .number(*end);
    }
    key.key()
}
