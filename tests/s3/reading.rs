use crate::store::{Bucket, ask, server_port, text};
use std::fs;

const PROCESS: &str = "export_path: out/result.jsonl\nprocess:\n- text_length_filter: {min_len: 20}\n- whitespace_normalization_mapper:\n";

fn rows(from: usize, to: usize) -> String {
    (from..to)
        .map(|i| {
            let words = "some  words ".repeat(1 + i % 50);
            format!("{{\"text\": \"row {i}: {words}\", \"id\": {i}}}\n")
        })
        .collect()
}

#[test]
fn an_object_a_prefix_and_a_pattern_are_read_as_their_files_are() {
    let bucket = Bucket::new("reading");
    let parts = [rows(0, 3000), rows(3000, 5000), rows(5000, 9000)];
    for (name, part) in ["a.jsonl", "sub/b c.jsonl", "sub/d.jsonl"]
        .iter()
        .zip(&parts)
    {
        bucket.put(&format!("data/{name}"), part);
        let path = bucket.path(&format!("local/{name}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, part).unwrap();
    }
    for (key, body) in [
        ("data/.hidden/x.jsonl", "{\"text\": \"hidden\"}\n"),
        ("data/_SUCCESS", ""),
        ("data/sub/", ""),
        ("data/notes.pdf", "%PDF-"),
        ("other/e.jsonl", "{\"text\": \"elsewhere\"}\n"),
        ("data2/f.jsonl", "{\"text\": \"elsewhere\"}\n"),
    ] {
        bucket.put(key, body);
    }
    // A name that is a pattern, too, of the first of them.
    bucket.put("data/sub/[d].jsonl", &parts[1]);
    fs::write(bucket.path("local/sub/[d].jsonl"), &parts[1]).unwrap();
    let with = |place: &str| format!("dataset_path: {place}\n{PROCESS}");
    for (remote, local) in [
        ("'BUCKET/data/sub/[d].jsonl'", "'local/sub/[d].jsonl'"),
        ("'BUCKET/data/su[b]/d.jsonl'", "local/sub/d.jsonl"),
        ("[BUCKET/data, s3a://reading/data/a.jsonl]", "local"),
        ("BUCKET/data", "local"),
        ("BUCKET/data/", "local"),
        ("BUCKET/data/sub/b c.jsonl", "local/sub/b c.jsonl"),
        ("BUCKET/data/*.jsonl", "local/*.jsonl"),
        ("BUCKET/data/**/*.jsonl", "local/**/*.jsonl"),
        (
            "[BUCKET/data/sub, BUCKET/data/a.jsonl]",
            "[local/sub, local/a.jsonl]",
        ),
    ] {
        let expected = bucket.result(&with(local));
        assert!(!expected.is_empty());
        assert!(bucket.result(&with(remote)) == expected, "{remote}");
    }
    for (place, says) in [
        (
            "BUCKET/nothing",
            "there is no such object, and none below it",
        ),
        ("BUCKET/data/*.parquet", "no data files found"),
        ("s3://a bucket/x", "cannot be the name of a bucket"),
        ("s3://no-such-bucket-here/x", "the bucket's name"),
    ] {
        let output = bucket.run(&with(place));
        assert_eq!(output.status.code(), Some(2));
        assert!(
            text(&output.stderr).contains(says),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn parquet_and_packed_objects_are_read() {
    let bucket = Bucket::new("formats");
    fs::write(bucket.path("in.jsonl"), rows(0, 20_000)).unwrap();
    for name in ["all.parquet", "all.jsonl.gz", "all.jsonl.zst", "all.arrow"] {
        let made = bucket.run(&format!(
            "dataset_path: in.jsonl\nexport_path: made/{name}\nprocess: []\n"
        ));
        assert!(made.status.success(), "{}", text(&made.stderr));
        let expected = bucket.result(&format!("dataset_path: made/{name}\n{PROCESS}"));
        assert!(expected.len() > 1 << 20);
        bucket.put(name, fs::read(bucket.path("made").join(name)).unwrap());
        let remote = bucket.result(&format!("dataset_path: BUCKET/{name}\n{PROCESS}"));
        assert!(remote == expected, "{name}");
    }
}

#[test]
fn a_changed_object_is_done_anew_and_others_are_not() {
    let bucket = Bucket::new("changes");
    bucket.put("x/a.jsonl", rows(0, 2000));
    bucket.put("x/b.jsonl", rows(2000, 4000));
    let recipe = format!(
        "dataset_path: BUCKET/x\npartition: {{mode: manual, num_of_partitions: 4}}\n{PROCESS}"
    );
    let first = bucket.result(&recipe);
    let later = rows(2000, 4000).replace("some", "same");
    bucket.put("x/b.jsonl", &later);
    let second = bucket.result(&recipe);
    assert_ne!(first, second);
    fs::write(bucket.path("in.jsonl"), rows(0, 2000) + &later).unwrap();
    assert!(second == bucket.result(&format!("dataset_path: in.jsonl\n{PROCESS}")));
}

#[test]
fn credentials_of_a_recipe_are_used_and_kept_nowhere() {
    const SECRET: &str = "only-in-the-recipe";
    let bucket = Bucket::new("recipe-keys");
    bucket.put("in.jsonl", rows(0, 2000));
    let endpoint = format!("http://127.0.0.1:{}", server_port());
    let keys = format!(
        "{{aws_access_key_id: AKIARECIPE, aws_secret_access_key: {SECRET}, aws_region: us-east-1, endpoint_url: '{endpoint}'}}"
    );
    let source = keys.trim_matches(['{', '}']);
    let recipe = |source: &str, export: &str| {
        format!(
            "dataset: {{configs: [{{type: remote, source: s3, path: BUCKET/in.jsonl, {source}}}]}}\nexport_path: BUCKET/out.jsonl\n\
             export_aws_credentials: {export}\nworker_processes: 2\nprocess:\n- text_length_filter: {{min_len: 1}}\n"
        )
    };
    let run = |recipe: &str| {
        let mut command = bucket.command(recipe, &[("AWS_EC2_METADATA_DISABLED", "true")]);
        for name in [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
            "AWS_ENDPOINT_URL",
        ] {
            command.env_remove(name);
        }
        command.output().unwrap()
    };
    let without = run(&recipe(&format!("endpoint_url: '{endpoint}'"), "null"));
    assert_eq!(without.status.code(), Some(2), "{}", text(&without.stderr));
    assert!(text(&without.stderr).contains("AWS_ACCESS_KEY_ID"));
    let ran = run(&recipe(source, &keys));
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert!(!text(&ran.stderr).contains(SECRET));
    let (status, exported) = ask("GET", &format!("/{}/out.jsonl", bucket.name), b"");
    assert!(status == 200 && text(&exported) == rows(0, 2000));
    let mut dirs = vec![bucket.path("work")];
    let mut files = 0;
    while let Some(dir) = dirs.pop() {
        for path in fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            match path.is_dir() {
                true => dirs.push(path),
                false => {
                    files += 1;
                    let content = text(&fs::read(&path).unwrap_or_default());
                    assert!(!content.contains(SECRET), "{}", path.display());
                }
            }
        }
    }
    assert!(files > 5);
}
