//! Clusters that cannot be used, and nodes that cannot work on a job: who must do what.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use crate::crash::bench::{self, Bench, text};
use crate::job::Job;
use crate::jobs;
use crate::ray::{Shared, free_port, here, on};

fn fails(output: Output, code: i32, wanted: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in wanted {
        assert!(said.contains(part), "no `{part}` in: {said}");
    }
}

#[test]
fn what_is_no_cluster_is_named() {
    let address = format!("127.0.0.1:{}", free_port());
    let bench = on(Bench::new(20), &address, "");
    fails(
        bench.run(&[]),
        2,
        &[
            "recipe.yaml:",
            "ray_address",
            &address,
            "cannot be joined",
            "refused",
            "tested with Ray",
        ],
    );
    let without = Bench::new(20)
        .with("executor_type", "ray")
        .with("ray_address", &address)
        .with("ray", "{python: ./none}");
    fails(
        without.run(&[]),
        2,
        &["ray", "`./none` cannot be started", "package `ray`"],
    );
    // One without Ray: of an environment that has nothing.
    let empty = without.path("empty");
    let made = Command::new("python3")
        .args(["-m", "venv", "--without-pip"])
        .arg(&empty)
        .status();
    assert!(made.unwrap().success());
    let missing = without.with(
        "ray",
        &format!("{{python: {}/bin/python}}", empty.display()),
    );
    fails(
        missing.run(&[]),
        2,
        &["No module named 'ray'", "pip install"],
    );
    // A version that is too old for what the bridge calls.
    let old = missing.path("empty/lib");
    let site = fs::read_dir(&old).unwrap().next().unwrap().unwrap().path();
    fs::create_dir_all(site.join("site-packages/ray")).unwrap();
    fs::write(
        site.join("site-packages/ray/__init__.py"),
        "__version__ = '1.13.0'\n",
    )
    .unwrap();
    fails(
        missing.run(&[]),
        2,
        &["has Ray 1.13.0, which is older than", "tested with Ray"],
    );
}

#[test]
fn work_that_finds_no_room_waits() {
    let mut ray = Shared::take();
    // More workers than there is room for: the job is done by those that there are.
    let bench = Bench::new(300);
    let expected = bench.undisturbed();
    let bench = on(bench, &ray.address, ", workers: 5, cpus_per_worker: 1");
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
    // None has room until a node comes.
    let bench = on(bench, &ray.address, ", cpus_per_worker: 2");
    let mut job = Job::start(&bench, &["--fresh"]);
    let waits = job.says("waiting for 2 CPUs");
    assert!(waits.contains("the cluster has 3"), "{waits}");
    // This is what an autoscaler acts on.
    assert_eq!(ray.pending(), 1);
    ray.add(2);
    let (code, said) = job.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(bench.result(), expected);
}

#[test]
fn nodes_that_cannot_work_on_a_job_are_named() {
    let mut ray = Shared::take();
    let Some(unseen) = ray.unseen() else {
        // Nothing can be hidden from a node.
        return;
    };
    let expected = Bench::new(300).undisturbed();

    // The nodes do not see the run directory.
    let work_dir = unseen.join("outputs");
    let elsewhere = ["--work_dir", work_dir.to_str().unwrap()];
    let bench = ray.has(Bench::new(300));
    let run_dir = work_dir.join(bench::JOB);
    fails(
        bench.run(&elsewhere),
        1,
        &[
            "does not see the run directory",
            run_dir.to_str().unwrap(),
            "on node `",
            "refuses the job",
            "work_dir",
        ],
    );
    // Nothing is lost: it goes on elsewhere.
    let bench = here(bench);
    let output = bench.run(&elsewhere);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(fs::read(bench.export()).unwrap(), expected.export);

    // No room for a file that is carried there: no node had this one before.
    let words = unseen.join("full");
    fs::create_dir_all(&words).unwrap();
    let list = format!("{{\"en\": [\"{}\"]}}", "dog\", \"".repeat(100_000) + "fox");
    fs::write(words.join("flagged_words.json"), list).unwrap();
    let mut bench = Bench::new(300);
    bench.ops.push(format!(
        "flagged_words_filter: {{flagged_words_dir: {}, max_ratio: 0.9}}",
        words.display()
    ));
    let expected_with_words = bench.undisturbed();
    let bench = ray.has(bench);
    ray.while_full(|| {
        let home = format!("/tmp/djhost-{}/trees/", rustix::process::getuid().as_raw());
        fails(
            bench.run(&[]),
            1,
            &["cannot be started on node `", &home, "No space left"],
        );
    });
    bench.ok(&[]);
    assert_eq!(bench.result(), expected_with_words);

    // Programs that are not this djhost.
    let bench = ray.has(Bench::new(300));
    let program = bench.path("program");
    let with = |bench: Bench, script: &[u8]| {
        fs::write(&program, script).unwrap();
        on(bench, &ray.address, ", binary: ./program")
    };
    let bench = with(bench, b"no program at all");
    fails(
        bench.run(&[]),
        1,
        &["cannot be started on node `", "Exec format"],
    );
    let bench = with(
        bench,
        b"#!/bin/sh\necho not found: libold.so >&2; exit 127\n",
    );
    fails(
        bench.run(&[]),
        1,
        &[
            "4 workers have ended before they were ready",
            "on node `",
            "it ended with code 127",
            "not found: libold.so",
        ],
    );
    // One that is another: it would have to have the same bytes where nodes have them.
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_djhost"));
    let bench = with(bench, script.as_bytes());
    fails(
        bench.run(&[]),
        1,
        &[
            "on node `",
            "refuses the job",
            concat!("another program (`", env!("CARGO_BIN_EXE_djhost"), "`)"),
            "its plan is ",
            ", that of the job ",
        ],
    );
    let bench = ray.has(bench);
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}

/// A plugin that is replaced when the job is planned, and not sent yet.
#[test]
fn a_plugin_that_is_another_on_nodes_is_refused_and_named() {
    let ray = Shared::take();
    let built = crate::harness::guest::build("tests/guests", "djhost-test-guests");
    let component = fs::read(built).unwrap();
    let mut bench = Bench::new(300);
    bench.ops[5] = "rogue_mapper: {how: behave}".into();
    bench.set("plugins", &format!("[{}]", bench.path("plugins").display()));
    let plugin = bench.path("plugins/rogue.wasm");
    fs::create_dir_all(bench.path("plugins")).unwrap();
    fs::write(&plugin, &component).unwrap();
    let bench = ray.has(bench);
    // The process that sends it replaces it first.
    let python = bench.path("python");
    let other = bench.path("other.wasm");
    fs::write(&other, jobs::another(&component)).unwrap();
    let script = format!(
        "#!/bin/sh\ncp {} {}\nexec {} \"$@\"\n",
        other.display(),
        plugin.display(),
        crate::ray::python().display()
    );
    fs::write(&python, script).unwrap();
    fs::set_permissions(&python, fs::Permissions::from_mode(0o700)).unwrap();
    let bench = bench.with("ray", "{python: ./python}");
    fails(
        bench.run(&[]),
        1,
        &[
            "on node `",
            "refuses the job",
            "other operators",
            "its plan is ",
            ", that of the job ",
            "the first op that differs is 5 `rogue_mapper`, from `",
            "rogue.wasm`",
        ],
    );
    // Nothing is lost: with what there is now it is another job of the same name.
    let bench = here(bench);
    let expected = bench.undisturbed();
    let bench = ray.has(bench);
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}
