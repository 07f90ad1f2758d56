//! Workers, nodes and jobs that are killed, stopped or silent.

use std::process::Command;

use crate::crash::bench::{Bench, Numbers, text};
use crate::job::{FAULTS, Hold, Job};
use crate::ray::{Shared, on, parent, signal};

/// Rows that keep workers busy for some seconds.
const MANY: usize = 20_000;

/// Losses of workers in one attempt. One more could end the same task four times before it gets on.
const LOSSES: usize = 3;

/// Faults of one job.
const MOST: usize = 8;

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

#[test]
fn faults_at_random_leave_the_bytes_of_threads() {
    let mut ray = Shared::take();
    let mut numbers = Numbers(29);
    let benches: Vec<_> = ["every_op", "disabled", "every_n_ops", "adaptive"]
        .map(|strategy| {
            Bench::new(MANY)
                .with("strategy", strategy)
                .with("partition", "{mode: manual, num_of_partitions: 6}")
        })
        .into();
    let expected = benches[0].undisturbed();
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
        let mut args = vec!["--fresh"];
        let said = loop {
            let mut job = Job::start(bench, &args);
            args.clear();
            let (mut losses, mut is_over) = (0, false);
            while !is_over && losses < LOSSES && faults.len() < first + MOST {
                let things = 1 + numbers.below(6) as usize;
                let Some(worker) = job.work(things) else {
                    break;
                };
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
                        ray.kill(1 + numbers.below(2) as usize);
                        ray.heal_meanwhile();
                        true
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
                    if numbers.below(3) == 0 {
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
