//! The bridge to a Ray cluster: a Python process that carries lines (`bridge.py`), because Ray can be
//! spoken to only so.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::message::{File, FromBridge, Node, Obstacle, Start, ToBridge};
use crate::error::{Stopped, UserError};
use crate::remote::given;
use crate::rundir::{StopFlag, fault};
use crate::sanitize::printable;

/// What the bridge runs.
const SOURCE: &str = include_str!("bridge.py");
/// The oldest version of Ray that has all that the bridge calls.
const OLDEST: &str = "2.9";
/// The versions of Ray that the tests have run with.
const TESTED: &str = "2.60";
/// For how long the cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long the bridge may take to end.
const FAREWELL: Duration = Duration::from_secs(10);
/// A worker takes no more CPUs by itself.
const MOST_CPUS: usize = 16;

/// What the recipe says of the cluster.
pub(crate) struct Settings<'a> {
    /// `HOST:6379`.
    pub(crate) address: &'a str,
    /// Where it was given, for messages.
    pub(crate) place: String,
    /// The Python with Ray, and where it was given.
    pub(crate) python: &'a str,
    pub(crate) python_place: String,
    /// None: as the cluster is.
    pub(crate) workers: Option<usize>,
    pub(crate) cpus: Option<usize>,
    /// In bytes.
    pub(crate) memory: Option<u64>,
    pub(crate) silence: Duration,
    /// The program that workers run.
    pub(crate) program: PathBuf,
    /// Compiled components that the plan uses.
    pub(crate) components: Vec<PathBuf>,
    /// Directories of which the nodes get a copy.
    pub(crate) trees: Vec<Tree>,
}

/// A directory of which the nodes get a copy.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// Says what is in it.
    pub(crate) name: String,
    /// Where it is here, absolute.
    pub(crate) dir: PathBuf,
    /// Which files, relative to it.
    pub(crate) files: Vec<PathBuf>,
}

impl Tree {
    /// Where the nodes have it, below their directory.
    pub(crate) fn place(&self) -> String {
        format!("trees/{}", self.name)
    }
}

/// How much the workers take of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) workers: usize,
    /// CPUs of each, and tasks at a time.
    pub(crate) cpus: usize,
    pub(crate) nodes: usize,
}

/// A cluster that was joined. No worker is started before the pool is.
pub(crate) struct Cluster {
    pub(crate) room: Room,
    pub(super) silence: Duration,
    pub(super) bridge: Arc<Bridge>,
    pub(super) said: Mutex<Receiver<FromBridge>>,
    start: Mutex<Option<Starting>>,
}

/// What workers are started with.
struct Starting {
    memory: Option<u64>,
    files: Vec<File>,
}

impl Cluster {
    /// Joins the cluster. Fails with a [`UserError`] if there is none, or no Ray here.
    pub(crate) fn join(settings: &Settings<'_>, stop: &StopFlag) -> Result<Self> {
        let (bridge, said) = Bridge::start(settings)?;
        bridge.say(&ToBridge::Open {
            address: settings.address,
        });
        let nodes = match answer(&said, stop)? {
            Answered::Said(FromBridge::Cluster { ray, nodes }) => {
                if version(&ray) > version(TESTED) {
                    tracing::warn!(
                        "Ray {} is newer than {TESTED}, which djhost is tested with",
                        printable(&ray)
                    );
                }
                nodes
            }
            Answered::Said(FromBridge::Failed { what, detail }) => {
                return Err(refusal(settings, what, &detail).into());
            }
            Answered::Said(other) => {
                bail!("internal error: the bridge to Ray begins with {other:?}")
            }
            Answered::Ended => {
                let words = bridge.words();
                return Err(UserError::new(
                    &settings.python_place,
                    format!("`{}` does not join the Ray cluster `{}`: {words}", settings.python, settings.address),
                )
                .hint("it has to be a Python of 3.9 or later with the package `ray`, of the cluster's version")
                .into());
            }
            Answered::Silent => {
                let detail = format!(
                    "no answer for {} s; the last words of Ray: {}",
                    PATIENCE.as_secs(),
                    bridge.words()
                );
                return Err(refusal(settings, Obstacle::Unreachable, &detail).into());
            }
        };
        let mut files = vec![File {
            path: settings.program.clone(),
            at: String::new(),
            runs: true,
        }];
        for component in &settings.components {
            let name = component
                .file_name()
                .context("internal error: a component without a name")?;
            files.push(File {
                path: component.clone(),
                at: format!("cache/components/{}", name.to_string_lossy()),
                runs: false,
            });
        }
        for tree in &settings.trees {
            files.extend(tree.files.iter().map(|file| File {
                path: tree.dir.join(file),
                at: format!("{}/{}", tree.place(), file.display()),
                runs: false,
            }));
        }
        Ok(Self {
            room: room(&nodes, settings.workers, settings.cpus),
            silence: settings.silence,
            bridge,
            said: Mutex::new(said),
            start: Mutex::new(Some(Starting {
                memory: settings.memory,
                files,
            })),
        })
    }

    /// Has the workers started.
    pub(super) fn start(&self) {
        let Some(start) = self.start.lock().expect("no panic while held").take() else {
            return;
        };
        let faults = std::env::var(fault::OF_WORKERS).unwrap_or_default();
        self.bridge.say(&ToBridge::Start(Start {
            workers: self.room.workers,
            cpus: self.room.cpus,
            memory: start.memory,
            silence: self.silence.as_secs(),
            files: start.files,
            arguments: &["task", "--stdio"],
            env: environment(
                std::env::vars().chain(given::used().map(|(name, value)| (name.to_owned(), value))),
            ),
            faults: faults.split(';').map(str::to_owned).collect(),
        }));
    }
}

/// The first two numbers of a version.
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split('.').map_while(|part| part.parse().ok());
    let mut next = || numbers.next().unwrap_or_default();
    (next(), next())
}

/// How many workers of how many CPUs there are.
fn room(nodes: &[Node], workers: Option<usize>, cpus: Option<usize>) -> Room {
    let of_nodes: Vec<usize> = nodes.iter().map(|node| node.cpus as usize).collect();
    let smallest = of_nodes.iter().copied().filter(|cpus| *cpus > 0).min();
    let cpus = cpus.unwrap_or_else(|| smallest.unwrap_or(1).min(MOST_CPUS));
    // A cluster without room may grow.
    let fit = of_nodes
        .iter()
        .map(|node| node / cpus)
        .sum::<usize>()
        .max(1);
    Room {
        workers: workers.unwrap_or(fit),
        cpus,
        nodes: nodes.len(),
    }
}

/// What workers get of the environment: what stores and hubs are opened with, and the level of logs.
fn environment(all: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    const NAMES: &[&str] = &[
        "RUST_LOG",
        "ORT_DYLIB_PATH",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    ];
    const PREFIXES: &[&str] = &[
        "AWS_",
        "AZURE_",
        "GOOGLE_",
        "GCS_",
        "HF_",
        "DJHOST_TEST_RETRIES",
        "DJHOST_TEST_NEAR_BYTES",
    ];
    all.filter(|(name, _)| {
        NAMES.contains(&name.as_str()) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    })
    .collect()
}

/// Says what keeps djhost from joining the cluster.
fn refusal(settings: &Settings<'_>, what: Obstacle, detail: &str) -> UserError {
    let detail = printable(detail);
    let (address, python) = (settings.address, settings.python);
    match what {
        Obstacle::Missing => UserError::new(
            &settings.python_place,
            format!("`{python}` cannot speak to the Ray cluster `{address}`: {detail}"),
        )
        .hint(format!(
            "install the cluster's version (`{python} -m pip install 'ray[default]'`), name a Python that has it by `ray.python`, or set \
             `ray_address: local`"
        )),
        Obstacle::Old => UserError::new(
            &settings.python_place,
            format!("`{python}` has Ray {detail}, which is older than {OLDEST}"),
        )
        .hint(format!(
            "install a later one, on the nodes, too; djhost is tested with Ray {TESTED}"
        )),
        Obstacle::Unreachable => UserError::new(
            &settings.place,
            format!("`{address}`: this Ray cluster cannot be joined: {detail}"),
        )
        .hint(format!(
            "start one with `ray start --head` or give the address of one that runs, whose Ray and Python have the versions of `{python}` (tested with Ray \
             {TESTED}); one that demands a token gets it with `RAY_AUTH_MODE=token`; `ray_address: local` works on this machine alone"
        )),
    }
}

enum Answered {
    Said(FromBridge),
    Ended,
    Silent,
}

/// The first thing that the bridge says.
fn answer(said: &Receiver<FromBridge>, stop: &StopFlag) -> Result<Answered> {
    let asked = Instant::now();
    loop {
        match said.recv_timeout(super::super::pool::TICK) {
            Ok(message) => return Ok(Answered::Said(message)),
            Err(RecvTimeoutError::Disconnected) => return Ok(Answered::Ended),
            Err(RecvTimeoutError::Timeout) if stop.requested() => return Err(Stopped.into()),
            Err(RecvTimeoutError::Timeout) if asked.elapsed() > PATIENCE => {
                return Ok(Answered::Silent);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// The Python process. It ends when this is dropped.
pub(super) struct Bridge {
    child: Mutex<Child>,
    input: Mutex<Option<ChildStdin>>,
    /// The last line that it wrote to standard error.
    words: Arc<Mutex<String>>,
}

impl Bridge {
    fn start(settings: &Settings<'_>) -> Result<(Arc<Self>, Receiver<FromBridge>)> {
        let python = OsString::from(settings.python);
        let mut child = Command::new(&python)
            .args(["-c", SOURCE, OLDEST])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C on the terminal is for djhost.
            .process_group(0)
            .spawn()
            .map_err(|error| {
                UserError::new(
                    &settings.python_place,
                    format!("`{}` cannot be started: {error}", settings.python),
                )
                .hint("name a Python with the package `ray`; `ray_address: local` needs none")
            })?;
        let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
            bail!("internal error: a process without streams");
        };
        let bridge = Arc::new(Self {
            input: Mutex::new(child.stdin.take()),
            child: Mutex::new(child),
            words: Arc::default(),
        });
        let words = Arc::clone(&bridge.words);
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(crate::threads::inherit(work))
                .context("cannot start a thread")
        };
        spawn(
            "djhost-bridge-err",
            Box::new(move || {
                for line in BufReader::new(errors).split(b'\n') {
                    let Ok(line) = line else { return };
                    let line = printable(&String::from_utf8_lossy(&line));
                    if !line.trim().is_empty() {
                        tracing::debug!("the bridge to Ray: {line}");
                        *words.lock().expect("no panic while held") = line;
                    }
                }
            }),
        )?;
        let (to, said) = channel();
        let words = Arc::clone(&bridge.words);
        spawn(
            "djhost-bridge",
            Box::new(move || {
                for line in BufReader::new(output).lines() {
                    let Ok(line) = line else { return };
                    match serde_json::from_str(&line) {
                        Ok(message) => {
                            if to.send(message).is_err() {
                                return;
                            }
                        }
                        Err(error) => {
                            let mut words = words.lock().expect("no panic while held");
                            *words = format!("it said what nobody understands: {error}");
                            return;
                        }
                    }
                }
            }),
        )?;
        Ok((bridge, said))
    }

    pub(super) fn say(&self, message: &ToBridge<'_>) {
        // The messages have nothing that cannot be written.
        let Ok(mut text) = serde_json::to_vec(message) else {
            return;
        };
        text.push(b'\n');
        if let Some(input) = &mut *self.input.lock().expect("no panic while held") {
            // An error means that it has gone, as the end of its output tells.
            let _ = input.write_all(&text);
        }
    }

    /// The last thing that it wrote to standard error.
    pub(super) fn words(&self) -> String {
        self.words.lock().expect("no panic while held").clone()
    }

    /// Ends it: politely, so that Ray learns of it at once, and else by force.
    pub(super) fn end(&self) {
        self.say(&ToBridge::End);
        drop(self.input.lock().expect("no panic while held").take());
        let mut child = self.child.lock().expect("no panic while held");
        let asked = Instant::now();
        while let Ok(None) = child.try_wait() {
            if asked.elapsed() > FAREWELL {
                // An error means that it has ended.
                let _ = child.kill();
                let _ = child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_have_the_size_of_the_smallest_node() {
        let of = |cpus: &[f64], workers, each| {
            let nodes: Vec<Node> = cpus.iter().map(|cpus| Node { cpus: *cpus }).collect();
            let Room { workers, cpus, .. } = room(&nodes, workers, each);
            (workers, cpus)
        };
        assert_eq!(of(&[1.0, 1.0, 1.0], None, None), (3, 1));
        assert_eq!(of(&[0.0, 4.0, 10.0], None, None), (3, 4));
        assert_eq!(of(&[64.0, 32.0], None, None), (6, 16));
        assert_eq!(of(&[2.0], Some(8), Some(1)), (8, 1));
        assert_eq!(of(&[2.0, 3.0], None, Some(3)), (1, 3));
        assert_eq!(of(&[0.0], None, None), (1, 1));
    }

    #[test]
    fn versions_are_compared_by_numbers() {
        assert!(version("2.60.0") > version("2.9"));
        assert_eq!(version("2.60.1"), version(TESTED));
        assert!(version("3.0.0rc1") > version(TESTED));
    }

    #[test]
    fn workers_get_credentials_and_nothing_else() {
        let all = [
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("HOME", "/root"),
            ("HF_TOKEN", "t"),
            ("DJHOST_NP", "3"),
        ];
        let all = all.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let given = environment(all.into_iter());
        assert_eq!(
            given.keys().collect::<Vec<_>>(),
            ["AWS_SECRET_ACCESS_KEY", "HF_TOKEN"]
        );
    }
}
