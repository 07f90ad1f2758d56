//! The house rules that a program can check: folders import downwards only, one folder formats the
//! names in a run directory, and the dependencies are built once.

mod features;

use std::fs;
use std::path::{Path, PathBuf};

/// The folders (and files) of `host/src`, lowest first. Code imports from its own folder and from
/// those before it.
///
/// `testing` and `fuzz` are doubles and properties for tests: they may use everything, and nothing
/// may use them.
const ORDER: &[&str] = &[
    "error",
    "sanitize",
    "term",
    "threads",
    "remote",
    "rundir",
    "jobs",
    "config",
    "data",
    "models",
    "wasm",
    "ops",
    "plan",
    "global",
    "checkpoint",
    "partition",
    "exec",
    "run",
    "report",
    "cli",
    "testing",
    "fuzz",
];

/// Names in a run directory, as `rundir::paths` formats them.
const RUN_DIRECTORY_NAMES: &[&str] = &[
    "job_summary.json",
    "dag_execution_plan.json",
    "stop_request.json",
    "dataset_mapping.json",
    "partitions.json",
    "\"checkpoints\"",
    "\"partitions\"",
    "\"parts\"",
    "\"quarantine\"",
    "\"metadata\"",
    "\"logs\"",
    "\"discarded\"",
    "\"events_",
    "\"attempt_",
    "checkpoint_op_",
    "keys_op_",
    "mask_op_",
    "split_op_",
    "found_op_",
    "quarantine_op_",
    "\"part_",
    "\"input_",
    "manifest.json",
    "\"fallbacks",
    "\"trace\"",
    "trace_op_",
    "trace.json",
];

struct Source {
    /// The folder or file directly in `host/src`.
    folder: String,
    path: PathBuf,
    /// Without comments and test-only code.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("host/src");
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // Templates are projects of users; tests may look at everything.
            if path.is_dir() && name != "templates" && name != "tests" {
                open.push(path);
            } else if name.ends_with(".rs") && !name.contains("tests") && name != "fuzz.rs" {
                let below = path.strip_prefix(&root).unwrap().to_path_buf();
                let folder = below
                    .iter()
                    .next()
                    .unwrap()
                    .to_string_lossy()
                    .trim_end_matches(".rs")
                    .to_owned();
                let text = fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                let code = text
                    .lines()
                    .map(|line| line.split("//").next().unwrap())
                    .collect::<Vec<_>>()
                    .join("\n");
                found.push(Source {
                    folder,
                    path: below,
                    code,
                });
            }
        }
    }
    assert!(found.len() > 150, "{} sources found", found.len());
    found
}

/// The names that follow `crate::`, including those in braces.
fn imports(code: &str) -> Vec<String> {
    let name = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => found.push(name(rest)),
            Some(list) => {
                let mut depth = 0;
                let mut is_start = true;
                for (i, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => is_start = true,
                        _ if is_start && !c.is_whitespace() => {
                            found.push(name(&list[i..]));
                            is_start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

#[test]
fn imports_point_downwards() {
    let place = |name: &str| ORDER.iter().position(|folder| *folder == name);
    let mut upwards = Vec::new();
    let mut seen = 0;
    for source in sources()
        .iter()
        .filter(|s| !["lib", "main"].contains(&s.folder.as_str()))
    {
        let own = place(&source.folder)
            .unwrap_or_else(|| panic!("`{}` has no place in ORDER", source.folder));
        for import in imports(&source.code) {
            let Some(other) = place(&import) else {
                continue;
            };
            seen += 1;
            if other > own {
                upwards.push(format!("{} imports crate::{import}", source.path.display()));
            }
        }
    }
    assert!(seen > 300, "{seen} imports seen");
    assert!(
        upwards.is_empty(),
        "these imports point upwards; the order is {ORDER:?}:\n{}",
        upwards.join("\n")
    );
}

#[test]
fn only_one_module_names_what_is_in_a_run_directory() {
    let mut elsewhere = Vec::new();
    for source in sources()
        .iter()
        .filter(|s| !s.path.starts_with("rundir/paths"))
    {
        for (number, line) in source.code.lines().enumerate() {
            // Comparing with a name, or showing it, is not making a path.
            if [
                "join(",
                "with_file_name(",
                "format!(",
                "starts_with(",
                "ends_with(",
                "trim_end_matches(",
            ]
            .iter()
            .any(|call| line.contains(call))
                && let Some(name) = RUN_DIRECTORY_NAMES
                    .iter()
                    .find(|name| line.contains(**name))
            {
                elsewhere.push(format!("{}:{}: {name}", source.path.display(), number + 1));
            }
        }
    }
    assert!(
        elsewhere.is_empty(),
        "names of the run directory are formatted outside of rundir/paths/:\n{}",
        elsewhere.join("\n")
    );
}

/// Who writes files beside `rundir/storage.rs`, and why it is none of the storage's.
const WRITERS: &[(&str, &str)] = &[
    ("rundir/own_files.rs", "opens files for those below"),
    ("rundir/fault.rs", "lists the calls of the storage"),
    ("rundir/lock.rs", "a lock"),
    ("rundir/export_lock.rs", "a lock"),
    ("rundir/task_lock.rs", "a lock"),
    ("rundir/mirror/index.rs", "only grows"),
    ("rundir/mirror/pull.rs", "a copy of what only grows"),
    ("rundir/mirror/view.rs", "a lock"),
    ("remote/cache.rs", "a copy, which can be fetched again"),
    ("rundir/events/log.rs", "only grows"),
    ("data/taken.rs", "goes away with the reader"),
    ("run/logs.rs", "only grows"),
    ("run/places.rs", "has no name"),
    ("run/state/forget.rs", "forgets a job, directories and all"),
    ("global/key_counts.rs", "has no name"),
    ("global/groups.rs", "has no name"),
    ("cli/quarantine.rs", "a new file of the user's"),
    ("cli/dropped.rs", "a new file of the user's"),
    ("cli/analyze.rs", "a new file of the user's"),
    ("run/explain/mod.rs", "goes away with the command"),
    ("run/worker/copy.rs", "goes away with the process"),
    ("cli/ops/new/mod.rs", "a new project of the user's"),
    ("cli/ops/run.rs", "goes away with the command"),
];

#[test]
fn files_are_written_by_the_storage() {
    const CALLS: &[&str] = &[
        "File::create",
        "File::options",
        "OpenOptions::new",
        "fs::rename",
        "renameat",
        "fs::write(",
        "fs::remove_file",
        "unlinkat",
        "fs::hard_link",
        ".persist(",
        "tempfile",
        "new_file(",
    ];
    let sources = sources();
    let writes = |source: &&Source| CALLS.iter().any(|call| source.code.contains(call));
    let found: Vec<String> = sources
        .iter()
        .filter(|source| source.folder != "testing")
        .filter(writes)
        .map(|source| source.path.display().to_string())
        .collect();
    let known = |path: &str| {
        path == "rundir/storage.rs" || WRITERS.iter().any(|(writer, _)| *writer == path)
    };
    let unknown: Vec<&String> = found.iter().filter(|path| !known(path)).collect();
    assert!(
        unknown.is_empty(),
        "what survives is written through rundir/storage.rs, where faults reach it; these write by themselves: {unknown:?}"
    );
    for (writer, _) in WRITERS {
        assert!(
            found.iter().any(|path| path == writer),
            "{writer} writes no file any more"
        );
    }
}

#[test]
fn imports_are_found_in_all_forms() {
    let code = "use crate::data::{Batch, x::Y};\nuse crate::{plan, wasm::{A, B}, config::C};\ncrate::error::exit()";
    assert_eq!(imports(code), ["data", "plan", "wasm", "config", "error"]);
}
