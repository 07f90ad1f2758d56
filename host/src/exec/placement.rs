//! Where the adaptive strategy stores rows: after an op, when losing the work since the last
//! checkpoint costs more than storing the rows.
//!
//! Work is lost if the machine or the process dies before the partition is done, which is assumed
//! to happen once in [`BETWEEN_FAILURES`]. So `w` seconds of work at risk have the expected cost
//! `w * w / BETWEEN_FAILURES`: the chance of a failure while they are at risk, times the time to
//! redo them. The first partitions use the cost that the ops declare, the others what was measured.

use std::sync::Mutex;

use crate::checkpoint::Manifest;
use crate::plan::{End, Plan, Segment};
use crate::wasm::Cost;

/// Mean seconds between failures of one worker: ten hours, a night's job that dies once.
const BETWEEN_FAILURES: f64 = 36_000.0;
/// Seconds to store 1 MB of rows until it is measured: that of whole rows, as Parquet with snappy.
const STORE_PER_MB: f64 = 0.003;
/// Cost of storing and reading back, relative to storing.
const AND_READING: f64 = 1.5;
/// Seconds per MB of input for ops that have not been measured, by the cost that they declare.
const LIGHT: f64 = 0.002;
const MEDIUM: f64 = 0.02;
const HEAVY: f64 = 1.0;

/// The measured costs of ops so far. Thread-safe.
pub(crate) struct Placement {
    measured: Mutex<Vec<Measured>>,
    stored: Mutex<Measured>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Measured {
    seconds: f64,
    megabytes: f64,
}

impl Placement {
    /// Nothing measured yet.
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            measured: Mutex::new(vec![Measured::default(); plan.ops.len()]),
            stored: Mutex::default(),
        }
    }

    /// Learns from a partition of `bytes` of input whose account is complete up to some op.
    pub(crate) fn learn(&self, manifest: &Manifest, bytes: u64) {
        let mut measured = self.measured.lock().expect("no panic while held");
        for (op, done) in &manifest.account.ops {
            if let Some(m) = measured.get_mut(*op) {
                m.seconds += done.duration;
                m.megabytes += bytes as f64 / 1e6;
            }
        }
    }

    /// Learns from a checkpoint of a partition of `bytes` of input.
    pub(crate) fn learn_storing(&self, manifest: &Manifest, bytes: u64) {
        let mut stored = self.stored.lock().expect("no panic while held");
        stored.seconds += manifest.write_seconds;
        stored.megabytes += bytes as f64 / 1e6;
    }

    /// The ops of `segment` after which a partition of `bytes` of input is stored; always includes
    /// the last one before a global op.
    pub(crate) fn stored(&self, plan: &Plan, segment: &Segment, bytes: u64) -> Vec<usize> {
        let megabytes = bytes as f64 / 1e6;
        let seconds: Vec<f64> = segment
            .ops
            .clone()
            .map(|op| self.seconds_per_mb(plan, op) * megabytes)
            .collect();
        let storing = *self.stored.lock().expect("no panic while held");
        let storing = if storing.megabytes > 0.0 {
            storing.seconds / storing.megabytes
        } else {
            STORE_PER_MB
        };
        let mut stored = place(&seconds, storing * AND_READING * megabytes);
        stored.iter_mut().for_each(|at| *at += segment.ops.start);
        let last = segment.ops.end.saturating_sub(1);
        match segment.end {
            End::Keys(op)
                if !plan.ops[op].is_grouper()
                    && !segment.ops.is_empty()
                    && stored.last() != Some(&last) =>
            {
                stored.push(last)
            }
            // The export part follows the last op and has the same rows.
            End::Export if stored.last() == Some(&last) => drop(stored.pop()),
            _ => {}
        }
        stored
    }

    fn seconds_per_mb(&self, plan: &Plan, op: usize) -> f64 {
        let measured = self.measured.lock().expect("no panic while held")[op];
        if measured.megabytes > 0.0 {
            return measured.seconds / measured.megabytes;
        }
        match plan.ops[op].pool.descriptor().cost {
            Cost::Heavy => HEAVY,
            // The ops that Data-Juicer's documentation calls expensive count as such until
            // measured.
            _ if plan.ops[op].checkpoint.is_some() => HEAVY,
            Cost::Medium => MEDIUM,
            Cost::Light => LIGHT,
        }
    }
}

/// Positions after which losing the work since the last position costs more than `store` seconds.
fn place(seconds: &[f64], store: f64) -> Vec<usize> {
    let (mut at_risk, mut positions) = (0.0, Vec::new());
    for (i, s) in seconds.iter().enumerate() {
        at_risk += s;
        if at_risk * at_risk / BETWEEN_FAILURES > store {
            positions.push(i);
            at_risk = 0.0;
        }
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheap_work_is_redone_and_dear_work_is_stored() {
        // 256 MB: storing takes a second. Ten light ops of half a second each are not worth it, but
        // an hour of a model is.
        assert_eq!(place(&[0.5; 10], 1.0), [0usize; 0]);
        assert_eq!(place(&[0.5, 3600.0, 0.5, 0.5], 1.0), [1]);
        // Moderate work adds up: 190 s at risk are worth a second.
        assert_eq!(place(&[50.0; 8], 1.0), [3, 7]);
    }
}
