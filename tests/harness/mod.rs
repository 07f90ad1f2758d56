//! Runs the built program on a dataset and a recipe in a separate directory, and checks what must
//! hold for every run, however it ends.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use djhost::jobs::{Fate, RunPaths, Trace};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) mod cases;
pub(crate) mod guest;

/// A run of this length hangs. Far above what any run needs, even on a busy machine.
const WATCHDOG: Duration = Duration::from_secs(120);

/// Where Linux keeps files in memory.
const SHARED_MEMORY: &str = "/dev/shm";
/// Room for all tests that run at a time. A container may have very little.
const MEMORY_BYTES: u64 = 1 << 30;

const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache");

/// The cache of compiled components, shared by all runs. Has the built-in operators: no run is timed
/// while it compiles, and runs do not compile in parallel.
pub(crate) fn cache() -> &'static str {
    static DONE: std::sync::Once = std::sync::Once::new();
    DONE.call_once(|| {
        let list = Command::new(env!("CARGO_BIN_EXE_djhost"))
            .args(["ops", "list"])
            .env("DJHOST_CACHE_DIR", CACHE)
            .output()
            .unwrap();
        assert!(list.status.success());
    });
    CACHE
}

/// A directory for one test, removed at its end. In memory, if there is room and `TMPDIR` is not set:
/// a small job on a disk takes twice the CPU time and five times the wall time, to sync its files.
/// Tests need no disk: what a killed process has written stays, synced or not.
pub(crate) fn directory() -> TempDir {
    static MEMORY: LazyLock<Option<&str>> = LazyLock::new(|| {
        let found = rustix::fs::statvfs(SHARED_MEMORY).ok()?;
        let has_room = found.f_bavail * found.f_frsize >= MEMORY_BYTES;
        (std::env::var_os("TMPDIR").is_none() && has_room).then_some(SHARED_MEMORY)
    });
    match *MEMORY {
        Some(memory) => tempfile::tempdir_in(memory),
        None => tempfile::tempdir(),
    }
    .unwrap()
}

/// The table of the trace of a finished job, and the samples of its mappers, sorted: what must not
/// depend on how the job was run.
pub(crate) fn trace(run_dir: &Path) -> Vec<String> {
    let trace = Trace::open(&RunPaths::new(run_dir)).unwrap();
    assert!(trace.document().complete && trace.document().missing.is_empty());
    let table = Fate::ALL.into_iter().filter(|fate| *fate != Fate::Changed);
    let mut entries = Vec::new();
    let each = |entry: djhost::jobs::Entry| {
        entries.push(format!("{entry:?}"));
        Ok(true)
    };
    trace.each(None, &table.collect::<Vec<_>>(), each).unwrap();
    for op in &trace.document().ops {
        let samples = trace.samples(op.op).unwrap();
        entries.extend(samples.iter().map(|sample| format!("{sample:?}")));
    }
    entries.sort();
    entries
}

/// A directory with the input of a run. The recipe gets `dataset_path: in.jsonl` and `export_path:
/// out/result.jsonl` unless it sets them.
pub(crate) struct Case {
    dir: TempDir,
    /// Arguments after the recipe.
    pub(crate) args: Vec<String>,
    /// Added to the environment.
    pub(crate) env: Vec<(String, String)>,
}

/// How a run ended.
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// What it printed to standard error.
    pub(crate) stderr: String,
    /// `job_summary.json`, or null.
    pub(crate) summary: Value,
    /// The export, if there is one.
    pub(crate) output: Option<Vec<u8>>,
    /// All entries of `quarantine/`, in the order of the files.
    pub(crate) quarantine: Vec<Value>,
}

impl Case {
    /// An empty directory.
    pub(crate) fn new() -> Self {
        Self {
            dir: directory(),
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// One with `in.jsonl`.
    pub(crate) fn with_input(input: impl AsRef<[u8]>) -> Self {
        let case = Self::new();
        case.write("in.jsonl", input);
        case
    }

    /// A path in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, and the directories above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), content).unwrap();
    }

    /// Runs `djhost run` on the recipe, as [`Self::run`] does, until `fault` (`DJHOST_TEST_FAULT`) kills
    /// it. Returns whether it did.
    pub(crate) fn killed_by(&self, fault: &str, recipe: &str) -> bool {
        let recipe = format!("dataset_path: in.jsonl\n{recipe}");
        self.write("recipe.yaml", recipe);
        let status = Command::new(env!("CARGO_BIN_EXE_djhost"))
            .args(["run", "recipe.yaml", "--quiet", "--np", "2"])
            .args(["--work_dir", "work", "--job_id", "job"])
            .current_dir(self.dir.path())
            .env("DJHOST_CACHE_DIR", cache())
            .env("HOME", self.dir.path())
            .env("NO_PROXY", "127.0.0.1")
            .env("DJHOST_TEST_FAULT", fault)
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(
            status.success() || status.code().is_none(),
            "{fault}: {status}"
        );
        !status.success()
    }

    /// Runs `djhost run` on the recipe and checks what holds for every run.
    pub(crate) fn run(&self, recipe: &str) -> Ran {
        let mut text = recipe.to_owned();
        for (key, value) in [
            ("dataset_path", "in.jsonl"),
            ("export_path", "out/result.jsonl"),
        ] {
            if !recipe.lines().any(|line| line.starts_with(key)) {
                text += &format!("\n{key}: {value}\n");
            }
        }
        self.write("recipe.yaml", text);
        let log = self.path("stderr.txt");
        let before = self.exported();
        let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
        command
            .args([
                "run",
                "recipe.yaml",
                "--quiet",
                "--work_dir",
                "work",
                "--job_id",
                "job",
            ])
            .args(&self.args);
        if !self.args.iter().any(|arg| arg == "--np") {
            command.args(["--np", "2"]);
        }
        command
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap());
        command
            .env("DJHOST_CACHE_DIR", cache())
            .env("HOME", self.dir.path())
            .env("NO_PROXY", "127.0.0.1");
        command
            .env_remove("XDG_CACHE_HOME")
            .env_remove("RUST_LOG")
            .envs(self.env.iter().cloned());
        let mut child = command.spawn().unwrap();
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > WATCHDOG {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!(
                    "the run hangs; so far: {}",
                    fs::read_to_string(&log).unwrap_or_default()
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let stderr = String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned();
        let ran = Ran {
            code: status
                .code()
                .unwrap_or_else(|| panic!("ended by {status}: {stderr}")),
            stderr,
            summary: fs::read(self.path("work/job/job_summary.json"))
                .map_or(Value::Null, |b| serde_json::from_slice(&b).unwrap()),
            output: fs::read(self.path("out/result.jsonl")).ok(),
            quarantine: self.quarantine(),
        };
        self.check(&ran, &before);
        ran
    }

    /// The content of the export's directory.
    fn exported(&self) -> Vec<(OsString, Vec<u8>)> {
        let Ok(dir) = fs::read_dir(self.path("out")) else {
            return Vec::new();
        };
        let mut files: Vec<_> = dir
            .map(|e| e.unwrap())
            .map(|e| (e.file_name(), fs::read(e.path()).unwrap()))
            .collect();
        files.sort();
        files
    }

    fn quarantine(&self) -> Vec<Value> {
        let Ok(files) = fs::read_dir(self.path("work/job/quarantine")) else {
            return Vec::new();
        };
        let mut files: Vec<PathBuf> = files
            .map(|f| f.unwrap().path())
            .filter(|f| f.extension().is_some_and(|e| e == "jsonl"))
            .collect();
        files.sort();
        let text: String = files
            .iter()
            .map(|f| fs::read_to_string(f).unwrap())
            .collect();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// A run that succeeds accounts for every row; one that fails says why and leaves the place of
    /// the result unchanged.
    fn check(&self, ran: &Ran, before: &[(OsString, Vec<u8>)]) {
        let stderr = &ran.stderr;
        assert!(
            !stderr.contains('\u{1b}'),
            "control characters on the terminal: {stderr:?}"
        );
        // A guest's panic message is within a line of the host's.
        assert!(
            !stderr.contains("internal error")
                && !stderr.lines().any(|l| l.starts_with("thread '")),
            "{stderr}"
        );
        let after = self.exported();
        let is_done = ran.code == 5 && ran.summary["status"] == "completed";
        if ran.code != 0 && ran.code != 4 && !is_done {
            assert!(
                stderr.lines().any(|line| line.starts_with("error: ")),
                "no reason given: {stderr}"
            );
            assert!(after == before, "the place of the export is not as it was");
            // With 2 nothing was started, and the summary is that of an earlier run.
            assert!(ran.code == 2 || ran.summary["status"] != "completed");
            return;
        }
        assert!(
            after.len() <= 1,
            "left beside the export: {:?}",
            after.iter().map(|(name, _)| name).collect::<Vec<_>>()
        );
        assert_eq!(ran.summary["status"], "completed");
        let ledger = |key: &str| match &ran.summary["ledger"][key] {
            Value::Object(ops) => ops.values().map(|n| n.as_u64().unwrap()).sum::<u64>(),
            n => n.as_u64().unwrap(),
        };
        let gone = ledger("output") + ledger("dropped") + ledger("merged") + ledger("quarantined");
        assert_eq!(
            ledger("read") + ledger("created"),
            gone,
            "the ledger does not balance: {}",
            ran.summary["ledger"]
        );
        if let Some(output) = &ran.output {
            assert_eq!(
                ledger("output"),
                output.iter().filter(|b| **b == b'\n').count() as u64
            );
        }
    }
}

impl Ran {
    /// Asserts that the run succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// Asserts that the run ended with `code` and that its message has all of `parts`.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, parts: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}", self.stderr);
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "`{part}` is not in: {}",
                self.stderr
            );
        }
        self
    }

    /// The export as text.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.output.as_deref().expect("there is an export")).unwrap()
    }
}
