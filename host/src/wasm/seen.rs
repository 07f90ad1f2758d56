//! How a deduplicator by seen keys wants keys of earlier rows looked up.

use serde_json::{Map, Value};

use super::contract::Descriptor;

/// Bits of a block of the filter: a key is looked up in one block, with one access to memory.
const BLOCK: u64 = 256;
/// Bits that a key sets in its block, each in a word of its own.
const WORDS: i32 = 8;
/// Least rate of false positives that a filter of blocks reaches at a reasonable size.
const LEAST_RATE: f64 = 1e-7;
/// Most keys: those of a filter of two terabytes.
const MOST_KEYS: u64 = 1 << 40;

/// What a deduplicator asks of the Bloom filter of all keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Different keys for which the filter is made.
    pub expected_keys: u64,
    /// The share of new keys that are taken for known ones, once the filter has so many.
    pub false_positive_rate: f64,
    /// The share of a group's keys above which it is a duplicate.
    pub threshold: f64,
    /// The share of a row's keys above which the row is dropped; None: never.
    pub document_threshold: Option<f64>,
}

impl Seen {
    /// As the parameters of the operator say; None if it does not ask.
    ///
    /// # Errors
    /// What is wrong with them, and what is valid.
    pub(crate) fn of(
        descriptor: &Descriptor,
        params: &Map<String, Value>,
    ) -> Result<Option<Self>, String> {
        if !descriptor.sees_keys() {
            return Ok(None);
        }
        let given = |name: &str| params.get(name).filter(|value| !value.is_null());
        let wrong = |name: &str, valid: &str| {
            let value = params.get(name).unwrap_or(&Value::Null);
            format!("`{name}` is {value}: it must be {valid}")
        };
        let number = |name: &str, least: f64, most: f64, valid: &str| {
            let number = given(name).and_then(Value::as_f64);
            let number = number.filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| wrong(name, valid))
        };
        let expected_keys = given("expected_keys")
            .and_then(Value::as_u64)
            .filter(|keys| (1..=MOST_KEYS).contains(keys))
            .ok_or_else(|| wrong("expected_keys", "a whole number from 1 to 2^40"))?;
        let rate = "from 0.0000001 to 0.5";
        let share = "a share from 0 to 1";
        Ok(Some(Self {
            expected_keys,
            false_positive_rate: number("false_positive_rate", LEAST_RATE, 0.5, rate)?,
            threshold: match descriptor.has_param("threshold") {
                true => number("threshold", 0.0, 1.0, share)?,
                false => 0.0,
            },
            document_threshold: match given("document_threshold") {
                None => None,
                Some(_) => Some(number("document_threshold", 0.0, 1.0, share)?),
            },
        }))
    }

    /// The number of blocks of the filter.
    pub fn blocks(&self) -> u64 {
        // In steps of an eighth of a bit, so that the last digit of a logarithm cannot matter.
        let mut eighths = 8;
        while rate_at(f64::from(eighths) / 8.0) > self.false_positive_rate {
            eighths += 1;
        }
        let bits = u128::from(self.expected_keys) * u128::from(eighths as u32) / 8;
        (bits as u64).div_ceil(BLOCK).max(1)
    }

    /// The bytes of the filter.
    pub fn bytes(&self) -> u64 {
        self.blocks() * BLOCK / 8
    }

    /// The rate of false positives once the filter has `keys` different keys.
    pub fn rate_with(&self, keys: u64) -> f64 {
        rate_at((self.blocks() * BLOCK) as f64 / keys.max(1) as f64)
    }
}

/// The rate of false positives of a filter with so many bits per key: the number of keys in a block
/// has Poisson's distribution, and a key is found by chance if its bit is set in each word.
fn rate_at(bits_per_key: f64) -> f64 {
    let mean = BLOCK as f64 / bits_per_key;
    // So full that the sum below would lose its first terms, and take long: everything is found.
    if mean > 700.0 {
        return 1.0;
    }
    let most = (mean + 12.0 * mean.sqrt() + 40.0) as i32;
    let mut probability = (-mean).exp();
    let mut rate = 0.0;
    for keys in 0..=most {
        let is_set = 1.0 - (31.0f64 / 32.0).powi(keys);
        rate += probability * is_set.powi(WORDS);
        probability *= mean / f64::from(keys + 1);
    }
    rate
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(expected_keys: u64, false_positive_rate: f64) -> Seen {
        Seen {
            expected_keys,
            false_positive_rate,
            threshold: 0.8,
            document_threshold: None,
        }
    }

    #[test]
    fn the_size_follows_from_keys_and_rate() {
        // Apache Parquet's tables for filters of this kind: 10.5 bits for 1 %, 16.9 for 0.1 %.
        for (rate, bits) in [(0.01, 10.5), (0.001, 16.9), (0.0001, 26.4)] {
            let seen = seen(1_000_000, rate);
            let per_key = seen.bytes() as f64 * 8.0 / 1e6;
            assert!((per_key - bits).abs() < 0.3, "{rate}: {per_key}");
            assert!(seen.rate_with(1_000_000) <= rate);
            assert!(seen.rate_with(2_000_000) > rate);
        }
        assert_eq!(seen(1, 0.01).bytes(), 32);
        assert!(seen(1, 0.5).rate_with(u64::MAX) > 0.99);
    }
}
