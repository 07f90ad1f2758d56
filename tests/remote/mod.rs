//! Datasets behind `http://`: the same bytes as from a disk, whatever the server does, or an error that names file and
//! request. (`tests/s3` does it with buckets.)

use crate::harness::{Case, Ran};
use djhost::testing::web::{Asked, Fault};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

mod buckets;
mod faults;
mod files;
mod hub;
mod hub_layouts;
mod hub_server;
mod pushing;
mod reading;
mod stores;

/// Some megabytes of rows of a few hundred bytes.
fn rows() -> String {
    (0..10_000)
        .map(|i| {
            let text = format!("row {i} has some words, {} of them; ", i % 70).repeat(1 + i % 17);
            format!("{{\"text\": \"{text}\", \"id\": {i}}}\n")
        })
        .collect()
}

const PROCESS: &str =
    "process:\n- text_length_filter: {min_len: 100}\n- whitespace_normalization_mapper:\n";

/// A run over the file at `url`, in several partitions.
fn run(case: &Case, url: &str) -> Ran {
    case.run(&format!(
        "dataset_path: {url}\npartition: {{mode: manual, num_of_partitions: 5}}\n{PROCESS}"
    ))
}

/// What a run gives whose input is on a disk.
fn expected(rows: &str) -> Vec<u8> {
    let case = Case::with_input(rows);
    case.run(PROCESS).ok().output.unwrap()
}

/// Goes wrong at the first `times` requests that are `chosen`.
fn at_first(
    times: usize,
    fault: Fault,
    chosen: impl Fn(&Asked) -> bool + Send + 'static,
) -> impl FnMut(&Asked) -> Option<Fault> + Send {
    let count = Arc::new(AtomicUsize::new(0));
    move |asked| (chosen(asked) && count.fetch_add(1, Ordering::Relaxed) < times).then_some(fault)
}

/// Whether a request is for many bytes: rows, and no look at them.
fn is_large(asked: &Asked) -> bool {
    asked
        .range
        .as_ref()
        .is_none_or(|range| range.end - range.start > 200_000)
}
