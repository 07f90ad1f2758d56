//! The rows that a global op takes out, each with the row that stands for it: for the trace.

/// Rows of all partitions that another row stands for: 16 bytes each.
#[derive(Debug, Default)]
pub struct Duplicates {
    /// By partition: the row, and the number of the other in the dataset. Empty if nobody asks.
    rows: Vec<Vec<(u32, u64)>>,
}

impl Duplicates {
    /// Collects nothing.
    pub fn ignored() -> Self {
        Self::default()
    }

    /// Collects those of `partitions` partitions.
    pub fn of(partitions: usize) -> Self {
        Self {
            rows: vec![Vec::new(); partitions],
        }
    }

    /// Adds `row` of a partition; `first` is the row of the dataset that stands for it.
    pub(crate) fn add(&mut self, partition: usize, row: u32, first: u64) {
        if let Some(rows) = self.rows.get_mut(partition) {
            rows.push((row, first));
        }
    }

    /// Takes those of a partition out, by ascending rows.
    pub fn take(&mut self, partition: usize) -> Vec<(u32, u64)> {
        let mut rows = std::mem::take(&mut self.rows[partition]);
        rows.sort_unstable();
        rows
    }
}
