//! Tasks that a scheduler starts, each in a process of its own: `djhost run --list-tasks` and
//! `djhost task --run DIR --id ID`.

use std::process::{Command, Output};

use crate::crash::bench::{Bench, Numbers, text};

/// Runs one task, with a fault if one is given.
fn task(bench: &Bench, args: &[&str], fault: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
    command.args(["task", "--run"]).arg(bench.run_dir());
    // The paths of the recipe are relative to where the job was begun.
    command.args(args).current_dir("/");
    command
        .env("DJHOST_CACHE_DIR", crate::harness::cache())
        .env("XDG_STATE_HOME", bench.path("state"));
    if !fault.is_empty() {
        command.env(djhost::testing::fault::VARIABLE, fault);
    }
    command.output().unwrap()
}

/// The tasks that can run now; none if the job is done.
fn tasks(bench: &Bench, args: &[&str]) -> Vec<String> {
    let output = bench.run(&[&["--list-tasks"], args].concat());
    let listed = text(&output.stdout);
    let code = if listed.is_empty() { 0 } else { 3 };
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    listed.lines().map(str::to_owned).collect()
}

/// Four at a time, each of which may be killed.
#[test]
fn a_loop_over_tasks_makes_the_bytes_of_threads_whoever_is_killed() {
    let mut numbers = Numbers(7);
    let mut kills = 0;
    for strategy in ["every_op", "adaptive"] {
        let mut bench = Bench::new(300)
            .with("strategy", strategy)
            .with("partition", "{mode: manual, num_of_partitions: 5}");
        bench
            .ops
            .push("key_value_grouper: {group_by_keys: [__dj__stats__.num_words]}".into());
        bench.ops.push("naive_reverse_grouper:".into());
        let expected = bench.undisturbed();
        let mut rounds = 0;
        loop {
            let ids = tasks(&bench, &[]);
            if ids.is_empty() {
                break;
            }
            rounds += 1;
            assert!(rounds < 40, "it does not end: {ids:?}");
            for four in ids.chunks(4) {
                let faults: Vec<String> = four
                    .iter()
                    .map(|_| match rounds % 2 {
                        1 => format!("kill@disk:{}", 1 + numbers.below(30)),
                        _ => String::new(),
                    })
                    .collect();
                std::thread::scope(|scope| {
                    let running: Vec<_> = four
                        .iter()
                        .zip(&faults)
                        .map(|(id, fault)| scope.spawn(|| task(&bench, &["--id", id], fault)))
                        .collect();
                    for ran in running {
                        let output = ran.join().unwrap();
                        let code = output.status.code();
                        assert!(matches!(code, None | Some(0)), "{}", text(&output.stderr));
                        kills += usize::from(code.is_none());
                    }
                });
            }
        }
        assert_eq!(bench.result(), expected, "{}", bench.recipe());
    }
    assert!(kills >= 10, "only {kills} kills");
}

#[test]
fn tasks_that_cannot_run_say_why() {
    let bench = Bench::new(60);
    let nothing = task(&bench, &["--id", "steps.0.0"], "");
    assert_eq!(nothing.status.code(), Some(2));
    assert!(text(&nothing.stderr).contains("no job that has been planned"));
    let ids = tasks(&bench, &[]);
    assert_eq!(ids.len(), 4, "{ids:?}");
    let refused = |args: &[&str], why: &[&str]| {
        let output = task(&bench, args, "");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        for why in why {
            assert!(said.contains(why), "{said}");
        }
    };
    refused(
        &["--id", "masks.0"],
        &["`masks.0` is no task", "--list-tasks"],
    );
    refused(&["--id", "steps.5.0"], &["there is no segment 5"]);
    refused(
        &["--id", "steps.0.44"],
        &["there is no partition 44", "has 4"],
    );
    refused(
        &["--id", "steps.1.0"],
        &["waits for op 4 `document_deduplicator`", "--list-tasks"],
    );
    refused(
        &["--id", "steps.0.0", "--plan", "a-b-c"],
        &["another program (`", "`), another recipe", "a-b-c"],
    );
    assert!(task(&bench, &["--id", "steps.0.0"], "").status.success());
    let again = task(&bench, &["--id", "steps.0.0"], "");
    assert!(again.status.success() && text(&again.stderr).contains("is done already"));
    assert_eq!(tasks(&bench, &[]).len(), 3, "{ids:?}");
    let expected = bench.undisturbed();
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}
