//! Compares the operators of a pack with Data-Juicer's results on the same documents. Each pack
//! includes this file in a test.
//!
//! `DJHOST_TEST_PARITY` may name another directory with `fixture.jsonl` and `goldens/`, as
//! `make_goldens.py` writes them.

use djhost_sdk::{Column, Entry, Kind, Lists, Matching, Rejection, Runner};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Checks all operators against their goldens; an operator without goldens fails.
#[allow(dead_code, reason = "packs with models have `check_lent`")]
pub(crate) fn check(operators: Vec<Entry>) {
    check_lent(operators, |_, _| ());
}

/// Does what [`check`] does, with what `lend` gives an operator and its parameters held as long as
/// it runs.
pub(crate) fn check_lent<T>(operators: Vec<Entry>, lend: impl Fn(Entry, &str) -> T) {
    let elsewhere = std::env::var_os("DJHOST_TEST_PARITY").map(PathBuf::from);
    let here = elsewhere
        .clone()
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity"));
    let read = |path: &Path| {
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let mut mismatches = Vec::new();
    let mut table = BTreeMap::new();
    for operator in operators {
        let (mut sets, mut compared, differed) = (0, 0, mismatches.len());
        let descriptor = (operator.describe)();
        let path = here
            .join("goldens")
            .join(format!("{}.jsonl", descriptor.name));
        if elsewhere.is_some() && !path.exists() {
            continue;
        }
        for golden in read(&path).split('\n').filter(|line| !line.is_empty()) {
            let golden: Value = serde_json::from_str(golden).expect("a golden is JSON");
            // Most operators are compared on the same rows; a golden may name another fixture.
            let fixture = read(&here.join(golden["fixture"].as_str().unwrap_or("fixture.jsonl")));
            let rows: Vec<String> = fixture
                .split('\n')
                .filter(|line| !line.is_empty())
                .enumerate()
                .map(with_suffix)
                .collect();
            // Rows name files relative to this directory.
            let rows: Vec<String> = rows
                .iter()
                .map(|row| row.replace("\"media/", &format!("\"{}/", here.join("media").display())))
                .collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let texts: Vec<String> = rows.iter().map(|row| text_of(row)).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let params = golden["params"].to_string();
            let case = format!("{} {params}", descriptor.name);
            // Goldens name the directories of the word lists relative to this directory.
            let params = params.replace(
                "\"words\"",
                &Value::from(here.join("words").display().to_string()).to_string(),
            );
            let params = params.replace(
                "\"models/",
                &format!("\"{}/", here.join("models").display()),
            );
            let _lent = lend(operator, &params);
            let mut runner =
                Runner::new(operator, &params).unwrap_or_else(|error| panic!("{case}: {error}"));
            let before = mismatches.len();
            let mut differ = |row: usize, what: String| {
                mismatches.push(format!("{case}: row {row}: {what}: {:.200?}", texts[row]))
            };
            match descriptor.kind {
                Kind::Filter => {
                    let answer = runner.filter_json(&rows);
                    compare_keep(&golden, &answer.keep, &mut differ);
                    compare_rejected(&golden, &answer.rejected, &mut differ);
                    for (key, expected) in golden["stats"].as_object().into_iter().flatten() {
                        let expected = expected.as_array().unwrap();
                        let texts = answer
                            .stats
                            .iter()
                            .find(|stat| stat.path == *key)
                            .and_then(|stat| stat.values.texts());
                        if let Some(texts) = texts {
                            for (row, (got, expected)) in texts.iter().zip(expected).enumerate() {
                                if got != expected.as_str() {
                                    differ(row, format!("{key} {got:?}, not {expected}"));
                                }
                            }
                            continue;
                        }
                        let found = answer.stats.iter().find(|stat| stat.path == *key);
                        match found.map(|stat| &stat.values) {
                            Some(Column::F64List(lists)) => {
                                compare_lists(key, expected, lists, &mut differ);
                                continue;
                            }
                            Some(Column::S64List(lists)) => {
                                compare_lists(key, expected, &floats(lists), &mut differ);
                                continue;
                            }
                            _ => {}
                        }
                        // Scores of models are 32-bit floats.
                        let tolerance = if key == "lang_score" { 1e-6 } else { 1e-9 };
                        for (row, (got, expected)) in
                            answer.stat(key).into_iter().zip(expected).enumerate()
                        {
                            let expected = expected
                                .as_bool()
                                .map(f64::from)
                                .or(expected.as_f64())
                                .unwrap();
                            if got.is_none_or(|got| (got - expected).abs() > tolerance) {
                                differ(row, format!("{key} {got:?}, not {expected}"));
                            }
                        }
                    }
                }
                Kind::Mapper if golden["rows"].is_object() => {
                    for (row, text) in texts.iter().enumerate() {
                        let expected = golden["rows"]
                            .get(row.to_string())
                            .and_then(Value::as_array);
                        let expected: Vec<&str> = expected.map_or(vec![*text], |texts| {
                            texts.iter().map(|t| t.as_str().unwrap()).collect()
                        });
                        let got = runner.map(&[text]);
                        if got != expected {
                            differ(row, format!("{got:?}, not {expected:?}"));
                        }
                    }
                }
                // All rows made from the fixture, which has no rows that the operator rejects.
                Kind::Mapper if golden["made"].is_array() => {
                    let rows: Vec<&str> = fixture.lines().collect();
                    let made: Vec<Value> = runner
                        .map_json(&rows)
                        .iter()
                        .map(|row| serde_json::from_str(row).expect("a row is JSON"))
                        .collect();
                    if golden["made"] != Value::Array(made.clone()) {
                        differ(0, format!("{made:?}, not {}", golden["made"]));
                    }
                }
                // Fields other than the text, by path and row; missing entries are null.
                Kind::Mapper if golden["fields"].is_object() => {
                    for (row, got) in runner.map_json(&rows).into_iter().enumerate() {
                        let got: Value = serde_json::from_str(&got).expect("a row is JSON");
                        for (path, expected) in golden["fields"].as_object().into_iter().flatten() {
                            let value = path.split('.').fold(&got, |value, name| &value[name]);
                            let expected = expected.get(row.to_string()).unwrap_or(&Value::Null);
                            if value != expected {
                                differ(row, format!("{path} {value}, not {expected}"));
                            }
                        }
                    }
                }
                Kind::Mapper => {
                    for (row, got) in runner.map(&texts).into_iter().enumerate() {
                        let expected = golden["texts"]
                            .get(row.to_string())
                            .map_or(texts[row], |text| text.as_str().unwrap());
                        if got != expected {
                            differ(row, format!("{got:?}, not {expected:?}"));
                        }
                    }
                }
                Kind::Deduplicator if golden["texts"].is_object() => {
                    for (row, got) in runner.map_by_counts(&texts).into_iter().enumerate() {
                        let expected = golden["texts"]
                            .get(row.to_string())
                            .map_or(texts[row], |text| text.as_str().unwrap());
                        if got != expected {
                            differ(row, format!("{got:?}, not {expected:?}"));
                        }
                    }
                }
                Kind::Deduplicator => {
                    let schema: Value =
                        serde_json::from_str(&descriptor.params_schema).expect("a schema is JSON");
                    let distance = match descriptor.traits.matching {
                        Matching::Hamming(name) => {
                            let given = golden["params"]
                                .get(name)
                                .unwrap_or(&schema["properties"][name]["default"]);
                            given.as_u64().expect("a distance is a number") as u32
                        }
                        _ => 0,
                    };
                    let answer = runner.deduplicate_json(&rows, distance);
                    compare_keep(&golden, &answer.keep, &mut differ);
                    compare_rejected(&golden, &answer.rejected, &mut differ);
                }
                Kind::Grouper => {
                    let groups = runner.group_json(&rows).unwrap();
                    let expected: Vec<Vec<usize>> =
                        serde_json::from_value(golden["groups"].clone()).unwrap();
                    assert_eq!(groups.len(), expected.len(), "{case}: groups");
                    for (got, expected) in groups.iter().zip(&expected) {
                        if got != expected {
                            differ(got[0], format!("is in the group {got:?}, not {expected:?}"));
                        }
                    }
                }
                Kind::Selector => {
                    compare_keep(&golden, &runner.select_json(&rows).unwrap(), &mut differ)
                }
            }
            println!(
                "{case}: {} rows, {} differ",
                rows.len(),
                mismatches.len() - before
            );
            sets += 1;
            compared += rows.len();
        }
        table.insert(
            descriptor.name.to_string(),
            [sets, compared, mismatches.len() - differed],
        );
    }
    if elsewhere.is_none() {
        keep_fresh(&here.join("../../plugins"), &table);
    }
    assert!(
        mismatches.is_empty(),
        "{} differences from Data-Juicer:\n{}",
        mismatches.len(),
        mismatches[..mismatches.len().min(20)].join("\n")
    );
}

/// Lists of whole numbers as floats.
fn floats(lists: &Lists<Vec<i64>>) -> Lists<Vec<f64>> {
    let (offsets, values, validity) = lists.clone().into_parts();
    let values = values.into_iter().map(|value| value as f64).collect();
    Lists::<Vec<f64>>::new(offsets, values, validity).expect("the same lists")
}

/// Checks that `PARITY.md` has these results for the operators; otherwise rewrites it and fails.
fn keep_fresh(plugins: &Path, found: &BTreeMap<String, [usize; 3]>) {
    let read = |name: &str| std::fs::read_to_string(plugins.join(name)).unwrap_or_default();
    let (old, differences) = (read("PARITY.md"), read("DIFFERENCES.md"));
    let name_of = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    let mut lines: BTreeMap<String, String> = old
        .lines()
        .filter_map(|line| Some((name_of(line)?, line.to_owned())))
        .collect();
    for (name, [sets, rows, mismatches]) in found {
        let known = differences
            .lines()
            .filter(|line| line.contains(&format!("`{name}`")))
            .count();
        let known = if known == 0 {
            String::new()
        } else {
            format!("[{known}](DIFFERENCES.md)")
        };
        lines.insert(
            name.clone(),
            format!("| `{name}` | {sets} | {rows} | {mismatches} | {known} |"),
        );
    }
    let mut new = String::from(
        "# Operators compared with Data-Juicer 1.6.1\n\nWritten by `cargo test`, which runs every operator on the documents of `tests/parity/fixture.jsonl` and compares rows, texts and stats \
         (to 1e-9;\nof decoded sound to 0.01 dB, as single precision gives no more; of networks over images to 1e-5) with what Data-Juicer made of them. Deliberate differences, which the comparison leaves out, are in [`DIFFERENCES.md`](DIFFERENCES.md).\n\n\
         | operator | sets of parameters | rows compared | mismatches | known differences |\n|---|---:|---:|---:|---:|\n",
    );
    lines
        .into_values()
        .for_each(|line| new.push_str(&(line + "\n")));
    if new != old {
        std::fs::write(plugins.join("PARITY.md"), new).expect("PARITY.md can be written");
        panic!("plugins/PARITY.md was out of date and has been written anew: commit it");
    }
}

/// The fixture's rows come from no file: the row's number decides the suffix, here as in
/// `make_goldens.py`.
fn with_suffix((number, row): (usize, &str)) -> String {
    format!(
        r#"{{"__dj__suffix__": "{}", {}"#,
        [".txt", ".md", "txt"][number % 3],
        &row[1..]
    )
}

fn text_of(row: &str) -> String {
    let row: Value = serde_json::from_str(row).expect("a row is JSON");
    row["text"].as_str().unwrap_or_default().to_owned()
}

fn compare_keep(golden: &Value, keep: &[bool], differ: &mut impl FnMut(usize, String)) {
    let expected = golden["keep"].as_str().expect("a golden has `keep`");
    assert_eq!(keep.len(), expected.len(), "rows");
    for (row, (got, expected)) in keep.iter().zip(expected.bytes()).enumerate() {
        if matches!((got, expected), (true, b'0') | (false, b'1')) {
            differ(row, format!("kept {got}, not {}", !got));
        }
    }
}

/// Rows with `x` stop Data-Juicer, and must be rejected; those with `?` are not compared.
fn compare_rejected(
    golden: &Value,
    rejected: &[Rejection],
    differ: &mut impl FnMut(usize, String),
) {
    for (row, mark) in golden["keep"]
        .as_str()
        .unwrap_or_default()
        .bytes()
        .enumerate()
    {
        let rejection = rejected.iter().find(|r| r.row as usize == row);
        if mark != b'?' && rejection.is_some() != (mark == b'x') {
            differ(row, format!("{rejection:?}, but {}", char::from(mark)));
        }
    }
}

/// Lists of numbers: null is not compared.
fn compare_lists(
    key: &str,
    expected: &[Value],
    lists: &Lists<Vec<f64>>,
    differ: &mut impl FnMut(usize, String),
) {
    // Headers do not have the samples lost at the ends of lossy audio in Matroska.
    let tolerance = match key {
        "audio_duration" => 0.01,
        // Of a factorisation in single precision, in decibels.
        "audio_nmf_snr" => 1e-2,
        // Of networks, in single precision.
        "image_text_similarity" | "image_text_matching_score" => 1e-5,
        _ => 1e-9,
    };
    for (row, expected) in expected
        .iter()
        .enumerate()
        .filter(|(_, expected)| !expected.is_null())
    {
        let (got, expected) = (lists.numbers(row), expected.as_array().expect("a list"));
        let is_near = |(got, expected): (&f64, &Value)| {
            expected
                .as_f64()
                .is_some_and(|expected| (got - expected).abs() <= tolerance)
        };
        if got.len() != expected.len() || !got.iter().zip(expected).all(is_near) {
            differ(row, format!("{key} {got:?}, not {expected:?}"));
        }
    }
}
