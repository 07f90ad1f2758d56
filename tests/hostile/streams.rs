//! Standard output and error that are full, or closed by the reader: no crash, and the job is done
//! anyway.

use std::fs::{self, OpenOptions};
use std::process::{Command, Stdio};

use crate::harness::Case;
use crate::hostile::{KEEP, good};

/// The exit code with these streams.
fn code(case: &Case, args: &[&str], stdout: Stdio, stderr: Stdio) -> i32 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
    command
        .args(args)
        .current_dir(case.path(""))
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr);
    command
        .env(
            "DJHOST_CACHE_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
        )
        .env("HOME", case.path(""))
        .env_remove("RUST_LOG");
    command.status().unwrap().code().expect("it ends by itself")
}

fn full() -> Stdio {
    OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// A pipe whose reader is gone.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_job_is_done_whoever_reads_what_it_says() {
    let case = Case::with_input(good(20) + "nonsense\n");
    case.write(
        "recipe.yaml",
        format!("{KEEP}dataset_path: in.jsonl\nexport_path: out/r.jsonl\n"),
    );
    for (i, stderr) in [full, unread].iter().enumerate() {
        for args in [&["--log_level", "debug"][..], &[]] {
            let job = format!("job{i}{}", args.len());
            let all = [&["run", "recipe.yaml", "--job_id", &job], args].concat();
            assert_eq!(code(&case, &all, Stdio::null(), stderr()), 0);
            assert_eq!(
                fs::read_to_string(case.path("out/r.jsonl")).unwrap(),
                good(20)
            );
            // Nothing is left to do, which is reported, too.
            assert_eq!(code(&case, &all, unread(), stderr()), 0);
        }
        case.write("broken.yaml", "process: 7\n");
        assert_eq!(
            code(&case, &["run", "broken.yaml"], Stdio::null(), stderr()),
            2
        );
        assert_eq!(
            code(&case, &["no-such-command"], Stdio::null(), stderr()),
            2
        );
        assert_eq!(
            code(&case, &["stop", "nobody"], Stdio::null(), stderr()),
            13
        );
        assert_eq!(
            code(
                &case,
                &["ops", "list", "nothing_like_this"],
                Stdio::null(),
                stderr()
            ),
            0
        );
    }
}

#[test]
fn what_cannot_be_printed_is_an_error_and_no_crash() {
    let case = Case::with_input(good(20));
    case.write(
        "recipe.yaml",
        format!("{KEEP}dataset_path: in.jsonl\nexport_path: out/r.jsonl\n"),
    );
    let commands: [&[&str]; 8] = [
        &["plan", "recipe.yaml"],
        &["config", "recipe.yaml"],
        &["ops", "list"],
        &["ops", "show", "text_length_filter"],
        &["jobs"],
        &["--help"],
        &["run", "--help"],
        &["--version"],
    ];
    for args in commands {
        assert_eq!(code(&case, args, full(), Stdio::null()), 1, "{args:?}");
        assert_eq!(code(&case, args, unread(), Stdio::null()), 0, "{args:?}");
        assert_eq!(code(&case, args, full(), full()), 1, "{args:?}");
    }
}
