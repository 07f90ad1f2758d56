//! Ray clusters on this machine.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::crash::bench::Bench;
use crate::job::{FAULTS, Hold};
use crate::python::Package;

/// The Python with Ray.
pub(crate) fn python() -> PathBuf {
    // To see whether it is there takes as long as it takes to import Ray.
    static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
        Package {
            name: "ray",
            install: &["ray[default]"],
            works: "import ray, ray.dashboard.modules.job.job_head",
            dir: env!("CARGO_TARGET_TMPDIR"),
        }
        .python()
    });
    PYTHON.clone()
}

/// A cluster, which ends when this is dropped, or the process of the tests ends.
pub(crate) struct Ray {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    temporary: PathBuf,
    /// How many answers have not been waited for.
    owed: usize,
    /// The process that has started the head.
    head: u64,
    pub(crate) address: String,
    /// The port of its dashboard; 0: it has none.
    pub(crate) dashboard: u16,
}

/// So many tests have a cluster at a time: they wait for each other, and for Ray, more than they
/// compute.
const CLUSTERS: usize = 2;

/// The clusters that most tests work on: three nodes with a CPU each, the first of which is the head.
/// One takes as long to start as many a job.
static CLUSTERS_OF_TESTS: Mutex<Clusters> = Mutex::new(Clusters {
    free: Vec::new(),
    taken: 0,
});

/// A test has left one.
static LEFT: Condvar = Condvar::new();

/// Nodes of one cluster start at a time: a raylet ends if one of its agents takes 20 s to start.
static STARTING: Mutex<()> = Mutex::new(());

struct Clusters {
    free: Vec<Ray>,
    taken: usize,
}

/// A shared cluster, for one test at a time. None: it did not start.
pub(crate) struct Shared(Option<Ray>);

impl Shared {
    /// Waits until a test may have one. All of its nodes are there.
    pub(crate) fn take() -> Self {
        let clusters = clusters();
        let mut clusters = LEFT
            .wait_while(clusters, |clusters| clusters.taken == CLUSTERS)
            .unwrap_or_else(PoisonError::into_inner);
        clusters.taken += 1;
        let mut shared = Self(clusters.free.pop());
        drop(clusters);
        match &mut shared.0 {
            Some(ray) => ray.heal(),
            none => *none = Some(Ray::start(&[1, 1, 1], 0)),
        }
        shared
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut clusters = clusters();
        // A test that has failed leaves it to the others.
        clusters.free.extend(self.0.take());
        clusters.taken -= 1;
        LEFT.notify_one();
    }
}

fn clusters() -> MutexGuard<'static, Clusters> {
    CLUSTERS_OF_TESTS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

impl std::ops::Deref for Shared {
    type Target = Ray;
    fn deref(&self) -> &Ray {
        self.0.as_ref().unwrap()
    }
}

impl std::ops::DerefMut for Shared {
    fn deref_mut(&mut self) -> &mut Ray {
        self.0.as_mut().unwrap()
    }
}

impl Ray {
    /// A cluster of one node, which takes jobs by HTTP.
    pub(crate) fn with_dashboard(cpus: usize) -> Self {
        Self::start(&[cpus], free_port())
    }

    /// A cluster of nodes with so many CPUs; the first one is the head.
    fn start(cpus: &[usize], dashboard: u16) -> Self {
        let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        // Short: Ray has sockets below it.
        let temporary = tempfile::Builder::new()
            .prefix("djr")
            .tempdir_in("/tmp")
            .unwrap()
            .keep();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/cluster.py");
        let mut command = Command::new(python());
        if dashboard > 0 {
            // Jobs that are submitted get the environment of the cluster.
            let hold = Hold::in_dir(temporary.join("released"), "partition_");
            hold.release_all();
            command.env(FAULTS, hold.faults());
        }
        let mut child = command
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
            temporary,
            owed: 0,
            head: 0,
            address: String::new(),
            dashboard,
        };
        let answer = ray.answer();
        ray.address = answer["address"].as_str().unwrap().to_owned();
        ray.head = answer["head"].as_u64().unwrap();
        ray
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("the cluster answers")
    }

    fn say(&mut self, command: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{command}").unwrap();
    }

    fn ask(&mut self, command: &str) -> Value {
        self.say(command);
        for _ in 0..std::mem::take(&mut self.owed) {
            self.answer();
        }
        self.answer()
    }

    /// Holds the workers of jobs that are submitted.
    pub(crate) fn hold(&self) -> Hold {
        let released = self.temporary.join("released");
        fs::remove_dir_all(&released).unwrap();
        Hold::in_dir(released, "partition_")
    }

    /// Ends a node with its raylet, and has it started again: the next command waits for that. False:
    /// it is the head, or has ended.
    pub(crate) fn kill(&mut self, raylet: u64) -> bool {
        let Some(node) = parent(raylet).filter(|node| *node != self.head) else {
            return false;
        };
        let is_done = signal("KILL", raylet);
        if is_done {
            self.say(&format!("lost {node}"));
            self.say("heal");
            self.owed += 2;
        }
        is_done
    }

    /// Starts nodes again that have ended, and takes away those that were added.
    fn heal(&mut self) {
        let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        self.ask("heal");
    }

    /// How many workers wait for room, as an autoscaler is told.
    pub(crate) fn pending(&mut self) -> u64 {
        self.ask("pending")["pending"].as_u64().unwrap()
    }

    /// Ends what knows all nodes, and so the head.
    pub(crate) fn kill_gcs(&mut self) {
        self.ask("gcs");
    }

    /// Adds a node. [`heal`](Self::heal) takes it away.
    pub(crate) fn add(&mut self, cpus: usize) {
        self.ask(&format!("add {cpus}"));
    }

    /// Adds a node with a network of its own; returns its number, None: it takes root.
    /// [`heal`](Self::heal) takes it away.
    pub(crate) fn add_apart(&mut self, cpus: usize) -> Option<u64> {
        self.ask(&format!("apart {cpus}"))["node"].as_u64()
    }

    /// Takes the link to a node with a network of its own away.
    pub(crate) fn cut(&mut self, node: u64) {
        self.ask(&format!("cut {node}"));
    }

    /// Gives it back.
    pub(crate) fn mend(&mut self, node: u64) {
        self.ask(&format!("mend {node}"));
    }

    /// Does `work` while there is no room for what jobs carry to nodes.
    pub(crate) fn while_full(&mut self, work: impl FnOnce()) {
        self.ask("full");
        work();
        self.ask("roomy");
    }

    /// A directory in which nodes see nothing of what is there; None: without root there is none.
    pub(crate) fn unseen(&self) -> Option<PathBuf> {
        let dir = self.temporary.join("unseen");
        dir.exists().then_some(dir)
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

/// The process that has started another one: the actor of a worker.
pub(crate) fn parent(pid: u64) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// Sends a signal to a process; false: it has gone.
pub(crate) fn signal(name: &str, pid: u64) -> bool {
    let kill = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .output();
    kill.unwrap().status.success()
}
