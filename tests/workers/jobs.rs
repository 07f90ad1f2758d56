//! Whole jobs whose tasks other processes run: the same as by threads.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;

use crate::crash::bench::{Bench, Numbers, Result, killed, text};
use crate::harness::Case;

/// The variable with the faults of the first, second, … process that is started.
const FAULTS: &str = djhost::testing::fault::OF_WORKERS;

/// What the job of `bench` makes by threads.
fn by_threads(bench: &Bench) -> Result {
    bench.undisturbed()
}

fn by_processes(bench: Bench) -> Bench {
    bench.with("worker_processes", "2").with("np", "3")
}

#[test]
fn processes_make_the_bytes_of_threads() {
    let lines = "document_line_deduplicator: {frequency_threshold: 30}";
    let groups = "key_value_grouper: {group_by_keys: [__dj__stats__.num_words]}";
    for (strategy, format, ops) in [
        ("every_op", "parquet", vec![]),
        (
            "adaptive",
            "arrow",
            vec![(4, lines), (5, groups), (6, "naive_reverse_grouper:")],
        ),
        (
            "disabled",
            "jsonl",
            vec![(8, "document_simhash_deduplicator: {keep: longest}")],
        ),
    ] {
        let mut bench = Bench::new(700)
            .with("strategy", strategy)
            .with("format", format)
            .with("compression", "none");
        ops.into_iter()
            .for_each(|(at, op)| bench.ops.insert(at, op.into()));
        let expected = by_threads(&bench);
        let bench = by_processes(bench);
        let events = bench.ok(&[]);
        assert_eq!(bench.result(), expected, "{}", bench.recipe());
        let processes = |event: &str| -> BTreeSet<u64> {
            let of = events.of(event);
            of.iter()
                .map(|e| e["process_id"].as_u64().unwrap())
                .collect()
        };
        let (driver, workers) = (processes("job_start"), processes("stage_complete"));
        assert!(workers.is_disjoint(&driver) && !workers.is_empty());
        let seqs = events.0.iter().map(|e| e["seq"].as_u64().unwrap());
        assert!(seqs.eq(0..events.0.len() as u64));
    }
}

#[test]
fn processes_are_killed_at_random() {
    let mut numbers = Numbers(19);
    let mut losses = 0;
    for strategy in ["every_op", "disabled"] {
        let bench = Bench::new(700).with("strategy", strategy);
        let expected = by_threads(&bench);
        let bench = by_processes(bench);
        for _ in 0..4 {
            // One more could end the same task four times before it gets on.
            let faults: Vec<String> = (0..3)
                .map(|_| format!("kill@disk:{}", 1 + numbers.below(60)))
                .collect();
            let output = bench
                .command(&["--fresh"])
                .env(FAULTS, faults.join(";"))
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{faults:?} {}",
                text(&output.stderr)
            );
            let events = bench.events();
            losses += events.of("task_retry").len();
            assert_eq!(bench.result(), expected, "{faults:?} {}", bench.recipe());
            assert!(bench.unfinished().is_empty(), "{faults:?}");
        }
    }
    assert!(losses >= 6, "only {losses} processes were lost");
}

/// A killed job ends its processes; another attempt waits until they have gone.
#[test]
fn the_job_is_killed_and_goes_on_with_threads_or_processes() {
    let mut kills = 0;
    let bench = Bench::new(700);
    let expected = by_threads(&bench);
    let mut bench = by_processes(bench);
    for (round, fault) in [
        "kill@event:checkpoint_save:3",
        "kill@event:op_start:9",
        "kill@event:stage_complete:7",
        "kill@disk:30",
        "kill@event:partition_complete:2",
    ]
    .into_iter()
    .enumerate()
    {
        bench.set("worker_processes", ["2", "0", "3"][round % 3]);
        kills += usize::from(killed(&bench.run_with_fault(fault)));
        bench.assert_export_whole(&expected.export);
    }
    assert!(kills >= 4, "only {kills} kills");
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}

#[test]
fn a_task_that_ends_every_process_fails_the_job_by_its_name() {
    let bench = Bench::new(200);
    let expected = by_threads(&bench);
    let mut bench = by_processes(bench);
    let output = bench
        .command(&[])
        .env(FAULTS, "kill@disk:1;".repeat(20))
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("the process of task steps.0.") && said.contains("has lost 4 processes"),
        "{said}"
    );
    assert!(said.contains("signal 9"), "{said}");
    bench.set("worker_processes", "0");
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}

/// Each process sees only some of the rows; all are counted together.
#[test]
fn a_job_of_bad_rows_fails_as_by_threads() {
    let mut rows = Vec::new();
    for i in 0..14_000 {
        writeln!(rows, "{{\"txt\": \"row {i}\"}}").unwrap();
    }
    let run = |processes: &str| {
        let mut case = Case::with_input(&rows);
        case.args = ["--worker_processes", processes]
            .map(str::to_owned)
            .to_vec();
        case.run("process: [text_length_filter: {min_len: 2}]\npartition: {mode: manual, num_of_partitions: 3}\n")
    };
    let (threads, processes) = (run("0"), run("2"));
    for ran in [&threads, &processes] {
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("no field `text`; the rows have `txt`"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_stop_is_passed_on_and_the_job_goes_on_later() {
    let bench = Bench::new(3000).with("partition", "{mode: manual, num_of_partitions: 6}");
    let expected = by_threads(&bench);
    let bench = by_processes(bench);
    // No partition is done before the job has heard of the request.
    let go_on = bench.path("go_on");
    let hold = format!("hold@disk:rename:partition_:{}", go_on.display());
    let holds = vec![hold; 9].join(";");
    let mut command = bench.command(&[]);
    let mut child = command.env(FAULTS, holds).spawn().unwrap();
    let mut until = |event: &str| {
        while bench.events().of(event).is_empty() {
            assert!(child.try_wait().unwrap().is_none(), "it ended too early");
            std::thread::yield_now();
        }
    };
    until("op_start");
    fs::write(bench.run_dir().join("stop_request.json"), "").unwrap();
    until("stop_requested");
    fs::write(go_on, "").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let events = bench.events();
    let asked = events.of("stop_requested");
    assert!(asked.len() == 1 && asked[0]["reason"] == "request");
    assert!(!events.of("job_stopped").is_empty());
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}
