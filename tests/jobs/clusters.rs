//! Which row of each cluster of duplicates stays, and what it is told: the same as a plain model
//! gives, whatever the partitions, and the trace names the row that stays.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use djhost::jobs::{Fate, RunPaths, Trace};
use serde_json::{Value, json};

use super::djhost;

/// Numbers that look random, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Values of a field with dates, and their order.
const DAYS: [(&str, Option<f64>); 6] = [
    (r#""2024-01-01T00:30:00Z""#, Some(2.0)),
    (r#""2023-12-31""#, Some(0.0)),
    (r#""2024-01-01 01:30:00+02:00""#, Some(1.0)),
    (r#""Mon, 01 Jan 2024 00:31:00 GMT""#, Some(3.0)),
    (r#""yesterday""#, None),
    ("null", None),
];

/// Rows of which many are duplicates but for letters and white space, with scores that are often
/// equal, and sometimes no number.
fn rows(numbers: &mut Numbers) -> Vec<Value> {
    let mut rows = Vec::new();
    for n in 0..120 {
        let word = format!("word{}", numbers.below(25));
        let text = match numbers.below(3) {
            0 => word.to_uppercase(),
            1 => format!("{word}{}", " ".repeat(numbers.below(4) as usize)),
            _ => word,
        };
        let score = match numbers.below(5) {
            0 => Value::Null,
            1 => json!("none"),
            _ => json!(numbers.below(4) as f64 - 1.5),
        };
        let (day, _) = DAYS[numbers.below(DAYS.len() as u64) as usize];
        let day: Value = serde_json::from_str(day).unwrap();
        rows.push(json!({"n": n, "text": text, "score": score, "day": day}));
    }
    rows
}

/// The rows that stay, with cluster and size, and for each other row the one that stays.
fn model(rows: &[Value], keep: &str) -> (Vec<[u64; 3]>, BTreeMap<u64, u64>) {
    let mut clusters: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (n, row) in rows.iter().enumerate() {
        let text = row["text"].as_str().unwrap().trim().to_lowercase();
        clusters.entry(text).or_default().push(n);
    }
    let score = |n: &usize| rows[*n]["score"].as_f64();
    let day = |n: &usize| {
        let day = rows[*n]["day"].to_string();
        DAYS.iter().find(|(text, _)| *text == day).unwrap().1
    };
    // The first of the best: a later one must be better.
    let best = |members: &[usize], rank: &dyn Fn(&usize) -> f64| {
        let mut best = members[0];
        for member in members {
            if rank(member) > rank(&best) {
                best = *member;
            }
        }
        best
    };
    let least = f64::NEG_INFINITY;
    let (mut stay, mut others) = (Vec::new(), BTreeMap::new());
    for members in clusters.values() {
        let chosen = match keep {
            "first" | "all" => members[0],
            "last" => *members.last().unwrap(),
            "longest" => best(members, &|n| {
                rows[*n]["text"].as_str().unwrap().len() as f64
            }),
            "max score" => best(members, &|n| score(n).unwrap_or(least)),
            "max day" => best(members, &|n| day(n).unwrap_or(least)),
            "min day" => best(members, &|n| day(n).map_or(least, |day| -day)),
            "min score" => best(members, &|n| score(n).map_or(least, |score| -score)),
            other => panic!("{other}"),
        };
        for member in members {
            if keep == "all" || *member == chosen {
                stay.push([*member, members[0], members.len()].map(|n| n as u64));
            } else {
                others.insert(*member as u64, chosen as u64);
            }
        }
    }
    stay.sort_unstable();
    (stay, others)
}

fn run(dir: &Path, keep: &str, partitions: usize) -> (Vec<[u64; 3]>, BTreeMap<u64, u64>) {
    let recipe = format!(
        "dataset_path: in.jsonl\nexport_path: out.jsonl\nwork_dir: work\npartition: {{mode: manual, num_of_partitions: {partitions}}}\nprocess:\n  \
         - document_deduplicator: {{lowercase: true, keep: {keep}, cluster_id_field: id, cluster_size_field: size}}\n"
    );
    fs::write(dir.join("recipe.yaml"), recipe).unwrap();
    let ran = djhost(
        dir,
        &[
            "run",
            "recipe.yaml",
            "--quiet",
            "--job_id",
            "job",
            "--fresh",
        ],
    );
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let text = fs::read_to_string(dir.join("out.jsonl")).unwrap();
    let stay = text.lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        ["n", "id", "size"].map(|field| row[field].as_u64().unwrap())
    });
    // Rows of the input by their place.
    let input = fs::read_to_string(dir.join("in.jsonl")).unwrap();
    let mut places = BTreeMap::new();
    let mut at = 0;
    for (n, line) in input.lines().enumerate() {
        places.insert(at, n as u64);
        at += line.len() as u64 + 1;
    }
    let trace = Trace::open(&RunPaths::new(dir.join("work/job"))).unwrap();
    let mut others = BTreeMap::new();
    trace
        .each(None, &[Fate::Merged], |entry| {
            others.insert(places[&entry.row_id], places[&entry.partner.unwrap()]);
            Ok(true)
        })
        .unwrap();
    (stay.collect(), others)
}

#[test]
fn the_row_that_stays_is_that_of_a_plain_model() {
    let dir = crate::harness::directory();
    let rows = rows(&mut Numbers(20));
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    fs::write(dir.path().join("in.jsonl"), lines).unwrap();
    for keep in [
        "first",
        "last",
        "all",
        "longest",
        "max score",
        "min score",
        "max day",
        "min day",
    ] {
        let expected = model(&rows, keep);
        for partitions in [1, 7] {
            let found = run(dir.path(), keep, partitions);
            assert_eq!(found, expected, "{keep}, {partitions} partitions");
        }
    }
}

#[test]
fn mistakes_are_found_before_any_work() {
    let dir = crate::harness::directory();
    fs::write(dir.path().join("in.jsonl"), "{\"text\": \"a\"}\n").unwrap();
    for (params, parts) in [
        ("keep: newest", ["recipe.yaml:4", "`max FIELD`"]),
        ("cluster_id_field: text", ["`text`", "a whole number"]),
        (
            "cluster_id_field: n, cluster_size_field: n",
            ["are both `n`", "different fields"],
        ),
    ] {
        let recipe = format!(
            "dataset_path: in.jsonl\nexport_path: out.jsonl\nprocess:\n  - document_deduplicator: {{{params}}}\n"
        );
        fs::write(dir.path().join("recipe.yaml"), recipe).unwrap();
        let planned = djhost(dir.path(), &["plan", "recipe.yaml"]);
        let said = String::from_utf8_lossy(&planned.stderr).into_owned();
        assert!(!planned.status.success(), "{params}");
        for part in parts {
            assert!(said.contains(part), "{params}: {part} is not in:\n{said}");
        }
    }
}
