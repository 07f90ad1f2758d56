//! `djhost ops` through the built program: lists, examples, single operators on a pipe, and checks
//! of components.

mod new;
mod old;
mod project;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `djhost ops …` with `input` on standard input.
fn ops(args: &[&str], input: &str) -> Output {
    ops_in(root(), args, input)
}

/// The same, started in `dir`.
fn ops_in(dir: &Path, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
    command.current_dir(dir);
    command.arg("ops").args(args).env(
        "DJHOST_CACHE_DIR",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
    );
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Names of the built-in operators.
fn builtin() -> Vec<String> {
    let list: Value = serde_json::from_slice(&ops(&["list", "--json"], "").stdout).unwrap();
    list.as_array()
        .unwrap()
        .iter()
        .map(|e| e["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_table_of_the_packs_is_true() {
    let list: Value = serde_json::from_slice(&ops(&["list", "--json"], "").stdout).unwrap();
    let mut listed: Vec<(&str, &str)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["source"].as_str().unwrap(), e["name"].as_str().unwrap()))
        .collect();
    let packs: Vec<_> = djhost_builtin_ops::packs()
        .map(|pack| (format!("built-in {}", pack.name), pack.operators))
        .collect();
    let mut table: Vec<(&str, &str)> = packs
        .iter()
        .flat_map(|(source, ops)| ops.iter().map(|op| (source.as_str(), *op)))
        .collect();
    listed.sort_unstable();
    table.sort_unstable();
    assert_eq!(
        listed, table,
        "plugins/builtin/table.rs must have the operators of each pack"
    );
}

fn example(op: &str) -> PathBuf {
    root().join("plugins/examples").join(format!("{op}.json"))
}

#[test]
fn every_operator_has_an_example_that_is_true() {
    let names = builtin();
    assert!(names.len() >= 30);
    let mut wrong = Vec::new();
    for name in &names {
        let Ok(file) = fs::read(example(name)) else {
            wrong.push(format!("{name} has no plugins/examples/{name}.json"));
            continue;
        };
        let example: Value = serde_json::from_slice(&file).unwrap();
        let input: String = example["input"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| format!("{r}\n"))
            .collect();
        let params = example
            .get("params")
            .cloned()
            .unwrap_or_else(|| json!({}))
            .to_string();
        // The files that the examples name.
        let ran = ops_in(
            &root().join("plugins/examples/files"),
            &["run", name, "--params", &params],
            &input,
        );
        let rows: Vec<Value> = text(&ran.stdout)
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        if !ran.status.success() || Value::Array(rows.clone()) != example["output"] {
            wrong.push(format!("{name} gives {rows:?}: {}", text(&ran.stderr)));
        }
    }
    for file in fs::read_dir(root().join("plugins/examples"))
        .unwrap()
        .map(|f| f.unwrap().path())
        .filter(|f| f.is_file())
    {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if !names.contains(&name) {
            wrong.push(format!("{} is of no operator", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn show_prints_the_example() {
    let shown = text(&ops(&["show", "text_length_filter"], "").stdout);
    for part in [
        "min_len: integer, default 10",
        "light work per row",
        "stats   text_len",
        "in   {\"text\":\"no\"}",
        "out  {\"text\":\"long enough\"}",
    ] {
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
}

#[test]
fn lists_are_searched_by_all_words_and_by_kind() {
    let found = text(&ops(&["list", "--kind", "filter", "repetition", "word"], "").stdout);
    assert!(
        found.contains("  word_repetition_filter") && !found.contains("character_repetition"),
        "{found}"
    );
    let wrong = ops(&["list", "--kind", "fliter"], "");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        text(&wrong.stderr).contains("did you mean `filter`?"),
        "{}",
        text(&wrong.stderr)
    );
}

#[test]
fn bad_rows_are_counted_and_named() {
    let ran = ops(
        &["run", "text_length_filter", "--params", r#"{"min_len": 3}"#],
        "{\"text\": \"long\"}\nbroken\n{\"text\": \"no\"}\n",
    );
    assert_eq!(text(&ran.stdout), "{\"text\": \"long\"}\n");
    let said = text(&ran.stderr);
    assert!(
        ran.status.success()
            && said.contains("3 rows read")
            && said.contains("1 dropped")
            && said.contains("quarantined: line 2"),
        "{said}"
    );
    let strict = ops(&["run", "text_length_filter", "--strict"], "broken\n");
    assert_eq!(strict.status.code(), Some(4), "{}", text(&strict.stderr));
    let none = ops(&["run", "text_length_filter"], "");
    assert!(
        none.status.success() && none.stdout.is_empty(),
        "{}",
        text(&none.stderr)
    );
}

#[test]
fn mistakes_are_named() {
    let cases = [
        (
            vec!["run", "text_lenght_filter"],
            "did you mean `text_length_filter`?",
        ),
        (
            vec!["run", "text_length_filter", "--params", r#"{"min_lne": 3}"#],
            "min_len",
        ),
        (
            vec!["run", "text_length_filter", "--params", "[1]"],
            "is not a JSON object",
        ),
        (vec!["run", "missing.wasm"], "there is no such file"),
        (vec!["check", "missing.wasm"], "there is no such file"),
    ];
    for (args, part) in cases {
        let ran = ops(&args, "");
        assert_eq!(
            ran.status.code(),
            Some(2),
            "{args:?}: {}",
            text(&ran.stderr)
        );
        assert!(
            text(&ran.stderr).contains(part),
            "`{part}` is not in: {}",
            text(&ran.stderr)
        );
    }
}

#[test]
fn the_built_in_filters_pass_their_check() {
    let dir = crate::harness::directory();
    let pack = djhost_builtin_ops::packs()
        .find(|p| p.name == "text-filters")
        .unwrap();
    let file = dir.path().join("filters.wasm");
    fs::write(&file, pack.component).unwrap();
    let file = file.to_str().unwrap();
    let checked = ops(&["check", file, "--op", "text_length_filter", "--json"], "");
    let report: Value = serde_json::from_slice(&checked.stdout)
        .unwrap_or_else(|_| panic!("{}", text(&checked.stderr)));
    assert!(
        checked.status.success() && report["ok"] == true,
        "{report:#}"
    );
    let checks = report["operators"][0]["checks"].as_array().unwrap();
    for name in [
        "one row",
        "unicode",
        "many rows",
        "determinism",
        "batch size",
        "memory",
        "speed",
    ] {
        assert!(
            checks
                .iter()
                .any(|c| c["check"] == name && c["verdict"] == "pass"),
            "{name}: {report:#}"
        );
    }
    let wrong = ops(&["check", file, "--op", "text_lenght_filter"], "");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("did you mean `text_length_filter`?"));
}

/// `DJHOST_PLUGINS` and `DJHOST_ALLOW_OVERRIDE` count wherever `--plugins` does.
#[test]
fn plugins_of_the_environment() {
    let dir = crate::harness::directory();
    let pack = djhost_builtin_ops::packs()
        .find(|pack| pack.operators.contains(&"text_length_filter"))
        .unwrap();
    let mut other = pack.component.to_vec();
    other.extend([0, 3, 1, b'x', 0]);
    fs::create_dir(dir.path().join("plugins")).unwrap();
    fs::write(dir.path().join("plugins/other.wasm"), other).unwrap();
    let ops = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
        command
            .arg("ops")
            .args(args)
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .envs(env.iter().copied());
        command.env(
            "DJHOST_CACHE_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
        );
        let output = command.output().unwrap();
        (
            output.status.code().unwrap(),
            text(&output.stdout) + &text(&output.stderr),
        )
    };
    let given = ("DJHOST_PLUGINS", "plugins");
    let all = [given, ("DJHOST_ALLOW_OVERRIDE", "text_length_filter")];
    let list = ["list", "text_length_filter"];
    assert!(!ops(&list, &[]).1.contains("other.wasm"));
    assert!(
        ops(&list, &[given])
            .1
            .contains("note: plugins/other.wasm has `average_line_length_filter`, ")
    );
    assert!(ops(&list, &all).1.contains("filters, plugins/other.wasm\n"));
    assert!(
        ops(
            &[
                "list",
                "--plugins",
                "plugins",
                "--allow-override",
                "text_length_filter"
            ],
            &[]
        )
        .1
        .contains("filters, plugins/other.wasm\n")
    );
    let (code, said) = ops(&["show", "text_length_filter"], &[given]);
    assert!(
        code == 2
            && said.contains("`text_length_filter` is built in, and plugins/other.wasm has one"),
        "{said}"
    );
    let (code, said) = ops(&["show", "text_length_filter"], &all);
    assert!(
        code == 0
            && said.contains("from    plugins/other.wasm")
            && said.contains("default unlimited"),
        "{said}"
    );
    let (code, said) = ops(&["run", "text_length_filter"], &[given]);
    assert!(
        code == 2 && said.contains("is built in, and plugins/other.wasm has one"),
        "{said}"
    );
    assert_eq!(ops(&["run", "text_length_filter"], &all).0, 0);
    let (code, said) = ops(&["lock"], &[given]);
    assert!(
        code == 0 && said == "1 component pinned in plugins/plugins.lock\n",
        "{said}"
    );
    let (code, said) = ops(&["lock"], &[]);
    assert!(
        code == 2 && said.contains("--plugins: no directory is given"),
        "{said}"
    );
    let (code, said) = ops(&["list"], &[("DJHOST_PLUGINS", "nowhere")]);
    assert!(
        code == 2 && said.contains("DJHOST_PLUGINS: the directory `nowhere` cannot be read"),
        "{said}"
    );
    let (code, said) = ops(&["list", "--plugins", "nowhere"], &[]);
    assert!(
        code == 2 && said.contains("--plugins: the directory `nowhere`"),
        "{said}"
    );
    // No shell has put the home directory there.
    let home = ("HOME", dir.path().to_str().unwrap());
    let (code, said) = ops(&["list", "--plugins", "~/plugins"], &[home]);
    assert!(
        code == 0 && said.contains("/plugins/other.wasm has"),
        "{said}"
    );
}

/// A pipe is no component, and one that nobody writes to makes nobody wait.
#[test]
fn pipes_are_called_pipes() {
    let dir = crate::harness::directory();
    let pipe = dir.path().join("pipe.wasm");
    let made = rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    );
    made.unwrap();
    let pipe = pipe.to_str().unwrap();
    for args in [
        &["check", pipe][..],
        &["run", pipe],
        &["check", "x.wasm", "--sample", pipe],
    ] {
        let ran = ops(args, "");
        let said = text(&ran.stderr);
        let is_told = said.contains("this is a pipe") || said.contains("this sample has no rows");
        assert!(ran.status.code() == Some(2) && is_told, "{args:?}: {said}");
    }
}
