//! `djhost quarantine JOB retry`: passes the rows on which a plugin failed to another build of it,
//! and the result is as if that build had been there from the start.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::Case;
use crate::sandbox::{case, guests, lines};

/// A recipe with the misbehaving operator between others. Of rows with equal text, the first stays.
fn recipe(how: &str, partitions: usize, strategy: &str) -> String {
    format!(
        "partition: {{mode: manual, num_of_partitions: {partitions}}}\ncheckpoint: {{strategy: {strategy}}}\nmax_quarantine_ratio: 0.5\n\
         keep_stats_in_res_ds: true\nprocess:\n  - text_length_filter: {{min_len: 1}}\n  - rogue_filter: {{how: {how}}}\n  \
         - clean_links_mapper:\n  - document_deduplicator:\n  - rogue_mapper: {{how: {how}}}\n  - words_num_filter: {{min_num: 1}}\n"
    )
}

/// Guilty rows, several of which have the same text as an earlier or later one.
fn rows() -> Vec<String> {
    let mut rows = lines(400, &[]);
    for i in (0..400).step_by(9) {
        let n = i % 27;
        rows[i] = format!("{{\"id\": {i}, \"text\": \"GUILTY http://example.com/{i} {n}\"}}\n");
    }
    rows
}

fn with_cured(rows: &[String]) -> Case {
    let case = case(rows);
    case.write("cured/rogue.wasm", guests::describing("cured"));
    case
}

fn djhost(case: &Case, args: &[&str], fault: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
    command
        .args(args)
        .current_dir(case.path(""))
        .env("HOME", case.path(""))
        .env_remove("RUST_LOG");
    command.env(
        "DJHOST_CACHE_DIR",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
    );
    if let Some(fault) = fault {
        command.env(djhost::testing::fault::VARIABLE, fault);
    }
    command.output().unwrap()
}

const RETRY: [&str; 6] = [
    "quarantine",
    "work/job",
    "retry",
    "--quiet",
    "--plugins",
    "cured",
];

#[track_caller]
fn printed(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The export, how many rows went where, and where each did.
fn result(case: &Case) -> (String, Value, Vec<String>) {
    let summary: Value =
        serde_json::from_slice(&fs::read(case.path("work/job/job_summary.json")).unwrap()).unwrap();
    assert_eq!(summary["status"], "completed");
    (
        fs::read_to_string(case.path("out/result.jsonl")).unwrap(),
        summary["ledger"].clone(),
        crate::harness::trace(&case.path("work/job")),
    )
}

/// The result of a job whose plugin was good from the start.
fn undisturbed(rows: &[String], recipe: &str) -> (String, Value, Vec<String>) {
    let mut case = with_cured(rows);
    case.args = ["--plugins", "cured"].map(str::to_owned).to_vec();
    case.run(recipe).ok();
    result(&case)
}

#[test]
fn a_better_build_takes_over_the_rows_and_no_others() {
    let rows = rows();
    for (partitions, strategy) in [
        (1, "every_op"),
        (4, "every_op"),
        (3, "disabled"),
        (4, "every_n_ops"),
    ] {
        let recipe = recipe("unreachable", partitions, strategy);
        let case = with_cured(&rows);
        let ran = case.run(&recipe).ok();
        assert_eq!(ran.quarantine.len(), 45);
        let before = ran.summary["attempts"].as_array().unwrap().len();
        assert_eq!(
            printed(&djhost(&case, &RETRY, None)),
            "45 rows tried again; 0 rows are in quarantine now\n"
        );
        assert!(
            result(&case) == undisturbed(&rows, &recipe),
            "{partitions} {strategy}"
        );
        let summary: Value =
            serde_json::from_slice(&fs::read(case.path("work/job/job_summary.json")).unwrap())
                .unwrap();
        assert_eq!(summary["attempts"].as_array().unwrap().len(), before + 1);
        assert_eq!(
            summary["resumption_command"],
            ran.summary["resumption_command"]
        );
        assert!(
            printed(&djhost(&case, &["quarantine", "work/job"], None))
                .ends_with("0 rows in quarantine\n")
        );
        // It is part of the job now, even if the component is gone.
        fs::remove_dir_all(case.path("cured")).unwrap();
        assert!(case.run(&recipe).ok().stderr.contains("complete already"));
        assert_eq!(
            printed(&djhost(&case, &RETRY[..4], None)),
            "no operator has rows in quarantine: nothing to do\n"
        );
        // `--fresh` forgets it.
        let mut case = case;
        case.args.push("--fresh".into());
        assert_eq!(case.run(&recipe).ok().quarantine.len(), 45);
    }
}

#[test]
fn partitions_without_such_rows_are_not_done_again() {
    let mut rows = lines(400, &[399]);
    rows[0] = "{\"id\": 0, \"text\": \"fine\"}\n".into();
    let recipe = "partition: {mode: manual, num_of_partitions: 4}\ncheckpoint: {strategy: every_op}\nprocess:\n  \
                  - rogue_filter: {how: unreachable}\n  - clean_links_mapper:\n";
    let case = with_cured(&rows);
    case.run(recipe).ok();
    printed(&djhost(&case, &RETRY, None));
    assert_eq!(result(&case).0, rows.concat());
    let mut logs: Vec<_> = fs::read_dir(case.path("work/job"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    logs.retain(|p| {
        p.file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("events_")
    });
    let events: Vec<Value> = logs
        .iter()
        .flat_map(|p| {
            fs::read_to_string(p)
                .unwrap()
                .lines()
                .map(|l| serde_json::from_str(l).unwrap())
                .collect::<Vec<Value>>()
        })
        .filter(|e| e["attempt"] == 2 && e["event_type"] == "op_start")
        .collect();
    let partitions: Vec<_> = events
        .iter()
        .map(|e| e["partition_id"].as_u64().unwrap())
        .collect();
    assert_eq!(partitions, [3, 3], "{events:#?}");
}

#[test]
fn rows_that_fail_again_stay_where_they_are() {
    let rows = rows();
    let recipe = recipe("unreachable", 2, "every_op");
    let case = with_cured(&rows);
    let before = case.run(&recipe).ok();
    let (export, ledger, trace) = result(&case);
    // The same build again: nothing changes but the number of the attempt.
    let printed_ = printed(&djhost(
        &case,
        &["quarantine", "work/job", "retry", "--quiet"],
        None,
    ));
    assert_eq!(
        printed_,
        "45 rows tried again; 45 rows are in quarantine now\n"
    );
    assert!(result(&case) == (export, ledger, trace));
    let listed = printed(&djhost(
        &case,
        &["quarantine", "work/job", "show", "--json", "--limit", "100"],
        None,
    ));
    let entries: Vec<Value> = listed
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(entries.len(), before.quarantine.len());
    assert!(entries.iter().all(|e| e["attempt"] == 2));
    // Only one of the ops that failed: its rows fail at the other one.
    let one = djhost(&case, &[&RETRY[..], &["--op", "1"]].concat(), None);
    assert!(printed(&one).starts_with("45 rows tried again; "));
    let listed = printed(&djhost(&case, &["quarantine", "work/job"], None));
    assert!(
        listed.contains("op 4 rogue_mapper") && !listed.contains("op 1 rogue_filter"),
        "{listed}"
    );
    printed(&djhost(&case, &RETRY, None));
    assert!(result(&case) == undisturbed(&rows, &recipe));
}

#[test]
fn a_retry_that_is_killed_is_resumed() {
    let rows = rows();
    let recipe = recipe("unreachable", 3, "every_op");
    let expected = undisturbed(&rows, &recipe);
    let mut kills = 0;
    for at in (1..80).step_by(7) {
        let case = with_cured(&rows);
        case.run(&recipe).ok();
        let before = fs::read(case.path("out/result.jsonl")).unwrap();
        let output = djhost(&case, &RETRY, Some(&format!("kill@disk:{at}")));
        if output.status.success() {
            assert!(result(&case) == expected);
            continue;
        }
        kills += 1;
        let found = fs::read_to_string(case.path("out/result.jsonl")).unwrap();
        assert!(
            found.as_bytes() == before || found == expected.0,
            "killed at {at}: the export is neither the old nor the new one"
        );
        // Asked for again, or just continued: once it was recorded, both do it.
        let asked = fs::exists(case.path("work/job/metadata/fallbacks.json")).unwrap();
        case.run(&recipe).ok();
        if !asked {
            printed(&djhost(&case, &RETRY, None));
        }
        assert!(result(&case) == expected, "killed at {at}, asked {asked}");
    }
    assert!(kills >= 8, "only {kills} kills");
}

#[test]
fn what_cannot_be_tried_again_is_refused() {
    let case = with_cured(&rows());
    let recipe = recipe("unreachable", 1, "every_op");
    case.run(&recipe).ok();
    case.write("other/other.wasm", guests::replacing("rogue_", "vague_"));
    let refused = |args: &[&str], parts: &[&str]| {
        let output = djhost(&case, args, None);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        parts
            .iter()
            .for_each(|part| assert!(said.contains(part), "`{part}` is not in: {said}"));
    };
    refused(
        &["quarantine", "work/job", "retry", "--plugins", "nosuch"],
        &["nosuch", "cannot be read"],
    );
    refused(
        &["quarantine", "work/job", "retry", "--plugins", "other"],
        &["no component in", "has the operator `rogue_filter`"],
    );
    assert!(!fs::exists(case.path("work/job/metadata/fallbacks.json")).unwrap());
    // Unreadable rows are a matter of the dataset.
    let bad = with_cured(&["{\"text\": \"fine\"}\n".into(), "{\"text\n".into()]);
    bad.run(&recipe).ok();
    let output = djhost(&bad, &RETRY, None);
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 row could not be read"));
    assert_eq!(
        printed(&output),
        "no operator has rows in quarantine: nothing to do\n"
    );
}
