//! Jobs that are submitted to a cluster by HTTP.

use crate::crash::bench::{Bench, text};
use crate::job::{FAULTS, Hold, Job};
use crate::ray::{Ray, here, on, signal};

#[test]
fn a_submitted_job_runs_there_and_ends_here() {
    let mut ray = Ray::with_dashboard(2);
    let url = format!("http://127.0.0.1:{}", ray.dashboard);
    let bench = Bench::new(300);
    let expected = bench.undisturbed();
    let bench = on(bench, &url, "");
    let output = bench.run(&[]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(bench.result(), expected, "{said}");
    let events = bench.events();
    assert!(
        events
            .of("stage_complete")
            .iter()
            .all(|e| e["node"].is_string())
    );

    // By Ray's client, whose port is not asked. What fails there fails here, with its words.
    let client = on(bench, "ray://127.0.0.1:10001", "");
    let plan = client
        .command(&[])
        .env("DJHOST_TEST_RETRIES", "0")
        .output()
        .unwrap();
    assert_eq!(plan.status.code(), Some(2), "{}", text(&plan.stderr));
    assert!(
        text(&plan.stderr).contains("http://HOST:8265"),
        "{}",
        text(&plan.stderr)
    );
    let bench = on(client, &url, "").with("dataset_path", "nothing.jsonl");
    let output = bench.run(&["--fresh"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("nothing.jsonl"),
        "{}",
        text(&output.stderr)
    );

    // Mistakes in the recipe are found before anything is sent.
    let wrong = bench.with("dataset_path", "data.jsonl").with("np", "none");
    let output = wrong.run(&[]);
    assert_eq!(output.status.code(), Some(2));

    // Ctrl-C stops it there.
    let bench = Bench::new(700);
    let expected = bench.undisturbed();
    let bench = on(bench, &url, "");
    let hold = ray.hold();
    let mut job = Job::start(&bench, &[]);
    job.has_workers(1);
    assert!(signal("INT", job.pid()));
    job.sees(|events| events.of("stop_requested").pop().map(|_| ()));
    hold.release_all();
    let (code, said) = job.end();
    assert_eq!(code, Some(3), "{said}");
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);

    // Its head goes, while a job of this machine has workers there.
    let bench = ray.has(bench);
    let hold = Hold::of(&bench, "partition_");
    let mut job = Job::start_with(&bench, &["--fresh"], &[(FAULTS, &hold.faults())]);
    job.has_workers(1);
    ray.kill_gcs();
    let (code, said) = job.end();
    assert_eq!(code, Some(1), "{said}");
    for part in [
        "the bridge to the Ray cluster has ended",
        "ray_address: local",
    ] {
        assert!(said.contains(part), "no `{part}` in: {said}");
    }
    let bench = here(bench);
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}
