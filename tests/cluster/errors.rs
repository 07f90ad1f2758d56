//! Clusters that cannot be used, and nodes that cannot work on a job: who must do what.

use std::fs;
use std::process::Command;

use crate::crash::bench::{Bench, text};
use crate::ray::{Ray, free_port, on};

fn fails(bench: &Bench, code: i32, wanted: &[&str]) {
    let output = bench.run(&[]);
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
        &bench,
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
        &without,
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
    fails(&missing, 2, &["No module named 'ray'", "pip install"]);
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
        &missing,
        2,
        &["has Ray 1.13.0, which is older than", "tested with Ray"],
    );
}

#[test]
fn a_node_that_cannot_work_is_named_and_work_that_finds_no_room_waits() {
    let mut ray = Ray::start(&[1]);
    // More workers than there is room for: the job is done by those that there are.
    let bench = Bench::new(300);
    let expected = bench.undisturbed();
    let bench = on(bench, &ray.address, ", workers: 3, cpus_per_worker: 1");
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
    // None has room until a node comes.
    let bench = on(bench, &ray.address, ", cpus_per_worker: 2");
    let mut child = bench
        .command(&["--fresh"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    let waits = lines.find(|line| line.as_ref().unwrap().contains("waiting for 2 CPUs"));
    assert!(waits.unwrap().unwrap().contains("the cluster has 1"));
    ray.add(2);
    lines.for_each(drop);
    assert!(child.wait().unwrap().success());
    assert_eq!(bench.result(), expected);

    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !is_root {
        // Nothing can be hidden from a node.
        return;
    }
    let bench = Bench::new(300);
    let expected = bench.undisturbed();
    ray.add_without(1, &bench.path(""));
    let bench = on(bench, &ray.address, ", cpus_per_worker: 1");
    let run_dir = bench.run_dir();
    fails(
        &bench,
        1,
        &[
            "does not see the run directory",
            run_dir.to_str().unwrap(),
            "refuses the job",
            "work_dir",
        ],
    );
    let bench = crate::ray::here(bench);
    bench.ok(&[]);
    assert_eq!(bench.result(), expected);
}
