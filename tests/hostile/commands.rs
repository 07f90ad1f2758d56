//! Commands that djhost prints for the user to run: a shell must read them as intended.

use std::process::Command;

use crate::harness::Case;
use crate::hostile::{KEEP, good};

#[test]
fn the_command_that_resumes_is_one_for_a_shell() {
    let mut case = Case::with_input(good(50));
    // Empty, with spaces, quotes of both kinds, and what shells replace.
    let values = [
        ("--project_name", ""),
        ("--text_keys", "[text, \"a b\"]"),
        ("--export_path", "out/it's $HOME * \"x\".jsonl"),
    ];
    case.args = values
        .iter()
        .flat_map(|(key, value)| [(*key).to_owned(), (*value).to_owned()])
        .collect();
    case.env = vec![("DJHOST_TEST_FAULT".into(), "fail@disk:12".into())];
    let ran = case.run(KEEP).failed(1, &["on purpose"]);
    let command = ran.summary["resumption_command"]
        .as_str()
        .unwrap()
        .to_owned();

    let program = std::path::Path::new(env!("CARGO_BIN_EXE_djhost"));
    let path = std::env::join_paths([
        program.parent().unwrap(),
        "/usr/bin".as_ref(),
        "/bin".as_ref(),
    ])
    .unwrap();
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", &format!("cd \"$0\" && {command}")])
        .arg(case.path(""))
        .env("PATH", path);
    let said = shell.output().unwrap();
    assert!(
        said.status.success(),
        "{command}\n{}",
        String::from_utf8_lossy(&said.stderr)
    );
    let export = case.path("out/it's $HOME * \"x\".jsonl");
    assert_eq!(
        std::fs::read_to_string(export).unwrap(),
        good(50),
        "{command}"
    );
}

/// On a full disk not even the failure can be noted; what to do is said all the same.
#[test]
fn a_full_disk_keeps_nobody_from_being_told_how_to_go_on() {
    let recipe = format!("{KEEP}task_retries: 0\n");
    let run = |fault: String| {
        let mut case = Case::with_input(good(50));
        case.env = vec![("DJHOST_TEST_FAULT".into(), fault)];
        let ran = case.run(&recipe);
        (case, ran)
    };
    let (case, _) = run("list@calls.txt".into());
    let calls = std::fs::read_to_string(case.path("calls.txt")).unwrap();
    let first = calls
        .lines()
        .position(|call| call.contains("/parts/"))
        .unwrap();
    let ran = run(format!("full@disk:{}", first + 1)).1.failed(
        1,
        &["is not recorded", "continue with: djhost run recipe.yaml "],
    );
    let last = ran.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("error: partition 0 failed: ")
            && last.contains("/parts/")
            && last.contains("No space left"),
        "{}",
        ran.stderr
    );
}
