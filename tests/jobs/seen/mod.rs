//! What users see of a job: on terminals of any width, in pipes, during the job and afterwards.

mod terminal;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::djhost;

const PROGRAM: &str = env!("CARGO_BIN_EXE_djhost");

/// Writes rows and a recipe of four ops in four partitions, with names of the greatest length.
fn bench(rows: usize) -> tempfile::TempDir {
    let dir = crate::harness::directory();
    let text: String = (0..rows)
        .map(|i| format!("{{\"text\": \"row {} has some words in it, and mail a{}@example.org\", \"n\": {i}}}\n", i % 300, i % 7))
        .collect();
    fs::write(dir.path().join("in.jsonl"), text + "broken\n").unwrap();
    recipe(dir.path(), "");
    // The first use of the operators compiles and reports it.
    assert!(djhost(dir.path(), &["ops", "list"]).status.success());
    dir
}

fn recipe(dir: &Path, more: &str) {
    let text = "dataset_path: in.jsonl\nexport_path: outputs/result.jsonl\npartition: {mode: manual, num_of_partitions: 4}\nnp: 2\nmax_quarantine_ratio: 0.5\nprocess:\n  \
                - whitespace_normalization_mapper:\n  - clean_email_mapper:\n  - specified_numeric_field_filter: {field_key: n, min_value: 1}\n  \
                - document_deduplicator:\n";
    fs::write(dir.join("recipe.yaml"), format!("{text}{more}")).unwrap();
}

#[track_caller]
fn ok(dir: &Path, args: &[&str]) -> (String, String) {
    let output = djhost(dir, args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{args:?}: {}",
        text(&output.stderr)
    );
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn without_a_terminal_a_run_says_what_it_begins_and_reuses() {
    let dir = bench(400);
    let dir = dir.path();
    let run = [
        "run",
        "recipe.yaml",
        "--job_id",
        "job",
        "--checkpoint.strategy",
        "every_op",
    ];
    let killed = Command::new(PROGRAM)
        .args(run)
        .current_dir(dir)
        .env("XDG_STATE_HOME", dir.join("state"))
        .env("DJHOST_CACHE_DIR", crate::harness::cache())
        .env("DJHOST_TEST_FAULT", "kill@event:checkpoint_save:5")
        .output()
        .unwrap();
    assert!(!killed.status.success());
    let said = String::from_utf8_lossy(&killed.stderr).into_owned();
    assert!(
        said.starts_with("job job: 4 ops on ") && said.contains(" kB, 4 partitions, 2 workers\n"),
        "{said}"
    );

    let planned = ok(dir, &[&["plan"][..], &run[1..]].concat()).0;
    let planned = planned
        .lines()
        .find(|line| line.starts_with("reuses"))
        .unwrap();
    assert!(
        planned.starts_with("reuses     1 attempt so far, "),
        "{planned}"
    );
    let reused = planned.split("; of 4: ").nth(1).unwrap();
    assert!(reused.contains("after op"), "{planned}");
    let said = ok(dir, &run).1;
    assert!(said.starts_with("job job, attempt 2: 4 ops on "), "{said}");
    assert!(
        said.contains(&format!("reuses what is there, of 4: {reused}\n")),
        "planned {reused}, and then: {said}"
    );
    assert!(
        said.contains(" in 2 attempts of ") && said.contains(", at least "),
        "{said}"
    );

    let summary = || {
        serde_json::from_slice::<Value>(
            &fs::read(dir.join("outputs/job/job_summary.json")).unwrap(),
        )
        .unwrap()
    };
    let files = || fs::read_dir(dir.join("outputs/job")).unwrap().count();
    let (before, files_before) = (summary(), files());
    assert!(
        before["attempts"][0]["last_seen"].as_f64() >= before["attempts"][0]["start_time"].as_f64()
    );
    let said = ok(dir, &run).1;
    assert!(
        said.contains("job `job` is complete already: 300 rows in ") && !said.contains("attempt 3"),
        "{said}"
    );
    assert_eq!(
        (summary(), files()),
        (before, files_before),
        "a finished job made an attempt"
    );
    let planned = ok(dir, &[&["plan"][..], &run[1..]].concat()).0;
    assert!(
        planned.contains("2 attempts so far, ")
            && planned.contains("the job is complete already: a run has nothing to do"),
        "{planned}"
    );
    let strict = djhost(dir, &[&run[..], &["--strict"]].concat());
    assert_eq!(strict.status.code(), Some(4));
    // Another threshold: everything before it is reused.
    let more = ["--specified_numeric_field_filter.min_value", "5"];
    let planned = ok(dir, &[&["plan"][..], &run[1..], &more].concat()).0;
    assert!(
        planned.contains("; of 4: 4 partitions go on after op 1 clean_email_mapper"),
        "{planned}"
    );
    let said = ok(dir, &[&run[..], &more].concat()).1;
    assert!(
        said.contains(
            "reuses what is there, of 4: 4 partitions go on after op 1 clean_email_mapper\n"
        ),
        "{said}"
    );
}

#[test]
fn one_row_in_one_partition_is_not_several() {
    let dir = crate::harness::directory();
    fs::write(
        dir.path().join("in.jsonl"),
        "{\"text\": \"one row of text\"}\n",
    )
    .unwrap();
    fs::write(dir.path().join("r.yaml"), "dataset_path: in.jsonl\nexport_path: out.jsonl\nnp: 1\nprocess: [{text_length_filter: }]\n")
        .unwrap();
    let said = ok(
        dir.path(),
        &["run", "r.yaml", "--work_dir", "work", "--job_id", "j"],
    )
    .1;
    assert!(
        said.starts_with("job j: 1 op on 28 B, 1 partition, 1 worker\n"),
        "{said}"
    );
    assert!(said.contains("\n1 row read, 1 written\n"), "{said}");
    let plan = ok(dir.path(), &["plan", "r.yaml"]).0;
    assert!(
        plan.contains("(1 file, 28 B)") && plan.contains("the dataset has 1 row, 28 B"),
        "{plan}"
    );
}

#[test]
fn reasons_that_differ_in_numbers_are_one_and_the_commonest_comes_first() {
    let dir = crate::harness::directory();
    let mut rows: String = (1..30)
        .map(|i| format!("{{\"text\": \"{}\n", "x".repeat(i)))
        .collect();
    rows += "[]\n{\"text\": \"good\"}\n";
    fs::write(dir.path().join("in.jsonl"), rows).unwrap();
    let text = "dataset_path: in.jsonl\nexport_path: out.jsonl\nmax_quarantine_ratio: 1.0\nprocess: [{text_length_filter: }]\n";
    fs::write(dir.path().join("r.yaml"), text).unwrap();
    ok(
        dir.path(),
        &[
            "run",
            "r.yaml",
            "--quiet",
            "--work_dir",
            "work",
            "--job_id",
            "j",
        ],
    );
    let listed = ok(dir.path(), &["quarantine", "work/j"]).0;
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert!(
        lines[0].starts_with("       29  reader: ")
            && lines[0].contains('N')
            && lines[1].starts_with("        1  reader: "),
        "{listed}"
    );
    assert_eq!(lines[2], "30 rows in quarantine");
    let shown = ok(dir.path(), &["monitor", "work/j"]).0;
    assert!(
        shown.lines().any(|line| line.starts_with("    29  ")),
        "{shown}"
    );
}

#[test]
fn many_jobs_come_in_pages() {
    let dir = bench(10);
    for i in 0..5 {
        ok(
            dir.path(),
            &[
                "run",
                "recipe.yaml",
                "--quiet",
                "--job_id",
                &format!("job{i}"),
            ],
        );
    }
    let jobs = |more: &[&str]| ok(dir.path(), &[&["jobs", "--all"][..], more].concat()).0;
    assert!(!jobs(&[]).contains("--page"), "{}", jobs(&[]));
    let first = jobs(&["--limit", "2"]);
    assert!(
        first.contains("job4") && first.contains("job3") && !first.contains("job2"),
        "{first}"
    );
    assert!(
        first.ends_with("jobs 1 to 2 of 5; `--page 2` shows the next\n"),
        "{first}"
    );
    let last = jobs(&["--limit", "2", "--page", "3"]);
    assert!(
        last.contains("job0") && last.ends_with("jobs 5 to 5 of 5\n"),
        "{last}"
    );
    let wrong = djhost(
        dir.path(),
        &["jobs", "--all", "--limit", "2", "--page", "4"],
    );
    assert_eq!(wrong.status.code(), Some(2));
    let json = |more: &[&str]| {
        serde_json::from_str::<Vec<Value>>(&jobs(&[&["--json"], more].concat()))
            .unwrap()
            .len()
    };
    assert_eq!((json(&[]), json(&["--limit", "3"])), (5, 3));
}

#[test]
fn unpacked_inputs_go_with_the_job_unless_they_are_asked_for() {
    let dir = bench(50);
    let packed = |path: &Path| {
        let mut out =
            flate2::write::GzEncoder::new(File::create(path).unwrap(), flate2::Compression::fast());
        std::io::copy(
            &mut File::open(dir.path().join("in.jsonl")).unwrap(),
            &mut out,
        )
        .unwrap();
        out.finish().unwrap();
    };
    packed(&dir.path().join("in.jsonl.gz"));
    let run = |more: &[&str]| {
        let args = [
            "run",
            "recipe.yaml",
            "--quiet",
            "--dataset_path",
            "in.jsonl.gz",
            "--checkpoint.strategy",
            "every_op",
        ];
        ok(dir.path(), &[&args[..], more].concat());
        fs::read(dir.path().join("outputs/result.jsonl")).unwrap()
    };
    let left = |job: &str| {
        let names = fs::read_dir(dir.path().join("outputs").join(job).join("partitions")).unwrap();
        names
            .filter(|e| {
                e.as_ref()
                    .unwrap()
                    .file_name()
                    .to_str()
                    .unwrap()
                    .starts_with("input_")
            })
            .count()
    };
    let first = run(&["--job_id", "gone"]);
    assert_eq!(left("gone"), 0);
    assert_eq!(
        run(&[
            "--job_id",
            "kept",
            "--intermediate_storage.keep_unpacked_inputs",
            "true"
        ]),
        first
    );
    assert_eq!(left("kept"), 2);
    // What was made from the copy is still useful; it is unpacked again where rows are needed.
    let more = ["--specified_numeric_field_filter.min_value", "5"];
    let again = run(&[&["--job_id", "gone"], &more[..]].concat());
    assert_eq!(again, run(&[&["--job_id", "new"], &more[..]].concat()));
    assert_ne!(again, first);
}

#[test]
fn intermediate_json_lines_are_the_rows() {
    let dir = bench(20);
    let args = [
        "run",
        "recipe.yaml",
        "--quiet",
        "--job_id",
        "j",
        "--checkpoint.strategy",
        "every_op",
    ];
    ok(
        dir.path(),
        &[&args[..], &["--intermediate_storage.format", "jsonl"]].concat(),
    );
    let mut rows = 0;
    for p in 0..4 {
        let path = dir.path().join(format!(
            "outputs/j/checkpoints/checkpoint_op_0002_partition_{p:04}.jsonl"
        ));
        for line in fs::read_to_string(path).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            assert!(
                row["text"]
                    .as_str()
                    .unwrap()
                    .ends_with("words in it, and mail ")
                    && row["n"].is_u64(),
                "{line}"
            );
            assert!(row["__dj__row__"]["id"].is_u64(), "{line}");
            rows += 1;
        }
    }
    assert_eq!(rows, 19);
}

/// The file says how many rows it has, however well they compress.
#[test]
fn plan_has_the_rows_of_a_parquet_file_from_its_footer() {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch, StringArray};
    let dir = crate::harness::directory();
    let rows = 23_448;
    let text: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..rows).map(|i| "word ".repeat(if i % 50 == 0 { 900 } else { 3 })),
    ));
    let batch = RecordBatch::try_from_iter([("text", text)]).unwrap();
    let file = File::create(dir.path().join("in.parquet")).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    fs::write(
        dir.path().join("r.yaml"),
        "dataset_path: in.parquet\nexport_path: out.parquet\nprocess: [{text_length_filter: }]\n",
    )
    .unwrap();
    let plan = ok(dir.path(), &["plan", "r.yaml"]).0;
    assert!(plan.contains("the dataset has 23,448 rows, "), "{plan}");
}

/// Output of a run without `--quiet`, for the README: its block has these lines, except for numbers
/// and paths.
#[test]
fn the_readme_shows_what_one_sees() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let block = readme
        .split("The output (times and sizes differ):\n\n```text\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let dir = crate::harness::directory();
    let path = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::create_dir_all(dir.path().join("configs/data")).unwrap();
    for name in ["configs/quickstart.yaml", "configs/data/quickstart.jsonl"] {
        fs::copy(path(name), dir.path().join(name)).unwrap();
    }
    let Output { stderr, status, .. } =
        djhost(dir.path(), &["run", "configs/quickstart.yaml", "--np", "2"]);
    let said = String::from_utf8(stderr).unwrap();
    assert!(status.success(), "{said}");
    // Times, sizes, names of jobs and paths differ; rows and words do not.
    let stable = |text: &str| -> Vec<Vec<String>> {
        let lines = text.lines().filter(|line| !line.contains("compil"));
        let word = |word: &str| {
            !word.contains('.') && !word.contains('/') && !word.contains('%') && !word.contains('_')
        };
        lines
            .map(|line| match line.find("outputs/") {
                Some(_) => line
                    .split_whitespace()
                    .take(1)
                    .filter(|w| word(w))
                    .map(str::to_owned)
                    .collect(),
                // From the table: the op and its rows.
                None if line.starts_with("  ") => {
                    line.split_whitespace().take(5).map(str::to_owned).collect()
                }
                None if line.contains(" of CPU time") || line.starts_with("job ") => {
                    vec![line.split_whitespace().last().unwrap().to_owned()]
                }
                None => line.split_whitespace().map(str::to_owned).collect(),
            })
            .collect()
    };
    assert_eq!(
        stable(block),
        stable(&said),
        "README.md shows\n{block}\nand a run says\n{said}"
    );
}
