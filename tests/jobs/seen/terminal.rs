//! Tables and help on terminals of any width.

use std::fs::File;
use std::io::Read;
use std::os::fd::FromRawFd;
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;

/// What the program writes to a terminal with that many columns.
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
        .env("DJHOST_CACHE_DIR", crate::harness::cache())
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color");
    command
        .stdin(Stdio::null())
        .stdout(slave.try_clone().unwrap())
        .stderr(slave)
        .envs(env.iter().copied());
    let mut child = command.spawn().unwrap();
    // The command holds this process's last handle of the terminal's other end: without it, reading
    // ends with the child.
    drop(command);
    let mut seen = Vec::new();
    // A terminal reports that nobody writes to it any more as an error.
    let _ = master.read_to_end(&mut seen);
    assert!(
        child.wait().unwrap().success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&seen)
    );
    String::from_utf8(seen).unwrap()
}

/// The lines left on the screen, without colours.
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
                // Paths for copying stay whole.
                let is_path = line.contains("outputs/result.jsonl") || line.contains("/quarantine");
                assert!(
                    line.chars().count() <= columns.into() || is_path,
                    "wider than {columns}: {line:?}"
                );
            }
        }
        let table = screen(&seen[0]).join("\n");
        // At 40 columns the longest names are cut.
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
    // A paragraph that was wrapped twice has short lines in its middle.
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
