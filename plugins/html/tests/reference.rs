//! The operator finds what trafilatura and resiliparse find.
//!
//! `DJHOST_TEST_HTML` may name another directory with `pages.jsonl` and `goldens/`, as `make_goldens.py` writes them.

use djhost_sdk::Runner;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Tokens that two texts share, as the harmonic mean of the shares of both.
fn f1(one: &str, other: &str) -> f64 {
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    one.split_whitespace()
        .for_each(|word| counts.entry(word).or_default().0 += 1);
    other
        .split_whitespace()
        .for_each(|word| counts.entry(word).or_default().1 += 1);
    let (mut a, mut b, mut shared) = (0, 0, 0);
    for (in_one, in_other) in counts.into_values() {
        a += in_one;
        b += in_other;
        shared += in_one.min(in_other);
    }
    if a + b == 0 {
        1.0
    } else {
        2.0 * shared as f64 / (a + b) as f64
    }
}

#[test]
fn texts_agree_with_trafilatura_and_resiliparse() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let elsewhere = std::env::var_os("DJHOST_TEST_HTML").map(PathBuf::from);
    let is_elsewhere = elsewhere.is_some();
    let here = elsewhere.unwrap_or(own);
    let read = |path: PathBuf| {
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let rows: Vec<Value> = read(here.join("pages.jsonl"))
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let operator = djhost_html::operators()[0];
    let mut wrong = Vec::new();
    let names = [
        "balanced",
        "precision",
        "recall",
        "no_tables",
        "no_comments",
        "markdown",
        "markdown_links",
        "formatting",
        "links",
        "plain",
    ];
    for name in names {
        let golden = read(here.join(format!("goldens/{name}.jsonl")));
        let (params, texts) = golden.split_once('\n').unwrap();
        let mut runner = Runner::new(operator, params).unwrap();
        let expected: Vec<Option<String>> = texts
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(expected.len(), rows.len(), "{name}");
        let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mut scores = Vec::new();
        let mut same = 0;
        for (i, out) in runner.map_json(&lines).iter().enumerate() {
            let out: Value = serde_json::from_str(out).unwrap();
            let got = out["text"].as_str().unwrap();
            let expected = expected[i].as_deref().unwrap_or_default();
            same += usize::from(got == expected);
            scores.push((f1(got, expected), i));
        }
        scores.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mean = scores.iter().map(|(score, _)| score).sum::<f64>() / scores.len() as f64;
        let tenth = scores[scores.len() / 10].0;
        let report = format!(
            "{name}: mean {mean:.4}, tenth percentile {tenth:.4}, {same} of {} the same; worst {:?}",
            scores.len(),
            &scores[..scores.len().min(5)]
        );
        println!("{report}");
        // Of the pages made up here the rules of trafilatura leave no text to chance.
        let all_same = is_elsewhere || name == "plain" || same == scores.len();
        if mean < 0.95 || tenth < 0.9 || !all_same {
            wrong.push(report);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
