//! Checks that operators repeat their answers: sends a sample of batches to two fresh instances,
//! too.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::Result;
use xxhash_rust::xxh3::xxh3_64;

use crate::data::Batch;
use crate::error::Final;
use crate::rundir::summary::Checked;
use crate::wasm::{OpPool, Reply};

/// The check and its findings. Thread-safe.
#[derive(Debug, Default)]
pub(crate) struct Determinism {
    ratio: f64,
    is_final: bool,
    found: Mutex<BTreeMap<String, Checked>>,
}

impl Determinism {
    /// Checks the share `ratio` of the batches; `is_final`: a difference ends the job.
    pub(crate) fn new(ratio: f64, is_final: bool) -> Self {
        Self {
            ratio,
            is_final,
            found: Mutex::default(),
        }
    }

    /// If the batch is in the sample, compares the answer to it with those of two fresh instances.
    /// Its first row decides, so a resumed job compares the same batch again. Returns a sentence
    /// the first time that this operator differs.
    pub(crate) fn compare(
        &self,
        pool: &OpPool,
        batch: &Batch,
        reply: &Reply,
    ) -> Result<Option<String>> {
        let name = &pool.descriptor().name;
        let place =
            xxh3_64(&[&batch.ids.value(0).to_le_bytes()[..], name.as_bytes()].concat()) >> 11;
        // A double holds 53 bits.
        if place as f64 >= self.ratio * (1u64 << 53) as f64 {
            return Ok(None);
        }
        let again = || pool.process(&mut pool.fresh()?, batch);
        let how = match (again()?, again()?) {
            (Ok(one), Ok(other)) if one == other && one == *reply => None,
            (Ok(one), Ok(other)) if one == other => {
                Some("it answers otherwise when it has not seen the batches before".to_owned())
            }
            (Ok(_), Ok(_)) => Some("two fresh instances give two answers".to_owned()),
            (Err(error), _) | (_, Err(error)) => Some(format!(
                "a fresh instance fails on what it answered before: {error}"
            )),
        };
        let mut found = self.found.lock().expect("no panic while held");
        let checked = found.entry(name.clone()).or_default();
        checked.batches += 1;
        let Some(how) = how else { return Ok(None) };
        checked.different += 1;
        let sentence = format!(
            "operator `{name}` is not deterministic: {how} (batch from row {})",
            batch.ids.value(0)
        );
        if self.is_final {
            return Err(Final(format!("{sentence}; determinism.on_difference is `fail`")).into());
        }
        let is_first = checked.how.is_none();
        checked.how.get_or_insert(how);
        Ok(is_first.then_some(sentence))
    }

    /// Takes the numbers so far; what differed is remembered, so that it is said once.
    pub(crate) fn take(&self) -> BTreeMap<String, Checked> {
        let mut found = self.found.lock().expect("no panic while held");
        let taken = found.clone();
        for checked in found.values_mut() {
            (checked.batches, checked.different) = (0, 0);
        }
        taken.into_iter().filter(|(_, c)| c.batches > 0).collect()
    }

    /// Adds what another process has found.
    pub(crate) fn add(&self, others: BTreeMap<String, Checked>) {
        let mut found = self.found.lock().expect("no panic while held");
        for (name, other) in others {
            let checked = found.entry(name).or_default();
            checked.batches += other.batches;
            checked.different += other.different;
            checked.how = checked.how.take().or(other.how);
        }
    }

    /// The findings so far, by the operator's name.
    pub(crate) fn found(&self) -> BTreeMap<String, Checked> {
        self.found.lock().expect("no panic while held").clone()
    }
}
