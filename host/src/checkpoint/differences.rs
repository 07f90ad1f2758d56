//! What a checkpoint stores of each row: nothing, a patch, or the whole row. Known answers are
//! taken over: what was read from a checkpoint, or stored in one that was written just before, is
//! the same for every row that no op has changed since.

use anyhow::Result;
use arrow::array::{Array, AsArray, BinaryViewArray, BinaryViewBuilder};
use arrow::buffer::BooleanBuffer;

use super::patch::{Pieces, diff};
use super::text_patch::{Found, TextChange};
use crate::data::{Batch, Column, Spliced};

/// By row: the row if it is stored whole, and the patch. Where both are null, the row is the input's.
pub(crate) type Stored = [BinaryViewArray; 2];

/// The rows that were stored last, for the next checkpoint of the same rows.
#[derive(Default)]
pub(crate) struct Memo(Option<(Batch, Stored)>);

impl Memo {
    /// What to store of the rows of `batch`, which are JSON.
    pub(crate) fn differences(&mut self, batch: &Batch) -> Result<Stored> {
        let stored = differences(batch, self.0.as_ref())?;
        // A huge row comes alone, and is not worth its memory.
        self.0 = (batch.rows() > 1).then(|| (batch.clone(), stored.clone()));
        Ok(stored)
    }
}

fn differences(batch: &Batch, memo: Option<&(Batch, Stored)>) -> Result<Stored> {
    let mut spliced = Spliced::new(batch)?;
    let mut known = memo.and_then(|(before, stored)| Known::new(before, stored, batch));
    let mut out = Out::with_capacity(batch.rows());
    for row in 0..batch.rows() {
        if !spliced.is_changed(row)
            && let Some(stored) = &batch.stored
        {
            out.copy(stored, row);
            continue;
        }
        if let Some((stored, at)) = known.as_mut().and_then(|known| known.find(row)) {
            out.copy(stored, at);
            continue;
        }
        let raw = spliced.raw().value(row);
        let mut old = match &batch.origin {
            Some(origin) => origin.is_valid(row).then(|| origin.value(row)),
            None => Some(raw),
        };
        if let Some((change, made)) = text_change(batch, known.as_ref(), row) {
            match out.change(&change, made)? {
                Found::Patch => continue,
                Found::Large => old = None,
                Found::Unknown => {}
            }
        }
        out.compare(old, spliced.row(row)?);
    }
    Ok(out.finish())
}

/// The change of the row since it was stored last or read, if it is of one text, and what made the
/// row that it is a change of.
fn text_change<'a>(
    batch: &'a Batch,
    known: Option<&Known<'a>>,
    row: usize,
) -> Option<(TextChange<'a>, Pieces<'a>)> {
    let column = only_changed(batch, row)?;
    let new = text(column, row)?;
    let raw = batch.raw.as_ref()?.value(row);
    let span = column.span.as_ref().filter(|span| span.is_valid(row))?;
    let (start, len) = (
        (span.value(row) >> 32) as usize,
        span.value(row) as u32 as usize,
    );
    if raw.get(start) != Some(&b'"') {
        return None;
    }
    let change = |old, foreign| TextChange {
        before: start + 1,
        after: raw.len() - (start + len) + 1,
        old,
        new,
        foreign,
    };
    if let Some((old, patch)) = known.and_then(|known| known.text(row, &column.path)) {
        return Some((change(old, None), Pieces::of(patch)));
    }
    let original = column.original.as_ref()?.as_string_view_opt()?;
    let old = original
        .is_valid(row)
        .then(|| original.value(row).as_bytes())?;
    let made = match (&batch.origin, &batch.stored) {
        (None, _) => Pieces::unchanged(raw.len()),
        (Some(origin), Some([_, patches])) if origin.is_valid(row) => match patches.is_valid(row) {
            true => Pieces::of(patches.value(row)),
            false => Pieces::unchanged(raw.len()),
        },
        _ => return None,
    };
    Some((change(old, Some(len - 2)), made))
}

/// The column of the only value that has changed in the row.
fn only_changed(batch: &Batch, row: usize) -> Option<&Column> {
    let mut all = changed(batch).filter(|(_, bits)| bits.value(row));
    let (column, _) = all.next()?;
    all.next().is_none().then_some(column)
}

/// The string of the row, which is no JSON text.
fn text(column: &Column, row: usize) -> Option<&[u8]> {
    let texts = column.data.as_string_view_opt().filter(|_| !column.json)?;
    texts.is_valid(row).then(|| texts.value(row).as_bytes())
}

struct Out {
    rows: BinaryViewBuilder,
    patches: BinaryViewBuilder,
    scratch: Vec<u8>,
}

impl Out {
    fn with_capacity(rows: usize) -> Self {
        Self {
            rows: BinaryViewBuilder::with_capacity(rows),
            patches: BinaryViewBuilder::with_capacity(rows),
            scratch: Vec::new(),
        }
    }

    fn copy(&mut self, [rows, patches]: &Stored, row: usize) {
        self.rows
            .append_option(rows.is_valid(row).then(|| rows.value(row)));
        self.patches
            .append_option(patches.is_valid(row).then(|| patches.value(row)));
    }

    /// A row with this change since `made` made it. Adds nothing unless the patch is found.
    fn change(&mut self, change: &TextChange<'_>, made: Pieces<'_>) -> Result<Found> {
        self.scratch.clear();
        let found = change.patch(made, &mut self.scratch)?;
        if found == Found::Patch {
            self.rows.append_null();
            self.patches.append_value(&self.scratch);
        }
        Ok(found)
    }

    /// A row that was `old` in the input (None: unknown) and is `new`.
    fn compare(&mut self, old: Option<&[u8]>, new: &[u8]) {
        self.scratch.clear();
        match old {
            Some(old) if std::ptr::eq(old, new) || old == new => {
                self.rows.append_null();
                self.patches.append_null();
            }
            Some(old) if diff(old, new, &mut self.scratch) => {
                self.rows.append_null();
                self.patches.append_value(&self.scratch);
            }
            _ => {
                self.rows.append_value(new);
                self.patches.append_null();
            }
        }
    }

    fn finish(mut self) -> Stored {
        [self.rows.finish(), self.patches.finish()]
    }
}

/// Rows that were stored before, looked up in the order of their ids.
struct Known<'a> {
    before: &'a Batch,
    stored: &'a Stored,
    now: &'a Batch,
    /// The changed columns of now, with those of before.
    columns: Vec<[(&'a Column, &'a BooleanBuffer); 2]>,
    /// The changed columns of before that are not changed now.
    gone: Vec<&'a BooleanBuffer>,
    /// Changed columns of now that were not changed before.
    new: Vec<&'a BooleanBuffer>,
    at: usize,
}

fn changed(batch: &Batch) -> impl Iterator<Item = (&Column, &BooleanBuffer)> {
    batch
        .columns
        .iter()
        .filter_map(|column| Some((column, column.changed.as_ref()?)))
}

impl<'a> Known<'a> {
    fn new(before: &'a Batch, stored: &'a Stored, now: &'a Batch) -> Option<Self> {
        if before.raw.is_none() || now.raw.is_none() {
            return None;
        }
        let same = |a: &Column, b: &Column| a.path == b.path;
        let (mut columns, mut new) = (Vec::new(), Vec::new());
        for one in changed(now) {
            match changed(before).find(|other| same(one.0, other.0)) {
                Some(other) => columns.push([one, other]),
                None => new.push(one.1),
            }
        }
        let gone = changed(before)
            .filter(|one| !changed(now).any(|other| same(one.0, other.0)))
            .map(|(_, bits)| bits)
            .collect();
        Some(Self {
            before,
            stored,
            now,
            columns,
            gone,
            new,
            at: 0,
        })
    }

    /// Where the row is among those before, if it has not changed since. Ids ascend.
    fn find(&mut self, row: usize) -> Option<(&'a Stored, usize)> {
        let id = self.now.ids.value(row);
        while self.at < self.before.rows() && self.before.ids.value(self.at) < id {
            self.at += 1;
        }
        let at = self.at;
        let is_same = at < self.before.rows()
            && self.before.ids.value(at) == id
            && self.is_same_text(row, at)
            && self
                .columns
                .iter()
                .all(|[(now, is_new), (before, was_new)]| {
                    is_new.value(row) == was_new.value(at)
                        && (!is_new.value(row) || has_same_value(now, row, before, at))
                })
            && !self.gone.iter().any(|bits| bits.value(at))
            && !self.new.iter().any(|bits| bits.value(row));
        is_same.then_some((self.stored, at))
    }

    /// The text at `path`, which is the only value that had changed, in the row that was stored at the
    /// place that [`find`](Self::find) has looked at, and the patch that made that row.
    fn text(&self, row: usize, path: &str) -> Option<(&'a [u8], &'a [u8])> {
        let (at, [_, patches]) = (self.at, self.stored);
        let is_it = at < self.before.rows()
            && self.before.ids.value(at) == self.now.ids.value(row)
            && self.is_same_text(row, at)
            && patches.is_valid(at);
        let column = only_changed(self.before, is_it.then_some(at)?)?;
        (column.path == path).then_some((text(column, at)?, patches.value(at)))
    }

    fn is_same_text(&self, row: usize, at: usize) -> bool {
        match (&self.now.raw, &self.before.raw) {
            (Some(now), Some(before)) => is_same(now.value(row), before.value(at)),
            _ => false,
        }
    }
}

fn has_same_value(now: &Column, row: usize, before: &Column, at: usize) -> bool {
    let (Some(a), Some(b)) = (
        now.data.as_string_view_opt(),
        before.data.as_string_view_opt(),
    ) else {
        return false;
    };
    now.json == before.json
        && a.is_valid(row)
        && b.is_valid(at)
        && is_same(a.value(row).as_bytes(), b.value(at).as_bytes())
}

/// Whether the two are at the same place, or so short that they may be compared.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    const SHORT: usize = 64;
    std::ptr::eq(a, b) || (a.len() <= SHORT && a == b)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, StringViewArray, UInt64Array};
    use arrow::compute;

    use super::*;
    use crate::data::views::overlay;
    use crate::data::{FieldType, ReadField, extract, render};

    /// Rows of which the ones in `texts` have this text appended.
    fn batch(rows: usize, texts: &[(usize, &str)]) -> Batch {
        let raw = BinaryViewArray::from_iter_values((0..rows).map(|i| {
            format!(
                "{{\"text\": \"the text of row {i}, {}\", \"n\": {i}}}",
                "long ".repeat(40)
            )
        }));
        let field = ReadField {
            path: "text".into(),
            ty: FieldType::Utf8,
            required: false,
        };
        let mut columns = extract(&raw, &[field]).unwrap().columns;
        let old = columns[0].data.as_string_view().clone();
        let text = |i: usize| {
            texts
                .iter()
                .find(|(row, _)| *row == i)
                .map(|(_, text)| *text)
        };
        let bits = BooleanBuffer::collect_bool(rows, |i| text(i).is_some());
        let data: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..rows).map(|i| {
            // Most of the row stays, so that a patch is worth it.
            format!("{}{}", old.value(i), text(i).unwrap_or_default())
        })));
        columns[0].data = data;
        columns[0].changed = Some(bits);
        Batch {
            ids: UInt64Array::from_iter_values(0..rows as u64),
            raw: Some(raw),
            origin: None,
            stored: None,
            columns,
            stats: Vec::new(),
        }
    }

    #[test]
    fn what_was_stored_before_is_what_is_stored_without_it() {
        let long =
            "a new text that is longer than what is compared byte by byte, so its place counts";
        let first = batch(9, &[(2, "short"), (3, long), (5, long), (7, "x")]);
        let mut memo = Memo::default();
        let stored = memo.differences(&first).unwrap();
        assert_eq!(stored, differences(&first, None).unwrap());
        assert!(stored[0].is_null(3) && stored[1].is_valid(3) && stored[1].is_null(4));
        // Filtered only: the same rows.
        let keep = BooleanArray::from_iter((0..9).map(|i| Some(i % 3 != 1)));
        let fewer = first.filter(&keep).unwrap();
        let known = Known::new(&first, &stored, &fewer).unwrap().find(2);
        assert_eq!(known.map(|(_, at)| at), Some(3));
        assert_eq!(
            memo.differences(&fewer).unwrap(),
            differences(&fewer, None).unwrap()
        );
        // Changed again, each in its way.
        let mut again = fewer.clone();
        let texts = [(0, "now too"), (2, "another"), (3, "and one")];
        again.columns[0].data = Arc::new(StringViewArray::from_iter_values((0..fewer.rows()).map(
            |i| {
                let new = texts
                    .iter()
                    .find(|(row, _)| *row == i)
                    .map(|(_, text)| *text);
                new.unwrap_or(fewer.columns[0].data.as_string_view().value(i))
            },
        )));
        let changed = again.columns[0].changed.clone().unwrap();
        again.columns[0].changed = Some(BooleanBuffer::collect_bool(fewer.rows(), |i| {
            changed.value(i) || texts.iter().any(|(row, _)| *row == i)
        }));
        let stored = memo.differences(&again).unwrap();
        assert_eq!(stored, differences(&again, None).unwrap());
        // Too much of it is new for a patch.
        assert!(stored[0].is_valid(2) && stored[1].is_null(2));
    }

    /// Numbers that are the same in each run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, n: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (self.0 >> 33) as usize % n
        }

        /// A text with all kinds of escapes, and characters of several bytes.
        fn text(&mut self) -> String {
            let words = [
                "plain ",
                "\n",
                "a \"quote\"",
                "\\",
                "é",
                "文字",
                "\u{1f600}",
                "\t",
                "some longer words, ",
            ];
            let word = |_| match self.below(60) {
                0 => "\u{1}",
                _ => words[self.below(words.len())],
            };
            (0..20).map(word).collect()
        }

        /// What an op might make of a text.
        fn edited(&mut self, text: &str) -> String {
            let mut chars: Vec<char> = text.chars().collect();
            for _ in 0..1 + self.below(3) {
                let from = self.below(chars.len() + 1);
                let to = (from + self.below(6)).min(chars.len());
                let new: Vec<char> = ["", "\"", "ü\n", "new"][self.below(4)].chars().collect();
                chars.splice(from..to, new);
            }
            chars.into_iter().collect()
        }
    }

    /// A row as it may be read, spelled as djhost would spell it or in other ways.
    fn row(random: &mut Random) -> Vec<u8> {
        let text = serde_json::to_string(&random.text()).unwrap();
        let text = match random.below(5) {
            0 => text.replace('é', "\\u00e9"),
            1 => text.replace("\\u0001", "\\u0001 \\/"),
            _ => text,
        };
        format!(
            "{{\"n\": 1, \"text\": {text}, \"other\": \"{}\"}}",
            "x".repeat(300)
        )
        .into_bytes()
    }

    /// The rows of `stored`, made from those of the input.
    fn made(stored: &Stored, origin: &BinaryViewArray) -> Vec<Vec<u8>> {
        let [rows, patches] = stored;
        let one = |row: usize| match (rows.is_valid(row), patches.is_valid(row)) {
            (true, _) => rows.value(row).to_vec(),
            (_, false) => origin.value(row).to_vec(),
            (_, true) => {
                let mut out = Vec::new();
                crate::checkpoint::patch::apply(origin.value(row), patches.value(row), &mut out)
                    .unwrap();
                out
            }
        };
        (0..rows.len()).map(one).collect()
    }

    /// Ops change some rows, filters drop some, and after a few of them the rows are read again.
    #[test]
    fn patches_of_texts_make_the_rows() {
        let mut random = Random(1);
        let field = |path: &str| ReadField {
            path: path.into(),
            ty: FieldType::Utf8,
            required: false,
        };
        let fields = [field("text"), field("other")];
        let mut patched = 0;
        for _ in 0..60 {
            let rows = BinaryViewArray::from_iter_values((0..20).map(|_| row(&mut random)));
            let mut batch = Batch {
                ids: UInt64Array::from_iter_values(0..20),
                columns: extract(&rows, &fields).unwrap().columns,
                raw: Some(rows.clone()),
                origin: None,
                stored: None,
                stats: Vec::new(),
            };
            let mut origin = rows;
            let mut memo = Memo::default();
            for step in 0..8 {
                let at = usize::from(random.below(10) == 0);
                let old = batch.columns[at].data.as_string_view().clone();
                let is_changed =
                    BooleanBuffer::collect_bool(batch.rows(), |_| random.below(3) == 0);
                let rows: Vec<u32> = is_changed.set_indices().map(|row| row as u32).collect();
                let new = rows
                    .iter()
                    .map(|row| random.edited(old.value(*row as usize)));
                let new: ArrayRef = Arc::new(StringViewArray::from_iter_values(new));
                let column = &mut batch.columns[at];
                let data =
                    overlay(Some(&column.data), old.len(), Some(&rows.into()), &new).unwrap();
                column
                    .original
                    .get_or_insert(std::mem::replace(&mut column.data, data));
                column.changed = Some(match &column.changed {
                    Some(before) => before | &is_changed,
                    None => is_changed,
                });
                let keep =
                    BooleanArray::from_iter((0..batch.rows()).map(|_| Some(random.below(10) > 0)));
                batch = batch.filter(&keep).unwrap();
                origin = compute::filter(&origin, &keep)
                    .unwrap()
                    .as_binary_view()
                    .clone();
                let stored = memo.differences(&batch).unwrap();
                let expected = render(&batch).unwrap();
                let expected: Vec<_> = expected.iter().flatten().map(<[u8]>::to_vec).collect();
                assert_eq!(made(&stored, &origin), expected);
                patched += stored[1].len() - stored[1].null_count();
                if step == 4 {
                    let raw = render(&batch).unwrap();
                    let known: BinaryViewArray = (0..batch.rows())
                        .map(|row| stored[0].is_null(row).then(|| origin.value(row)))
                        .collect();
                    batch.columns = extract(&raw, &fields).unwrap().columns;
                    (batch.raw, batch.origin, batch.stored) =
                        (Some(raw), Some(known), Some(stored));
                    memo = Memo::default();
                }
            }
        }
        assert!(patched > 2000, "{patched}");
    }

    #[test]
    fn rows_from_a_checkpoint_keep_what_it_has_of_them() {
        let mut batch = batch(4, &[(1, "changed")]);
        batch.origin = batch.raw.clone();
        let mark = |text: &str| BinaryViewArray::from_iter(vec![Some(text.as_bytes()); 4]);
        batch.stored = Some([BinaryViewArray::new_null(4), mark("as it was")]);
        let [rows, patches] = differences(&batch, None).unwrap();
        assert_eq!(rows.null_count(), 4);
        for row in [0, 2, 3] {
            assert_eq!(patches.value(row), b"as it was");
        }
        assert_ne!(patches.value(1), b"as it was");
    }
}
