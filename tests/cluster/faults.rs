//! Workers, nodes and jobs that are killed, stopped or silent.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::crash::bench::{Bench, Events, Numbers, text};
use crate::job::{FAULTS, Hold, Job};
use crate::ray::{Shared, on, parent, signal};

/// Rows that keep workers busy for some seconds.
const MANY: usize = 40_000;

/// One row in so many ends in quarantine because an operator traps on it.
const GUILTY: usize = 5_000;

/// Losses of one task that a job survives, if the task does not get on meanwhile.
const LOSSES: usize = 3;

/// Faults of one job. The most time goes into starting attempts and their workers, so a job has many.
const MOST: usize = 15;

/// What the random numbers begin with.
const SEED: u64 = 29;

/// How many random faults there are: 300 before a release.
fn asked() -> usize {
    match std::env::var("DJHOST_TEST_CLUSTER_FAULTS") {
        Ok(number) => number.parse().unwrap(),
        Err(_) => 60,
    }
}

fn stop(bench: &Bench) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
    let stop = command.arg("stop").arg(bench.run_dir());
    stop.output().unwrap().status.success()
}

/// What is done to a job at work; the names tell what of it.
const KINDS: [&str; 12] = [
    "kill worker",
    "kill actor",
    "kill driver",
    "kill worker",
    "stop job",
    "silence worker",
    "kill driver",
    "kill worker",
    "silence actor",
    "kill actor",
    "kill node",
    "kill driver",
];

/// Jobs of several strategies over the same rows, some of which are dropped, merged, and set aside
/// by the reader, by an operator that cannot read them, and by one that traps on them.
fn benches() -> Vec<Bench> {
    let plugin = crate::harness::guest::build("tests/guests", "djhost-test-guests");
    let data = crate::crash::bench::lines(0..MANY);
    let mut rows: Vec<&[u8]> = data.split_inclusive(|byte| *byte == b'\n').collect();
    let guilty = b"{\"text\": \"this one is GUILTY, whoever looks at it\", \"n\": 1}\n";
    (0..rows.len())
        .step_by(GUILTY)
        .for_each(|row| rows[row] = guilty);
    let data = rows.concat();
    ["every_op", "disabled", "every_n_ops", "adaptive"]
        .map(|strategy| {
            let mut bench = Bench::new(0)
                .with("strategy", strategy)
                .with("partition", "{mode: manual, num_of_partitions: 6}");
            bench.write_data(&data);
            let plugins = bench.path("plugins");
            fs::create_dir(&plugins).unwrap();
            fs::copy(&plugin, plugins.join("rogue.wasm")).unwrap();
            bench.set("plugins", &format!("[{}]", plugins.display()));
            bench.ops.insert(4, "rogue_mapper: {how: panic}".into());
            bench
        })
        .into()
}

/// Whether an attempt that has had so many losses may have one more: whichever task it is of, the
/// job goes on. A loss that no event tells of yet may be of any task.
fn may_lose(events: &Events, losses: usize) -> bool {
    let mut told = BTreeMap::<Option<u64>, usize>::new();
    for event in events.of("task_retry") {
        let partition = event["partition_id"].as_u64();
        *told.entry(partition).or_default() += 1;
    }
    let untold = losses.saturating_sub(told.values().sum());
    told.values().max().unwrap_or(&0) + untold < LOSSES
}

#[test]
fn faults_at_random_leave_the_bytes_of_threads() {
    let mut ray = Shared::take();
    println!("{} faults, seed {SEED}", asked());
    let mut numbers = Numbers(SEED);
    let benches = benches();
    let expected = benches[0].undisturbed();
    for fate in ["dropped", "merged", "quarantined"] {
        assert_ne!(expected.ledger[fate], 0, "{fate} {}", expected.ledger);
    }
    let benches = benches.into_iter();
    let benches: Vec<_> = benches
        .map(|bench| on(bench, &ray.address, ", silence_seconds: 4"))
        .collect();
    let (mut faults, mut jobs) = (Vec::new(), 0);
    // Each of the kinds once, in any order, then each again.
    let mut next: Vec<&str> = Vec::new();
    while faults.len() < asked() {
        let bench = &benches[jobs % benches.len()];
        let first = faults.len();
        let last = asked().min(first + MOST);
        let mut args = vec!["--fresh"];
        let said = loop {
            let mut job = Job::start(bench, &args);
            args.clear();
            let (mut losses, mut is_over) = (0, false);
            while !is_over && faults.len() < last {
                let things = 1 + numbers.below(6) as usize;
                let Some(worker) = job.work(things) else {
                    break;
                };
                if !may_lose(&bench.events(), losses) {
                    continue;
                }
                if next.is_empty() {
                    next.extend(KINDS);
                }
                let kind = next.swap_remove(numbers.below(next.len() as u64) as usize);
                let is_done = match kind {
                    "kill worker" => signal("KILL", worker),
                    "silence worker" => signal("STOP", worker),
                    "kill actor" => parent(worker).is_some_and(|pid| signal("KILL", pid)),
                    "silence actor" => parent(worker).is_some_and(|pid| signal("STOP", pid)),
                    "kill node" => {
                        let actor = parent(worker);
                        let raylet = actor.and_then(parent);
                        let is_done = raylet.is_some_and(|raylet| ray.kill(raylet));
                        if is_done {
                            // One that is silent would outlive its node, which no process does.
                            actor.map(|actor| signal("KILL", actor));
                        }
                        is_done
                    }
                    "kill driver" => job.kill(),
                    _ => stop(bench),
                };
                if !is_done {
                    // What it was for has ended.
                    next.push(kind);
                    continue;
                }
                faults.push(kind);
                match kind {
                    "kill driver" | "stop job" => is_over = true,
                    _ => losses += 1,
                }
            }
            match job.end() {
                (Some(0), said) => break said,
                (code, _) if is_over && matches!(code, None | Some(3)) => {
                    // Without workers there is nothing more to be done to it.
                    if faults.len() == last || numbers.below(8) == 0 {
                        args = vec!["--ray_address", "local"];
                    }
                }
                (code, said) => panic!("{code:?} after {:?}: {said}", &faults[first..]),
            }
        };
        let context = format!("after {:?}: {said}", &faults[first..]);
        assert!(bench.result() == expected, "{context}");
        assert!(bench.unfinished().is_empty(), "{context}");
        jobs += 1;
        println!(
            "job {jobs}, {} faults: {:?}",
            faults.len(),
            &faults[first..]
        );
    }
    let missing = KINDS.iter().find(|kind| !faults.contains(kind));
    assert!(missing.is_none() || asked() < KINDS.len(), "no {missing:?}");
}

#[test]
fn workers_end_at_calls_of_their_storage() {
    let ray = Shared::take();
    let mut numbers = Numbers(7);
    // The calls that a task makes at least: whoever is first to have one ends in it.
    for (strategy, calls) in [("every_op", 30), ("disabled", 10)] {
        let bench = Bench::new(700).with("strategy", strategy);
        let expected = bench.undisturbed();
        let bench = ray.has(bench);
        let faults: Vec<String> = (0..LOSSES)
            .map(|_| format!("kill@disk:{}", 1 + numbers.below(calls)))
            .collect();
        let output = bench
            .command(&[])
            .env(FAULTS, faults.join(";"))
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert!(output.status.success(), "{faults:?} {said}");
        let lost = bench.events().of("task_retry").len();
        assert!(lost > 0, "{faults:?} {said}");
        assert_eq!(bench.result(), expected, "{faults:?}");
        assert!(bench.unfinished().is_empty(), "{faults:?}");
    }
}

#[test]
fn a_silent_worker_is_ended_and_named() {
    let ray = Shared::take();
    let bench = Bench::new(700);
    let expected = bench.undisturbed();
    let bench = on(bench, &ray.address, ", silence_seconds: 3");
    let hold = Hold::of(&bench, "partition_");
    let mut job = Job::start_with(&bench, &[], &[(FAULTS, &hold.faults())]);
    let doers = job.has_workers(2);
    assert!(signal("STOP", doers.first().unwrap().pid));
    // The others are held until then: they could do its task, too, and end the job before.
    let told = job.says("nothing was heard of it for 3 s");
    assert!(told.contains("on node `"), "{told}");
    hold.release_all();
    let (code, said) = job.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(bench.result(), expected);
}

/// A task that is slow, wherever it runs, while others have nothing to do: the last one of many.
#[test]
fn a_slow_task_is_given_to_a_second_worker() {
    let ray = Shared::take();
    let bench = Bench::new(700).with("partition", "{mode: manual, num_of_partitions: 8}");
    let expected = bench.undisturbed();
    let bench = ray.has(bench);
    let hold = Hold::of(&bench, "partition_0007");
    let mut job = Job::start_with(&bench, &[], &[(FAULTS, &hold.faults())]);
    job.sees(|events| {
        let copied = events.of("task_copied");
        let of_it = copied.iter().any(|event| event["partition_id"] == 7);
        of_it.then_some(())
    });
    hold.release_all();
    let (code, said) = job.end();
    assert_eq!(code, Some(0), "{said}");
    let events = bench.events();
    for event in events.of("task_copied") {
        assert!(event["slow"].as_str().unwrap().contains(" on node `"));
        assert_ne!(event["slow"], event["other"]);
    }
    assert!(events.of("task_retry").is_empty(), "{said}");
    assert_eq!(bench.result(), expected);
    assert!(bench.unfinished().is_empty());
}

/// A task that ends every worker fails the job, which goes on where it was once the reason is gone.
#[test]
fn a_task_that_ends_four_workers_fails_the_job_and_is_named() {
    let ray = Shared::take();
    let bench = Bench::new(300);
    let expected = bench.undisturbed();
    let bench = ray.has(bench);
    let output = bench
        .command(&[])
        .env(FAULTS, ["kill@disk:1"; 20].join(";"))
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "the process of task steps.0.",
        "this task has lost 4 processes",
        "on node `",
        "signal 9",
    ] {
        assert!(said.contains(part), "no `{part}` in: {said}");
    }
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}
