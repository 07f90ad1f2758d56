//! Walks through the page "Partitioned Processing with Checkpointing" of Data-Juicer's
//! documentation and checks djhost against it, through the built program. Commands have djhost's
//! names; blocks of YAML are the page's.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use djhost::testing::Modality;

/// A directory with its own dataset and recipes.
struct Bench {
    dir: tempfile::TempDir,
}

const PROCESS: &str = "
process:
  - whitespace_normalization_mapper:
  - clean_email_mapper:
  - text_length_filter: {min_len: 20}
  - document_deduplicator:
  - words_num_filter: {min_num: 3}
  - alphanumeric_filter:
";

impl Bench {
    fn new() -> Self {
        let dir = crate::harness::directory();
        let rows: String = (0..400)
            .map(|i| format!("{{\"text\": \"row {} has some words in it, mail a{}@example.org now\", \"n\": {i}}}\n", i % 300, i % 7))
            .collect();
        std::fs::write(dir.path().join("data.jsonl"), rows).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a recipe with the page's block and some ops.
    fn recipe(&self, block: &str) {
        let text = format!(
            "dataset_path: data.jsonl\nexport_path: outputs/result.jsonl\n{block}\n{PROCESS}"
        );
        std::fs::write(self.path("config.yaml"), text).unwrap();
    }

    fn djhost(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_djhost"))
            .args(args)
            .current_dir(self.dir.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .env("DJHOST_CACHE_DIR", crate::harness::cache())
            .output()
            .unwrap()
    }

    /// Runs and expects success.
    fn ok(&self, args: &[&str]) -> String {
        let output = self.djhost(args);
        assert!(
            output.status.success(),
            "djhost {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&self, job: &str, more: &[&str]) -> PathBuf {
        let mut args = vec!["run", "config.yaml", "--job_id", job];
        args.extend(more);
        self.ok(&args);
        self.path("outputs").join(job)
    }

    fn config(&self, more: &[&str]) -> serde_json::Value {
        let mut args = vec!["config", "config.yaml", "--json"];
        args.extend(more);
        serde_json::from_str::<serde_json::Value>(&self.ok(&args)).unwrap()["config"].clone()
    }
}

fn checkpoints(job: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(job.join("checkpoints"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.starts_with("checkpoint_op_") && !n.ends_with(".manifest.json"))
        .collect();
    names.sort();
    names
}

fn event_types(job: &Path) -> std::collections::BTreeSet<String> {
    let mut types = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(job).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("events_")
        {
            for line in std::fs::read_to_string(path).unwrap().lines() {
                let event: serde_json::Value = serde_json::from_str(line).unwrap();
                types.insert(event["event_type"].as_str().unwrap().to_owned());
            }
        }
    }
    types
}

/// "Directory Structure".
#[test]
fn the_run_directory_has_every_entry_of_the_page() {
    let bench = Bench::new();
    bench.recipe("partition: {mode: manual, num_of_partitions: 4}");
    let job = bench.run("layout", &["--checkpoint.strategy", "every_op"]);
    for file in ["job_summary.json", "dag_execution_plan.json"] {
        let text = std::fs::read_to_string(job.join(file)).unwrap();
        assert!(
            serde_json::from_str::<serde_json::Value>(&text)
                .unwrap()
                .is_object(),
            "{file}"
        );
    }
    for dir in ["checkpoints", "partitions", "logs", "metadata"] {
        assert!(
            std::fs::read_dir(job.join(dir)).unwrap().count() > 0,
            "`{dir}` is empty"
        );
    }
    let events = std::fs::read_dir(&job)
        .unwrap()
        .filter(|e| {
            e.as_ref()
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .starts_with("events_")
        })
        .count();
    assert_eq!(events, 1);
    // "tail -f logs/*.txt"
    assert!(
        std::fs::read_dir(job.join("logs")).unwrap().all(|e| e
            .unwrap()
            .path()
            .extension()
            .unwrap()
            == "txt")
    );
}

/// Nodes of one partition differ from those of another only in their number.
#[test]
fn the_plan_of_many_partitions_stays_small() {
    let bench = Bench::new();
    std::fs::write(bench.path("data.jsonl"), "{\"text\": \"a\"}\n".repeat(2000)).unwrap();
    let plan = |partitions: &str| -> serde_json::Value {
        bench.recipe("partition: {mode: manual}");
        let number = ["--partition.num_of_partitions", partitions];
        let text = bench.ok(&[&["plan", "config.yaml", "--json"][..], &number].concat());
        serde_json::from_str(&text).unwrap()
    };
    let nodes = |plan: &serde_json::Value| plan["nodes"].as_object().unwrap().len();
    let few = plan("100");
    assert_eq!(nodes(&few), 6 * 100 + 1);
    assert_eq!(few["metadata"]["total_nodes"], 6 * 100 + 1);
    assert!(few["metadata"]["shown"].is_null());
    let many = plan("2000");
    assert_eq!(many["partitions"]["count"], 2000);
    assert_eq!(nodes(&many), 6 + 1);
    assert_eq!(many["metadata"]["total_nodes"], 6 * 2000 + 1);
    assert!(many["metadata"]["shown"].as_str().unwrap().contains("2000"));
}

/// "Configuration": the page's blocks, verbatim.
#[test]
fn the_blocks_of_the_page_hold() {
    let bench = Bench::new();
    bench.recipe(
        "executor_type: ray_partitioned\n\npartition:\n  mode: \"auto\"\n  target_size_mb: 256    # Target partition size (128, 256, 512, or 1024)\n  size: 5000             # Fallback if auto-analysis fails\n  max_size_mb: 256       # Fallback max size\n",
    );
    let config = bench.config(&[]);
    assert_eq!(config["partition"]["mode"], "auto");
    assert_eq!(config["partition"]["target_size_mb"], 256);
    bench.run("auto", &[]);

    bench.recipe("partition:\n  mode: \"manual\"\n  num_of_partitions: 8\n");
    let job = bench.run("manual", &[]);
    let mapping: serde_json::Value = serde_json::from_str(
        &std::fs::read_to_string(job.join("metadata/dataset_mapping.json")).unwrap(),
    )
    .unwrap();
    assert_eq!(mapping["partitions"].as_array().unwrap().len(), 8);

    bench.recipe(
        "checkpoint:\n  enabled: true\n  strategy: every_n_ops  # every_n_ops (default), every_op, manual, disabled\n  n_ops: 5               # Default: checkpoint every 5 operations\n  op_names:              # For manual strategy - checkpoint after expensive ops\n    - document_deduplicator\n    - embedding_mapper\n",
    );
    assert_eq!(bench.config(&[])["checkpoint"]["n_ops"], 5);

    bench.recipe(
        "intermediate_storage:\n  format: \"parquet\"              # parquet, arrow, jsonl\n  compression: \"snappy\"          # snappy, gzip, none\n  preserve_intermediate_data: true\n  retention_policy: \"keep_all\"   # keep_all, keep_failed_only, cleanup_all\n",
    );
    let first = bench.run("storage", &["--checkpoint.strategy", "every_op"]);
    assert!(!checkpoints(&first).is_empty());
    let result = std::fs::read(bench.path("outputs/result.jsonl")).unwrap();
    for format in ["parquet", "arrow", "jsonl"] {
        for compression in ["snappy", "gzip", "none"] {
            let job = bench.run(
                &format!("storage_{format}_{compression}"),
                &[
                    "--checkpoint.strategy",
                    "every_op",
                    "--intermediate_storage.format",
                    format,
                    "--intermediate_storage.compression",
                    compression,
                ],
            );
            assert!(
                checkpoints(&job)
                    .iter()
                    .all(|c| c.contains(&format!(".{format}"))),
                "{:?}",
                checkpoints(&job)
            );
            assert_eq!(
                std::fs::read(bench.path("outputs/result.jsonl")).unwrap(),
                result,
                "{format} {compression}"
            );
        }
    }
    let job = bench.run(
        "cleanup",
        &[
            "--checkpoint.strategy",
            "every_op",
            "--intermediate_storage.retention_policy",
            "cleanup_all",
        ],
    );
    assert!(checkpoints(&job).is_empty());
}

/// "Checkpoint Strategies", and "Running Jobs": the options of the page.
#[test]
fn the_strategies_of_the_page_place_checkpoints_where_it_says() {
    let bench = Bench::new();
    bench.recipe("partition: {mode: manual, num_of_partitions: 1}");
    let after = |job: &str, more: &[&str]| -> Vec<usize> {
        checkpoints(&bench.run(job, more))
            .iter()
            .map(|c| c["checkpoint_op_".len()..][..4].parse().unwrap())
            .collect()
    };
    // Op 3 is the deduplicator: its checkpoint is its mask with the rows before it, so rows are
    // stored after op 2 in each case.
    assert_eq!(
        after("every_op", &["--checkpoint.strategy", "every_op"]),
        [0, 1, 2, 4, 5]
    );
    assert_eq!(
        after(
            "every_3",
            &[
                "--checkpoint.strategy",
                "every_n_ops",
                "--checkpoint.n_ops",
                "3"
            ]
        ),
        [2, 5]
    );
    assert_eq!(
        after(
            "manual",
            &[
                "--checkpoint.strategy",
                "manual",
                "--checkpoint.op_names",
                "clean_email_mapper,words_num_filter"
            ]
        ),
        [1, 2, 4]
    );
    assert_eq!(
        after("disabled", &["--checkpoint.strategy", "disabled"]),
        [2]
    );
    let mode = |args: &[&str]| bench.config(args)["partition"]["mode"].clone();
    assert_eq!(mode(&["--partition.mode", "auto"]), "auto");
    let job = bench.run(
        "my_experiment_001",
        &[
            "--partition.mode",
            "manual",
            "--partition.num_of_partitions",
            "4",
        ],
    );
    assert!(job.join("job_summary.json").exists());
}

/// "Resuming Jobs".
#[test]
fn the_same_job_id_continues_the_job() {
    let bench = Bench::new();
    bench.recipe("");
    bench.run("again", &[]);
    let output = bench.djhost(&["run", "config.yaml", "--job_id", "again"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("complete already"));
}

/// "Auto-Configuration": the table.
#[test]
fn the_table_of_modalities_is_the_pages() {
    let page = [
        ("text", 10_000, 50_000, 1.0),
        ("image", 2_000, 10_000, 5.0),
        ("audio", 1_000, 4_000, 8.0),
        ("video", 400, 2_000, 20.0),
        ("multimodal", 1_600, 6_000, 10.0),
    ];
    for (modality, (name, default, most, memory)) in Modality::ALL.into_iter().zip(page) {
        let sizes = modality.sizes();
        assert_eq!(
            (
                modality.to_string().as_str(),
                sizes.default_rows,
                sizes.max_rows,
                sizes.memory
            ),
            (name, default, most, memory)
        );
    }
}

/// "Job Management Utilities".
#[test]
fn monitor_and_stop_know_the_job() {
    let bench = Bench::new();
    bench.recipe("");
    bench.run("watched", &[]);
    for args in [
        &["monitor", "watched"][..],
        &["monitor", "watched", "--detailed"],
        &["monitor", "watched", "--base-dir", "outputs"],
    ] {
        let shown = bench.ok(args);
        assert!(
            shown.contains("watched")
                && shown.contains("completed")
                && shown.contains("document_deduplicator"),
            "{shown}"
        );
    }
    let json: serde_json::Value =
        serde_json::from_str(&bench.ok(&["monitor", "watched", "--json"])).unwrap();
    assert!(json.is_object());
    let output = bench.djhost(&["stop", "watched"]);
    assert_eq!(
        output.status.code(),
        Some(i32::from(djhost::cli::stop::code::NOT_RUNNING))
    );
    bench.ok(&["stop", "--list"]);
    bench.ok(&["jobs", "--all"]);
}

/// "Event Types". `*_failed` come from a job that cannot write its export.
#[test]
fn every_event_type_of_the_page_occurs() {
    let bench = Bench::new();
    bench.recipe("partition: {mode: manual, num_of_partitions: 2}");
    let job = bench.run("events", &["--checkpoint.strategy", "every_op"]);
    // Another threshold at the end: everything before it is loaded from its checkpoint.
    bench.run(
        "events",
        &[
            "--checkpoint.strategy",
            "every_op",
            "--alphanumeric_filter.min_ratio",
            "0.3",
        ],
    );
    let types = event_types(&job);
    for wanted in [
        "job_start",
        "job_complete",
        "partition_start",
        "partition_complete",
        "op_start",
        "op_complete",
        "checkpoint_save",
        "checkpoint_load",
    ] {
        assert!(types.contains(wanted), "no `{wanted}` in {types:?}");
    }
    std::fs::write(
        bench.path("data.jsonl"),
        "{\"text\": \"a row of some length that is fine\"}\n{\"text\": 1}\n",
    )
    .unwrap();
    let output = bench.djhost(&[
        "run",
        "config.yaml",
        "--job_id",
        "failing",
        "--on_error",
        "fail",
    ]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let types = event_types(&bench.path("outputs/failing"));
    for wanted in ["job_failed", "partition_failed"] {
        assert!(types.contains(wanted), "no `{wanted}` in {types:?}");
    }
}
