//! The values of a stat and how often each occurs: exact for few different values, otherwise to four
//! digits.
//!
//! Parts of a job are put together in any order, so which it is must not depend on the parts: values
//! are rounded once there are more than [`MOST`] different ones, and what is rounded stays so. All of
//! them have as many different values as any part, or more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Different values that are kept as they are.
const MOST: usize = 10_000;

/// How often each value occurs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(crate) struct Distribution {
    /// By the order of the values.
    counts: BTreeMap<i64, u64>,
    is_rounded: bool,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    values: Vec<(f64, u64)>,
    #[serde(default)]
    is_rounded: bool,
}

impl From<Stored> for Distribution {
    fn from(stored: Stored) -> Self {
        let counts = stored.values.into_iter().map(|(value, n)| (key(value), n));
        Self {
            counts: counts.collect(),
            is_rounded: stored.is_rounded,
        }
    }
}

impl From<Distribution> for Stored {
    fn from(all: Distribution) -> Self {
        let values = all.counts.into_iter().map(|(key, n)| (value(key), n));
        Self {
            values: values.collect(),
            is_rounded: all.is_rounded,
        }
    }
}

/// A number that has the order of the value.
fn key(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

fn value(key: i64) -> f64 {
    let bits = key ^ ((key >> 63).cast_unsigned() >> 1).cast_signed();
    f64::from_bits(bits.cast_unsigned())
}

/// The value to four digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

impl Distribution {
    /// Adds a value, which is finite.
    pub(crate) fn add(&mut self, value: f64) {
        self.count(value, 1);
    }

    /// Adds all values of another one.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.is_rounded {
            self.round();
        }
        for (at, n) in &other.counts {
            self.count(value(*at), *n);
        }
    }

    fn count(&mut self, value: f64, n: u64) {
        let value = if self.is_rounded {
            rounded(value)
        } else {
            value
        };
        *self.counts.entry(key(value)).or_default() += n;
        if self.counts.len() > MOST {
            self.round();
        }
    }

    fn round(&mut self) {
        if !self.is_rounded {
            self.is_rounded = true;
            let exact = std::mem::take(&mut self.counts);
            for (at, n) in exact {
                *self.counts.entry(key(rounded(value(at)))).or_default() += n;
            }
        }
    }

    /// Number of values.
    pub(crate) fn rows(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The value below or at which the share `share` (0 to 1) of the values are: 0 gives the least,
    /// 1 the greatest. None without values.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let rows = self.rows();
        let rank = ((share * rows as f64).ceil() as u64).clamp(1, rows.max(1));
        let mut below = 0;
        self.counts.iter().find_map(|(at, n)| {
            below += n;
            (below >= rank).then(|| value(*at))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_few_values_are_exact() {
        let mut all = Distribution::default();
        assert_eq!(all.quantile(0.5), None);
        [3.0, -1.5, 0.1 + 0.2, 50.0, 50.0]
            .iter()
            .for_each(|v| all.add(*v));
        assert_eq!(all.quantile(0.0), Some(-1.5));
        assert_eq!(all.quantile(0.4), Some(0.1 + 0.2));
        assert_eq!(all.quantile(0.5), Some(3.0));
        assert_eq!(all.quantile(1.0), Some(50.0));
        let json = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Distribution>(&json).unwrap(), all);
    }

    #[test]
    fn parts_in_any_order_make_the_same_whole() {
        let values: Vec<f64> = (0..30_000)
            .map(|i| f64::from(i * 7919 % 30_011) / 7.0)
            .collect();
        let of = |values: &[f64]| {
            let mut all = Distribution::default();
            values.iter().for_each(|v| all.add(*v));
            all
        };
        let whole = of(&values);
        let mut parts = Distribution::default();
        for part in values.chunks(9000).rev() {
            parts.merge(&of(part));
        }
        assert_eq!(parts, whole);
        assert_eq!(whole.rows(), 30_000);
        let median = whole.quantile(0.5).unwrap();
        assert!((median / (30_011.0 / 14.0) - 1.0).abs() < 0.01, "{median}");
    }
}
