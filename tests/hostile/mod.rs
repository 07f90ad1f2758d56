//! Hostile datasets, paths and recipes, through the built program: a clear error or a counted entry
//! in quarantine, never a hang, a silent loss or a partial export. `Case::run` checks what must
//! hold for every run.

mod archives;
mod columns;
mod columns_of_writers;
mod commands;
mod datasets;
mod files;
mod judged;
mod layouts;
mod limits;
mod outputs;
mod positions;
mod recipes;
mod rows;
mod security;
mod sizes;
mod stats;
mod streams;
mod tables;
mod together;
mod values;
mod web_archives;

use crate::harness::{Case, Ran};

/// Keeps every row with a `text`, so only the reader can lose rows.
const KEEP: &str = "process:\n  - text_length_filter: {min_len: 0}\nmax_quarantine_ratio: 1\n";

/// Good rows.
fn good(rows: usize) -> String {
    (0..rows)
        .map(|i| format!("{{\"text\": \"row {i}\"}}\n"))
        .collect()
}

/// Runs the recipe that keeps everything on one file of that name.
#[track_caller]
fn run_on(name: &str, content: impl AsRef<[u8]>) -> Ran {
    let case = Case::new();
    case.write(name, content);
    case.run(&format!("{KEEP}dataset_path: '{name}'\n"))
}
