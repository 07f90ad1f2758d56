//! `naive_grouper`

use djhost_sdk::prelude::*;

/// Makes one row of all rows: each field becomes the list of their values.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NaiveGrouper {}

impl Grouper for NaiveGrouper {
    const NAME: &'static str = "naive_grouper";

    fn inputs(&self, _common: &Common) -> Vec<Input> {
        Vec::new()
    }

    fn key(&mut self, _row: Row<'_>, _out: &mut String) -> Result<(), Reject> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn all_rows_are_one_group() {
        let mut runner = Runner::new(operator!(NaiveGrouper), "{}").unwrap();
        assert_eq!(
            runner
                .group_json(&[r#"{"a": 1}"#, "{}", r#"{"text": "x"}"#])
                .unwrap(),
            [[0, 1, 2]]
        );
    }
}
