//! `random_selector`

use crate::shuffle::permutation;
use crate::value;
use djhost_sdk::prelude::*;

/// Keeps rows chosen at random: a share, or a number of them.
///
/// The same seed keeps the same rows as Data-Juicer, in input order. If both parameters are set,
/// the smaller number holds; if neither is, all rows stay.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RandomSelector {
    /// The share of rows to keep.
    #[schemars(range(min = 0, max = 1))]
    pub select_ratio: Option<f64>,
    /// The number of rows to keep.
    #[schemars(range(min = 1))]
    pub select_num: Option<u64>,
}

impl Selector for RandomSelector {
    const NAME: &'static str = "random_selector";
    type Key = i64;

    fn prepare(&mut self) -> Result<(), String> {
        value::check_ratio("select_ratio", self.select_ratio)?;
        value::check_positive("select_num", self.select_num)
    }

    fn input(&self, _common: &Common) -> Option<Input> {
        None
    }

    fn key(&mut self, _row: Row<'_>) -> Result<i64, Reject> {
        Ok(0)
    }

    fn select(&mut self, common: &Common, keys: &[i64]) -> Result<Vec<bool>, String> {
        let rows = keys.len();
        match value::allowed(self.select_ratio, self.select_num, rows) {
            Some(number) if number < rows && rows > 1 => {
                let rows32 = u32::try_from(rows).map_err(|_| {
                    format!(
                        "{rows} rows are too many to choose from: at most {}",
                        u32::MAX
                    )
                })?;
                Ok(value::flags(
                    rows,
                    permutation(common.seed, rows32).into_iter().take(number),
                ))
            }
            _ => Ok(vec![true; rows]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn keep(params: &str, rows: usize) -> Vec<bool> {
        Runner::new(operator!(RandomSelector), params)
            .unwrap()
            .select_json(&vec!["{}"; rows])
            .unwrap()
    }

    #[test]
    fn the_smaller_number_holds() {
        let count = |params: &str| keep(params, 100).into_iter().filter(|&k| k).count();
        assert_eq!(count(r#"{"select_ratio": 0.5, "select_num": 7}"#), 7);
        assert_eq!(count(r#"{"select_ratio": 0.05, "select_num": 7}"#), 5);
        assert_eq!(count(r#"{"select_num": 700}"#), 100);
        assert_eq!(count("{}"), 100);
        assert_eq!(keep(r#"{"select_num": 1}"#, 1), [true]);
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(
            keep(r#"{"select_num": 50, "seed": 1}"#, 100),
            keep(r#"{"select_num": 50, "seed": 1}"#, 100)
        );
        assert_ne!(
            keep(r#"{"select_num": 50, "seed": 1}"#, 100),
            keep(r#"{"select_num": 50, "seed": 2}"#, 100)
        );
    }

    #[test]
    fn a_ratio_out_of_range_is_refused() {
        let error = Runner::new(operator!(RandomSelector), r#"{"select_ratio": 1.5}"#).unwrap_err();
        assert!(
            error.to_string().contains("`select_ratio` is 1.5"),
            "{error}"
        );
    }
}
