//! What happens to the job when an operator fails on row after row.

use crate::sandbox::{ROWS, case, lines, recipe};

#[test]
fn a_broken_operator_ends_the_job_early() {
    let all: Vec<usize> = (0..20_000).collect();
    let ran = case(&lines(20_000, &all)).run(&recipe("rogue_filter", "panic", "batch_size_kb: 16"));
    let ran = ran.failed(
        1,
        &[
            "51 of 1000 rows",
            "max_quarantine_ratio 0.05",
            "broken operator",
            "`rogue_filter`",
            "does not like the row",
        ],
    );
    // A failed task is tried again; this one is not.
    assert!(!ran.stderr.contains("tried again"), "{}", ran.stderr);
    assert_eq!(ran.summary["status"], "failed");
}

#[test]
fn a_hanging_operator_ends_the_job_early() {
    // 100 rows alone are too few to end it; 32 calls that hang are enough.
    let all: Vec<usize> = (0..100).collect();
    let ran = case(&lines(100, &all)).run(&recipe(
        "rogue_filter",
        "loop",
        "op_limits: {timeout_s: 0.02}",
    ));
    ran.failed(
        1,
        &[
            "operator `rogue_filter` ran out of time 32 times",
            "out of time: the call took longer than 20ms",
        ],
    );
}

#[test]
fn a_row_has_less_time_than_a_batch() {
    let lines = lines(ROWS, &[7, 900]);
    let own = "partition: {mode: manual, num_of_partitions: 1}\nprocess:\n  - rogue_filter: {how: loop, limits: {timeout_s: 0.2, row_timeout_s: 0.05}}\n";
    let ran = case(&lines).run(own).ok();
    assert_eq!(crate::sandbox::quarantined(&ran), [7, 900]);
    assert!(
        ran.quarantine.iter().all(|e| e["reason"]
            .as_str()
            .unwrap()
            .contains("the call took longer than 50ms")),
        "{:?}",
        ran.quarantine
    );
    // An operator that is fast enough for a row is not stopped.
    assert!(
        case(&lines)
            .run(&recipe(
                "rogue_filter",
                "behave",
                "op_limits: {row_timeout_s: 1}"
            ))
            .ok()
            .quarantine
            .is_empty()
    );
}

#[test]
fn the_share_is_a_setting() {
    let guilty: Vec<usize> = (0..ROWS).step_by(10).collect();
    let lines = lines(ROWS, &guilty);
    case(&lines)
        .run(&recipe(
            "rogue_filter",
            "panic",
            "max_quarantine_ratio: 0.09",
        ))
        .failed(1, &["91 of 1000 rows"]);
    let ran = case(&lines)
        .run(&recipe(
            "rogue_filter",
            "panic",
            "max_quarantine_ratio: 0.1",
        ))
        .ok();
    assert_eq!(ran.quarantine.len(), 100);
    // A few bad ones among few rows mean nothing; all of them do.
    let few = crate::sandbox::lines(10, &[4]);
    assert_eq!(
        case(&few)
            .run(&recipe("rogue_filter", "panic", ""))
            .ok()
            .quarantine
            .len(),
        1
    );
    let none = crate::sandbox::lines(10, &(0..10).collect::<Vec<_>>());
    case(&none)
        .run(&recipe("rogue_filter", "panic", ""))
        .failed(
            1,
            &["10 of 10 rows", "op 0 `rogue_filter`: ", "in.jsonl, line 1"],
        );
}

#[test]
fn strict_says_it_by_the_exit_code() {
    let mut case = case(&lines(ROWS, &[1]));
    case.args.push("--strict".into());
    let ran = case
        .run(&recipe("rogue_filter", "panic", ""))
        .failed(4, &["1 in quarantine"]);
    assert!(ran.output.is_some());
}

#[test]
fn on_error_drop_counts_and_fail_ends() {
    let lines = lines(ROWS, &[2, 600]);
    let ran = case(&lines)
        .run(&recipe("rogue_filter", "panic", "on_error: drop"))
        .ok();
    assert!(ran.quarantine.is_empty());
    assert_eq!(ran.text().lines().count(), ROWS - 2);
    assert_eq!(ran.summary["ledger"]["quarantined"], 2);
    let ran = case(&lines).run(&recipe("rogue_filter", "panic", "on_error: fail"));
    let ran = ran.failed(
        1,
        &[
            "op 0 `rogue_filter` cannot process",
            "on_error is `fail`",
            "does not like the row",
        ],
    );
    assert!(!ran.stderr.contains("tried again"), "{}", ran.stderr);
    // For one operator only, by its own setting.
    let own = "process:\n  - rogue_filter: {how: panic, on_error: fail}\n";
    case(&lines).run(own).failed(1, &["on_error is `fail`"]);
}

#[test]
fn a_selector_that_fails_to_select_ends_the_job() {
    for (how, reason) in [
        ("select_loop", "out of time"),
        ("select_allocate", "out of memory"),
        ("select_unreachable", "unreachable"),
        ("select_recurse", "stack overflow"),
        ("select_panic", "does not like"),
        (
            "select_short",
            "invalid answer: 500 keep values for 1000 rows",
        ),
        ("select_flag_two", "`keep` flag 2"),
        ("select_giant", "out of memory"),
        ("select_refuse", "cannot choose"),
    ] {
        let timeout = if how == "select_loop" { 0.1 } else { 60.0 };
        let settings =
            format!("op_limits: {{timeout_s: {timeout}, memory_mb: 48}}\ntask_retries: 0");
        let ran = case(&lines(ROWS, &[])).run(&recipe("rogue_selector", how, &settings));
        ran.failed(
            1,
            &["`rogue_selector` failed to select among 1000 keys", reason],
        );
    }
}
