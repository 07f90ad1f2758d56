//! `djhost quarantine` on a job with rows that could not be read and rows that an op could not
//! process.

use std::fs;

use super::djhost;

/// Lines of rows far from the beginning of their file are known when all partitions are done: those of
/// rows in any kind of file are the same as if they were counted at once.
#[test]
fn lines_are_counted_from_partitions_where_the_file_begins_far_away() {
    let rows = |first: usize, end: &str| -> String {
        let row = |i: usize| match i % 7 {
            3 => format!("{{\"text\": \"cut off {i}{end}"),
            5 => format!("{end}   {end}{{\"text\": \"after empty lines {i}\", \"n\": [1]}}{end}"),
            _ => format!("{{\"text\": \"row {i} of some words\", \"n\": 7}}{end}"),
        };
        (first..first + 200).map(row).collect()
    };
    let array = |first: usize| -> String {
        let row = |i: usize| match i % 5 {
            2 => format!("\n  {{\"text\":\n {i}, \"n\": 7}}"),
            _ => format!("{{\"text\": \"row {i}\", \n\n \"n\": 7}}"),
        };
        format!(
            "[{}]",
            (first..first + 150).map(row).collect::<Vec<_>>().join(",")
        )
    };
    let inputs: [(&str, Vec<(&str, String)>); 2] = [
        (
            "lines",
            vec![
                ("a.jsonl", rows(0, "\n")),
                ("b.jsonl", format!("\u{feff}{}", rows(1000, "\r\n"))),
                ("c.jsonl", "{\"text\": 1}".into()),
                ("d.jsonl", rows(5000, "\n").trim_end().into()),
            ],
        ),
        ("arrays", vec![("a.json", array(0)), ("b.json", array(900))]),
    ];
    for (kind, files) in inputs {
        let dir = crate::harness::directory();
        fs::create_dir(dir.path().join("in")).unwrap();
        for (name, text) in &files {
            fs::write(dir.path().join("in").join(name), text).unwrap();
        }
        let run = |job: &str, partitions: usize, near: Option<&str>, fault: Option<&str>| {
            let recipe = format!(
                "dataset_path: in\nexport_path: out_{job}.jsonl\nwork_dir: work\nmax_quarantine_ratio: 0.9\nnp: 2\n\
                 partition: {{mode: manual, num_of_partitions: {partitions}}}\nprocess:\n  \
                 - text_length_filter: {{min_len: 1}}\n  - document_deduplicator:\n  \
                 - specified_numeric_field_filter: {{field_key: n, min_value: 1}}\n"
            );
            fs::write(dir.path().join("recipe.yaml"), recipe).unwrap();
            let mut command = super::command(dir.path());
            command.args(["run", "recipe.yaml", "--quiet", "--job_id", job]);
            near.map(|near| command.env("DJHOST_TEST_NEAR_BYTES", near));
            fault.map(|fault| command.env(djhost::testing::fault::VARIABLE, fault));
            let output = command.output().unwrap();
            (
                output.status.success(),
                String::from_utf8_lossy(&output.stderr).into_owned(),
            )
        };
        let entries = |job: &str| -> Vec<serde_json::Value> {
            let output = djhost(
                dir.path(),
                &[
                    "quarantine",
                    &format!("work/{job}"),
                    "show",
                    "--json",
                    "--limit",
                    "1000",
                ],
            );
            let text = String::from_utf8(output.stdout).unwrap();
            let parse = |line: &str| {
                let mut entry: serde_json::Value = serde_json::from_str(line).unwrap();
                entry.as_object_mut().unwrap().remove("attempt");
                entry
            };
            let mut all: Vec<_> = text.lines().map(parse).collect();
            all.sort_by_key(|entry| (entry["row_id"].as_u64(), entry["operation_idx"].as_u64()));
            all
        };
        let ok = |(succeeded, said): (bool, String)| assert!(succeeded, "{kind} {said}");
        ok(run("at_once", 1, None, None));
        let expected = entries("at_once");
        assert!(expected.len() > 50 && expected.iter().all(|e| e["line"].is_u64()));
        ok(run("cached", 9, None, None));
        assert_eq!(entries("cached"), expected, "{kind}");
        ok(run("far", 9, Some("0"), None));
        assert_eq!(entries("far"), expected, "{kind}");

        // Before the end the byte says where a row is.
        let (succeeded, _) = run("killed", 9, Some("0"), Some("kill@event:export_start:1"));
        assert!(!succeeded);
        // Once more, in the middle of writing lines.
        let (succeeded, _) = run(
            "killed",
            9,
            Some("0"),
            Some("kill@disk:rename:quarantine/:3"),
        );
        assert!(!succeeded || kind == "arrays");
        ok(run("killed", 9, Some("0"), None));
        assert_eq!(entries("killed"), expected, "{kind}");
        let (succeeded, _) = run("begun", 9, Some("0"), Some("kill@event:resolve_start:1"));
        assert!(!succeeded);
        let begun = entries("begun");
        assert!(begun.iter().any(|e| e["line"].is_null()), "{begun:?}");
        let shown = djhost(dir.path(), &["quarantine", "work/begun", "show"]);
        let shown = String::from_utf8(shown.stdout).unwrap();
        assert_eq!(shown.contains(":byte "), kind == "lines", "{shown}");
        ok(run("begun", 9, None, None));
        assert_eq!(entries("begun"), expected, "{kind}");
    }
}

#[test]
fn rows_in_quarantine_are_listed_shown_and_exported() {
    let dir = crate::harness::directory();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "in.jsonl",
        "{\"text\": \"one\"}\n{\"text\": \"cut off\n{\"text\": 5}\n\n{\"text\": \"two\", \"n\": [1]}\n{\"text\": \"three\", \"n\": 7}\n[]\n",
    );
    write(
        "recipe.yaml",
        "dataset_path: in.jsonl\nexport_path: out.jsonl\nwork_dir: work\nmax_quarantine_ratio: 0.9\nprocess:\n  \
         - text_length_filter: {min_len: 1}\n  - specified_numeric_field_filter: {field_key: n, min_value: 1}\n",
    );
    let run = |args: &[&str]| {
        let output = djhost(dir.path(), args);
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["run", "recipe.yaml", "--quiet", "--job_id", "job"]);
    let job = ["quarantine", "work/job"];
    let with = |more: &[&str]| run(&[&job[..], more].concat());

    let listed = with(&[]);
    assert_eq!(listed, with(&["list"]));
    assert!(listed.ends_with("4 rows in quarantine\n"), "{listed}");
    assert!(
        listed.contains("1  op 1 specified_numeric_field_filter: "),
        "{listed}"
    );
    assert!(with(&["list", "--op", "reader"]).ends_with("3 rows in quarantine\n"));
    for op in ["1", "specified_numeric_field_filter"] {
        assert!(with(&["list", "--op", op]).ends_with("\n1 row in quarantine\n"));
    }

    let shown = with(&["show"]);
    for place in [
        "in.jsonl:2  reader",
        "in.jsonl:3  reader",
        "in.jsonl:5  op 1 specified_numeric_field_filter",
        "in.jsonl:7  reader",
    ] {
        assert!(shown.contains(place), "{place} is not in {shown}");
    }
    assert!(with(&["show", "--limit", "1"]).contains("--limit N"));
    let json = with(&["show", "--json", "--op", "1"]);
    let entry: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!(
        (&entry["line"], &entry["row"]),
        (&5.into(), &"{\"text\": \"two\", \"n\": [1]}".into())
    );

    with(&["export", "bad.jsonl"]);
    let mut exported: Vec<String> = fs::read_to_string(dir.path().join("bad.jsonl"))
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    exported.sort();
    assert_eq!(
        exported,
        [
            "[]",
            "{\"text\": \"cut off",
            "{\"text\": \"two\", \"n\": [1]}",
            "{\"text\": 5}"
        ]
    );
    let again = djhost(dir.path(), &[&job[..], &["export", "bad.jsonl"]].concat());
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("`bad.jsonl` exists already"));
}
