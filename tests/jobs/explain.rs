//! `djhost explain` and `djhost dropped` on a finished job.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::djhost;

const INPUT: &str = concat!(
    r#"{"id": 1, "text": "a\u3000first text of seven words here"}"#,
    "\n",
    r#"{"id": 2, "text": "too short"}"#,
    "\n",
    r#"{"id": 3, "text": "cut off"#,
    "\n\n",
    r#"{"id": 4, "text": "A first text of seven words here"}"#,
    "\n",
    r#"{"id": 5, "text": "another text that nobody drops"}"#,
    "\n",
    r#"{"id": "six", "text": "just three words"}"#,
    "\n",
);

pub(super) const RECIPE: &str = "dataset_path: in.jsonl\nexport_path: out.jsonl\nwork_dir: work\nmax_unreadable_ratio: 0.9\nprocess:\n  \
     - whitespace_normalization_mapper:\n  - word_repetition_filter: {rep_len: 3, max_ratio: 0.9}\n  - words_num_filter: {min_num: 4}\n  - text_length_filter: {min_len: 5}\n  \
     - document_deduplicator: {lowercase: true}\n";

pub(super) fn job(recipe: &str) -> tempfile::TempDir {
    let dir = crate::harness::directory();
    fs::write(dir.path().join("in.jsonl"), INPUT).unwrap();
    fs::write(dir.path().join("recipe.yaml"), recipe).unwrap();
    ok(
        dir.path(),
        &["run", "recipe.yaml", "--quiet", "--job_id", "job"],
    );
    dir
}

pub(super) fn ok(dir: &Path, args: &[&str]) -> String {
    let output = djhost(dir, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_way_of_a_row_is_told() {
    let dir = job(RECIPE);
    let explain = |args: &[&str]| ok(dir.path(), &[&["explain", "work/job"], args].concat());

    let kept = explain(&["in.jsonl:1"]);
    for part in [
        "in.jsonl:1, row_id 0",
        "changes `text`",
        "a[-\\u{3000}-]{+ +}first text",
        "num_words 7 (demanded: at least 4; 3 to spare)",
        "it is in the result",
    ] {
        assert!(kept.contains(part), "{part} is not in:\n{kept}");
    }
    assert_eq!(explain(&["--where", "id=1"]), kept);
    assert_eq!(explain(&["0"]), kept);

    // `reorder` runs the repetitions last: the recipe's numbers are told.
    let dropped = explain(&["in.jsonl:2"]);
    for part in [
        "num_words 2 (demanded: at least 4; off by 2)",
        "drops it",
        "it is not in the result",
        "(number 2 in the recipe)",
    ] {
        assert!(dropped.contains(part), "{part} is not in:\n{dropped}");
    }
    assert!(explain(&["in.jsonl:3"]).contains("it is in quarantine"));

    let merged = explain(&["--where", "id=4"]);
    assert!(
        merged.contains("in.jsonl:1, row_id 0 is like it and stays ("),
        "{merged}"
    );
    let json: Value = serde_json::from_str(&explain(&["--where", "id=six", "--json"])).unwrap();
    assert_eq!(
        (&json["row"]["line"], &json["end"]),
        (&7.into(), &"gone".into())
    );
    let last = json["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["did"][0]["fate"], "dropped");
    assert_eq!(last["did"][0]["stats"][0]["margin"], -1.0);
}

#[test]
fn examples_of_an_op_are_shown() {
    let dir = job(RECIPE);
    let explain = |op: &str| ok(dir.path(), &["explain", "work/job", "--op", op]);
    let words = explain("words_num_filter");
    let (three, two) = (
        words.find("in.jsonl:7").unwrap(),
        words.find("in.jsonl:2").unwrap(),
    );
    assert!(three < two, "closest to the threshold first:\n{words}");
    assert!(
        words.contains("num_words is 2, demanded is at least 4 (off by 2)"),
        "{words}"
    );
    assert!(explain("whitespace_normalization_mapper").contains("a[-\\u{3000}-]{+ +}first"));
    assert!(explain("document_deduplicator").contains("in.jsonl:1, row_id 0"));
    assert!(explain("text_length_filter").contains("it dropped no row"));
}

#[test]
fn dropped_rows_are_counted_and_exported() {
    let dir = job(RECIPE);
    let dropped = |args: &[&str]| ok(dir.path(), &[&["dropped", "work/job"], args].concat());
    let listed = dropped(&[]);
    assert!(listed.ends_with("4 rows not kept\n"), "{listed}");
    assert!(listed.contains("num_words at least 4"), "{listed}");

    dropped(&["--export", "all.jsonl"]);
    let all = fs::read_to_string(dir.path().join("all.jsonl")).unwrap();
    let rows: Vec<Value> = all
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let fates: Vec<&str> = rows
        .iter()
        .map(|row| row["fate"].as_str().unwrap())
        .collect();
    assert_eq!(fates, ["dropped", "quarantined", "merged", "dropped"]);
    assert_eq!(rows[0]["row"]["id"], 2);
    assert_eq!(rows[0]["stats"]["num_words"], 2);
    assert_eq!(rows[1]["row"], "{\"id\": 3, \"text\": \"cut off");
    assert_eq!(rows[2]["partner"], 0);

    dropped(&["--op", "words_num_filter", "--export", "words.parquet"]);
    let file = fs::File::open(dir.path().join("words.parquet")).unwrap();
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let tables: Vec<_> = reader
        .build()
        .unwrap()
        .map(|table| table.unwrap())
        .collect();
    assert_eq!(
        tables.iter().map(|table| table.num_rows()).sum::<usize>(),
        2
    );
    assert!(tables[0].column_by_name("row").is_some());

    for (args, said) in [
        (
            &["dropped", "work/job", "--export", "all.jsonl"][..],
            "exists already",
        ),
        (
            &["dropped", "work/job", "--export", "all.csv"],
            "must end in `.jsonl` or `.parquet`",
        ),
        (
            &["dropped", "work/job", "--op", "word_num_filter"],
            "did you mean `words_num_filter`?",
        ),
        (&["explain", "work/job", "in.jsonl:99"], "its last line is"),
        (
            &["explain", "work/job", "other.jsonl:1"],
            "is no file of the dataset",
        ),
        (
            &["explain", "work/job", "--where", "id=77"],
            "no row of the dataset has `77` in `id`",
        ),
        (
            &["explain", "work/job", "in.jsonl:4"],
            "has no row in line 4",
        ),
    ] {
        let output = djhost(dir.path(), args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
}

/// Without a trace the filters and mappers can still be asked again.
#[test]
fn a_job_without_a_trace_is_explained_as_far_as_one_row_tells() {
    let dir = job(&format!("trace: off\n{RECIPE}"));
    let text = ok(dir.path(), &["explain", "work/job", "in.jsonl:2"]);
    assert!(
        text.contains("off by 2") && text.contains("`trace: off`"),
        "{text}"
    );
    let output = djhost(dir.path(), &["dropped", "work/job"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("trace: dropped"));
}

/// What another threshold would keep is counted exactly where the stats of all rows are recorded.
#[test]
fn what_if_equals_a_rerun() {
    let count = |min: u64| {
        let dir = crate::harness::directory();
        let rows: String = (0..400)
            .map(|i| format!("{{\"text\": \"{}\"}}\n", "word ".repeat(1 + i * 7 % 23)))
            .collect();
        fs::write(dir.path().join("in.jsonl"), rows).unwrap();
        let recipe = format!(
            "dataset_path: in.jsonl\nexport_path: out.jsonl\nwork_dir: work\ntrace: stats\nprocess:\n  - words_num_filter: {{min_num: {min}}}\n"
        );
        fs::write(dir.path().join("recipe.yaml"), recipe).unwrap();
        ok(
            dir.path(),
            &["run", "recipe.yaml", "--quiet", "--job_id", "job"],
        );
        let kept = fs::read_to_string(dir.path().join("out.jsonl"))
            .unwrap()
            .lines()
            .count();
        (dir, kept as u64)
    };
    let (dir, _) = count(10);
    let trace =
        djhost::jobs::Trace::open(&djhost::jobs::RunPaths::new(dir.path().join("work/job")))
            .unwrap();
    let op = trace.op("words_num_filter", |_| true).unwrap();
    let now = op.bounds["num_words"];
    for min in [0, 1, 5, 11, 17, 22, 23, 24] {
        let bounds = djhost::jobs::Bounds {
            min: Some(min as f64),
            ..now
        };
        let found = trace.what_if(op, "num_words", &[bounds]).unwrap()[0];
        assert_eq!(found.known, 400);
        assert_eq!(found.kept, count(min).1, "{min}");
    }
}

/// With `trace: all` a filter that can decide without its stat leaves it out, and whoever needs it is
/// told how to get it; what an older djhost recorded with that word has all stats.
#[test]
fn stats_that_were_left_out_are_said_to_be() {
    use djhost::jobs::{Job, RunPaths};
    use djhost::report::WhatIf;
    let rows: String = (0..300)
        .map(|row| format!("{{\"text\": \"{}\"}}\n", "word ".repeat(row % 30)))
        .collect();
    let counted = |mode: &str, kept: bool| {
        let dir = crate::harness::directory();
        fs::write(dir.path().join("in.jsonl"), &rows).unwrap();
        let recipe = format!(
            "dataset_path: in.jsonl\nexport_path: out.jsonl\nwork_dir: work\njob_id: job\ntrace: {mode}\nkeep_stats_in_res_ds: {kept}\nreorder: false\nprocess:\n  \
             - words_num_filter: {{min_num: 5}}\n  - special_characters_filter: {{max_ratio: 0.9}}\n"
        );
        fs::write(dir.path().join("recipe.yaml"), recipe).unwrap();
        ok(dir.path(), &["run", "recipe.yaml", "--quiet"]);
        dir
    };
    let what_if = |dir: &tempfile::TempDir, key: &str, value: f64| {
        let job = Job::new(RunPaths::new(dir.path().join("work/job")));
        WhatIf::of_job(&job, &[(key.to_owned(), Some(value))])
    };
    let stat = |dir: &tempfile::TempDir, key: &str| {
        let page: Value =
            serde_json::from_str(&ok(dir.path(), &["report", "work/job", "--json"])).unwrap();
        let stats = page["stats"].as_array().unwrap();
        stats
            .iter()
            .find(|stat| stat["key"] == key)
            .unwrap()
            .clone()
    };
    let all = counted("all", false);
    let words = stat(&all, "num_words");
    assert_eq!(
        (&words["knows_kept"], &words["kept"], &words["count"]),
        (&false.into(), &0.into(), &50.into())
    );
    assert!(
        words["kept_note"]
            .as_str()
            .unwrap()
            .contains("trace: stats records it")
    );
    // This one computes its stat whoever reads it.
    let special = stat(&all, "special_char_ratio");
    assert_eq!(
        (&special["knows_kept"], &special["kept"]),
        (&true.into(), &250.into())
    );
    assert_eq!(
        what_if(&all, "special_characters_filter.max_ratio", 0.0)
            .unwrap()
            .ops[0]
            .rows,
        250
    );
    let refused = what_if(&all, "words_num_filter.min_num", 7.0).unwrap_err();
    assert!(
        refused.to_string().contains("without their `num_words`"),
        "{refused:?}"
    );
    for (mode, kept) in [("stats", false), ("all", true)] {
        let dir = counted(mode, kept);
        let words = stat(&dir, "num_words");
        assert_eq!(
            (&words["knows_kept"], &words["kept"], &words["kept_note"]),
            (&true.into(), &250.into(), &Value::Null),
            "{mode}"
        );
        let found = what_if(&dir, "words_num_filter.min_num", 7.0).unwrap();
        assert_eq!((found.rows, found.stay_now, found.stay), (300, 250, 230));
    }
    // As it was before `left_out`.
    let old = counted("stats", false);
    let path = old.path().join("work/job/metadata/trace.json");
    let mut document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    document["mode"] = "all".into();
    for op in document["ops"].as_array_mut().unwrap() {
        op.as_object_mut().unwrap().remove("left_out").unwrap();
    }
    fs::write(&path, document.to_string()).unwrap();
    assert_eq!(stat(&old, "num_words")["knows_kept"], true);
    assert_eq!(
        what_if(&old, "words_num_filter.min_num", 7.0).unwrap().stay,
        230
    );
    assert!(ok(old.path(), &["explain", "work/job", "in.jsonl:1"]).contains("num_words 0"));
}

/// A run directory may be named from anywhere, and one without its trace says so.
#[test]
fn a_job_is_asked_from_another_directory() {
    let dir = job(RECIPE);
    let other = dir.path().join("other");
    fs::create_dir(&other).unwrap();
    let told = ok(&other, &["explain", "../work/job", "--where", "id=2"]);
    assert!(told.contains("off by 2"), "{told}");
    let examples = ok(
        &other,
        &["explain", "../work/job", "--op", "words_num_filter"],
    );
    assert!(examples.contains("in.jsonl:7"), "{examples}");
    let written = ok(&other, &["dropped", "../work/job", "--export", "x.jsonl"]);
    assert!(written.starts_with("4 rows written"), "{written}");
    assert_eq!(
        fs::read_to_string(other.join("x.jsonl"))
            .unwrap()
            .lines()
            .count(),
        4
    );
    fs::remove_dir_all(dir.path().join("work/job/trace")).unwrap();
    for args in [&["dropped", "work/job"][..], &["explain", "work/job", "0"]] {
        let output = djhost(dir.path(), args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("its `trace/` has been removed"), "{said}");
    }
    let page: Value =
        serde_json::from_str(&ok(dir.path(), &["report", "work/job", "--json"])).unwrap();
    assert!(
        page["notes"].to_string().contains("the job has no trace"),
        "{page}"
    );
}

#[test]
fn why_a_mapper_or_a_filter_of_keys_drops_a_row_is_told() {
    let dir = crate::harness::directory();
    let sentences = "The ferry leaves. It comes back. It is old. Who knows? We do.";
    let rows = [
        json!({"text": sentences}),
        json!({"text": "Only two sentences here. They are few."}),
        json!({"text": "lorem ipsum dolor sit amet."}),
        json!({"text": "HOME\n12\n"}),
        json!({"text": sentences}),
    ];
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    fs::write(dir.path().join("in.jsonl"), lines).unwrap();
    let recipe = "dataset_path: in.jsonl\nexport_path: out.jsonl\nwork_dir: work\nreorder: false\nprocess:\n  - line_filter_mapper:\n  \
         - c4_quality_mapper:\n  - bloom_paragraph_deduplicator: {ngram_size: 3, min_words: 1}\n";
    fs::write(dir.path().join("recipe.yaml"), recipe).unwrap();
    ok(
        dir.path(),
        &["run", "recipe.yaml", "--quiet", "--job_id", "job"],
    );
    let job = "work/job";
    for (line, part) in [
        ("2", "drops it: too_few_sentences"),
        ("3", "drops it: lorem_ipsum"),
        ("4", "drops it: numeric_ratio_line_modifier"),
        ("5", "drops it: 16 of its 16 keys were seen before"),
    ] {
        let told = ok(dir.path(), &["explain", job, &format!("in.jsonl:{line}")]);
        assert!(told.contains(part), "{part} is not in:\n{told}");
    }
    ok(dir.path(), &["dropped", job, "--export", "dropped.jsonl"]);
    let dropped = fs::read_to_string(dir.path().join("dropped.jsonl")).unwrap();
    let dropped: Vec<Value> = dropped
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let reasons: Vec<&str> = dropped
        .iter()
        .map(|row| row["reason"].as_str().unwrap())
        .collect();
    assert_eq!(
        reasons,
        [
            "too_few_sentences",
            "lorem_ipsum",
            "numeric_ratio_line_modifier",
            "16 of its 16 keys were seen before"
        ]
    );
}
