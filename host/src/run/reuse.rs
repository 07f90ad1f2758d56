//! Describes what a run takes over from earlier attempts, for the start of a run and for `djhost
//! plan --job_id`.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::Result;

use super::{Prepared, retry, state};
use crate::checkpoint::{Artifact, Base, Chains, Decision, Found, Manifest, Store, decide};
use crate::partition::table;
use crate::plan::Plan;
use crate::remote::address::of_path;
use crate::rundir::{JobSummary, RunPaths};
use crate::term::{counted, seconds};

/// Where each partition continues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reuse {
    partitions: usize,
    /// Number of partitions whose export part exists.
    done: usize,
    /// Number of partitions that continue after an op, by its index. With false, only their keys
    /// exist, and they continue at this global op.
    after: BTreeMap<(usize, bool), usize>,
    /// Partitions that start from the input.
    pub(crate) from_input: Vec<usize>,
}

impl Reuse {
    /// Asks `has` whether there is a valid file of a kind for an op (0 for parts) and a partition.
    pub(crate) fn of(
        plan: &Plan,
        partitions: usize,
        has: impl Fn(Artifact, usize, usize) -> bool,
    ) -> Self {
        let mut reuse = Self {
            partitions,
            ..Self::default()
        };
        let keeps = |op: usize| plan.ops[op].is_global() && !plan.ops[op].is_grouper();
        for p in 0..partitions {
            let place = |op: usize| {
                let is_after = Base::after(Some(op), &|a, op| has(a, op, p), &keeps).is_some();
                (is_after || has(Artifact::Keys, op, p)).then_some((op, is_after))
            };
            match (0..plan.ops.len()).rev().find_map(place) {
                _ if has(Artifact::Part, 0, p) => reuse.done += 1,
                Some(place) => *reuse.after.entry(place).or_default() += 1,
                None => reuse.from_input.push(p),
            }
        }
        reuse
    }

    /// Returns a sentence, or None if nothing is taken over.
    pub(crate) fn text(&self, plan: &Plan) -> Option<String> {
        if self.from_input.len() == self.partitions {
            return None;
        }
        let mut parts = Vec::new();
        // Only the first part names the noun.
        let mut add = |n: usize, one: &str, several: &str| {
            if n > 0 {
                let noun = if parts.is_empty() {
                    counted(n as u64, "partition")
                } else {
                    n.to_string()
                };
                parts.push(format!("{noun} {}", if n == 1 { one } else { several }));
            }
        };
        add(self.done, "is done", "are done");
        for ((op, is_after), n) in self.after.iter().rev() {
            let place = format!(
                "on {} op {op} {}",
                if *is_after { "after" } else { "at" },
                plan.ops[*op].name
            );
            add(*n, &format!("goes {place}"), &format!("go {place}"));
        }
        add(
            self.from_input.len(),
            "starts from the input",
            "start from the input",
        );
        Some(format!("of {}: {}", self.partitions, parts.join(", ")))
    }
}

/// Returns what a run of this job would find done, for `djhost plan`; None for a new job. Writes
/// nothing. Data files are checked by size only; a run also compares their checksums.
pub fn planned_reuse(prepared: &mut Prepared) -> Result<Option<String>> {
    let dirs = &prepared.resolved.dirs;
    let paths = match dirs.run_address.as_deref().and_then(of_path) {
        // As it is just now: only a run, which has the lease, knows more.
        Some(address) => RunPaths::at(&address)?,
        None => RunPaths::new(&dirs.run_dir),
    };
    if !paths.refresh_manifests()? {
        return Ok(None);
    }
    let Some(summary) = JobSummary::load_if_readable(&paths)? else {
        return Ok(None);
    };
    retry::attach(prepared, &paths)?;
    let attempts = counted(summary.attempts.len() as u64, "attempt");
    let so_far = format!(
        "{attempts} so far, {} at work",
        seconds(summary.time_at_work(&paths))
    );
    if state::is_done(&paths, prepared, None)? {
        return Ok(Some(format!(
            "{so_far}; the job is complete already: a run has nothing to do"
        )));
    }
    let Some(chosen) = table::preview_again(prepared, &paths)? else {
        return Ok(Some(format!(
            "{so_far}; how much of them can be used is known when the job runs: its input has to be unpacked or cut again"
        )));
    };
    let chains = table::chains(prepared, &chosen);
    if state::is_done(&paths, prepared, Some(&chains))? {
        return Ok(Some(format!(
            "{so_far}; the job is complete already: a run has nothing to do"
        )));
    }
    let good = good_files(&paths, prepared, &chains, chosen.partitions.len())?;
    let reuse = Reuse::of(
        &prepared.plan,
        chosen.partitions.len(),
        |artifact, op, p| good.contains(&(artifact, op, p)),
    );
    let reused = reuse
        .text(&prepared.plan)
        .unwrap_or_else(|| "nothing of them can be used".to_owned());
    Ok(Some(format!("{so_far}; {reused}")))
}

/// Returns the files that a run would keep: kind, op (0 for parts) and partition.
fn good_files(
    paths: &RunPaths,
    prepared: &Prepared,
    chains: &Chains,
    partitions: usize,
) -> Result<HashSet<(Artifact, usize, usize)>> {
    let is_there = |dir: &Path, m: &Manifest| {
        let path = dir.join(&m.data);
        let bytes = paths.absent_bytes(&path);
        bytes.or_else(|| Some(path.metadata().ok()?.len())) == Some(m.bytes)
    };
    let mut found = Vec::new();
    for (_, op, partition, path) in paths.manifests()? {
        let manifest = Store::read_manifest(&path)
            .ok()
            .flatten()
            .filter(|m| is_there(&paths.checkpoints(), m));
        found.push(Found {
            op,
            partition,
            manifest: manifest.ok_or_else(String::new),
        });
    }
    let mut good = HashSet::new();
    for (found, decision) in found
        .iter()
        .zip(decide(&found, &chains.expected(&prepared.plan)))
    {
        let Ok(manifest) = &found.manifest else {
            continue;
        };
        match decision {
            Decision::Keep => good.insert((manifest.artifact, found.op, found.partition)),
            Decision::Move { to } => good.insert((manifest.artifact, found.op, to)),
            Decision::SetAside(_) => false,
        };
    }
    for p in 0..partitions {
        let manifest = Store::read_manifest(&paths.part_manifest(p)).ok().flatten();
        if manifest.is_some_and(|m| m.key == *chains.part(p) && is_there(&paths.parts(), &m)) {
            good.insert((Artifact::Part, 0, p));
        }
    }
    Ok(good)
}
