//! Tells rows apart that were made of one row and have its id.

/// Numbers the rows that come to an op.
#[derive(Debug, Default)]
pub(crate) struct Ordinals {
    /// The id of the last row, and how many rows in a row have had it.
    last: Option<(u64, u32)>,
}

impl Ordinals {
    /// The numbers of the next rows among those with their id, from 0; None if all are 0. Rows with
    /// one id follow each other.
    pub(crate) fn of(&mut self, ids: &[u64]) -> Option<Vec<u32>> {
        let goes_on = self.last.map(|(id, _)| id) == ids.first().copied();
        if !goes_on && ids.windows(2).all(|pair| pair[0] != pair[1]) {
            self.last = ids.last().map(|id| (*id, 1)).or(self.last);
            return None;
        }
        let number = |id: &u64| {
            let number = match self.last {
                Some((last, count)) if last == *id => count,
                _ => 0,
            };
            self.last = Some((*id, number + 1));
            number
        };
        Some(ids.iter().map(number).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_one_id_are_counted_across_batches() {
        let mut all = Ordinals::default();
        assert_eq!(all.of(&[1, 2]), None);
        assert_eq!(all.of(&[]), None);
        assert_eq!(all.of(&[2, 2, 3]), Some(vec![1, 2, 0]));
        assert_eq!(all.of(&[4, 5]), None);
        assert_eq!(all.of(&[5]), Some(vec![1]));
    }
}
