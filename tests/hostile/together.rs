//! Two jobs at the same time.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::Case;
use crate::hostile::{KEEP, good, run_on};

/// Starts the first job and suspends its process before it writes the result.
fn begin(case: &Case, job: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
    command
        .args([
            "run",
            "first.yaml",
            "--quiet",
            "--work_dir",
            "work",
            "--job_id",
            job,
        ])
        .current_dir(case.path(""));
    command
        .env(
            "DJHOST_CACHE_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
        )
        .env("HOME", case.path(""));
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while !case
        .path("work")
        .join(job)
        .join("job_summary.json")
        .exists()
    {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the job does not begin"
        );
        std::thread::sleep(Duration::from_micros(200));
    }
    signal(&child, Signal::STOP);
    assert!(
        !case.path("out/result.jsonl").exists(),
        "the first job was too fast for this test"
    );
    child
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn of_two_jobs_with_one_result_the_second_is_refused() {
    // The cache of compiled operators is filled first.
    run_on("in.jsonl", good(1)).ok();
    let case = Case::with_input(good(3));
    let rows = good(200_000);
    case.write("first.jsonl", &rows);
    case.write(
        "first.yaml",
        format!("{KEEP}dataset_path: first.jsonl\nexport_path: out/result.jsonl\n"),
    );
    let mut first = begin(&case, "first");
    let pid = first.id().to_string();
    for path in ["out/result.jsonl", "./out/../out/result.jsonl"] {
        let ran = case.run(&format!("{KEEP}export_path: {path}\n"));
        ran.failed(
            2,
            &[
                "export_path",
                "job `first` is writing to it",
                &pid,
                "djhost stop",
            ],
        );
        assert!(!case.path("work/job").exists(), "the second job has begun");
    }
    // Another result next to it is in nobody's way.
    assert_eq!(
        case.run(&format!("{KEEP}export_path: out2/other.jsonl\n"))
            .ok()
            .summary["ledger"]["output"],
        3
    );
    fs::remove_dir_all(case.path("work/job")).unwrap();
    signal(&first, Signal::CONT);
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert!(
        fs::read_to_string(case.path("out/result.jsonl")).unwrap() == rows,
        "not the rows of the first job"
    );
    assert_eq!(fs::read_dir(case.path("out")).unwrap().count(), 1);
    // Then it is the second one's turn.
    assert_eq!(case.run(KEEP).ok().text(), good(3));
}

#[test]
fn a_killed_job_keeps_nobody_from_writing() {
    run_on("in.jsonl", good(1)).ok();
    let case = Case::with_input(good(3));
    case.write("first.jsonl", good(200_000));
    case.write(
        "first.yaml",
        format!("{KEEP}dataset_path: first.jsonl\nexport_path: out/result.jsonl\n"),
    );
    let mut first = begin(&case, "first");
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(
        fs::read_dir(case.path("out")).unwrap().count(),
        1,
        "the lock is left"
    );
    assert_eq!(case.run(KEEP).ok().text(), good(3));
}

/// A job whose shards have the name of another job's result, or the other way round.
#[test]
fn a_shard_and_a_result_of_one_name_are_not_written_at_once() {
    run_on("in.jsonl", good(1)).ok();
    let shards = ("out/r.jsonl", "export_shard_size: 1KiB\n");
    let file = ("out/r-00-of-05.jsonl", "");
    for ((first, more), (second, more_of_second), what) in [
        (shards, file, "in shards, and this is the name of one"),
        (file, shards, "and this is the name of one of the shards"),
    ] {
        let case = Case::with_input(good(3));
        case.write("first.jsonl", good(200_000));
        case.write(
            "first.yaml",
            format!("{KEEP}dataset_path: first.jsonl\nexport_path: {first}\n{more}"),
        );
        let mut running = begin(&case, "first");
        let recipe = format!("{KEEP}export_path: {second}\n{more_of_second}");
        case.run(&recipe)
            .failed(2, &[second, "job `first` is writing", what, "djhost stop"]);
        assert!(!case.path("work/job").exists(), "the second job has begun");
        running.kill().unwrap();
        running.wait().unwrap();
        // The lock of a killed job is in nobody's way; the harness sees it beside the result.
        for lock in fs::read_dir(case.path("out")).unwrap() {
            fs::remove_file(lock.unwrap().path()).unwrap();
        }
        assert_eq!(case.run(&recipe).ok().summary["ledger"]["output"], 3);
    }
}
