//! Run directories in buckets.

use crate::exporting::keys;
use crate::proxy::{Way, proxy};
use crate::store::{Bucket, ask, text};
use std::fs;
use std::process::{Child, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Several partitions, a global op, rows that no op can read, and a checkpoint after each op.
pub(crate) const RECIPE: &str = "dataset_path: in.jsonl\nexport_path: out/result.jsonl\n\
    partition: {mode: manual, num_of_partitions: 4}\ncheckpoint: {strategy: every_op}\nprocess:\n\
    - text_length_filter: {min_len: 20}\n- whitespace_normalization_mapper:\n\
    - document_deduplicator:\n- words_num_filter: {min_num: 4}\n";

/// Enough for several partitions.
fn rows() -> String {
    let row = |i: usize| {
        let words = "some  words ".repeat(i % 40);
        format!("{{\"text\": \"row {}: {words}\", \"id\": {i}}}\n", i % 3000)
    };
    (0..6000).map(row).collect::<String>() + "no row\n"
}

pub(crate) fn bucket(name: &str) -> Bucket {
    let bucket = Bucket::new(name);
    fs::write(bucket.path("in.jsonl"), rows()).unwrap();
    bucket
}

/// As on a machine of this name: with a cache of its own.
pub(crate) fn on<'a>(bucket: &Bucket, machine: &str) -> [(&'a str, String); 2] {
    let path = |kind: &str| {
        bucket
            .path(&format!("{machine}-{kind}"))
            .display()
            .to_string()
    };
    [
        ("XDG_CACHE_HOME", path("cache")),
        ("XDG_STATE_HOME", path("state")),
    ]
}

pub(crate) fn run(bucket: &Bucket, machine: &str, env: &[(&str, &str)]) -> Output {
    spawn(bucket, machine, env).wait_with_output().unwrap()
}

fn spawn(bucket: &Bucket, machine: &str, env: &[(&str, &str)]) -> Child {
    let mut command = bucket.command_in("BUCKET/runs", RECIPE, env);
    command
        .arg("--quiet")
        .envs(on(bucket, machine))
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[track_caller]
pub(crate) fn look(bucket: &Bucket, machine: &str, args: &[&str]) -> String {
    let output = bucket
        .djhost(args, &[])
        .envs(on(bucket, machine))
        .output()
        .unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    said
}

pub(crate) fn result(bucket: &Bucket) -> Vec<u8> {
    fs::read(bucket.path("out/result.jsonl")).unwrap()
}

/// What a run directory on a disk makes of it.
pub(crate) fn expected(bucket: &Bucket) -> Vec<u8> {
    let output = bucket.run(RECIPE);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let expected = result(bucket);
    fs::remove_file(bucket.path("out/result.jsonl")).unwrap();
    expected
}

#[test]
fn a_job_is_looked_at_from_anywhere() {
    let bucket = bucket("rundirs");
    let expected = expected(&bucket);
    // Lines of rows in quarantine are known, and written once more, in the end.
    let output = run(&bucket, "one", &[("DJHOST_TEST_NEAR_BYTES", "0")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(result(&bucket) == expected);
    let (names, uploads) = keys("rundirs");
    assert_eq!(uploads, 0);
    let has = |name: &str| names.iter().any(|key| key.starts_with(name));
    for name in [
        "runs/job/lock",
        "runs/job/job_summary.json",
        "runs/job/dag_execution_plan.json",
        "runs/job/events_",
        "runs/job/logs/attempt_0001.txt.000000",
        "runs/job/metadata/result.json",
        "runs/job/metadata/config.yaml",
        "runs/job/checkpoints/checkpoint_op_0001_partition_0003.manifest.json",
        "runs/job/parts/part_0000.manifest.json",
        "runs/job/partitions/partitions.json",
        "runs/job/quarantine/",
        "runs/job/trace/",
    ] {
        assert!(has(name), "{name} is not in {names:?}");
    }
    assert!(!names.iter().any(|key| key.contains("/.")), "{names:?}");
    let summary = text(&ask("GET", "/rundirs/runs/job/job_summary.json", b"").1);
    assert!(
        summary.contains("\"work_dir\": \"s3://rundirs/runs/job\""),
        "{summary}"
    );
    assert!(!summary.contains("one-cache") && !summary.contains("hunter2"));
    // By its address from elsewhere, and by its name from here.
    for (machine, job) in [("two", "BUCKET/runs/job"), ("one", "job")] {
        let look = |args: &[&str]| look(&bucket, machine, args);
        let monitored = look(&["monitor", job]);
        assert!(monitored.contains("completed") && monitored.contains("s3://rundirs/runs/job"));
        assert!(look(&["logs", job]).contains("job done"));
        let aside = look(&["quarantine", job, "show"]);
        assert!(
            aside.contains("in.jsonl:6001  reader") && aside.contains("no row"),
            "{aside}"
        );
        assert!(look(&["dropped", job]).contains("text_length_filter"));
        let explained = look(&["explain", job, "in.jsonl:1"]);
        assert!(explained.contains("text_length_filter"), "{explained}");
        look(&["report", job, "--output", "page.html"]);
        assert!(fs::metadata(bucket.path("page.html")).unwrap().len() > 10_000);
        let stopped = bucket
            .djhost(&["stop", job], &[])
            .envs(on(&bucket, machine))
            .output()
            .unwrap();
        assert_eq!(stopped.status.code(), Some(11), "{}", text(&stopped.stdout));
    }
    let jobs = look(&bucket, "two", &["jobs", "--all", "--base-dir", "BUCKET"]);
    assert!(jobs.contains("s3://rundirs/runs/job"), "{jobs}");
    // Nothing is left to do, on any machine, until the result is gone.
    let output = run(&bucket, "three", &[]);
    assert!(
        text(&output.stderr).contains("nothing to do"),
        "{}",
        text(&output.stderr)
    );
    fs::remove_file(bucket.path("out/result.jsonl")).unwrap();
    assert!(run(&bucket, "three", &[]).status.success());
    assert!(result(&bucket) == expected);
}

#[test]
fn a_killed_job_is_continued_on_another_machine() {
    let bucket = bucket("moved");
    let expected = expected(&bucket);
    // The requests of an undisturbed run that write.
    let counting = |stop_at: usize| {
        let (sender, receiver) = mpsc::channel();
        let mut count = 0;
        let port = proxy(move |request| {
            if !request.contains("/runs/job/") || request.starts_with("GET") {
                return Way::Through;
            }
            count += 1;
            let _ = sender.send(count);
            match count >= stop_at {
                true => Way::Stall,
                false => Way::Through,
            }
        });
        (format!("http://127.0.0.1:{port}"), receiver)
    };
    let (url, counted) = counting(usize::MAX);
    let output = run(&bucket, "whole", &[("AWS_ENDPOINT_URL", &url)]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let count = counted.try_iter().last().unwrap();
    assert!(count > 40, "{count} requests");
    for (number, at) in (1..9).map(|i| (i, i * count / 9)) {
        remove_all(&bucket.name);
        let _ = fs::remove_file(bucket.path("out/result.jsonl"));
        let (url, counted) = counting(at);
        let env = [("AWS_ENDPOINT_URL", url.as_str())];
        let mut child = spawn(&bucket, &format!("first-{number}"), &env);
        while counted.recv_timeout(Duration::from_secs(60)).unwrap() < at {}
        child.kill().unwrap();
        child.wait().unwrap();
        let output = run(&bucket, &format!("second-{number}"), &[]);
        let said = text(&output.stderr);
        assert!(output.status.success(), "killed at {at} of {count}: {said}");
        assert!(result(&bucket) == expected, "killed at {at} of {count}");
        assert!(
            !said.contains("damaged") && !said.contains("set aside"),
            "{said}"
        );
    }
}

fn remove_all(bucket: &str) {
    loop {
        let names = keys(bucket).0;
        if names.is_empty() {
            return;
        }
        for name in names {
            assert_eq!(ask("DELETE", &format!("/{bucket}/{name}"), b"").0, 204);
        }
    }
}

#[test]
fn a_store_that_fails_now_and_then_changes_nothing() {
    let bucket = bucket("shaky");
    let expected = expected(&bucket);
    let mut count = 0;
    let port = proxy(move |request| {
        count += 1;
        match count % 9 {
            1 => Way::Status(503, ""),
            // Also of requests that make an object only if there is none.
            4 if request.starts_with("PUT") => Way::LoseReply,
            6 => Way::Status(500, ""),
            _ => Way::Through,
        }
    });
    let url = format!("http://127.0.0.1:{port}");
    let env = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("DJHOST_TEST_RETRIES", "5"),
    ];
    let output = run(&bucket, "one", &env);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(result(&bucket) == expected);
    let again = run(&bucket, "two", &env);
    assert!(
        text(&again.stderr).contains("nothing to do"),
        "{}",
        text(&again.stderr)
    );
}

#[test]
fn credentials_that_expire_end_the_job_which_can_be_continued() {
    let bucket = bucket("expiring");
    let expected = expected(&bucket);
    let expired = "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
    let port =
        proxy(
            move |request| match request.starts_with("PUT") && request.contains("/parts/") {
                true => Way::Status(400, expired),
                false => Way::Through,
            },
        );
    let url = format!("http://127.0.0.1:{port}");
    let output = run(&bucket, "one", &[("AWS_ENDPOINT_URL", &url)]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "s3://expiring/runs/job",
        "PUT `s3://expiring/runs/job/parts/",
        "ExpiredToken",
        "renew the credentials",
    ] {
        assert!(said.contains(part), "`{part}` is not in {said}");
    }
    // It may have been made before, and is whole then.
    assert!(!bucket.path("out/result.jsonl").exists() || result(&bucket) == expected);
    let output = run(&bucket, "two", &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(result(&bucket) == expected);
}

#[test]
fn a_store_that_cannot_keep_two_runs_apart_is_refused() {
    let bucket = bucket("ignorant");
    let port = proxy(|_| Way::Without("if-none-match:"));
    let url = format!("http://127.0.0.1:{port}");
    let output = run(&bucket, "one", &[("AWS_ENDPOINT_URL", &url)]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("If-None-Match") && said.contains("work_dir"),
        "{said}"
    );
    assert_eq!(keys("ignorant"), (Vec::new(), 0));
}

#[test]
fn of_32_runs_one_has_the_job() {
    let bucket = bucket("race");
    let expected = expected(&bucket);
    // The one that has it is held back until all others have asked.
    let (sender, receiver) = mpsc::channel();
    let mut count = 0;
    let port = proxy(move |request| {
        if request.starts_with("PUT") && request.contains("/parts/") {
            count += 1;
            let _ = sender.send(());
            if count == 1 {
                return Way::Stall;
            }
        }
        Way::Through
    });
    let url = format!("http://127.0.0.1:{port}");
    let env = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("DJHOST_TEST_LEASE_SECONDS", "30"),
    ];
    // Each with a result of its own: what they share is the run directory.
    let of = |i: usize| {
        let mut command = bucket.command_in("BUCKET/runs", RECIPE, &env);
        command
            .args(["--quiet", "--export_path", &format!("out-{i}/result.jsonl")])
            .envs(on(&bucket, &format!("machine-{i}")))
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    };
    // Each writes the recipe, so all are made before the first begins.
    let mut commands: Vec<_> = (0..32).map(of).collect();
    let begin = |command: &mut std::process::Command| command.spawn().unwrap();
    let mut children: Vec<Child> = commands.iter_mut().map(begin).collect();
    receiver.recv_timeout(Duration::from_secs(120)).unwrap();
    let started = Instant::now();
    let mut refused = 0;
    while refused < 31 {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "{refused} are refused"
        );
        children.retain_mut(|child| match child.try_wait().unwrap() {
            None => true,
            Some(status) => {
                let mut said = String::new();
                std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said).unwrap();
                assert_eq!(status.code(), Some(2), "{said}");
                assert!(said.contains("is already run by process"), "{said}");
                refused += 1;
                false
            }
        });
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut last = children.pop().unwrap();
    last.kill().unwrap();
    last.wait().unwrap();
    // It was on this machine, so its lease is known to be worth nothing.
    let output = run(&bucket, "machine-0", &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(result(&bucket) == expected);
}

#[test]
fn a_run_that_lost_its_lease_sends_nothing_more() {
    let bucket = bucket("lost");
    let (sender, receiver) = mpsc::channel();
    let mut is_held_back = false;
    let port = proxy(move |request| {
        let is_part = request.starts_with("PUT") && request.contains("/checkpoints/");
        if is_part && !is_held_back {
            is_held_back = true;
            let _ = sender.send(());
            return Way::Stall;
        }
        Way::Through
    });
    let url = format!("http://127.0.0.1:{port}");
    let env = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("DJHOST_TEST_LEASE_SECONDS", "6"),
    ];
    let child = spawn(&bucket, "one", &env);
    receiver.recv_timeout(Duration::from_secs(60)).unwrap();
    let lease = text(&ask("GET", "/lost/runs/job/lock", b"").1);
    let nonce = lease
        .split("\"nonce\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let other = lease
        .replace(nonce, "another")
        .replace("\"namespace\":\"", "\"namespace\":\"x");
    assert_eq!(ask("PUT", "/lost/runs/job/lock", other.as_bytes()).0, 200);
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("another run may have taken it over"),
        "{said}"
    );
    // Not even that it has failed, and the lease is not given back.
    assert_eq!(text(&ask("GET", "/lost/runs/job/lock", b"").1), other);
    let summary = text(&ask("GET", "/lost/runs/job/job_summary.json", b"").1);
    assert!(summary.contains("\"running\""), "{summary}");
    // Whoever comes next waits until the other one is certainly gone.
    assert_eq!(ask("PUT", "/lost/runs/job/lock", other.as_bytes()).0, 200);
    let started = Instant::now();
    let output = run(&bucket, "two", &[]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("may have died: waiting for"), "{said}");
    assert!(started.elapsed() > Duration::from_secs(5));
}

#[test]
fn a_job_is_stopped_from_another_machine() {
    let bucket = bucket("stopping");
    let expected = expected(&bucket);
    // No checkpoint gets through before the request to stop.
    let (sender, receiver) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let mut is_held_back = false;
    let port = proxy(move |request| {
        if !is_held_back && request.starts_with("PUT") && request.contains("/checkpoints/") {
            is_held_back = true;
            let _ = sender.send(());
            let _ = wait.recv_timeout(Duration::from_secs(60));
        }
        Way::Through
    });
    let url = format!("http://127.0.0.1:{port}");
    let child = spawn(&bucket, "one", &[("AWS_ENDPOINT_URL", &url)]);
    receiver.recv_timeout(Duration::from_secs(60)).unwrap();
    let monitored = look(&bucket, "two", &["monitor", "BUCKET/runs/job"]);
    assert!(monitored.contains("running"), "{monitored}");
    let mut asking = bucket
        .djhost(&["stop", "BUCKET/runs/job"], &[])
        .envs(on(&bucket, "two"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let has_request = || ask("GET", "/stopping/runs/job/stop_request.json", b"").0 == 200;
    while !has_request() && asking.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
    go.send(()).unwrap();
    let output = child.wait_with_output().unwrap();
    // A small job may have been done before.
    let code = output.status.code();
    assert!(
        code == Some(3) || code == Some(0),
        "{}",
        text(&output.stderr)
    );
    let asked = asking.wait_with_output().unwrap();
    assert!(
        matches!(asked.status.code(), Some(0 | 11)),
        "{}",
        text(&asked.stdout)
    );
    let output = run(&bucket, "two", &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(result(&bucket) == expected);
}

#[test]
fn clean_removes_what_kills_have_left_and_nothing_else() {
    let bucket = bucket("cleaned");
    let expected = expected(&bucket);
    assert!(run(&bucket, "one", &[]).status.success());
    let good = keys("cleaned").0;
    for name in [
        "trace/trace_op_0000_partition_0000_000000000000.parquet",
        "parts/part_0099.jsonl",
        ".probe-1",
    ] {
        assert_eq!(
            ask("PUT", &format!("/cleaned/runs/job/{name}"), b"left").0,
            200
        );
    }
    assert_eq!(ask("PUT", "/cleaned/other", b"mine").0, 200);
    assert_eq!(
        ask(
            "POST",
            "/cleaned/runs/job/parts/part_0098.jsonl?uploads",
            b""
        )
        .0,
        200
    );
    let dry = look(&bucket, "one", &["clean", "BUCKET/runs", "--dry-run"]);
    for part in [
        "3 objects",
        "1 unfinished upload",
        "part_0099.jsonl",
        "one-cache",
    ] {
        assert!(dry.contains(part), "`{part}` is not in {dry}");
    }
    assert_eq!(keys("cleaned").0.len(), good.len() + 4);
    let refused = bucket
        .djhost(&["clean", "BUCKET/runs"], &[])
        .envs(on(&bucket, "one"))
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    look(&bucket, "one", &["clean", "BUCKET/runs", "--yes"]);
    let mut kept = good.clone();
    kept.push("other".to_owned());
    kept.sort();
    assert_eq!(keys("cleaned"), (kept, 0));
    let left = look(&bucket, "one", &["clean", "BUCKET/runs", "--dry-run"]);
    assert!(
        left.contains("nothing to remove") && left.contains("no copies"),
        "{left}"
    );
    fs::remove_file(bucket.path("out/result.jsonl")).unwrap();
    assert!(run(&bucket, "one", &[]).status.success());
    assert!(result(&bucket) == expected);
    let nowhere = bucket
        .djhost(&["clean", "BUCKET/nothing", "--yes"], &[])
        .envs(on(&bucket, "one"))
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(2), "{}", text(&nowhere.stderr));
}

#[test]
fn clean_ends_uploads_of_the_export_that_nobody_knows_of() {
    let bucket = bucket("begun");
    let recipe = RECIPE.replace("out/result", "BUCKET/out/result");
    let mut command = bucket.command_in("BUCKET/runs", &recipe, &[]);
    let output = command.envs(on(&bucket, "one")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    // As after a lost reply to the request that begins one.
    for name in [
        "out/result.jsonl",
        "out/result-00-of-03.jsonl",
        "out/results.jsonl",
        "other/result.jsonl",
    ] {
        assert_eq!(ask("POST", &format!("/begun/{name}?uploads"), b"").0, 200);
    }
    let names = keys("begun").0;
    look(&bucket, "one", &["clean", "BUCKET/runs", "--yes"]);
    // Those of others stay.
    assert_eq!(keys("begun"), (names, 2));
}

#[test]
fn mistakes_are_said_before_any_work() {
    let bucket = bucket("wrong-places");
    for (work, more, says) in [
        ("s3://no-such-bucket-here/runs", "", "the bucket's name"),
        ("BUCKET//runs", "", "no part of it may be empty"),
        ("https://host/runs", "", "nothing can be written there"),
        ("hf://datasets/a/b/runs", "", "nothing can be written there"),
        (
            "BUCKET/runs",
            "checkpoint_dir: ck\n",
            "leave out `checkpoint_dir`",
        ),
    ] {
        let mut command = bucket.command_in(work, &format!("{more}{RECIPE}"), &[]);
        let output = command.envs(on(&bucket, "one")).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{work}: {said}");
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(keys("wrong-places"), (Vec::new(), 0));
}

#[test]
fn fresh_starts_over() {
    let bucket = bucket("fresh");
    let expected = expected(&bucket);
    assert!(run(&bucket, "one", &[]).status.success());
    let mut command = bucket.command_in("BUCKET/runs", RECIPE, &[]);
    let output = command
        .arg("--fresh")
        .envs(on(&bucket, "two"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(result(&bucket) == expected);
    let names = keys("fresh").0;
    assert!(
        !names.iter().any(|name| name.contains("attempt_0001")),
        "{names:?}"
    );
    let events = names
        .iter()
        .filter(|name| name.contains("/events_") && name.ends_with("000000"));
    assert_eq!(events.count(), 1, "{names:?}");
}
