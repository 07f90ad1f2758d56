use crate::proxy::{Way, proxy};
use crate::store::{Bucket, ask, text};
use std::fs;
use std::process::Stdio;
use std::sync::mpsc;

fn rows() -> String {
    (0..12_000)
        .map(|i| {
            let words = "some words and more of them ".repeat(1 + i % 60);
            format!("{{\"text\": \"row {i}: {words}\", \"id\": {i}}}\n")
        })
        .collect()
}

const PROCESS: &str = "process:\n- text_length_filter: {min_len: 20}\n";

/// The keys in a bucket, and how many uploads to it are not finished.
pub(crate) fn keys(bucket: &str) -> (Vec<String>, usize) {
    let reply = text(&ask("GET", &format!("/{bucket}?list-type=2"), b"").1);
    let keys = reply.split("<Key>").skip(1);
    let keys = keys.map(|rest| rest.split("</Key>").next().unwrap().to_owned());
    let uploads = text(&ask("GET", &format!("/{bucket}?uploads"), b"").1);
    (keys.collect(), uploads.matches("<UploadId>").count())
}

#[test]
fn an_export_is_the_one_that_a_disk_gets() {
    let bucket = Bucket::new("exports");
    fs::write(bucket.path("in.jsonl"), rows()).unwrap();
    for name in ["r.jsonl", "r.jsonl.gz", "r.parquet", "r.arrow"] {
        let recipe = |to: &str| format!("dataset_path: in.jsonl\nexport_path: {to}\n{PROCESS}");
        let output = bucket.run(&recipe(&format!("out/{name}")));
        assert!(output.status.success(), "{}", text(&output.stderr));
        let wanted = fs::read(bucket.path(&format!("out/{name}"))).unwrap();
        // More than one part for the plain one, one request for the others.
        assert!(name != "r.jsonl" || wanted.len() > 8 << 20);
        let to = format!("BUCKET/deep/{name}");
        let output = bucket.run(&recipe(&to));
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(
            ask("GET", &format!("/exports/deep/{name}"), b"").1 == wanted,
            "{name}"
        );
        let staged = fs::read_dir(bucket.path("work/job/export"));
        assert!(
            staged.is_ok_and(|mut left| left.next().is_none())
                || !bucket.path("work/job/export").exists()
        );
        let summary = fs::read_to_string(bucket.path("work/job/job_summary.json")).unwrap();
        assert!(
            summary.contains(&format!("s3://exports/deep/{name}")) && !summary.contains("hunter2")
        );
        // Nothing is left to do, until the object is gone.
        let again = bucket.run(&recipe(&to));
        assert!(
            text(&again.stderr).contains("nothing to do"),
            "{}",
            text(&again.stderr)
        );
        assert_eq!(ask("DELETE", &format!("/exports/deep/{name}"), b"").0, 204);
        assert!(bucket.run(&recipe(&to)).status.success());
        assert!(
            ask("GET", &format!("/exports/deep/{name}"), b"").1 == wanted,
            "{name}"
        );
    }
    assert_eq!(keys("exports").1, 0);
}

#[test]
fn shards_are_objects_and_replace_those_of_before() {
    let bucket = Bucket::new("shards");
    fs::write(bucket.path("in.jsonl"), rows()).unwrap();
    let recipe = |size: &str, to: &str| {
        format!("dataset_path: in.jsonl\nexport_path: {to}\nexport_shard_size: {size}\n{PROCESS}")
    };
    for size in ["2MiB", "6MiB"] {
        let _ = fs::remove_dir_all(bucket.path("out"));
        assert!(bucket.run(&recipe(size, "out/r.jsonl")).status.success());
        let output = bucket.run(&recipe(size, "BUCKET/x/r.jsonl"));
        assert!(output.status.success(), "{}", text(&output.stderr));
        let mut names: Vec<String> = fs::read_dir(bucket.path("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let wanted: Vec<String> = names.iter().map(|name| format!("x/{name}")).collect();
        assert_eq!(keys("shards"), (wanted, 0));
        for name in names {
            let wanted = fs::read(bucket.path("out").join(&name)).unwrap();
            assert!(
                ask("GET", &format!("/shards/x/{name}"), b"").1 == wanted,
                "{name}"
            );
        }
    }
}

#[test]
fn a_kill_leaves_what_the_next_run_removes() {
    let bucket = Bucket::new("kills");
    fs::write(bucket.path("in.jsonl"), rows()).unwrap();
    let recipe = format!("dataset_path: in.jsonl\nexport_path: BUCKET/r.jsonl\n{PROCESS}");
    let (sender, receiver) = mpsc::channel();
    let port = proxy(move |request| match request.contains("partNumber=2") {
        true => {
            sender.send(()).unwrap();
            Way::Stall
        }
        false => Way::Through,
    });
    let url = format!("http://127.0.0.1:{port}");
    let mut child = bucket
        .command(&recipe, &[("AWS_ENDPOINT_URL", &url)])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    receiver.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    // The probe before the work has left nothing, the export an upload.
    assert_eq!(keys("kills"), (Vec::new(), 1));
    let output = bucket.run(&recipe);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(keys("kills"), (vec!["r.jsonl".to_owned()], 0));
}

#[test]
fn a_store_that_fails_changes_nothing() {
    let bucket = Bucket::new("failing");
    fs::write(bucket.path("in.jsonl"), rows()).unwrap();
    let recipe = |to: &str| format!("dataset_path: in.jsonl\nexport_path: {to}\n{PROCESS}");
    assert!(bucket.run(&recipe("out/r.jsonl")).status.success());
    let wanted = fs::read(bucket.path("out/r.jsonl")).unwrap();
    let slow_down =
        "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>";
    // Each second request, of all that are made again, fails in one of three ways.
    let mut count = 0;
    let port = proxy(move |request| {
        count += 1;
        match (count % 2, count % 3) {
            (0, 0) => Way::Status(503, slow_down),
            (0, 1) => Way::Status(500, ""),
            (0, _) if request.contains("partNumber") => Way::LoseReply,
            _ => Way::Through,
        }
    });
    let output = bucket.run_at(&recipe("BUCKET/r.jsonl"), port);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(ask("GET", "/failing/r.jsonl", b"").1 == wanted);
    // Credentials that expire while the export is sent: nothing is there, and the next run goes on.
    assert_eq!(ask("DELETE", "/failing/r.jsonl", b"").0, 204);
    let expired = "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
    let port = proxy(move |request| match request.contains("partNumber=2") {
        true => Way::Status(400, expired),
        false => Way::Through,
    });
    let output = bucket.run_at(&recipe("BUCKET/r.jsonl"), port);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "s3://failing/r.jsonl",
        "PUT part 2",
        "ExpiredToken",
        "renew the credentials",
        "continue",
    ] {
        assert!(said.contains(part), "`{part}` is not in {said}");
    }
    assert_eq!(keys("failing"), (Vec::new(), 0));
    assert!(bucket.run(&recipe("BUCKET/r.jsonl")).status.success());
    assert!(ask("GET", "/failing/r.jsonl", b"").1 == wanted);
}

#[test]
fn a_lost_reply_to_the_end_of_an_upload_loses_nothing() {
    let bucket = Bucket::new("finished");
    fs::write(bucket.path("in.jsonl"), rows()).unwrap();
    let recipe = |to: &str| format!("dataset_path: in.jsonl\nexport_path: {to}\n{PROCESS}");
    assert!(bucket.run(&recipe("out/r.jsonl")).status.success());
    let wanted = fs::read(bucket.path("out/r.jsonl")).unwrap();
    let mut is_lost = false;
    let port = proxy(move |request| {
        // The probe before the work only begins an upload.
        let ends = request.starts_with("POST") && request.contains("uploadId=");
        if !ends || is_lost {
            return Way::Through;
        }
        is_lost = true;
        Way::LoseReply
    });
    let output = bucket.run_at(&recipe("BUCKET/r.jsonl"), port);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(ask("GET", "/finished/r.jsonl", b"").1 == wanted);
    assert_eq!(keys("finished"), (vec!["r.jsonl".to_owned()], 0));
    // The run knows which version is its own.
    let again = bucket.run(&recipe("BUCKET/r.jsonl"));
    assert!(
        text(&again.stderr).contains("nothing to do"),
        "{}",
        text(&again.stderr)
    );
}

#[test]
fn mistakes_are_said_before_any_work() {
    let bucket = Bucket::new("mistakes");
    bucket.put("data/in.jsonl", "{\"text\": \"some words\"}\n");
    let run = |from: &str, to: &str| {
        let output = bucket.run(&format!(
            "dataset_path: {from}\nexport_path: {to}\n{PROCESS}"
        ));
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(!bucket.path("work/job/parts").exists());
        text(&output.stderr)
    };
    for (to, says) in [
        ("s3://no-such-bucket-here/r.jsonl", "the bucket's name"),
        ("BUCKET/data/in.jsonl", "this is a file of the dataset"),
        ("BUCKET/data/sub/r.jsonl", "below the dataset's prefix"),
        ("BUCKET/r/", "does not name an object"),
        (
            "BUCKET/r-*.jsonl",
            "are for patterns of files that are read",
        ),
        (
            "BUCKET/r.jsonl?X-Amz-Signature=s",
            "must not have a part after `?`",
        ),
        ("https://host/r.jsonl", "nothing can be written there"),
        ("hf://datasets/a/b/r.jsonl", "there is no token for the hub"),
    ] {
        let said = run("BUCKET/data", to);
        assert!(said.contains(says), "{said}");
    }
    for from in ["s3a://mistakes/data/in.jsonl", "S3://mistakes/data/"] {
        let said = run(from, "BUCKET/data/in.jsonl");
        assert!(said.contains("this is a file of the dataset"), "{said}");
        let said = run("BUCKET/data/in.jsonl", "s3n://mistakes/data/in.jsonl");
        assert!(said.contains("this is a file of the dataset"), "{said}");
    }
}
