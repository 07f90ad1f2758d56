//! What an attempt fetches of a run directory in a bucket, and what it makes of objects that are not
//! what they were.

use crate::exporting::keys;
use crate::proxy::{Way, proxy};
use crate::rundirs::{RECIPE, bucket, expected, look, on, result, run};
use crate::store::{Bucket, ask, text};
use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// A bucket with a complete job, of which the result has gone.
fn done(name: &str) -> (Bucket, Vec<u8>) {
    let bucket = bucket(name);
    // Of which each partition keeps some.
    let row = |i: usize| {
        let (i, words) = (i / 2, "some  words ".repeat(i / 2 % 40));
        format!("{{\"text\": \"row {i}: {words}\", \"id\": {i}}}\n")
    };
    fs::write(
        bucket.path("in.jsonl"),
        (0..6000).map(row).collect::<String>(),
    )
    .unwrap();
    let expected = expected(&bucket);
    let output = run(&bucket, "one", &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    fs::remove_file(bucket.path("out/result.jsonl")).unwrap();
    (bucket, expected)
}

fn path(bucket: &Bucket, name: &str) -> String {
    format!("/{}/runs/job/{name}", bucket.name)
}

/// The name of the checkpoint after an op.
fn checkpoint(bucket: &Bucket, op: usize, partition: usize) -> String {
    let start = format!("checkpoints/checkpoint_op_{op:04}_partition_{partition:04}.");
    let names = keys(&bucket.name).0.into_iter();
    let mut names = names.filter_map(|key| Some(key.strip_prefix("runs/job/")?.to_owned()));
    let name = names.find(|name| name.starts_with(&start) && !name.ends_with(".json"));
    name.unwrap_or_else(|| panic!("there is no {start}"))
}

#[test]
fn only_what_is_read_is_fetched() {
    let (bucket, expected) = done("needed");
    let plan = [
        "plan",
        "recipe.yaml",
        "--work_dir",
        "BUCKET/runs",
        "--job_id",
        "job",
    ];
    let planned = look(&bucket, "two", &plan);
    assert!(
        planned
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains("1 attempt so far")
            && planned.contains("go on after op 3"),
        "{planned}"
    );
    let gets = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&gets);
    let port = proxy(move |request| {
        if let Some(name) = request.strip_prefix("GET /needed/runs/job/") {
            noted.lock().unwrap().push(name.to_owned());
        }
        Way::Through
    });
    let url = format!("http://127.0.0.1:{port}");
    let env = [("AWS_ENDPOINT_URL", url.as_str())];
    let is_data = |name: &&String| {
        let dirs = ["checkpoints/", "parts/", "trace/", "quarantine/"];
        dirs.iter().any(|dir| name.starts_with(dir)) && !name.ends_with(".manifest.json")
    };
    let output = run(&bucket, "two", &env);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(result(&bucket) == expected);
    let fetched: BTreeSet<String> = gets.lock().unwrap().drain(..).collect();
    let data: Vec<&String> = fetched.iter().filter(is_data).collect();
    // The rows after the last op of the recipe, and nothing of what came before.
    let last: Vec<String> = (0..4).map(|p| checkpoint(&bucket, 3, p)).collect();
    assert_eq!(data, last.iter().collect::<Vec<_>>());
    let size = |name: &String| ask("GET", &path(&bucket, name), b"").1.len();
    let all: usize = keys("needed")
        .0
        .iter()
        .filter_map(|key| key.strip_prefix("runs/job/").map(str::to_owned))
        .filter(|name| is_data(&name))
        .map(|name| size(&name))
        .sum();
    let bytes: usize = data.into_iter().map(size).sum();
    assert!(bytes * 2 < all, "{bytes} of {all} bytes");
    // A complete job is known by its documents.
    let output = run(&bucket, "three", &env);
    assert!(
        text(&output.stderr).contains("nothing to do"),
        "{}",
        text(&output.stderr)
    );
    let gets = gets.lock().unwrap();
    assert!(!gets.iter().any(|name| is_data(&name)), "{gets:?}");
    drop(gets);
    let planned = look(&bucket, "four", &plan);
    assert!(planned.contains("complete already"), "{planned}");
}

#[test]
fn the_plan_says_of_a_job_in_a_bucket_what_it_says_of_one_on_a_disk() {
    let (bucket, _) = done("planned");
    let local = bucket.run(RECIPE);
    assert!(local.status.success(), "{}", text(&local.stderr));
    let said = |work: &str| {
        fs::write(bucket.path("recipe.yaml"), RECIPE).unwrap();
        let args = ["plan", "recipe.yaml", "--work_dir", work, "--job_id", "job"];
        let planned = look(&bucket, "one", &args);
        let words: Vec<&str> = planned.split_whitespace().collect();
        let words = words.join(" ");
        let at = words.find("so far").unwrap_or_else(|| panic!("{planned}"));
        let line = &words[at..];
        let from = line.find(';').unwrap();
        line[from..line.len().min(from + 80)].to_owned()
    };
    assert_eq!(said("BUCKET/runs"), said("work"));
    fs::remove_file(bucket.path("out/result.jsonl")).unwrap();
    assert_eq!(said("BUCKET/runs"), said("work"));
    // Of a job that is not there nothing is said, and nothing is kept.
    let args = [
        "plan",
        "recipe.yaml",
        "--work_dir",
        "BUCKET/runs",
        "--job_id",
        "new",
    ];
    assert!(!look(&bucket, "five", &args).contains("so far"));
    assert!(!bucket.path("five-cache/djhost/views").exists());
    // Without a checkpoint, rows go on from the one before it.
    let name = checkpoint(&bucket, 3, 2);
    assert_eq!(ask("DELETE", &path(&bucket, &name), b"").0, 204);
    fs::remove_file(bucket.path("work/job").join(&name)).unwrap();
    let now = said("BUCKET/runs");
    assert_eq!(now, said("work"));
    assert!(now.contains("3 partitions go on after op 3"), "{now}");
}

#[test]
fn what_somebody_has_changed_is_done_again() {
    let (bucket, expected) = done("damaged");
    let names: Vec<String> = (0..4).map(|p| checkpoint(&bucket, 3, p)).collect();
    let good: Vec<Vec<u8>> = names
        .iter()
        .map(|name| ask("GET", &path(&bucket, name), b"").1)
        .collect();
    // One has gone, one is cut, one has other bytes, and one becomes another one on its way.
    assert_eq!(ask("DELETE", &path(&bucket, &names[0]), b"").0, 204);
    let cut = &good[1][..good[1].len() / 2];
    assert_eq!(ask("PUT", &path(&bucket, &names[1]), cut).0, 200);
    let mut other = good[2].clone();
    let middle = other.len() / 2;
    other[middle] ^= 1;
    assert_eq!(ask("PUT", &path(&bucket, &names[2]), &other).0, 200);
    let (last, content) = (path(&bucket, &names[3]), [&*good[3], b"more"].concat());
    let mut is_changed = false;
    let port = proxy(move |request| {
        if !is_changed && request.starts_with(&format!("GET {last}")) {
            is_changed = true;
            assert_eq!(ask("PUT", &last, &content).0, 200);
        }
        Way::Through
    });
    let url = format!("http://127.0.0.1:{port}");
    let output = run(&bucket, "two", &[("AWS_ENDPOINT_URL", &url)]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(result(&bucket) == expected);
    let log = look(
        &bucket,
        "three",
        &["logs", "BUCKET/runs/job", "--attempt", "2"],
    );
    let log = log.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "checkpoint after op 3 of partition 0 not used",
        "checkpoint after op 3 of partition 1 not used",
        &format!("has {} bytes instead of {}", cut.len(), good[1].len()),
        "checkpoint after op 3 of partition 2 not used",
        "is damaged: its checksum differs",
        "checkpoint after op 3 of partition 3 not used",
        "it has changed since the job looked at it",
    ] {
        assert!(log.contains(part), "`{part}` is not in {log}");
    }
    // They are as they were.
    for (name, good) in names.iter().zip(good) {
        assert!(ask("GET", &path(&bucket, name), b"").1 == good, "{name}");
    }
}

#[test]
fn a_kill_while_a_large_file_is_sent_leaves_what_the_next_run_removes() {
    let bucket = Bucket::new("parts-of-files");
    let row = |i: usize| {
        let words = "some words and more of them ".repeat(1 + i % 60);
        format!("{{\"text\": \"row {i}: {words}\", \"id\": {i}}}\n")
    };
    fs::write(
        bucket.path("in.jsonl"),
        (0..12_000).map(row).collect::<String>(),
    )
    .unwrap();
    // One checkpoint, of all rows.
    let recipe = "dataset_path: in.jsonl\nexport_path: out/result.jsonl\n\
        partition: {mode: manual, num_of_partitions: 1}\ncheckpoint: {strategy: every_op}\n\
        intermediate_storage: {format: jsonl, compression: none}\nprocess:\n\
        - text_length_filter: {min_len: 20}\n";
    assert!(bucket.run(recipe).status.success());
    let expected = result(&bucket);
    fs::remove_file(bucket.path("out/result.jsonl")).unwrap();
    let (sender, receiver) = mpsc::channel();
    let port = proxy(move |request| {
        let is_second = request.contains("/checkpoints/") && request.contains("partNumber=2");
        match is_second && sender.send(()).is_ok() {
            true => Way::Stall,
            false => Way::Through,
        }
    });
    let url = format!("http://127.0.0.1:{port}");
    let command = |machine: &str, env: &[(&str, &str)]| {
        let mut command = bucket.command_in("BUCKET/runs", recipe, env);
        command.arg("--quiet").envs(on(&bucket, machine));
        command
    };
    let mut child = command("one", &[("AWS_ENDPOINT_URL", &url)])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    receiver.recv_timeout(Duration::from_secs(60)).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let (names, uploads) = keys("parts-of-files");
    // And perhaps one of the finished rows.
    assert!(uploads > 0, "{names:?}");
    assert!(
        !names.iter().any(|name| name.contains("/checkpoints/")),
        "{names:?}"
    );
    let output = command("two", &[]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(result(&bucket) == expected);
    let (names, uploads) = keys("parts-of-files");
    assert_eq!(uploads, 0);
    assert!(
        names
            .iter()
            .any(|name| name.ends_with("checkpoint_op_0000_partition_0000.manifest.json"))
    );
}

#[test]
fn what_somebody_else_writes_while_the_job_runs_ends_it() {
    let bucket = bucket("disturbed");
    let expected = expected(&bucket);
    let manifest = path(&bucket, "parts/part_0002.manifest.json");
    let theirs = manifest.clone();
    let mut is_there = false;
    let port = proxy(move |request| {
        if !is_there && request.starts_with(&format!("PUT {theirs}")) {
            is_there = true;
            assert_eq!(ask("PUT", &theirs, b"{}").0, 200);
        }
        Way::Through
    });
    let url = format!("http://127.0.0.1:{port}");
    let output = run(&bucket, "one", &[("AWS_ENDPOINT_URL", &url)]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(
            "`s3://disturbed/runs/job/parts/part_0002.manifest.json` was written by another run"
        ),
        "{said}"
    );
    assert_eq!(ask("GET", &manifest, b"").1, b"{}");
    let output = run(&bucket, "two", &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(result(&bucket) == expected);
}
