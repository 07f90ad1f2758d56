//! What one sees of a job: on terminals of any width, in pipes, while it goes on and after it.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::FromRawFd;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::djhost;

const PROGRAM: &str = env!("CARGO_BIN_EXE_djhost");

/// Writes rows and a recipe of four ops in four partitions, with names as long as they come.
fn bench(rows: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let text: String = (0..rows)
        .map(|i| format!("{{\"text\": \"row {} has some words in it, and mail a{}@example.org\", \"n\": {i}}}\n", i % 300, i % 7))
        .collect();
    fs::write(dir.path().join("in.jsonl"), text + "broken\n").unwrap();
    recipe(dir.path(), "");
    // The first use of the operators compiles them, which is said.
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

/// What the program writes to a terminal of so many columns.
fn on_terminal(dir: &Path, columns: u16, env: &[(&str, &str)], args: &[&str]) -> String {
    let (mut master, mut slave) = (0, 0);
    let size = libc::winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the pointers are to what the call fills in or reads, or null where it allows that.
    let opened = unsafe {
        libc::openpty(
            &mut master,
            &mut slave,
            std::ptr::null_mut(),
            std::ptr::null(),
            &size,
        )
    };
    assert_eq!(opened, 0, "no pseudo-terminal");
    // SAFETY: both were opened just now, and nobody else owns them.
    let (mut master, slave) = unsafe { (File::from_raw_fd(master), File::from_raw_fd(slave)) };
    let mut command = Command::new(PROGRAM);
    command
        .args(args)
        .current_dir(dir)
        .env("XDG_STATE_HOME", dir.join("state"))
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color");
    command
        .stdin(Stdio::null())
        .stdout(slave.try_clone().unwrap())
        .stderr(slave)
        .envs(env.iter().copied());
    let mut child = command.spawn().unwrap();
    // The command holds the last end of the terminal in this process: without it, reading ends with
    // the child.
    drop(command);
    let mut seen = Vec::new();
    // An error is how a terminal says that nobody writes to it any more.
    let _ = master.read_to_end(&mut seen);
    assert!(
        child.wait().unwrap().success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&seen)
    );
    String::from_utf8(seen).unwrap()
}

/// The lines that stay on the screen, without colours.
fn screen(seen: &str) -> Vec<String> {
    let (mut lines, mut line, mut chars) = (Vec::new(), String::new(), seen.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '\n' => lines.push(std::mem::take(&mut line)),
            '\r' if chars.peek() != Some(&'\n') => line.clear(),
            '\r' => {}
            '\u{1b}' => {
                while chars.next_if(|c| !c.is_ascii_alphabetic()).is_some() {}
                chars.next();
            }
            c => line.push(c),
        }
    }
    lines.push(line);
    lines
}

#[test]
fn tables_fit_the_terminal_and_colours_are_asked_for() {
    let dir = bench(400);
    for columns in [40, 60, 80, 120] {
        let job = format!("at{columns}");
        let mut seen = vec![on_terminal(
            dir.path(),
            columns,
            &[],
            &["run", "recipe.yaml", "--job_id", &job],
        )];
        for args in [
            &["monitor", &job][..],
            &["monitor", &job, "--detailed"],
            &["jobs", "--all"],
        ] {
            seen.push(on_terminal(dir.path(), columns, &[], args));
        }
        for seen in &seen {
            assert!(seen.contains("\u{1b}[1m"), "no colours: {seen:?}");
            for line in screen(seen) {
                // Paths that are to be copied stay whole.
                let is_path = line.contains("outputs/result.jsonl") || line.contains("/quarantine");
                assert!(
                    line.chars().count() <= columns.into() || is_path,
                    "wider than {columns}: {line:?}"
                );
            }
        }
        let table = screen(&seen[0]).join("\n");
        // At 40 the longest names are cut.
        for word in ["rows out", "specified_numeric_field_fi", "399"] {
            assert!(table.contains(word), "{word} is not in:\n{table}");
        }
    }
    for (env, args) in [
        (&[("NO_COLOR", "1")][..], &["monitor", "at80"][..]),
        (&[], &["monitor", "at80", "--color", "never"]),
    ] {
        assert!(!on_terminal(dir.path(), 80, env, args).contains('\u{1b}'));
    }
    assert!(!ok(dir.path(), &["monitor", "at80"]).0.contains('\u{1b}'));
    assert!(
        ok(dir.path(), &["monitor", "at80", "--color=always"])
            .0
            .contains('\u{1b}')
    );
    let wrong = djhost(dir.path(), &["--color", "blue", "jobs"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&wrong.stderr).contains("valid are `auto`, `always` and `never`")
    );
    // The word says what the colour says.
    let error = djhost(
        dir.path(),
        &["run", "recipe.yaml", "--color", "always", "--np", "0"],
    );
    assert!(
        String::from_utf8_lossy(&error.stderr).contains("\u{1b}[31m\u{1b}[1merror:"),
        "{}",
        String::from_utf8_lossy(&error.stderr)
    );
}

#[test]
fn reports_fit_the_terminal_and_lose_no_word() {
    let dir = bench(400);
    let pack = djhost_builtin_ops::packs()
        .find(|pack| pack.name == "text-filters")
        .unwrap();
    fs::write(dir.path().join("filters.wasm"), pack.component).unwrap();
    for job in ["one", "two"] {
        ok(dir.path(), &["run", "recipe.yaml", "--job_id", job]);
    }
    let words = |text: &str| -> Vec<String> {
        text.split_whitespace()
            // In a narrow place a comment has lines of its own.
            .filter(|word| *word != "#")
            .map(str::to_owned)
            .collect()
    };
    for args in [
        &["plan", "recipe.yaml", "--job_id", "one"][..],
        &["config", "recipe.yaml", "--job_id", "one", "--np", "3"],
        &["ops", "list"],
        &["ops", "show", "text_chunk_mapper"],
        &["ops", "show", "document_minhash_deduplicator"],
        &["ops", "check", "filters.wasm", "--op", "text_length_filter"],
        &["jobs"],
        &["jobs", "--all", "--limit", "1"],
    ] {
        let plain = ok(dir.path(), args).0;
        for columns in [40, 60, 80, 120] {
            let seen = screen(&on_terminal(dir.path(), columns, &[], args));
            for line in &seen {
                // A path or a digest stays whole, to be copied; so does a value of a recipe.
                let is_one = line.split_whitespace().count() <= 1;
                let is_value = args[0] == "config" && !line.contains('#');
                assert!(
                    line.chars().count() <= columns.into() || is_one || is_value,
                    "{args:?} is wider than {columns}: {line:?}"
                );
            }
            // Tables leave columns out, and a check measures the speed anew.
            if args[0] != "jobs" && !args.contains(&"check") {
                assert_eq!(
                    words(&seen.join("\n")),
                    words(&plain),
                    "{args:?} in {columns}"
                );
            }
        }
    }
}

#[test]
fn help_is_broken_once() {
    for columns in ["60", "80", "200"] {
        for command in [
            &["--help"][..],
            &["run", "--help"],
            &["plan", "--help"],
            &["quarantine", "j", "retry", "--help"],
        ] {
            let output = Command::new(PROGRAM)
                .args(command)
                .env("COLUMNS", columns)
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let width = columns.parse::<usize>().unwrap().min(100);
            for line in text
                .lines()
                .filter(|line| line.split_whitespace().count() > 2 && !line.starts_with("Usage:"))
            {
                assert!(
                    line.chars().count() <= width,
                    "{columns} {command:?}: {line:?}"
                );
            }
        }
    }
    // A paragraph that was broken twice has short lines in its middle.
    let output = Command::new(PROGRAM)
        .args(["run", "--help"])
        .env("COLUMNS", "80")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let options: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("Options of the recipe"))
        .skip(1)
        .collect();
    for pair in options
        .windows(2)
        .filter(|pair| pair.iter().all(|line| line.starts_with("          ")))
    {
        let next = pair[1].split_whitespace().next().unwrap();
        assert!(pair[0].len() + 1 + next.len() > 80, "{pair:?}");
    }
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
    // Another threshold: what is before it is taken over.
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
    let dir = tempfile::tempdir().unwrap();
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
    let dir = tempfile::tempdir().unwrap();
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
    // What was made of the copy is still of use: it is unpacked again where rows are read from it.
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

/// The file says how many rows it has, however well they are packed.
#[test]
fn plan_has_the_rows_of_a_parquet_file_from_its_footer() {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch, StringArray};
    let dir = tempfile::tempdir().unwrap();
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

/// Output of a run that was not asked to be quiet, for the README: its block has these lines,
/// numbers and paths aside.
#[test]
fn the_readme_shows_what_one_sees() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let block = readme
        .split("What one sees (times and sizes differ):\n\n```text\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
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
                // Of the table: the op and its rows.
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
