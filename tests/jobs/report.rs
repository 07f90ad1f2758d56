//! `djhost report` on finished jobs: the data of the page, and that what it says of other thresholds
//! is what a rerun does.

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

/// The data of a page.
fn data(html: &str) -> Value {
    let start = html.find("id=\"data\">").unwrap() + "id=\"data\">".len();
    let end = start + html[start..].find("</script>").unwrap();
    serde_json::from_str(&html[start..end]).unwrap()
}

fn report(dir: &Path, args: &[&str]) -> Value {
    ok(dir, &[&["report"], args, &["-o", "page.html"]].concat());
    data(&fs::read_to_string(dir.join("page.html")).unwrap())
}

/// Rows with texts of many lengths, words and repetitions; some twice, some broken.
fn input(rows: usize) -> String {
    let words = [
        "alpha",
        "beta",
        "x",
        "of",
        "the",
        "Gamma9",
        "!!",
        "delta-ray",
        "é",
        "12345",
    ];
    let (mut seed, mut text) = (1u64, String::new());
    let mut next = move |n: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    for row in 0..rows {
        let count = 1 + next(40).min(next(40));
        let all: Vec<&str> = (0..count)
            .map(|_| words[next(words.len() as u64) as usize])
            .collect();
        let line = serde_json::json!({ "id": row, "text": all.join(" ") }).to_string();
        text += &line;
        text.push('\n');
        if row % 25 == 0 {
            text += &line;
            text.push('\n');
        }
        if row % 90 == 7 {
            text.push_str("{\"text\": \"</script><script>alert(1)</script>\n");
        }
    }
    text
}

const OPS: &str = "  - whitespace_normalization_mapper:\n  - words_num_filter: {min_num: 3, max_num: 30}\n  \
    - text_length_filter: {min_len: 12}\n  - alphanumeric_filter: {min_ratio: 0.5}\n  \
    - special_characters_filter: {max_ratio: 0.4}\n  - word_repetition_filter: {rep_len: 2, max_ratio: 0.3}\n";

fn recipe(dir: &Path, name: &str, more: &str, ops: &str) {
    let text = format!(
        "dataset_path: in.jsonl\nexport_path: {name}.jsonl\nwork_dir: work\njob_id: {name}\nmax_unreadable_ratio: 0.9\nreorder: false\n{more}process:\n{ops}"
    );
    fs::write(dir.join("recipe.yaml"), text).unwrap();
}

/// The values of a stat as they are written: to read and write them again might change the last
/// digit.
fn stops(html: &str, key: &str) -> Vec<String> {
    let rest = &html[html.find(&format!("\"key\":\"{key}\"")).unwrap()..];
    let start = rest.find("\"stops\":[").unwrap() + "\"stops\":[".len();
    let list = &rest[start..start + rest[start..].find(']').unwrap()];
    list.split(',').map(str::to_owned).collect()
}

fn stat<'a>(job: &'a Value, key: &str) -> &'a Value {
    let stats = job["stats"].as_array().unwrap();
    stats.iter().find(|stat| stat["key"] == key).unwrap()
}

#[test]
fn a_page_has_the_jobs_rows() {
    let dir = crate::harness::directory();
    fs::write(dir.path().join("in.jsonl"), input(600)).unwrap();
    let ops = format!("{OPS}  - document_deduplicator:\n");
    recipe(dir.path(), "a", "trace: stats\n", &ops);
    ok(dir.path(), &["run", "recipe.yaml", "--quiet"]);
    let page = report(dir.path(), &["work/a"]);
    let job = &page["jobs"][0];
    let summary: Value =
        serde_json::from_slice(&fs::read(dir.path().join("work/a/job_summary.json")).unwrap())
            .unwrap();
    assert_eq!(job["ledger"], summary["ledger"]);
    assert_eq!(job["job"]["status"], "completed");
    assert_eq!(job["job"]["rows_out"], summary["ledger"]["output"]);
    for op in job["ops"].as_array().unwrap() {
        let n = |key: &str| op[key].as_u64().unwrap();
        assert_eq!(
            n("rows_in"),
            n("rows_out") + n("dropped") + n("merged") + n("quarantined"),
            "{op}"
        );
    }
    for stat in job["stats"].as_array().unwrap() {
        let op = &job["ops"][stat["op"].as_u64().unwrap() as usize];
        assert_eq!(stat["count"], op["rows_in"], "{}", stat["key"]);
        assert_eq!(stat["kept"], op["rows_out"], "{}", stat["key"]);
        let bins = |name: &str| -> u64 {
            let bins = stat["histogram"][name].as_array().unwrap();
            bins.iter().map(|n| n.as_u64().unwrap()).sum()
        };
        assert_eq!(bins("kept"), stat["kept"].as_u64().unwrap());
        assert_eq!(
            bins("kept") + bins("dropped"),
            stat["count"].as_u64().unwrap()
        );
        assert!(
            stat["estimate"]
                .as_str()
                .unwrap()
                .contains("document_deduplicator")
        );
    }
    let bounds = &stat(job, "num_words")["bounds"];
    assert_eq!(
        (&bounds["min"], &bounds["max"]),
        (&3.0.into(), &30.0.into())
    );
    let found = &job["duplicates"][0];
    assert_eq!(found["merged"], job["ops"][6]["merged"]);
    let sizes = found["sizes"].as_array().unwrap();
    let rows: u64 = sizes
        .iter()
        .map(|s| (s[0].as_u64().unwrap() - 1) * s[1].as_u64().unwrap())
        .sum();
    assert_eq!(rows, found["merged"].as_u64().unwrap());
    let largest = &found["largest"][0];
    assert_eq!(largest["stays"]["text"].as_str().unwrap()[..6], *"{\"id\":");
    assert_eq!(
        largest["members"].as_array().unwrap().len() as u64,
        (largest["size"].as_u64().unwrap() - 1).min(4)
    );
    let bad = &job["quarantine"][0];
    assert_eq!(
        (&bad["who"], &bad["rows"]),
        (&"reader".into(), &summary["ledger"]["quarantined"])
    );
    assert!(
        bad["examples"][0]["text"]
            .as_str()
            .unwrap()
            .contains("</script>")
    );
    assert_eq!(job["attempts"].as_array().unwrap().len(), 1);
    assert!(job["recipe"].as_str().unwrap().contains("words_num_filter"));
}

#[test]
fn what_other_thresholds_keep_is_what_a_rerun_keeps() {
    let dir = crate::harness::directory();
    fs::write(dir.path().join("in.jsonl"), input(400)).unwrap();
    recipe(dir.path(), "base", "trace: stats\n", OPS);
    ok(dir.path(), &["run", "recipe.yaml", "--quiet"]);
    let page = report(dir.path(), &["work/base"]);
    let html = fs::read_to_string(dir.path().join("page.html")).unwrap();
    let job = &page["jobs"][0];
    let output = job["job"]["rows_out"].as_u64().unwrap();
    let trials = [
        ("num_words", "words_num_filter", "min_num", 1),
        ("num_words", "words_num_filter", "max_num", 2),
        ("text_len", "text_length_filter", "min_len", 3),
        ("text_len", "text_length_filter", "max_len", 4),
        ("alnum_ratio", "alphanumeric_filter", "min_ratio", 5),
        ("alnum_ratio", "alphanumeric_filter", "max_ratio", 6),
        (
            "special_char_ratio",
            "special_characters_filter",
            "min_ratio",
            7,
        ),
        (
            "special_char_ratio",
            "special_characters_filter",
            "max_ratio",
            8,
        ),
        ("word_rep_ratio", "word_repetition_filter", "min_ratio", 9),
        ("word_rep_ratio", "word_repetition_filter", "max_ratio", 10),
    ];
    let mut changed = 0;
    for (key, op, param, seed) in trials {
        let stat = stat(job, key);
        let side = usize::from(param.starts_with("max"));
        assert_eq!(stat["params"][side], param, "{key}");
        assert!(stat["inexact"].is_null() && stat["estimate"].is_null());
        let stops = stops(&html, key);
        for turn in 0..3 {
            let bound = bound(&stops, (seed * 7919 + turn * 104_729) % stops.len());
            let (stay, lost, gained) = what_if(stat, side, bound, &stops);
            let name = format!("again_{seed}_{turn}");
            let value = bound.to_string();
            let fresh = [
                "run",
                "recipe.yaml",
                "--quiet",
                "--job_id",
                &name,
                "--export_path",
                &format!("{name}.jsonl"),
                &format!("--{op}.{param}={value}"),
            ];
            ok(dir.path(), &fresh);
            let path = dir.path().join(format!("work/{name}/job_summary.json"));
            let again: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            let op_at = stat["op"].as_u64().unwrap() as usize;
            let what = format!("{op}.{param}={value}: {lost} lost, {gained} gained");
            assert_eq!(again["ops"][op_at]["rows_out"], stay, "{what}");
            let (out, still) = (
                again["ledger"]["output"].as_u64().unwrap(),
                total(stat, "result", side, bound, &stops),
            );
            assert!(
                still <= out && out <= still + gained,
                "{what}: {out}, not {still} to {}",
                still + gained
            );
            changed += u64::from(out != output || lost + gained > 0);
        }
    }
    assert!(changed >= 20, "{changed} of the trials change something");
}

/// A bound at a value, or with six digits near to it.
fn bound(stops: &[String], at: usize) -> f64 {
    let value: f64 = stops[at].parse().unwrap();
    format!("{value:.6}").parse().unwrap()
}

/// What a bound would keep, lose and gain, as `page/what_if.js` counts it.
fn what_if(stat: &Value, side: usize, bound: f64, stops: &[String]) -> (u64, u64, u64) {
    let (known, gained) = (
        total(stat, "kept", side, bound, stops),
        total(stat, "dropped", side, bound, stops),
    );
    let lost = stat["kept"].as_u64().unwrap() - known;
    (
        stat["rows_out"].as_u64().unwrap() - lost + gained,
        lost,
        gained,
    )
}

/// Rows with values from a bound on, or up to it, within the other bound of the job.
fn total(stat: &Value, of: &str, side: usize, bound: f64, stops: &[String]) -> u64 {
    assert!(
        stat["curve"]["between"].is_null(),
        "the fixture has few values"
    );
    let other = stat["bounds"][["max", "min"][side]].as_f64();
    let rows = stat["curve"][of].as_array().unwrap();
    let each = rows.iter().enumerate().filter(|(at, _)| {
        let value: f64 = stops[*at].parse().unwrap();
        match side {
            0 => value >= bound && other.is_none_or(|max| value <= max),
            _ => value <= bound && other.is_none_or(|min| value >= min),
        }
    });
    each.map(|(_, rows)| rows.as_u64().unwrap()).sum()
}

#[test]
fn only_dropped_rows_are_known_without_all() {
    let dir = crate::harness::directory();
    fs::write(dir.path().join("in.jsonl"), input(200)).unwrap();
    recipe(dir.path(), "dropped", "", OPS);
    ok(dir.path(), &["run", "recipe.yaml", "--quiet"]);
    let page = report(dir.path(), &["work/dropped"]);
    let words = stat(&page["jobs"][0], "num_words");
    assert_eq!(
        (&words["knows_kept"], &words["kept"]),
        (&false.into(), &0.into())
    );
    assert_eq!(words["count"], page["jobs"][0]["ops"][1]["dropped"]);
    recipe(dir.path(), "off", "trace: off\n", OPS);
    ok(dir.path(), &["run", "recipe.yaml", "--quiet"]);
    let page = report(dir.path(), &["work/off", "--compare", "work/dropped"]);
    assert_eq!(page["jobs"].as_array().unwrap().len(), 2);
    assert!(page["jobs"][0]["stats"].as_array().unwrap().is_empty());
    let notes = page["jobs"][0]["notes"].to_string();
    assert!(notes.contains("trace: stats"), "{notes}");
}

#[test]
fn only_a_page_of_ours_is_replaced() {
    let dir = crate::harness::directory();
    fs::write(dir.path().join("in.jsonl"), input(50)).unwrap();
    recipe(dir.path(), "job", "", OPS);
    ok(dir.path(), &["run", "recipe.yaml", "--quiet"]);
    let said = ok(dir.path(), &["report", "work/job"]);
    assert!(said.contains("job.html"), "{said}");
    ok(dir.path(), &["report", "work/job"]);
    fs::write(dir.path().join("mine.html"), "<!doctype html>").unwrap();
    let refused = djhost(dir.path(), &["report", "work/job", "-o", "mine.html"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("exists already") && said.contains("hint:"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(dir.path().join("mine.html")).unwrap(),
        "<!doctype html>"
    );
    // Without its dataset the page names rows.
    fs::remove_file(dir.path().join("in.jsonl")).unwrap();
    let page = report(dir.path(), &["work/job"]);
    assert!(
        page["jobs"][0]["notes"]
            .to_string()
            .contains("cannot be read")
    );
}
