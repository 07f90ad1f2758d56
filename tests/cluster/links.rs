//! Nodes that are cut off, and workers that go on after others have done their tasks.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use djhost::testing::fault::VARIABLE;

use crate::crash::bench::{Bench, files, name};
use crate::job::{Doer, FAULTS, Hold, Job};
use crate::ray::{Ray, Shared, here, on, parent, signal};

/// How long a process may take to see that nobody wants its work any more.
const PATIENCE: Duration = Duration::from_secs(60);

/// A job, of which each worker gets a task.
fn bench(ray: &Ray) -> (Bench, crate::crash::bench::Result) {
    let bench = Bench::new(700).with("partition", "{mode: manual, num_of_partitions: 6}");
    let expected = bench.undisturbed();
    (on(bench, &ray.address, ", silence_seconds: 3"), expected)
}

/// The worker that is on the node with a network of its own, once all four have a task.
fn worker_apart(job: &mut Job<'_>) -> Doer {
    let network = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
    let doers = job.has_workers(4);
    let mut apart = doers
        .into_iter()
        .filter(|doer| network(&doer.pid.to_string()) != network("self"));
    apart.next().expect("a worker on that node")
}

fn is_alive(pid: u64) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Waits until `is_so`.
fn wait(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The partition that a worker has the task of.
fn partition_of(worker: &Doer, job: &mut Job<'_>) -> u64 {
    job.sees(|events| {
        let of_it = |event: &&&serde_json::Value| event["worker"] == worker.worker;
        let started = events.of("partition_start");
        started.iter().find(of_it)?["partition_id"].as_u64()
    })
}

/// How many files there are of the rows and keys of a partition, by op.
fn files_of(bench: &Bench, partition: u64) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for file in files(&bench.run_dir().join("checkpoints")) {
        let (name, of_it) = (name(&file), format!("_partition_{partition:04}."));
        if let Some((op, rest)) = name.split_once(&of_it)
            && !name.starts_with('.')
            && rest != "manifest.json"
        {
            *found.entry(op.to_owned()).or_default() += 1;
        }
    }
    found
}

#[test]
fn a_link_is_cut_and_mended() {
    let mut ray = Shared::take();
    let Some(node) = ray.add_apart(1) else {
        // It takes root.
        return;
    };
    let (bench, expected) = bench(&ray);
    let hold = Hold::of(&bench, "partition_");
    let mut job = Job::start_with(&bench, &[], &[(FAULTS, &hold.faults())]);
    let cut_off = worker_apart(&mut job);
    ray.cut(node);
    // Nobody has time for its task before.
    let lost = job.says("nothing was heard of it for 3 s");
    let name = format!("worker {} on node `", cut_off.worker);
    assert!(lost.contains(&name), "{lost}");
    ray.mend(node);
    hold.release_others(cut_off.worker);
    let (code, said) = job.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(bench.result(), expected);
    wait("it has not ended", || !is_alive(cut_off.pid));
}

/// A worker that nobody hears any more, and that nobody can end, goes on with its task while and
/// after another one does it.
#[test]
fn a_worker_that_is_cut_off_for_good_writes_beside_the_others() {
    let mut ray = Shared::take();
    let Some(node) = ray.add_apart(1) else {
        return;
    };
    let (bench, expected) = bench(&ray);
    let hold = Hold::of(&bench, "partition_");
    // The job is to be continued.
    let faults = [
        (FAULTS, &*hold.faults()),
        (VARIABLE, "kill@event:export_start:1"),
    ];
    let mut job = Job::start_with(&bench, &[], &faults);
    let zombie = worker_apart(&mut job);
    let partition = partition_of(&zombie, &mut job);
    // Its actor would end it.
    let actor = parent(zombie.pid).unwrap();
    assert!(signal("STOP", actor));
    ray.cut(node);
    hold.release_others(zombie.worker);
    let again = |event: &serde_json::Value| {
        event["partition_id"] == partition && event["worker"] != zombie.worker
    };
    job.sees(|events| {
        let saved = events.of("checkpoint_save");
        saved.into_iter().any(again).then_some(())
    });
    assert!(is_alive(zombie.pid));
    hold.release(zombie.worker);
    wait("it has written nothing", || {
        files_of(&bench, partition).values().any(|files| *files > 1)
    });
    let (code, said) = job.end();
    assert_eq!(code, None, "{said}");
    let bench = here(bench);
    // It still might write: an attempt waits for it.
    assert!(is_alive(zombie.pid));
    let next = Job::start(&bench, &[]);
    assert!(signal("CONT", actor));
    wait("it has not ended", || !is_alive(zombie.pid));
    let (code, said) = next.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(bench.result(), expected);
    let events = bench.events();
    assert!(events.of("checkpoint_discarded").is_empty(), "{events:?}");
    // What it has left is in nobody's way.
    let files = files_of(&bench, partition);
    assert!(files.values().all(|files| *files == 1), "{files:?}");
    assert!(bench.unfinished().is_empty());
}
