//! `djhost quarantine` on a job with rows that could not be read and rows that an op could not
//! process.

use std::fs;

use super::djhost;

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
