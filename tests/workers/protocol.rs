//! Every message of the protocol.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::talk::{Talk, steps};
use crate::crash::bench::{Bench, killed, text};

/// A job that was planned, and killed before anything was done. Its second segment has the ops after
/// the deduplicator.
fn planned(rows: usize) -> Bench {
    let bench = Bench::new(rows).with("strategy", "disabled");
    begin(&bench);
    bench
}

fn begin(bench: &Bench) {
    let output = bench.run_with_fault("kill@event:dag_execution_plan_saved:1");
    assert!(killed(&output), "{}", text(&output.stderr));
}

#[test]
fn tasks_are_done_and_told_and_the_job_goes_on_with_them() {
    let bench = planned(700);
    let (mut talk, _) = Talk::ready(&bench);
    let mut names = BTreeSet::new();
    for partition in 0..4 {
        talk.say(&[steps(0, partition, &[])]);
    }
    let (mut done, mut committed, mut rows) = (BTreeSet::new(), Vec::new(), 0);
    while done.len() < 4 {
        let (name, value) = talk.message().unwrap();
        match name.as_str() {
            "done" => drop(done.insert(value["id"].as_str().unwrap().to_owned())),
            "committed" => committed.push(value),
            "progress" => rows += value["rows"].as_u64().unwrap(),
            "event" => assert!(value["thread"].as_u64().unwrap() > 0),
            "log" => assert!(value["level"].is_string(), "{value}"),
            _ => panic!("{name}: {value}"),
        }
        names.insert(name);
    }
    talk.say(&[json!("stop")]);
    let (_, status) = talk.end();
    assert!(status.success());
    for name in ["event", "progress", "committed", "done"] {
        assert!(names.contains(name), "{names:?}");
    }
    // Rows before the deduplicator and its keys, of each partition.
    assert_eq!(committed.len(), 8);
    for file in &committed {
        let manifest = &file["manifest"];
        assert_eq!(file["id"], format!("steps.0.{}", manifest["partition"]));
        let data = manifest["data"].as_str().unwrap();
        assert!(bench.run_dir().join("checkpoints").join(data).exists());
    }
    let expected = bench.undisturbed();
    assert_eq!(rows, expected.ledger["read"].as_u64().unwrap());
    let events = bench.ok(&[]);
    assert_eq!(events.ops(), [5, 6, 7], "what was done is not done again");
    assert_eq!(bench.result(), expected);
}

/// Two may have the same task: of a network that was cut, for instance.
#[test]
fn a_task_may_be_done_twice() {
    let bench = planned(300);
    let files = || {
        let dir = bench.run_dir().join("checkpoints");
        let mut files: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|file| !file.to_string_lossy().ends_with(".manifest.json"))
            .map(|file| (file.clone(), fs::read(file).unwrap()))
            .collect();
        files.sort();
        files
    };
    let (mut talk, _) = Talk::ready(&bench);
    talk.say(&[steps(0, 1, &[])]);
    let rows = talk.next("committed")["manifest"].clone();
    talk.next("done");
    let once = files();
    assert_eq!(once.len(), 2);
    talk.say(&[steps(0, 1, &[])]);
    talk.next("done");
    assert_eq!(files(), once);
    // From the checkpoint only the keys are left.
    talk.say(&[steps(0, 1, &[rows])]);
    let keys = talk.next("committed");
    assert_eq!(keys["manifest"]["artifact"], "keys");
    talk.next("done");
    assert_eq!(files(), once);
}

#[test]
fn who_plans_otherwise_refuses_and_says_how_it_differs() {
    let bench = planned(60);
    let refused = |bench: &Bench, more: Value| {
        let (said, status) = Talk::init(bench, &more).end();
        assert_eq!(status.code(), Some(2));
        let (name, value) = said.last().unwrap();
        assert_eq!(name, "refused");
        value["reason"].as_str().unwrap().to_owned()
    };
    let (mut talk, plan) = Talk::ready(&bench);
    talk.leave();
    let mut same = Talk::init(&bench, &json!({ "plan": plan }));
    same.next("ready");
    let other = plan.replace(&plan[..4], "0123");
    let said = refused(&bench, json!({ "plan": other }));
    assert!(
        said.contains("another program") && said.contains(&plan) && said.contains(&other),
        "{said}"
    );
    let said = refused(&bench, json!({ "protocol": 99 }));
    assert!(said.contains("99") && said.contains("version 3"), "{said}");
    let said = refused(&bench, json!({ "run": bench.path("nowhere") }));
    assert!(said.contains("nowhere"), "{said}");
    let recipe = bench.run_dir().join("metadata/config.yaml");
    let text = fs::read_to_string(&recipe).unwrap();
    let changed = text.replace(
        "text_length_filter:\n      min_len: 12",
        "text_length_filter:\n      min_len: 13",
    );
    assert_ne!(changed, text);
    fs::write(&recipe, changed).unwrap();
    let said = refused(&bench, json!({ "plan": plan }));
    assert!(
        said.contains("another recipe, other operators") && !said.contains("program,"),
        "{said}"
    );
    bench.write_data("{\"text\": \"another row\"}\n");
    let said = refused(&bench, json!({ "plan": plan }));
    assert!(said.contains("the dataset is not"), "{said}");
}

/// A partition of many rows is at work for longer than a line takes to be read.
fn long() -> Bench {
    let bench = Bench::new(30_000)
        .with("strategy", "disabled")
        .with("partition", "{mode: manual, num_of_partitions: 1}");
    begin(&bench);
    bench
}

#[test]
fn a_task_is_cancelled_and_a_process_stopped() {
    let bench = long();
    let (mut talk, _) = Talk::ready(&bench);
    let cancel = json!({"cancel": "steps.0.0"});
    talk.say(&[steps(0, 0, &[]), cancel.clone()]);
    while let Some((name, value)) = talk.message() {
        assert_ne!(name, "done");
        if name == "failed" {
            assert_eq!(value["failure"]["kind"], "stopped");
            break;
        }
    }
    // It has gone already, and the process is there for the next task.
    talk.say(&[cancel, steps(0, 0, &[]), json!("stop")]);
    let (said, status) = talk.end();
    assert!(status.success());
    assert_eq!(said.last().unwrap().0, "failed");
}

#[test]
fn the_end_of_the_input_ends_a_process_at_work() {
    let bench = long();
    // The task does not end by itself: what it has made has no name before this file is there.
    let never = bench.path("never");
    let hold = format!("hold@disk:rename:checkpoints/:{}", never.display());
    let mut talk = Talk::start_with(&bench, &hold).with_init(&bench, &json!({}));
    talk.next("ready");
    talk.say(&[steps(0, 0, &[])]);
    talk.next("event");
    talk.leave();
    let (said, status) = talk.end();
    assert!(status.success());
    assert!(
        said.iter()
            .all(|(name, _)| name != "done" && name != "failed")
    );
    let mut deaf = Talk::ready(&bench).0;
    deaf.say(&[json!({"dance": 1})]);
    let (said, status) = deaf.end();
    assert_eq!(
        (said.last().unwrap().0.as_str(), status.code()),
        ("refused", Some(1))
    );
    bench.ok(&[]);
}

#[test]
fn tasks_that_do_not_exist_fail() {
    let bench = planned(60);
    let (mut talk, _) = Talk::ready(&bench);
    for (segment, partition, why) in [(7, 0, "no segment 7"), (0, 9, "no partition 9")] {
        talk.say(&[steps(segment, partition, &[])]);
        let failed = loop {
            let (name, value) = talk.message().unwrap();
            if name == "failed" {
                break value;
            }
        };
        let error = failed["failure"]["error"].as_str().unwrap();
        assert!(error.contains(why), "{error}");
    }
}
