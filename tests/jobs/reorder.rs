//! Filters that follow one another run cheapest first: the same rows stay, and it is said.

use crate::harness::{Case, Ran};
use serde_json::Value;

/// Rows that several of the filters would drop, and some that none would.
fn rows() -> String {
    let text = |i: usize| match i % 5 {
        0 => "short".to_owned(),
        1 => format!("{} {i}", "again and ".repeat(30)),
        2 => "####!!!! ".repeat(20),
        3 => format!("row {i} has enough words that differ, and nothing else to be said of it"),
        _ => format!("{}#{i}", "#".repeat(300)),
    };
    (0..500)
        .map(|i| format!("{{\"text\": \"{}\", \"i\": {i}}}\n", text(i)))
        .collect()
}

const FILTERS: &str = "  - word_repetition_filter: {rep_len: 3, max_ratio: 0.5}
  - character_repetition_filter: {rep_len: 5, max_ratio: 0.6}
  - text_length_filter: {min_len: 20}
  - special_characters_filter: {max_ratio: 0.4}
";

fn run(more: &str, process: &str) -> (Ran, Vec<(String, u64, u64)>) {
    let case = Case::with_input(rows());
    let ran = case.run(&format!("{more}process:\n{process}"));
    let ran = ran.ok();
    let number = |op: &Value, key: &str| op[key].as_u64().unwrap();
    let ops = ran.summary["ops"].as_array().unwrap().iter();
    let ops = ops
        .map(|op| {
            let name = op["name"].as_str().unwrap().to_owned();
            (name, number(op, "rows_in"), number(op, "rows_out"))
        })
        .collect();
    (ran, ops)
}

/// What `djhost plan` prints.
fn plan(more: &str) -> String {
    let case = Case::with_input(rows());
    case.write(
        "recipe.yaml",
        format!("dataset_path: in.jsonl\nexport_path: out.jsonl\n{more}process:\n{FILTERS}"),
    );
    let recipe = case.path("recipe.yaml");
    let plan = std::process::Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args(["plan", recipe.to_str().unwrap()])
        .current_dir(case.path(""))
        .output()
        .unwrap();
    String::from_utf8(plan.stdout).unwrap()
}

fn names(ops: &[(String, u64, u64)]) -> Vec<&str> {
    ops.iter().map(|(name, ..)| name.as_str()).collect()
}

const WRITTEN: [&str; 4] = [
    "word_repetition_filter",
    "character_repetition_filter",
    "text_length_filter",
    "special_characters_filter",
];
const CHEAPEST: [&str; 4] = [
    "text_length_filter",
    "special_characters_filter",
    "word_repetition_filter",
    "character_repetition_filter",
];

#[test]
fn the_same_rows_stay_and_the_order_is_said() {
    let (written, as_written) = run("reorder: false\n", FILTERS);
    assert_eq!(names(&as_written), WRITTEN);
    assert!(!plan("reorder: false\n").contains("cheapest first"));
    assert!(plan("").contains("note: from op 0 on, filters run cheapest first"));
    for strategy in ["disabled", "every_op", "adaptive"] {
        let (ran, ops) = run(&format!("checkpoint: {{strategy: {strategy}}}\n"), FILTERS);
        assert_eq!(ran.output, written.output);
        assert_eq!(names(&ops), CHEAPEST);
        // Each sees what those before it have left.
        for pair in ops.windows(2) {
            assert_eq!(pair[0].2, pair[1].1);
        }
        assert_eq!(ops[3].2, as_written[3].2);
        assert!(ops[2].1 < as_written[0].1, "{ops:?}");
    }
}

#[test]
fn only_filters_that_commute_change_places() {
    let mapper = FILTERS.replace(
        "  - text_length_filter",
        "  - clean_links_mapper:\n  - text_length_filter",
    );
    let by_name =
        "checkpoint: {strategy: manual, op_names: [character_repetition_filter]}\n".to_owned();
    let fail = FILTERS.replace("max_ratio: 0.6", "max_ratio: 0.6, on_error: fail");
    let kept = "keep_stats_in_res_ds: true\n".to_owned();
    for (more, process) in [
        (String::new(), mapper.as_str()),
        (by_name, FILTERS),
        (kept, FILTERS),
        (String::new(), fail.as_str()),
    ] {
        let (_, ops) = run(&more, process);
        let mut found = names(&ops);
        found.retain(|name| *name != "clean_links_mapper");
        assert_eq!(found, WRITTEN, "{more}{process}");
    }
}

/// A filter may stand before one that cannot process what it drops.
#[test]
fn a_filter_of_another_field_stays_behind_those_that_guard_it() {
    let row = |i: usize| match i % 2 {
        0 => format!(
            "{{\"text\": \"{}\", \"score\": [{i}]}}\n",
            "buy now ".repeat(50)
        ),
        _ => format!("{{\"text\": \"the words of row {i} differ\", \"score\": {i}}}\n"),
    };
    let case = Case::with_input((0..2000).map(row).collect::<String>());
    let guarded = "process:\n  - word_repetition_filter: {rep_len: 2, max_ratio: 0.3}\n  \
        - specified_numeric_field_filter: {field_key: score, min_value: 0}\n";
    let ran = case.run(guarded).ok();
    assert!(ran.quarantine.is_empty());
    assert!(
        ran.stderr.contains("1,000 dropped, 1,000 written"),
        "{}",
        ran.stderr
    );
}
