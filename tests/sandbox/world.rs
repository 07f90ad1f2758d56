//! What operators find of the outside world: nothing, unless it is granted (see `grants`).

use std::net::TcpListener;

use serde_json::Value;

use crate::sandbox::{ROWS, case, isolates, lines, recipe};

/// The stat `rogue` of every row.
pub(crate) fn stats(text: &str) -> Vec<String> {
    let of = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["__dj__stats__"]["rogue"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    text.lines().map(of).collect()
}

#[test]
fn there_is_nothing_to_find() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let run = || {
        let line = format!("{{\"text\": \"GUILTY port={port}\"}}\n");
        let mut case = case(&[line]);
        case.write("secret.txt", "secret");
        case.env.push(("SECRET".into(), "secret".into()));
        let ran = case
            .run(&recipe(
                "rogue_filter",
                "peek",
                "keep_stats_in_res_ds: true",
            ))
            .ok();
        assert!(!case.path("rogue").exists());
        stats(ran.text()).remove(0)
    };
    let found = run();
    let nothing = "env=0 args=0 files=0 written=0 listed=0 stdin=0 tcp=false listen=false udp=false lookup=0 today=946684800 slept=3600 random=";
    assert!(found.starts_with(nothing), "{found}");
    assert_eq!(found, run(), "random numbers and clocks must come again");
    assert!(listener.accept().is_err(), "somebody called");
}

#[test]
fn sleeping_takes_no_time() {
    let lines = lines(ROWS, &[3]);
    let ran = case(&lines).run(&recipe("rogue_filter", "sleep", "")).ok();
    assert!(ran.text() == lines.concat());
}

#[test]
fn state_does_not_outlive_a_partition() {
    let lines = lines(ROWS, &[]);
    let recipe = "partition: {mode: manual, num_of_partitions: 8}\nkeep_stats_in_res_ds: true\nprocess:\n  - rogue_filter: {how: state}\n";
    let ran = case(&lines).run(recipe).ok();
    // One batch in each partition: every call is the first of its instance.
    assert_eq!(stats(ran.text()), vec!["call 1"; ROWS]);
}

#[test]
fn printing_is_limited() {
    for how in ["print", "print_long"] {
        let lines = lines(ROWS, &[3]);
        let case = case(&lines);
        let ran = case.run(&recipe("rogue_filter", how, "")).ok();
        assert!(ran.text() == lines.concat());
        let logs = std::fs::read_dir(case.path("work/job/logs"))
            .unwrap()
            .map(|f| std::fs::read(f.unwrap().path()).unwrap());
        let log: Vec<u8> = logs.flatten().chain(ran.stderr.bytes()).collect();
        assert!(log.len() < 100_000, "{how}: {} bytes of log", log.len());
        assert!(
            !log.contains(&0x1b),
            "control characters of a guest in the log"
        );
    }
}

#[test]
fn nan_is_a_value_like_any_other() {
    let lines = lines(10, &[]);
    let ran = case(&lines)
        .run(&recipe("rogue_filter", "nan", "keep_stats_in_res_ds: true"))
        .ok();
    assert_eq!(ran.text().lines().count(), 10);
}

#[test]
fn a_failing_row_does_not_change_what_others_see() {
    // After the failure a fresh instance gets the row, and the others, too: the answers are the
    // same.
    isolates("rogue_filter", "stat_not_utf8", "", &[10, 20], "not UTF-8");
}
