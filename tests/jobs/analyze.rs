//! `djhost analyze`: stats of all rows, and what they say of filters.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::djhost;

fn ok(dir: &Path, args: &[&str]) -> String {
    let output = djhost(dir, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn analyze(dir: &Path, args: &[&str]) -> Value {
    let text = ok(dir, &[&["analyze"], args, &["--json"]].concat());
    serde_json::from_str(&text).unwrap()
}

const ROWS: usize = 500;

const RECIPE: &str = "dataset_path: in.jsonl\nexport_path: out/result.jsonl\nwork_dir: work\nreorder: false\nprocess:\n  \
    - whitespace_normalization_mapper:\n  - words_num_filter: {min_num: 4}\n  - text_length_filter: {min_len: 15, max_len: 150}\n  \
    - alphanumeric_filter: {min_ratio: 0.6}\n  - document_deduplicator:\n";

fn directory() -> tempfile::TempDir {
    let dir = crate::harness::directory();
    let words = [
        "alpha",
        "!!!",
        "of",
        "the",
        "Gamma9",
        "??",
        "delta-ray",
        "é",
    ];
    let mut text = String::new();
    for row in 0..ROWS {
        let all: Vec<&str> = (0..1 + row * 7 % 31)
            .map(|n| words[(row * 3 + n * n) % words.len()])
            .collect();
        let lang = ["en", "zh", "de"][row % 7 % 3];
        let line =
            serde_json::json!({ "id": row, "meta": { "lang": lang }, "text": all.join(" ") });
        text += &format!("{line}\n");
    }
    fs::write(dir.path().join("in.jsonl"), text).unwrap();
    fs::write(dir.path().join("recipe.yaml"), RECIPE).unwrap();
    dir
}

fn n(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is no number of rows"))
}

#[test]
fn filters_judge_every_row_and_drop_none() {
    let dir = directory();
    let found = analyze(
        dir.path(),
        &[
            "recipe.yaml",
            "--by",
            "meta.lang",
            "--keep",
            "90",
            "-o",
            "bounds.yaml",
            "--html",
            "page.html",
        ],
    );
    let stats = found["stats"].as_array().unwrap();
    assert_eq!(stats.len(), 3);
    for stat in stats {
        assert_eq!(n(&stat["count"]), ROWS as u64, "{}", stat["key"]);
        assert!(
            stat["min"].as_f64() < stat["mean"].as_f64() && stat["deviation"].as_f64() > Some(0.0)
        );
    }
    // What each filter says alone is what a job with this filter alone does.
    for (at, filter) in [
        "words_num_filter: {min_num: 4}",
        "text_length_filter: {min_len: 15, max_len: 150}",
        "alphanumeric_filter: {min_ratio: 0.6}",
    ]
    .iter()
    .enumerate()
    {
        let alone = format!(
            "dataset_path: in.jsonl\nexport_path: alone{at}.jsonl\nwork_dir: work\njob_id: alone{at}\nprocess:\n  - whitespace_normalization_mapper:\n  - {filter}\n"
        );
        fs::write(dir.path().join("alone.yaml"), alone).unwrap();
        ok(dir.path(), &["run", "alone.yaml", "--quiet"]);
        let rows = fs::read_to_string(dir.path().join(format!("alone{at}.jsonl"))).unwrap();
        let kept = rows.lines().count() as u64;
        assert_eq!(n(&stats[at]["kept"]), kept, "{filter}");
        assert_eq!(
            n(&found["ops"][at + 1]["dropped"]),
            ROWS as u64 - kept,
            "{filter}"
        );
        assert_eq!(
            n(&found["analysis"]["overlap"]["both"][at][at]),
            ROWS as u64 - kept,
            "{filter}"
        );
    }
    let none = ["run", "recipe.yaml", "--quiet", "--job_id", "job"];
    let without = RECIPE.replace("  - document_deduplicator:\n", "");
    fs::write(dir.path().join("recipe.yaml"), without).unwrap();
    ok(dir.path(), &none);
    let kept = fs::read_to_string(dir.path().join("out/result.jsonl"))
        .unwrap()
        .lines()
        .count() as u64;
    assert_eq!(n(&found["analysis"]["kept_by_all"]), kept);

    let analysis = &found["analysis"];
    let coefficients = &analysis["correlation"]["coefficients"];
    assert_eq!(coefficients[0][0], 1.0);
    assert!(
        coefficients[0][1].as_f64() > Some(0.7),
        "more words are longer: {coefficients}"
    );
    let groups = analysis["groups"]["groups"].as_array().unwrap();
    assert_eq!(
        groups.iter().map(|group| n(&group["rows"])).sum::<u64>(),
        ROWS as u64
    );
    assert_eq!(groups[0]["value"], "en");
    for at in 0..3 {
        let of = |field: usize| -> u64 {
            groups
                .iter()
                .map(|group| n(&group["stats"][at][field]))
                .sum()
        };
        assert_eq!((of(0), of(1)), (ROWS as u64, n(&stats[at]["kept"])));
    }
    for suggestion in analysis["suggestions"].as_array().unwrap() {
        assert!(suggestion["share"].as_f64() >= Some(0.9), "{suggestion}");
    }
    // The recipe that it writes keeps what it says, filter by filter.
    let written = fs::read_to_string(dir.path().join("bounds.yaml")).unwrap();
    assert!(
        written.starts_with("# Bounds that keep 90 % of 500 rows"),
        "{written}"
    );
    let again = analyze(dir.path(), &["bounds.yaml", "--work_dir", "work"]);
    for suggestion in analysis["suggestions"].as_array().unwrap() {
        let stats = again["stats"].as_array().unwrap();
        let stat = stats
            .iter()
            .find(|stat| stat["key"] == suggestion["key"])
            .unwrap();
        assert_eq!(stat["kept"], suggestion["rows"], "{suggestion}\n{written}");
    }
    let page = fs::read_to_string(dir.path().join("page.html")).unwrap();
    assert!(page.contains("\"kept_by_all\""));
}

#[test]
fn an_analysis_is_a_job_of_its_own() {
    let dir = directory();
    let first = analyze(dir.path(), &["recipe.yaml"]);
    let said = djhost(dir.path(), &["analyze", "recipe.yaml"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("complete already"));
    let text = String::from_utf8(said.stdout).unwrap();
    for part in [
        "500 rows, of which all filters together would keep",
        "num_words",
        "would drop",
        "to keep 95 %",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    let second = analyze(dir.path(), &["recipe.yaml"]);
    assert_eq!(first["stats"], second["stats"]);
    assert_eq!(first["analysis"], second["analysis"]);
    assert!(
        !dir.path().join("out/result.jsonl").exists(),
        "nothing is exported"
    );
    let notes = ok(
        dir.path(),
        &["report", "work/recipe_analysis", "-o", "page.html"],
    );
    assert!(notes.contains("page.html"));
    let other = analyze(
        dir.path(),
        &[
            "recipe.yaml",
            "--fresh",
            "--partition.mode",
            "manual",
            "--partition.num_of_partitions",
            "7",
        ],
    );
    let same = first["stats"] == other["stats"];
    assert!(same, "partitions change nothing");
}

#[test]
fn a_killed_analysis_goes_on() {
    let dir = directory();
    let args = [
        "analyze",
        "recipe.yaml",
        "--json",
        "--partition.mode",
        "manual",
        "--partition.num_of_partitions",
        "5",
    ];
    let killed = std::process::Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args(args)
        .current_dir(dir.path())
        .env("XDG_STATE_HOME", dir.path().join("state"))
        .env("DJHOST_CACHE_DIR", crate::harness::cache())
        .env("DJHOST_TEST_FAULT", "kill@event:partition_complete:3")
        .output()
        .unwrap();
    assert!(!killed.status.success());
    let job = ok(dir.path(), &["monitor", "work/recipe_analysis"]);
    assert!(job.contains("djhost analyze recipe.yaml"), "{job}");
    let resumed: Value = serde_json::from_str(&ok(dir.path(), &args)).unwrap();
    assert_eq!(resumed["attempts"].as_array().unwrap().len(), 2);
    let mut fresh = args.to_vec();
    fresh.push("--fresh");
    let undisturbed: Value = serde_json::from_str(&ok(dir.path(), &fresh)).unwrap();
    for part in ["stats", "analysis", "examples"] {
        assert!(resumed[part] == undisturbed[part], "{part}");
    }
}

#[test]
fn a_sample_and_all_filters_of_the_text() {
    let dir = directory();
    let found = analyze(dir.path(), &["recipe.yaml", "--sample", "0.4"]);
    let count = n(&found["stats"][0]["count"]);
    assert!(count > 120 && count < 280, "{count} of 500");
    assert!(
        found["stats"]
            .as_array()
            .unwrap()
            .iter()
            .all(|stat| n(&stat["count"]) == count)
    );
    // Few rows of many batches.
    let few = analyze(
        dir.path(),
        &[
            "recipe.yaml",
            "--sample",
            "0.01",
            "--batch_size_kb",
            "16",
            "--fresh",
        ],
    );
    assert!(n(&few["stats"][0]["count"]) < 20);
    let auto = analyze(dir.path(), &["--auto", "--dataset_path", "in.jsonl"]);
    let names: Vec<&str> = auto["ops"]
        .as_array()
        .unwrap()
        .iter()
        .map(|op| op["name"].as_str().unwrap())
        .collect();
    for name in [
        "words_num_filter",
        "text_length_filter",
        "alphanumeric_filter",
        "word_repetition_filter",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert!(
        auto["stats"]
            .as_array()
            .unwrap()
            .iter()
            .all(|stat| n(&stat["count"]) == ROWS as u64)
    );
}

#[test]
fn mistakes_are_told_before_any_work() {
    let dir = directory();
    fs::write(dir.path().join("there.yaml"), "").unwrap();
    fs::write(
        dir.path().join("none.yaml"),
        "dataset_path: in.jsonl\nexport_path: o.jsonl\nprocess:\n  - document_deduplicator:\n",
    )
    .unwrap();
    for (args, part) in [
        (&["recipe.yaml", "--sample", "2"][..], "--sample"),
        (&["recipe.yaml", "--keep", "0"], "--keep"),
        (&["recipe.yaml", "-o", "there.yaml"], "exists already"),
        (&["recipe.yaml", "--html", "recipe.yaml"], "no page"),
        (&["none.yaml"], "no filter"),
        (&[], "dataset_path"),
    ] {
        let refused = djhost(dir.path(), &[&["analyze"], args].concat());
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(part), "{args:?}: {said}");
    }
    assert!(!dir.path().join("work").exists());
    let unknown = djhost(
        dir.path(),
        &["analyze", "recipe.yaml", "--by", "meta.langue"],
    );
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(
        said.contains("no row has the field `meta.langue`"),
        "{said}"
    );
}

#[test]
fn the_data_of_its_page_is_what_it_prints() {
    let dir = directory();
    let found = analyze(
        dir.path(),
        &["recipe.yaml", "--by", "meta.lang", "--keep", "90"],
    );
    let job = found["job"]["work_dir"].as_str().unwrap();
    let again = ok(
        dir.path(),
        &["report", job, "--json", "--by", "meta.lang", "--keep", "90"],
    );
    let again: Value = serde_json::from_str(&again).unwrap();
    for part in ["stats", "analysis", "ops", "ledger", "examples"] {
        assert_eq!(again[part], found[part], "{part}");
    }
    let refused = djhost(dir.path(), &["report", job, "--json", "--keep", "0"]);
    assert_eq!(refused.status.code(), Some(2));
    let refused = djhost(dir.path(), &["report", job, "--by", "meta.lang"]);
    assert_eq!(refused.status.code(), Some(2));
}
