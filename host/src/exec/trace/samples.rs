//! Keeps some rows that mappers changed, before and after.
//!
//! Which rows is decided by a hash of op and row: so they are a random choice from the whole dataset,
//! the same whatever the partitions are. Each task keeps as many as the job keeps in all, and the
//! reader takes the first of all of them.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, UInt32Array, UInt64Array};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::data::Batch;
use crate::rundir::trace::{Entries, Fate, rank};
use crate::wasm::Update;

/// Characters that are kept of a value, around the first difference.
const MOST: usize = 2000;
/// How many of them come before the first difference.
const BEFORE: usize = 200;

/// The samples of a task.
#[derive(Default)]
pub(super) struct Samples {
    /// By op, the first of them by rank.
    of: BTreeMap<usize, BTreeMap<Place, Vec<[String; 3]>>>,
}

/// Rank, id and piece of a row.
type Place = (u64, u64, u32);

impl Samples {
    /// Looks at what op `op` changed in `rows`; keeps the first `most` changed rows by rank.
    pub(super) fn look(
        &mut self,
        (op, most): (usize, usize),
        rows: &Batch,
        pieces: Option<&[u32]>,
        updates: &[Update],
    ) {
        let kept = self.of.entry(op).or_default();
        for update in updates {
            let old = rows.column(&update.path).map(|column| &column.data);
            for at in 0..update.values.len() {
                let row = update
                    .rows
                    .as_ref()
                    .map_or(at, |rows| rows.value(at) as usize);
                let (id, piece) = (rows.ids.value(row), pieces.map_or(0, |p| p[row]));
                let place = (rank(op, id, piece), id, piece);
                let is_wanted = kept.len() < most
                    || kept
                        .last_key_value()
                        .is_some_and(|(last, _)| place <= *last);
                if !is_wanted || is_same(old, row, &update.values, at) {
                    continue;
                }
                let before = old.map(|old| text_of(old, row)).unwrap_or_default();
                let after = text_of(&update.values, at);
                let [before, after] = around(&before, &after);
                let changes = kept.entry(place).or_default();
                changes.push([update.path.clone(), before, after]);
                if kept.len() > most {
                    kept.pop_last();
                }
            }
        }
    }

    /// The entries of all samples.
    pub(super) fn entries(self) -> impl Iterator<Item = Entries> {
        self.of.into_iter().map(|(op, kept)| {
            let (mut ids, mut pieces) = (Vec::new(), Vec::new());
            let mut changes = [Vec::new(), Vec::new(), Vec::new()];
            let mut kept: Vec<_> = kept.into_iter().collect();
            kept.sort_by_key(|((_, id, piece), _)| (*id, *piece));
            for ((_, id, piece), values) in kept {
                for value in values {
                    ids.push(id);
                    pieces.push((piece > 0).then_some(piece));
                    changes
                        .iter_mut()
                        .zip(value)
                        .for_each(|(all, v)| all.push(v));
                }
            }
            Entries::new(Some(op), Fate::Changed, UInt64Array::from(ids))
                .pieces(Some(UInt32Array::from(pieces)))
                .changes(changes.map(StringArray::from))
        })
    }
}

fn is_same(old: Option<&ArrayRef>, row: usize, new: &ArrayRef, at: usize) -> bool {
    let Some(old) = old.filter(|old| old.data_type() == new.data_type()) else {
        return false;
    };
    if let (Some(a), Some(b)) = (old.as_string_view_opt(), new.as_string_view_opt()) {
        return a.is_null(row) == b.is_null(at) && (a.is_null(row) || a.value(row) == b.value(at));
    }
    old.slice(row, 1) == new.slice(at, 1)
}

/// A value for people.
pub(crate) fn text_of(values: &ArrayRef, row: usize) -> String {
    if values.is_null(row) {
        return "null".into();
    }
    match values.as_string_view_opt() {
        Some(texts) => texts.value(row).to_owned(),
        None => ArrayFormatter::try_new(values, &FormatOptions::default())
            .map(|shown| shown.value(row).to_string())
            .unwrap_or_default(),
    }
}

/// Both values, cut to what is around their first difference; `…` stands for what is left out.
fn around(before: &str, after: &str) -> [String; 2] {
    let same = before
        .char_indices()
        .zip(after.chars())
        .take_while(|((_, a), b)| a == b)
        .last()
        .map_or(0, |((at, a), _)| at + a.len_utf8());
    // Both have the same bytes up to there, so it is a border of characters in both.
    let mut start = same.saturating_sub(BEFORE);
    while !before.is_char_boundary(start) {
        start -= 1;
    }
    [before, after].map(|text| {
        let rest = &text[start..];
        let end = rest
            .char_indices()
            .nth(MOST)
            .map_or(rest.len(), |(at, _)| at);
        let (cut, more) = (
            if start > 0 { "…" } else { "" },
            if end < rest.len() { "…" } else { "" },
        );
        format!("{cut}{}{more}", &rest[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_around_the_difference() {
        assert_eq!(around("a", "b"), ["a", "b"]);
        let long = "é".repeat(3000);
        let [before, after] = around(&format!("{long}x"), &format!("{long}yz"));
        assert!(
            before.starts_with('…') && before.ends_with("éx"),
            "{before}"
        );
        assert!(
            after.ends_with("éyz") && after.chars().count() < 200,
            "{after}"
        );
        let [before, after] = around(&format!("x{long}"), &format!("y{long}"));
        assert!(before.starts_with('x') && after.starts_with('y'));
        assert!(before.ends_with('…') && before.chars().count() == MOST + 1);
    }
}
