//! Workers, nodes and jobs that are killed, stopped or silent.

use std::process::Stdio;

use crate::crash::bench::{Bench, text};
use crate::ray::{Ray, on, signal};

/// The variable with the faults of the first, second, … worker that is started.
const FAULTS: &str = djhost::testing::fault::OF_WORKERS;

/// Rows that keep a worker busy for longer than it takes to see that it is.
const MANY: usize = 30_000;

#[test]
fn whoever_is_lost_the_bytes_are_those_of_threads() {
    let mut ray = Ray::start(&[1, 1, 1]);
    // Workers end at calls of their storage.
    let mut seed = 7u64;
    let mut losses = 0;
    for strategy in ["every_op", "disabled"] {
        let bench = Bench::new(700).with("strategy", strategy);
        let expected = bench.undisturbed();
        let bench = ray.has(bench);
        for _ in 0..2 {
            // One more could end the same task four times before it gets on.
            let faults: Vec<String> = (0..3)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    format!("kill@disk:{}", 1 + (seed >> 33) % 60)
                })
                .collect();
            let output = bench
                .command(&["--fresh"])
                .env(FAULTS, faults.join(";"))
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{faults:?} {}",
                text(&output.stderr)
            );
            losses += bench.events().of("task_retry").len();
            assert_eq!(bench.result(), expected, "{faults:?}");
            assert!(bench.unfinished().is_empty(), "{faults:?}");
        }
    }
    assert!(losses >= 3, "only {losses} workers were lost");

    let bench = Bench::new(MANY).with("partition", "{mode: manual, num_of_partitions: 6}");
    let expected = bench.undisturbed();
    let bench = on(bench, &ray.address, ", silence_seconds: 3");

    // A worker that is as if it hung.
    let mut child = bench.command(&[]).stderr(Stdio::piped()).spawn().unwrap();
    let at_work = bench_at_work(&bench, &mut child);
    signal("STOP", at_work);
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("nothing was heard of it for 3 s"), "{said}");
    assert_eq!(bench.result(), expected);

    // A node.
    let mut child = bench
        .command(&["--fresh"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    bench_at_work(&bench, &mut child);
    ray.kill(1);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(bench.result(), expected);
    ray.add(1);

    // The process that runs the job.
    let mut child = bench
        .command(&["--fresh"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    bench_at_work(&bench, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);

    // It is asked to stop.
    let mut child = bench
        .command(&["--fresh"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    bench_at_work(&bench, &mut child);
    let stopped = std::process::Command::new(env!("CARGO_BIN_EXE_djhost"))
        .arg("stop")
        .arg(bench.run_dir())
        .output()
        .unwrap();
    assert!(stopped.status.success(), "{}", text(&stopped.stderr));
    assert_eq!(child.wait().unwrap().code(), Some(3));
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}

/// Waits until a worker of the newest attempt of `bench` is at work, and returns its process.
fn bench_at_work(bench: &Bench, child: &mut std::process::Child) -> u64 {
    let own = u64::from(child.id());
    loop {
        let events = bench.events();
        let is_ours = events
            .of("job_start")
            .iter()
            .any(|e| e["process_id"] == own);
        if let Some(event) = events.of("op_start").last()
            && is_ours
        {
            return event["process_id"].as_u64().unwrap();
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::yield_now();
    }
}
