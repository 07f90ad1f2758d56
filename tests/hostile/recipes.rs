//! Mistakes in recipes: all are found before anything starts, with place, value and advice.

use crate::good;
use crate::harness::Case;

#[track_caller]
fn refused(recipe: &str, parts: &[&str]) {
    let case = Case::with_input(good(3));
    case.run(recipe).failed(2, parts).failed(2, &["recipe.yaml"]);
    assert!(!case.path("work").exists(), "something was started");
}

#[test]
fn mistakes_are_named() {
    refused("process:\n  - text_lenght_filter: {}\n", &["there is no operator `text_lenght_filter`", "did you mean `text_length_filter`?"]);
    refused("process:\n  - text_length_filter: {min_len: many}\n", &["process[0].text_length_filter.min_len", "`many`"]);
    refused("process:\n  - text_length_filter: {min_length: 3}\n", &["min_length", "min_len"]);
    refused("proces:\n  - text_length_filter: {}\n", &["proces", "did you mean `process`?"]);
    refused("np: -1\nprocess: []\n", &["np"]);
    refused("max_quarantine_ratio: 2\nprocess:\n  - text_length_filter: {}\n", &["max_quarantine_ratio", "`2`"]);
    refused("process:\n  - text_length_filter: {limits: {timeout_s: 0}}\n", &["timeout_s", "`0`"]);
    refused("process:\n  - text_length_filter: {limits: {memory_gb: 1}}\n", &["memory_gb", "memory_mb"]);
    refused("on_error: ignore\nprocess:\n  - text_length_filter: {}\n", &["on_error", "`ignore`", "quarantine"]);
    // Several at once are all told.
    refused("process:\n  - nonsense_filter: {}\n  - text_length_filter: {max_len: x}\n", &["nonsense_filter", "max_len"]);
}

#[test]
fn files_that_are_no_recipes() {
    refused("\u{0}\u{1}\u{2}", &[]);
    refused("[1, 2", &[]);
    refused("&a [*a, *a]", &[]);
    let bomb: String = (1..40).map(|i| format!("k{i}: &k{i} [{}]\n", format!("*k{},", i - 1).repeat(10))).collect();
    refused(&format!("k0: &k0 [1]\n{bomb}"), &[]);
    refused(&format!("process: {}", "[".repeat(100_000)), &[]);
}

#[test]
fn no_operator_gets_what_it_cannot_read() {
    // `text_keys` that no row has: every row lacks it, which is a mistake rather than bad data.
    let case = Case::with_input(good(2000));
    case.run("text_keys: content\nprocess:\n  - text_length_filter: {}\n").failed(1, &["`content`", "wrong field"]);
}
