//! The table of partitions of a job. It is kept in the run directory because a resumed job must cut
//! the input at the same places.

mod changed;
mod choose;
mod keys;

pub(crate) use keys::{chains, request_key};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::config::{Resolved, canonical_json};
use crate::data::{Dataset, InputFile, Partition};
use crate::plan::lineage_key::Key;
use crate::plan::{Plan, Prepared};
use crate::rundir::RunPaths;
use crate::rundir::checksummed_json::{seal, unseal};
use crate::rundir::own_files::read_document;
use changed::{cut_as_before, inherit};
use choose::choose_partitions;
use keys::identity;

/// Version of the table's format.
const FORMAT_VERSION: u32 = 2;

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
    if let Some(same) = earlier.as_ref().filter(|e| e.fits(prepared, dataset)) {
        return Ok(same.clone());
    }
    let chosen = choose_again(prepared, dataset, earlier.as_ref(), paths)?;
    let storage = paths.storage();
    storage.write_atomic(&paths.partition_table(), &seal(&chosen)?)?;
    Ok(chosen)
}

/// Returns the partitions that the run directory has; None if there are none, or input or settings
/// have changed since. Writes nothing.
pub(crate) fn load(prepared: &Prepared, dataset: &Dataset, paths: &RunPaths) -> Option<Chosen> {
    earlier(paths).filter(|earlier| earlier.fits(prepared, dataset))
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
    let bytes = read_document(&table).ok()?;
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

impl Chosen {
    /// Whether they are those of today's input and settings.
    fn fits(&self, prepared: &Prepared, dataset: &Dataset) -> bool {
        self.settings == settings(&prepared.resolved) && same_files(&self.files, &dataset.files)
    }

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
