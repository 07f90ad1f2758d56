//! A Ray cluster on this machine.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::crash::bench::Bench;
use crate::python::Package;

/// The Python with Ray.
pub(crate) fn python() -> PathBuf {
    Package {
        name: "ray",
        install: &["ray[default]"],
        works: "import ray, ray.dashboard.modules.job.job_head",
        dir: env!("CARGO_TARGET_TMPDIR"),
    }
    .python()
}

/// A cluster, which ends when this is dropped, or the test is.
pub(crate) struct Ray {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub(crate) address: String,
    /// The port of its dashboard; 0: it has none.
    pub(crate) dashboard: u16,
    /// One cluster at a time: the machine is small.
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());

impl Ray {
    /// A cluster of nodes with so many CPUs; the first one is the head.
    pub(crate) fn start(cpus: &[usize]) -> Self {
        Self::with(cpus, 0)
    }

    /// One that takes jobs by HTTP.
    pub(crate) fn with_dashboard(cpus: &[usize]) -> Self {
        Self::with(cpus, free_port())
    }

    fn with(cpus: &[usize], dashboard: u16) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        // Short: Ray has sockets below it.
        let temporary = tempfile::Builder::new()
            .prefix("djr")
            .tempdir_in("/tmp")
            .unwrap()
            .keep();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/cluster.py");
        let mut child = Command::new(python())
            .arg(script)
            .arg(&temporary)
            .args([free_port().to_string(), dashboard.to_string()])
            .args(cpus.iter().map(ToString::to_string))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ray = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            address: String::new(),
            dashboard,
            _alone: alone,
        };
        ray.address = ray.answer()["address"].as_str().unwrap().to_owned();
        ray
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("the cluster answers")
    }

    fn ask(&mut self, command: &str) -> Value {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{command}").unwrap();
        self.answer()
    }

    /// Ends the raylet of a node, and so the node.
    pub(crate) fn kill(&mut self, node: usize) {
        self.ask(&format!("kill {node}"));
    }

    /// Adds a node.
    pub(crate) fn add(&mut self, cpus: usize) {
        self.ask(&format!("add {cpus}"));
    }

    /// Adds a node that sees nothing in `dir`.
    pub(crate) fn add_without(&mut self, cpus: usize, dir: &Path) {
        self.ask(&format!("hide {cpus} {}", dir.display()));
    }

    /// `bench` with its work done here.
    pub(crate) fn has(&self, bench: Bench) -> Bench {
        on(bench, &self.address, "")
    }
}

/// `bench` on the cluster at `address`, with `more` settings of `ray`.
pub(crate) fn on(bench: Bench, address: &str, more: &str) -> Bench {
    let python = python();
    bench
        .with("executor_type", "ray_partitioned")
        .with("ray_address", address)
        .with("ray", &format!("{{python: {}{more}}}", python.display()))
}

/// The same bench by threads.
pub(crate) fn here(bench: Bench) -> Bench {
    bench.with("ray_address", "local")
}

impl Drop for Ray {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Sends a signal to a process.
pub(crate) fn signal(name: &str, pid: u64) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status()
        .unwrap();
    assert!(sent.success(), "{name} {pid}");
}
