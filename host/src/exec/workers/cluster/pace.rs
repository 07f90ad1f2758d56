//! How long tasks take, which tells a slow one from a large one.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

/// A task is slow if it takes so many times as long as most.
const TIMES: f64 = 3.0;
/// So many tasks tell how long most take.
const ENOUGH: usize = 3;
/// Nothing is slow before that: to give a task to another worker takes a moment, too.
const LEAST: Duration = Duration::from_secs(3);

/// The time for each byte of input of the tasks that have ended, by segment.
#[derive(Default)]
pub(super) struct Pace(Mutex<HashMap<usize, Vec<f64>>>);

impl Pace {
    /// A task of `segment` that had all of its `bytes` to read has taken so long.
    pub(super) fn learn(&self, segment: usize, bytes: u64, took: Duration) {
        let each = took.as_secs_f64() / bytes.max(1) as f64;
        let mut times = self.0.lock().expect("no panic while held");
        times.entry(segment).or_default().push(each);
    }

    /// Whether a task of `segment` with so many bytes is slow after that time.
    pub(super) fn is_slow(&self, segment: usize, bytes: u64, after: Duration) -> bool {
        let mut times = self.0.lock().expect("no panic while held");
        let Some(times) = times.get_mut(&segment).filter(|t| t.len() >= ENOUGH) else {
            return false;
        };
        times.sort_unstable_by(f64::total_cmp);
        let most = times[times.len() / 2] * bytes.max(1) as f64;
        after >= LEAST && after.as_secs_f64() > TIMES * most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_slow_beside_those_of_its_segment() {
        let pace = Pace::default();
        let seconds = Duration::from_secs;
        for took in [10, 30, 20] {
            assert!(!pace.is_slow(0, 100, seconds(1000)), "too few have ended");
            pace.learn(0, 100, seconds(took));
        }
        assert!(!pace.is_slow(0, 100, seconds(60)));
        assert!(pace.is_slow(0, 100, seconds(61)));
        assert!(!pace.is_slow(0, 200, seconds(61)), "it is larger");
        assert!(!pace.is_slow(1, 100, seconds(61)), "nothing is known of it");
        assert!(!pace.is_slow(0, 1, seconds(2)), "it may have begun late");
    }
}
