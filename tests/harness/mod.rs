//! Runs the built program on a dataset and a recipe in a directory of its own, and checks what must be true of every run, however it ends.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A run that takes this long hangs. Far above what any of them needs, also on a busy machine.
const WATCHDOG: Duration = Duration::from_secs(120);

/// A directory with the input of a run. The recipe gets `dataset_path: in.jsonl` and `export_path: out/result.jsonl` unless it says otherwise.
pub struct Case {
    dir: TempDir,
    /// Arguments behind the recipe.
    pub args: Vec<String>,
    /// Added to the environment.
    pub env: Vec<(String, String)>,
}

/// How a run ended.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// What it printed to standard error.
    pub stderr: String,
    /// `job_summary.json`, or null.
    pub summary: Value,
    /// The export, if there is one.
    pub output: Option<Vec<u8>>,
    /// All entries of `quarantine/`, in the order of the files.
    pub quarantine: Vec<Value>,
}

impl Case {
    /// An empty directory.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, args: Vec::new(), env: Vec::new() }
    }

    /// One with `in.jsonl`.
    pub fn with_input(input: impl AsRef<[u8]>) -> Self {
        let case = Self::new();
        case.write("in.jsonl", input);
        case
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, and the directories above it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), content).unwrap();
    }

    /// Runs `djhost run` on the recipe and checks what holds for every run.
    pub fn run(&self, recipe: &str) -> Ran {
        let mut text = recipe.to_owned();
        for (key, value) in [("dataset_path", "in.jsonl"), ("export_path", "out/result.jsonl")] {
            if !recipe.lines().any(|line| line.starts_with(key)) {
                text += &format!("\n{key}: {value}\n");
            }
        }
        self.write("recipe.yaml", text);
        let log = self.path("stderr.txt");
        let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
        command.args(["run", "recipe.yaml", "--quiet", "--work_dir", "work", "--job_id", "job", "--np", "2"]).args(&self.args);
        command.current_dir(self.dir.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        // Compiled components are kept between runs, beside the other things that tests leave.
        command.env("DJHOST_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache")).env("HOME", self.dir.path());
        command.env_remove("XDG_CACHE_HOME").env_remove("RUST_LOG").envs(self.env.iter().cloned());
        let mut child = command.spawn().unwrap();
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > WATCHDOG {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("the run hangs; so far: {}", fs::read_to_string(&log).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let stderr = String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned();
        let ran = Ran {
            code: status.code().unwrap_or_else(|| panic!("ended by {status}: {stderr}")),
            stderr,
            summary: fs::read(self.path("work/job/job_summary.json")).map_or(Value::Null, |b| serde_json::from_slice(&b).unwrap()),
            output: fs::read(self.path("out/result.jsonl")).ok(),
            quarantine: self.quarantine(),
        };
        self.check(&ran);
        ran
    }

    fn quarantine(&self) -> Vec<Value> {
        let Ok(files) = fs::read_dir(self.path("work/job/quarantine")) else { return Vec::new() };
        let mut files: Vec<PathBuf> = files.map(|f| f.unwrap().path()).filter(|f| f.extension().is_some_and(|e| e == "jsonl")).collect();
        files.sort();
        let text: String = files.iter().map(|f| fs::read_to_string(f).unwrap()).collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// A run that succeeds accounts for every row; one that fails says why and leaves nothing where the result would be.
    fn check(&self, ran: &Ran) {
        let stderr = &ran.stderr;
        assert!(!stderr.contains("internal error") && !stderr.contains("panicked"), "{stderr}");
        let beside: Vec<String> = fs::read_dir(self.path("out"))
            .map(|dir| dir.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        if ran.code != 0 && ran.code != 4 {
            assert!(stderr.lines().any(|line| line.starts_with("error: ")), "no reason given: {stderr}");
            assert!(beside.is_empty(), "left beside the export: {beside:?}");
            assert_ne!(ran.summary["status"], "completed");
            return;
        }
        assert!(beside.len() <= 1, "left beside the export: {beside:?}");
        assert_eq!(ran.summary["status"], "completed");
        let ledger = |key: &str| match &ran.summary["ledger"][key] {
            Value::Object(ops) => ops.values().map(|n| n.as_u64().unwrap()).sum::<u64>(),
            n => n.as_u64().unwrap(),
        };
        let gone = ledger("output") + ledger("dropped") + ledger("merged") + ledger("quarantined");
        assert_eq!(ledger("read") + ledger("created"), gone, "the ledger does not balance: {}", ran.summary["ledger"]);
        if let Some(output) = &ran.output {
            assert_eq!(ledger("output"), output.iter().filter(|b| **b == b'\n').count() as u64);
        }
    }
}

impl Ran {
    /// The run succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// The run ended with `code`, and its message has all of `parts`.
    #[track_caller]
    pub fn failed(self, code: i32, parts: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is not in: {}", self.stderr);
        }
        self
    }

    /// The export as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.output.as_deref().expect("there is an export")).unwrap()
    }
}
