//! Recipes, overrides and their mistakes, through the library's public functions.
//!
//! A case is a folder in `tests/cli/config`: `recipe.yaml`, optional `args` (one argument a line)
//! and `env` (`NAME=value` lines), and `expected.txt`: the errors, or the notes and the resolved
//! options that differ from the defaults. `DJHOST_TEST_BLESS=1 cargo test` rewrites `expected.txt`;
//! read the difference before committing it.

use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::harness::cases::every_case;
use djhost::config::{Config, Need, Origin, Resolved, reference_yaml, resolve, split_overrides};

/// Resolves `recipe.yaml` with arguments and variables as `djhost run` does.
fn run(
    recipe: &Path,
    args: &[String],
    env: &[(String, String)],
    need: Need,
) -> anyhow::Result<Resolved> {
    let command = clap::Command::new("run").arg(clap::Arg::new("config")).arg(
        clap::Arg::new("fresh")
            .long("fresh")
            .action(clap::ArgAction::SetTrue),
    );
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let split = split_overrides(&args, &command)?;
    assert!(
        split.rest.iter().all(|a| a == "--fresh"),
        "left for clap: {:?}",
        split.rest
    );
    resolve(
        Some(recipe),
        env.iter().map(|(k, v)| (k.into(), v.into())),
        &split.overrides,
        need,
    )
}

/// The content of `expected.txt`.
fn outcome(result: anyhow::Result<Resolved>, dir: &str) -> String {
    let text = match result {
        Err(error) => {
            assert_eq!(djhost::error::exit_code(&error), djhost::error::exit::USAGE);
            format!("{error:#}\n")
        }
        Ok(resolved) => {
            let mut text = String::new();
            for note in &resolved.notes {
                writeln!(text, "note: {note}").unwrap();
            }
            for entry in resolved
                .config
                .entries()
                .iter()
                .filter(|e| !e.is_section && e.key != "process")
            {
                let origin = resolved.origin(&entry.key);
                if origin != Origin::Default {
                    writeln!(text, "{}: {} # {origin}", entry.key, entry.value).unwrap();
                }
            }
            for op in &resolved.ops {
                writeln!(
                    text,
                    "{} {}",
                    op.place,
                    serde_json::Value::Object(op.params.clone())
                )
                .unwrap();
                for key in op
                    .params
                    .keys()
                    .filter(|key| !op.place_of(key).starts_with(dir))
                {
                    writeln!(text, "  {key} # {}", op.place_of(key)).unwrap();
                }
                let host = op.host.to_json();
                if !host.is_empty() {
                    writeln!(text, "  host: {}", serde_json::Value::Object(host)).unwrap();
                }
            }
            writeln!(text, "sources: {:?}", resolved.sources).unwrap();
            text
        }
    };
    text.replace(&format!("{dir}/"), "")
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path)
        .map(|t| t.lines().map(str::to_owned).collect())
        .unwrap_or_default()
}

#[test]
fn every_case_gives_the_expected_text() {
    every_case("tests/cli/config", 21, |case| {
        let env: Vec<(String, String)> = lines(&case.join("env"))
            .iter()
            .map(|l| {
                l.split_once('=')
                    .map(|(k, v)| (k.to_owned(), v.to_owned()))
                    .unwrap()
            })
            .collect();
        let dir = case.to_str().unwrap();
        outcome(
            run(
                &case.join("recipe.yaml"),
                &lines(&case.join("args")),
                &env,
                Need::Runnable,
            ),
            dir,
        )
    });
}

#[test]
fn the_reference_is_fresh_and_means_the_defaults() {
    let path = Path::new("configs/reference.yaml");
    let want = reference_yaml();
    let on_disk = fs::read_to_string(path).unwrap_or_default();
    if on_disk != want {
        fs::write(path, &want).unwrap();
        panic!("configs/reference.yaml was out of date and has been written anew: commit it");
    }
    let resolved = resolve(Some(path), std::iter::empty(), &[], Need::Anything).unwrap();
    assert_eq!(resolved.config, Config::default());
    assert_eq!(resolved.notes, Vec::<String>::new());
}

#[test]
fn printed_configuration_reads_back_as_the_same() {
    let dir = crate::harness::directory();
    let recipe = dir.path().join("recipe.yaml");
    let text = "dataset_path: [a.jsonl, 'b c.jsonl']\nexport_path: out/x.parquet\njob_id: '007'\nnp: 3\npartition: {mode: manual, size: 10}\n\
                process:\n  - a_filter: {min: 1.5, words: ['yes', \"it's\", \"1\"], limits: {memory_mb: 64}}\n  - b_mapper:\n";
    fs::write(&recipe, text).unwrap();
    let first = resolve(Some(&recipe), std::iter::empty(), &[], Need::Runnable).unwrap();
    fs::write(&recipe, first.to_yaml()).unwrap();
    let second = resolve(Some(&recipe), std::iter::empty(), &[], Need::Runnable).unwrap();
    assert_eq!(first.to_json()["config"], second.to_json()["config"]);
    assert_eq!(second.ops[0].host.memory_mb, Some(64));
    assert_eq!(second.config.job_id.as_deref(), Some("007"));
}

/// The YAML blocks of the page on partitioned processing, verbatim.
const PAGE_BLOCKS: [&str; 4] = [
    r#"executor_type: ray_partitioned

partition:
  mode: "auto"
  target_size_mb: 256    # Target partition size (128, 256, 512, or 1024)
  size: 5000             # Fallback if auto-analysis fails
  max_size_mb: 256       # Fallback max size
"#,
    r#"partition:
  mode: "manual"
  num_of_partitions: 8
"#,
    r#"checkpoint:
  enabled: true
  strategy: every_n_ops  # every_n_ops (default), every_op, manual, disabled
  n_ops: 5               # Default: checkpoint every 5 operations
  op_names:              # For manual strategy - checkpoint after expensive ops
    - document_deduplicator
    - embedding_mapper
"#,
    r#"intermediate_storage:
  format: "parquet"              # parquet, arrow, jsonl
  compression: "snappy"          # snappy, gzip, none
  preserve_intermediate_data: true
  retention_policy: "keep_all"   # keep_all, keep_failed_only, cleanup_all
"#,
];

#[test]
fn the_blocks_and_commands_of_the_page_are_valid() {
    let dir = crate::harness::directory();
    let recipe = dir.path().join("config.yaml");
    for block in PAGE_BLOCKS {
        fs::write(&recipe, block).unwrap();
        resolve(Some(&recipe), std::iter::empty(), &[], Need::Anything)
            .unwrap_or_else(|e| panic!("{block}\n{e:#}"));
    }
    fs::write(
        &recipe,
        "dataset_path: d.jsonl\nprocess:\n  - op1:\n  - op2:\n",
    )
    .unwrap();
    let commands = [
        ("--partition.mode auto", "partition.mode", r#""auto""#),
        (
            "--partition.mode manual --partition.num_of_partitions 4",
            "partition.num_of_partitions",
            "4",
        ),
        (
            "--job_id my_experiment_001",
            "job_id",
            r#""my_experiment_001""#,
        ),
        (
            "--checkpoint.strategy every_op",
            "checkpoint.strategy",
            r#""every_op""#,
        ),
        (
            "--checkpoint.strategy every_n_ops --checkpoint.n_ops 3",
            "checkpoint.n_ops",
            "3",
        ),
        (
            "--checkpoint.strategy manual --checkpoint.op_names op1,op2",
            "checkpoint.op_names",
            r#"["op1","op2"]"#,
        ),
    ];
    for (command, key, value) in commands {
        let args: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let resolved =
            run(&recipe, &args, &[], Need::Runnable).unwrap_or_else(|e| panic!("{command}\n{e:#}"));
        let entry = resolved
            .config
            .entries()
            .into_iter()
            .find(|e| e.key == key)
            .unwrap();
        assert_eq!(entry.value.to_string(), value, "{command}");
        assert_eq!(
            resolved.origin(key),
            Origin::CommandLine(format!("--{key}"))
        );
    }
}

#[test]
fn mistakes_with_the_file_itself_are_clear() {
    let dir = crate::harness::directory();
    let check = |name: &str, bytes: Option<&[u8]>, message: &str| {
        let path = dir.path().join(name);
        if let Some(bytes) = bytes {
            fs::write(&path, bytes).unwrap();
        }
        let error = resolve(Some(&path), std::iter::empty(), &[], Need::Runnable).unwrap_err();
        let text = format!("{error:#}").replace(&format!("{}/", dir.path().display()), "");
        assert_eq!(text, message);
    };
    check(
        "absent.yaml",
        None,
        "absent.yaml: no such file\n  hint: give the path of a recipe (YAML)",
    );
    check(
        "empty.yaml",
        Some(b""),
        "empty.yaml: is empty\n  hint: a recipe has at least `dataset_path` and `process`",
    );
    check(
        "latin1.yaml",
        Some(b"np: 2\nproject_name: caf\xe9\n"),
        "latin1.yaml:2: is not UTF-8 text\n  hint: save the recipe as UTF-8",
    );
    check(
        "data.jsonl",
        Some(&vec![b'a'; 2 << 20]),
        "data.jsonl: is larger than 1 MiB, so it cannot be a recipe\n  hint: give the recipe first, not the dataset",
    );
    let deep = "[".repeat(50_000);
    check(
        "deep.yaml",
        Some(deep.as_bytes()),
        "deep.yaml: has more than 1000 brackets that are open at once",
    );
    let bomb: String = (1..12)
        .map(|i| {
            format!(
                "a{i}: &a{i} [{}]\n",
                vec![format!("*a{}", i - 1); 9].join(", ")
            )
        })
        .collect();
    let message = "bomb.yaml: its aliases unfold to too much\n  hint: write the values out";
    check(
        "bomb.yaml",
        Some(format!("a0: &a0 [x]\n{bomb}").as_bytes()),
        message,
    );
    fs::create_dir(dir.path().join("dir")).unwrap();
    check(
        "dir",
        None,
        "dir: is a directory\n  hint: give the recipe's file",
    );
}

proptest::proptest! {
    /// Text made of pieces of recipes never causes a panic, and every mistake has a place.
    #[test]
    fn no_text_is_a_panic(pieces in proptest::collection::vec(proptest::sample::select(vec![
        "process:", "\n", "  ", "- ", "a_filter", ": ", "min_len", "[", "]", "{", "}", "&x ", "*x", "<<", "!t ", "'", "\"", "5", "-1e999", ".inf", "null", "~",
        "partition:", "mode", "checkpoint:", "op_names", "dataset:", "configs", "|", ">", "? ", "#", "%", "@", "\t", "---", "é", "\u{0}", "limits", "grants",
    ]), 0..40)) {
        let dir = crate::harness::directory();
        let recipe = dir.path().join("r.yaml");
        fs::write(&recipe, pieces.concat()).unwrap();
        if let Err(error) = resolve(Some(&recipe), std::iter::empty(), &[], Need::Runnable) {
            let errors = error.downcast_ref::<djhost::error::UserErrors>().expect("only the user's mistakes");
            assert!(!errors.0.is_empty() && errors.0.iter().all(|e| !e.place.is_empty()));
        }
    }
}
