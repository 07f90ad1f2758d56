//! Run directories, datasets and results in a bucket, with workers on a cluster.

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::crash::bench::{Events, Numbers};
use crate::job::{FAULTS, Hold};
use crate::proxy::{Way, proxy};
use crate::ray::{Ray, Shared, python};
use crate::store::{Bucket, ask, text};

/// Filters, a mapper, a deduplicator, a grouper, rows that no op can read, and a checkpoint after
/// each op; dataset and result are in the bucket.
const RECIPE: &str = "dataset_path: BUCKET/in.jsonl\nexport_path: BUCKET/out/result.jsonl\n\
    partition: {mode: manual, num_of_partitions: 6}\ncheckpoint: {strategy: every_op}\nprocess:\n\
    - text_length_filter: {min_len: 20}\n- whitespace_normalization_mapper:\n\
    - document_deduplicator:\n- key_value_grouper: {group_by_keys: [kind]}\n\
    - naive_reverse_grouper:\n- words_num_filter: {min_num: 4}\n";

/// What the store is opened with.
const SECRET: &str = "hunter2";

fn rows() -> String {
    let row = |i: usize| {
        let words = "some  words ".repeat(i % 40);
        let (text, kind) = (i % 3000, i % 70);
        format!("{{\"text\": \"row {text}: {words}\", \"kind\": \"k{kind}\", \"id\": {i}}}\n")
    };
    (0..6000).map(row).collect::<String>() + "no row\n"
}

/// What a job makes that has to be the same wherever it works.
#[derive(Debug, PartialEq)]
struct Made {
    result: Vec<u8>,
    ledger: Value,
    /// Names and rows, without the attempt that has set them aside.
    quarantine: Vec<(String, Vec<Value>)>,
}

/// A bucket with a dataset, and what threads make of it with a run directory on a disk.
fn bucket(name: &str) -> (Bucket, Made) {
    let bucket = Bucket::new(name);
    bucket.put("in.jsonl", rows());
    let output = bucket.run(RECIPE);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let summary = fs::read(bucket.path("work/job/job_summary.json")).unwrap();
    let files = fs::read_dir(bucket.path("work/job/quarantine")).unwrap();
    let mut quarantine: Vec<_> = files
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            (name.to_owned(), aside(&fs::read(&path).unwrap()))
        })
        .collect();
    quarantine.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!quarantine.is_empty());
    let made = Made {
        result: get(&bucket, "out/result.jsonl").unwrap(),
        ledger: ledger(&summary),
        quarantine,
    };
    remove(&bucket, "out/result.jsonl");
    (bucket, made)
}

/// The rows of a file in quarantine.
fn aside(content: &[u8]) -> Vec<Value> {
    let lines = text(content);
    let rows = lines.lines().map(|line| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        row.as_object_mut().unwrap().remove("attempt");
        row
    });
    rows.collect()
}

fn get(bucket: &Bucket, key: &str) -> Option<Vec<u8>> {
    let (status, body) = ask("GET", &format!("/{}/{key}", bucket.name), b"");
    (status == 200).then_some(body)
}

fn remove(bucket: &Bucket, key: &str) {
    assert_eq!(
        ask("DELETE", &format!("/{}/{key}", bucket.name), b"").0,
        204
    );
}

fn ledger(summary: &[u8]) -> Value {
    serde_json::from_slice::<Value>(summary).unwrap()["ledger"].clone()
}

/// The keys below the run directory in the bucket.
fn keys(bucket: &Bucket) -> Vec<String> {
    let path = format!("/{}?list-type=2&prefix=runs/job/", bucket.name);
    let reply = text(&ask("GET", &path, b"").1);
    let keys = reply.split("<Key>").skip(1);
    keys.map(|rest| rest.split("</Key>").next().unwrap().to_owned())
        .collect()
}

/// What a job has made whose run directory is in the bucket. No file of that has what the store is
/// opened with, and manifests name what is there.
fn made(bucket: &Bucket) -> Made {
    let keys = keys(bucket);
    let mut quarantine = Vec::new();
    for key in &keys {
        let content = get(bucket, key).unwrap();
        assert!(!text(&content).contains(SECRET), "{key}");
        if let Some(name) = key.strip_prefix("runs/job/quarantine/") {
            quarantine.push((name.to_owned(), aside(&content)));
        } else if key.starts_with("runs/job/checkpoints/") && key.ends_with(".manifest.json") {
            let manifest: Value = serde_json::from_slice(&content).unwrap();
            let data = manifest["content"]["data"].as_str().unwrap();
            let data = format!("runs/job/checkpoints/{data}");
            assert!(keys.contains(&data), "{key} names {data}: {keys:?}");
        }
    }
    quarantine.sort_by(|a, b| a.0.cmp(&b.0));
    Made {
        result: get(bucket, "out/result.jsonl").unwrap(),
        ledger: ledger(&get(bucket, "runs/job/job_summary.json").unwrap()),
        quarantine,
    }
}

/// The events of all attempts of a job.
fn events(bucket: &Bucket) -> Events {
    let all = keys(bucket).into_iter();
    let pieces = all.filter(|key| key.starts_with("runs/job/events_"));
    let lines = pieces.flat_map(|key| get(bucket, &key)).flatten();
    let lines: Vec<u8> = lines.collect();
    let lines = text(&lines);
    let events = lines.lines();
    Events(events.flat_map(serde_json::from_str).collect())
}

/// The job with its run directory in the bucket and its work done on a cluster.
fn command(bucket: &Bucket, ray: &Ray, env: &[(&str, &str)]) -> Command {
    let mut command = bucket.command_in("BUCKET/runs", RECIPE, env);
    command
        .args(["--quiet", "--executor_type", "ray_partitioned"])
        .args(["--ray_address", &ray.address, "--ray.python"])
        .arg(python())
        .env("XDG_CACHE_HOME", bucket.path("cache"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_run_directory_in_a_bucket_is_shared_by_nodes() {
    let ray = Shared::take();
    let (bucket, expected) = bucket("shared");
    succeeds(&command(&bucket, &ray, &[]).output().unwrap());
    assert!(made(&bucket) == expected);
    let events = events(&bucket);
    let done = events.of("stage_complete");
    assert!(!done.is_empty());
    assert!(done.iter().all(|event| event["node"].is_string()));
    // Where it is looked at from does not matter, and neither does where the work is done.
    let job = ["monitor", "BUCKET/runs/job"];
    let shown = bucket.djhost(&job, &[]).output().unwrap();
    assert!(text(&shown.stdout).contains("completed"), "{shown:?}");
    remove(&bucket, "out/result.jsonl");
    let mut here = bucket.command_in("BUCKET/runs", RECIPE, &[]);
    succeeds(
        &here
            .env("XDG_CACHE_HOME", bucket.path("other"))
            .output()
            .unwrap(),
    );
    assert!(made(&bucket) == expected);
}

#[test]
fn workers_that_are_killed_leave_a_bucket_whole() {
    let ray = Shared::take();
    let mut numbers = Numbers(31);
    let (bucket, expected) = bucket("lost");
    // Not before they have a task: what they plan by is written, too.
    let faults: Vec<String> = (0..3)
        .map(|_| format!("kill@disk:rename:checkpoints/:{}", 1 + numbers.below(6)))
        .collect();
    let faults = faults.join(";");
    // The lines of rows in quarantine are known, and written into the bucket once more, in the end.
    let env = [(FAULTS, faults.as_str()), ("DJHOST_TEST_NEAR_BYTES", "0")];
    let output = command(&bucket, &ray, &env).output();
    succeeds(&output.unwrap());
    let lost = events(&bucket).of("task_retry").len();
    assert!(lost > 0, "{faults}");
    assert!(made(&bucket) == expected, "{faults}");
}

#[test]
fn a_killed_job_goes_on_from_its_bucket_on_the_cluster_and_here() {
    let ray = Shared::take();
    let (bucket, expected) = bucket("continued");
    // Each of them comes for certain after what the one before has left: the second attempt ends before
    // the first global op, and the third one has both of them decided.
    for (round, fault) in [
        "kill@event:checkpoint_save:3",
        "kill@event:stage_complete:2",
        "kill@event:resolve_complete:2",
    ]
    .into_iter()
    .enumerate()
    {
        let mut command = command(&bucket, &ray, &[("DJHOST_TEST_FAULT", fault)]);
        // On another machine each time.
        command.env("XDG_CACHE_HOME", bucket.path(&format!("cache-{round}")));
        let output = command.output().unwrap();
        assert_eq!(
            output.status.code(),
            None,
            "{fault} {}",
            text(&output.stderr)
        );
    }
    let mut here = bucket.command_in("BUCKET/runs", RECIPE, &[]);
    here.env("XDG_CACHE_HOME", bucket.path("here"));
    let output = here.env("DJHOST_TEST_FAULT", "kill@event:partition_complete:2");
    assert_eq!(output.output().unwrap().status.code(), None);
    succeeds(&command(&bucket, &ray, &[]).output().unwrap());
    assert!(made(&bucket) == expected);
}

/// Workers read what others have put into the bucket, by parts of files.
#[test]
fn pieces_of_a_barrier_go_by_the_bucket() {
    let ray = Shared::take();
    let (bucket, expected) = bucket("pieces");
    let fault = "kill@disk:rename:found_op_0002:1";
    let env = [("DJHOST_TEST_SECTION_BYTES", "9000"), (FAULTS, fault)];
    succeeds(&command(&bucket, &ray, &env).output().unwrap());
    assert!(made(&bucket) == expected);
    let left: Vec<String> = keys(&bucket)
        .into_iter()
        .filter(|key| key.contains("/split_op") || key.contains("/found_op"))
        .collect();
    assert_eq!(left, [""; 0]);
}

/// A worker that the store refuses has fewer tasks at a time, and what it could not do is done later.
#[test]
fn a_worker_that_a_store_refuses_is_asked_for_less() {
    let mut ray = Shared::take();
    ray.add(2);
    let (bucket, expected) = bucket("refused");
    let refusals = Arc::new(AtomicUsize::new(0));
    let left = Arc::clone(&refusals);
    let one_less = |left: usize| left.checked_sub(1);
    let port = proxy(move |line: &str| {
        let is_input = line.starts_with("GET") && line.contains("/in.jsonl");
        let count = || left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
        match is_input && count().is_ok() {
            true => Way::Status(503, "Slow Down"),
            false => Way::Through,
        }
    });
    let hold = Hold::in_dir(bucket.path("released"), "partition_");
    let (url, faults) = (format!("http://127.0.0.1:{port}"), hold.faults());
    let env = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("DJHOST_TEST_RETRIES", "0"),
        (FAULTS, &faults),
    ];
    let mut job = command(&bucket, &ray, &env);
    job.args(["--ray.workers", "1", "--ray.cpus_per_worker", "2"]);
    let job = job.args(["--task_retries", "5"]).spawn().unwrap();
    // Two partitions are read; the others are not before those are done.
    while events(&bucket).of("op_start").len() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    refusals.store(4, Ordering::SeqCst);
    hold.release_all();
    let output = job.wait_with_output().unwrap();
    succeeds(&output);
    let said = text(&output.stderr);
    assert!(said.contains("has 1 task at a time from now on"), "{said}");
    assert!(events(&bucket).of("task_retry").len() >= 2);
    assert!(made(&bucket) == expected);
}

/// Whoever stops the job while workers are at it.
#[test]
fn a_job_in_a_bucket_is_stopped_from_elsewhere() {
    let ray = Shared::take();
    let (bucket, expected) = bucket("stopped");
    let hold = Hold::in_dir(bucket.path("released"), "partition_");
    let mut job: Child = command(&bucket, &ray, &[(FAULTS, &hold.faults())])
        .spawn()
        .unwrap();
    let mut until = |event: &str| {
        while events(&bucket).of(event).is_empty() {
            assert!(job.try_wait().unwrap().is_none(), "it has ended before");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    };
    until("op_start");
    let mut stop = bucket.djhost(&["stop", "BUCKET/runs/job"], &[]);
    let mut stop = stop.spawn().unwrap();
    until("stop_requested");
    hold.release_all();
    assert!(stop.wait().unwrap().success());
    assert_eq!(job.wait().unwrap().code(), Some(3));
    succeeds(&command(&bucket, &ray, &[]).output().unwrap());
    assert!(made(&bucket) == expected);
}
