//! What a complete job made, and whether anything is left to do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Chains, Distribution};
use crate::data::Published;
use crate::partition::table::request_key;
use crate::plan::Prepared;
use crate::plan::lineage_key::{Key, KeyBuilder};
use crate::remote::Object;
use crate::remote::address::of_path;
use crate::run::expected;
use crate::rundir::own_files::read_document;
use crate::rundir::summary::{Expected, Finding, OpTotals, Totals};
use crate::rundir::{JobSummary, Ledger, RunPaths, Status};

/// `metadata/result.json`: what a complete job made. It tells whether anything is left to do.
#[derive(Serialize, Deserialize)]
pub(super) struct Done {
    /// Of the rows of all partitions and of the export.
    pub(super) key: Key,
    /// Of the files, the ops and the export: it is known before the dataset is divided.
    pub(super) request: Key,
    pub(super) files: Vec<DoneFile>,
    pub(super) ledger: Ledger,
    pub(super) ops: Vec<OpTotals>,
    pub(super) totals: Totals,
    #[serde(default)]
    pub(super) warnings: Vec<String>,
    #[serde(default)]
    pub(super) findings: Vec<Finding>,
    /// The stats of the result of which the recipe expected something.
    #[serde(default)]
    pub(super) observed: BTreeMap<String, Distribution>,
}

/// A file of the export.
#[derive(Serialize, Deserialize)]
pub(super) struct DoneFile {
    path: PathBuf,
    bytes: u64,
    /// Its version, if it is in a bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

impl DoneFile {
    pub(super) fn of(path: &Path) -> Result<Self> {
        let bytes = std::fs::metadata(path)
            .with_context(|| format!("cannot read `{}`", path.display()))?
            .len();
        Ok(Self {
            path: std::path::absolute(path)?,
            bytes,
            tag: None,
        })
    }

    pub(super) fn published(file: &Published) -> Self {
        Self {
            path: file.path.clone(),
            bytes: file.bytes,
            tag: file.tag.clone(),
        }
    }

    fn is_unchanged(&self) -> bool {
        match of_path(&self.path) {
            None => std::fs::metadata(&self.path).is_ok_and(|m| m.len() == self.bytes),
            Some(address) => Object::find(address).is_ok_and(|found| {
                found.bytes() == self.bytes && found.tag() == self.tag.as_deref()
            }),
        }
    }
}

/// Returns whether an earlier attempt made exactly this export and it still exists. With `chains`,
/// this also holds if files of the dataset were only touched; without, it can be asked before the
/// dataset is divided.
pub(crate) fn is_done(
    paths: &RunPaths,
    prepared: &Prepared,
    chains: Option<&Chains>,
) -> Result<bool> {
    let Some(done) = read_done(paths)? else {
        return Ok(false);
    };
    let same = match chains {
        Some(chains) => done.key == result_key(prepared, chains),
        None => done.request == request_key(prepared),
    };
    Ok(same && done.files.iter().all(|f| f.is_unchanged()))
}

/// Returns the ledger of a job that is complete and whose summary says so, and what the recipe expects
/// of it: another attempt would have nothing to do and nothing to write.
pub(crate) fn complete(
    paths: &RunPaths,
    prepared: &Prepared,
) -> Result<Option<(Ledger, Vec<Expected>)>> {
    let says_so = JobSummary::load_if_readable(paths)?
        .is_some_and(|summary| summary.status == Status::Completed);
    if !says_so || !is_done(paths, prepared, None)? {
        return Ok(None);
    }
    Ok(read_done(paths)?.map(|done| {
        let expected = done.expected(prepared);
        (done.ledger, expected)
    }))
}

impl Done {
    /// What today's recipe expects of it.
    pub(super) fn expected(&self, prepared: &Prepared) -> Vec<Expected> {
        let expect = &prepared.plan.expect;
        expected::check(expect, &self.ledger, &self.ops, &self.observed)
    }
}

/// Returns the files of the result that the last complete attempt has made; None if there is none.
pub fn result_files(paths: &RunPaths) -> Result<Option<Vec<PathBuf>>> {
    let done = read_done(paths)?;
    Ok(done.map(|done| done.files.into_iter().map(|file| file.path).collect()))
}

pub(super) fn read_done(paths: &RunPaths) -> Result<Option<Done>> {
    match read_document(&paths.result()) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("cannot read `{}`", paths.result().display())),
    }
}

/// Returns the key of what the export is made from and how.
pub(super) fn result_key(prepared: &Prepared, chains: &Chains) -> Key {
    let target = &prepared.target;
    let place = target.remote.as_ref().unwrap_or(&target.path);
    let key = KeyBuilder::new("result")
        .with(place.as_os_str().as_encoded_bytes())
        .with(format!(
            "{:?} {:?} {:?}",
            target.format, target.compression, target.shard_size
        ));
    let key = target.split.iter().fold(key, |key, split| key.with(split));
    chains
        .parts()
        .fold(key, |k, part| k.with(part.as_str()))
        .key()
}
