//! Bounds the size of an answer row by row: whatever batch a row came in, and however JSON spells
//! it.

use arrow::array::{Array, AsArray, BinaryViewArray, ListArray, StringViewArray};
use arrow::datatypes::DataType;

use super::contract::{Limits, Output, ROW, Signature};
use crate::data::Batch;

/// Rows made from one may have this size without exceeding `output_ratio` times it. They are in
/// memory together, though mostly as references.
const MADE: f64 = (256u64 << 20) as f64;

/// Checks the answer for each row of `batch`: at most `ratio` times what the operator received of
/// it, and `row_output`. Rows made from one may be `ratio` times as large again, including copied
/// fields. Returns the bytes in excess of `ratio` times each row, in all.
///
/// # Errors
/// Names the first row that exceeds the bound.
pub(crate) fn check(
    output: &Output,
    batch: &Batch,
    signature: &Signature,
    limits: &Limits,
) -> Result<u64, String> {
    let mut answers = Answers {
        bytes: vec![0; batch.rows()],
        made: Vec::new(),
    };
    match output {
        Output::Updated(updates) => {
            for update in updates {
                let sizes = Sizes::of(update.values.as_ref());
                match &update.rows {
                    Some(rows) => rows
                        .values()
                        .iter()
                        .enumerate()
                        .for_each(|(i, row)| answers.bytes[*row as usize] += sizes.get(i)),
                    None => answers.add(&sizes),
                }
            }
        }
        Output::Rows { origins, fields } => {
            answers.made = vec![0; batch.rows()];
            for (i, origin) in origins.values().iter().enumerate() {
                answers.made[*origin as usize] += 1;
                // The number of the origin itself.
                answers.bytes[*origin as usize] += 4 + fields
                    .iter()
                    .map(|field| Sizes::of(field.values.as_ref()).get(i))
                    .sum::<u64>();
            }
        }
        Output::Filtered { stats, .. } => {
            let mut sizes = stats
                .iter()
                .map(|stat| Sizes::of(stat.data.as_ref()))
                .filter(|sizes| !matches!(sizes, Sizes::Fixed))
                .peekable();
            if sizes.peek().is_none() {
                return Ok(0);
            }
            sizes.for_each(|sizes| answers.add(&sizes));
        }
        Output::Fingerprints { width, per_row, .. } => answers.bytes.fill((width * per_row) as u64),
        Output::Keys(keys) => answers.add(&Sizes::of(keys.as_ref())),
        Output::KeyLists(keys) => answers.add(&Sizes::List(keys)),
    }
    let replaced: Vec<&str> = match output {
        Output::Rows { fields, .. } => fields.iter().map(|field| field.path.as_str()).collect(),
        _ => Vec::new(),
    };
    let is_part_of_rows = matches!(
        output,
        Output::Updated(_) | Output::Rows { .. } | Output::Filtered { .. }
    );
    if !is_part_of_rows
        && answers
            .bytes
            .iter()
            .all(|bytes| *bytes <= limits.row_output as u64)
    {
        return Ok(0);
    }
    answers.judge(batch, &Given::new(batch, signature), &replaced, limits)
}

/// Size of the answer for each row.
struct Answers {
    bytes: Vec<u64>,
    /// Number of rows made from each; empty if none are.
    made: Vec<u64>,
}

impl Answers {
    fn add(&mut self, sizes: &Sizes<'_>) {
        self.bytes
            .iter_mut()
            .enumerate()
            .for_each(|(row, bytes)| *bytes += sizes.get(row));
    }

    fn judge(
        &self,
        batch: &Batch,
        given: &Given<'_>,
        replaced: &[&str],
        limits: &Limits,
    ) -> Result<u64, String> {
        let (ratio, more) = (limits.ratio, limits.row_output as f64);
        let is_whole = replaced == [ROW];
        let mut beyond = 0;
        for (row, &answered) in self.bytes.iter().enumerate() {
            let copies = if is_whole {
                0
            } else {
                self.made.get(row).copied().unwrap_or(0)
            };
            let own = given.of(row);
            if copies == 0 && answered as f64 <= ratio * own as f64 {
                continue;
            }
            let whole = whole(batch, row).max(own);
            let rest =
                whole.saturating_sub(replaced.iter().map(|path| part(batch, row, path)).sum());
            let made = answered.saturating_add(copies.saturating_mul(rest));
            let most_made = (ratio * ratio * whole as f64)
                .min(MADE)
                .max(ratio * whole as f64)
                + more;
            if answered as f64 > ratio * own as f64 + more || made as f64 > most_made {
                let limit = format!(
                    "more than output_ratio {ratio} and row_output_kb {} allow",
                    limits.row_output >> 10
                );
                return Err(match self.made.get(row) {
                    Some(rows) => format!(
                        "{rows} rows of {made} bytes, made of one of {whole} bytes: {limit}"
                    ),
                    None => format!(
                        "an answer of {answered} bytes for a row of which it was given {own} bytes: {limit}"
                    ),
                });
            }
            beyond += (made as f64 - ratio * whole as f64).max(0.0) as u64;
        }
        Ok(beyond)
    }
}

/// Sizes of the values of a column, in bytes.
enum Sizes<'a> {
    Text(&'a StringViewArray),
    Bytes(&'a BinaryViewArray),
    List(&'a ListArray),
    /// So many in each row.
    Vector(u64),
    Fixed,
}

impl<'a> Sizes<'a> {
    fn of(array: &'a dyn Array) -> Self {
        if let Some(texts) = array.as_string_view_opt() {
            return Self::Text(texts);
        }
        if let Some(bytes) = array.as_binary_view_opt() {
            return Self::Bytes(bytes);
        }
        match array.data_type() {
            DataType::FixedSizeList(item, width) if item.data_type() == &DataType::Float32 => {
                Self::Vector(4 * u64::from(width.unsigned_abs()))
            }
            _ => array.as_list_opt().map_or(Self::Fixed, Self::List),
        }
    }

    fn get(&self, row: usize) -> u64 {
        match self {
            Self::Text(texts) if texts.is_null(row) => 0,
            // The lowest 32 bits of a view are the length.
            Self::Text(texts) => u64::from(texts.views()[row] as u32),
            Self::Bytes(bytes) if bytes.is_null(row) => 0,
            Self::Bytes(bytes) => u64::from(bytes.views()[row] as u32),
            Self::Vector(bytes) => *bytes,
            Self::List(lists) => {
                let (start, end) = (
                    lists.value_offsets()[row] as usize,
                    lists.value_offsets()[row + 1] as usize,
                );
                let texts = lists
                    .values()
                    .as_string_opt::<i32>()
                    .map(|texts| texts.value_offsets()[end] - texts.value_offsets()[start]);
                let bytes = lists
                    .values()
                    .as_binary_opt::<i32>()
                    .map(|bytes| bytes.value_offsets()[end] - bytes.value_offsets()[start]);
                8 * (end - start) as u64 + texts.or(bytes).unwrap_or(0) as u64
            }
            Self::Fixed => 8,
        }
    }
}

/// What an operator receives of each row.
struct Given<'a>(Vec<Sizes<'a>>);

impl<'a> Given<'a> {
    fn new(batch: &'a Batch, signature: &Signature) -> Self {
        let columns = signature
            .reads
            .iter()
            .filter_map(|read| batch.column(&read.path));
        Self(
            columns
                .map(|column| Sizes::of(column.data.as_ref()))
                .collect(),
        )
    }

    fn of(&self, row: usize) -> u64 {
        self.0.iter().map(|sizes| sizes.get(row)).sum()
    }
}

/// The current size of a row, independent of its spelling.
fn whole(batch: &Batch, row: usize) -> u64 {
    let now = |column: &crate::data::Column| Sizes::of(column.data.as_ref()).get(row);
    let Some(raw) = &batch.raw else {
        return batch.columns.iter().map(now).sum();
    };
    let changed = batch
        .columns
        .iter()
        .filter(|column| column.changed.as_ref().is_some_and(|bits| bits.value(row)));
    changed.fold(unescaped(raw.value(row)), |size, column| {
        size.saturating_sub(before(batch, column, row))
            .saturating_add(now(column))
    })
}

/// The size of the value at `path` within it.
fn part(batch: &Batch, row: usize, path: &str) -> u64 {
    let Some(column) = batch.column(path) else {
        return 0;
    };
    let is_changed = column.changed.as_ref().is_some_and(|bits| bits.value(row));
    if batch.raw.is_none() || is_changed {
        Sizes::of(column.data.as_ref()).get(row)
    } else {
        before(batch, column, row)
    }
}

/// The size of the value in the JSON row as read.
fn before(batch: &Batch, column: &crate::data::Column, row: usize) -> u64 {
    let (Some(raw), Some(spans)) = (&batch.raw, &column.span) else {
        return 0;
    };
    if spans.is_null(row) {
        return 0;
    }
    let (start, length) = (
        (spans.value(row) >> 32) as usize,
        spans.value(row) as u32 as usize,
    );
    raw.value(row)
        .get(start..start + length)
        .map_or(0, unescaped)
}

/// The length of a JSON text with its escapes undone.
fn unescaped(json: &[u8]) -> u64 {
    let mut length = json.len() as u64;
    let mut rest = json;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let code =
            |from: &[u8]| u32::from_str_radix(std::str::from_utf8(from.get(2..6)?).ok()?, 16).ok();
        let escape = &rest[at..];
        let (read, stands_for) = match (escape.get(1), code(escape)) {
            (Some(b'u'), Some(0xd800..=0xdbff)) if escape.get(6..8) == Some(b"\\u") => (12, 4),
            (Some(b'u'), Some(code)) => (6, char::from_u32(code).map_or(3, char::len_utf8)),
            _ => (2, 1),
        };
        length -= (read.min(escape.len()) - stands_for.min(escape.len())) as u64;
        rest = escape.get(read..).unwrap_or_default();
    }
    length
}

/// Approximate bytes of each row with all its new values.
pub(crate) fn row_sizes(batch: &Batch) -> Vec<u64> {
    let mut sizes: Vec<u64> = match &batch.raw {
        Some(raw) => raw
            .views()
            .iter()
            .map(|view| u64::from(*view as u32))
            .collect(),
        None => vec![0; batch.rows()],
    };
    for column in &batch.columns {
        let values = Sizes::of(column.data.as_ref());
        let counts = |row: usize| {
            batch.raw.is_none() || column.changed.as_ref().is_some_and(|bits| bits.value(row))
        };
        sizes
            .iter_mut()
            .enumerate()
            .filter(|(row, _)| counts(*row))
            .for_each(|(row, size)| *size += values.get(row));
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn escapes_count_as_what_they_stand_for() {
        for (json, expected) in [
            (r#""plain""#, 7),
            (r#""a\nb\\c""#, 7),
            (r#""\u4e2d\u6587""#, 8),
            (r#""\ud83d\ude00""#, 6),
            (r#""\ud83d lone""#, 10),
            (r#""\u0041""#, 3),
            (r#""中文""#, 8),
            ("\"broken\\", 8),
            ("\"\\u12", 4),
        ] {
            assert_eq!(unescaped(json.as_bytes()), expected, "{json}");
        }
    }
}
