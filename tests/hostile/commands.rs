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
