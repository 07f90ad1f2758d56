//! The recipes of web corpora, on the small crawl of `configs/data/crawl`. The path of each URL says
//! what is wrong with the page; here stands which operator takes it out, and why.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const KEPT: &str = "kept";

/// By the first part of the path: the operator, and its reason or a part of it.
type Fates = [(&'static str, &'static str, &'static str)];

const FINEWEB: &Fates = &[
    ("good", KEPT, ""),
    ("address", KEPT, ""),
    ("url", "url_filter", "url_reason is subdomain"),
    ("empty", "html_extract_mapper", "no_text"),
    ("german", "gopher_quality_filter", "gopher_stop_words is 0"),
    (
        "repeated",
        "gopher_repetition_filter",
        "gopher_repetition_reason is dup_line_frac",
    ),
    (
        "short",
        "gopher_quality_filter",
        "gopher_quality_reason is gopher_short_doc",
    ),
    ("lorem", "c4_quality_mapper", "lorem_ipsum"),
    (
        "list",
        "fineweb_quality_filter",
        "fineweb_quality_reason is line_punct_ratio",
    ),
    ("copy", "document_minhash_deduplicator", "is like it"),
];

const FINEWEB_2: &Fates = &[
    ("german", KEPT, ""),
    ("url", "url_filter", "url_reason is subdomain"),
    ("empty", "html_extract_mapper", "no_text"),
    ("good", "language_id_score_filter", "lang is en"),
    ("address", "language_id_score_filter", "lang is en"),
    ("repeated", "language_id_score_filter", "lang is en"),
    ("short", "language_id_score_filter", "lang is en"),
    ("lorem", "language_id_score_filter", "lang is en"),
    ("list", "language_id_score_filter", "lang is en"),
    ("copy", "language_id_score_filter", "lang is en"),
];

const DCLM: &Fates = &[
    ("good", KEPT, ""),
    ("address", KEPT, ""),
    ("list", KEPT, ""),
    ("url", "url_filter", "url_reason is subdomain"),
    ("empty", "html_extract_mapper", "no_text"),
    ("german", "gopher_quality_filter", "gopher_stop_words is 0"),
    (
        "repeated",
        "gopher_repetition_filter",
        "gopher_repetition_reason is dup_para_frac",
    ),
    (
        "short",
        "gopher_quality_filter",
        "gopher_quality_reason is gopher_short_doc",
    ),
    (
        "lorem",
        "bloom_paragraph_deduplicator",
        "keys were seen before",
    ),
    (
        "copy",
        "bloom_paragraph_deduplicator",
        "keys were seen before",
    ),
];

const C4: &Fates = &[
    ("good", KEPT, ""),
    ("address", KEPT, ""),
    ("short", KEPT, ""),
    ("repeated", KEPT, ""),
    // Of it the sentences stay that the first one does not have.
    ("copy", KEPT, ""),
    ("empty", "html_extract_mapper", "no_text"),
    ("german", "language_id_score_filter", "lang is de"),
    ("lorem", "c4_quality_mapper", "lorem_ipsum"),
    ("list", "c4_quality_mapper", "too_few_sentences"),
    ("url", "sentence_deduplicator", "keys were seen before"),
];

fn djhost(dir: &Path, args: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("XDG_STATE_HOME", dir)
        .env("DJHOST_CACHE_DIR", crate::harness::cache())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
}

fn rows(path: &str) -> Vec<Value> {
    let lines = fs::read_to_string(path).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// `good` of `https://village.example.org/good/ferry`.
fn kind(row: &Value) -> String {
    let url = row["url"].as_str().unwrap();
    url.split('/').nth(3).unwrap().to_owned()
}

#[test]
fn the_recipes_of_web_corpora_take_out_what_they_should() {
    for (name, fates) in [
        ("fineweb", FINEWEB),
        ("fineweb-2", FINEWEB_2),
        ("dclm", DCLM),
        ("c4", C4),
    ] {
        let dir = crate::harness::directory();
        let at = |file: &str| dir.path().join(file).to_string_lossy().into_owned();
        let (work, out, dropped) = (at("work"), at("out.jsonl"), at("dropped.jsonl"));
        let recipe = format!("configs/recipes/{name}.yaml");
        djhost(
            dir.path(),
            &[
                "run",
                &recipe,
                "--quiet",
                "--work_dir",
                &work,
                "--export_path",
                &out,
                "--job_id",
                "job",
            ],
        );
        djhost(
            dir.path(),
            &["dropped", &format!("{work}/job"), "--export", &dropped],
        );
        let kept = rows(&out);
        let mut found: BTreeMap<String, (String, String)> = kept
            .iter()
            .map(|row| (kind(row), (KEPT.to_owned(), String::new())))
            .collect();
        for row in &kept {
            let text = row["text"].as_str().unwrap();
            assert!(!text.is_empty() && !text.contains('<'), "{name}: {row}");
        }
        for entry in rows(&dropped) {
            let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            found.insert(kind(&entry["row"]), (text("op_name"), text("reason")));
        }
        assert_eq!(found.len(), fates.len(), "{name}: {found:#?}");
        for (kind, op, reason) in fates {
            let (by, why) = &found[*kind];
            assert!(
                by == op && why.contains(reason),
                "{name}: {kind}: {by}: {why}"
            );
        }
    }
}

/// The addresses of people are in no corpus, and each row says how many texts it stands for.
#[test]
fn fineweb_replaces_addresses_and_fineweb_2_counts_copies() {
    let dir = crate::harness::directory();
    let at = |file: &str| dir.path().join(file).to_string_lossy().into_owned();
    let run = |name: &str| {
        let (work, out) = (at("work"), at(&format!("{name}.jsonl")));
        djhost(
            dir.path(),
            &[
                "run",
                &format!("configs/recipes/{name}.yaml"),
                "--quiet",
                "--work_dir",
                &work,
                "--export_path",
                &out,
            ],
        );
        rows(&out)
    };
    let texts: String = run("fineweb")
        .iter()
        .map(|row| row["text"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        texts.contains("Write to the gardener at email@example.com if"),
        "{texts}"
    );
    assert!(!texts.contains("station-garden.org"), "{texts}");
    assert_eq!(run("fineweb-2")[0]["minhash_cluster_size"], 1);
}
