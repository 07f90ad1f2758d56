//! Properties that must hold for any bytes in the files of a run directory.

use super::manifest::Manifest;
use super::patch::{apply, diff};
use crate::global::Mask;
use crate::jobs::{Facts, snapshot};
use crate::rundir::checksummed_json::{seal, unseal};
use crate::rundir::events::EventLogs;
use crate::rundir::lock::Liveness;
use crate::rundir::{DatasetMapping, JobSummary};

/// Reads a file of a run directory; the first byte chooses its kind.
pub fn records(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else {
        return;
    };
    match kind % 6 {
        0 => mask(data),
        1 => manifest(data),
        2 => drop(unseal::<Manifest>(data)),
        3 => events(data),
        4 => patch(data),
        _ => summary(data),
    }
}

fn mask(data: &[u8]) {
    let Ok(mask) = Mask::from_bytes(3, data) else {
        return;
    };
    assert!(mask.count() <= mask.rows());
    if let Some(counts) = &mask.counts {
        assert!(
            (0..mask.rows())
                .map(|row| counts.of(row).len())
                .sum::<usize>()
                <= data.len()
        );
    }
    assert_eq!(
        Mask::from_bytes(3, &mask.to_bytes()).expect("its own bytes"),
        mask
    );
}

fn manifest(data: &[u8]) {
    let Ok(manifest) = serde_json::from_slice::<Manifest>(data) else {
        return;
    };
    let sealed = seal(&manifest).expect("a manifest can be written");
    assert_eq!(
        unseal::<Manifest>(&sealed).expect("its own bytes"),
        manifest
    );
}

fn events(data: &[u8]) {
    let mut logs = EventLogs::default();
    // Two attempts; the first may be torn anywhere.
    let (first, second) = data.split_at(data.len() / 2);
    logs.add(first);
    logs.add(second);
    logs.sort();
    progress(&logs, None, None);
}

fn progress(logs: &EventLogs, summary: Option<&JobSummary>, mapping: Option<&DatasetMapping>) {
    let facts = Facts {
        logs,
        summary,
        mapping,
        liveness: &Liveness::Free(None),
        stop_requested: false,
        now: 1.0e9,
    };
    let progress = serde_json::to_value(snapshot(&facts)).expect("progress can be shown");
    let done = progress["overall_progress"].as_f64().unwrap_or_default();
    assert!(done.is_finite() && done >= 0.0, "{done}");
}

fn summary(data: &[u8]) {
    if let Ok(summary) = serde_json::from_slice::<JobSummary>(data) {
        drop(summary.ledger.check_balance());
        progress(&EventLogs::default(), Some(&summary), None);
    }
    if let Ok(mapping) = serde_json::from_slice::<DatasetMapping>(data) {
        progress(&EventLogs::default(), None, Some(&mapping));
    }
}

/// A patch restores the new row. Bytes that are not a patch are refused, or yield no more than the
/// old row and the bytes themselves hold.
fn patch(data: &[u8]) {
    let (old, new) = data.split_at(data.len() / 3);
    let (mut patch, mut out) = (Vec::new(), Vec::new());
    if diff(old, new, &mut patch) {
        apply(old, &patch, &mut out).expect("its own patch");
        assert_eq!(out, new);
    }
    out.clear();
    if apply(old, new, &mut out).is_ok() {
        assert!(out.len() <= old.len() + new.len());
    }
}
