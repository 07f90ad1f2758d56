//! The operator `@NAME@`.

use djhost_sdk::prelude::*;

/// Keeps the longest texts.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct @TYPE@ {
    /// How many texts stay.
    count: usize,
}

impl Default for @TYPE@ {
    fn default() -> Self {
        Self { count: 2 }
    }
}

impl Selector for @TYPE@ {
    const NAME: &'static str = "@NAME@";
    type Key = f64;

    fn input(&self, common: &Common) -> Option<Input> {
        Some(Input::required(common.text_key.clone(), ColumnType::Utf8))
    }

    fn key(&mut self, row: Row<'_>) -> Result<f64, Reject> {
        Ok(row.text(0).unwrap_or_default().chars().count() as f64)
    }

    fn select(&mut self, _common: &Common, keys: &[f64]) -> Result<Vec<bool>, String> {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        // Stable: of equally long texts the first ones stay.
        order.sort_by(|&a, &b| keys[b].total_cmp(&keys[a]));
        let mut stays = vec![false; keys.len()];
        order.iter().take(self.count).for_each(|&row| stays[row] = true);
        Ok(stays)
    }
}

djhost_sdk::export!(@TYPE@);
