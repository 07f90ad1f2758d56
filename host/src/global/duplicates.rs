//! The rows that a global op takes out, each with the row that stands for it: for the trace.

/// Says that the row which stands for another is not known.
const UNKNOWN: u32 = u32::MAX;

/// Rows of all partitions that another row stands for: 8 bytes each.
#[derive(Debug, Default)]
pub struct Duplicates {
    /// By partition: the row, and the number of the other in the dataset. Empty if nobody asks.
    rows: Vec<Vec<(u32, u32)>>,
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
    pub(crate) fn add(&mut self, partition: usize, row: u32, first: u32) {
        if let Some(rows) = self.rows.get_mut(partition) {
            rows.push((row, first));
        }
    }

    /// Takes those of a partition out, by ascending rows. A row of which it is not known which row
    /// stands for it is not there.
    pub fn take(&mut self, partition: usize) -> Vec<(u32, u32)> {
        let mut rows = std::mem::take(&mut self.rows[partition]);
        rows.retain(|(_, first)| *first != UNKNOWN);
        rows.sort_unstable();
        rows
    }
}

/// The numbers in the dataset of the first row of each partition; what does not fit 32 bits is not
/// known.
pub(crate) fn starts(rows: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut next = 0u64;
    rows.map(|rows| {
        let start = next;
        next += rows as u64;
        match next {
            ..0xffff_ffff => start as u32,
            _ => UNKNOWN,
        }
    })
    .collect()
}
