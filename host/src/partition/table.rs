//! The table of partitions of a job. It is kept in the run directory because a resumed job must cut
//! the input at the same places.

use std::collections::HashMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::auto::{AutoOptions, DatasetSize, Machine, Modality, OpCosts, SampledRow, choose};
use super::split::{SplitBy, split, split_like};
use super::survey::{Survey, survey};
use crate::checkpoint::{Chains, Store};
use crate::config::{Count, PartitionMode, Resolved, canonical_json};
use crate::data::{Dataset, FieldType, InputFile, Partition, ReadField, ReadOptions, Slice, read};
use crate::plan::lineage_key::{Key, KeyBuilder};
use crate::plan::{Plan, Prepared};
use crate::rundir::checksummed_json::{seal, unseal};
use crate::rundir::{RunPaths, Storage};
use crate::term::counted;
use crate::wasm::Cost;

/// Version of the table's format.
const FORMAT_VERSION: u32 = 2;
/// Number of partitions in manual mode if none is given, as in Data-Juicer.
const MANUAL_DEFAULT: u32 = 4;

/// The partitions that were chosen, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Chosen {
    format_version: u32,
    /// The settings that led to this choice.
    settings: String,
    /// The files of the dataset at that time.
    files: Vec<InputFile>,
    /// The partitions, in input order.
    pub partitions: Vec<Partition>,
    /// Identity of each partition's input: equal identities mean equal rows. It stays the same if a
    /// file is touched or grows after the end of the partition.
    identities: Vec<Key>,
    /// Reasons for the user, one line each.
    pub why: Vec<String>,
}

/// Returns the partitions of an earlier attempt if input and settings are unchanged. Otherwise
/// chooses new ones, cut at the same places if possible, and stores them.
pub(crate) fn load_or_choose(
    prepared: &Prepared,
    dataset: &Dataset,
    paths: &RunPaths,
) -> Result<Chosen> {
    let earlier = earlier(paths);
    if let Some(same) = earlier.as_ref().filter(|e| {
        e.settings == settings(&prepared.resolved) && same_files(&e.files, &dataset.files)
    }) {
        return Ok(same.clone());
    }
    let chosen = choose_again(prepared, dataset, earlier.as_ref(), paths)?;
    Storage::new().write_atomic(&paths.partition_table(), &seal(&chosen)?)?;
    Ok(chosen)
}

/// Returns what [`load_or_choose`] would return, but writes nothing. Returns None if packed files
/// would have to be unpacked for it.
pub(crate) fn preview_again(prepared: &Prepared, paths: &RunPaths) -> Result<Option<Chosen>> {
    let (earlier, dataset) = (earlier(paths), &prepared.dataset);
    // An unpacked copy counts as the file that it was made from.
    let same = |a: &InputFile, b: &InputFile| {
        if b.is_splittable() {
            same_file(a, b)
        } else {
            a.origin.as_ref() == Some(&b.as_origin())
        }
    };
    let is_same = |e: &&Chosen| {
        let files = || e.files.iter().zip(&dataset.files);
        e.settings == settings(&prepared.resolved)
            && e.files.len() == dataset.files.len()
            && files().all(|(a, b)| same(a, b))
    };
    match earlier.as_ref().filter(is_same) {
        Some(same) => Ok(Some(same.clone())),
        None if dataset.is_splittable() => {
            choose_again(prepared, dataset, earlier.as_ref(), paths).map(Some)
        }
        None => Ok(None),
    }
}

fn earlier(paths: &RunPaths) -> Option<Chosen> {
    let table = paths.partition_table();
    let bytes = std::fs::read(&table).ok()?;
    let earlier = unseal::<Chosen>(&bytes)
        .inspect_err(|e| tracing::warn!("`{}` is not used: {e:#}", table.display()))
        .ok()?;
    Some(earlier).filter(|e| e.format_version == FORMAT_VERSION)
}

fn choose_again(
    prepared: &Prepared,
    dataset: &Dataset,
    earlier: Option<&Chosen>,
    paths: &RunPaths,
) -> Result<Chosen> {
    let (resolved, plan) = (&prepared.resolved, &prepared.plan);
    let mut chosen = None;
    if let Some(earlier) = earlier.filter(|e| e.settings == settings(resolved)) {
        chosen = cut_as_before(resolved, dataset, earlier)?;
    }
    let mut chosen = match chosen {
        Some(chosen) => chosen,
        None => choose_partitions(resolved, plan, dataset)?,
    };
    if let Some(earlier) = earlier {
        inherit(&mut chosen, earlier, prepared, dataset, paths)?;
    }
    Ok(chosen)
}

/// Returns whether the files are unchanged. It does not matter when an unpacked copy was made.
fn same_files(a: &[InputFile], b: &[InputFile]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_file(a, b))
}

fn same_file(a: &InputFile, b: &InputFile) -> bool {
    match (&a.origin, &b.origin) {
        (Some(x), Some(y)) => x == y && a.bytes == b.bytes,
        _ => a == b,
    }
}

/// Returns partitions for a changed dataset, cut where it was cut before, or None if it must be cut
/// afresh.
fn cut_as_before(
    resolved: &Resolved,
    dataset: &Dataset,
    earlier: &Chosen,
) -> Result<Option<Chosen>> {
    let config = &resolved.config;
    let exact = matches!(config.partition.num_of_partitions, Some(Count::Exactly(_)));
    if matches!(config.partition_mode(), PartitionMode::Manual)
        && !exact
        && config.partition.size.is_some()
    {
        // Cuts after a number of rows are at the same places anyway.
        return Ok(None);
    }
    let exact = exact || matches!(config.partition_mode(), PartitionMode::Manual);
    let files = earlier
        .files
        .iter()
        .zip(&dataset.files)
        .take_while(|(a, b)| a.path == b.path && a.format == b.format)
        .count();
    let mut ends: Vec<(usize, u64)> = Vec::new();
    for partition in &earlier.partitions {
        let before = ends.last().copied().unwrap_or((0, 0));
        ends.push(partition.slices.last().map_or(before, |s| (s.file, s.end)));
    }
    let Some(end) = ends.pop() else {
        return Ok(None);
    };
    let size = |files: &[InputFile]| files.iter().map(|f| f.bytes).sum::<u64>();
    if size(&dataset.files) > 4 * size(&earlier.files).max(1) {
        return Ok(None);
    }
    let Some(partitions) = split_like(dataset, files, &ends, end, exact)? else {
        return Ok(None);
    };
    let mut why = earlier.why.clone();
    let word = "the input has changed: cut at the places of the earlier attempt, so that what is unchanged need not be done again";
    if !why.iter().any(|w| w == word) {
        why.push(word.to_owned());
    }
    Ok(Some(Chosen::new(
        earlier.settings.clone(),
        dataset,
        partitions,
        why,
    )))
}

/// Copies the identity of earlier partitions to those that have the same input.
fn inherit(
    chosen: &mut Chosen,
    earlier: &Chosen,
    prepared: &Prepared,
    dataset: &Dataset,
    paths: &RunPaths,
) -> Result<()> {
    let places = |slices: &[Slice]| -> Vec<(usize, u64, u64)> {
        slices.iter().map(|s| (s.file, s.start, s.end)).collect()
    };
    let known: HashMap<_, &Key> = earlier
        .partitions
        .iter()
        .map(|p| places(&p.slices))
        .zip(&earlier.identities)
        .collect();
    let mut contents: Option<HashMap<Key, String>> = None;
    for (partition, identity) in chosen.partitions.iter().zip(&mut chosen.identities) {
        let Some(before) = known.get(&places(&partition.slices)) else {
            continue;
        };
        let files = |test: &dyn Fn(&InputFile, &InputFile) -> bool| {
            partition.slices.iter().all(|s| {
                earlier
                    .files
                    .get(s.file)
                    .is_some_and(|a| test(a, &dataset.files[s.file]))
            })
        };
        if files(&same_file) {
            *identity = (*before).clone();
        } else if !dataset.is_columnar() && files(&|a, b| a.path == b.path && a.format == b.format)
        {
            // The file was touched, has grown, or changed somewhere: its bytes decide.
            let contents = contents.get_or_insert_with(|| contents_read(paths));
            let then = contents.get(&input_key(before, prepared));
            if then.is_some() && then == super::identity::checksum(dataset, partition)?.as_ref() {
                *identity = (*before).clone();
            }
        }
    }
    Ok(())
}

/// Returns the checksums of the inputs of all partitions that earlier attempts read, by the key of
/// the input.
fn contents_read(paths: &RunPaths) -> HashMap<Key, String> {
    let checkpoints = paths
        .manifests()
        .unwrap_or_default()
        .into_iter()
        .map(|(.., path)| path);
    let parts = paths.part_manifests().unwrap_or_default();
    let manifests = checkpoints
        .chain(parts)
        .filter_map(|path| Store::read_manifest(&path).ok().flatten());
    manifests
        .filter_map(|m| m.account.input)
        .map(|i| (i.key, i.checksum))
        .collect()
}

impl Chosen {
    fn new(
        settings: String,
        dataset: &Dataset,
        partitions: Vec<Partition>,
        why: Vec<String>,
    ) -> Self {
        let identities = partitions.iter().map(|p| identity(dataset, p)).collect();
        Self {
            format_version: FORMAT_VERSION,
            settings,
            files: dataset.files.clone(),
            partitions,
            identities,
            why,
        }
    }
}

/// Does what [`choose_partitions`] does, for a dataset that may not be unpacked yet. In that case
/// nothing can be measured, and the result is a single partition.
pub(crate) fn preview(resolved: &Resolved, plan: &Plan, dataset: &Dataset) -> Result<Chosen> {
    if dataset.is_splittable() {
        return choose_partitions(resolved, plan, dataset);
    }
    let why = vec!["packed or single-piece files are unpacked once when the job runs; how they are cut is decided then".to_owned()];
    Ok(Chosen::new(
        settings(resolved),
        dataset,
        vec![Partition {
            id: 0,
            slices: Vec::new(),
        }],
        why,
    ))
}

fn settings(resolved: &Resolved) -> String {
    let config = resolved.config.to_json();
    format!(
        "{} batch {}",
        canonical_json(&config["partition"]),
        resolved.config.batch_size_kb
    )
}

/// Cuts the dataset as the recipe asks.
pub(crate) fn choose_partitions(
    resolved: &Resolved,
    plan: &Plan,
    dataset: &Dataset,
) -> Result<Chosen> {
    let config = &resolved.config;
    let settings = settings(resolved);
    let count = match config.partition.num_of_partitions {
        Some(Count::Exactly(n)) => Some(n),
        _ => None,
    };
    let (by, why) = match (config.partition_mode(), count, config.partition.size) {
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
            let survey = survey(dataset).map_err(|e| format!("{e:#}"));
            let sample = survey
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|survey| sample(resolved, dataset, survey));
            let options = AutoOptions {
                target_size_mb: config.partition.target_size_mb,
                max_size_mb: config.partition.max_size_mb,
                size: config.partition.size,
                most,
            };
            let rows = survey.ok().map(|survey| survey.rows);
            // Columns take another amount of memory than of disk, so their size says nothing about
            // a row.
            let row_bytes = rows
                .filter(|rows| !dataset.is_columnar() && rows.number() > 0)
                .map(|rows| dataset.bytes() as f64 / rows.number() as f64);
            let size = DatasetSize {
                bytes: dataset.bytes(),
                rows,
                row_bytes,
            };
            let machine = Machine {
                workers: config.workers(),
                memory: available_memory(),
            };
            let auto = choose(
                sample.as_deref().map_err(|e| e.as_str()),
                size,
                costs(plan),
                machine,
                options,
            );
            (
                SplitBy::Count(u32::try_from(auto.partitions).unwrap_or(u32::MAX)),
                auto.why,
            )
        }
    };
    Ok(Chosen::new(settings, dataset, split(dataset, by)?, why))
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

/// Reads the rows of the survey's sample.
fn sample(
    resolved: &Resolved,
    dataset: &Dataset,
    survey: &Survey,
) -> Result<Vec<SampledRow>, String> {
    let config = &resolved.config;
    let field = |path: &str, ty: FieldType| ReadField {
        path: path.to_owned(),
        ty,
        required: false,
    };
    let mut options = ReadOptions::new(vec![
        field(config.text_key(), FieldType::Utf8),
        field(&config.image_key, FieldType::Json),
        field(&config.audio_key, FieldType::Json),
        field(&config.video_key, FieldType::Json),
    ]);
    options.batch_bytes = 64 << 10;
    let mut rows = Vec::new();
    for piece in survey.sample.iter().filter(|p| !p.slices.is_empty()) {
        let mut left = survey.per_piece;
        for block in read(dataset, piece, &options).map_err(|e| format!("{e:#}"))? {
            let batch = block.map_err(|e| format!("{e:#}"))?.batch;
            let taken = batch.rows().min(left);
            let media = [&config.image_key, &config.audio_key, &config.video_key];
            rows.extend((0..taken).map(|i| sampled(&batch, i, config.text_key(), &media)));
            left -= taken;
            if left == 0 {
                break;
            }
        }
    }
    Ok(rows)
}

fn sampled(
    batch: &crate::data::Batch,
    row: usize,
    text_key: &str,
    media: &[&String; 3],
) -> SampledRow {
    use arrow::array::{Array, AsArray};
    let data = batch.field(text_key);
    let text = data
        .as_ref()
        .and_then(|d| d.as_string_view_opt())
        .filter(|t| t.is_valid(row))
        .map_or("", |t| t.value(row));
    let has = |key: &str| {
        batch.field(key).is_some_and(|d| {
            d.is_valid(row)
                && d.as_string_view_opt()
                    .is_none_or(|v| !matches!(v.value(row), "[]" | "null" | "\"\""))
        })
    };
    let bytes = match &batch.raw {
        Some(raw) => raw.value(row).len() as u64,
        None => batch
            .columns
            .iter()
            .map(|c| {
                c.data
                    .slice(row, 1)
                    .to_data()
                    .get_slice_memory_size()
                    .unwrap_or(0) as u64
            })
            .sum(),
    };
    SampledRow {
        bytes,
        text_chars: text.chars().count() as u64,
        modality: Modality::of_row(text, has(media[0]), has(media[1]), has(media[2])),
    }
}

/// Returns the chains of lineage keys of all partitions.
pub(crate) fn chains(prepared: &Prepared, chosen: &Chosen) -> Chains {
    let inputs = chosen
        .identities
        .iter()
        .map(|identity| input_key(identity, prepared))
        .collect();
    Chains::new(&prepared.plan, inputs, &export_settings(prepared))
}

fn export_settings(prepared: &Prepared) -> String {
    format!(
        "{:?} stats {}",
        prepared.target.format, prepared.resolved.config.keep_stats_in_res_ds
    )
}

/// Returns the key of what a partition's rows are made from: its input, and what the reader accepts
/// as a good row.
fn input_key(identity: &Key, prepared: &Prepared) -> Key {
    reader(KeyBuilder::new("input").with(identity.as_str()), prepared).key()
}

fn reader(key: KeyBuilder, prepared: &Prepared) -> KeyBuilder {
    let config = &prepared.resolved.config;
    let key = key
        .with(canonical_json(&config.reader_json()))
        .with(config.on_error().word());
    let key = if prepared.export.makes_json() {
        key.with("as json")
    } else {
        key
    };
    // Types of columns depend on all files together: another file can change them.
    let columns = prepared
        .export
        .schema()
        .into_iter()
        .flat_map(|schema| schema.fields());
    let key = columns.fold(key, |key, field| {
        key.with(field.name()).with(field.data_type().to_string())
    });
    prepared
        .plan
        .fields
        .iter()
        .filter(|f| f.required)
        .fold(key, |key, field| {
            key.with(&field.path).with(field.ty.name())
        })
}

/// Returns the key of a partition's files in their present state and its slices of them. It
/// includes the number of each file, which is part of row ids.
fn identity(dataset: &Dataset, partition: &Partition) -> Key {
    partition
        .slices
        .iter()
        .fold(KeyBuilder::new("slices"), |key, slice| {
            file(key, &dataset.files[slice.file])
                .number(slice.file as u64)
                .number(slice.start)
                .number(slice.end)
        })
        .key()
}

fn file(key: KeyBuilder, f: &InputFile) -> KeyBuilder {
    let (path, bytes, modified) = match &f.origin {
        Some(o) => (&o.path, o.bytes, o.modified_ns),
        None => (&f.path, f.bytes, f.modified_ns),
    };
    key.with(path.as_os_str().as_encoded_bytes())
        .number(bytes)
        .with(modified.to_le_bytes())
}

/// Returns the key of everything that determines the bytes of the export. How the dataset is cut
/// does not.
pub(crate) fn request_key(prepared: &Prepared) -> Key {
    let target = &prepared.target;
    let key = KeyBuilder::new("request")
        .with(target.path.as_os_str().as_encoded_bytes())
        .with(format!("{:?} {:?}", target.compression, target.shard_size))
        .with(export_settings(prepared));
    let key = prepared
        .dataset
        .files
        .iter()
        .fold(reader(key, prepared), file);
    prepared
        .plan
        .ops
        .iter()
        .fold(key, |key, op| key.with(op.identity.as_str()))
        .key()
}
