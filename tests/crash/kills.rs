//! `SIGKILL` at event types, at writes and at random times; I/O errors at writes.

use std::time::Duration;

use super::bench::{Bench, Numbers, files, killed, text};

/// Rows of the dataset: enough for several batches per partition at the smallest batch size.
const ROWS: usize = 1500;

const STRATEGIES: [&str; 5] = ["every_op", "every_n_ops", "manual", "disabled", "adaptive"];
const STORAGE: [(&str, &str); 9] = [
    ("parquet", "snappy"),
    ("arrow", "zstd"),
    ("jsonl", "gzip"),
    ("parquet", "none"),
    ("arrow", "none"),
    ("jsonl", "none"),
    ("parquet", "zstd"),
    ("arrow", "lz4"),
    ("jsonl", "zstd"),
];
const EVENTS: [&str; 14] = [
    "job_start",
    "partitions_planned",
    "dag_execution_plan_saved",
    "partition_start",
    "op_start",
    "op_complete",
    "rows_quarantined",
    "checkpoint_save",
    "stage_complete",
    "resolve_start",
    "resolve_complete",
    "partition_complete",
    "export_start",
    "export_complete",
];

/// Number of kills asked for; the default keeps the whole file within a minute of CPU.
pub(crate) fn asked() -> usize {
    std::env::var("DJHOST_TEST_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}

fn bench(i: usize) -> Bench {
    let (format, compression) = STORAGE[i % STORAGE.len()];
    Bench::new(ROWS)
        .with("strategy", STRATEGIES[i % STRATEGIES.len()])
        .with("format", format)
        .with("compression", compression)
}

#[test]
fn killed_at_every_type_of_event_under_each_strategy_and_storage() {
    let mut kills = 0;
    for i in 0..STORAGE.len() {
        let bench = bench(i);
        let expected = bench.undisturbed();
        // Each bench gets every third type, so that every type meets several strategies and
        // formats.
        for (k, event) in EVENTS
            .iter()
            .enumerate()
            .filter(|(k, _)| asked() > 0 || k % 3 == i % 3)
        {
            let once = [
                "job_start",
                "partitions_planned",
                "dag_execution_plan_saved",
                "resolve_start",
                "resolve_complete",
                "export_start",
                "export_complete",
            ];
            let nth = if once.contains(event) {
                1
            } else {
                1 + (i + k) % 3
            };
            let fault = format!("kill@event:{event}:{nth}");
            let mut output = bench.run_with_fault(&fault);
            if !killed(&output) {
                // A finished job has no such event any more: start again.
                assert!(output.status.success(), "{event}: {}", text(&output.stderr));
                assert_eq!(bench.result(), expected, "{}", bench.recipe());
                std::fs::remove_dir_all(bench.path("outputs")).unwrap();
                output = bench.run_with_fault(&fault);
            }
            // Without checkpoints there is none to save.
            assert!(
                killed(&output) || (*event == "checkpoint_save" && output.status.success()),
                "{event}: {}",
                text(&output.stderr)
            );
            kills += usize::from(killed(&output));
            bench.assert_export_whole(&expected.export);
        }
        bench.ok(&[]);
        assert_eq!(bench.result(), expected, "{}", bench.recipe());
    }
    assert!(kills >= 35, "only {kills} kills");
}

/// Its rows change with the counts over all rows, whenever they are read from an earlier
/// checkpoint.
#[test]
fn lines_are_counted_and_removed_whatever_was_killed() {
    let mut kills = 0;
    for (i, strategy) in ["every_op", "disabled", "every_n_ops"]
        .into_iter()
        .enumerate()
    {
        let mut bench = bench(i).with("strategy", strategy);
        let lines = |threshold: usize| {
            format!("document_line_deduplicator: {{frequency_threshold: {threshold}}}")
        };
        bench.ops.insert(4, lines(30));
        bench.ops.insert(6, lines(8));
        bench.ops.insert(7, "document_deduplicator:".into());
        let expected = bench.undisturbed();
        let mut without = super::bench::Bench::new(10);
        (without.settings, without.ops) = (bench.settings.clone(), bench.ops.clone());
        without.ops.retain(|op| !op.starts_with("document_line_"));
        std::fs::copy(bench.path("data.jsonl"), without.path("data.jsonl")).unwrap();
        assert_ne!(
            without.undisturbed().export,
            expected.export,
            "no line was removed"
        );
        let mut numbers = Numbers(i as u64 + 77);
        for round in 0.. {
            let output =
                bench.run_with_fault(&format!("kill@disk:{}", 8 + numbers.below(50) + 8 * round));
            bench.assert_export_whole(&expected.export);
            if !killed(&output) {
                assert!(output.status.success(), "{}", text(&output.stderr));
                break;
            }
            kills += 1;
        }
        assert_eq!(bench.result(), expected, "{}", bench.recipe());
    }
    assert!(kills >= 6, "only {kills} kills");
}

/// Which row of a cluster stays is decided by values of rows, which then get fields that later ops
/// read; paragraphs go by what rows of other partitions have, and whole rows with them.
#[test]
fn clusters_and_seen_paragraphs_are_the_same_whatever_was_killed() {
    let mut kills = 0;
    for (i, strategy) in ["every_op", "disabled", "every_n_ops"]
        .into_iter()
        .enumerate()
    {
        let mut bench = bench(i).with("strategy", strategy);
        bench.ops[4] =
            "document_deduplicator: {lowercase: true, keep: max n, cluster_id_field: meta.cluster, cluster_size_field: size}"
                .into();
        bench.ops.insert(
            5,
            "specified_numeric_field_filter: {field_key: size, max_value: 20}".into(),
        );
        bench.ops.insert(
            6,
            "bloom_paragraph_deduplicator: {ngram_size: 5, min_words: 2, threshold: 0.6, expected_keys: 3000}"
                .into(),
        );
        bench.ops.insert(
            7,
            "document_simhash_deduplicator: {keep: longest, cluster_size_field: near}".into(),
        );
        let expected = bench.undisturbed();
        let dropped = |op: &str| expected.ledger["dropped"][op].as_u64().unwrap_or(0);
        let merged = |op: &str| expected.ledger["merged"][op].as_u64().unwrap_or(0);
        assert!(
            dropped("6") > 20 && merged("4") > 20 && merged("7") > 0,
            "{}",
            expected.ledger
        );
        let mut numbers = Numbers(i as u64 + 20);
        for round in 0.. {
            let output =
                bench.run_with_fault(&format!("kill@disk:{}", 8 + numbers.below(50) + 8 * round));
            bench.assert_export_whole(&expected.export);
            if !killed(&output) {
                assert!(output.status.success(), "{}", text(&output.stderr));
                break;
            }
            kills += 1;
        }
        assert_eq!(bench.result(), expected, "{}", bench.recipe());
    }
    assert!(kills >= 6, "only {kills} kills");
}

/// Rows are made from rows of all partitions, from these again, and split.
#[test]
fn rows_are_grouped_whatever_was_killed() {
    let mut kills = 0;
    for (i, strategy) in ["every_op", "disabled", "adaptive"].into_iter().enumerate() {
        let mut bench = bench(i).with("strategy", strategy);
        let groupers = [
            "key_value_grouper: {group_by_keys: [__dj__stats__.num_words]}",
            "naive_grouper:",
        ]
        .map(str::to_owned);
        // Between filters and a deduplicator, and in succession.
        bench.ops.splice(
            4..4,
            groupers.into_iter().chain([
                "naive_reverse_grouper:".to_owned(),
                "naive_reverse_grouper:".to_owned(),
            ]),
        );
        bench
            .ops
            .push("key_value_grouper: {group_by_keys: [__dj__stats__.max_line_length]}".into());
        let expected = bench.undisturbed();
        let mut one = super::bench::Bench::new(ROWS)
            .with("partition", "{mode: manual, num_of_partitions: 1}")
            .with("np", "1");
        one.ops = bench.ops.clone();
        assert_eq!(one.undisturbed().export, expected.export);
        for event in [
            "resolve_start:1",
            "resolve_complete:1",
            "checkpoint_save:5",
            "resolve_complete:2",
            "resolve_start:4",
        ] {
            let output = bench.run_with_fault(&format!("kill@event:{event}"));
            bench.assert_export_whole(&expected.export);
            kills += usize::from(killed(&output));
        }
        let mut numbers = Numbers(i as u64 + 177);
        for round in 0.. {
            // A complete job makes no attempt: start again.
            let args = if round == 0 { &["--fresh"][..] } else { &[] };
            let output = bench.run_with_args_and_fault(
                args,
                &format!("kill@disk:{}", 2 + numbers.below(8) + 2 * round),
            );
            bench.assert_export_whole(&expected.export);
            if !killed(&output) {
                assert!(output.status.success(), "{}", text(&output.stderr));
                break;
            }
            kills += 1;
        }
        assert_eq!(bench.result(), expected, "{}", bench.recipe());
    }
    assert!(kills >= 15, "only {kills} kills");
}

#[test]
fn killed_at_writes_and_again_while_it_resumes() {
    let mut kills = 0;
    for i in 0..5 {
        let bench = bench(i).with("strategy", STRATEGIES[i]);
        let expected = bench.undisturbed();
        let mut numbers = Numbers(i as u64 + 1);
        // Each attempt gets a little further before it dies.
        for round in 0.. {
            let reach = 6 + numbers.below(40) + 6 * round;
            let output = bench.run_with_fault(&format!("kill@disk:{reach}"));
            bench.assert_export_whole(&expected.export);
            if !killed(&output) {
                assert!(output.status.success(), "{}", text(&output.stderr));
                break;
            }
            kills += 1;
        }
        assert_eq!(bench.result(), expected, "{}", bench.recipe());
    }
    assert!(kills >= 12, "only {kills} kills");
}

#[test]
fn killed_at_single_writes_from_the_first_to_the_last() {
    let usual = [
        1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 120, 150, 180, 200, 230, 260, 290,
    ];
    let expected = Bench::new(ROWS / 3).undisturbed();
    for (k, n) in (1..).enumerate() {
        let n: usize = if asked() > 0 {
            n
        } else if let Some(n) = usual.get(k) {
            *n
        } else {
            break;
        };
        let bench = Bench::new(ROWS / 3).with("np", "1");
        let output = bench.run_with_fault(&format!("kill@disk:{n}"));
        bench.assert_export_whole(&expected.export);
        if !killed(&output) {
            assert!(n > 50, "a run makes more than {n} writes");
            break;
        }
        bench.ok(&[]);
        assert_eq!(bench.result(), expected, "killed at write {n}");
    }
}

#[test]
fn an_io_error_at_any_write_leaves_a_job_that_can_be_resumed() {
    let usual = [2, 3, 4, 5, 6, 9, 14, 22, 40, 65, 90, 110, 140, 190, 240];
    let expected = Bench::new(ROWS / 3).undisturbed();
    for (k, n) in (1..).enumerate() {
        let n: usize = if asked() > 0 {
            n
        } else if let Some(n) = usual.get(k) {
            *n
        } else {
            break;
        };
        // Without retries the error ends the job; it must be reported, and nothing may be lost.
        let bench = Bench::new(ROWS / 3)
            .with("np", "1")
            .with("task_retries", "0");
        let output = bench.run_with_fault(&format!("fail@disk:{n}"));
        bench.assert_export_whole(&expected.export);
        if !output.status.success() {
            assert_eq!(
                output.status.code(),
                Some(1),
                "write {n}: {}",
                text(&output.stderr)
            );
            assert!(
                text(&output.stderr).contains("the disk failed on purpose"),
                "write {n}: {}",
                text(&output.stderr)
            );
            bench.ok(&[]);
        } else if n > 500 {
            break;
        }
        assert_eq!(bench.result(), expected, "failed at write {n}");
    }
}

#[test]
fn killed_at_random_times() {
    let kills = if asked() > 0 { asked() } else { 20 };
    let mut numbers = Numbers(7);
    let mut done = 0;
    for i in 0.. {
        let bench = bench(i);
        let expected = bench.undisturbed();
        // A bench that survived four kills runs to its end, and another one follows.
        for _ in 0..4 {
            let mut child = bench
                .command(&[])
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis(5 + numbers.below(250)));
            child.kill().unwrap();
            child.wait().unwrap();
            done += 1;
            bench.assert_export_whole(&expected.export);
        }
        bench.ok(&[]);
        assert_eq!(bench.result(), expected, "{}", bench.recipe());
        if done >= kills {
            break;
        }
    }
}

#[test]
fn killed_while_it_cleans_up() {
    for (policy, left) in [("cleanup_all", 0), ("keep_failed_only", 0), ("keep_all", 1)] {
        let more = format!(", preserve_intermediate_data: true, retention_policy: {policy}");
        let bench = Bench::new(ROWS / 3).with("np", "1").with("storage", &more);
        let expected = bench.undisturbed();
        let checkpoints = || files(&bench.run_dir().join("checkpoints")).len();
        // The export exists, but the job has not recorded it yet; only recording and cleaning up
        // are left.
        assert!(killed(&bench.run_with_fault("kill@event:job_complete:1")));
        bench.assert_export_whole(&expected.export);
        for n in [1, 8, 12, 16, 20, 25, 31, 40] {
            bench.run_with_fault(&format!("kill@disk:{n}"));
        }
        bench.ok(&[]);
        assert_eq!(bench.result(), expected);
        assert_eq!(checkpoints().min(1), left, "{policy}");
        // Without the export the rest of the job is reused or made again.
        std::fs::remove_file(bench.export()).unwrap();
        for file in files(&bench.run_dir().join("checkpoints"))
            .into_iter()
            .step_by(2)
        {
            std::fs::remove_file(file).unwrap();
        }
        bench.ok(&[]);
        assert_eq!(bench.result(), expected);
    }
}
