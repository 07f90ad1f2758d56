//! The five examples that every language has, in Rust, and the rows for trying them.
//!
//! `PREFIX_alnum_filter {min_ratio: 0.25, max_ratio: 1.0}`: keeps texts whose share of ASCII
//! letters and digits among the UTF-8 bytes lies in the range, ends included unless the common
//! parameters say otherwise. Stat `PREFIX_alnum_ratio`; 0 for an empty text.
//!
//! `PREFIX_split_mapper`: a row for each paragraph. Lines end at `\n`; a line of only blanks, tabs
//! and `\r` is blank; a paragraph is a run of lines that are not blank, verbatim, without the last
//! `\n`. A text without paragraphs makes no row.
//!
//! `PREFIX_prefix_deduplicator {length: 64}`: rows are duplicates if their first `length`
//! characters (Unicode code points) are equal. `length` is at least 1.
//!
//! `PREFIX_histogram_mapper`: the share of each quarter of byte values in `file`, bytes, as a vector of
//! four numbers in `histogram`; no change without `file`.
//!
//! `PREFIX_fluency_filter {model, min_score: -2.3}`: keeps texts to which a language model of KenLM gives
//! at least this logarithm to base 10 of the probability. Stat `PREFIX_log_probability`.

use serde_json::{Value, json};

/// A text that shows a difference, or just a text.
const TEXTS: &[&str] = &[
    "plain text with letters 123",
    "!!!!!! ---- ????",
    "First paragraph\nof two lines.\n\nSecond one.\n \t\r\nThird one.",
    "\n\n  leading and trailing blank lines  \n\n\n",
    "  \n\t\n",
    "日本語の文章です。\n\n英語 mixed text here",
    // By bytes, or by UTF-16 units, the next pairs have the same beginning.
    "éé",
    "éà",
    "😀a😀",
    "😀b😀",
    "plain text with other letters",
    "half!!!!",
    "windows line\r\nends\r\n\r\nhere\r\n",
    "quote \" backslash \\ nul \u{0} bell \u{7}",
];

/// The rows: the texts, an empty one, and fields that nobody reads.
pub(crate) fn rows() -> Vec<Value> {
    let texts = TEXTS.iter().chain(&[""]).chain(TEXTS.iter().take(3));
    texts
        .enumerate()
        .map(|(id, text)| json!({"id": id, "text": text, "meta": {"big": 12345678901234567890u64, "list": [1, 2.50]}}))
        .collect()
}

/// The rows as JSONL.
pub(crate) fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

pub(crate) fn text(row: &Value) -> &str {
    row["text"].as_str().unwrap()
}

pub(crate) fn alnum_ratio(text: &str) -> f64 {
    let alnum = text.bytes().filter(u8::is_ascii_alphanumeric).count();
    if text.is_empty() {
        0.0
    } else {
        alnum as f64 / text.len() as f64
    }
}

/// The rows of each paragraph.
pub(crate) fn split(rows: &[Value]) -> Vec<Value> {
    let with = |row: &Value, text: String| {
        let mut row = row.clone();
        row["text"] = text.into();
        row
    };
    rows.iter()
        .flat_map(|row| {
            paragraphs(text(row))
                .into_iter()
                .map(|text| with(row, text))
        })
        .collect()
}

fn paragraphs(text: &str) -> Vec<String> {
    let blank = |line: &str| line.bytes().all(|b| b" \t\r".contains(&b));
    let lines: Vec<&str> = text.split('\n').collect();
    lines
        .split(|line| blank(line))
        .filter(|run| !run.is_empty())
        .map(|run| run.join("\n"))
        .collect()
}

/// The rows that are the first with their beginning.
pub(crate) fn deduplicated(rows: &[Value], length: usize) -> Vec<Value> {
    let mut seen = std::collections::HashSet::new();
    rows.iter()
        .filter(|row| seen.insert(text(row).chars().take(length).collect::<String>()))
        .cloned()
        .collect()
}
